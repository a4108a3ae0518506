"""The declaration itself, on headers made up for the purpose: what is read, written, checked and refused."""

from __future__ import annotations

import copy
import inspect
import pickle
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rawkit.errors import BuildError, FieldError, PacketError, TruncatedError
from rawkit.layout import (
    AUTO,
    MAC,
    U2,
    U3,
    U5,
    U6,
    U8,
    U12,
    U16,
    U24,
    U32,
    AutoError,
    Bytes4,
    Checksum,
    Flag,
    HeaderLength,
    IPv4Addr,
    Items,
    Length,
    LengthOrNext,
    MACAddr,
    Numbers,
    OptionalU16,
    OptionalU32,
    OptionalX16,
    Presence,
    Record,
    Rest,
    Span,
    auto,
    default,
    expected,
    internet_checksum,
)
from rawkit.layout.checksum import Sums
from rawkit.wire import TCP, IPv4, IPv4NoOperation, IPv6, Packet, TCPFlags, dissect
from rawkit.wire.packet import Header

THINGS = Numbers("thing number")


class Mixed(Header, numbers={THINGS: 3}):
    """One field of each kind, with groups of 8, 16, 24 and 32 bits."""

    a: U3 = 5
    b: U5 = 0
    c: Flag = False
    d: Flag = True
    e: U2 = 0
    f: U12 = 0xABC
    g: U24 = 0
    h: U16 = 0
    i: U32 = 0
    mac: MACAddr = default("02:00:00:00:00:01")
    ip: IPv4Addr
    tag: Bytes4 = b"abcd"


class Option(Record, by="kind"):
    """A family."""

    kind: U8


class Nothing(Option):
    """A member without more than its code."""

    kind: U8 = 0


class Number(Option, values=(8, 9)):
    """A member under three codes."""

    kind: U8 = 7
    length: U8 = auto(HeaderLength())
    value: U16 = 0


class Unknown(Option, fallback=True):
    """Whatever has a length."""

    length: U8 = auto(HeaderLength())
    data: Rest = b""


class Broken(Option, fallback=True):
    """The rest."""

    malformed = True
    data: Rest = b""


class Listed(Header):
    """A header with a list, whose length counts units of 4 bytes less one, and a body length."""

    words: U8 = auto(HeaderLength(unit=4, minus=1))
    body: U8 = auto(Length())
    version: U16 = expected(2)
    options: Items[Option] = ()


def test_fields_are_packed_where_the_declaration_puts_them() -> None:
    mixed = Mixed(a=1, b=2, c=True, d=False, e=1, f=0x123, g=0x456789, h=0xBEEF, i=0xDEADBEEF, ip="10.0.0.1")
    packed = bytes(mixed)
    assert packed[:3] == bytes((0b001_00010, 0b1_0_01_0001, 0x23))
    addresses = struct.pack("!6s4s4s", b"\2\0\0\0\0\1", bytes((10, 0, 0, 1)), b"abcd")
    assert packed[3:] == bytes.fromhex("456789 BEEF DEADBEEF") + addresses
    assert Mixed.parse(packed + b"rest") == (mixed, b"rest")


def test_spans_tell_bit_offsets_and_widths() -> None:
    spans = IPv4(dst="10.0.0.2").spans()
    assert spans[:4] == (Span("version", 0, 4), Span("ihl", 4, 4), Span("dscp", 8, 6), Span("ecn", 14, 2))
    assert next(span for span in spans if span.name == "dst") == Span("dst", 128, 32)
    assert TCP.field("flags").offset == 103  # RFC 9293, figure 1, with the AE bit of RFC 9768


def test_every_truncation_is_told_with_field_needed_and_got() -> None:
    packed = bytes(Mixed(ip="10.0.0.1"))
    for length in range(len(packed)):
        with pytest.raises(TruncatedError) as caught:
            Mixed.parse(packed[:length])
        error = caught.value
        first = next(field for field in Mixed.fields() if field.offset + field.bits > 8 * length)
        assert (error.header, error.field, error.needed, error.got) == ("Mixed", first.name, len(packed), length)


