"""`rawkit echo`: the echo service (RFC 862), and its client, over every kind of socket."""

from __future__ import annotations

import errno
import inspect
import os
import sys
import time
from contextlib import ExitStack, closing
from io import FileIO
from typing import Any, Final

import click

from rawkit.cli.arguments import INPUT_FILE, SECONDS
from rawkit.cli.echo_reports import Place, Served, Trips, served_report, trips_report
from rawkit.cli.kinds import KIND, TABLE
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines, Outlet
from rawkit.cli.probing import FORMAT, POSITIVE_SECONDS, VERSION, ended_by, terminable, version_of
from rawkit.cli.signals import StopSignals
from rawkit.echo import Kind
from rawkit.echo.endpoint import Client, Received, Server, Service
from rawkit.echo.handmade import RawSocket
from rawkit.echo.streams import StreamClient
from rawkit.echo.unnumbered import UnnumberedClient
from rawkit.errors import KernelError, ReplyError, TimedOut, file_error
from rawkit.link import Identity, drop_privileges
from rawkit.wire import Packet

__all__ = ["command"]

EXAMPLES = (
    """\b
Examples:
  rawkit echo serve tcp                       then: telnet localhost 5005
  rawkit echo serve udp :: --port 7
  rawkit echo serve unix-stream /tmp/echo --once
  rawkit echo send tcp --data 'Hello, World!'
  seq 1000 | rawkit echo send unix-seqpacket @echo

"""
    + TABLE
)

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

HOST, PORT = "127.0.0.1", 5005
NEEDED: Final = {"path": "a path, or @name", "station": "an interface to serve on, MAC%INTERFACE to send to"}
SMALL, LARGE = 20, 65_536
"""Buffers in bytes: what shows that a stream comes in pieces, and what takes every datagram."""

GONE: Final = (errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT, errno.ENOTCONN)
"""What ends one client, and not the server."""

MOST_DATA: Final = 1 << 24

ARGUMENTS: Final = {
    "--retries": "retries",
    "--pass": "files",
    "--files": "files",
    "--text": "text",
    "--max-size": "max_size",
    "-4 and -6": "ip_version",
}
"""What options are called where the ends are made."""

PORT_OPTION = click.option(
    "-p", "--port", type=click.IntRange(0, 65_535), help=f"TCP or UDP port (default {PORT})."
)
MAX_SIZE_OPTION = click.option(
    "--max-size", type=click.IntRange(1, 1 << 30), help="Bytes of a message at most (WebSocket; default 1 MiB)."
)


@click.group("echo", epilog=EXAMPLES, no_args_is_help=False)
def command() -> None:
    """Serve echo (RFC 862), or have bytes echoed, over every kind of socket."""


@command.command("serve", epilog=SERVE_EXAMPLES)
@click.argument("kind", type=KIND)
@click.argument("address", required=False)
@PORT_OPTION
@click.option("-b", "--buffer", "size", type=click.IntRange(1, 1 << 24), help="Bytes to receive at once.")
@click.option("--once", is_flag=True, help="Serve one client, or answer one datagram; then end.")
@MAX_SIZE_OPTION
@VERSION
@click.option("--files", is_flag=True, help="Take open files that clients pass (UNIX sockets).")
@click.option("-q", "--quiet", is_flag=True, help="Say only where it listens.")
@FORMAT
def serve(
    kind: Kind,
    address: str | None,
    port: int | None,
    size: int | None,
    once: bool,
    files: bool,
    quiet: bool,
    format_: str,
    max_size: int | None,
    ipv4: bool,
    ipv6: bool,
) -> int:
    """Echo what clients send to ADDRESS: a host of this machine, a path, @name."""
    wanted = {"--files": files, "--max-size": max_size, "-4 and -6": version_of(ipv4, ipv6)}
    options = _only_known(kind, "Server", wanted)
    if files and kind.connected and not once:
        raise click.UsageError("--files over a connection needs --once")
    if size is not None and _takes_whole_messages(kind):
        raise click.UsageError(f"{kind.name} has no --buffer: its messages come whole")
    size = size or (LARGE if kind.boundaries else SMALL)
    with closing(Outlet()) as outlet, kind.server(_address(kind, address, port), **options) as server:
        report = served_report(
            format_, outlet, Place(kind, server.address, getattr(server, "max_size", size)), quiet
        )
        service = None if once else server.service(size, None if quiet else report)
        _give_up_privileges(kind)  # after which modules may no longer be readable
        try:
            return _serve_in_turn(server, report, once) if service is None else _serve(service, report)
        finally:
            report.stopped()


def _takes_whole_messages(kind: Kind) -> bool:
    """Whether the size of messages is the protocol's affair, and not that of a buffer."""
    return "max_size" in inspect.signature(kind.load().Server).parameters


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
    failure: OSError | None = None
    came: Packet | None = None

    def hear(received: Received) -> None:
        nonlocal came
        came = received.packet
        report.heard(who, received)

    try:
        server.answer(who, report.place.size, hear)
    except KernelError as error:
        if error.errno not in GONE:
            raise
        failure = error
        server.hang_up()
    except ReplyError as error:  # what came is none of the protocol's
        failure = OSError(errno.EPROTO, str(error))
        server.hang_up()
    if came is not None and isinstance(server, RawSocket) and server.sent is not None:
        report.made(came, server.sent)
    report.closed(who, failure)
    report.pause()


