"""Kinds of fixed-width field: how a value stands in the header, and which Python type it has.

An annotation such as `U8` carries a `Kind`. The compiler asks it for expressions to read and write the value,
and for the quick test that a constructor makes; whatever fails that test goes through `convert`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address
from operator import index
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, overload

from rawkit.layout.mac import MAC

__all__ = [
    "L16",
    "L32",
    "U2",
    "U3",
    "U4",
    "U5",
    "U6",
    "U7",
    "U8",
    "U10",
    "U12",
    "U13",
    "U15",
    "U16",
    "U20",
    "U24",
    "U29",
    "U32",
    "U64",
    "X8",
    "X12",
    "X16",
    "X20",
    "X24",
    "X32",
    "X64",
    "Bytes2",
    "Bytes4",
    "Bytes6",
    "Bytes8",
    "Bytes12",
    "Bytes16",
    "Bytes20",
    "Bytes24",
    "Convertible",
    "FixedBytes",
    "Flag",
    "FlagSet",
    "IPv4Addr",
    "IPv6Addr",
    "Kind",
    "MACAddr",
    "UInt",
    "address_text",
]

new = object.__new__
Exact = TypeVar("Exact")
Accepted = TypeVar("Accepted")

REMEMBERED = 4096
"""How many addresses each cache keeps before it starts anew, so that hostile traffic cannot make it grow."""


class Convertible(Generic[Exact, Accepted]):
    """For type checkers: a field that reads as `Exact`, and is constructed from `Exact` or `Accepted`."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Convertible[Exact, Accepted]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Exact: ...
        def __get__(self, instance: object, owner: type) -> Any: ...
        def __set__(self, instance: object, value: Exact | Accepted) -> None: ...


