"""Random packets, made from the declarations of all headers."""

from __future__ import annotations

import inspect
from typing import Any

from hypothesis import strategies as st

from rawkit import MAC, wire
from rawkit.layout import AUTO, FieldInfo, FlagSet, ItemList, Kind, Optional, Record, UInt
from rawkit.layout.tails import Array, Remainder
from rawkit.wire import Header, Packet, Raw, Routing

__all__ = ["HEADERS", "packets", "records"]


def _complete(record: object) -> bool:
    if not inspect.isclass(record) or not issubclass(record, Record) or not record.fields():
        return False
    return sum(field.bits for field in record.fields()) % 8 == 0


RECORDS = [getattr(wire, name) for name in wire.__all__ if _complete(getattr(wire, name))]
NOT_ALONE = (Header, Raw, Routing)  # Routing is completed by its routing types
HEADERS = [record for record in RECORDS if issubclass(record, Header) and record not in NOT_ALONE]


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Any value of a kind of field."""
    if isinstance(kind, UInt):
        return st.integers(0, kind.limit)
    if isinstance(kind, Optional):
        return st.none() | values(kind.kind)
    if isinstance(kind, FlagSet):
        return st.integers(0, (1 << kind.bits) - 1)
    if isinstance(kind, ItemList):
        members = [record for record in RECORDS if issubclass(record, kind.item)]
        return st.lists(st.one_of([records(member) for member in members]), max_size=3)
    if isinstance(kind, Array):
        return st.lists(values(kind.kind), max_size=3)
    if isinstance(kind, Remainder):
        return st.binary(max_size=6)
    if kind.bits == 1:
        return st.booleans()
    raw = st.binary(min_size=kind.bits // 8, max_size=kind.bits // 8)
    return raw.map(MAC) if kind.type is MAC else raw


def given_or_not(field: FieldInfo) -> st.SearchStrategy[Any]:
    """A value, or often the default, which AUTO is for computed fields."""
    if field.required:
        return values(field.kind)
    if field.rule is not None:
        return st.just(AUTO)
    return st.one_of(st.just(field.default), values(field.kind))


def records(record: type[Record]) -> st.SearchStrategy[Any]:
    """Any record of a class."""
    return st.fixed_dictionaries({field.name: given_or_not(field) for field in record.fields()}).map(
        lambda fields: record(**fields)
    )


def packets() -> st.SearchStrategy[Packet]:
    """Stacks of headers that can be built, with some bytes at the end."""

    def stack(parts: tuple[list[Any], bytes]) -> Packet:
        return Packet(tuple(parts[0]), parts[1])

    layers = st.lists(st.sampled_from(HEADERS).flatmap(records), min_size=1, max_size=3)
    return st.tuples(layers, st.binary(max_size=20)).map(stack).filter(_can_be_built)


def _can_be_built(packet: Packet) -> bool:
    try:
        bytes(packet)
    except ValueError:
        return False
    return True
