"""`rawkit edit`: how its arguments are read and refused, and how it behaves with pipes, links and damage."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from captures_by_hand import enhanced, interface, option, pcap_header, pcap_record, section
from other_readers import output, tshark_fields
from terminal import RAWKIT, rawkit

from rawkit.cli.moments import comment_of, count_or_span, moment_of, period_of, ranges_of, span_of
from rawkit.pcap import Moment, open_capture

SECOND = 1_000_000_000
CAPTURE = Path(__file__).resolve().parent.parent / "captures" / "ping.pcapng"


def times(path):
    with open_capture(path) as capture:
        return [record.time_ns for record in capture]


@pytest.fixture
def file(tmp_path):
    """Five packets, a second from each to the next."""
    path = tmp_path / "in.pcapng"
    packets = [enhanced(ticks=1_700_000_000_000_000 + n * 1_000_000, data=bytes([n]) * 20) for n in range(5)]
    path.write_bytes(section() + interface() + b"".join(packets))
    return path


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("10", 10 * SECOND),
        ("0.000000001", 1),
        ("-1.5", -1_500_000_000),
        ("1.5h", 5400 * SECOND),
        ("250ms", SECOND // 4),
        ("+2m", 120 * SECOND),
        ("1d", 86_400 * SECOND),
        ("7us", 7000),
        ("3ns", 3),
        ("0.1000000000", SECOND // 10),
    ],
)
def test_spans_are_exact(text, nanoseconds):
    assert span_of(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "s", "1.", ".5", "1e9", "0.0000000001", "1.5ns", "9" * 30, "1 s", "nan", "\u0661"]
)
def test_what_is_no_span(text):
    with pytest.raises(ValueError, match=r"no span|nanoseconds"):
        span_of(text)


def test_moments_as_date_reads_them():
    for text in ("2026-01-31T12:00:00", "2026-01-31 12:00", "2026-01-31", "1969-12-31T23:59:59"):
        (seconds,) = output("date", "-u", "-d", text.replace("T", " "), "+%s")
        assert moment_of(text) == Moment(int(seconds) * SECOND)
    assert moment_of("2026-01-31T12:00:00.25Z").nanoseconds % SECOND == SECOND // 4
    assert moment_of("1700000000.000000001") == Moment(1_700_000_000_000_000_001)
    assert moment_of("+10s") == Moment(10 * SECOND, from_first=True)
    for text in ("yesterday", "2026-13-01", "10s", "2026-01-31T12:00:00+01:00", "2026-01-31.5.5", "-5"):
        with pytest.raises(ValueError, match=r"no time|month|day|isoformat"):
            moment_of(text)


def test_ranges_periods_counts_and_comments():
    assert ranges_of("5-10,20-, 7,-3") == ((5, 10), (20, None), (7, 7), (1, 3))
    assert period_of("..+1s") == (None, Moment(SECOND, from_first=True))
    assert count_or_span("10") == (10, None)
    assert count_or_span("1.5h") == (None, 5400 * SECOND)
    assert comment_of("7:a:b") == (7, "a:b")
    assert comment_of("http://x") == (None, "http://x")
    assert comment_of(":12:30 it began") == (None, "12:30 it began")
    refused = [
        (ranges_of, ["", "0", "10-5", "a", "-", "1,,2", "1--2", "\u0663"]),
        (period_of, ["", "..", "10", "+1s", "+1s..+0s", "+1s..+1s", "2026-01-31..2026-01-30"]),
        (count_or_span, ["0", "-1", "1.5", "0s", "-3s", "x", "\u00b3"]),
        (comment_of, ["", "7:", "0:x", ":"]),
    ]
    for read, texts in refused:
        for text in texts:
            with pytest.raises(ValueError, match=r"."):
                read(text)


def test_choosing_by_number_and_time(file, tmp_path):
    target, all_times = tmp_path / "out.pcapng", times(file)
    for arguments, wanted in [
        (["--range", "2-3,5"], [1, 2, 4]),
        (["--range", "4-"], [3, 4]),
        (["--time", "+1s..+3s"], [1, 2]),
        (["--time", "2023-11-14T22:13:22.."], [2, 3, 4]),
        (["--time", "..1700000001.000001"], [0, 1]),
        (["--time", "+1s..", "--range", "1-3"], [1, 2]),
        (["-f", "len < 10"], []),
        (["-f", "len = 20"], [0, 1, 2, 3, 4]),
    ]:
        done = rawkit("edit", file, target, *arguments)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert done.stderr == f"{len(wanted)} of 5 packets written\n"
        assert times(target) == [all_times[index] for index in wanted], arguments


def test_all_at_once_is_done_in_the_order_that_help_tells(file, tmp_path):
    target = tmp_path / "out.pcapng"
    done = rawkit(
        "edit", "--snaplen", "5", "--comment", "4:here", "--comment", "of all", "--shift", "-0.5", "--dedupe",
        "--range", "2-8", file, target, "--merge", file, file,
    )  # fmt: skip
    assert done.stderr == "3 of 15 packets written\n"
    fields = ("frame.time_epoch", "frame.cap_len", "frame.len", "frame.comment")
    first = 1_700_000_000 * SECOND - SECOND // 2
    rows = [row.split("\t") for row in tshark_fields(target, *fields)]
    assert [row[1:] for row in rows] == [["5", "20", ""], ["5", "20", "here"], ["5", "20", ""]]
    assert times(target) == [first, first + SECOND, first + 2 * SECOND]


def test_the_format_is_that_of_the_name_else_that_of_the_input(file, tmp_path):
    classic = tmp_path / "in.pcap"
    classic.write_bytes(pcap_header() + pcap_record())
    for source, name, kind in [
        (file, "a", "pcapng"),
        (classic, "a", "pcap"),
        (file, "a.pcap", "pcap"),
        (classic, "a.ntar", "pcapng"),
        (classic, "a.pcapng.gz", "pcapng"),
        (file, "a.CAP", "pcap"),
    ]:
        assert rawkit("edit", source, tmp_path / name).returncode == 0
        with open_capture(tmp_path / name) as capture:
            assert capture.format == kind


def test_what_is_lost_is_told_in_one_line(tmp_path):
    done = rawkit("edit", CAPTURE, tmp_path / "x.pcap")
    assert done.returncode == 0
    assert done.stderr.splitlines()[1] == (
        "lost, having no place in this format: 3 comments, 3 section or interface options"
    )


def test_pipes_and_fifos(file, tmp_path):
    pipe = subprocess.run([RAWKIT, "edit", "-", "-", "--range", "2"], input=file.read_bytes(), capture_output=True)
    (tmp_path / "piped").write_bytes(pipe.stdout)
    assert times(tmp_path / "piped") == times(file)[1:2]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(file.read_bytes()))
    writer.start()
    done = rawkit("edit", fifo, tmp_path / "out.pcapng", "--split", "2")
    writer.join()
    assert done.stderr == "5 of 5 packets written to 3 files\n"
    assert times(tmp_path / "out-00003.pcapng") == times(file)[4:]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--range", "5-2"],
        ["--time", "now"],
        ["--shift", "soon"],
        ["--shift", "0.0000001"],
        ["--split", "1.5"],
        ["--split", "0"],
        ["--snaplen", "-1"],
        ["--window", "5"],
        ["--dedupe", "--window", "1000000000"],
        ["--comment", "99:too far"],
        ["--merge", "nowhere.pcap"],
        ["-f", "no such filter"],
        ["--split", "1", "--comment", "99:too far", "--range", "8-"],
        ["stray"],
    ],
    ids=" ".join,
)
def test_bad_arguments_are_one_line_and_leave_nothing(arguments, file, tmp_path):
    target = tmp_path / "out.pcapng"
    done = rawkit("edit", file, target, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rawkit: ")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.pcapng"]


def test_one_standard_input_and_no_split_of_standard_output(file):
    assert "one capture only" in rawkit("edit", "-", "out", "--merge", "-").stderr
    assert "need a name" in rawkit("edit", file, "-", "--split", "1").stderr


def test_damage_is_an_error_unless_salvaged(tmp_path):
    path, target = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    broken = enhanced(ticks=2, options=option("<", 1, b"x"))[:-4] + b"\1\1\1\1"
    path.write_bytes(section() + interface() + enhanced(ticks=1) + broken + enhanced(ticks=3))
    done = rawkit("edit", path, target)
    assert (done.returncode, len(done.stderr.splitlines()), target.exists()) == (2, 1, False)
    done = rawkit("edit", path, target, "--salvage")
    assert (done.returncode, times(target)) == (0, [1000, 3000])
    assert "skipped" in done.stderr


def test_in_place_and_never_through_a_link(file, tmp_path):
    whole = file.read_bytes()
    link = tmp_path / "link.pcapng"
    link.symlink_to(file)
    done = rawkit("edit", file, link, "--range", "1")
    assert (done.returncode, file.read_bytes()) == (3, whole)
    assert "symbolic link" in done.stderr
    assert rawkit("edit", link, file, "--range", "1").returncode == 0
    assert len(times(file)) == 1


def test_help_has_examples_that_are_read():
    told = rawkit("edit", "--help")
    assert told.returncode == 0
    assert "--merge FILE..." in told.stdout
    assert "Whatever the order of the options" in told.stdout


@pytest.mark.parametrize("name", ["in.pcapng", "in.pcap"])
@pytest.mark.parametrize("shift", ["100000000000000000", "-1000000d"])
def test_a_shift_out_of_all_time_is_told_as_the_user_wrote_it(file, name, shift):
    assert rawkit("edit", file, file.with_name("in.pcap")).returncode == 0
    target = file.with_name(f"out{Path(name).suffix}")
    done = rawkit("edit", file.with_name(name), target, "--shift", shift)
    assert (done.returncode, target.exists(), done.stderr.count("\n")) == (2, False, 1)
    assert "--shift" in done.stderr
    assert "1970" in done.stderr
    assert "time_ns" not in done.stderr


def test_a_comment_of_more_bytes_than_an_option_can_have(file, tmp_path):
    """Option Length has 16 bits (draft-ietf-opsawg-pcapng, section 3.5)."""
    fits, target = "\u00e9" * 32767 + "x", tmp_path / "out.pcapng"
    assert rawkit("edit", file, target, "--comment", f"1:{fits}").returncode == 0
    with open_capture(target) as capture:
        assert next(iter(capture)).comments == (fits,)
    done = rawkit("edit", file, target, "--comment", f"1:{fits}x")
    assert done.returncode == 2
    assert "--comment" in done.stderr
    assert "at most 65535" in done.stderr


@pytest.mark.parametrize("command", ["edit captures/ping.pcapng -", "edit captures/ping.pcapng /dev/stdout"])
def test_what_is_to_be_written_to_a_closed_output_is_an_error(command):
    done = subprocess.run(["sh", "-c", f"{RAWKIT} {command} >&-"], capture_output=True, cwd=CAPTURE.parent.parent)
    assert (done.returncode, done.stderr.count(b"\n")) == (3, 1)
    assert b"standard output" in done.stderr
