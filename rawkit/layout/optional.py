"""Optional fields: the code for those that stand behind the fixed ones where a flag says so.

The fields that one flag announces (`Presence`) are a group: they are there together, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from rawkit.layout.rules import Checksum, Presence
from rawkit.layout.tails import Optional

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo, Record

__all__ = ["Group", "optional_groups"]


class Group(NamedTuple):
    """A flag and the fields that it announces, in wire order."""

    flag: FieldInfo
    fields: tuple[FieldInfo, ...]

    @property
    def size(self) -> int:
        """Bytes that the fields take where they are there."""
        return sum(field.kind.size for field in self.fields)  # type: ignore[attr-defined]

    def read(self) -> Iterator[str]:
        """Set the fields from the bytes at `stop`, and move `stop` behind them."""
        yield f"    if {self.flag.local}:"
        yield f"        if end - stop < {self.size}:"
        facts = f"{self.fields[0].name!r}, start, stop - start + {self.size}, end - start"
        yield f"            raise TruncatedError(cls, {facts})"
        for field in self.fields:
            size = field.kind.size  # type: ignore[attr-defined]
            yield f"        self.{field.name} = from_bytes(data[stop : stop + {size}])"
            yield f"        stop += {size}"
        yield "    else:"
        yield f"        {' = '.join(f'self.{field.name}' for field in self.fields)} = None"

    def take(self) -> Iterator[str]:
        """Take the fields into locals; where any is given, those left out are computed, or zero."""
        for field in self.fields:
            yield f"    {field.local} = self.{field.name}"
        if len(self.fields) > 1:
            yield f"    if {' or '.join(f'{field.local} is not None' for field in self.fields)}:"
            for field in self.fields:
                left_out = "AUTO" if field.rule is not None else "0"
                yield f"        {field.local} = {left_out} if {field.local} is None else {field.local}"

    def write(self) -> str:
        """An expression for the bytes; a checksum that is still to be computed counts as zero."""
        packed = []
        for field in self.fields:
            width = field.kind.size  # type: ignore[attr-defined]
            value = field.local
            if isinstance(field.rule, Checksum):
                value = f"(0 if {value} is AUTO else {value})"
            packed.append(f"{value}.to_bytes({width})")
        joined = " + ".join(packed)
        return f"(b'' if {self.fields[0].local} is None else {joined})"


def optional_groups(cls: type[Record]) -> list[Group]:
    """The groups of a declaration, in wire order. TypeError for an optional field that no flag announces."""
    announced = {
        name: field for field in cls._fields if isinstance(field.rule, Presence) for name in field.rule.fields
    }
    groups: list[Group] = []
    for field in cls._fields:
        if not isinstance(field.kind, Optional):
            continue
        flag = announced.get(field.name)
        if flag is None:
            raise TypeError(f"{cls.__name__}.{field.name}: no flag tells whether it is there; give one Presence")
        if groups and groups[-1].flag is flag:
            groups[-1] = Group(flag, (*groups[-1].fields, field))
        else:
            groups.append(Group(flag, (field,)))
    return groups
