"""What follows the headers that rawkit reads, as scapy takes it apart: DNS, DHCP, TLS and many more.

Scapy is handed the packet from its network header on (from its first, if it has none), and guesses itself what
follows: by ports, mostly. Its layers are matched by the bytes in which they stand, and those that begin where
rawkit's last header ends are joined to it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

from rawkit.layout import Problem, Severity
from rawkit.wire.foreign import ForeignField, ForeignLayer
from rawkit.wire.ip import IP
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.link_type import LinkType
from rawkit.wire.load_scapy import scapy_with_applications
from rawkit.wire.packet import CutHeader, Header, Layer, Packet, Trailer, name_of

__all__ = ["MAX_BYTES", "DeepPacket", "deepen"]

MAX_BYTES = 65536
"""How much of a packet scapy is given: what stands behind it stays payload."""

MAX_FOREIGN_LAYERS = 64
"""How many layers are joined at the most; scapy would find one in every four bytes of some protocols."""

MAX_RECORDS = 1024
"""How many records within one layer are shown as such, and how deep they nest is `MAX_DEPTH`."""

MAX_DEPTH = 8

MAX_CALLS = 500_000
"""How many calls and returns scapy may take for a packet, which is a fraction of a second; 20,000 are many.

Some of its dissectors take time that grows with the square of the packet: names in DNS that point on and on.
"""


class DeepPacket(Packet):
    """A packet whose headers go on with the layers that scapy found.

    `shallow` is the packet without those. The bytes are the same; its problems include what scapy raised.
    """

    __slots__ = ("_rest", "_told", "foreign", "shallow")

    shallow: Packet
    foreign: tuple[ForeignLayer, ...]
    _rest: bytes
    _told: tuple[Problem, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:  # type: ignore[override]
        """The headers from the outermost in, then scapy's layers."""
        return (*self.shallow.layers, *self.foreign)

    @property
    def payload(self) -> bytes:  # type: ignore[override]
        """What scapy left as plain bytes."""
        return self._rest

    @property
    def trailers(self) -> tuple[Trailer, ...]:  # type: ignore[override]
        """What stands behind the bodies of layers, from the innermost out."""
        return self.shallow.trailers

    @property
    def _link_type(self) -> LinkType | None:  # type: ignore[override]
        return self.shallow._link_type

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the packet, and what scapy raised."""
        return self.shallow.problems + self._told

    def bounds(self) -> tuple[tuple[int, int], ...]:
        """For each layer, the byte offsets at which it starts and stops in `bytes(self)`."""
        return (*self.shallow.bounds(), *[(layer.start, layer.stop) for layer in self.foreign])

    def deep(self) -> Packet:
        """The packet itself."""
        return self

    def __repr__(self) -> str:
        return repr(self.shallow)

    def __reduce__(self) -> tuple[Any, ...]:
        return _joined, (self.shallow, self.foreign, self._rest, self._told)


def _joined(
    shallow: Packet, foreign: tuple[ForeignLayer, ...], rest: bytes, told: tuple[Problem, ...]
) -> DeepPacket:
    packet = object.__new__(DeepPacket)
    for name, value in (("shallow", shallow), ("foreign", foreign), ("_rest", rest), ("_told", told)):
        object.__setattr__(packet, name, value)
    return packet


def deepen(packet: Packet) -> Packet:
    """The packet with scapy's layers joined to its own; see `Packet.deep`."""
    if not packet.payload:
        return packet
    conf = scapy_with_applications()
    data = bytes(packet)
    bounds = packet.bounds()
    at = bounds[-1][1] if bounds else 0
    index = _network_header(packet)
    start = bounds[index][0] if bounds else 0
    told: list[Problem] = []

    def tell(what: str, error: BaseException) -> None:
        text = printable(f"{what} raises {type(error).__name__.lstrip('_')}: {error}")
        last = name_of(packet.layers[-1]) if packet.layers else "payload"
        problem = Problem(last, "", at, end, text, severity=Severity.WARNING)
        if problem not in told and len(told) < MAX_FOREIGN_LAYERS:
            told.append(problem)

    end = at + len(packet.payload)
    first = _scapy_class(conf, packet, index)
    if first is None or at - start >= MAX_BYTES:
        return packet
    reader = _Reader(conf, tell)
    found: list[ForeignLayer] = []
    stop = at
    try:
        with _Effort():
            found, stop = reader.join(
                reader.dissect(first, data[start : start + MAX_BYTES]), data[:end], start, at
            )
    except _TooMuchError as error:
        tell("scapy", error)
    return _joined(packet, tuple(found), data[stop:end], tuple(told))


def _network_header(packet: Packet) -> int:
    """The number of the innermost IP header that is not quoted; of the first layer if there is none."""
    index = 0
    for at, layer in enumerate(packet.layers):
        if isinstance(layer, IP):
            index = at
        if isinstance(layer, Header) and layer.quotes():
            break
    return index


def _scapy_class(conf: Any, packet: Packet, index: int) -> Any:
    """Scapy's class for the layer of that number; None where it has none."""
    layer = packet.layers[index] if packet.layers else None
    if isinstance(layer, CutHeader):
        return None
    if isinstance(layer, IP):
        number = LinkType.IPV4 if isinstance(layer, IPv4) else LinkType.IPV6
    elif packet.link_type is not None:
        number = packet.link_type
    else:
        return None
    return conf.l2types.num2layer.get(int(number))


