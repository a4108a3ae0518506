"""`rawkit capture`: what crosses interfaces, shown or written, as it comes."""

from __future__ import annotations

import errno
import os
import re
import time
from contextlib import ExitStack, suppress
from typing import Any, Final, Protocol

import click

from rawkit.cli.arguments import INTERFACE, OUTPUT_FILE, Seconds
from rawkit.cli.main import OK, complain
from rawkit.cli.moments import Exact
from rawkit.cli.output import Lines, Progress, colour_wanted
from rawkit.cli.signals import StopSignals
from rawkit.cli.taps import ANY, Tap, Taps, names_of
from rawkit.errors import FileError, RawkitError
from rawkit.link import calling_user, drop_privileges
from rawkit.link.privileges import NOBODY, Identity, identity_of
from rawkit.pcap import CaptureWriter, Record, RotatingWriter, Rotation, is_replaceable
from rawkit.views import line
from rawkit.wire import LinkType

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit capture -i eth0
  rawkit capture -i eth0 -f "icmp or arp" -c 10
  rawkit capture -i eth0 -i eth1 --duration 60 -w traffic.pcapng
  rawkit capture -i any -C 100 -G 3600 -W 24 -w ring.pcapng
  rawkit capture -i eth0 -w - | wireshark -k -i -

\b
Ctrl-C ends it; what was captured is kept. Once the sockets are open, root's
privileges are given up: with sudo, the files belong to who called it. With
-C or -G the files are named ring_00001_20260131120000.pcapng and so on."""

NANOSECONDS: Final = 1_000_000_000
MILLION: Final = 1_000_000
UNITS: Final = {"": MILLION, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
"""What tcpdump means by its numbers."""


def size_of(text: str) -> int:
    """Bytes: millions, or KiB, MiB, GiB by their letter. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,9})([kKmMgG]?)", text, re.ASCII)
    size = int(found[1]) * UNITS[found[2].upper()] if found else 0
    if size < 1:
        raise ValueError(f"{text!r} is no size; such as 10 (million bytes), 512K, 100M or 2G are")
    return size


POSITIVE: Final = Seconds(0, 1_000_000, min_open=True)


@click.command("capture", epilog=EXAMPLES)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    metavar="IFACE",
    type=INTERFACE,
    multiple=True,
    help="Listen here (again: here too; any: on all that are up); by default on the first that is up.",
)
@click.option("-f", "--filter", "filter_text", metavar="FILTER", help="Only what this tcpdump filter lets pass.")
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after so many packets.")
@click.option("--duration", metavar="SECONDS", type=POSITIVE, help="Stop after so long.")
@click.option("-w", "--write", "file", metavar="FILE|-", type=OUTPUT_FILE, help="Write a capture, not lines.")
@click.option(
    "-C",
    "--rotate-size",
    metavar="SIZE",
    type=Exact("size", size_of),
    help="Begin another file before one has more million bytes (or K, M, G).",
)
@click.option("-G", "--rotate-seconds", metavar="SECONDS", type=POSITIVE, help="Begin another after so long.")
@click.option("-W", "--files", metavar="N", type=click.IntRange(min=1), help="Keep the last N files only.")
@click.option("--promiscuous", is_flag=True, help="Ask the card for frames to other hosts too.")
@click.option(
    "-s",
    "--snaplen",
    type=click.IntRange(1, 262_144),
    default=262_144,
    help="Keep so many bytes of each (default 262144).",
)
@click.option(
    "-B",
    "--buffer-size",
    metavar="KIB",
    type=click.IntRange(1024, 1 << 20),
    help="Memory for packets that wait, of each interface (default 65536 KiB, shared).",
)
@click.option("-Z", "--user", metavar="USER", help="Become this user (root: stay so, without capabilities).")
def command(
    interfaces: tuple[str, ...],
    filter_text: str | None,
    count: int | None,
    duration: float | None,
    file: str | None,
    promiscuous: bool,
    snaplen: int,
    buffer_size: int | None,
    user: str | None,
    **rotating: Any,
) -> int:
    """Show the packets that cross interfaces, or write them to a file."""
    rotation = _rotation(file, **rotating)
    with ExitStack() as stack:
        stop = stack.enter_context(StopSignals())
        taps = stack.enter_context(
            Taps(
                names_of(interfaces),
                filter=filter_text,
                promiscuous=promiscuous,
                snaplen=snaplen,
                buffer_size=None if buffer_size is None else buffer_size * 1024,
                skip_unknown=ANY in interfaces,
            )
        )
        sink: Sink = LineSink() if file is None else FileSink(file, rotation, taps)
        identity = calling_user() if user is None else _identity_of(user)
        _open_without_privileges(sink, identity, first=rotation is None and identity.uid == NOBODY)
        click.echo(f"listening on {', '.join(tap.interface.name for tap in taps.all)}; Ctrl-C ends", err=True)
        try:
            failure = _capture(taps, sink, stop, count, duration)
        finally:
            click.echo(taps.report(), err=True)
    return OK if failure is None else complain(failure)


def _rotation(
    file: str | None, rotate_size: int | None, rotate_seconds: float | None, files: int | None
) -> Rotation | None:
    if rotate_size is None and rotate_seconds is None:
        if files is not None:
            raise click.UsageError("-W keeps the last of several files; give -C SIZE or -G SECONDS too")
        return None
    if file is None or not is_replaceable(file):
        raise click.UsageError("-C and -G make several files; give their name with -w FILE")
    span = None if rotate_seconds is None else max(round(rotate_seconds * NANOSECONDS), 1)
    return Rotation(rotate_size, span, files)


