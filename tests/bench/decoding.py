"""`rawkit decode` beside tshark: a million packets to lines, and fewer to JSON, which takes tshark longer."""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rawkit import TCP, UDP, Ethernet, IPv4, IPv6, LinkType, TCPNoOperation, Timestamps
from rawkit.pcap import Record, open_capture, write_capture

__all__ = ["compare_decoding"]

PACKETS, FEW, FEWER = 1_000_000, 200_000, 100_000
ROUNDS = 3
CAPTURES = Path(__file__).resolve().parents[2] / "captures"
RAWKIT = [str(Path(sys.executable).parent / "rawkit"), "decode"]
TSHARK = ["tshark", "-n", "-r"]
FRAME = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")


def frames(count: int) -> list[bytes]:
    """Frames such as cross a network: mostly TCP with timestamps, some UDP, some IPv6; small and full ones."""
    draw, made = random.Random(7), []
    for _ in range(count):
        four = IPv4(src=f"10.0.0.{draw.randrange(1, 255)}", dst=f"10.0.1.{draw.randrange(1, 255)}")
        six = IPv6(src="fd00::1", dst=f"fd00::{draw.randrange(1, 999):x}")
        kind = draw.random()
        options = (TCPNoOperation(), TCPNoOperation(), Timestamps(value=draw.randrange(2**32), echo_reply=9))
        transport = TCP(
            src_port=draw.randrange(1024, 65536),
            dst_port=4444,
            flags="A",
            seq=draw.randrange(2**32),
            options=options,
        )
        if kind < 0.2:
            transport = UDP(src_port=draw.randrange(1024, 65536), dst_port=4444)
        payload = draw.randbytes(draw.choice((0, 0, 40, 120, 500, 1400)))
        made.append(bytes(FRAME / (six if kind > 0.9 else four) / transport / payload))
    return made


def write(path: Path, count: int) -> None:
    """A classic file of so many packets, 1,000 a second."""
    made = [(frame, len(frame)) for frame in frames(2000)]
    write_capture(path, (Record(0, at * 10**6, *made[at % 2000], LinkType.ETHERNET) for at in range(count)))


def repeat(path: Path, count: int) -> None:
    """A file of so many packets of one web request, again and again: what is quickest for tshark."""
    with open_capture(CAPTURES / "curl.pcapng") as capture:
        records = list(capture)
    write_capture(path, (records[at % len(records)] for at in range(count)))


MEASURE = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def run(command: list[str]) -> tuple[float, int]:
    """Seconds by the clock, and the most memory in MiB of a process of it.

    A small process starts it, since the kernel counts the memory of whoever starts one as its own.
    """
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], check=True, capture_output=True, text=True
    )
    seconds, memory = measured.stdout.split()
    return float(seconds), int(memory)


def compare(title: str, count: int, ours: list[str], theirs: list[str], wanted: float, rounds: int) -> int:
    """Print packets a second of both; return the most memory that ours took, in MiB."""
    pairs = [(run(ours), run(theirs)) for _ in range(rounds)]
    rawkit = statistics.median(taken for (taken, _), _ in pairs)
    tshark = statistics.median(taken for _, (taken, _) in pairs)
    times = tshark / rawkit
    print(f"\n{title}, {count:,} packets, by the clock, all cores")
    print(f"  rawkit     {count / rawkit:12,.0f} packets a second, {times:.2f} times tshark's", end="")
    print(f", wanted {wanted:g}: {'reached' if times >= wanted else 'MISSED'}")
    print(f"  tshark     {count / tshark:12,.0f} packets a second")
    return max(memory for (_, memory), _ in pairs)


def compare_decoding() -> None:
    """Print how fast capture files are decoded, beside tshark, and in how much memory."""
    if shutil.which("tshark") is None:
        print("\ntshark is not installed: decoding is not compared")
        return
    with TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.pcap", Path(folder) / "small.pcap"
        write(large, PACKETS)
        write(small, FEWER)
        much = compare("decode to lines", PACKETS, [*RAWKIT, str(large)], [*TSHARK, str(large)], 1, ROUNDS)
        repeat(large, FEW)
        title = "decode to lines, one conversation again and again"
        compare(title, FEW, [*RAWKIT, str(large)], [*TSHARK, str(large)], 1, ROUNDS)
        as_json = [*RAWKIT, str(small), "--format", "json"]
        compare("decode to JSON", FEWER, as_json, [*TSHARK, str(small), "-T", "json"], 5, ROUNDS)
        _, little = run([*RAWKIT, str(small)])
    print(f"\nmemory of a decoding process\n  {FEWER:,} packets: {little} MiB, {PACKETS:,} packets: {much} MiB")