def printable(text: str) -> str:
    """The text with everything that a terminal would obey as its escape."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def own_bytes(layer: Any) -> bytes:
    """The bytes of one of scapy's layers, without those of the layers within it."""
    if layer.raw_packet_cache is not None:
        return bytes(layer.raw_packet_cache)
    whole, within = bytes(layer.original), layer.payload
    return whole[: len(whole) - len(within.original)] if within else whole  # it changed one of its fields


class _TooMuchError(BaseException):
    """Scapy was at work for too long. It is no Exception, because scapy goes on after those."""


class _Effort:
    """Stops what happens within it after `MAX_CALLS` calls: a bound on time that needs no clock."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self, frame: object, event: str, argument: object) -> None:
        self.calls += 1
        if self.calls > MAX_CALLS:
            raise _TooMuchError(f"stopped after {MAX_CALLS} calls")

    def __enter__(self) -> None:
        self.before = sys.getprofile()
        sys.setprofile(self.count)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self.before)


class _Reader:
    """Scapy at work on one packet; `tell` is called with whatever it raises."""

    def __init__(self, conf: Any, tell: Any) -> None:
        self.conf, self.tell = conf, tell
        self.records = 0

    def dissect(self, first: Any, data: bytes) -> Any:
        """Scapy's packet. A dissector that raises is told, and what it was given stays plain bytes."""
        log, debug = logging.getLogger("scapy.runtime"), self.conf.debug_dissector
        disabled = log.disabled
        log.disabled = True
        try:
            for raising in (True, False):  # scapy hides what its dissectors raise, unless asked not to
                self.conf.debug_dissector = raising
                try:
                    return first(data)
                except Exception as error:  # noqa: BLE001 - scapy raises anything on hostile bytes, RecursionError too
                    self.tell("scapy", error)
        finally:
            self.conf.debug_dissector, log.disabled = debug, disabled
        return None

    def join(self, layer: Any, data: bytes, position: int, at: int) -> tuple[list[ForeignLayer], int]:
        """Scapy's layers from byte `at` on, and where they end; `layer` stands at `position`."""
        found: list[ForeignLayer] = []
        while layer and len(found) < MAX_FOREIGN_LAYERS:  # what stands behind the last layer is false
            if isinstance(layer, (self.conf.raw_layer, self.conf.padding_layer)):
                break
            own = own_bytes(layer)
            stop = position + len(own)
            if data[position:stop] != own:
                break  # it was unpacked on the way, or lies in another order
            if position >= at:
                found.append(self.layer(layer, own, position))
            elif stop > at:
                break
            position, layer = stop, layer.payload
        return found, position if found else at

    def layer(self, layer: Any, data: bytes, start: int) -> ForeignLayer:
        """One of the layers, with its place in the packet."""
        places = self._places(layer, data, start)
        fields = tuple(self._fields(layer, places, 0))
        return ForeignLayer(type(layer).__name__, data, start, start + len(data), fields, self._words(layer))

    def _words(self, layer: Any) -> str:
        try:
            words = layer.mysummary()
        except Exception as error:  # noqa: BLE001 - scapy's objects raise anything when asked for a value, too
            self.tell(f"scapy's {type(layer).__name__}", error)
            return ""
        return printable(str(words[0] if isinstance(words, tuple) else words)).strip()

    def _fields(self, layer: Any, places: dict[str, tuple[int, int]], depth: int) -> Iterator[ForeignField]:
        for field in layer.fields_desc:
            if field.name not in layer.fields:
                continue
            value = layer.fields[field.name]
            try:
                text = printable(str(field.i2repr(layer, value)))
            except Exception as error:  # noqa: BLE001 - as above
                self.tell(f"scapy's {type(layer).__name__}.{field.name}", error)
                text = printable(repr(value)) if isinstance(value, (int, str, bytes)) else ""
            start, stop = places.get(field.name, (None, None))
            yield ForeignField(field.name, text, start, stop, tuple(self._within(value, depth)))

    def _within(self, value: Any, depth: int) -> Iterator[ForeignLayer]:
        """The records in the value of a field: one, or a list of them, each with what follows in it."""
        for record in value if isinstance(value, list) else [value]:
            while depth < MAX_DEPTH and self.records < MAX_RECORDS and getattr(record, "fields_desc", None):
                self.records += 1
                yield ForeignLayer(type(record).__name__, b"", 0, 0, tuple(self._fields(record, {}, depth + 1)))
                record = record.payload

    def _places(self, layer: Any, data: bytes, start: int) -> dict[str, tuple[int, int]]:
        """Where the fields stand, found by reading them once more; those that cannot be found are left out."""
        places: dict[str, tuple[int, int]] = {}
        rest: Any = data
        for field in layer.fields_desc:
            before = start + len(data) - len(rest[0] if isinstance(rest, tuple) else rest)
            try:
                rest, value = field.getfield(layer, rest)
            except Exception:  # noqa: BLE001 - as above; and then it is only a place that is not known
                break
            if field.name not in layer.fields:
                continue
            if not getattr(field, "holds_packets", False) and value != layer.fields[field.name]:
                break
            left, bits = (rest[0], rest[1]) if isinstance(rest, tuple) else (rest, 0)
            if start + len(data) - len(left) > start + len(data):
                break
            places[field.name] = before, start + len(data) - len(left) + (bits > 0)
        return places
