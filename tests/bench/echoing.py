"""`rawkit echo serve` beside socat and the echo servers of asyncio's documentation, over a loopback of its own."""

from __future__ import annotations

import os
import re
import resource
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rawkit.netns import Host, Lab

__all__ = ["compare_echoing"]

HERE, PORT = "127.0.0.1", 5005
BUFFER: Final = 65_536
ROUNDS = 7
STREAM = 64 << 20
"""Bytes of a stream in one round."""
LITTLE = 1 << 20
"""The same for the server that takes 20 of them at once, and tells them."""
AHEAD: Final = 1 << 15
"""Bytes of it that are under way: more, and socat waits for ever for room in a pipe that it has to read itself."""
BURST, BURSTS, SIZE = 32, 1500, 512
"""Datagrams that are under way at once, how often, and their bytes."""
TRIPS = 4000
CLIENTS = 10_000

STREAMS = """
import asyncio, sys

async def handle_echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()

async def main():
    server = await asyncio.start_server(handle_echo, '127.0.0.1', int(sys.argv[1]))
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""
"""TCP echo server using streams, of asyncio's documentation, for more than one line of a client."""

DATAGRAMS = """
import asyncio, sys

class EchoServerProtocol:
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)

async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(EchoServerProtocol, local_addr=('127.0.0.1', int(sys.argv[1])))
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""UDP echo server, of asyncio's documentation, without its prints."""

RAWKIT = str(Path(sys.executable).parent / "rawkit")
DEFAULT: Final = "default"
"""rawkit as it is without options: it tells every piece, and for a stream its buffer has 20 bytes. No target."""

SERVERS: Final = {
    "tcp": {
        "rawkit": [RAWKIT, "echo", "serve", "tcp", "--quiet", "--buffer", str(BUFFER)],
        "socat": ["socat", "-b", str(BUFFER), f"TCP-LISTEN:{PORT},bind={HERE},fork,reuseaddr,nodelay", "PIPE"],
        "asyncio": [sys.executable, "-c", STREAMS, str(PORT)],
        "default": [RAWKIT, "echo", "serve", "tcp"],
    },
    "udp": {
        "rawkit": [RAWKIT, "echo", "serve", "udp", "--quiet"],
        "socat": ["socat", "-b", str(BUFFER), f"UDP-LISTEN:{PORT},bind={HERE},fork,reuseaddr", "PIPE"],
        "asyncio": [sys.executable, "-c", DATAGRAMS, str(PORT)],
        "default": [RAWKIT, "echo", "serve", "udp"],
    },
}
TYPES: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def compare_echoing() -> None:
    """Print throughput and round trips of each server, and what ten thousand clients are to ours."""
    print(f"\necho servers, as commands, over the loopback of a namespace; medians of {ROUNDS} rounds;")
    print(f"  rawkit with --quiet, all with buffers of {BUFFER:,} bytes; default: rawkit without any option")
    if os.geteuid() != 0 or shutil.which("socat") is None:
        print("  not measured: needs root and socat")
        return
    with Lab() as lab:
        host = lab.host("a")
        for kind in SERVERS:
            compare_servers(host, kind)
        report_many(host)


def compare_servers(host: Host, kind: str) -> None:
    """Every server in turn, round after round, so that a busy machine is unfair to nobody."""
    rates: dict[str, list[float]] = {name: [] for name in SERVERS[kind]}
    trips: dict[str, list[float]] = {name: [] for name in SERVERS[kind]}
    for _ in range(ROUNDS):
        for name, command in SERVERS[kind].items():
            with serving(host, command), connected(host, kind) as client:
                if kind == "udp":
                    rates[name].append(datagram_rate(client))
                else:
                    rates[name].append(stream_rate(client, LITTLE if name == DEFAULT else STREAM))
                trips[name].append(median_trip(client))
    unit, scale = ("MB/s", 1e6) if kind == "tcp" else ("datagrams/s", 1)
    rate, trip = ({n: statistics.median(each) for n, each in found.items()} for found in (rates, trips))
    for name in rate:
        line = f"  {kind} {name:8} {rate[name] / scale:10,.0f} {unit:12} round trip {trip[name] * 1e6:6.1f} µs"
        if name not in ("rawkit", DEFAULT):
            faster, sooner = rate["rawkit"] / rate[name], trip[name] / trip["rawkit"]
            verdict = "reached" if min(faster, sooner) >= LEVEL else "MISSED"
            line += (
                f"   rawkit: {faster:.2f} times its rate, {sooner:.2f} times as quick, wanted {LEVEL}: {verdict}"
            )
        print(line)


