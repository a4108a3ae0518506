"""Compressed captures: those of the usual programs, in pipes, cut, damaged, and larger than memory."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import threading
import tracemalloc
import zlib
from functools import cache

import pytest
from captures_by_hand import enhanced, interface, pcap_header, pcap_record, section
from hypothesis import given
from hypothesis import strategies as st
from other_readers import corpus
from programs import require

from rawkit.errors import CaptureError, MissingError
from rawkit.pcap import CaptureCopy, CaptureWriter, open_capture, write_capture

PROGRAMS = {"gz": "gzip", "zst": "zstd", "lz4": "lz4", "xz": "xz", "bz2": "bzip2"}
SUFFIXES = list(PROGRAMS)
COUNT = 3000
PLAIN = (
    section()
    + interface()
    + b"".join(enhanced(ticks=number, data=number.to_bytes(4, "big") * (number % 50)) for number in range(COUNT))
)


def run(*command, stdin=b""):
    require(command[0])
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


@cache
def compressed(suffix, data=PLAIN):
    """As the usual program does it."""
    return run(PROGRAMS[suffix], "-c", stdin=data)


def read(data):
    """The records and the error, if there is one."""
    records = []
    try:
        with open_capture(io.BytesIO(data)) as capture:
            for record in capture:
                records.append(record)
    except CaptureError as error:
        return records, error
    return records, None


EXPECTED, _ = read(PLAIN)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_programs_compress_is_read_whatever_its_name(suffix, tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(compressed(suffix))
    with open_capture(path) as capture:
        assert list(capture) == EXPECTED
    with open_capture(path) as capture:
        assert b"".join(part.raw for part in capture.parts()) == PLAIN


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_members_one_after_another_and_padding(suffix):
    half = PLAIN.index(enhanced(ticks=COUNT // 2, data=(COUNT // 2).to_bytes(4, "big") * (COUNT // 2 % 50)))
    both = compressed(suffix, PLAIN[: half + 5]) + compressed(suffix, PLAIN[half + 5 :])
    assert read(both) == (EXPECTED, None)
    assert read(compressed(suffix) + bytes(512)) == (EXPECTED, None)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_garbage_behind_is_one_error_after_all_records(suffix):
    records, error = read(compressed(suffix) + b"garbage and more of it")
    assert records == EXPECTED
    assert f"expected {PROGRAMS[suffix]} data again, or the end of the file" in str(error)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_cut_stream_gives_what_its_program_gives(suffix):
    whole = compressed(suffix)
    for cut in (len(whole) // 3, len(whole) // 2, len(whole) - 1):
        records, error = read(whole[:cut])
        assert error is not None
        assert error.expected == f"the rest of the {PROGRAMS[suffix]} data" or records == []
        require(PROGRAMS[suffix])
        command = [PROGRAMS[suffix], "-dc"]
        theirs = subprocess.run(command, input=whole[:cut], capture_output=True).stdout
        assert len(records) >= len(read(theirs)[0])
        assert records == EXPECTED[: len(records)]


CHECKS = {"gz": -8, "zst": -1, "lz4": -1, "xz": -29, "bz2": -2}
"""Where a byte of the check sum stands, from the end."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_wrong_check_sum_loses_no_record(suffix):
    whole = bytearray(run(PROGRAMS[suffix], "-c", *(["--check"] if suffix == "zst" else []), stdin=PLAIN))
    whole[CHECKS[suffix]] ^= 1
    records, error = read(bytes(whole))
    assert records == EXPECTED
    assert error is not None
    assert f"expected sound {PROGRAMS[suffix]} data" in str(error)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_damaged_deflate_gives_all_that_zlib_can_make_of_it(at):
    whole = bytearray(compressed("gz"))
    stop = int(len(whole) * at)
    whole[stop : stop + 40] = b"\xff" * 40
    inflate, plain = zlib.decompressobj(31), b""
    for position in range(len(whole)):
        try:
            plain += inflate.decompress(whole[position : position + 1])
        except zlib.error:
            break
    records, error = read(bytes(whole))
    assert error is not None
    assert records == read(plain)[0]


