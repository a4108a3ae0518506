"""Writing: what others read in our files, what a kill leaves, and what is never written through."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_readers import output, tshark_fields, tshark_times

from rawkit.errors import FieldError, FileError
from rawkit.pcap import MAXIMUM_BLOCK, CaptureWriter, Interface, Record, open_capture, write_capture
from rawkit.wire import ARP, UDP, IPv4, Raw
from rawkit.wire.link_type import LinkType

TIME = 1_700_000_000_123_456_789
FRAMES = [bytes(12) + b"\x08\x00" + bytes(size) for size in (0, 1, 46, 1486)]
ETH0 = Interface(0, LinkType.ETHERNET, name="eth0", description="first")


def records():
    comments = [(), ("one",), ("zwöi", "three"), ()]
    return [
        Record(index + 1, TIME + index, data, len(data) + 9 * index, LinkType.ETHERNET, ETH0, comments[index])
        for index, data in enumerate(FRAMES)
    ]


class Hand:
    """A packet made by hand, as far as writing is concerned."""

    link_type = LinkType.RAW

    def __bytes__(self):
        return b"\x45" + bytes(19)


def read(source):
    with open_capture(source) as capture:
        return list(capture)


@pytest.mark.parametrize("name", ["x.pcap", "x.pcapng"])
def test_others_read_what_we_write(tmp_path, name):
    path = tmp_path / name
    assert write_capture(path, records()) == 4
    facts = [(record.time_ns, record.wire_length, len(record.data)) for record in records()]
    assert tshark_times(path) == facts
    assert output("capinfos", "-c", "-M", "-T", "-r", path) == [f"{path}\t4"]
    lines = [line.split() for line in output("tcpdump", "-r", path, "-tt", "--nano", "-xx", "-n")]
    times = [line[0] for line in lines if not line[0].startswith("0x")]
    assert times == [f"1700000000.{time % 10**9}" for time, _, _ in facts]
    shown = "".join("".join(line[1:]) for line in lines if line[0].startswith("0x"))
    assert shown == b"".join(FRAMES).hex()


def test_others_read_comments_interfaces_and_link_types(tmp_path):
    path = tmp_path / "x.pcapng"
    write_capture(path, [*records(), Hand()])
    names = tshark_fields(path, "frame.interface_name", "frame.encap_type", "frame.comment")
    assert [row.split("\t") for row in names] == [
        ["eth0", "1", ""],
        ["eth0", "1", "one"],
        ["eth0", "1", "zwöi,three"],
        ["eth0", "1", ""],
        ["unknown", "7", ""],
    ]
    found = "\n".join(output("capinfos", path))
    assert "rawkit " in found
    assert "first" in found


def test_format_follows_the_name(tmp_path):
    for name, expected in (("a.pcap", "pcap"), ("a.CAP", "pcap"), ("a.pcapng", "pcapng"), ("a", "pcapng")):
        write_capture(tmp_path / name, records())
        with open_capture(tmp_path / name) as capture:
            assert capture.format == expected
    write_capture(tmp_path / "b", records(), format="pcap")
    with open_capture(tmp_path / "b") as capture:
        assert capture.format == "pcap"
    with pytest.raises(FieldError, match=r"CaptureWriter\.format: expected 'pcap' or 'pcapng'"):
        CaptureWriter(io.BytesIO(), format="erf")


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_an_empty_capture_is_a_capture(format):
    file = io.BytesIO()
    assert write_capture(file, [], format=format) == 0
    assert read(io.BytesIO(file.getvalue())) == []


def test_packets_get_what_they_do_not_tell():
    file = io.BytesIO()
    with CaptureWriter(file, link_type=LinkType.ETHERNET) as writer:
        writer.write(Hand(), time_ns=7, comments=["mine"])
        writer.write(FRAMES[0])
        writer.write(records()[1], time_ns=8, comments=())
        writer.write(bytearray(FRAMES[0]), comments="mine alone")
        assert writer.count == 4
    first, second, third, fourth = read(io.BytesIO(file.getvalue()))
    assert first[:5] == (1, 7, bytes(Hand()), 20, LinkType.ETHERNET)
    assert second[:5] == (2, 0, FRAMES[0], 14, LinkType.ETHERNET)
    assert (first.comments, third.time_ns, third.comments) == (("mine",), 8, ())
    assert (fourth.data, fourth.comments) == (FRAMES[0], ("mine alone",))
    with pytest.raises(FieldError, match=r"give link_type=LinkType\.ETHERNET"):
        write_capture(io.BytesIO(), [FRAMES[0]])


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_the_link_type_of_packets_is_the_callers_else_their_own(format):
    class Untold(Hand):
        link_type = None

    for packet, given_type, expected in (
        (Untold(), LinkType.ETHERNET, LinkType.ETHERNET),
        (Hand(), LinkType.ETHERNET, LinkType.ETHERNET),
        (Hand(), None, LinkType.RAW),
        (Raw(data=bytes(60)) / b"", LinkType.ETHERNET, LinkType.ETHERNET),
    ):
        file = io.BytesIO()
        write_capture(file, [packet], format=format, link_type=given_type)
        assert [record.link_type for record in read(io.BytesIO(file.getvalue()))] == [expected]
    with pytest.raises(FieldError, match=r"give link_type=LinkType\.ETHERNET"):
        write_capture(io.BytesIO(), [Untold()], format=format)


def test_the_link_type_of_records_is_their_own():
    file = io.BytesIO()
    write_capture(file, records(), link_type=LinkType.RAW)
    assert {record.link_type for record in read(io.BytesIO(file.getvalue()))} == {LinkType.ETHERNET}
    with pytest.raises(FieldError, match="expected RAW like all of this classic pcap file"):
        write_capture(io.BytesIO(), records(), format="pcap", link_type=LinkType.RAW)


def test_snaplen_cuts_and_keeps_the_length_on_the_wire(tmp_path):
    for name in ("x.pcap", "x.pcapng"):
        write_capture(tmp_path / name, records(), snaplen=20)
        assert [(len(r.data), r.wire_length) for r in read(tmp_path / name)] == [
            (14, 14),
            (15, 24),
            (20, 78),
            (20, 1527),
        ]


def test_microseconds_are_rounded_down():
    file = io.BytesIO()
    write_capture(file, records(), format="pcap", nanosecond=False)
    assert {record.time_ns for record in read(io.BytesIO(file.getvalue()))} == {TIME // 1000 * 1000}


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_ns": -1}, "time_ns"),
        ({"time_ns": 2**64}, "time_ns"),
        ({"wire_length": 2**32}, "wire_length"),
        ({"data": bytes(MAXIMUM_BLOCK)}, "data"),
        ({"link_type": LinkType.RAW}, "link_type"),
        ({"comments": ("x" * 65536,)}, "comments"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_the_file_whole(format, change, field):
    good, file = records()[0], io.BytesIO()
    fits = (format, field) in {("pcap", "comments"), ("pcapng", "link_type")}
    with CaptureWriter(file, format=format, snaplen=0) as writer:
        writer.write(good)
        if not fits:
            with pytest.raises(FieldError) as caught:
                writer.write(good._replace(**change))
            assert field in str(caught.value) or format == "pcapng"
        writer.write(good)
    assert [record.data for record in read(io.BytesIO(file.getvalue()))] == [good.data] * 2


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_ns", 1.5),
        ("time_ns", None),
        ("wire_length", 3.5),
        ("wire_length", -1),
        ("link_type", 70000),
        ("link_type", -1),
        ("link_type", "ETHERNET"),
        ("comments", "abc"),
        ("comments", (1,)),
    ],
)
def test_what_no_format_holds_is_told_by_field(format, field, value):
    writer = CaptureWriter(io.BytesIO(), format=format)
    with pytest.raises(FieldError) as caught:
        writer.write(records()[0]._replace(**{field: value}))
    assert (caught.value.header, caught.value.field, caught.value.value) == ("Record", field, value)
    assert writer.count == 0


@pytest.mark.parametrize(
    "argument", [{"link_type": 70000}, {"link_type": "RAW"}, {"snaplen": 1.5}, {"snaplen": -1}]
)
def test_arguments_of_the_wrong_kind_are_told_by_name(tmp_path, argument):
    with pytest.raises(FieldError, match=f"^CaptureWriter.{next(iter(argument))}: expected"):
        CaptureWriter(tmp_path / "x.pcap", **argument)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("item", [5, "text", None, [1, 2]])
def test_what_is_no_packet_is_not_written(item):
    writer = CaptureWriter(file := io.BytesIO(), link_type=LinkType.ETHERNET)
    with pytest.raises(TypeError, match=f"expected a Record, a packet or bytes, got {type(item).__name__}"):
        writer.write(item)
    writer.close()
    assert (writer.count, read(io.BytesIO(file.getvalue()))) == (0, [])


@pytest.mark.parametrize("flush_every", [1, 100])
@pytest.mark.parametrize("target", ["path", "file"])
def test_a_closed_writer_says_so(tmp_path, target, flush_every):
    file = tmp_path / "x.pcap" if target == "path" else io.BytesIO()
    with CaptureWriter(file, format="pcap", flush_every=flush_every) as writer:
        writer.write(records()[0])
    for use in (lambda: writer.write(records()[0]), writer.flush):
        with pytest.raises(FileError, match="this writer is closed; make another"):
            use()
    writer.close()
    assert writer.count == 1


def test_a_file_that_its_owner_closed_is_one_error():
    file = io.BytesIO()
    writer = CaptureWriter(file)
    file.close()
    with pytest.raises(FileError, match=r"^write capture: is closed"):
        writer.write(records()[0])


@pytest.mark.parametrize("target", [5, None, b"x.pcap", io.StringIO(), io.TextIOWrapper(io.BytesIO())])
def test_what_is_no_target_is_a_type_error(target):
    for write in (lambda: write_capture(target, records()), lambda: CaptureWriter(target)):
        with pytest.raises(TypeError, match="expected a path, '-' or a file open in binary mode, got"):
            write()


@pytest.mark.parametrize("name", ["", "a\0b.pcap", "\ud800.pcap"])
def test_what_is_no_file_name_is_a_file_error(name):
    for write in (lambda: write_capture(name, records()), lambda: CaptureWriter(name)):
        with pytest.raises(FileError, match="no file can have this name"):
            write()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "x.pcap"
    path.touch()
    path.chmod(mode)

    def watched():
        (part,) = tmp_path.glob(".rawkit-*")
        assert part.stat().st_mode & 0o777 == mode
        yield from records()

    write_capture(path, watched())
    assert path.stat().st_mode & 0o777 == mode
    assert len(read(path)) == 4


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_capture(tmp_path / "x.pcap", records())
    finally:
        os.umask(before)
    assert (tmp_path / "x.pcap").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_replaced_file_keeps_its_owner(tmp_path):
    path = tmp_path / "x.pcap"
    path.touch()
    os.chown(path, 1234, 1235)
    path.chmod(0o640)
    write_capture(path, records())
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 1235, 0o640)


def test_a_group_that_cannot_be_kept_leaves_nothing_to_another(tmp_path, monkeypatch):
    path = tmp_path / "x.pcap"
    path.touch()
    path.chmod(0o660)
    status = path.stat()
    foreign = os.stat_result((*status[:5], status.st_gid + 1, *status[6:]))
    real = os.lstat

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(os, "lstat", lambda name: foreign if name == str(path) else real(name))
    write_capture(path, records())
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_link_type_in_a_classic_file_says_the_remedy(tmp_path):
    with pytest.raises(FieldError, match=r"expected ETHERNET .*\.pcapng.* got 'RAW'"):
        write_capture(tmp_path / "x.pcap", [records()[0], Hand()])
    assert list(tmp_path.iterdir()) == []


TIMES = {"pcap": 2**32 * 10**9 - 1, "pcapng": 2**64 - 1}
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
@given(st.data())
def test_round_trip(format, data):
    classic = format == "pcap"
    link_types = st.just(LinkType.RAW) if classic else st.sampled_from([*LinkType, LinkType(9999)])
    record = st.builds(
        Record,
        st.just(0),
        st.integers(0, TIMES[format]),
        st.binary(max_size=40),
        st.integers(0, 2**32 - 1),
        link_types,
        interface=st.none(),
        comments=st.just(()) if classic else st.lists(TEXT, max_size=3).map(tuple),
    )
    written = data.draw(st.lists(record, max_size=6))
    file = io.BytesIO()
    write_capture(file, written, format=format)
    found = read(io.BytesIO(file.getvalue()))
    assert [r._replace(interface=None) for r in found] == [
        r._replace(number=number) for number, r in enumerate(written, 1)
    ]


WRITE_FOREVER = """
import itertools, sys
from rawkit.pcap import CaptureWriter
from rawkit.wire import UDP, IPv4
from rawkit.wire.link_type import LinkType
with CaptureWriter(sys.argv[1], link_type=LinkType.ETHERNET) as writer:
    for number in itertools.count(1):
        writer.write(bytes(100), time_ns=number)
        print(number, flush=True)
