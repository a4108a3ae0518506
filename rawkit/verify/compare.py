"""Our reading of a packet against scapy's: field by field, and byte by byte as either builds it again.

Fields are compared by value, through the table in `wire/names.py`: each that both sides know. Then scapy's layers
forget their lengths and checksums, scapy builds the packet from its fields, and the bytes must be those of
`packet.recomputed()`, which forgets the same. So a packet that came with a bad checksum or a wrong length is no
exception: both sides put it right. What a fragment holds, or an ICMP error quotes, stays as it came on both sides.
Where the two see other layers, nothing is built again.

A packet made by hand is compared as its bytes are read, so that the answer is that for its bytes. Whatever scapy
raises on the way is a difference, and so is having had nothing to compare: an empty answer says that both agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rawkit.errors import BuildError, FieldError, MissingError
from rawkit.layout import Checksum, CRC32c, FieldInfo, FixedBytes, HeaderLength, ItemList, Length, Record
from rawkit.layout.tails import Array
from rawkit.verify import peer
from rawkit.verify.difference import Difference, shown
from rawkit.verify.known import reason_for
from rawkit.verify.peer import ABSENT
from rawkit.wire import CutHeader, Header, Layer, LinkType, Packet, Raw, dissect
from rawkit.wire.names import NAMES
from rawkit.wire.packet import name_of
from rawkit.wire.trailing import trailing

NOTHING = "nothing to compare"
"""Stands for what a side has read, where that is nothing."""

__all__ = ["Difference", "compare_with_scapy", "difference_table", "unexplained"]


def compare_with_scapy(packet: Packet | bytes, link_type: LinkType = LinkType.ETHERNET) -> tuple[Difference, ...]:
    """Where scapy reads or builds the packet otherwise: empty when both agree.

    `link_type` is for bytes; a packet knows its own. Differences in which scapy is known to be wrong are listed
    with their reason, see `known.py`; `unexplained` leaves them out. Where a side does not know the link type, or
    there are no bytes, the one difference says that there was nothing to compare.
    Raises MissingError if scapy is not installed, BuildError for a packet that cannot be built, TypeError for what
    is neither a packet nor bytes.
    """
    if isinstance(packet, Packet):
        if packet.link_type is None:
            return (Difference(0, name_of(packet.layers[0]) if packet.layers else "packet", "", "made", NOTHING),)
        link_type = packet.link_type
    elif not isinstance(packet, bytes | bytearray | memoryview):
        raise TypeError(f"expected a Packet or bytes, got {type(packet).__name__}")
    read = dissect(bytes(packet), link_type)
    return tuple(
        [one._replace(reason=one.reason or reason_for(one, read)) for one in _differences(read, link_type)]
    )


def unexplained(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Those in which scapy is not known to be wrong."""
    return tuple([difference for difference in differences if not difference.reason])


def difference_table(differences: Iterable[Difference]) -> str:
    """The differences as a table of text: layer, field, our value, scapy's, and why scapy is wrong if it is."""
    rows = [("layer", "field", "rawkit", "scapy", "why")]
    for one in differences:
        rows.append((f"{one.position} {one.layer}", one.field, shown(one.ours), shown(one.theirs), one.reason))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*[cell.ljust(width) for cell, width in zip(row, widths, strict=False)], row[4]]).rstrip()
        for row in rows
    )


def _differences(packet: Packet, link_type: LinkType) -> list[Difference]:
    link, data = LinkType(link_type).name, bytes(packet)
    if not data:
        return [Difference(0, link, "", NOTHING, NOTHING, "there are no bytes")]
    try:
        theirs, layers = peer.read(data, link_type)
    except MissingError:
        raise
    except Exception as error:  # noqa: BLE001 - scapy raises anything on hostile bytes, struct.error among it
        return [Difference(0, name_of(packet.layers[0]) if packet.layers else link, "", "read", _raised(error))]
    if theirs is None or not (packet.layers or layers):
        reason = "scapy has no such link layer" if packet.layers and not _is_scapys(packet.layers[0]) else ""
        return [Difference(0, link, "", "read" if packet.layers else NOTHING, NOTHING, reason)]
    found = list(_layers(packet, layers))
    if not all(_is_scapys(layer) or isinstance(layer, Raw) for layer in packet.layers):
        return found  # scapy rebuilds nothing behind a layer that it does not have
    if len(layers) > len(packet.layers) or any(not difference.field for difference in found):
        return found
    try:
        again = packet.recomputed().built()
    except (BuildError, FieldError):  # a checksum over addresses that are not there, a length that does not fit
        return found
    try:
        found += _rebuilt(packet, again, theirs, layers)
    except Exception as error:  # noqa: BLE001 - as above
        found.append(Difference(0, name_of(packet.layers[0]), "bytes", "built", _raised(error)))
    return found


def _raised(error: Exception) -> str:
    return f"raises {type(error).__name__}: {error}"


def _is_scapys(layer: Layer) -> bool:
    names = NAMES.get(_header(layer))
    return names is not None and bool(names.scapy)


def _header(layer: Layer) -> type[Header]:
    if isinstance(layer, Header):
        return type(layer)
    assert isinstance(layer, CutHeader)  # a packet that was dissected has no layers of scapy's
    return layer.header


# ---------------------------------------------------------------------- field by field


