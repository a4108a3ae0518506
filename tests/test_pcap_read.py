"""Reading: every field of both formats, from files made by hand."""

from __future__ import annotations

import io
import os
import threading
import tracemalloc

import pytest
from captures_by_hand import (
    FRAME,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    pcap_header,
    pcap_record,
    section,
    simple,
)

from rawkit.errors import FileError
from rawkit.pcap import Interface, open_capture
from rawkit.wire.link_type import LinkType

ORDERS = ("<", ">")
EPOCH_MICROSECONDS = 1_700_000_000_123_456


def read(data):
    with open_capture(io.BytesIO(data)) as capture:
        return list(capture)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("nano", "time_ns"), [(False, 1_000_002_000), (True, 1_000_000_002)])
def test_classic_fields(order, nano, time_ns):
    data = pcap_header(order, nano=nano, link_type=0x30000065, snaplen=96)  # 3: a frame check sequence is told of
    data += pcap_record(order) + pcap_record(order, 0xFFFFFFFF, 0, b"", wire=9)
    with open_capture(io.BytesIO(data)) as capture:
        first, second = capture
        ticks = 1_000_000_000 if nano else 1_000_000
        only = Interface(0, LinkType.RAW, 96, ticks_per_second=ticks)
        assert (capture.format, capture.interfaces) == ("pcap", (only,))
    assert first == (1, time_ns, FRAME, 60, LinkType.RAW, only, (), ())
    assert second == (2, 0xFFFFFFFF * 10**9, b"", 9, LinkType.RAW, only, (), ())


@pytest.mark.parametrize("order", ORDERS)
def test_pcapng_packet_blocks(order):
    data = section(order) + interface(order, snaplen=32) + interface(order, link_type=113)
    data += enhanced(order, 1, EPOCH_MICROSECONDS, FRAME[:5], wire=1500)
    data += simple(order, 60, FRAME[:32]) + obsolete(order, 1, EPOCH_MICROSECONDS, FRAME[:3])
    data += block(order, 0xBAD, b"none of our business")
    records = read(data)
    assert [r.number for r in records] == [1, 2, 3]
    assert [r.time_ns for r in records] == [EPOCH_MICROSECONDS * 1000, 0, EPOCH_MICROSECONDS * 1000]
    assert [r.data for r in records] == [FRAME[:5], FRAME[:32], FRAME[:3]]
    assert [r.wire_length for r in records] == [1500, 60, 3]
    assert [r.interface.index for r in records] == [1, 0, 1]
    assert [r.link_type for r in records] == [LinkType.LINUX_SLL, LinkType.ETHERNET, LinkType.LINUX_SLL]


def test_sections_have_their_own_byte_order_and_interfaces():
    data = section("<") + interface("<", link_type=101) + enhanced("<")
    data += section(">", version=(1, 2)) + interface(">", options=option(">", 2, b"eth9")) + enhanced(">")
    first, second = read(data)
    assert (first.link_type, first.interface.name) == (LinkType.RAW, "")
    assert (second.link_type, second.interface.name, second.number) == (LinkType.ETHERNET, "eth9", 2)