LEVEL = 0.95
"""What counts as level, on a machine whose medians differ by as much from run to run."""


@contextmanager
def serving(host: Host, command: list[str]) -> Iterator[int]:
    """A server that is ready; yields its process number."""
    with host.popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # what socat forked included
            process.wait()


@contextmanager
def connected(host: Host, kind: str) -> Iterator[socket.socket]:
    """A client of the server, once that answers."""
    deadline = time.monotonic() + 30
    while True:
        client = host.open(socket.socket, socket.AF_INET, TYPES[kind])
        client.settimeout(0.5)
        try:
            client.connect((HERE, PORT))
            client.send(b"?")
            if client.recv(1) == b"?":
                break
        except OSError:
            client.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    client.settimeout(30)
    with client:
        yield client


def stream_rate(client: socket.socket, total: int) -> float:
    """Bytes a second of so many that come back, while others go out."""
    client.setblocking(False)
    data, buffer = memoryview(bytes(AHEAD)), bytearray(AHEAD)
    poll = select.poll()
    sent = back = 0
    started = time.perf_counter()
    while back < total:
        room = min(AHEAD - (sent - back), total - sent)
        poll.register(client, select.POLLIN | (select.POLLOUT if room else 0))
        for _, event in poll.poll(30_000):
            if event & select.POLLOUT and room:
                sent += client.send(data[:room])
            if event & select.POLLIN:
                back += client.recv_into(buffer)
    taken = time.perf_counter() - started
    client.settimeout(30)
    return total / taken


def datagram_rate(client: socket.socket) -> float:
    """Datagrams a second that come back, with a burst of them under way.

    Their bytes are counted: socat sends several back as one, since its pipe keeps no boundaries.
    """
    data, buffer = bytes(SIZE), bytearray(BURST * SIZE)
    started = time.perf_counter()
    for _ in range(BURSTS):
        for _ in range(BURST):
            client.send(data)
        back = 0
        while back < BURST * SIZE:
            back += client.recv_into(buffer)
    return BURST * BURSTS / (time.perf_counter() - started)


def median_trip(client: socket.socket) -> float:
    """Seconds from a byte's send to its return."""
    trips = []
    for _ in range(TRIPS):
        started = time.perf_counter()
        client.send(b"x")
        client.recv(1)
        trips.append(time.perf_counter() - started)
    return statistics.median(trips)


class Memory(NamedTuple):
    """KiB that a server takes."""

    own: int
    kernel: int


def report_many(host: Host) -> None:
    """Ten thousand clients at once, a message each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        print(f"  ten thousand clients: not measured, ulimit -Hn is {hard}")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with serving(host, SERVERS["tcp"]["rawkit"]) as pid:
        with connected(host, "tcp"):
            pass
        before = memory_of(host, pid)
        started = time.perf_counter()
        clients = []
        try:
            for _ in range(CLIENTS):
                clients.append(host.open(socket.create_connection, (HERE, PORT), 60))
            same = sum(each_answered(clients))
            taken = time.perf_counter() - started
            after = memory_of(host, pid)
        finally:
            for client in clients:
                client.close()
    own = (after.own - before.own) * 1024 / CLIENTS
    kernel = (after.kernel - before.kernel) * 1024 / CLIENTS
    verdict = "reached" if same == CLIENTS else "MISSED"
    print(f"  {CLIENTS:,} clients at once, a message each: {same:,} answered in {taken:.1f} s: {verdict}")
    print(f"    a connection takes {own:,.0f} bytes of the server, {kernel:,.0f} of the kernel (both ends)")


def each_answered(clients: list[socket.socket]) -> Iterator[bool]:
    """Whether each gets its own message back; all are sent before one is read."""
    for number, client in enumerate(clients):
        client.sendall(b"%08d" % number)
    for number, client in enumerate(clients):
        back = b""
        while len(back) < 8 and (piece := client.recv(8)):
            back += piece
        yield back == b"%08d" % number


def memory_of(host: Host, pid: int) -> Memory:
    """What the server has resident, and the kernel's slabs (the machine's: others may move them, too)."""
    resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    slab = re.search(r"Slab:\s+(\d+)", Path("/proc/meminfo").read_text())
    assert resident is not None
    assert slab is not None
    return Memory(int(resident[1]), int(slab[1]))
