"""A packet as a template: the same frame again and again, with other values in a few fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rawkit.errors import FieldError, LayerError
from rawkit.layout import FieldInfo, Record, Skeleton, compile_patcher
from rawkit.wire.packet import Header, Packet, layer_text, name_of

__all__ = ["PAYLOAD", "FieldOf", "Place", "Template", "field_at", "place_of", "with_values"]

FieldOf = tuple[type[Header] | int, str]
"""A field of a packet: its header's class, of which the first is meant, or the layer's number; and its name."""

Place = tuple[int, str]
"""Layer number and field name."""

PAYLOAD = "payload"
"""The name of the payload, the layer being the one behind the last."""


class Template:
    """One packet, from which frames are built that differ in some fields, given in order.

        template = packet.template((TCP, "dst_port"), (IPv4, "ttl"))
        template.build(443, 64)                  # bytes(packet.replace(TCP, dst_port=443).replace(IPv4, ttl=64))

    `build` raises FieldError for a value that does not fit. Where it can, it is code that puts the values into
    the built frame and mends the checksums they are part of (about a microsecond); `patched` says whether. Where
    a field is of variable width, or more than checksums depends on it, each packet is built as a whole.

    Raises LayerError and FieldError for a field that the packet does not have, and what building it raises.
    """

    __slots__ = ("build", "packet", "patched", "places")

    build: Callable[..., bytes]

    def __init__(self, packet: Packet, *fields: FieldOf) -> None:
        self.packet = packet
        self.places = tuple([place_of(packet, header, name) for header, name in fields])
        for at, place in enumerate(self.places):
            if place in self.places[:at]:
                raise FieldError("Template", place[1], fields[at], "each field once")
        patch = _patcher(packet, self.places)
        self.patched = patch is not None
        self.build = patch or self._build_whole

    def _build_whole(self, *values: Any) -> bytes:
        if len(values) != len(self.places):
            raise TypeError(f"build() takes {len(self.places)} values, one a field; got {len(values)}")
        return bytes(with_values(self.packet, self.places, values))

    def frames(self, *choices: Iterable[Any]) -> Iterator[bytes]:
        """The frames for all combinations of the fields' values, as nested loops: the last field changes fastest.

        All but the first of `choices` are gone through several times. None is kept in memory as a whole.
        """
        if len(choices) != len(self.places):
            raise TypeError(f"frames() takes {len(self.places)} iterables, one a field; got {len(choices)}")
        if len(choices) == 1:
            return map(self.build, choices[0])
        return self._nested(choices) if choices else iter([self.build()])

    def _nested(self, choices: tuple[Iterable[Any], ...]) -> Iterator[bytes]:
        build, last = self.build, choices[-1]
        for before in combinations(choices[:-1]):
            for value in last:
                yield build(*before, value)


def combinations(choices: tuple[Iterable[Any], ...]) -> Iterator[tuple[Any, ...]]:
    """`itertools.product`, which would make lists of them first."""
    if not choices:
        yield ()
        return
    for before in combinations(choices[:-1]):
        for value in choices[-1]:
            yield (*before, value)


def place_of(packet: Packet, header: type[Header] | int, name: str) -> Place:
    """Where a field stands in a packet. Raises LayerError, FieldError."""
    if isinstance(header, int):
        place = header if header >= 0 else len(packet.layers) + header
    else:
        place = next((at for at, layer in enumerate(packet.layers) if isinstance(layer, header)), -1)
    if not 0 <= place <= len(packet.layers) or (place == len(packet.layers) and name != PAYLOAD):
        wanted = f"layer {header}" if isinstance(header, int) else header.__name__
        raise LayerError(wanted, [layer_text(layer) for layer in packet.layers])
    field_at(packet, (place, name))
    return place, name


def field_at(packet: Packet, place: Place) -> FieldInfo | None:
    """The declaration of that field; None for the payload. Raises FieldError where there is no such field."""
    at, name = place
    if at == len(packet.layers):
        return None
    layer = packet.layers[at]
    if not isinstance(layer, Header):
        raise FieldError(name_of(layer), name, layer, "a header that is whole")
    return layer.field(name)


def with_values(packet: Packet, places: Iterable[Place], values: Iterable[Any]) -> Packet:
    """The packet with these values in those places. Raises FieldError."""
    layers: list[Any] = list(packet.layers)
    payload = packet.payload
    for (at, name), value in zip(places, values, strict=True):
        if at == len(layers):
            payload = _payload(value)
        else:
            layers[at] = layers[at].replace(**{name: value})
    return packet._with(tuple(layers), payload)


def _payload(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise FieldError("Packet", PAYLOAD, value, "bytes such as b'hi'")
    return bytes(value)


def _patcher(packet: Packet, places: tuple[Place, ...]) -> Callable[..., bytes] | None:
    """What puts values into the built packet; None where it has to be built as a whole."""
    fields = [field_at(packet, place) for place in places]
    if packet.trailers or not all(isinstance(layer, Record) for layer in packet.layers):
        return None
    if any(field is None or field.tail is not None for field in fields):
        return None
    # All of them given, lest they be computed: zeros are as good as any.
    zeros = [zero_of(packet.layers[at], name) for at, name in places]
    packet = with_values(packet, places, zeros)
    layers: Any = packet.layers
    built: Any = packet.built().layers
    return compile_patcher(Skeleton(layers, built, bytes(packet)), places)


def zero_of(layer: Any, name: str) -> Any:
    """The value of a field of fixed width, all bits of which are zero."""
    return layer.field(name).unpack(bytes(layer._fixed_size))
