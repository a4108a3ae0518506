"""What is wrong with a packet that was dissected: lengths that disagree, bad checksums, missing bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from rawkit.errors import PacketError, TruncatedError, UnknownHeaderError
from rawkit.layout import (
    MAX_ITEMS,
    Checksum,
    FieldInfo,
    ItemList,
    Length,
    Problem,
    Rule,
    Severity,
    View,
    field_ruled_by,
)
from rawkit.layout.checksum import frame_check_sequence
from rawkit.wire.diagnose import Placed, diagnose
from rawkit.wire.dissect import MAX_DEPTH, MAX_LAYERS, DissectedPacket, Frame
from rawkit.wire.ethernet import VLAN, Ethernet
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header, name_of
from rawkit.wire.spaces import LINK_LAYERS
from rawkit.wire.trailing import read_trailer

__all__ = ["find_problems"]

MALFORMED = "malformed: a length is wrong, or the list is cut"

MINIMUM_FRAME = 60
"""Ethernet pads what is shorter (IEEE 802.3, section 3.2.7), before a switch may add tags of 4 bytes each."""


def find_problems(packet: DissectedPacket) -> tuple[Problem, ...]:
    """The problems of a packet, from the outermost layer in."""
    problems = () if _is_sound(packet) else tuple(_all_problems(packet))
    return (*problems, *_frame_problems(packet)) if isinstance(packet, Frame) else problems


def _is_sound(packet: DissectedPacket) -> bool:
    """Whether a packet is whole and right, as nearly all are, found out without looking for what is wrong."""
    data, stops, limits = packet._data, packet._stops, packet._limits
    layers: tuple[Any, ...] = packet.layers
    whole = len(data)
    if packet._stopped is not None or not layers or (packet._wire_length or 0) > whole:
        return False
    if limits[-1] != whole and not (
        whole <= MINIMUM_FRAME and limits[0] == whole and limits[1] == limits[-1] and type(layers[0]) is Ethernet
    ):
        return False  # trailing bytes that are not Ethernet's padding
    start = 0
    for index, layer in enumerate(layers):
        stop = stops[index]
        if not layer._sound(data, start, stop, limits[index], layers, index):
            return False
        start = stop
    return True


def _all_problems(packet: DissectedPacket) -> Iterator[Problem]:
    """Every problem, in words."""
    known = {
        trailer.layer: record
        for trailer in packet.trailers
        if (record := read_trailer(packet, trailer)) is not None
    }
    layers: Any = tuple(layer for layer in packet.layers if isinstance(layer, Header))  # only the last can be cut
    around = (len(packet._data), *packet._limits)
    covered = [around[at if one._trailed_by else at + 1] for at, one in enumerate(layers)]
    placed = Placed(packet._data, layers, packet._stops, covered)
    for index, view in enumerate(_views(packet, placed)):
        yield from _layer_problems(view, layers[index], placed)
        if index in known:
            yield from _trailer_problems(view, known[index], packet._limits[index])
    yield from _end_problems(packet, layers)


def _views(packet: DissectedPacket, placed: Placed) -> Iterator[View]:
    """Each layer where it stands.

    Within a quote (in an ICMP error) and a fragment, lengths and checksums say nothing: both are cut on purpose.
    So it is where the packet was cut within a layer that has a trailer, since nothing tells the two apart then.
    """
    data, layers = packet._data, placed.layers
    wire_end = max(packet._wire_length or 0, len(data))
    start, end = 0, len(data)
    cut, sliced = wire_end > end, False
    for index, layer in enumerate(layers):
        assert isinstance(layer, Header)
        stop, limit, within = packet._stops[index], packet._limits[index], placed.limits[index]
        cut = _is_cut(layer, start, stop, end, cut)
        whole = not (cut or sliced)
        unfinished = packet._checksum_unfinished
        yield View(data, layers, index, start, stop, within, end, wire_end, whole, sliced, unfinished, placed.sums)
        sliced = sliced or layer.is_fragment() or layer.quotes() or (cut and layer._trailed_by is not None)
        start, end = stop, limit


def _frame_problems(frame: Frame) -> Iterator[Problem]:
    """A wrong check sequence of an Ethernet frame; one that was cut cannot be judged."""
    found, right = frame.check_sequence, frame_check_sequence(frame._data)
    if frame.link_type is LinkType.ETHERNET and len(found) == len(right) and found != right:
        start = len(frame._data)
        message = f"bad frame check sequence 0x{found.hex()}, computed 0x{right.hex()}"
        yield Problem(Ethernet.__name__, "", start, start + len(found), message)


def _end_problems(packet: DissectedPacket, layers: tuple[Header, ...]) -> Iterator[Problem]:
    """What is wrong at the point where reading ended, behind these layers."""
    data, link_type, stopped = packet._data, packet.link_type, packet._stopped
    assert link_type is not None
    wire_end = max(packet._wire_length or 0, len(data))
    if stopped is None and wire_end <= len(data) and packet.layers:
        return
    start = packet._stops[len(layers) - 1] if layers else 0
    quoted = any(layer.quotes() or layer.is_fragment() for layer in layers)
    last = name_of(packet.layers[-1]) if packet.layers else link_type.name
    cut = wire_end > len(data)
    if isinstance(stopped, PacketError):
        if not quoted or not isinstance(stopped, TruncatedError):
            stop = start + stopped.needed if isinstance(stopped, TruncatedError) else len(data)
            severity = Severity.NOTE if isinstance(stopped, UnknownHeaderError) else Severity.ERROR
            yield Problem(stopped.header, stopped.field, stopped.offset, stop, stopped.message, severity=severity)
    elif stopped is not None and len(packet.layers) == MAX_LAYERS:
        yield _warning(last, start, len(data), f"more than {MAX_LAYERS} layers, the rest is payload")
    elif stopped is not None and packet._limits and MAX_DEPTH < start < packet._limits[-1]:
        yield _warning(last, start, len(data), f"headers reach behind byte {MAX_DEPTH}, the rest is payload")
    elif stopped is not None and not quoted and not cut:
        yield _warning(last, start, start, f"{stopped.__name__} is announced, but nothing follows")
    elif not packet.layers and LINK_LAYERS.header_of(link_type) is None:
        message = f"link type {link_type.name} ({int(link_type)}) is not read here"
        yield Problem(last, "", 0, len(data), message, severity=Severity.NOTE)
    if cut:
        message = f"cut by the snaplen: {len(data)} of {wire_end} bytes were captured"
        yield _warning(last, len(data), wire_end, message)


def _warning(layer: str, start: int, stop: int, message: str) -> Problem:
    """A problem that need not be a fault of the packet, and is of no single field."""
    return Problem(layer, "", start, stop, message, severity=Severity.WARNING)


def _layer_problems(view: View, layer: Header, placed: Placed) -> Iterator[Problem]:
    length_is_wrong = False
    for field in _checked_fields(type(layer)):
        if field.rule is not None:
            if message := field.rule.check(view, layer, field):
                problem = field.problem(view, message)
                length_is_wrong = length_is_wrong or isinstance(field.rule, Length)
                causes = diagnose(placed, view.position) if isinstance(field.rule, Checksum) else ()
                yield problem._replace(causes=causes, severity=field.rule.severity(layer, field))
        elif field.expected is not None and getattr(layer, field.name) != field.expected:
            message = f"is {getattr(layer, field.name)}, should be {field.expected}"
            yield field.problem(view, message)._replace(severity=Severity.WARNING)
        elif isinstance(field.kind, ItemList) and any(item.malformed for item in getattr(layer, field.name)):
            too_long = len(getattr(layer, field.name)) > MAX_ITEMS
            message = f"more than {MAX_ITEMS} items, the rest stays as it is" if too_long else MALFORMED
            severity = Severity.WARNING if too_long else Severity.ERROR
            yield field.problem(view, message)._replace(severity=severity)
    if view.limit < view.end and not (length_is_wrong or view.quoted or _is_padding(view)):
        extra = view.end - view.limit
        what = layer.behind_body.replace("bytes", "byte", 1) if extra == 1 else layer.behind_body
        yield _warning(type(layer).__name__, view.limit, view.end, f"{extra} {what}")


def _trailer_problems(view: View, record: Header, start: int) -> Iterator[Problem]:
    """What is wrong with what the layer in view knows to trail its body."""
    stop = start + len(bytes(record))
    if record.trailer_lengths is not None and view.whole:
        least, most = record.trailer_lengths
        if not least <= stop - start <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            yield Problem(type(record).__name__, "", start, stop, f"has {stop - start} bytes, not {wanted}")
    layers = (view.layers[view.position], record)
    alone = view._replace(layers=layers, position=1, start=start, stop=stop, limit=view.end)
    placed = Placed(view.data, alone.layers, (start, stop), (start, view.end))
    yield from _layer_problems(alone, record, placed)


def _is_padding(view: View) -> bool:
    """Whether what trails the layer is what Ethernet adds to a short frame, which may be in a tunnel."""
    tells_length = isinstance(view.layers[view.position], Ethernet | VLAN)
    start, position = (view.stop, view.position + 1) if tells_length else (view.start, view.position)
    shortest = MINIMUM_FRAME
    for layer in reversed(view.layers[:position]):
        start -= layer._fixed_size
        if isinstance(layer, Ethernet):
            return view.end - start <= shortest
        if not isinstance(layer, VLAN):
            return False
        shortest += layer._fixed_size
    return False


@cache
def _checked_fields(header: type[Header]) -> tuple[FieldInfo, ...]:
    """The fields of a header that can have a problem of their own."""
    return tuple(
        field
        for field in header.fields()
        if (field.rule is not None and type(field.rule).check is not Rule.check)
        or field.expected is not None
        or isinstance(field.kind, ItemList)
    )


def _is_cut(layer: Header, start: int, stop: int, end: int, cut: bool) -> bool:
    """Whether bytes of the layer's body are missing: as its length says, or else as it is around the layer."""
    field = field_ruled_by(type(layer), Length)
    if field is None or not isinstance(field.rule, Length):
        return cut
    if layer._trailed_by is not None or (field.rule.knows_zero and not getattr(layer, field.name)):
        return cut
    says = field.rule.end_of_body(start, stop, getattr(layer, field.name))
    return cut if says < stop else says > end