@command.command("send", epilog=SEND_EXAMPLES)
@click.argument("kind", type=KIND)
@click.argument("address", required=False)
@PORT_OPTION
@click.option("-d", "--data", metavar="TEXT", help="What to send (default: standard input).")
@click.option("-c", "--count", type=click.IntRange(min=1), default=1, help="How many times (default 1).")
@click.option("-i", "--interval", type=SECONDS, default=0.0, help="Seconds between two (default 0).")
@click.option(
    "--timeout",
    type=POSITIVE_SECONDS,
    default=2.0,
    help="Seconds to wait for an answer; of a stream, for its next piece.",
)
@click.option("--retries", type=click.IntRange(0, 100), default=0, help="Send a datagram again so many times.")
@click.option("--text", is_flag=True, help="Send it as text rather than bytes (WebSocket).")
@MAX_SIZE_OPTION
@VERSION
@click.option("-b", "--buffer", "size", type=click.IntRange(1, 1 << 24), default=LARGE, help="Bytes at once.")
@click.option("--pass", "file", metavar="FILE", type=INPUT_FILE, help="Pass this file, open (UNIX sockets).")
@click.option("-q", "--quiet", is_flag=True, help="Show the summary only.")
@FORMAT
def send(kind: Kind, address: str | None, port: int | None, data: str | None, format_: str, **options: Any) -> int:
    """Have bytes echoed by the server at ADDRESS, and show in which pieces they come back."""
    file = options["file"]
    if port == 0:
        raise click.UsageError("nobody can be asked at port 0; give --port a number from 1 to 65535")
    where = _address(kind, address, port)
    with ExitStack() as stack:
        lines = stack.enter_context(Lines())
        files = (stack.enter_context(_opened(file)).fileno(),) if file is not None else ()
        extra = _only_known(kind, "Client", _wanted_of_client(files, **options))
        wanted = _standard_input() if data is None else os.fsencode(data)
        report = trips_report(format_, lines, kind, wanted, quiet=options["quiet"])
        try:
            with terminable(), kind.client(where, timeout=options["timeout"], **extra) as client:
                _give_up_privileges(kind)
                try:
                    report.connected(client.who())
                    _have_echoed(client, report, files, **options)
                    client.finish()
                finally:
                    report.end(client.stray)
        except KeyboardInterrupt as stop:
            return ended_by(stop)
    return OK if report.same == options["count"] and not report.kept_files else NO


def _wanted_of_client(
    files: tuple[int, ...],
    *,
    retries: int,
    text: bool,
    max_size: int | None,
    ipv4: bool,
    ipv6: bool,
    **_: Any,
) -> dict[str, Any]:
    """What is asked for that some kinds have, by the names of the options."""
    version = version_of(ipv4, ipv6)
    return {"--retries": retries, "--pass": files, "--text": text, "--max-size": max_size, "-4 and -6": version}


def _have_echoed(
    client: Client, report: Trips, files: tuple[int, ...], *, count: int, interval: float, size: int, **_: Any
) -> None:
    """Ask so many times; where there are no connections, a loss is not the end."""
    for number in range(1, count + 1):
        if number > 1:
            client.wait(interval)
        before = _resent(client)
        started = time.perf_counter_ns()
        pieces: list[Received] = []
        lost: TimedOut | None = None
        try:
            pieces.extend(client.echo(report.data, size))
        except TimedOut as error:
            lost = error
        finally:
            taken = time.perf_counter_ns() - started
            if isinstance(client, RawSocket) and client.sent is not None:
                report.asked(client.sent)
        if lost is not None:
            report.lost(number, pieces, lost)
            if report.kind.connected:
                return
            continue
        report.trip(number, pieces, taken, _resent(client) - before, client.doubtful)
        back = [each for piece in pieces for each in piece.descriptors]
        if files and number == 1:  # with which they went
            report.file(os.path.sameopenfile(back[0], files[0]) if back else None)
        for descriptor in back:
            os.close(descriptor)
        if isinstance(client, StreamClient) and sum(len(piece.data) for piece in pieces) < len(report.data):
            return  # the other end has closed


def _resent(client: Client) -> int:
    return client.resent if isinstance(client, UnnumberedClient) else 0


def _give_up_privileges(kind: Kind) -> None:
    """Once the sockets are open. Within a machine the user stays, whose the socket's file is, whom others see."""
    same = Identity(os.geteuid(), os.getegid(), tuple(os.getgroups()))
    drop_privileges(same if kind.within_machine else None)


def _address(kind: Kind, address: str | None, port: int | None) -> Any:
    """What the kind's sockets take for the ADDRESS and --port of the command line."""
    if kind.addressed_by == "port":
        return (HOST if address is None else address, PORT if port is None else port)
    if port is not None:
        raise click.UsageError(f"{kind.name} has no ports; leave --port out")
    if kind.addressed_by == "host":
        return (HOST if address is None else address, 0)
    if address is None:
        raise click.UsageError(f"{kind.name} needs an ADDRESS: {NEEDED[kind.addressed_by]}")
    if kind.addressed_by == "station":
        mac, _, interface = address.rpartition("%")
        return (mac, interface)
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


def _opened(file: str) -> FileIO:
    """The file to pass. Opening a FIFO or a device would else wait for who knows what (open(2), O_NONBLOCK)."""
    try:
        return FileIO(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise file_error(error, f"open {file}") from error


def _standard_input() -> bytes:
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(MOST_DATA + 1)
    if len(data) > MOST_DATA:
        raise click.UsageError(f"standard input has more than {MOST_DATA:,} bytes; send it in parts")
    return data
