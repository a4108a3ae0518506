"""`rawkit echo`: the echo service (RFC 862), and its client, over every kind of socket."""

from __future__ import annotations

import errno
import inspect
import os
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from rawkit.cli.arguments import INPUT_FILE, SECONDS
from rawkit.cli.echo_reports import Place, Served, Trips, served_report, trips_report
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import FORMAT, POSITIVE_SECONDS, ended_by, terminable
from rawkit.cli.signals import StopSignals
from rawkit.echo import KINDS, Kind
from rawkit.echo.datagrams import DatagramClient
from rawkit.echo.endpoint import Client, Received, Server, Service
from rawkit.errors import KernelError, NotPermittedError, TimedOut, file_error
from rawkit.link import drop_privileges

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit echo serve tcp                       then: telnet localhost 5005
  rawkit echo serve udp :: --port 7
  rawkit echo serve unix-stream /tmp/echo --once
  rawkit echo send tcp --data 'Hello, World!'
  seq 1000 | rawkit echo send unix-seqpacket @echo

\b
Kinds: """ + ", ".join(name for name, kind in KINDS.items() if kind.module is not None)

SERVE_EXAMPLES = """\b
Examples:
  rawkit echo serve tcp
  rawkit echo serve tcp :: --port 0           IPv6 and IPv4; prints the port
  rawkit echo serve unix-dgram @echo --format json
  rawkit echo serve websocket                 then: http://127.0.0.1:5005/ in a browser

\b
It serves any number of clients at once, until Ctrl-C. What a client sends is
read only while nothing waits to go back to it, so one that does not read has
to wait. With --once it is the classic loop: one client, blocking calls."""

SEND_EXAMPLES = """\b
Examples:
  rawkit echo send tcp --data 'Hello, World!'
  rawkit echo send udp 10.0.0.2 --port 7 --data hi --timeout 0.5 --retries 3
  rawkit echo send unix-stream /tmp/echo --data hi --pass /etc/hostname

