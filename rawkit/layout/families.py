"""Families: records that share a beginning, in which a field tells which of them some bytes are.

A family is a record class with `by="field"`: which of its members some bytes are is told by that field. A
member is a subclass; the default of that field enters it, and `values` names further ones. Of several members
for one value, the bytes are the last declared that can hold them. A member with `fallback=True`
takes what no other member can hold; where there is none, the family itself does, unless it is `abstract`. One
that is `bare` has none of the family's fields, for bytes that are too few for them. A member may
found a family of its own, with another field (multipath TCP's options: one kind, many subtypes).

A family with `by=NUMBERS`, a number space, has no fields: the first byte tells which record of that space it is,
whatever its class, and where that does not fit, `fallbacks` and the members with `fallback=True` are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rawkit.errors import PacketError, TruncatedError, UnknownHeaderError
from rawkit.layout.numbers import Numbers
from rawkit.layout.writer import too_short

__all__ = ["join_families"]


def join_families(cls: Any, options: Mapping[str, Any]) -> None:
    """Found the family that the declaration asks for, and enter the one that the record descends from."""
    family = cls._family
    if "abstract" in options:
        del cls._parse
    if isinstance(options.get("by"), Numbers):
        _found_family_by_first_byte(cls, options["by"], list(options.get("fallbacks", ())))
    elif "by" in options:
        _found_family(cls, options["by"])
    if family is not None:
        _enter_family(cls, family, options.get("values", ()), options.get("fallback", False))


def _enter_family(cls: Any, family: Any, values: tuple[int, ...], fallback: bool) -> None:
    """Enter the class in the family that it descends from, under each value of the family's field."""
    if fallback:
        family._fallbacks.append(cls)
        return
    if not family._by:
        return
    field = cls._by_name[family._by]
    for code in {*values} if field.required else {field.default, *values}:
        before = family._members.get(code)
        family._members[code] = cls._parse if before is None else _last_that_fits(cls, before)
        if len(cls._fields) == 1 and cls._fixed_size == 1:
            family._constants[code] = cls()
    if cls._family is not cls:
        cls._members, cls._constants, cls._fallbacks = {}, {}, []


def _last_that_fits(last: Any, before: Any) -> Any:
    """What reads the bytes as `last` if they have room for its fixed fields and are that, else with `before`."""
    size, own = last._fixed_size, last._parse

    def parse(data: bytes, start: int, end: int, strict: bool) -> Any:
        if end - start >= size:
            try:
                return own(data, start, end, strict)
            except PacketError:
                pass  # one of the members before
        return before(data, start, end, strict)

    return parse


def _found_family(cls: Any, by: str) -> None:
    """Let the class parse as whichever member its field `by` tells."""
    field, own = cls._by_name[by], cls.__dict__.get("_parse")  # none, if its fields are no whole bytes
    first, last = field.offset // 8, (field.offset + field.bits - 1) // 8
    shift, mask = 8 * last + 8 - field.offset - field.bits, (1 << field.bits) - 1
    members: dict[int, Any] = {}
    fallbacks: list[Any] = []
    member_of, whole = members.get, int.from_bytes

    def parse(data: bytes, start: int, end: int, strict: bool) -> Any:
        if end - start <= last:
            bare = next((fallback for fallback in fallbacks if by not in fallback._by_name), None)
            if bare is None:
                raise too_short(cls, start, end)
            return bare._parse(data, start, end, strict)
        code = (
            data[start + first] if first == last else whole(data[start + first : start + last + 1])
        ) >> shift & mask
        member = member_of(code)
        if member is not None and own is None and not fallbacks:
            return member(data, start, end, strict)
        refused: PacketError | None = None
        for reader in (member, *[fallback._parse for fallback in fallbacks], own):
            if reader is not None:
                try:
                    return reader(data, start, end, strict)
                except PacketError as error:
                    if isinstance(error, TruncatedError) and not strict:
                        raise  # a header that is cut, and not one of another kind
                    refused = refused or error
        known = " or ".join(map(str, sorted(members)))
        unknown = PacketError(cls.__name__, by, start, 0, code, f"{code} is not known here, only {known}")
        raise refused or unknown

    cls._family, cls._by, cls._members, cls._constants, cls._fallbacks = cls, by, members, {}, fallbacks
    cls._parse = staticmethod(parse)


def _found_family_by_first_byte(cls: Any, numbers: Numbers, fallbacks: list[Any]) -> None:
    """Let the class parse as whichever record its first byte, a number of `numbers`, tells."""

    def parse(data: bytes, start: int, end: int, strict: bool) -> Any:
        if start == end:
            raise PacketError(cls.__name__, "", start, 1, 0)
        known = numbers.header_of(data[start])
        refused: PacketError | None = None
        for reader in (*([known] if known else ()), *fallbacks):
            try:
                return reader._parse(data, start, end, strict)
            except PacketError as error:
                if isinstance(error, TruncatedError) and not strict:
                    raise
                refused = refused or error
        unknown = f"unknown {numbers.name} 0x{data[start]:02x}"
        raise refused or UnknownHeaderError(cls.__name__, "", start, 0, data[start], unknown)

    cls._family, cls._by, cls._members, cls._constants, cls._fallbacks = cls, "", {}, {}, fallbacks
    cls._parse = staticmethod(parse)
