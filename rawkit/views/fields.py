"""Fields by Wireshark's names, as `tshark -T fields` prints them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from rawkit.errors import FieldError
from rawkit.layout import AUTO, ItemList, Record
from rawkit.wire import CutHeader, ForeignLayer, Packet
from rawkit.wire.names import NAMES, Name
from rawkit.wire.trailing import trailing

__all__ = ["wireshark_fields", "wireshark_values"]


def wireshark_fields() -> tuple[str, ...]:
    """All names that `wireshark_values` knows, sorted."""
    return tuple(sorted({row.wireshark for names in NAMES.values() for row in names.fields if row.wireshark}))


def wireshark_values(packet: Packet, field: str) -> list[str]:
    """What tshark prints for `field`, such as `ip.src`: one text for each time that it occurs in the packet.

    A field that is AUTO has no value. Flags are 1 or 0, as Wireshark up to 4.0 prints them.
    Raises FieldError for a field that rawkit does not know.
    """
    readers = _readers(field)
    values: list[str] = []
    for layer in packet.layers:
        if isinstance(layer, CutHeader):
            for row in readers.get(layer.header, ()):
                if row.field in (whole := layer.values()):
                    values += _shown(row, whole[row.field])
        elif not isinstance(layer, ForeignLayer):
            values += _of_record(layer, readers)
    if packet.trailers:
        for place in trailing(packet):
            if place.record is not None:
                values += _of_record(place.record, readers)
    return values


def _of_record(record: Record, readers: dict[type[Record], tuple[Name, ...]]) -> Iterator[str]:
    for row in readers.get(type(record), ()):
        yield from _shown(row, getattr(record, row.field) if row.field else record)
    for name in _item_lists(type(record)):
        for item in getattr(record, name):
            yield from _of_record(item, readers)


def _shown(row: Name, value: object) -> list[str]:
    if value is AUTO or value is None:  # to be computed, or not there
        return []
    shown = row.notation(value)
    if shown is None:
        return []
    return [shown] if isinstance(shown, str) else list(shown)


@cache
def _readers(field: str) -> dict[type[Record], tuple[Name, ...]]:
    """The rows for a Wireshark field, by the record that has them."""
    readers = {
        record: tuple(row for row in names.fields if row.wireshark == field) for record, names in NAMES.items()
    }
    found = {record: rows for record, rows in readers.items() if rows}
    if not found:
        raise FieldError(
            "Wireshark", field, field, "a field that rawkit knows by Wireshark's name, such as ip.src"
        )
    return found


@cache
def _item_lists(record: type[Record]) -> tuple[str, ...]:
    return tuple(field.name for field in record.fields() if isinstance(field.kind, ItemList))
