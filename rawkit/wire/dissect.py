"""From bytes to a packet: one header after the other, as deep as the bytes allow.

Reading never fails on content, and checks nothing: the headers keep what was on the wire, so `problems.py` can
find what is wrong with it when `packet.problems` is asked for. Of the stacks that are frequent, only the places
of the headers are found; each is decoded when it is first looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rawkit.errors import FieldError, PacketError, TruncatedError
from rawkit.layout import Place, Problem, Record, compile_locator
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import CutHeader, Header, Layer, Packet, Trailer
from rawkit.wire.spaces import LINK_LAYERS
from rawkit.wire.tcp import TCP
from rawkit.wire.udp import UDP

__all__ = ["MAX_DEPTH", "MAX_LAYERS", "DissectedPacket", "Frame", "dissect"]

MAX_LAYERS = 32
"""How deep layers nest at the most when reading; what lies deeper stays payload, with a Problem."""

MAX_DEPTH = 4096
"""The last byte at which a header begins when reading; what lies deeper stays payload, with a Problem.

All headers of a packet have to stand in its first fragment (RFC 7112), so no real one comes near.
"""

H = TypeVar("H", bound=Header)


def dissect(
    data: bytes | bytearray | memoryview,
    link_type: LinkType = LinkType.ETHERNET,
    *,
    wire_length: int | None = None,
    checksum_unfinished: bool = False,
    fcs_length: int = 0,
) -> DissectedPacket:
    """Read the bytes of a packet whose first header is what `link_type` says.

    Never raises on content: what no header can hold stays payload, and `packet.problems` tells why.
    `wire_length` is how long the packet was when it was captured, if that is more than `data`. With
    `checksum_unfinished` its transport checksum was left to the network card, and is no problem.
    The last `fcs_length` bytes on the wire are a frame check sequence: a trailer of the first header.
    Raises FieldError for a `link_type` that no capture file can have; one that nobody knows leaves payload.
    """
    if type(data) is not bytes:
        data = bytes(memoryview(data))
    if link_type.__class__ is not LinkType:
        link_type = _link_type(link_type)
    if fcs_length and LINK_LAYERS.header_of(link_type) is not None:
        return _dissect_frame(data, link_type, wire_length, checksum_unfinished, fcs_length)
    packet = new(DissectedPacket)
    packet._data = data
    packet._link_type = link_type
    packet._wire_length = wire_length
    packet._checksum_unfinished = checksum_unfinished
    if not locator_of(link_type, locate_nothing)(data, packet):
        packet._layers, packet._places, packet._stops, packet._limits = [], {}, (), ()
        packet._stopped = LINK_LAYERS.header_of(link_type)
    if packet._stopped is not None:
        packet._read_on()
    return packet


def _link_type(number: int) -> LinkType:
    try:
        return LinkType(number)
    except ValueError:
        expected = "a LinkType, or its number from 0 to 65535"
        raise FieldError("dissect", "link_type", number, expected) from None


class DissectedPacket(Packet):
    """A packet that was read from bytes, and remembers them."""

    __slots__ = (
        "_checksum_unfinished",
        "_data",
        "_layers",
        "_limits",
        "_places",
        "_problems",
        "_stopped",
        "_stops",
        "_wire_length",
    )
    if not TYPE_CHECKING:  # nothing public can be set anyway, for want of a setter
        __setattr__, __delattr__ = object.__setattr__, object.__delattr__

    _data: bytes
    _wire_length: int | None
    """How many bytes there were on the wire, if that is more."""
    _checksum_unfinished: bool
    """Whether the transport checksum was left to the network card."""
    _layers: list[Layer | type[Header]] | tuple[Layer, ...]
    """A list while some are only located: the class of a header stands where it was not decoded yet."""
    _places: dict[type[Header], Place]
    """Of the headers that were located, where; each is there once, and before all others."""
    _stops: Sequence[int]
    """For each layer where its header ends, in bytes."""
    _limits: Sequence[int]
    """For each layer where its body ends."""
    _stopped: PacketError | type[Record] | None
    """Why reading stopped although a header should have followed."""
    _problems: tuple[Problem, ...]

    def _read_on(self) -> None:
        """Read the header at which reading stopped, and what follows, as deep as the bytes allow."""
        data, layers, following = self._data, cast("list[Layer]", self._layers), cast(Any, self._stopped)
        stops, limits = self._stops, self._limits = list(self._stops), list(self._limits)
        start, end = (stops[-1], limits[-1]) if stops else (0, len(data))
        self._stopped = None
        while following is not None:
            if start == end or len(layers) == MAX_LAYERS or start > MAX_DEPTH:
                self._stopped = following
                break
            try:
                layer, start, end, following = following._parse(data, start, end, False)
            except TruncatedError as error:
                layer, start, following = CutHeader(cast("type[Header]", error.record), data[start:end]), end, None
                self._stopped = error
            except PacketError as error:
                self._stopped = error
                break
            layers.append(layer)
            stops.append(start)
            limits.append(end)

    @property
    def layers(self) -> tuple[Layer, ...]:  # type: ignore[override]
        """The headers from the outermost in."""
        layers: Any = self._layers
        if layers.__class__ is list:
            for header, (index, start, decode) in self._places.items():
                if layers[index] is header:
                    layers[index] = decode(self._data, start, self._stops[index])
            layers = self._layers = tuple(layers)
        return layers  # type: ignore[no-any-return]

    def __getitem__(self, header: type[H]) -> H:
        place = self._places.get(header)
        if place is None:
            return Packet.__getitem__(self, header)
        index, start, decode = place
        layers: Any = self._layers
        layer = layers[index]
        if layer is header:
            layer = layers[index] = decode(self._data, start, self._stops[index])
        return layer  # type: ignore[no-any-return]

    @property
    def payload(self) -> bytes:  # type: ignore[override]
        """What the innermost header carries."""
        return self._data[self._stops[-1] : self._limits[-1]] if self._stops else self._data

    @property
    def trailers(self) -> tuple[Trailer, ...]:  # type: ignore[override]
        """What stands behind the bodies of layers, from the innermost out."""
        data, limits = self._data, self._limits
        if not limits or limits[-1] == len(data):
            return ()
        around = zip(limits, (len(data), *limits), strict=False)
        found = [Trailer(data[limit:end], index) for index, (limit, end) in enumerate(around) if limit != end]
        return tuple(reversed(found))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the packet, from the outermost layer in."""
        if not hasattr(self, "_problems"):
            from rawkit.wire.problems import find_problems  # which needs this module

            self._problems = find_problems(self)
        return self._problems

    def bounds(self) -> tuple[tuple[int, int], ...]:
        stops = self._stops
        return tuple(zip((0, *stops)[:-1], stops, strict=True))

    def _length(self) -> int:
        return max(len(self._data), self._wire_length or 0)

    def __reduce__(self) -> tuple[Any, ...]:
        return _dissect_again, (self._data, self._link_type, self._wire_length, self._checksum_unfinished)


