"""From bytes to a packet: one header after the other, as deep as the bytes allow.

Reading never fails on content. What is wrong is found when `packet.problems` is asked for: the headers keep
what was on the wire, so all checks can be made from them and from the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from rawkit.errors import PacketError, TruncatedError
from rawkit.layout import ItemList, Length, NextProtocol, Problem, Record, View
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import CutHeader, Header, Layer, Packet, Trailer, _set_reading, name_of
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["MAX_LAYERS", "Reading", "dissect"]

MAX_LAYERS = 32
"""How deep layers nest at the most when reading; what lies deeper stays payload, with a Problem."""

MINIMUM_FRAME = 60
"""Ethernet pads what is shorter (IEEE 802.3, section 3.2.7), so trailing bytes in such a frame are no problem."""

_link_layer = LINK_LAYERS.header_of


def dissect(data: bytes, link_type: LinkType = LinkType.ETHERNET, *, wire_length: int | None = None) -> Packet:
    """Read the bytes of a packet whose first header is what `link_type` says.

    Never raises on content: what no header can hold stays payload, and `packet.problems` tells why.
    `wire_length` is how long the packet was when it was captured, if that is more than `data`.
    """
    data = bytes(data)
    following = _link_layer(link_type)
    start, end = 0, len(data)
    layers: list[Layer] = []
    bounds: list[tuple[int, int, int, int]] = []
    trailers: list[Trailer] = []
    stopped: PacketError | type[Record] | None = None
    while following is not None:
        if start == end or len(layers) == MAX_LAYERS:
            stopped = following
            break
        try:
            layer, stop, limit, following = following._parse(data, start, end, False)
        except TruncatedError as error:
            layer, stop, limit, following = CutHeader(error.record, data[start:end]), end, end, None
            stopped = error
        except PacketError as error:
            stopped = error
            break
        if limit != end:
            trailers.append(Trailer(data[limit:end], len(layers)))
        layers.append(layer)
        bounds.append((start, stop, limit, end))
        start, end = stop, limit
    packet = Packet(tuple(layers), data[start:end] if start < end else b"", tuple(reversed(trailers)))
    wire_end = len(data) if wire_length is None or wire_length < len(data) else wire_length
    _set_reading(packet, Reading(data, tuple(bounds), LinkType(link_type), wire_end, stopped))
    return packet


class Reading:
    """Where a packet was read from, for telling its problems.

    `bounds` has for each layer the offsets of its start, its stop, the limit of its body, and the end of its
    parent's body; `stopped` is why reading ended although a header should have followed.
    """

    __slots__ = ("_problems", "bounds", "data", "link_type", "stopped", "wire_end")

    def __init__(
        self,
        data: bytes,
        bounds: tuple[tuple[int, int, int, int], ...],
        link_type: LinkType,
        wire_end: int,
        stopped: PacketError | type[Record] | None,
    ) -> None:
        self.data, self.bounds, self.link_type, self.wire_end = data, bounds, link_type, wire_end
        self.stopped = stopped
        self._problems: tuple[Problem, ...] | None = None

    def problems(self, packet: Packet) -> tuple[Problem, ...]:
        """What is wrong with the packet that was read here, from the outermost layer in."""
        if self._problems is None:
            self._problems = tuple(self._find(packet))
        return self._problems

    def _find(self, packet: Packet) -> Iterator[Problem]:
        whole, quoted = self.wire_end == len(self.data), False
        for index, layer in enumerate(packet.layers):
            view = View(self.data, packet.layers, index, *self.bounds[index], self.wire_end, whole, quoted)  # type: ignore[arg-type]
            if isinstance(layer, CutHeader):
                break
            yield from _layer_problems(view, layer)
            whole = whole and _body_is_whole(view, layer)
            if layer._followed_by is not None:
                whole, quoted = False, True
        yield from self._end_problems(packet, quoted)

    def _end_problems(self, packet: Packet, quoted: bool) -> Iterator[Problem]:
        last = name_of(packet.layers[-1]) if packet.layers else self.link_type.name
        start = self.bounds[-1][1] if self.bounds else 0
        cut = self.wire_end > len(self.data)
        if isinstance(self.stopped, PacketError):
            if not quoted or not isinstance(self.stopped, TruncatedError):
                error = self.stopped
                stop = error.offset + max(error.needed, 1) if isinstance(error, TruncatedError) else len(self.data)
                yield Problem(error.header, error.field, error.offset, stop, error.message)
        elif self.stopped is not None and len(packet.layers) == MAX_LAYERS:
            yield Problem(last, "", start, len(self.data), f"more than {MAX_LAYERS} layers, the rest is payload")
        elif self.stopped is not None and not quoted and not cut:
            yield Problem(last, "", start, start, f"{self.stopped.__name__} is announced, but nothing follows")
        elif not packet.layers and _link_layer(self.link_type) is None:
            message = f"link type {self.link_type.name} ({int(self.link_type)}) is not read here"
            yield Problem(last, "", 0, len(self.data), message)
        if cut:
            message = f"cut by the snaplen: {len(self.data)} of {self.wire_end} bytes were captured"
            yield Problem(last, "", len(self.data), self.wire_end, message)


def _layer_problems(view: View, layer: Header) -> Iterator[Problem]:
    for field in layer.fields():
        if field.rule is not None:
            yield from field.rule.check(view, layer, field)
        elif field.expected is not None and getattr(layer, field.name) != field.expected:
            yield field.problem(view, f"is {getattr(layer, field.name)}, should be {field.expected}")
        elif isinstance(field.kind, ItemList) and any(item.malformed for item in getattr(layer, field.name)):
            yield field.problem(view, "malformed: a length is wrong, or the list is cut")
    if view.limit < view.end and not view.quoted and view.end > MINIMUM_FRAME:
        extra = view.end - view.limit
        yield Problem(type(layer).__name__, "", view.limit, view.end, f"{extra} trailing bytes after its body")


def _body_is_whole(view: View, layer: Header) -> bool:
    """Whether the body is all there: not cut, and no fragment of something larger."""
    for field in layer.fields():
        rule = field.rule
        if isinstance(rule, Length) and rule.end_of_body(view, layer, field) > view.end:
            return False
        if isinstance(rule, NextProtocol) and rule.partial:
            return not getattr(layer, rule.partial) and not getattr(layer, rule.unless)
    return True