class Remembered(dict[Any, Any]):
    """A bounded cache: `cache[key]` makes what it does not have."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: Hashable) -> Any:
        value = self.make(key)
        if len(self) >= REMEMBERED:
            self.clear()
        self[key] = value
        return value


class Kind:
    """What a kind of field must tell. `bits` is its width; `code` its struct code when it is not an integer."""

    bits: int
    code: str = ""
    type: type
    expected: str
    base: int = 10
    is_list: bool = False
    """Whether one value is a list."""

    def read(self, raw: str) -> str:
        """An expression for the value, given one for what `struct` read."""
        return raw

    def write(self, value: str) -> str:
        """An expression for what `struct` packs, given one for the value."""
        return value

    def number(self, value: str) -> str:
        """An expression for the field as an integer, given one for the value."""
        return value

    def remembered(self, name: str) -> str:
        """The beginning of an `or` expression: what is remembered for the argument `name`, if anything."""
        return ""

    def quick_test(self, name: str) -> str:
        """An expression that is true when the argument `name` is exact and fits."""
        return f"{name}.__class__ is {self.type.__name__}"

    def names(self) -> dict[str, object]:
        """What the expressions above refer to."""
        return {self.type.__name__: self.type}

    def unpacked(self, data: bytes) -> Any:
        """The value of a field that is no integer in network order, given its bytes."""
        return self.convert(data)

    def convert(self, value: Any) -> Any:
        """The exact value for whatever was given. Raises ValueError or TypeError for what does not fit."""
        raise NotImplementedError

    def from_wire(self, raw: Any) -> Any:
        """The exact value for what `struct` read, which needs no checks."""
        return self.type(raw)

    def show(self, value: Any) -> str:
        """The value as text for people."""
        return str(value)

    def express(self, value: Any) -> str:
        """The value as a Python literal from which `convert` makes it again."""
        return repr(value)


class UInt(Kind):
    """An unsigned integer of any number of bits, in network order. `base` is how it is best shown."""

    type = int

    def __init__(self, bits: int, base: int = 10) -> None:
        self.bits, self.base = bits, base
        self.limit = (1 << bits) - 1
        self.expected = f"an integer from 0 to {self.limit}"

    def quick_test(self, name: str) -> str:
        return f"{name}.__class__ is int and 0 <= {name} <= {self.limit}"

    def convert(self, value: Any) -> int:
        number = index(value)
        if not 0 <= number <= self.limit:
            raise ValueError(value)
        return number

    def show(self, value: int) -> str:
        return f"0x{value:0{(self.bits + 3) // 4}x}" if self.base == 16 else str(value)

    def express(self, value: int) -> str:
        return self.show(value)


class LittleEndian(UInt):
    """An unsigned integer of whole bytes, the lowest first. It tells no family its members."""

    def __init__(self, bits: int, base: int = 10) -> None:
        super().__init__(bits, base)
        self.code = f"{bits // 8}s"

    def read(self, raw: str) -> str:
        return f"from_bytes({raw}, 'little')"

    def write(self, value: str) -> str:
        return f"({value}).to_bytes({self.bits // 8}, 'little')"

    def unpacked(self, data: bytes) -> int:
        return int.from_bytes(data, "little")


class FlagKind(Kind):
    """One bit, as a bool."""

    bits, type, expected = 1, bool, "True or False (or 1, 0)"

    def convert(self, value: Any) -> bool:
        if value not in (0, 1):
            raise ValueError(value)
        return bool(value)


class FixedBytes(Kind):
    """A fixed number of bytes, kept as they are."""

    type = bytes

    def __init__(self, count: int) -> None:
        self.bits, self.code = 8 * count, f"{count}s"
        self.expected = f"{count} bytes"

    def quick_test(self, name: str) -> str:
        return f"{name}.__class__ is bytes and len({name}) == {self.bits // 8}"

    def convert(self, value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview) or len(value) * 8 != self.bits:
            raise ValueError(value)
        return bytes(value)

    def show(self, value: bytes) -> str:
        return value.hex()


class AddressKind(Kind):
    """An address, which is written as text."""

    by_text: Remembered

    def number(self, value: str) -> str:
        return f"{value}._ip"  # int(value), without the call

    def remembered(self, name: str) -> str:
        return f"({name}.__class__ is str and {self.type.__name__}_by_text({name})) or "

    def names(self) -> dict[str, object]:
        return {self.type.__name__: self.type, f"{self.type.__name__}_by_text": self.by_text.get}

    def show(self, value: Any) -> str:
        return address_text(value)

    def express(self, value: Any) -> str:
        return repr(str(value))


def address_text(address: Any) -> str:
    """`str(address)`, which is remembered for IP addresses, since it takes longer than to decode a header."""
    kind = address.__class__
    if kind is IPv4Address:
        return str(text_of_ipv4[address._ip])
    if kind is IPv6Address and address.scope_id is None:
        return str(text_of_ipv6[address._ip])
    return str(address)


text_of_ipv4 = Remembered(lambda number: str(IPv4Address(number)))
text_of_ipv6 = Remembered(lambda number: str(IPv6Address(number)))


class IPv4AddressKind(AddressKind):
    """An IPv4 address: 32 bits, which stand as one integer."""

    bits, type, expected = 32, IPv4Address, "an IPv4 address such as '10.0.0.1'"
    by_number = Remembered(IPv4Address)
    by_text = Remembered(IPv4Address)

    def read(self, raw: str) -> str:
        return f"ipv4_address[{raw}]"

    def from_wire(self, raw: int) -> IPv4Address:
        address = new(IPv4Address)  # a third of what IPv4Address(raw) takes, which looks whether it fits
        address._ip = raw  # type: ignore[attr-defined]
        return address

    def write(self, value: str) -> str:
        return self.number(value)

    def names(self) -> dict[str, object]:
        return super().names() | {"ipv4_address": self.by_number}

    def convert(self, value: Any) -> IPv4Address:
        if isinstance(value, str):
            return self.by_text[value]  # type: ignore[no-any-return]
        return IPv4Address(bytes(value) if isinstance(value, bytearray | memoryview) else value)


def _without_zone(value: Any) -> IPv6Address:
    """The address; ValueError if it has a zone, which is not on the wire (RFC 4007, section 11)."""
    address = IPv6Address(value)
    if address.scope_id is not None:
        raise ValueError(value)
    return address


class IPv6AddressKind(AddressKind):
    """An IPv6 address: 16 bytes."""

    bits, code, type, expected = 128, "16s", IPv6Address, "an IPv6 address such as 'fd00::1', without a zone"
    by_bytes = Remembered(IPv6Address)
    by_text = Remembered(_without_zone)

    def quick_test(self, name: str) -> str:
        return f"{name}.__class__ is IPv6Address and {name}.scope_id is None"

    def read(self, raw: str) -> str:
        return f"ipv6_address[{raw}]"

    def write(self, value: str) -> str:
        return f"{value}.packed"

    def names(self) -> dict[str, object]:
        return super().names() | {"ipv6_address": self.by_bytes}

    def convert(self, value: Any) -> IPv6Address:
        if isinstance(value, str):
            return self.by_text[value]  # type: ignore[no-any-return]
        return _without_zone(bytes(value) if isinstance(value, bytearray | memoryview) else value)


class MACKind(AddressKind):
    """A MAC address: six bytes."""

    bits, code, type, expected = 48, "6s", MAC, "a MAC address such as '02:00:00:00:00:01'"
    by_bytes = Remembered(MAC)
    by_text = Remembered(MAC)

    def read(self, raw: str) -> str:
        return f"mac_address[{raw}]"

    def names(self) -> dict[str, object]:
        return super().names() | {"mac_address": self.by_bytes}

    def convert(self, value: Any) -> MAC:
        if isinstance(value, str):
            return self.by_text[value]  # type: ignore[no-any-return]
        return MAC(bytes(value) if isinstance(value, bytearray | memoryview) else value)


class FlagSet(Kind):
    """Several one-bit flags as one `IntFlag`; constructed from its members, a number, or their letters.

    The letter of a member is what `letters` maps it to.
    """

    def __init__(self, bits: int, flags: type[IntFlag], letters: str) -> None:
        self.bits, self.type = bits, flags
        self.letters = letters
        self.by_number = Remembered(flags)
        self.by_text = Remembered(self._from_text)
        self.shown = Remembered(self._letters)
        self.expected = f"flags as letters of {letters!r}, {flags.__name__} members, or their number"

    def read(self, raw: str) -> str:
        return f"{self.type.__name__}_of[{raw}]"

    def quick_test(self, name: str) -> str:
        return f"{name}.__class__ is {self.type.__name__} and 0 <= {name}._value_ < {1 << self.bits}"

    def remembered(self, name: str) -> str:
        return f"({name}.__class__ is str and {self.type.__name__}_by_text({name})) or "

    def write(self, value: str) -> str:
        return f"{value}._value_"  # arithmetic on the IntFlag itself is ten times slower

    def names(self) -> dict[str, object]:
        name = self.type.__name__
        return {name: self.type, f"{name}_of": self.by_number, f"{name}_by_text": self.by_text.get}

    def convert(self, value: Any) -> Any:
        if value.__class__ is str:
            return self.by_text[value]
        number = index(value)
        if not 0 <= number < 1 << self.bits:
            raise ValueError(value)
        return self.by_number[number]

    def _from_text(self, text: str) -> Any:
        return self.by_number[sum(1 << self.letters.index(letter) for letter in set(text.upper()))]

    def show(self, value: int) -> str:
        return self.shown[value]  # type: ignore[no-any-return]

    def _letters(self, value: int) -> str:
        return "".join(letter for bit, letter in enumerate(self.letters) if value >> bit & 1)

    def express(self, value: int) -> str:
        return repr(self.show(value))


U2 = Annotated[int, UInt(2)]
U3 = Annotated[int, UInt(3)]
U4 = Annotated[int, UInt(4)]
U5 = Annotated[int, UInt(5)]
U6 = Annotated[int, UInt(6)]
U7 = Annotated[int, UInt(7)]
U8 = Annotated[int, UInt(8)]
U10 = Annotated[int, UInt(10)]
U12 = Annotated[int, UInt(12)]
U13 = Annotated[int, UInt(13)]
U15 = Annotated[int, UInt(15)]
U16 = Annotated[int, UInt(16)]
U20 = Annotated[int, UInt(20)]
U24 = Annotated[int, UInt(24)]
U29 = Annotated[int, UInt(29)]
U32 = Annotated[int, UInt(32)]
U64 = Annotated[int, UInt(64)]
L16 = Annotated[int, LittleEndian(16)]
L32 = Annotated[int, LittleEndian(32)]
X8 = Annotated[int, UInt(8, base=16)]
X12 = Annotated[int, UInt(12, base=16)]
X16 = Annotated[int, UInt(16, base=16)]
X20 = Annotated[int, UInt(20, base=16)]
X24 = Annotated[int, UInt(24, base=16)]
X32 = Annotated[int, UInt(32, base=16)]
X64 = Annotated[int, UInt(64, base=16)]
Flag = Annotated[bool, FlagKind()]
Bytes2 = Annotated[bytes, FixedBytes(2)]
Bytes4 = Annotated[bytes, FixedBytes(4)]
Bytes6 = Annotated[bytes, FixedBytes(6)]
Bytes8 = Annotated[bytes, FixedBytes(8)]
Bytes12 = Annotated[bytes, FixedBytes(12)]
Bytes16 = Annotated[bytes, FixedBytes(16)]
Bytes20 = Annotated[bytes, FixedBytes(20)]
Bytes24 = Annotated[bytes, FixedBytes(24)]
IPv4Addr = Annotated[Convertible[IPv4Address, str | bytes | int], IPv4AddressKind()]
IPv6Addr = Annotated[Convertible[IPv6Address, str | bytes | int], IPv6AddressKind()]
MACAddr = Annotated[Convertible[MAC, str | bytes], MACKind()]
