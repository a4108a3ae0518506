"""Kinds of tail: the variable part that follows the fixed fields of a header.

A tail reaches from the last fixed field to the end of its header, which a `HeaderLength` rule gives, and where
there is none, to the end of the bytes. Every byte of it is in some value, so that it packs to what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from rawkit.errors import PacketError
from rawkit.layout.auto import AUTO
from rawkit.layout.kinds import IPv4AddressKind, IPv6AddressKind, Kind, UInt
from rawkit.layout.words import STRUCT_CODES

if TYPE_CHECKING:
    from rawkit.layout.record import Record

__all__ = [
    "MAX_ITEMS",
    "Array",
    "IPv4Addrs",
    "IPv6Addrs",
    "Item",
    "ItemList",
    "Items",
    "Often",
    "OneItem",
    "Optional",
    "OptionalU16",
    "OptionalU32",
    "OptionalX16",
    "OptionalX32",
    "OptionalX64",
    "Remainder",
    "Rest",
    "Tail",
    "U32s",
]

Reader = Callable[[bytes, int, int], Any]
"""Gives the value of `data[start:stop]`. Raises PacketError for bytes that it cannot hold."""


class Tail(Kind):
    """A kind of variable width."""

    bits = 0
    empty: Any = ()
    count: int | None = None
    """How many elements it has, if that is always the same."""

    def unpack(self, data: bytes, start: int, stop: int) -> Any:
        """The value of `data[start:stop]`. Raises PacketError for bytes that it cannot hold."""
        raise NotImplementedError

    def take(self, data: bytes, start: int, stop: int, count: int) -> tuple[Any, int]:
        """The first `count` elements, or as many as there are, and where they end."""
        raise NotImplementedError

    def filled(self, value: Any, tail: bytes) -> Any:
        """The value with nothing left AUTO; `tail` is its bytes, any padding included."""
        return self.unpack(tail, 0, len(tail))

    def quick_test(self, name: str) -> str:
        return "False"  # `convert` looks at each element

    def names(self) -> dict[str, object]:
        return {}

    def pack(self, value: Any) -> bytes:
        """The bytes of the value."""
        raise NotImplementedError

    def width(self, value: Any) -> int:
        """How many bits the value takes; AUTO is not there yet."""
        return 0 if value is AUTO else 8 * len(self.pack(value))

    def fill_bytes(self, count: int) -> bytes:
        """What fills `count` bytes up to a whole number of the header length's units."""
        return bytes(count)


class Optional(Tail):
    """An integer of whole bytes that is there only if a flag says so (`Presence`), and else None."""

    empty = None

    def __init__(self, kind: UInt) -> None:
        self.kind = kind
        self.size = kind.bits // 8
        self.expected = f"{kind.expected}, or None to leave it out"

    def quick_test(self, name: str) -> str:
        return f"{name} is None or ({self.kind.quick_test(name)})"

    def convert(self, value: Any) -> int | None:
        return None if value is None else self.kind.convert(value)

    def pack(self, value: int | None) -> bytes:
        if value is None:
            return b""
        return bytes(self.size) if value is AUTO else value.to_bytes(self.size)

    def width(self, value: int | None) -> int:
        return 0 if value is None else self.kind.bits

    def show(self, value: int | None) -> str:
        return "absent" if value is None else self.kind.show(value)

    def express(self, value: int | None) -> str:
        return "None" if value is None else self.kind.express(value)


