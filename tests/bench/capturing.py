"""What `rawkit capture -w` keeps up with beside tcpdump, as trafgen sends over veth as fast as one core can."""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rawkit.netns import Host, Lab

__all__ = ["compare_capturing"]

SECONDS = 5
ROUNDS = 3
WANTED = 3
"""How many times tcpdump's processor time a packet may take."""

SMALLEST = "{ 0x02,0,0,0,0x02,0, 0x02,0,0,0,0x01,0, 0x88,0xb5, fill(0, 46) }"
"""A frame of 60 bytes, of a type for experiments (IEEE 802)."""

MEASURED = """
import resource, signal, subprocess, sys
program = subprocess.Popen(sys.argv[1:])
signal.signal(signal.SIGINT, lambda *_: program.send_signal(signal.SIGINT))
program.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("used", used.ru_utime + used.ru_stime, file=sys.stderr)
"""
RECEIVED = re.compile(r"(\d+) (?:packets )?received")
DROPPED = re.compile(r"(\d+) (?:packets )?dropped by")
USED = re.compile(r"used ([\d.]+)")


class Run(NamedTuple):
    """What one capture was like. `used` are seconds of processor time, user and system."""

    packets: int
    drops: int
    used: float


def capture(command: list[str], folder: Path, flood: bool) -> Run:
    """One capture of a flood of `SECONDS`, or of nothing, which tells what it takes to start."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        process = b.popen([sys.executable, "-c", MEASURED, *command], stderr=subprocess.PIPE, text=True)
        with process:
            while "listening" not in (line := process.stderr.readline()):
                assert line, f"{command[0]} did not start"
            if flood:
                send(a, folder / "packet.cfg")
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
    received, dropped, used = (pattern.search(said) for pattern in (RECEIVED, DROPPED, USED))
    assert received, said
    assert dropped, said
    assert used, said
    return Run(int(received[1]), int(dropped[1]), float(used[1]))


def send(host: Host, packet: Path) -> None:
    command = ["trafgen", "-i", str(packet), "-o", "eth0", "-P", "1"]
    quiet = subprocess.DEVNULL
    sender = host.popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
    time.sleep(SECONDS)
    os.killpg(sender.pid, signal.SIGKILL)  # what it forked included
    sender.wait()
    time.sleep(0.2)


def compare_capturing() -> None:
    """Print rate, drops and processor time a packet of both, without what they take to start."""
    print(f"\ncapturing frames of 60 bytes into a file, {SECONDS} s at the rate of trafgen on one core over veth")
    missing = [name for name in ("trafgen", "tcpdump") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        print(f"  not measured: needs root and {' and '.join(missing) or 'nothing else'}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "packet.cfg").write_text(SMALLEST)
        rawkit = str(Path(sys.executable).parent / "rawkit")
        contenders = {
            "rawkit": [rawkit, "capture", "-i", "eth0", "-w", str(folder / "rawkit.pcapng")],
            "tcpdump": ["tcpdump", "-Z", "root", "-i", "eth0", "-w", str(folder / "tcpdump.pcap")],
        }
        started = {name: capture(command, folder, False).used for name, command in contenders.items()}
        runs: dict[str, list[Run]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, command in contenders.items():
                runs[name].append(capture(command, folder, True))
    costs = {}
    for name, each in runs.items():
        costs[name] = statistics.median((run.used - started[name]) / run.packets for run in each)
        rate = statistics.median(run.packets / SECONDS for run in each)
        drops = sum(run.drops for run in each)
        line = f"  {name:10} {rate:12,.0f} packets/s   {costs[name] * 1e6:6.3f} µs each   {drops} dropped"
        print(line if name != "rawkit" else f"{line}, wanted none: {'reached' if drops == 0 else 'MISSED'}")
    ratio = costs["rawkit"] / costs["tcpdump"]
    verdict = "reached" if ratio <= WANTED else "MISSED"
    print(f"  rawkit takes {ratio:.2f} times tcpdump's processor time, wanted at most {WANTED}: {verdict}")
