"""`rawkit decode`: its formats, filters, and how it behaves in pipes."""

from __future__ import annotations

import gzip
import json
import os
import select
import signal
import struct
import subprocess
from pathlib import Path

import pytest
from programs import require
from terminal import RAWKIT, on_a_terminal, rawkit

from rawkit import TCP, UDP, Ethernet, ICMPv4, IPv4, IPv6, LinkType, Record, dissect, open_capture, write_capture
from rawkit.views import as_object, diagram, hexdump, line, read_expression, tree

START = 1_700_000_000_000_000_000
HOST = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
PACKETS = [
    HOST / IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80) / b"hello",
    HOST / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1025, dst_port=53),
    HOST / IPv4(src="10.0.0.2", dst="10.0.0.1", checksum=1) / ICMPv4.echo_reply(id=7),
    HOST / IPv6(src="fd00::1", dst="fd00::2") / TCP(src_port=80, dst_port=1025, flags="SA"),
]
RECORDS = [
    Record(number, START + number * 1_000_000, data, len(data), LinkType.ETHERNET)
    for number, data in enumerate(map(bytes, PACKETS), 1)
]
PATIENCE = 60


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.pcapng"
    write_capture(path, RECORDS)
    return path


def test_a_line_a_packet(file: Path) -> None:
    expected = [line(record, record.packet(), origin_ns=RECORDS[0].time_ns) for record in RECORDS]
    assert rawkit("decode", file).stdout.splitlines() == expected
    assert rawkit("decode", "-", stdin=file.read_bytes()).stdout.splitlines() == expected
    assert "! IPv4.checksum: bad checksum 0x0001" in expected[2]


def test_dates_instead_of_seconds(file: Path) -> None:
    assert rawkit("decode", file, "-t", "-c1").stdout.startswith("    1 2023-11-14 22:13:20.001000 Ethernet")


@pytest.mark.parametrize(
    ("option", "view"), [("--format=tree", tree), ("--format=hex", hexdump), ("--diagram", diagram)]
)
def test_views_under_each_line(file: Path, option: str, view: object) -> None:
    expected: list[str] = []
    for record in RECORDS:
        expected.append(line(record, record.packet(), origin_ns=RECORDS[0].time_ns))
        expected += [*view(record.packet()), ""]  # type: ignore[operator]
    assert rawkit("decode", file, option).stdout.splitlines() == expected


def test_json_lines(file: Path) -> None:
    found = [json.loads(text) for text in rawkit("decode", file, "--format", "json").stdout.splitlines()]
    assert found == [as_object(record, record.packet()) for record in RECORDS]


def test_expressions_make_the_same_bytes(file: Path) -> None:
    printed = rawkit("decode", file, "--python").stdout.splitlines()
    assert [bytes(read_expression(text)) for text in printed] == [record.data for record in RECORDS]
    assert [read_expression(text) for text in printed] == [dissect(record.data) for record in RECORDS]


def test_fields_are_what_tshark_prints(file: Path) -> None:
    require("tshark")
    names = ["frame.number", "frame.time_epoch", "frame.len", "ip.src", "ipv6.dst", "tcp.srcport", "udp.length"]
    options = [option for name in names for option in ("-e", name)]
    command = ["tshark", "-r", str(file), "-T", "fields", *options]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert rawkit("decode", file, "--format", "fields", *options).stdout == printed


FILTERS = [
    "tcp port 80",
    "udp",
    "ip6",
    "icmp or udp",
    "ether src 02:00:00:00:00:01",
    "greater 60",
    "host 10.9.9.9",
]


@pytest.mark.parametrize("filter", FILTERS)
def test_filters_let_pass_what_tcpdump_does(file: Path, filter: str) -> None:
    require("tcpdump")
    command = ["tcpdump", "-nr", str(file), filter]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert len(rawkit("decode", file, "-f", filter).stdout.splitlines()) == len(printed.splitlines())


def test_filters_know_raw_ip_whose_number_differs_in_files(tmp_path: Path) -> None:
    file = tmp_path / "raw.pcap"
    write_capture(file, [IPv4(dst="10.0.0.2") / UDP(dst_port=port) for port in (53, 54)])
    assert rawkit("decode", file, "-f", "udp port 53").stdout.count("\n") == 1


def test_a_filter_that_has_no_meaning_for_the_link_type_says_so(tmp_path: Path) -> None:
    file = tmp_path / "raw.pcap"
    write_capture(file, [IPv4(dst="10.0.0.2") / UDP(dst_port=53)])
    done = rawkit("decode", file, "-f", "wlan type mgt")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_count_stops_after_so_many_that_pass(file: Path) -> None:
    assert [text.split()[0] for text in rawkit("decode", file, "-f", "tcp", "-c", "2").stdout.splitlines()] == [
        "1",
        "4",
    ]


def test_what_came_before_a_damage_is_shown_and_the_damage_told(file: Path) -> None:
    done = rawkit("decode", "-", stdin=file.read_bytes()[:-5])
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) >= 3
    assert done.stderr.startswith("rawkit: standard input: at byte ")


def test_empty_captures_are_no_error(tmp_path: Path) -> None:
    file = tmp_path / "empty.pcap"
    write_capture(file, [], link_type=LinkType.ETHERNET)
    assert rawkit("decode", file).returncode == 0


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.pcap"
    write_capture(path, (record for _ in range(5000) for record in RECORDS))
    return path