class Remainder(Tail):
    """The bytes themselves."""

    expected = "bytes"
    empty = b""

    def quick_test(self, name: str) -> str:
        return f"{name}.__class__ is bytes"

    def unpack(self, data: bytes, start: int, stop: int) -> bytes:
        return data[start:stop]

    def take(self, data: bytes, start: int, stop: int, count: int) -> tuple[bytes, int]:
        end = min(start + count, stop)
        return data[start:end], end

    def pack(self, value: bytes) -> bytes:
        return value

    def convert(self, value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(value)
        return bytes(value)

    def show(self, value: bytes) -> str:
        return value.hex()


class Array(Tail):
    """Values of one fixed-width kind, one after the other, as a tuple."""

    is_list = True

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.size = kind.bits // 8
        self.struct = Struct(f"!{kind.code or STRUCT_CODES[kind.bits]}")
        self.expected = f"a list, each of it {kind.expected}"

    def unpack(self, data: bytes, start: int, stop: int) -> tuple[Any, ...]:
        if (stop - start) % self.size:
            raise PacketError("", "", start, self.size, (stop - start) % self.size)
        from_wire = self.kind.from_wire
        return tuple([from_wire(raw) for (raw,) in self.struct.iter_unpack(data[start:stop])])

    def take(self, data: bytes, start: int, stop: int, count: int) -> tuple[tuple[Any, ...], int]:
        end = start + self.size * min(count, (stop - start) // self.size)
        return self.unpack(data, start, end), end

    def pack(self, value: tuple[Any, ...]) -> bytes:
        if self.kind.code:
            return b"".join([element.packed for element in value])
        return b"".join([int(element).to_bytes(self.size) for element in value])

    def convert(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str | bytes):
            raise TypeError(value)
        return tuple([self.kind.convert(element) for element in value])

    def show(self, value: tuple[Any, ...]) -> str:
        return ", ".join(map(self.kind.show, value))

    def express(self, value: tuple[Any, ...]) -> str:
        return _tuple_of(map(self.kind.express, value))


class ItemList(Tail):
    """Records one after the other, as a tuple: all of one class, or members of one family.

    The family's code, mostly in the first byte, chooses the member. What the member cannot hold (a length that
    disagrees, a code that nobody declared) goes to the family's fallbacks in the order of their declaration.
    """

    expected = "a list of items"
    is_list = True

    def __init__(self, item: type[Record], often: Iterable[Often] = ()) -> None:
        self.item = item
        self.expected = f"a list of {item.__name__}"
        self.often = [lists.members for lists in often]
        self.unpack = items_reader(item)  # type: ignore[assignment,method-assign]

    def take(self, data: bytes, start: int, stop: int, count: int) -> tuple[tuple[Record, ...], int]:
        items: list[Record] = []
        while start < stop and len(items) < min(count, MAX_ITEMS):
            try:
                item, start, _, _ = self.item._parse(data, start, stop, True)
            except PacketError:
                break  # the rest is the header's body
            items.append(item)
        return tuple(items), start

    def pack(self, value: tuple[Record, ...]) -> bytes:
        return b"".join([item._build(b"", None, (), 0, False) for item in value])

    def convert(self, value: Any) -> tuple[Record, ...]:
        items = tuple(value) if isinstance(value, Iterable) else (value,)
        if not all(isinstance(item, self.item) for item in items):
            raise TypeError(value)
        return items

    def filled(self, value: tuple[Record, ...], tail: bytes) -> tuple[Record, ...]:
        items = tuple([item._build(b"", None, (), 0, True) for item in value])
        return items if self.pack(items) == tail else self.unpack(tail, 0, len(tail))

    def fill_bytes(self, count: int) -> bytes:
        return self.item.fill_bytes(count)

    def show(self, value: tuple[Record, ...]) -> str:
        return ", ".join(map(repr, value))

    def express(self, value: tuple[Record, ...]) -> str:
        return _tuple_of(map(repr, value))


MAX_ITEMS = 512
"""How many items a list has at the most when it is read, which a hostile packet would make of 64 KiB of them.

What is left becomes one item, the family's malformed one.
"""


class OneItem(ItemList):
    """One record, or a member of one family, as a tuple of one; what follows it is not the header's."""

    count = 1


NOTHING: dict[int, Any] = {}


def items_reader(item: type[Record]) -> Reader:
    """What reads a list of such items, or of members of such a family. It raises PacketError if nothing fits."""
    constant_of, member_of, any_member = item._constants.get, item._members.get, item._parse
    fallbacks = item._fallbacks
    if item._by and item.field(item._by).offset + item.field(item._by).bits > 8:
        constant_of, member_of = NOTHING.get, NOTHING.get  # the code is elsewhere: the family finds it

    def read(data: bytes, start: int, stop: int) -> tuple[Record, ...]:
        items: list[Record] = []
        for _ in range(MAX_ITEMS):
            if start >= stop:
                return tuple(items)
            code = data[start]
            constant = constant_of(code)
            if constant is not None:
                items.append(constant)
                start += 1
                continue
            try:
                member, start, _, _ = member_of(code, any_member)(data, start, stop, True)
            except PacketError:
                member, start = _otherwise(fallbacks, any_member, data, start, stop)
            items.append(member)
        if start < stop:
            items.append(_rest_of_list(item, data, start, stop))
        return tuple(items)

    return read


def _otherwise(
    fallbacks: list[type[Record]], any_member: Any, data: bytes, start: int, stop: int
) -> tuple[Record, int]:
    """The item that no member can hold, and where it ends. Raises PacketError if no fallback can either."""
    for fallback in fallbacks:
        try:
            found: tuple[Record, int] = fallback._parse(data, start, stop, True)[:2]
        except PacketError:
            continue
        return found
    member, stop, _, _ = any_member(data, start, stop, True)
    return member, stop


def _rest_of_list(item: type[Record], data: bytes, start: int, stop: int) -> Record:
    """What a list has beyond MAX_ITEMS, as one item. Raises PacketError for items of which none can hold that."""
    malformed = next((fallback for fallback in item._fallbacks if fallback.malformed), None)
    if malformed is None:
        message = f"more than {MAX_ITEMS} items"
        raise PacketError(item.__name__, "", start, MAX_ITEMS, MAX_ITEMS + 1, message)
    rest: Record = malformed._parse(data, start, stop, True)[0]
    return rest


def _tuple_of(elements: Iterable[str]) -> str:
    listed = list(elements)
    return f"({listed[0]},)" if len(listed) == 1 else f"({', '.join(listed)})"


class Often:
    """In the annotation of a list: items that come so often in just this order that there is code for them.

    Each has fixed fields only.
    """

    def __init__(self, *members: type[Record]) -> None:
        self.members = members


T = TypeVar("T")

Items = Annotated[tuple[T, ...], ItemList]
Item = Annotated[tuple[T, ...], OneItem]
OptionalU16 = Annotated[int | None, Optional(UInt(16))]
OptionalU32 = Annotated[int | None, Optional(UInt(32))]
OptionalX16 = Annotated[int | None, Optional(UInt(16, base=16))]
OptionalX32 = Annotated[int | None, Optional(UInt(32, base=16))]
OptionalX64 = Annotated[int | None, Optional(UInt(64, base=16))]
Rest = Annotated[bytes, Remainder()]
U32s = Annotated[tuple[int, ...], Array(UInt(32))]
IPv4Addrs = Annotated[tuple[IPv4Address, ...], Array(IPv4AddressKind())]
IPv6Addrs = Annotated[tuple[IPv6Address, ...], Array(IPv6AddressKind())]