def test_headers_of_gzip_with_every_field():
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = body.compress(PLAIN) + body.flush()
    header = b"\x1f\x8b\x08\x1f" + bytes(6) + b"\x03\0abc" + b"name\0" + b"comment\0" + b"\0\0"
    trailer = zlib.crc32(PLAIN).to_bytes(4, "little") + len(PLAIN).to_bytes(4, "little")
    assert read(header + deflated + trailer) == (EXPECTED, None)
    _, error = read(b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 200_000)
    assert "a header of more than" in str(error)


class Trickle(io.RawIOBase):
    """A stream of which each read gives one byte."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size=-1):
        return self._data.read(min(size, 1))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_byte_by_byte_is_the_same(suffix):
    with open_capture(Trickle(compressed(suffix))) as capture:
        assert list(capture) == EXPECTED


@pytest.mark.parametrize("suffix", ["gz", "zst", "lz4"])
def test_a_record_is_there_when_it_was_flushed_into_a_pipe(suffix, tmp_path):
    fifo = tmp_path / f"x.pcapng.{suffix}"
    os.mkfifo(fifo)
    received, in_time = threading.Event(), []

    def write():
        with CaptureWriter(fifo) as writer:
            writer.write(EXPECTED[0])
            in_time.append(received.wait(30))
            writer.write(EXPECTED[1])

    thread = threading.Thread(target=write)
    thread.start()
    with open_capture(fifo) as capture:
        first = next(capture)
        received.set()
        assert [record.data for record in (first, *capture)] == [record.data for record in EXPECTED[:2]]
    thread.join()
    assert in_time == [True]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_bomb_takes_no_memory(suffix, tmp_path):
    require(PROGRAMS[suffix])
    again = pcap_record(data=bytes(60_000)) * 100
    path = tmp_path / "bomb"
    with path.open("wb") as file:
        program = subprocess.Popen([PROGRAMS[suffix], "-c"], stdin=subprocess.PIPE, stdout=file)
        program.stdin.write(pcap_header())
        for _ in range(10):
            program.stdin.write(again)
        program.stdin.close()
        assert program.wait() == 0
    tracemalloc.start()
    try:
        with open_capture(path) as capture:
            assert sum(1 for _ in capture) == 1000  # 60 MB
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_names_ask_for_compression(suffix, format, tmp_path):
    path = tmp_path / f"x.{format}.{suffix}"
    assert write_capture(path, EXPECTED) == COUNT
    plain = run(PROGRAMS[suffix], "-dc", stdin=path.read_bytes())
    with open_capture(io.BytesIO(plain)) as capture:
        assert capture.format == format
        assert [record.data for record in capture] == [record.data for record in EXPECTED]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_copies_are_compressed_by_their_name(suffix, tmp_path):
    path = tmp_path / f"x.{suffix}"
    with open_capture(io.BytesIO(PLAIN)) as capture, CaptureCopy(path, capture) as copy:
        for part in capture.parts():
            copy.write(part)
    assert run(PROGRAMS[suffix], "-dc", stdin=path.read_bytes()) == PLAIN


def test_a_missing_library_says_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lz4.frame", None)
    with pytest.raises(MissingError, match=r"^lz4 is not installed: install it with: pip install lz4$"):
        open_capture(io.BytesIO(compressed("lz4")))


def test_the_corpus_compressed_is_the_corpus():
    for path in corpus("tcpdump")[::40]:
        plain = path.read_bytes()
        ours, error = read(gzip.compress(plain))
        expected, damage = read(plain)
        assert (ours, error is None) == (expected, damage is None)


@given(st.sampled_from(SUFFIXES), st.data())
def test_any_byte_changed_is_read_or_refused(suffix, data):
    whole = bytearray(compressed(suffix, PLAIN[:2000]))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(whole))
