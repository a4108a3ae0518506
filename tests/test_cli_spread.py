"""Large files, which several processes decode: the same output as from one, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rawkit import TCP, Ethernet, IPv4, LinkType
from rawkit.cli import decode
from rawkit.cli.spread import spread
from rawkit.errors import CaptureError, RawkitError
from rawkit.pcap import Record, write_capture

RAWKIT = [sys.executable, "-m", "rawkit"]
FRAME = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / IPv4(src="10.0.0.1", dst="10.0.0.2")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is worth several processes, the last batch not being full."""
    path = tmp_path_factory.mktemp("large") / "large.pcap"
    frames = [bytes(FRAME / TCP(dst_port=80 + port % 2, seq=port) / bytes(1000)) for port in range(100)]
    count = decode.LARGE // 1000 + 300
    write_capture(path, [Record(0, at * 10**6, frames[at % 100], 1054, LinkType.ETHERNET) for at in range(count)])
    return path


def decoded(*arguments: str | Path, stdin: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [*RAWKIT, "decode", *arguments]
    with (stdin or Path(os.devnull)).open("rb") as file:
        return subprocess.run(command, capture_output=True, text=True, stdin=file, check=False)


@pytest.mark.parametrize(
    "options", [[], ["--format", "json"], ["-f", "tcp port 80"], ["-c", "1500"], ["--format", "hex", "-c", "1100"]]
)
def test_several_processes_print_what_one_does(large: Path, options: list[str]) -> None:
    shared = decoded(large, *options)
    alone = decoded("-", *options, stdin=large)
    assert shared.stdout.count("\n") >= 1000
    assert (shared.returncode, shared.stderr) == (alone.returncode, alone.stderr) == (0, "")
    assert shared.stdout == alone.stdout


def test_what_is_before_a_damage_is_printed_and_then_one_error(large: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes(large.read_bytes()[:-500])
    shared, alone = decoded(damaged), decoded("-", stdin=damaged)
    assert shared.stdout == alone.stdout
    assert (shared.returncode, alone.returncode) == (2, 2)
    assert shared.stderr == alone.stderr.replace("standard input", str(damaged))


def test_nothing_is_left_when_nobody_reads_any_more(large: Path) -> None:
    process = subprocess.Popen([*RAWKIT, "decode", large], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait() == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_nothing_is_left_when_it_is_killed(large: Path) -> None:
    process = subprocess.Popen([*RAWKIT, "decode", large], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # the kernel tells nobody who is no parent
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("processes are left")


def pieces(number: int) -> Iterator[bytes]:
    yield from [b"%d" % number, b"%d" % (number + 2)]
    if number == 0:
        raise CaptureError("x.pcap", 4, "this", "that")


def test_pieces_come_in_turn_and_an_error_where_it_belongs() -> None:
    shared = spread(pieces, 2)
    assert [next(shared) for _ in range(4)] == [b"0", b"1", b"2", b"3"]
    with pytest.raises(CaptureError, match="that"):
        next(shared)


def test_a_process_that_is_killed_is_told() -> None:
    def kills_itself(number: int) -> Iterator[bytes]:
        yield b"first"
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RawkitError, match="killed"):
        list(spread(kills_itself, 1))