class Frame(DissectedPacket):
    """A packet behind which its frame check sequence was captured; where it was cut off, nothing is left of it."""

    __slots__ = ("_check_sequence",)

    _check_sequence: bytes

    @property
    def check_sequence(self) -> bytes:
        """What was captured of it."""
        return self._check_sequence

    @property
    def trailers(self) -> tuple[Trailer, ...]:  # type: ignore[override]
        """What stands behind the bodies of layers, from the innermost out, and last the check sequence."""
        return (*super().trailers, Trailer(self._check_sequence, 0))

    def __reduce__(self) -> tuple[Any, ...]:
        check, (function, (data, *others)) = self._check_sequence, super().__reduce__()
        return function, (data + check, *others, len(check))


def _dissect_frame(
    data: bytes, link_type: LinkType, wire_length: int | None, unfinished: bool, fcs_length: int
) -> DissectedPacket:
    """The packet in a frame with a check sequence, which may have been cut off, in part or as a whole."""
    end = max(max(wire_length or 0, len(data)) - fcs_length, 0)
    inner = dissect(data[:end], link_type, wire_length=end, checksum_unfinished=unfinished)
    if end >= len(data):
        return inner
    if not inner._layers:  # no header that it could stand behind
        return dissect(data, link_type, wire_length=wire_length, checksum_unfinished=unfinished)
    frame = new(Frame)
    for slot in DissectedPacket.__slots__:
        if hasattr(inner, slot):
            setattr(frame, slot, getattr(inner, slot))
    frame._link_type = inner._link_type
    frame._check_sequence = data[end:]
    return frame


def _dissect_again(
    data: bytes, link_type: LinkType, wire_length: int | None, unfinished: bool, fcs_length: int = 0
) -> DissectedPacket:
    return dissect(data, link_type, wire_length=wire_length, checksum_unfinished=unfinished, fcs_length=fcs_length)


def locate_nothing(data: bytes, packet: object) -> bool:
    """The locator of a link type that has none."""
    return False


new = object.__new__
locator_of = {
    LinkType.ETHERNET: compile_locator(
        [(Ethernet, IPv4, TCP), (Ethernet, IPv4, UDP), (Ethernet, IPv6, TCP), (Ethernet, IPv6, UDP)]
    ),
}.get