@pytest.mark.parametrize(
    ("tsresol", "ticks", "time_ns"),
    [
        (None, 3, 3_000),
        (0, 3, 3_000_000_000),
        (3, 3, 3_000_000),
        (9, EPOCH_MICROSECONDS * 1000 + 7, EPOCH_MICROSECONDS * 1000 + 7),
        (12, 3_999, 3),
        (127, 2**64 - 1, 0),
        (0x80, 3, 3_000_000_000),
        (0x80 + 1, 3, 1_500_000_000),
        (0x80 + 32, 1 << 31, 500_000_000),
        (0xFF, 2**64 - 1, 0),
        (0, 2**64 - 1, (2**64 - 1) * 10**9),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_resolution_of_time_stamps(order, tsresol, ticks, time_ns):
    options = b"" if tsresol is None else option(order, 9, bytes([tsresol]))
    (record,) = read(section(order) + interface(order, options=options) + enhanced(order, 0, ticks))
    assert record.time_ns == time_ns


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seconds", [1_700_000_000, -5])
def test_time_offset_may_lead_before_the_epoch(order, seconds):
    offset = seconds.to_bytes(8, "little" if order == "<" else "big", signed=True)
    options = option(order, 14, offset) + option(order, 0, b"")
    data = section(order) + interface(order, options=options) + enhanced(order, 0, 1) + simple(order)
    assert [record.time_ns for record in read(data)] == [seconds * 10**9 + 1000, 0]


@pytest.mark.parametrize("order", ORDERS)
def test_comments_and_names_are_kept_readable(order):
    comments = option(order, 1, b"one") + option(order, 4, bytes(8)) + option(order, 1, "zwöi".encode())
    ended = option(order, 1, b"bad \xff") + option(order, 0, b"") + option(order, 1, b"after the end")
    names = option(order, 2, b"eth0") + option(order, 3, b"the \xc3 one")
    data = section(order) + interface(order, options=names)
    data += enhanced(order, data=FRAME[:7], options=comments) + obsolete(order, options=ended)
    first, second = read(data)
    assert (first.comments, second.comments) == (("one", "zwöi"), ("bad \\xff",))
    assert (first.interface.name, first.interface.description) == ("eth0", "the \\xc3 one")


PCAP = pcap_header() + pcap_record() + pcap_record(data=b"x")
PCAPNG = section(">") + interface(">") + enhanced(">") + enhanced(">", data=b"x")


class Trickle(io.RawIOBase):
    """A stream of which each read gives one byte."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size=-1):
        return self._data.read(min(size, 1))


@pytest.mark.parametrize("data", [PCAP, PCAPNG])
def test_byte_by_byte_is_the_same(data):
    with open_capture(Trickle(data)) as capture:
        assert list(capture) == read(data)


@pytest.mark.parametrize("data", [PCAP, PCAPNG])
def test_fifo_gives_a_record_before_the_next_is_written(data, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    received = threading.Event()
    in_time = []
    split = len(data) - len(pcap_record(data=b"x") if data is PCAP else enhanced(data=b"x"))

    def write():
        with fifo.open("wb", buffering=0) as file:
            file.write(data[:split])
            in_time.append(received.wait(30))
            file.write(data[split:])

    writer = threading.Thread(target=write)
    writer.start()
    with open_capture(fifo) as capture:
        first = next(capture)
        received.set()
        assert [first, *capture] == read(data)
    writer.join()
    assert in_time == [True]


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PCAP)))
    with open_capture("-") as capture:
        assert (capture.name, len(list(capture))) == ("standard input", 2)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(FileError, match=r"^open standard input: is closed; connect it"):
        open_capture("-")


def test_a_given_file_object_stays_open():
    file = io.BytesIO(PCAP)
    with open_capture(file):
        pass
    assert not file.closed


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.pcap", "open {}: no such file or folder; check the name"),
        (".", "open {}: is a folder; give the name of a file in it"),
    ],
)
def test_what_cannot_be_opened_says_what_to_do(tmp_path, name, message):
    path = str(tmp_path / name) if name != "." else str(tmp_path)
    with pytest.raises(FileError) as caught:
        open_capture(path)
    assert str(caught.value) == message.format(path)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (0, "int"),
        (None, "NoneType"),
        (b"x.pcap", "bytes"),
        (io.StringIO(), "a file open in text mode"),
        (io.TextIOWrapper(io.BytesIO(PCAP)), "a file open in text mode"),
    ],
)
def test_what_is_no_source_is_a_type_error(source, found):
    with pytest.raises(TypeError, match=f"expected a path, '-' or a file open in binary mode, got {found}"):
        open_capture(source)


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
def test_what_is_no_file_name_is_a_file_error(name):
    with pytest.raises(FileError) as caught:
        open_capture(name)
    assert str(caught.value) == f"file name {name!r}: no file can have this name; check it"


def test_a_file_that_is_closed_is_one_error():
    file = io.BytesIO(PCAP)
    file.close()
    with pytest.raises(FileError, match=r"^read capture: is closed"):
        open_capture(file)


@pytest.mark.parametrize("data", [PCAP, PCAPNG])
def test_a_closed_capture_gives_no_more(data):
    capture = open_capture(io.BytesIO(data))
    found = []
    for record in capture:
        found.append(record)
        capture.close()
    assert len(found) == 1
    for use in (lambda: next(capture), lambda: list(capture)):
        with pytest.raises(FileError, match=r"^read capture: this capture is closed; open it again"):
            use()
    capture.close()


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_memory_does_not_grow_with_the_stream(kind):
    frame = bytes(1400)
    head = pcap_header() if kind == "pcap" else section() + interface()
    again = (pcap_record(data=frame) if kind == "pcap" else enhanced(data=frame)) * 100
    readable, writable = os.pipe()

    def write():
        with open(writable, "wb", buffering=0) as file:  # noqa: PTH123
            for part in (head, *[again] * 300):
                file.write(part)

    writer = threading.Thread(target=write)
    writer.start()
    with open(readable, "rb") as file, open_capture(file) as capture:  # noqa: PTH123
        tracemalloc.start()
        try:
            count = sum(1 for _ in capture)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            writer.join()
    assert count == 30_000  # 42 MB
    assert peak < 2_000_000