def test_constructors_are_forgiving_and_attributes_exact() -> None:
    made = [Mixed(ip=ip) for ip in ("10.0.0.2", b"\x0a\0\0\2", bytearray(b"\x0a\0\0\2"), 0x0A000002)]
    assert {each.ip for each in made} == {IPv4Address("10.0.0.2")}
    for mac in ("02:00:00:00:00:09", "02-00-00-00-00-09", "0200.0000.0009", b"\2\0\0\0\0\x09"):
        assert type(Mixed(ip=1, mac=mac).mac) is MAC
        assert str(Mixed(ip=1, mac=mac).mac) == "02:00:00:00:00:09"
    for flags in ("SA", "as", 18, TCPFlags.SYN | TCPFlags.ACK):
        assert TCP(dst_port=1, flags=flags).flags is TCPFlags.SYN | TCPFlags.ACK
    assert Mixed(ip=1, c=1).c is True


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("a", 8, "0 to 7"),
        ("a", -1, "0 to 7"),
        ("a", "1", "an integer"),
        ("a", 1.0, "an integer"),
        ("a", AUTO, "an integer"),
        ("c", 2, "True or False"),
        ("c", [], "True or False"),
        ("ip", "10.0.0.256", "an IPv4 address"),
        ("ip", None, "an IPv4 address"),
        ("ip", 1 << 32, "an IPv4 address"),
        ("mac", "02:00:00:00:00", "a MAC address"),
        ("mac", b"12345", "a MAC address"),
        ("tag", b"abc", "4 bytes"),
        ("tag", "abcd", "4 bytes"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field(field: str, value: object, words: str) -> None:
    with pytest.raises(FieldError, match=words) as caught:
        Mixed(**{"ip": "10.0.0.1", field: value})
    assert (caught.value.header, caught.value.field, caught.value.value) == ("Mixed", field, value)


def test_unknown_and_missing_fields() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'x'"):
        Mixed(ip="10.0.0.1", x=1)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'ip'"):
        Mixed()
    with pytest.raises(FieldError, match="a field of Mixed: a, b"):
        Mixed(ip="10.0.0.1").replace(x=1)


def test_records_are_immutable_values() -> None:
    one, other = Mixed(ip="10.0.0.1", h=7), Mixed(ip=IPv4Address("10.0.0.1"), h=7)
    assert one == other
    assert hash(one) == hash(other)
    assert one.replace(h=8) != one
    assert one != IPv4(dst="10.0.0.1")
    for change in (lambda: setattr(one, "h", 8), lambda: setattr(one, "new", 1), lambda: delattr(one, "h")):
        with pytest.raises(AttributeError, match="replace"):
            change()
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == copy.copy(one) == one


def test_auto_is_no_value() -> None:
    header = Listed()
    assert header.words is AUTO
    for use in (lambda: header.words + 1, lambda: 1 - header.words, lambda: header.words < 3, lambda: int(AUTO)):
        with pytest.raises(AutoError, match="built"):
            use()
    assert pickle.loads(pickle.dumps(AUTO)) is AUTO
    assert bytes(Listed(words=0, body=0)) == b"\0\0\0\2"


def test_items_are_read_by_their_family_and_every_byte_is_kept() -> None:
    data = bytes((0, 7, 4, 1, 2, 9, 4, 0, 1, 5, 3, 99, 7, 3, 1, 8, 9, 1, 1, 1))
    listed = Listed(options=(Nothing(), Number(value=0x0102), Number(kind=9, value=1), Unknown(kind=5, data=b"c")))
    assert bytes(listed)[4:16] == data[:12]
    header, rest = Listed.parse(bytes((5, 0, 0, 2)) + data)
    assert rest == b""
    assert header.options[:4] == Listed.parse(bytes(listed))[0].options[:4]
    assert [type(option).__name__ for option in header.options] == [
        "Nothing", "Number", "Number", "Unknown", "Unknown", "Broken",
    ]  # fmt: skip
    assert header.options[-1] == Broken(kind=8, data=bytes((9, 1, 1, 1)))
    assert bytes(header)[4:] == data


def test_lists_are_padded_to_their_unit_only_when_the_length_is_auto() -> None:
    assert bytes(Listed(options=(Nothing(),))) == bytes((1, 0, 0, 2, 0, 0, 0, 0))
    assert bytes(Listed(words=1, options=(Nothing(),))) == bytes((1, 0, 0, 2, 0))


def test_a_length_that_lies_is_refused_by_parse() -> None:
    with pytest.raises(PacketError) as caught:
        Listed.parse(bytes((3, 0, 0, 2)))
    assert (caught.value.field, caught.value.needed, caught.value.got) == ("words", 16, 4)


def test_a_computed_length_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(FieldError, match=r"Listed\.body: expected a length that fits, 0 to 255"):
        bytes(Listed() / bytes(256))
    with pytest.raises(FieldError, match=r"IPv4\.ihl"):
        bytes(IPv4(dst="10.0.0.1", protocol=1, options=[IPv4NoOperation()] * 41))


def test_what_cannot_be_computed_says_which_field_to_give() -> None:
    for packet, field in (
        (TCP(dst_port=80), "TCP.checksum"),
        (IPv4(dst="10.0.0.1") / b"x", "IPv4.protocol"),
        (IPv4(dst="10.0.0.1") / Mixed(ip=1), "IPv4.protocol"),
    ):
        with pytest.raises(BuildError, match="give ") as caught:
            bytes(packet)
        assert f"{caught.value.header}.{caught.value.field}" == field


@given(st.binary(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8))
@example(bytes(8), [(0, 8), (1, 4)])
@example(b"\0\xff\xff\0", [(0, 4), (1, 3)])
def test_the_sum_of_any_part_is_what_its_checksum_verifies(data: bytes, parts: list[tuple[int, int]]) -> None:
    sums = Sums(data)
    for start, stop in parts:
        part = data[start : min(stop, len(data))]
        words = struct.unpack(f"!{(len(part) + 1) // 2}H", part + bytes(len(part) % 2))
        total = sum(words)
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)  # RFC 1071, section 4.1
        assert sums.words(start, min(stop, len(data))) == total


