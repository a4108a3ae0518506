"""Captures that others made, and what other programs read in a capture."""

from __future__ import annotations

import subprocess
from pathlib import Path

from programs import give_up, require

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

DLT = {"ATM_RFC1483": 11, "RAW": 12, "SLIP_BSDOS": 15, "PPP_BSDOS": 16, "ATM_CLIP": 19}
"""The few link types whose number in a running capture (DLT_, on Linux) is not that in a file."""


def corpus(folder: str) -> list[Path]:
    """The capture files of one collection, sorted."""
    files = [path for path in (CORPUS / folder).rglob("*") if path.is_file() and path.suffix != ".txt"]
    if not files:
        give_up(f"the {folder} captures are not there")
    return sorted(files)


def output(program: str, *arguments: object) -> list[str]:
    """The lines that a program prints on standard output, whatever its exit code."""
    require(program)
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120).stdout.splitlines()


def tshark_times(path: Path) -> list[tuple[int, int, int]]:
    """Time in nanoseconds, wire length and captured length of each packet, as tshark reads them.

    Rows without a time are not packets but other blocks, which tshark shows too.
    """
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len")
    rows = [row.split("\t") for row in tshark_fields(path, *fields)]
    return [(nanoseconds(time), int(wire), int(captured)) for time, wire, captured in rows if time]


def tshark_fields(path: Path, *fields: str, prefer: str = "udp.check_checksum:FALSE") -> list[str]:
    """tshark's table of these fields, a line a packet, with a preference of its."""
    names = [argument for field in fields for argument in ("-e", field)]
    return output("tshark", "-r", path, "-o", prefer, "-T", "fields", *names)


def nanoseconds(seconds: str) -> int:
    """`1340954905.298858000` as nanoseconds."""
    whole, _, fraction = seconds.partition(".")
    return int(whole + fraction.ljust(9, "0"))