"""


@pytest.mark.parametrize("name", ["x.pcap", "x.pcapng"])
def test_what_was_written_before_a_kill_is_readable(tmp_path, name):
    path = tmp_path / name
    with subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(50):
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    found = read(path)
    assert [record.time_ns for record in found] == list(range(1, len(found) + 1))
    assert len(found) >= told == 50
    assert output("capinfos", "-c", "-M", "-T", "-r", path) == [f"{path}\t{len(found)}"]


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_flush_every_counts_records(format):
    file = io.BytesIO()
    with CaptureWriter(file, format=format, link_type=LinkType.ETHERNET, flush_every=3) as writer:
        seen = []
        for frame in FRAMES:
            writer.write(frame)
            seen.append(len(read(io.BytesIO(file.getvalue()))))
        assert seen == [0, 0, 3, 3]
        writer.flush()
        assert len(read(io.BytesIO(file.getvalue()))) == 4


class Short(io.RawIOBase):
    """A stream that takes at most 7 bytes at once."""

    def __init__(self):
        self.taken = bytearray()

    def write(self, data):
        self.taken += bytes(data)[:7]
        return min(len(data), 7)


def test_short_writes_lose_nothing():
    file = Short()
    write_capture(file, records())
    assert [record.data for record in read(io.BytesIO(bytes(file.taken)))] == FRAMES


def test_to_a_fifo_and_to_standard_output(tmp_path, monkeypatch):
    fifo = tmp_path / "fifo.pcap"
    os.mkfifo(fifo)
    found = []
    reader = threading.Thread(target=lambda: found.extend(read(fifo)))
    reader.start()
    write_capture(fifo, records())
    reader.join()
    assert [record.data for record in found] == FRAMES
    assert os.listdir(tmp_path) == ["fifo.pcap"]  # noqa: PTH208

    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw := io.BytesIO()))
    write_capture("-", records())
    assert [record.data for record in read(io.BytesIO(raw.getvalue()))] == FRAMES


def test_names_of_open_descriptors_are_streams():
    readable, writable = os.pipe()
    with os.fdopen(readable, "rb") as file:
        write_capture(f"/dev/fd/{writable}", records())
        os.close(writable)
        assert [record.data for record in read(file)] == FRAMES


def test_a_collection_replaces_the_file_only_when_it_is_finished(tmp_path):
    path = tmp_path / "x.pcapng"
    write_capture(path, records())
    before = path.read_bytes()

    def fails():
        yield records()[0]
        assert path.read_bytes() == before
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_capture(path, fails())
    assert path.read_bytes() == before
    with open_capture(path) as capture:  # a file may be rewritten from itself
        write_capture(path, (record for record in capture if record.comments))
    assert [record.comments for record in read(path)] == [("one",), ("zwöi", "three")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.pcapng"]


def test_a_leftover_of_a_killed_run_is_not_touched(tmp_path):
    leftover = tmp_path / f".rawkit-{os.getpid()}-0.part"
    leftover.symlink_to(tmp_path / "victim")
    write_capture(tmp_path / "x.pcap", records())
    assert not (tmp_path / "victim").exists()
    assert len(read(tmp_path / "x.pcap")) == 4


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_nothing_is_written_through_a_link(tmp_path, make):
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    path = tmp_path / "x.pcap"
    make(victim, path)
    with pytest.raises(FileError, match=r"^write .*link.*; .*give"):
        CaptureWriter(path)
    if make is os.symlink:
        with pytest.raises(FileError, match="is a symbolic link"):
            write_capture(path, records())
    else:
        write_capture(path, records())  # takes the place of this one name
    assert victim.read_text() == "keep me"


def test_a_file_that_is_there_is_emptied_first(tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes(1000))
    with CaptureWriter(path, link_type=LinkType.ETHERNET) as writer:
        assert path.stat().st_size == 24
        writer.close()
        writer.close()


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("none/x.pcap", "no such file or folder; check the name"),
        (".", "is a folder; give the name of a file in it"),
    ],
)
def test_what_cannot_be_written_says_what_to_do(tmp_path, name, remedy):
    path = f"{tmp_path}/{name}"
    for write in (lambda: write_capture(path, records()), lambda: CaptureWriter(path)):
        with pytest.raises(FileError) as caught:
            write()
        assert str(caught.value) == f"write {path}: {remedy}"


def test_a_full_disk_is_one_error():
    with pytest.raises(FileError, match=r"^write /dev/full: the file system is full; free some space"):
        write_capture("/dev/full", records())


def test_packets_go_in_and_come_out_as_packets(tmp_path):
    packet = IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1, dst_port=2) / b"hello"
    path = tmp_path / "x.pcapng"
    write_capture(path, [packet])
    (record,) = read(path)
    assert record.link_type == packet.link_type
    assert bytes(record.packet()) == bytes(packet)
    assert record.packet()[UDP].dst_port == 2


def test_a_packet_that_no_capture_can_begin_with_needs_a_link_type(tmp_path):
    request = ARP.who_has("10.0.0.2", tell="10.0.0.1", mac="02:00:00:00:00:01")
    with pytest.raises(FieldError, match="link_type"):
        write_capture(tmp_path / "x.pcap", [request / b""])
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_whole_records_and_names_the_file(tmp_path):
    target = tmp_path / "x.pcap"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (24 + 50, before[1]))  # as a full disk: a part fits
    try:
        with CaptureWriter(target, link_type=LinkType.ETHERNET) as writer:
            writer.write(FRAMES[0])
            with pytest.raises(FileError, match=r"x\.pcap"):
                writer.write(FRAMES[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [record.data for record in read(target)] == [FRAMES[0]]
