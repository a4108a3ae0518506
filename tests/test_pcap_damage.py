"""Damaged and hostile files: every record before the damage, then one error that tells where."""

from __future__ import annotations

import io
import tracemalloc
from contextlib import contextmanager

import pytest
from captures_by_hand import (
    FRAME,
    INTERFACE,
    SIMPLE,
    block,
    enhanced,
    interface,
    option,
    pcap_header,
    pcap_record,
    section,
    simple,
)
from hypothesis import given
from hypothesis import strategies as st
from other_readers import tshark_fields

from rawkit.errors import CaptureError
from rawkit.pcap import MAXIMUM_BLOCK, open_capture
from rawkit.pcap.blocks import MAXIMUM_OPTIONS
from rawkit.pcap.pcapng import MAXIMUM_INTERFACES, MAXIMUM_TEXT

ORDERS = ("<", ">")


def read(data):
    """The records and the error, if there is one; reading on after the error gives nothing."""
    records = []
    try:
        with open_capture(io.BytesIO(data)) as capture:
            try:
                records.extend(capture)
            except CaptureError as error:
                assert list(capture) == []
                return records, error
    except CaptureError as error:
        return records, error
    return records, None


@contextmanager
def traced():
    """Tells the most memory that the block took, in bytes."""
    tracemalloc.start()
    try:
        yield lambda: peak
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def facts(error):
    return error.offset, error.expected, error.found


@pytest.mark.parametrize("code", [9, 14])  # if_tsresol, if_tsoffset
def test_an_option_of_a_wrong_length_counts_for_nothing(tmp_path, code):
    path = tmp_path / "x.pcapng"
    path.write_bytes(section() + interface(options=option("<", code, bytes(3))) + enhanced(ticks=1_500_000))
    with open_capture(path) as capture:
        assert [record.time_ns for record in capture] == [1_500_000_000]
    assert tshark_fields(path, "frame.time_epoch") == ["1.500000000"]


@pytest.mark.parametrize("order", ORDERS)
def test_classic_cut_at_every_byte(order):
    parts = [
        pcap_header(order),
        pcap_record(order),
        pcap_record(order, data=b""),
        pcap_record(order, data=b"xyz"),
    ]
    whole, starts = b"".join(parts), [24, 100, 116]
    records, error = read(whole)
    assert (len(records), error) == (3, None)
    for cut in range(len(whole)):
        before, error = read(whole[:cut])
        found = [start for start in starts if start <= cut]
        assert before == records[: max(0, len(found) - 1)]
        if cut in starts:
            assert error is None
            continue
        start = found[-1] if found else 0
        if cut < 24:
            expected = "the magic number of a pcap or pcapng file" if cut < 4 else "a file header of 24 bytes"
        elif cut < start + 16:
            expected = "a record header of 16 bytes"
        else:
            start, expected = start + 16, f"{60 if start == 24 else 3} bytes of packet"
        after = f" after {cut - start}" if cut > start else ""
        assert facts(error) == (start, expected, f"the end of the file{after}")


@pytest.mark.parametrize("order", ORDERS)
def test_pcapng_cut_at_every_byte(order):
    comment = option(order, 1, b"note")
    parts = [
        section(order),
        interface(order),
        enhanced(order),
        simple(order),
        enhanced(order, options=comment),
    ]
    whole = b"".join(parts)
    starts = [sum(map(len, parts[:index])) for index in range(len(parts) + 1)]
    records, error = read(whole)
    assert (len(records), error) == (3, None)
    for cut in range(len(whole)):
        before, error = read(whole[:cut])
        start = max(start for start in starts if start <= cut)
        index = starts.index(start)
        assert before == records[: max(0, index - 2)]
        if cut == start and cut > 0:
            assert error is None
            continue
        if cut < 4:
            expected = "the magic number of a pcap or pcapng file"
        elif cut - start < 12:
            expected = "a block of at least 12 bytes"
        else:
            expected = f"a block of {len(parts[index])} bytes"
        after = f" after {cut - start}" if cut > start else ""
        assert facts(error) == (start, expected, f"the end of the file{after}")