\b
A stream keeps no boundaries, so what is sent in one piece may come back in
several. Exit code 0: all came back as it was sent."""

KIND: Final = click.Choice([name for name, kind in KINDS.items() if kind.module is not None])

HOST, PORT = "127.0.0.1", 5005
WITH_PORTS: Final = ("tcp", "udp", "websocket", "raw-udp")
WITH_BOUNDARIES_LOST: Final = ("tcp", "unix-stream")
SMALL, LARGE = 20, 65_536
"""Buffers in bytes: what shows that a stream comes in pieces, and what takes every datagram."""

GONE: Final = (errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT)
"""What ends one client, and not the server."""

MOST_DATA: Final = 1 << 24

ARGUMENTS: Final = {"--retries": "retries", "--pass": "files", "--files": "files", "--text": "text"}
"""What options are called where the ends are made."""

PORT_OPTION = click.option(
    "-p", "--port", type=click.IntRange(0, 65_535), help=f"TCP or UDP port (default {PORT})."
)


@click.group("echo", epilog=EXAMPLES)
def command() -> None:
    """Serve echo (RFC 862), or have bytes echoed, over every kind of socket."""


@command.command("serve", epilog=SERVE_EXAMPLES)
@click.argument("kind", type=KIND)
@click.argument("address", required=False)
@PORT_OPTION
@click.option("-b", "--buffer", "size", type=click.IntRange(1, 1 << 24), help="Bytes to receive at once.")
@click.option("--once", is_flag=True, help="Serve one client, or answer one datagram; then end.")
@click.option("--files", is_flag=True, help="Take open files that clients pass (UNIX sockets).")
@click.option("-q", "--quiet", is_flag=True, help="Say only where it listens.")
@FORMAT
def serve(
    kind: str,
    address: str | None,
    port: int | None,
    size: int | None,
    once: bool,
    files: bool,
    quiet: bool,
    format_: str,
) -> int:
    """Echo what clients send to ADDRESS: a host of this machine, a path, @name."""
    chosen = KINDS[kind]
    if files and kind in ("unix-stream", "unix-seqpacket") and not once:
        raise click.UsageError("--files over a connection needs --once")
    options = _only_known(chosen, "Server", {"--files": files})
    size = size or (SMALL if kind in WITH_BOUNDARIES_LOST else LARGE)
    with Lines() as lines, chosen.load().Server(_address(chosen, address, port), **options) as server:
        report = served_report(format_, lines, Place(chosen, server.address, size), quiet)
        service = None if once else server.service(size, None if quiet else report)
        if not kind.startswith("unix"):  # whose files are removed in the end
            with suppress(NotPermittedError):  # a root without capabilities has none to give up
                drop_privileges()  # after which modules may no longer be readable
        try:
            return _serve_in_turn(server, report, once) if service is None else _serve(service, report)
        finally:
            report.stopped()


def _serve(service: Service, report: Served) -> int:
    with StopSignals(service.stop):
        report.listening()
        service.run()
    return OK


def _serve_in_turn(server: Server, report: Served, once: bool) -> int:
    """One client after another, with the blocking calls of the textbook."""
    try:
        with terminable():
            report.listening()
            while True:
                _serve_one(server, report)
                if once:
                    return OK
    except KeyboardInterrupt as stop:
        return ended_by(stop) if once else OK


def _serve_one(server: Server, report: Served) -> None:
    who = server.accept()
    report.connected(who)
    report.pause()
    failure: KernelError | None = None
    try:
        server.answer(who, report.place.size, lambda received: report.heard(who, received))
    except KernelError as error:
        if error.errno not in GONE:
            raise
        failure = error
        server.hang_up()
    report.closed(who, failure)
    report.pause()


@command.command("send", epilog=SEND_EXAMPLES)
@click.argument("kind", type=KIND)
@click.argument("address", required=False)
@PORT_OPTION
@click.option("-d", "--data", metavar="TEXT", help="What to send (default: standard input).")
@click.option("-c", "--count", type=click.IntRange(min=1), default=1, help="How many times (default 1).")
@click.option("-i", "--interval", type=SECONDS, default=0.0, help="Seconds between two (default 0).")
@click.option("--timeout", type=POSITIVE_SECONDS, default=2.0, help="Seconds to wait for an answer (default 2).")
@click.option("--retries", type=click.IntRange(0, 100), default=0, help="Send a datagram again so many times.")
@click.option("--text", is_flag=True, help="Send it as text rather than bytes (WebSocket).")
@click.option("-b", "--buffer", "size", type=click.IntRange(1, 1 << 24), default=LARGE, help="Bytes at once.")
@click.option("--pass", "file", metavar="FILE", type=INPUT_FILE, help="Pass this file, open (UNIX sockets).")
@click.option("-q", "--quiet", is_flag=True, help="Show the summary only.")
@FORMAT
def send(kind: str, address: str | None, port: int | None, data: str | None, format_: str, **options: Any) -> int:
    """Have bytes echoed by the server at ADDRESS, and show in which pieces they come back."""
    chosen, file = KINDS[kind], options["file"]
    where = _address(chosen, address, port)
    with ExitStack() as stack:
        lines = stack.enter_context(Lines())
        files = (stack.enter_context(_opened(file)).fileno(),) if file is not None else ()
        extra = _only_known(
            chosen, "Client", {"--retries": options["retries"], "--pass": files, "--text": options["text"]}
        )
        wanted = _standard_input() if data is None else os.fsencode(data)
        report = trips_report(format_, lines, chosen, wanted, quiet=options["quiet"])
        try:
            with terminable(), chosen.load().Client(where, timeout=options["timeout"], **extra) as client:
                report.connected(client.who())
                _have_echoed(client, report, files, **options)
                client.finish()
        except KeyboardInterrupt as stop:
            report.end()
            return ended_by(stop)
        report.end()
    return OK if report.same == options["count"] else NO


def _have_echoed(
    client: Client, report: Trips, files: tuple[int, ...], *, count: int, interval: float, size: int, **_: Any
) -> None:
    """Ask so many times; where there are no connections, a loss is not the end."""
    for number in range(1, count + 1):
        if number > 1 and interval:
            time.sleep(interval)
        before = getattr(client, "resent", 0)
        started = time.perf_counter_ns()
        pieces: list[Received] = []
        try:
            pieces.extend(client.echo(report.data, size))
        except TimedOut as error:
            report.lost(number, pieces, error)
            if not isinstance(client, DatagramClient):
                return
            continue
        taken = time.perf_counter_ns() - started
        report.trip(number, pieces, taken, getattr(client, "resent", 0) - before)
        for descriptor in (each for piece in pieces for each in piece.descriptors):
            report.file(os.path.sameopenfile(descriptor, files[0]))
            os.close(descriptor)


def _address(kind: Kind, address: str | None, port: int | None) -> Any:
    """What the kind's sockets take for the ADDRESS and --port of the command line."""
    if kind.name in WITH_PORTS:
        return (address or HOST, PORT if port is None else port)
    if port is not None:
        raise click.UsageError(f"{kind.name} has no ports; leave --port out")
    if kind.name in ("icmp", "raw-ip"):
        return (address or HOST, 0)
    if kind.name == "ether":
        if address is None:
            raise click.UsageError("ether needs an ADDRESS: an interface to serve on, MAC%INTERFACE to send to")
        mac, _, interface = address.rpartition("%")
        return (mac, interface)
    if address is None:
        unix = kind.name.startswith("unix")
        raise click.UsageError(f"{kind.name} needs an ADDRESS{': a path, or @name' if unix else ''}")
    return address


def _only_known(kind: Kind, end: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The arguments for options that are asked for. Raises UsageError for one that the kind does not have."""
    found = {}
    for option, value in wanted.items():
        name = ARGUMENTS[option]
        if value and name not in inspect.signature(getattr(kind.load(), end)).parameters:
            raise click.UsageError(f"{kind.name} has no {option}")
        if value:
            found[name] = value
    return found


def _opened(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise file_error(error, f"open {file}") from error


def _standard_input() -> bytes:
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(MOST_DATA + 1)
    if len(data) > MOST_DATA:
        raise click.UsageError(f"standard input has more than {MOST_DATA:,} bytes; send it in parts")
    return data