@pytest.mark.parametrize("format_", ["line", "tree", "json"])
def test_a_reader_that_stops_early_ends_it_quietly(large: Path, format_: str) -> None:
    with subprocess.Popen(
        [RAWKIT, "decode", str(large), "--format", format_], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0


def read_line(process: subprocess.Popen[bytes]) -> bytes:
    """A line that the process printed, while it goes on."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE)[0], "nothing was printed"
    return process.stdout.readline()


def decoding_a_pipe() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [RAWKIT, "decode", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


def classic_header() -> bytes:
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def classic_record(record: Record) -> bytes:
    return struct.pack("<IIII", 1_700_000_000, record.number, len(record.data), len(record.data)) + record.data


def test_packets_from_a_pipe_appear_while_it_is_open() -> None:
    with decoding_a_pipe() as process:
        assert process.stdin is not None
        process.stdin.write(classic_header())
        for record in RECORDS:
            process.stdin.write(classic_record(record))
            assert read_line(process).split()[0] == str(record.number).encode()
        process.stdin.write(b"".join(map(classic_record, RECORDS)))
        assert [read_line(process)[:5] for _ in RECORDS] == [b"    5", b"    6", b"    7", b"    8"]
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_control_c_ends_it_with_130_and_no_traceback() -> None:
    with decoding_a_pipe() as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(classic_header() + classic_record(RECORDS[0]))
        assert read_line(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == b""


def test_a_fifo_is_read_like_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with subprocess.Popen([RAWKIT, "decode", str(path)], stdout=subprocess.PIPE, bufsize=0) as process:
        with path.open("wb", buffering=0) as fifo:
            fifo.write(classic_header() + classic_record(RECORDS[0]))
            assert read_line(process).startswith(b"    1   0.000000 Ethernet")
        assert process.wait(PATIENCE) == 0


def test_comments_are_shown_and_can_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "x.pcapng"
    plain, commented = RECORDS[0], RECORDS[1]._replace(comments=("by hand", "a\x1b[2J\nb é"))
    write_capture(file, [plain, commented])
    for option in ("--format=tree", "--format=hex", "--diagram"):
        shown = rawkit("decode", file, option).stdout.splitlines()
        at = shown.index("comment  by hand")
        assert shown[at - 1].startswith("    2 ")
        assert shown[at + 1] == r"comment  a\x1b[2J\nb é"
        assert sum(text.startswith("comment ") for text in shown) == 2
    first, second = map(json.loads, rawkit("decode", file, "--format", "json").stdout.splitlines())
    assert "comments" not in first
    assert second["comments"] == ["by hand", "a\x1b[2J\nb é"]


def test_problems_are_red_on_a_terminal(file: Path) -> None:
    assert "\033[1;31m! IPv4.checksum" in on_a_terminal("decode", file)


def test_numbers_and_times_are_those_of_the_file(file: Path) -> None:
    with open_capture(file) as capture:
        expected = [str(record.number) for record in capture]
    assert [text.split()[0] for text in rawkit("decode", file).stdout.splitlines()] == expected


def test_salvage_goes_on_behind_damage(tmp_path: Path, file: Path) -> None:
    data = file.read_bytes()
    with open_capture(file) as capture:
        *_, last = capture.parts()
    (tmp_path / "bad.pcapng").write_bytes(data[: last.offset] + b"junk" * 10 + data[last.offset :])
    plain = rawkit("decode", tmp_path / "bad.pcapng")
    assert (len(plain.stdout.splitlines()), plain.returncode) == (3, 2)
    salvaged = rawkit("decode", "--salvage", tmp_path / "bad.pcapng")
    assert (salvaged.stdout, salvaged.returncode) == (rawkit("decode", file).stdout, 0)
    assert salvaged.stderr.startswith(
        f"rawkit: {tmp_path / 'bad.pcapng'}: skipped 40 bytes from byte {last.offset} on: expected a block length"
    )
    assert len(salvaged.stderr.splitlines()) == 1


def test_follow_reads_on_in_a_growing_and_a_new_file(tmp_path: Path, file: Path) -> None:
    path, whole = tmp_path / "growing.pcapng", file.read_bytes()
    with open_capture(file) as capture:
        starts = [part.offset for part in capture.parts() if part.record is not None]
    path.write_bytes(whole[: starts[1] + 5])
    lines = rawkit("decode", file).stdout.splitlines()
    with subprocess.Popen([RAWKIT, "decode", "--follow", str(path)], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline().rstrip("\n") == lines[0]
        with path.open("ab") as grown:
            grown.write(whole[starts[1] + 5 : starts[2]])
        assert program.stdout.readline().rstrip("\n") == lines[1]
        (tmp_path / "new").write_bytes(whole[: starts[1]])
        (tmp_path / "new").rename(path)
        assert program.stdout.readline().split()[0] == "3"
        program.send_signal(signal.SIGINT)
        assert program.wait(PATIENCE) == 130
        assert program.stdout.read() == ""


def test_a_compressed_file_is_decoded_as_it_is(file: Path) -> None:
    assert rawkit("decode", "-", stdin=gzip.compress(file.read_bytes())).stdout == rawkit("decode", file).stdout