def test_the_checksum_is_that_of_rfc_1071() -> None:
    # RFC 1071, section 3: the bytes 00 01 f2 03 f4 f5 f6 f7 add up to ddf2.
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF
    assert internet_checksum(b"") == internet_checksum(bytes(8)) == 0xFFFF
    assert internet_checksum(b"\xff\xff") == 0
    assert internet_checksum(b"\x12") == internet_checksum(b"\x12\0")


def test_generated_code_can_be_read() -> None:
    assert "def parse(data, start, end, strict):" in IPv4.source()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"a": (U8, 300)}, "default 300 is not an integer from 0 to 255"),
        ({"a": (U5, 0)}, "5 bits"),
        ({"a": (Rest, b""), "b": (U8, 0)}, "nothing can follow a"),
        ({"a": (Rest, b""), "b": (Rest, b"")}, "nothing can follow a"),
        ({"a": (U2, 0), "mac": (MACAddr, "02:00:00:00:00:01"), "b": (U6, 0)}, "does not begin at a byte"),
        ({"values": (U8, 0)}, "choose another"),
        ({"self": (U8, 0)}, "choose another"),
        ({"_a": (U8, 0)}, "choose another"),
        ({"a": (int, 0)}, "says nothing of the wire"),
    ],
)
def test_a_wrong_declaration_is_refused_when_the_class_is_made(fields: dict, words: str) -> None:
    body = {name: value for name, (_, value) in fields.items()}
    body["__annotations__"] = {name: kind for name, (kind, _) in fields.items()}
    with pytest.raises(TypeError, match=words):
        type(Record)("Wrong", (Header,), {**body, "__module__": __name__})


def test_an_option_of_a_declaration_that_is_misspelt_is_refused() -> None:
    with pytest.raises(TypeError, match="Wrong: a record has no option 'number', only numbers, abstract, "):
        type(Record)("Wrong", (Header,), {"__module__": __name__}, number=6)


def test_flags_and_addresses_are_checked_in_every_form() -> None:
    for _ in range(2):  # what was refused once must not be remembered
        with pytest.raises(FieldError, match="without a zone"):
            IPv6(dst="fe80::1%eth0")
    with pytest.raises(FieldError, match="without a zone"):
        IPv6(dst=IPv6Address("fe80::1%eth0"))
    for flags in (TCPFlags(0x1200), 0x1200, 2.7, b"18", float("inf"), "X"):
        with pytest.raises(FieldError, match="FSRPAUECN"):
            TCP(dst_port=1, flags=flags)


def test_numbers_are_not_bytes() -> None:
    for call in (lambda: dissect(5), lambda: TCP.parse(5), lambda: Packet((), 5), lambda: TCP.cut(5)):
        with pytest.raises((TypeError, FieldError)):
            call()
    with pytest.raises(ValueError, match="LinkType"):
        dissect(b"x", -1)


# ---------------------------------------------------------------------- fields, lengths and numbers that depend


class Sometimes(Header):
    """Two groups of optional fields, one with a checksum over all."""

    summed: Flag = auto(Presence("checksum", "unused"))
    counted: Flag = auto(Presence("count"))
    rest: U6 = 0
    more: U8 = 0
    checksum: Annotated[OptionalX16, Checksum()] = None
    unused: OptionalU16 = None
    count: OptionalU32 = None


def test_optional_fields_are_where_the_flags_say() -> None:
    assert bytes(Sometimes()) == bytes(2)
    assert bytes(Sometimes(count=0x01020304)) == bytes((0x40, 0, 1, 2, 3, 4))
    whole = bytes(Sometimes(checksum=AUTO, count=5, more=9))
    assert internet_checksum(whole) == 0
    header, rest = Sometimes.parse(whole + b"rest")
    assert (header.count, header.unused, rest) == (5, 0, b"rest")
    assert Sometimes.parse(bytes((0x40, 0, 0, 0, 0, 7)))[0] == Packet((Sometimes(count=7),)).built().layers[0]
    assert (Sometimes.parse(bytes(2))[0].checksum, Sometimes.parse(bytes(2))[0].count) == (None, None)


