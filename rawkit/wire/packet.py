"""A packet: a stack of headers, the payload that the innermost one carries, and what trails behind them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

from rawkit.errors import FieldError, LayerError
from rawkit.layout import AUTO, FieldInfo, NextProtocol, Problem, Record, Rest, field_ruled_by
from rawkit.wire.foreign import ForeignLayer
from rawkit.wire.link_type import LinkType
from rawkit.wire.spaces import LINK_LAYERS

if TYPE_CHECKING:
    from rawkit.wire.template import Template

__all__ = ["CutHeader", "Header", "Layer", "Packet", "Raw", "Trailer"]


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Header(Record):
    """A record that can stand in a stack, which `/` makes: `IPv4(dst="10.0.0.2") / TCP(dst_port=80)`."""

    checksum_required: ClassVar[bool] = False
    """Whether the transports within must have a checksum (IPv6: RFC 8200, section 8.1)."""

    behind_body: ClassVar[str] = "trailing bytes after its body"
    """What to call bytes that stand behind what the header's length says."""

    trailer_lengths: ClassVar[tuple[int, int] | None] = None
    """Of a record that trails a body: how many bytes it has at the least and at the most."""

    def __truediv__(self, other: Header | Packet | bytes | CutHeader | Trailer) -> Packet:
        if Header in type(other).__mro__:  # isinstance takes three times as long where there is a metaclass
            return make_packet((self, other), b"", (), None)  # type: ignore[arg-type]
        return Packet((self,)) / other

    @classmethod
    def cut(cls, data: bytes) -> CutHeader:
        """The beginning of a header of this class, of which no more than `data` was captured or quoted."""
        return CutHeader(cls, data)

    @classmethod
    def quotes(cls) -> bool:
        """Whether what follows is a packet that the header quotes, as ICMP errors do."""
        return cls._quotes

    def is_fragment(self) -> bool:
        """Whether what follows is only a part of a packet that was fragmented."""
        rule = _fragment_rule(type(self))
        return rule is not None and bool(getattr(self, rule.partial) or getattr(self, rule.unless))

    def describe(self) -> str:
        """The header in a few words, for a line that lists packets."""
        return type(self).__name__


