"""Several tails in a row, members that only their size tells, and codes of more than a byte."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from rawkit.errors import FieldError, PacketError
from rawkit.layout import (
    U7,
    U8,
    U16,
    Count,
    Flag,
    HeaderLength,
    IPv4Addrs,
    Item,
    Items,
    Record,
    Rest,
    Span,
    U32s,
    auto,
)
from rawkit.wire.packet import Header


class Pair(Record):
    """Two lists, both counted."""

    words: U8 = auto(Count("numbers"))
    count: U8 = auto(Count("addresses", minus=1))
    addresses: IPv4Addrs = ()
    numbers: U32s = ()


class Pairs(Header):
    """As many pairs as are counted, and what follows."""

    count: U16 = auto(Count("pairs"))
    pairs: Items[Pair] = ()


class Maybe(Header):
    """A number that is there or not, and the rest of what the length covers."""

    length: U8 = auto(HeaderLength())
    has_number: Flag = auto(Count("number"))
    reserved: U7 = 0
    number: U32s = ()
    rest: Rest = b""


class Wide(Record, by="code", abstract=True):
    """A family whose code is behind its length and takes two bytes."""

    length: U8 = auto(HeaderLength())
    code: U16


class WideNumber(Wide):
    """One byte."""

    code: U16 = 0x0102
    number: U8 = 0


class WidePair(Wide):
    """The same code, but longer."""

    code: U16 = 0x0102
    number: U8 = 0
    other: U8 = 0


class WideRest(Wide, fallback=True, bare=True):
    """Whatever is none of them."""

    malformed = True
    data: Rest = b""


class Wides(Header):
    """A list of the family."""

    items: Items[Wide] = ()


class Single(Header):
    """One member of the family."""

    item: Item[Wide]


PAIR = Pair(addresses=("10.0.0.1", "10.0.0.2"), numbers=(7,))
PAIR_BYTES = bytes.fromhex("01 01 0a000001 0a000002 00000007")


def test_lists_in_a_row_are_counted_when_built_and_read_by_their_counts() -> None:
    assert bytes(PAIR) == PAIR_BYTES
    read, rest = Pair.parse(PAIR_BYTES + b"rest")
    assert (read.addresses, read.numbers, rest) == (
        (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")),
        (7,),
        b"rest",
    )
    assert PAIR.spans() == (
        Span("words", 0, 8),
        Span("count", 8, 8),
        Span("addresses", 16, 64),
        Span("numbers", 80, 32),
    )


def test_a_count_that_is_given_is_kept_and_one_that_lies_is_refused_when_parsing() -> None:
    lying = PAIR.replace(words=2)
    assert bytes(lying) == b"\2" + PAIR_BYTES[1:]
    with pytest.raises(PacketError, match="2 numbers should be there, but 1 are") as caught:
        Pair.parse(bytes(lying))
    assert (caught.value.header, caught.value.field, caught.value.needed, caught.value.got) == (
        "Pair",
        "words",
        2,
        1,
    )


def test_a_count_that_does_not_fit_says_so() -> None:
    with pytest.raises(FieldError, match="has_number"):
        bytes(Maybe(number=(1, 2)))
    with pytest.raises(FieldError, match="count"):
        bytes(Pair())  # less than nothing


def test_items_that_are_counted_end_where_they_say_and_the_rest_is_the_body() -> None:
    data = b"\0\2" + 2 * PAIR_BYTES
    read, rest = Pairs.parse(data + b"rest")
    assert ([pair.numbers for pair in read.pairs], rest) == ([(7,), (7,)], b"rest")
    assert bytes(Pairs(pairs=(PAIR, PAIR))) == data
    cut, stop, _, _ = Pairs._parse(data[:-1], 0, len(data) - 1, False)
    assert (len(cut.pairs), stop) == (1, 2 + len(PAIR_BYTES))


def test_a_flag_counts_what_is_there_or_not() -> None:
    assert bytes(Maybe(rest=b"x")) == b"\3\0x"
    assert bytes(Maybe(number=(5,), rest=b"x")) == b"\7\x80\0\0\0\5x"
    read, _ = Maybe.parse(b"\7\x80\0\0\0\5x")
    assert (read.has_number, read.number, read.rest) == (True, (5,), b"x")


def test_of_two_members_of_one_code_the_last_that_fits_is_read() -> None:
    assert Wide.parse(b"\4\1\2\7")[0] == WideNumber(length=4, number=7)
    assert Wide.parse(b"\5\1\2\7\x08")[0] == WidePair(length=5, number=7, other=8)


def test_a_code_behind_the_first_byte_finds_the_member_and_what_is_too_short_is_kept() -> None:
    read, _ = Wides.parse(b"\5\1\2\7\x08\5\1\2\7\x09\xee")
    assert read.items == (
        WidePair(length=5, number=7, other=8),
        WidePair(length=5, number=7, other=9),
        WideRest(data=b"\xee"),
    )
    assert bytes(read) == b"\5\1\2\7\x08\5\1\2\7\x09\xee"
    assert Wides.parse(b"\4\xff\xff\0")[0].items == (WideRest(data=b"\4\xff\xff\0"),)


def test_one_item_ends_the_header() -> None:
    read, rest = Single.parse(b"\5\1\2\7\x08after")
    assert (read.item, rest) == ((WidePair(length=5, number=7, other=8),), b"after")
    with pytest.raises(PacketError, match="1 item should be there, but 0 are"):
        Single.parse(b"")


def test_what_cannot_be_read_again_is_refused_when_declared() -> None:
    with pytest.raises(TypeError, match="nothing can follow data"):

        class Lost(Record):
            data: Rest = b""
            more: Rest = b""

    with pytest.raises(TypeError, match="uncounted"):

        class Twice(Record):
            length: U8 = auto(HeaderLength())
            count: U8 = auto(Count("numbers"))
            numbers: U32s = ()
