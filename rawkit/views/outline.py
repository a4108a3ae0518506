"""Where everything in a packet stands: its sections, their fields, and the items within those.

The other views draw what is found here. All of it comes from the declarations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rawkit.layout import FieldInfo, ItemList, Record
from rawkit.wire import CutHeader, ForeignLayer, Header, Layer, Packet
from rawkit.wire.packet import name_of

__all__ = ["Placed", "Section", "fields_of", "headers", "items_of", "sections"]


class Section(NamedTuple):
    """A header, the payload or a trailer: bytes `start` up to, but without, `stop` of the packet.

    `layer` is the header with nothing left AUTO; None for payload and trailers.
    """

    name: str
    start: int
    stop: int
    layer: Layer | None


class Placed(NamedTuple):
    """A field with its value, from bit `start` up to, but without, bit `stop` of the packet."""

    info: FieldInfo
    value: Any
    start: int
    stop: int

    @property
    def first_byte(self) -> int:
        """The byte in which it starts."""
        return self.start // 8

    @property
    def last_byte(self) -> int:
        """The byte after the one in which it ends."""
        return (self.stop + 7) // 8


def sections(packet: Packet) -> tuple[Section, ...]:
    """The packet from its first byte to its last. Raises BuildError if a field cannot be computed."""
    built = packet.built()
    found = [
        Section(name_of(layer), start, stop, layer)
        for layer, (start, stop) in zip(built.layers, packet.bounds(), strict=True)
    ]
    at = found[-1].stop if found else 0
    if built.payload:
        found.append(Section("payload", at, at + len(built.payload), None))
        at += len(built.payload)
    for data, layer in sorted(built.trailers, key=lambda trailer: -trailer.layer):
        if layer < len(built.layers):
            found.append(Section(f"trailer of {name_of(built.layers[layer])}", at, at + len(data), None))
            at += len(data)
    return tuple(found)


def fields_of(section: Section) -> tuple[Placed, ...]:
    """The fields of a header in wire order; of one that is cut, those that are whole; of a foreign layer, none."""
    if section.layer is None or isinstance(section.layer, ForeignLayer):
        return ()
    if isinstance(section.layer, CutHeader):
        values = section.layer.values()
        infos = [field for field in section.layer.header.fields() if field.name in values]
        first = 8 * section.start
        return tuple(
            Placed(info, values[info.name], first + info.offset, first + info.offset + info.bits) for info in infos
        )
    return placed(section.layer, 8 * section.start)


def placed(record: Record, start: int) -> tuple[Placed, ...]:
    """The fields of a record that starts at bit `start`."""
    return tuple(
        Placed(record.field(name), getattr(record, name), start + offset, start + offset + bits)
        for name, offset, bits in record.spans()
    )


def items_of(field: Placed) -> Iterator[tuple[Record, tuple[Placed, ...]]]:
    """The items of a field that is a list of them (options), each with its own fields."""
    if not isinstance(field.info.kind, ItemList):
        return
    at = field.start
    for item in field.value:
        yield item, placed(item, at)
        at += 8 * len(bytes(item))


def headers(packet: Packet) -> Iterator[Header]:
    """The headers that are whole, up to the one that announces a quoted packet."""
    for layer in packet.layers:
        if isinstance(layer, Header):
            yield layer
            if layer.quotes():
                return