class CutHeader:
    """A header that is cut short: `data` is what there is of a `header`.

    It stands in a stack as a header does. `values()` tells the fields that are whole.
    """

    __slots__ = ("data", "header")
    _has_pseudo_header = False
    _has_final_destination = False
    _has_original_source = False
    _trailed_by = None

    def __init__(self, header: type[Header], data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise FieldError(header.__name__, "cut", data, "the bytes that are there")
        object.__setattr__(self, "header", header)
        object.__setattr__(self, "data", bytes(data))

    header: type[Header]
    data: bytes

    def values(self) -> dict[str, Any]:
        """The fields that are there as a whole, by name."""
        there = 8 * len(self.data)
        whole = [field for field in self.header.fields() if field.bits and field.offset + field.bits <= there]
        padded = self.data.ljust(self.header._fixed_size, b"\0")
        return {field.name: field.unpack(padded) for field in whole}

    def describe(self) -> str:
        """The header in a few words, for a line that lists packets."""
        return f"{self.header.__name__}, cut after {len(self.data)} bytes"

    def __truediv__(self, other: Header | Packet | bytes | CutHeader | Trailer) -> Packet:
        return Packet((self,)) / other

    def _build(self, body: bytes, following: object, layers: object, index: int, fill: bool) -> Any:
        return self if fill else self.data + body

    def _sound(self, *where: object) -> bool:
        return False

    def __bytes__(self) -> bytes:
        return self.data

    def __repr__(self) -> str:
        return f"{self.header.__name__}.cut({self.data!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CutHeader) and (self.header, self.data) == (other.header, other.data)

    def __hash__(self) -> int:
        return hash((self.header, self.data))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("CutHeader is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("CutHeader is immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return CutHeader, (self.header, self.data)


class Raw(Header):
    """Plain bytes between two headers."""

    data: Rest = b""


class Trailer(NamedTuple):
    """Bytes behind the body of layer number `layer`, outside of what its length says (Ethernet's padding).

    Some layers know what stands there (extensions of ICMP errors); `rawkit.wire.trailing` reads it.
    """

    data: bytes
    layer: int

    def __repr__(self) -> str:
        return f"Trailer(data={self.data!r}, layer={self.layer})"


Layer = Header | CutHeader | ForeignLayer
H = TypeVar("H", bound=Header)


class Packet:
    """Headers from the outermost in, the payload, and trailers from the innermost out; immutable.

    `bytes(packet)` builds it: each AUTO field is computed, all others go out as they are, wrong or not.
    Raises BuildError where an AUTO field cannot be computed, FieldError where the result does not fit.
    """

    __slots__ = ("_link_type", "layers", "payload", "trailers")

    _link_type: LinkType | None
    layers: tuple[Layer, ...]
    payload: bytes
    trailers: tuple[Trailer, ...]

    def __new__(
        cls, layers: tuple[Layer, ...] = (), payload: bytes = b"", trailers: tuple[Trailer, ...] = ()
    ) -> Packet:
        packet = make_packet(tuple(layers), bytes(memoryview(payload)), (), None)
        for trailer in trailers:
            packet = packet / trailer
        return packet

    # ------------------------------------------------------------------ putting together

    def __truediv__(self, other: Header | Packet | bytes | CutHeader | Trailer) -> Packet:
        if type(other) is bytes and not self.trailers:
            return make_packet(self.layers, self.payload + other, (), self._link_type)
        if isinstance(other, (Header, CutHeader)):
            return make_packet((*self._closed(), other), b"", self.trailers, self._link_type)
        if isinstance(other, (bytes, bytearray, memoryview)):
            return make_packet(self.layers, self.payload + bytes(other), self.trailers, self._link_type)
        if isinstance(other, Packet):
            layers = self._closed()
            shifted = tuple(Trailer(data, layer + len(layers)) for data, layer in other.trailers)
            return make_packet(
                (*layers, *other.layers), other.payload, (*shifted, *self.trailers), self._link_type
            )
        if isinstance(other, Trailer):
            if not 0 <= other.layer < len(self.layers):
                raise FieldError(
                    "Trailer", "layer", other.layer, f"the number of a layer, 0 to {len(self.layers) - 1}"
                )
            return make_packet(self.layers, self.payload, (*self.trailers, other), self._link_type)
        return NotImplemented

    def _closed(self) -> tuple[Layer, ...]:
        """The layers, the payload having become one of them."""
        return (*self.layers, Raw(data=self.payload)) if self.payload else self.layers

    def __bytes__(self) -> bytes:
        layers, body, trailers = self.layers, self.payload, self.trailers
        index, following = len(layers), None
        for layer in reversed(layers):
            index -= 1
            if not trailers:
                body = layer._build(body, following, layers, index, False)
            else:
                body = _with_trailer(layer, body, following, layers, index, self._trailing(index))
            following = layer
        return body

    def _trailing(self, index: int) -> bytes:
        return b"".join([data for data, layer in self.trailers if layer == index])

    def built(self) -> Packet:
        """The same packet with nothing left AUTO."""
        layers, body, following = self.layers, self.payload, None
        done: list[Layer] = []
        for index in range(len(layers) - 1, -1, -1):
            layer = layers[index]
            trailer = self._trailing(index)
            known = (trailer,) if layer._trailed_by is not None else ()
            done.append(layer._build(body, following, layers, index, True, *known))
            body = _with_trailer(layer, body, following, layers, index, trailer)
            following = layer
        return self._with(tuple(reversed(done)))

    def recomputed(self) -> Packet:
        """The same packet with every computed field given back to AUTO.

        A next-protocol number stays where what follows has none, or has this one among others. What is within a
        fragment, or quoted in an error message, stays as it is: its lengths and checksums are those of a whole
        packet that is not here.
        """
        layers: list[Layer] = []
        for index, layer in enumerate(self.layers):
            following = self.layers[index + 1] if index + 1 < len(self.layers) else None
            layers.append(_recomputed(layer, following) if isinstance(layer, Header) else layer)
            if isinstance(layer, Header) and (layer.quotes() or layer.is_fragment()):
                layers += self.layers[index + 1 :]
                break
        return self._with(tuple(layers))

    def replace(self, header: type[Header], **changes: Any) -> Packet:
        """The same packet with fields of its first `header` changed. Raises LayerError, FieldError."""
        old = self[header]
        first = next(at for at, layer in enumerate(self.layers) if layer is old)
        return self._with((*self.layers[:first], old.replace(**changes), *self.layers[first + 1 :]))

    def template(self, *fields: tuple[type[Header] | int, str]) -> Template:
        """What builds this packet with other values in some fields, fast: `packet.template((TCP, "dst_port"))`.

        See `Template`. Raises LayerError, FieldError, and what building the packet raises.
        """
        from rawkit.wire.template import Template  # which needs this module

        return Template(self, *fields)

    def _with(self, layers: tuple[Layer, ...], payload: bytes | None = None) -> Packet:
        """The same packet with other layers, and payload if one is given."""
        return make_packet(layers, self.payload if payload is None else payload, self.trailers, self._link_type)

    # ------------------------------------------------------------------ looking at it

    def __getitem__(self, header: type[H]) -> H:
        for layer in self.layers:
            if header in type(layer).__mro__:
                return layer  # type: ignore[return-value]
        raise LayerError(header.__name__, [layer_text(layer) for layer in self.layers])

    def __contains__(self, header: type[Header]) -> bool:
        return any(isinstance(layer, header) for layer in self.layers)

    def all(self, header: type[H]) -> Iterator[H]:
        """Every layer of that class, from the outermost in."""
        return (layer for layer in self.layers if isinstance(layer, header))

    @property
    def trailer(self) -> bytes:
        """All bytes that stand behind what the headers account for."""
        return b"".join([trailer.data for trailer in self.trailers])

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with a packet that was dissected; a packet made by hand has none."""
        return ()

    @property
    def link_type(self) -> LinkType | None:
        """What the first layer is to a capture file: what the packet was read as, or what its first header is.

        None where that is neither a link layer nor IP, as in a packet that begins with TCP.
        """
        if self._link_type is not None or not self.layers:
            return self._link_type
        number = LINK_LAYERS.number_of(type(self.layers[0]))
        return None if number is None else LinkType(number)

    def deep(self) -> Packet:
        """The same packet, its payload taken apart by scapy: DNS, DHCP, TLS and whatever else scapy knows.

        Scapy's layers (`ForeignLayer`) follow in `layers`, what scapy leaves as plain bytes is the payload, and
        what it raises is among the problems. Where there is no payload, or scapy does not know how the packet
        begins, it is the packet itself. Raises MissingError if scapy is not installed.
        """
        from rawkit.wire.deep import deepen  # which needs this module

        return deepen(self)

    def bounds(self) -> tuple[tuple[int, int], ...]:
        """For each layer, the byte offsets at which its header starts and stops in `bytes(self)`."""
        stops = list(accumulate(len(bytes(layer)) for layer in self.built().layers))
        return tuple(zip((0, *stops), stops, strict=False))

    def length_from(self, position: int) -> int:
        """How many bytes there are from where layer number `position` starts, those that were not captured too."""
        start = self.bounds()[position][0]
        around = [len(trailer.data) for trailer in self.trailers if trailer.layer < position]
        return self._length() - start - sum(around)

    def _length(self) -> int:
        """How many bytes the packet has on the wire."""
        return len(bytes(self))

    def summary(self) -> str:
        """The packet in one line."""
        words = [layer.describe() for layer in self.layers]
        if payload := self.payload:
            unread = self._unread()
            words.append(f"{unread}, {len(payload)} bytes" if unread else f"{len(payload)} bytes")
        if self.trailers:
            from rawkit.wire.trailing import trailing  # which needs this module

            words += [place.record.describe() for place in trailing(self) if place.record is not None]
        return " / ".join(words)

    def _unread(self) -> str:
        """What the payload is said to be, where that is something that is not read here; else nothing."""
        if not self.layers:
            link_type = self._link_type
            return "" if link_type is None or LINK_LAYERS.header_of(link_type) else link_type.name
        layer: Any = self.layers[-1]
        field = _announcing_field(layer.__class__)
        if field is None or getattr(layer, field.name) is AUTO:
            return ""
        return field.rule.unread(layer, field)  # type: ignore[union-attr,no-any-return]

    def __repr__(self) -> str:
        parts: list[object] = [*self.layers]
        if self.payload or not parts:
            parts.append(self.payload)
        return " / ".join(map(repr, [*parts, *self.trailers]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return (self.layers, self.payload, self.trailers) == (other.layers, other.payload, other.trailers)

    def __hash__(self) -> int:
        return hash((self.layers, self.payload, self.trailers))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Packet is immutable: use replace(), recomputed() or `/`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("Packet is immutable: use replace(), recomputed() or `/`")

    def __copy__(self) -> Packet:
        return self

    def __deepcopy__(self, memo: object) -> Packet:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return make_packet, (self.layers, self.payload, self.trailers, self._link_type)


class PacketDraft:
    """A packet that can still be written to; `make_packet` turns it into a `Packet` by its class."""

    __slots__ = Packet.__slots__


def make_packet(
    layers: tuple[Layer, ...],
    payload: bytes,
    trailers: tuple[Trailer, ...],
    link_type: LinkType | None,
) -> Packet:
    """A packet from exactly these parts."""
    packet: Any = new(PacketDraft)
    packet.layers = layers
    packet.payload = payload
    packet.trailers = trailers
    packet._link_type = link_type
    packet.__class__ = Packet
    return packet  # type: ignore[no-any-return]


new = object.__new__


def layer_text(layer: Layer) -> str:
    """The name of the layer's class, and whether it is cut."""
    return f"{name_of(layer)} (cut)" if isinstance(layer, CutHeader) else name_of(layer)


def name_of(layer: Layer) -> str:
    """The name of the layer's class, here or in scapy."""
    if isinstance(layer, CutHeader):
        return layer.header.__name__
    return layer.name if isinstance(layer, ForeignLayer) else type(layer).__name__


def _with_trailer(layer: Layer, body: bytes, following: Any, layers: Any, index: int, trailer: bytes) -> bytes:
    """The bytes of a layer and what trails it, which is part of its body where the layer knows of it."""
    if layer._trailed_by is not None:
        return layer._build(body, following, layers, index, False, trailer)  # type: ignore[no-any-return]
    return layer._build(body, following, layers, index, False) + trailer  # type: ignore[no-any-return]


@cache
def _announcing_field(layer: type) -> FieldInfo | None:
    """The field of a header that tells what follows."""
    return field_ruled_by(layer, NextProtocol) if issubclass(layer, Header) else None


@cache
def _fragment_rule(header: type[Header]) -> NextProtocol | None:
    """The rule that names the fields which tell a fragment, if the header has such fields."""
    rules = (field.rule for field in header.fields())
    return next((rule for rule in rules if isinstance(rule, NextProtocol) and rule.partial), None)


def _recomputed(layer: Header, following: Layer | None) -> Header:
    changes = {}
    for field in layer.fields():
        if field.rule is None or not field.rule.recomputed or getattr(layer, field.name) is None:
            continue  # what is not there stays away
        if not isinstance(field.rule, NextProtocol) or _is_told_otherwise(layer, field, field.rule, following):
            changes[field.name] = AUTO
    return layer.replace(**changes) if changes else layer


def _is_told_otherwise(layer: Header, field: FieldInfo, rule: NextProtocol, following: Layer | None) -> bool:
    """Whether what follows has a number, and the header another one than any of its."""
    header = getattr(following, "header", type(following))
    return rule.numbers.number_of(header) is not None and not rule.announces(layer, field, header)