def _layers(packet: Packet, layers: list[peer.Layer]) -> Iterator[Difference]:
    """Both stacks side by side, until one ends or they part."""
    for index, layer in enumerate(packet.layers):
        header = _header(layer)
        if header is Raw or header not in NAMES or not NAMES[header].scapy:
            return
        if index == len(layers):
            if not isinstance(layer, CutHeader):
                yield Difference(index, header.__name__, "", "read", ABSENT)
            return
        if not layers[index].classes.intersection(NAMES[header].scapy):
            yield Difference(index, header.__name__, "", header.__name__, layers[index].name)
            return
        try:
            yield from _fields(index, header.__name__, "", header, layer, layers[index])
        except Exception as error:  # noqa: BLE001 - scapy's objects raise anything when asked for a value, too
            yield Difference(index, header.__name__, "", "read", _raised(error))
    for place in trailing(packet):
        at, record = place.trailer.layer, place.record
        if record is not None and (other := layers[at].trailing()) is not None:
            yield from _fields(at, type(record).__name__, "", type(record), record, other)
    for index in range(len(packet.layers), 0 if _stopped(packet) else len(layers)):
        yield Difference(index, layers[index].name, "", ABSENT, "read")


def _stopped(packet: Packet) -> bool:
    """Whether we say ourselves that our reading stopped early: in a cut header, or before what is left."""
    if not packet.layers or isinstance(packet.layers[-1], CutHeader):
        return bool(packet.layers)
    start = packet.bounds()[-1][1]
    behind = start + len(packet.payload)
    return any(start <= one.start < behind or one.start == one.stop == start for one in packet.problems)


def _fields(
    index: int, layer: str, prefix: str, record: type[Record], ours: Any, theirs: peer.Layer | peer.Item
) -> Iterator[Difference]:
    """Each field of a record that both sides have."""
    values = ours.values()
    for row in NAMES[record].fields:
        if not row.scapy or row.field not in values:
            continue
        field, value = record.field(row.field), values[row.field]
        if row.scapy == "options":
            yield from _items(index, layer, row.field, value, theirs.items())
            continue
        found = theirs.value(row.scapy)
        if isinstance(field.kind, ItemList) and peer.are_layers(found):
            yield from _items(index, layer, row.field, value, peer.in_list(found))
        elif found is not ABSENT and (found is not None or value is not None):
            found = _exact(field, found)
            value = _flat(value) if isinstance(field.kind, ItemList) else value
            if found != value:
                yield Difference(index, layer, prefix + row.field, value, found)


def _items(
    index: int, layer: str, field: str, ours: tuple[Record, ...], theirs: list[peer.Layer | peer.Item]
) -> Iterator[Difference]:
    """Options, one beside the other. Of one that scapy knows as something else, only the kind is compared."""
    if any(item.malformed for item in ours):
        return
    if len(ours) != len(theirs):
        classes = [type(item).__name__ for item in ours]
        yield Difference(index, layer, field, ", ".join(classes), ", ".join(item.name for item in theirs))
        return
    for at, (item, other) in enumerate(zip(ours, theirs, strict=True)):
        prefix = f"{field}[{at}] {type(item).__name__}."
        names = NAMES[type(item)]
        if other.classes.intersection(names.scapy):
            yield from _fields(index, layer, prefix, type(item), item, other)
            continue
        kind = names.fields[0]
        if (found := other.value(kind.scapy)) != (value := getattr(item, kind.field)):
            yield Difference(index, layer, prefix + kind.field, value, found)


def _exact(field: FieldInfo, value: Any) -> Any:
    """Scapy's value as our type of the field; as it is where it cannot be that."""
    if isinstance(field.kind, FixedBytes) and isinstance(value, int):
        value = value.to_bytes(field.bits // 8)
    if isinstance(field.kind, Array) and isinstance(value, int):
        value = (value,)
    if field.kind.bits and isinstance(value, bytes) and not field.kind.code:
        value = int.from_bytes(value)
    if isinstance(field.kind, ItemList):
        return tuple(value)
    try:
        return field.kind.convert(value)
    except (ValueError, TypeError):
        return value


def _flat(items: tuple[Record, ...]) -> tuple[Any, ...]:
    return tuple([value for item in items for value in item.values().values()])


# ---------------------------------------------------------------------- byte by byte


def _rebuilt(packet: Packet, again: Packet, theirs: Any, layers: list[peer.Layer]) -> Iterator[Difference]:
    """The first header in which `again` differs from what scapy builds with its own lengths and checksums."""
    for layer, other in zip(packet.layers, layers, strict=False):
        if not isinstance(layer, Header) or not other.classes.intersection(NAMES[type(layer)].scapy):
            break
        for row in NAMES[type(layer)].fields:
            rule = layer.field(row.field).rule if row.scapy and row.field else None
            if isinstance(rule, Checksum | CRC32c | Length | HeaderLength) and other.has_length(row.scapy, rule):
                other.layer.delfieldval(row.scapy)
        if layer.quotes() or layer.is_fragment():
            break
    ours, built = bytes(again), bytes(theirs)
    if ours == built:
        return
    at = next((at for at, pair in enumerate(zip(ours, built, strict=False)) if pair[0] != pair[1]), len(ours))
    bounds = again.bounds()
    index = max((index for index, (start, _) in enumerate(bounds) if start <= at), default=0)
    start, stop = bounds[index]
    stop = stop if at < stop else max(len(ours), len(built))
    start = start if at < stop <= bounds[index][1] else at
    yield Difference(index, name_of(packet.layers[index]), "bytes", ours[start:stop], built[start:stop])
