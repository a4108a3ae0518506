"""Fields by Wireshark's names, as `tshark -T fields` prints them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from rawkit.errors import FieldError
from rawkit.layout import AUTO, ItemList, Record
from rawkit.wire import CutHeader, Packet
from rawkit.wire.names import NAMES
from rawkit.wire.notation import Notation

__all__ = ["WiresharkFields", "wireshark_fields", "wireshark_values"]

Row = tuple[int, Callable[[Any], Any] | None, Notation]
"""One row of the table of names: in which column it goes, what gets its value (None: the record is it), and how."""

Plan = tuple[tuple[Row, ...], tuple[tuple[Callable[[Any], Any], "Plan"], ...]]


@cache
def wireshark_fields() -> tuple[str, ...]:
    """All names that rawkit knows, sorted."""
    return tuple(sorted({row.wireshark for names in NAMES.values() for row in names.fields if row.wireshark}))


def wireshark_values(packet: Packet, field: str) -> list[str]:
    """What tshark prints for `field`, such as `ip.src`: one text for each time that it occurs in the packet.

    A field that is AUTO has no value. Flags are 1 or 0, as Wireshark up to 4.0 prints them.
    Raises FieldError for a field that rawkit does not know.
    """
    return _single(field).read(packet)[0]


class WiresharkFields:
    """Reads several fields at once: what is to be done for each class of record is found out only once."""

    def __init__(self, fields: Sequence[str]) -> None:
        """Raises FieldError for a field that rawkit does not know."""
        for field in fields:
            if field not in wireshark_fields():
                raise FieldError(
                    "Wireshark", field, field, "a field that rawkit knows by Wireshark's name, such as ip.src"
                )
        self._columns: dict[str, list[int]] = {}
        for column, field in enumerate(fields):
            self._columns.setdefault(field, []).append(column)
        self._count = len(fields)
        self._plans: dict[type[Record], tuple[Any, Any]] = {}

    def read(self, packet: Packet) -> list[list[str]]:
        """For each field its values in the packet, from the outside in."""
        columns: list[list[str]] = [[] for _ in range(self._count)]
        for layer in packet.layers:
            if layer.__class__ is CutHeader:
                self._read_cut(layer, columns)
            else:
                self._read_record(layer, columns)
        return columns

    def _read_record(self, record: Any, columns: list[list[str]]) -> None:
        plan = self._plans.get(record.__class__)
        if plan is None:
            plan = self._plans[record.__class__] = self._plan(record.__class__)
        rows, lists = plan
        for column, get, notation in rows:
            value = record if get is None else get(record)
            if value is not AUTO and (shown := notation(value)) is not None:
                if shown.__class__ is str:
                    columns[column].append(shown)
                else:
                    columns[column] += shown
        for items in lists:
            for item in items(record):
                self._read_record(item, columns)

    def _read_cut(self, layer: CutHeader, columns: list[list[str]]) -> None:
        whole = layer.values()
        for row in NAMES[layer.header].fields if layer.header in NAMES else ():
            if row.field in whole:
                shown = row.notation(whole[row.field])
                for column in self._columns.get(row.wireshark, ()):
                    columns[column] += [shown] if isinstance(shown, str) else shown or []

    def _plan(self, record: type[Record]) -> tuple[Any, Any]:
        """The rows of a class that are wanted, and what gets each list of records in it that has any."""
        rows = tuple(
            (column, attrgetter(row.field) if row.field else None, row.notation)
            for row in (NAMES[record].fields if record in NAMES else ())
            for column in self._columns.get(row.wireshark, ())
        )
        lists = tuple(attrgetter(field.name) for field in record.fields() if isinstance(field.kind, ItemList))
        return rows, lists


@cache
def _single(field: str) -> WiresharkFields:
    return WiresharkFields((field,))