LENGTHS = f"a block length from 12 to {MAXIMUM_BLOCK}, a multiple of 4"


def with_word(order, data, offset, value):
    return data[:offset] + value.to_bytes(4, "little" if order == "<" else "big") + data[offset + 4 :]


def pcapng_damages(order):
    """Damages after one good record, whose blocks take 140 bytes; each with the facts of its error."""
    packet = enhanced(order)
    for length in (0xFFFFFFFF, MAXIMUM_BLOCK + 4, 11, 0, 93):
        yield with_word(order, packet, 4, length), (144, LENGTHS, str(length))
    wrong_end = with_word(order, packet, len(packet) - 4, 96)
    yield wrong_end, (140 + 88, "the block length 92 again at the end of the block", "96")
    unknown = enhanced(order, index=1)
    yield unknown, (148, "one of the 1 interfaces that this section has described", "interface 1")
    room = "at most the 60 bytes of packet that the block has room for"
    yield enhanced(order, captured=61), (148, room, "a captured length of 61")
    yield enhanced(order, captured=0xFFFFFFFF), (148, room, "a captured length of 4294967295")
    yield simple(order, wire=61), (148, room, "a captured length of 61")
    yield (
        section(order) + simple(order),
        (176, "one of the 0 interfaces that this section has described", "interface 0"),
    )
    short = "bytes in the body of a block of type"
    yield block(order, 6, bytes(16)), (148, f"at least 20 {short} 0x6", "16")
    yield block(order, SIMPLE, b""), (148, f"at least 4 {short} 0x3", "0")
    yield block(order, INTERFACE, bytes(4)), (148, f"at least 8 {short} 0x1", "4")
    yield section(order)[:8].ljust(12, b"\0"), (148, "the byte-order magic 1a2b3c4d or 4d3c2b1a", "00000000")
    yield section(order, version=(2, 0)), (152, "version 1.0", "version 2.0")
    long = "an option of at most 4 bytes, which the block has left"
    bad = b"\0\1\0\5" if order == ">" else b"\1\0\5\0"
    yield enhanced(order, options=bad + b"abcd"), (148 + 20 + 60, long, "one of 5")


@pytest.mark.parametrize("order", ORDERS)
def test_pcapng_damages_say_where_and_what(order):
    good = section(order) + interface(order) + enhanced(order)
    assert len(good) == 140
    for bad, expected in pcapng_damages(order):
        records, error = read(good + bad + enhanced(order))
        assert len(records) == 1
        assert facts(error) == expected


@pytest.mark.parametrize("order", ORDERS)
def test_classic_damages_say_where_and_what(order):
    for length, snaplen, limit in (
        (0xFFFFFFFF, 65535, 262144),
        (262145, 0, 262144),
        (2**31, 2**32 - 1, MAXIMUM_BLOCK),
    ):
        good = pcap_header(order, snaplen=snaplen) + pcap_record(order)
        records, error = read(good + pcap_record(order, captured=length))
        assert len(records) == 1
        assert facts(error) == (108, f"a captured length of at most {limit} bytes", str(length))
    records, error = read(pcap_header(order, version=(2, 9)))
    assert facts(error) == (4, "version 2.4", "version 2.9")


def test_what_is_no_capture():
    _, error = read(b"GIF89a and so on")
    assert facts(error) == (0, "the magic number of a pcap or pcapng file", "47 49 46 38")
    assert str(error).startswith("capture: at byte 0: expected the magic number")


def test_interfaces_are_bounded():
    flood = section() + interface() * (MAXIMUM_INTERFACES + 1)
    records, error = read(flood)
    assert (records, error.offset) == ([], 28 + 20 * MAXIMUM_INTERFACES)
    large = interface(options=option("<", 2, bytes(2**15)) + option("<", 3, bytes(2**15)))
    _, error = read(section() + large * 17)
    expected = f"at most {MAXIMUM_TEXT} bytes of names and descriptions in a section"
    assert facts(error) == (28 + 16 * len(large) + 16, expected, str(MAXIMUM_TEXT + 2**15))


