"""Fields by Wireshark's names, as `tshark -T fields` prints them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from rawkit.errors import FieldError
from rawkit.layout import AUTO, HeaderLength, ItemList, Record, field_ruled_by
from rawkit.wire import CutHeader, Packet
from rawkit.wire.names import NAMES, Name, Names
from rawkit.wire.notation import Notation, Placed, Shown
from rawkit.wire.trailing import trailing

__all__ = ["WiresharkFields", "wireshark_fields", "wireshark_values"]

Getter = Callable[[Any], Any]
Columns = list[list[str]]


@cache
def wireshark_fields() -> tuple[str, ...]:
    """All names that rawkit knows, sorted."""
    return tuple(sorted({row.wireshark for names in NAMES.values() for row in names.fields if row.wireshark}))


def wireshark_values(packet: Packet, field: str) -> list[str]:
    """What tshark prints for `field`, such as `ip.src`: one text for each time that it occurs in the packet.

    A field that is AUTO has no value. Flags are 1 or 0, as Wireshark up to 4.0 prints them.
    Raises FieldError for a field that rawkit does not know.
    """
    return _alone(field).read(packet)[0]


class Plan(NamedTuple):
    """What is to be done with a record of one class; made when the first one is met."""

    simple: tuple[tuple[int, Getter | None, Notation], ...]
    """Rows about one field, or the record: the column, what gets the value (None: the record), the notation."""

    other: tuple[tuple[int, tuple[str, ...], Notation], ...]
    """Rows about several fields, or about the place: the column, the fields, the notation."""

    lists: tuple[Getter, ...]
    """What gets each list of records in it."""

    names: Names

    ends: bool
    """Whether it is the rest of a list, from an item on that is damaged or cut."""


class WiresharkFields:
    """Reads several fields at once, in one walk over the layers.

    Raises FieldError for a field that rawkit does not know.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        for field in fields:
            if field not in wireshark_fields():
                raise FieldError(
                    "Wireshark", field, field, "a field that rawkit knows by Wireshark's name, such as ip.src"
                )
        self._columns = {
            field: [at for at, name in enumerate(fields) if name == field] for field in dict.fromkeys(fields)
        }
        self._count = len(fields)
        self._plans: dict[type[Record], Plan] = {}

    def read(self, packet: Packet) -> Columns:
        """For each field its values in the packet, from the outside in."""
        columns: Columns = [[] for _ in range(self._count)]
        layer: Any
        for position, layer in enumerate(packet.layers):
            if layer.__class__ is CutHeader:
                self._read_part(layer.header, layer.values(), None, packet, position, columns)
                break
            plan = self._plans.get(layer.__class__) or self._plan(layer.__class__)
            if plan.names.limit is not None and (limit := plan.names.limit(layer, packet, position)) is not None:
                self._read_part(layer.__class__, {"": layer, **layer.values()}, limit, packet, position, columns)
                break
            self._read_record(layer, plan, packet, position, columns)
        if packet.trailers:
            for place in trailing(packet):
                if place.record is not None:
                    plan = self._plans.get(place.record.__class__) or self._plan(place.record.__class__)
                    self._read_record(place.record, plan, packet, len(packet.layers) - 1, columns)
        return columns

    def _read_record(self, record: Any, plan: Plan, packet: Packet, position: int, columns: Columns) -> None:
        for column, get, notation in plan.simple:
            value = record if get is None else get(record)
            if value is not AUTO and value is not None and (shown := notation(value)) is not None:
                columns[column] += (shown,) if isinstance(shown, str) else shown
        for column, fields, notation in plan.other:
            values = [getattr(record, field) for field in fields] or [record]
            if AUTO not in values and None not in values:
                _add(columns[column], _show(notation, values, packet, position))
        for items in plan.lists:
            for item in items(record):
                of_item = self._plans.get(item.__class__) or self._plan(item.__class__)
                if of_item.ends:
                    self._read_cut_item(record, items(record), packet, position, columns)
                else:
                    self._read_record(item, of_item, packet, position, columns)

    def _read_cut_item(
        self, record: Record, items: Sequence[Record], packet: Packet, position: int, columns: Columns
    ) -> None:
        """The beginning of the last item, if it is the capture that ends there and not the space for items."""
        member = _member_that_began(items[-1])
        there = CutHeader(member, bytes(items[-1])).values()  # type: ignore[arg-type]
        length, around = field_ruled_by(member, HeaderLength), field_ruled_by(type(record), HeaderLength)
        if length is None or around is None or length.name not in there:
            return
        room = around.rule.says(record, around)  # type: ignore[union-attr]
        taken = len(bytes(record)) - len(bytes(items[-1]))
        if taken + length.rule.length(there[length.name]) <= room:  # type: ignore[union-attr]
            self._read_part(member, there, None, packet, position, columns)

    def _read_part(
        self,
        record: type[Record],
        there: dict[str, Any],
        limit: frozenset[str] | None,
        packet: Packet,
        position: int,
        columns: Columns,
    ) -> None:
        """Of a header that is cut, or that Wireshark gives up on, what it shows of the fields that are there.

        The record itself is there under the empty name, if it is whole.
        """
        names = NAMES.get(record, NOTHING)
        for row in names.fields:
            fields = row.field.split() or [""]
            needed = {*fields, names.needed.get(row.wireshark, names.needed.get("", fields[0]))}
            if needed <= there.keys() and (limit is None or row.wireshark in limit):
                for column in self._columns.get(row.wireshark, ()):
                    values = [there[field] for field in fields]
                    _add(columns[column], _show(row.notation, values, packet, position))

    def _plan(self, record: type[Record]) -> Plan:
        if not issubclass(record, Record):
            return self._plans.setdefault(record, Plan((), (), (), NOTHING, False))
        names = NAMES.get(record, NOTHING)
        rows = [(column, row) for row in names.fields for column in self._columns.get(row.wireshark, ())]
        plan = self._plans[record] = Plan(
            tuple(
                (column, attrgetter(row.field) if row.field else None, row.notation)
                for column, row in rows
                if _is_simple(row)
            ),
            tuple((column, tuple(row.field.split()), row.notation) for column, row in rows if not _is_simple(row)),
            tuple(attrgetter(field.name) for field in record.fields() if isinstance(field.kind, ItemList)),
            names,
            record.malformed and record not in NAMES,
        )
        return plan


NOTHING = Names((), ())


@cache
def _members(family: type[Record]) -> dict[int, type[Record]]:
    """The members of a family that have names, by the number that tells them."""
    if not family._by:  # its members are told by more than one field
        return {}
    tells = [(record, record.field(family._by).default) for record in NAMES if record._family is family]
    return {number: record for record, number in tells if isinstance(number, int)}


def _member_that_began(rest: Record) -> type[Record]:
    """The class that the first item in the rest of a list would be of, had it been whole."""
    family = rest._family
    assert family is not None
    unknown = next(record for record in family._fallbacks if not record.malformed)
    told = CutHeader(family, bytes(rest)).values().get(family._by)  # type: ignore[arg-type]
    return _members(family).get(told, unknown)  # type: ignore[arg-type]


def _is_simple(row: Name) -> bool:
    return " " not in row.field and not isinstance(row.notation, Placed)


def _show(notation: Notation, values: Sequence[Any], packet: Packet, position: int) -> Shown:
    return notation.show(*values, packet, position) if isinstance(notation, Placed) else notation(*values)


def _add(column: list[str], shown: Shown) -> None:
    if shown is not None:
        column += [shown] if isinstance(shown, str) else shown


@cache
def _alone(field: str) -> WiresharkFields:
    return WiresharkFields((field,))
