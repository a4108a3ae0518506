"""Code for lists whose items come so often in just one order that a single `unpack` takes them all."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from rawkit.layout.rules import HeaderLength
from rawkit.layout.words import STRUCT_CODES, Word, words_of

if TYPE_CHECKING:
    from rawkit.layout.record import Record

__all__ = ["ListWriter"]


class ListWriter:
    """The code for a list of just these members, each with fixed fields only. It enters its names in `names`."""

    def __init__(self, names: dict[str, Any], number: int, members: tuple[type[Record], ...]) -> None:
        self.names = names
        self.head = f"head{number}"
        self.code = "!"
        self.values = 0
        self.tests: list[str] = []
        self.constant = b""
        self.lines: list[str] = []
        items = [f"item{number}_{position}" for position in range(len(members))]
        for item, member in zip(items, members, strict=True):
            self._take(item, member)
        self._end_constant()
        self.value = f"({', '.join(items)},)"
        names[f"unpack_{self.head}"] = Struct(self.code).unpack_from
        self.size = Struct(self.code).size

    def test(self, start: str, stop: str) -> str:
        """An expression that is true where the bytes from `start` to `stop` are such a list."""
        unpacked = f"({self.head} := unpack_{self.head}(data, {start}))"
        first, *others = self.tests
        return " and ".join([f"{stop} - {start} == {self.size}", first.replace(self.head, unpacked, 1), *others])

    def _take(self, item: str, member: type[Record]) -> None:
        """Unpack what differs from list to list, compare what does not, and make the item."""
        usual, at = bytes(member()), 0
        expressions: dict[str, str] = {}
        for word in words_of(member.fields()):
            if _is_constant(member, word):
                self.constant += usual[at : at + word.bits // 8]
            else:
                self._end_constant()
                word.name = self._value(word.code)
                expressions |= {field.name: expression for field, expression in word.reads()}
            at += word.bits // 8
        record, _ = member.parse(usual)
        if not expressions:
            self.names[item] = record  # the same in every such list
            return
        self.names |= {f"{item}_class": member, f"{item}_draft": member._draft}
        self.lines.append(f"{item} = _new({item}_draft)")
        for field in member.fields():
            self.names.update(field.kind.names())
            value = expressions.get(field.name, repr(getattr(record, field.name)))
            self.lines.append(f"{item}.{field.name} = {value}")
        self.lines.append(f"{item}.__class__ = {item}_class")

    def _end_constant(self) -> None:
        """Compare the bytes that are the same in every such list, up to here, as one value."""
        if self.constant:
            code = STRUCT_CODES.get(8 * len(self.constant))
            value = self._value(code or f"{len(self.constant)}s")
            self.tests.append(f"{value} == {int.from_bytes(self.constant) if code else self.constant!r}")
            self.constant = b""

    def _value(self, code: str) -> str:
        """An expression for one more value, which is unpacked by this code."""
        self.code += code
        self.values += 1
        return f"{self.head}[{self.values - 1}]"


def _is_constant(member: type[Record], word: Word) -> bool:
    """Whether the word says only which member it is, and how long."""
    return all(field.name == member._by or isinstance(field.rule, HeaderLength) for field in word.fields)