@pytest.mark.parametrize("options", [option("<", 1, b"note"), option("<", 9, b"")])
def test_options_are_bounded(options):
    _, error = read(section() + interface() + enhanced(options=options * MAXIMUM_OPTIONS))
    assert error is None
    flood = enhanced(options=options * ((MAXIMUM_BLOCK - 100) // len(options)))
    assert len(flood) > MAXIMUM_BLOCK - 100
    file = io.BytesIO(section() + interface() + flood)
    with traced() as peak, open_capture(file) as capture, pytest.raises(CaptureError) as caught:
        list(capture)
    assert caught.value.offset == 48 + 28 + 60 + MAXIMUM_OPTIONS * len(options)
    assert caught.value.expected == f"at most {MAXIMUM_OPTIONS} options in a block"
    assert peak() < 4 * MAXIMUM_BLOCK


WIDE = "\U0001f600".encode()  # one such character, and every other of its text takes four bytes too


def test_comments_are_bounded():
    comment = option("<", 1, WIDE + bytes(2**15 - 4))
    records, error = read(
        section() + interface() + enhanced(options=comment * 32) + enhanced(options=comment * 33)
    )
    assert [len(record.comments) for record in records] == [32]
    assert error.expected == f"at most {MAXIMUM_TEXT} bytes of comments on a packet"


def test_the_worst_takes_no_more_memory_than_documented():
    text = WIDE + b"\xff" * (2**15 - 20)  # and every such byte becomes four characters
    count = MAXIMUM_TEXT // len(text)
    interfaces = interface(options=option("<", 2, text)) * count + interface() * (MAXIMUM_INTERFACES - count)
    comments = option("<", 1, text) * count
    packet = enhanced(data=bytes(MAXIMUM_BLOCK - 32 - len(comments)), options=comments)
    assert len(packet) == MAXIMUM_BLOCK
    file = io.BytesIO(section() + interfaces + packet * 2)
    with traced() as peak, open_capture(file) as capture:
        assert sum(1 for _ in capture) == 2
    assert peak() < 10 * MAXIMUM_BLOCK


@pytest.mark.parametrize(
    "data",
    [
        pcap_header(snaplen=MAXIMUM_BLOCK) + pcap_record(captured=MAXIMUM_BLOCK),
        section() + with_word("<", enhanced(), 4, MAXIMUM_BLOCK),
    ],
)
def test_a_length_that_is_only_claimed_takes_no_memory(data):
    tracemalloc.start()
    try:
        records, error = read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (records, type(error)) == ([], CaptureError)
    assert peak < 1_000_000


def test_the_longest_packets_take_no_more_than_documented():
    file = io.BytesIO(section() + interface() + enhanced(data=bytes(MAXIMUM_BLOCK - 32)) * 3)
    tracemalloc.start()
    try:
        with open_capture(file) as capture:
            assert sum(1 for _ in capture) == 3
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5.1 * MAXIMUM_BLOCK


STARTS = [
    b"",
    pcap_header("<"),
    pcap_header(">", nano=True),
    section("<") + interface("<"),
    section(">") + interface(">") + enhanced(">")[:8],
    section("<") + interface("<", options=option("<", 9, b"\xff")) + enhanced("<", options=b"\1\0\2\0")[:28],
]


@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(start, rest):
    records, _ = read(start + rest)
    assert all(len(record.data) <= len(rest) for record in records)


@given(st.sampled_from(ORDERS), st.data())
def test_any_byte_changed_is_read_or_refused(order, data):
    comment = option(order, 1, b"note") + option(order, 0, b"")
    head = section(order) + interface(order, options=option(order, 9, b"\6"))
    whole = bytearray(head + enhanced(order, data=FRAME[:6], options=comment) + simple(order))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(whole))