def _identity_of(user: str) -> Identity:
    try:
        return identity_of(user)
    except KeyError:
        raise click.BadParameter(f"there is no user {user!r}", param_hint="-Z") from None


def _open_without_privileges(sink: Sink, user: Identity, first: bool) -> None:
    """Give privileges up and open the output, which then belongs to `user`: as a rule, who called for root.

    Where root itself called there is no such user: its one file is opened `first`. The further files of a rotation
    cannot be, so nobody has to be allowed to make them.
    """
    if first:
        sink.open()
        drop_privileges(user)
        return
    drop_privileges(user)
    try:
        sink.open()
    except FileError as error:
        if error.errno not in (errno.EACCES, errno.EPERM) or os.geteuid() != NOBODY:
            raise
        remedy = "is made without root's privileges; choose a folder that the user nobody may write to, or -Z root"
        raise FileError(error.errno, error.doing, remedy) from error


def _capture(
    taps: Taps, sink: Sink, stop: StopSignals, count: int | None, duration: float | None
) -> RawkitError | None:
    """Have packets taken until there are `count`, time is over, a signal came or nothing is left to listen on.

    Signals wake it and raise nothing. Returns what ended it too early: all interfaces gone, a full disk, a pipe
    that nobody reads; what was captured until then is kept.
    """
    try:
        with Progress("packet", "captured", wanted=sink.silent) as progress:
            _until_the_end(
                taps, sink, stop, progress, count, None if duration is None else time.monotonic() + duration
            )
        if taps.captured != count:
            taps.stop()
            while taps.take(lambda tap: sink.take(tap, _room(taps, count))) and taps.captured != count:
                pass
    except FileError as error:
        with suppress(FileError):  # the same again
            sink.close()
        return error
    try:
        sink.close()
    except FileError as error:
        return error
    return None if taps.open else taps.lost


def _until_the_end(
    taps: Taps, sink: Sink, stop: StopSignals, progress: Progress, count: int | None, deadline: float | None
) -> None:
    while stop.received is None and taps.open and taps.captured != count:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return
        if taps.take(lambda tap: sink.take(tap, _room(taps, count))):
            progress.show(taps.captured)
            continue
        pauses = [pause for pause in (left, progress.pause(taps.captured), sink.idle()) if pause is not None]
        stop.wait(taps.fileno(), min(pauses, default=None))


def _room(taps: Taps, count: int | None) -> int | None:
    """How many more packets are wanted."""
    return None if count is None else count - taps.captured


class Sink(Protocol):
    """Where packets go."""

    silent: bool
    """Whether nothing is printed, so that there is room for a count that grows."""

    def open(self) -> None:
        """Begin. Raises FileError."""

    def take(self, tap: Tap, most: int | None) -> None:
        """Take the packets that are there, at most so many. Raises TimedOut, InterfaceError, FileError."""

    def idle(self) -> float | None:
        """Nothing is there; returns the seconds after which to call again."""

    def close(self) -> None:
        """Complete what was written. Raises FileError."""


class LineSink:
    """Prints a line a packet."""

    silent = False

    def open(self) -> None:
        self._lines = Lines()
        self._colour = colour_wanted()
        self._origin_ns: int | None = None
        self._number = 0

    def take(self, tap: Tap, most: int | None) -> None:
        for frame in tap.ring.receive_many(0)[:most]:
            packet = frame.packet()
            if self._origin_ns is None:
                self._origin_ns = frame.time_ns
            self._number += 1
            link_type = packet.link_type or LinkType.RAW
            record = Record(self._number, frame.time_ns, frame.data, frame.wire_length, link_type)
            self._lines.write(line(record, packet, origin_ns=self._origin_ns, colour=self._colour))
            tap.captured += 1
        self._lines.flush()

    def idle(self) -> float | None:
        return None

    def close(self) -> None:
        self._lines.flush()


class FileSink:
    """Writes a capture file, or several in turn: whole records at every moment, at the end what was counted."""

    silent = True

    def __init__(self, file: str, rotation: Rotation | None, taps: Taps) -> None:
        import rawkit.columnar  # noqa: F401  # which the rings need, while privileges still let its files be read

        self._file, self._rotation, self._taps = file, rotation, taps
        self._writer: CaptureWriter | RotatingWriter

    def open(self) -> None:
        interfaces = [tap.interface for tap in self._taps.all]
        if self._rotation is None:
            self._writer = CaptureWriter(self._file, interfaces=interfaces)
        else:
            start_ns = min(tap.start_ns for tap in self._taps.all)
            self._writer = RotatingWriter(
                self._file, self._rotation, start_ns, self._write_counts, interfaces=interfaces
            )

    def take(self, tap: Tap, most: int | None) -> None:
        packets = tap.ring.capture(0)[:most]
        self._writer.write_many(packets, tap.interface)
        tap.captured += len(packets)

    def idle(self) -> float | None:
        if isinstance(self._writer, CaptureWriter):
            return None
        return self._writer.expire(time.time_ns())

    def close(self) -> None:
        if isinstance(self._writer, CaptureWriter):
            self._write_counts(self._writer)
        self._writer.close()

    def _write_counts(self, writer: CaptureWriter) -> None:
        for tap in self._taps.all:
            writer.write_statistics(tap.interface, tap.counts())