def test_optional_fields_of_one_flag_stand_together() -> None:
    assert bytes(Sometimes(checksum=0)) == bytes((0x80, 0, 0, 0, 0, 0))
    assert bytes(Sometimes(unused=1)).hex() == "80007ffe0001"


def test_spans_of_optional_fields_are_where_they_stand() -> None:
    assert Sometimes(count=5).spans()[-1] == Span("count", 16, 32)
    assert Sometimes(checksum=AUTO, unused=0, count=5).spans()[-3:] == (
        Span("checksum", 16, 16), Span("unused", 32, 16), Span("count", 48, 32),
    )  # fmt: skip


def test_an_optional_field_that_is_cut_says_what_is_needed() -> None:
    for data, field, needed in ((b"\x80\0\0", "checksum", 6), (b"\xc0\0\0\0\0\0\0", "count", 10)):
        with pytest.raises(TruncatedError) as caught:
            Sometimes.parse(data)
        error = caught.value
        assert (error.header, error.field, error.needed, error.got) == ("Sometimes", field, needed, len(data))


def test_what_does_not_fit_an_optional_field_is_refused() -> None:
    for value in (1 << 16, "1", -1):
        with pytest.raises(FieldError, match="0 to 65535, or None to leave it out"):
            Sometimes(unused=value)
    with pytest.raises(FieldError, match="or AUTO"):
        Sometimes(checksum="1")


def test_an_optional_field_needs_a_flag() -> None:
    body = {"count": None, "__annotations__": {"count": OptionalU32}, "__module__": __name__}
    with pytest.raises(TypeError, match="no flag tells whether it is there"):
        type(Record)("Wrong", (Header,), body)


WIDE = Numbers("wide number", otherwise=9)
NARROW = Numbers("narrow number", within=WIDE)
LENGTHS = Numbers("length or number")
STARTS = Numbers("first byte")


class Short(Header, numbers={WIDE: 1, LENGTHS: (1, 2, 3), STARTS: 0xAA}):
    """What a length announces."""

    a: U8 = 0xAA


class Long(Header, numbers={NARROW: (5, 1), WIDE: 2, LENGTHS: 7, STARTS: 0xBB}):
    """What a number announces."""

    a: U8 = 0xBB


class Told(Header):
    """A length up to 3, or a number."""

    kind: U8 = auto(LengthOrNext(LENGTHS, longest=3))


class ByStart(Header, by=STARTS):
    """Whatever its first byte tells."""


class Carrier(Header, carries=ByStart):
    """No field tells what follows."""

    a: U8 = 0


def read(header: type[Header], data: bytes) -> list[str]:
    """The classes of the layers that are read, and where the body of the first one ends."""
    record, stop, limit, following = header._parse(data, 0, len(data), False)
    if following is None:
        return [type(record).__name__, str(limit)]
    inner = following._parse(data, stop, limit, False)[0]
    return [type(record).__name__, str(limit), type(inner).__name__]


def test_a_narrower_number_space_has_what_the_wider_one_has() -> None:
    assert (NARROW.number_of(Short), NARROW.header_of(1)) == (1, Short)  # taken first
    assert (NARROW.number_of(Long), WIDE.number_of(Long), NARROW.header_of(2)) == (5, 2, Long)
    assert WIDE.header_of(5) is None


def test_a_length_or_a_number() -> None:
    assert read(Told, bytes((2, 0xAA, 0, 0, 0))) == ["Told", "3", "Short"]
    assert read(Told, bytes((7, 0xBB, 0, 0, 0))) == ["Told", "5", "Long"]
    assert read(Told, bytes((0, 0xBB))) == ["Told", "2"]
    assert bytes(Told() / Short() / b"xy") == b"\x03\xaaxy"
    assert bytes(Told() / Long() / b"xyz") == b"\x07\xbbxyz"
    with pytest.raises(FieldError, match="a length that fits, 1 to 3, got 4"):
        bytes(Told() / Short() / b"xyz")


def test_the_first_byte_tells_what_a_header_carries() -> None:
    assert read(Carrier, bytes((0, 0xAA))) == ["Carrier", "2", "Short"]
    assert read(Carrier, bytes((0, 0xBB))) == ["Carrier", "2", "Long"]
    with pytest.raises(PacketError, match="unknown first byte 0x01"):
        read(Carrier, bytes((0, 1)))
    assert not Carrier.quotes()


def test_the_constructor_tells_what_it_takes_also_before_it_is_compiled() -> None:
    class Fresh(Record):
        """Never used before."""

        first: U8
        second: U16 = 7

    assert str(inspect.signature(Fresh)) == "(*, first, second=7)"
    assert str(inspect.signature(TCP)).startswith("(*, src_port=49152, dst_port, seq=0")
    with pytest.raises(TypeError, match="unexpected keyword argument 'third'"):
        Fresh(first=1, third=3)
