"""`rawkit ping`, `ask` and `scan` beside ping of iputils, scapy's sr1 and nmap, between two hosts of a lab."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rawkit.netns import Host, Lab

__all__ = ["compare_probing"]

RAWKIT = str(Path(sys.executable).parent / "rawkit")
OPEN_PORTS = (22, 80, 443, 8080, 50_000)
PINGS, SCANS, PEER_SCANS, ASKS = 100, 10, 2, 30

ASK = """
import statistics, sys, time
from rawkit import IPv4, ICMPv4
from rawkit.probe import Answer, Exchange
asked, whole = [], []
for number in range(int(sys.argv[2])):
    opened = time.perf_counter()
    with Exchange() as exchange:
        exchange.ask(IPv4(dst=sys.argv[1]) / ICMPv4.echo(id=6, seq=number) / b"hello")
        started = time.perf_counter()
        outcome = exchange.ask(IPv4(dst=sys.argv[1]) / ICMPv4.echo(id=7, seq=number) / b"hello")
        asked.append(time.perf_counter() - started)
        assert isinstance(outcome, Answer)
    whole.append(time.perf_counter() - opened)
print(statistics.median(asked), statistics.median(whole))
"""

SR1 = """
import statistics, sys, time
from scapy.layers.inet import ICMP, IP
from scapy.sendrecv import sr1
taken = []
for number in range(int(sys.argv[2])):
    started = time.perf_counter()
    answer = sr1(IP(dst=sys.argv[1]) / ICMP(id=7, seq=number) / b"hello", verbose=0, timeout=2)
    taken.append(time.perf_counter() - started)
    assert answer is not None
print(statistics.median(taken))
"""

SCAN = """
import resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
taken = time.perf_counter() - started
print(taken, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
print(done.stdout)
"""


def compare_probing() -> None:
    """Print the comparisons; where there is no root, that they are left out."""
    print("\nquestions over veth, between two hosts of a lab")
    if os.geteuid() != 0:
        print("  left out: they need root")
        return
    with ExitStack() as stack:
        lab = stack.enter_context(Lab())
        a, b = lab.hosts("a", "b")
        lab.link(a, b, offload=False)
        for port in OPEN_PORTS:
            listener = stack.enter_context(b.open(socket.socket))
            listener.bind(("", port))
            listener.listen()
        there = str(b.address(4))
        compare_pings(a, there)
        compare_asks(a, there)
        compare_scans(a, there)


def compare_pings(host: Host, there: str) -> None:
    """The round trips that each reports, in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(3):
        told = output(host, [RAWKIT, "ping", "-c", str(PINGS), "-i", "0.01", "--format", "json", there])
        ours += [probe["rtt_ns"] / 1e6 for probe in map(json.loads, told.splitlines()) if "rtt_ns" in probe]
        told = output(host, ["ping", "-c", str(PINGS), "-i", "0.01", there])
        theirs += [float(text) for text in re.findall(r"time=([\d.]+) ms", told)]
    mine, peer = statistics.median(ours), statistics.median(theirs)
    verdict = "reached" if mine <= 1.3 * peer else "MISSED"
    ratio = f"{mine / peer:.2f} times, wanted at most 1.3: {verdict}"
    print(f"  round trip: rawkit ping {mine:.3f} ms, ping {peer:.3f} ms: {ratio}")


def compare_asks(host: Host, there: str) -> None:
    """One packet and its answer; what opening and closing the sockets takes besides is told, too."""
    mine, whole = map(float, output(host, [sys.executable, "-c", ASK, there, str(ASKS)]).split())
    peer = float(output(host, [sys.executable, "-c", SR1, there, str(ASKS)]))
    ratio = f"{peer / mine:.0f} times, wanted 10: {'reached' if peer >= 10 * mine else 'MISSED'}"
    print(f"  one ask: rawkit {mine * 1000:.2f} ms, scapy's sr1 {peer * 1000:.2f} ms: {ratio}")
    print(
        f"    an exchange opened and closed for it takes {whole * 1000:.2f} ms, most of it the kernel's close(2)"
    )


def compare_scans(host: Host, there: str) -> None:
    """All ports of the neighbour, the commands as a whole."""
    ours, memory, exact = [], 0, 0
    for _ in range(SCANS):
        taken, used, told = scanned(host, [RAWKIT, "scan", "-p-", "--open", "--format", "json", there])
        ours.append(taken)
        memory = max(memory, used)
        exact += sorted(json.loads(line)["port"] for line in told) == list(OPEN_PORTS)
    mine = statistics.median(ours)
    print(
        f"  SYN scan of 65,535 ports: rawkit {mine:.2f} s ({min(ours):.2f} to {max(ours):.2f}), "
        f"{memory} MiB, wanted below 100: {'reached' if memory < 100 else 'MISSED'}"
    )
    print(f"  the open ports and no others: {exact} runs of {SCANS}: {'reached' if exact == SCANS else 'MISSED'}")
    if shutil.which("nmap") is None:
        print("  nmap is not installed")
        return
    command = ["nmap", "-sS", "-n", "-Pn", "-T5", "--min-rate", "1000000", "-p", "1-65535", there]
    theirs = [scanned(host, command)[0] for _ in range(PEER_SCANS)]
    ratio = statistics.median(theirs) / mine
    verdict = "reached" if ratio >= 8 else "MISSED"
    print(f"  nmap {statistics.median(theirs):.2f} s: {ratio:.1f} times rawkit's, wanted 8: {verdict}")


def scanned(host: Host, command: list[str]) -> tuple[float, int, list[str]]:
    """Seconds that a scan took, the most MiB that it used, and what it printed."""
    figures, *told = output(host, [sys.executable, "-c", SCAN, *command]).splitlines()
    taken, used = figures.split()
    return float(taken), int(used), [line for line in told if line]


def output(host: Host, command: list[str]) -> str:
    started = time.monotonic()
    done = host.run(command, stdout=subprocess.PIPE, text=True, timeout=120)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} failed after {time.monotonic() - started:.0f} s")
    return str(done.stdout)
