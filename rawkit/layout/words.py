"""Words: what `struct` reads and writes as one value, and how fields lie in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo

__all__ = ["STRUCT_CODES", "Word", "words_of"]

STRUCT_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


class Word:
    """A run of fields that `struct` reads as one value: one bytes field, or integers packed side by side."""

    def __init__(self, fields: list[FieldInfo], number: int) -> None:
        self.fields = fields
        self.name = f"w{number}"
        self.bits = sum(field.bits for field in fields)
        self.code = fields[0].kind.code or STRUCT_CODES.get(self.bits, f"{self.bits // 8}s")
        self.odd = not fields[0].kind.code and self.bits not in STRUCT_CODES

    def reads(self) -> Iterator[tuple[FieldInfo, str]]:
        """Each field with the expression for its value."""
        if self.fields[0].kind.code:
            yield self.fields[0], self.fields[0].kind.read(self.name)
            return
        whole = f"from_bytes({self.name})" if self.odd else self.name
        shift = self.bits
        for field in self.fields:
            shift -= field.bits
            if field.kind.type is bool:
                yield field, f"({whole} & {1 << shift}) != 0"
                continue
            raw = whole if shift == 0 else f"{whole} >> {shift}"
            if shift + field.bits < self.bits:
                raw = f"{raw} & {(1 << field.bits) - 1}" if shift == 0 else f"({raw}) & {(1 << field.bits) - 1}"
            yield field, field.kind.read(raw)

    def is_plain(self) -> bool:
        """Whether what `struct` reads is the value of a field as it is."""
        return list(self.reads()) == [(self.fields[0], self.name)]

    def as_number(self, stop: int) -> str:
        """What the word, in the local of its name, adds to a sum of 16-bit words when it ends at byte `stop`.

        The sum is taken modulo 65535, so a longer word counts as the integer that it is.
        """
        number = f"from_bytes({self.name})" if self.code.endswith("s") else self.name
        return f"({number} << 8)" if stop % 2 else number

    def write(self, values: dict[str, str]) -> str:
        """The expression that `struct` packs, given one for each field."""
        if self.fields[0].kind.code:
            return self.fields[0].kind.write(values[self.fields[0].name])
        shift, parts = self.bits, []
        for field in self.fields:
            shift -= field.bits
            value = field.kind.write(values[field.name])
            if field.kind.type is bool:
                parts.append(f"({1 << shift} if {value} else 0)")
            else:
                parts.append(f"({value} << {shift})" if shift else value)
        whole = " | ".join(parts)
        return f"({whole}).to_bytes({self.bits // 8})" if self.odd else whole


def words_of(fields: Iterable[FieldInfo]) -> list[Word]:
    """The fixed fields, gathered into runs that end on a byte and have a struct code if possible."""
    words: list[Word] = []
    run: list[FieldInfo] = []
    for field in fields:
        if field.kind.code:
            if run:
                if sum(member.bits for member in run) % 8:
                    raise TypeError(f"{field.name}: it does not begin at a byte")
                words.append(Word(run, len(words)))
                run = []
            words.append(Word([field], len(words)))
            continue
        run.append(field)
        if sum(member.bits for member in run) in STRUCT_CODES:
            words.append(Word(run, len(words)))
            run = []
    if run:
        words.append(Word(run, len(words)))
    return words
