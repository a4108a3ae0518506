"""`rawkit capture`: what crosses an interface, shown or written, as it comes."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import click

from rawkit.cli.arguments import INTERFACE, OUTPUT_FILE
from rawkit.cli.main import OK
from rawkit.cli.output import Lines, Progress, colour_wanted
from rawkit.cli.signals import StopSignals
from rawkit.errors import TimedOut
from rawkit.link import Frame, PacketSocket, drop_privileges, interfaces
from rawkit.pcap import CaptureWriter, Interface, Record
from rawkit.views import line
from rawkit.wire import LinkType

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit capture -i eth0
  rawkit capture -i eth0 -f "icmp or arp" -c 10
  rawkit capture -i eth0 -w traffic.pcapng
  rawkit capture -i eth0 -w - | wireshark -k -i -

\b
Ctrl-C ends it; what was captured is kept. Once the socket is open, root's
privileges are given up."""


@click.command("capture", epilog=EXAMPLES)
@click.option(
    "-i", "--interface", metavar="IFACE", type=INTERFACE, help="Listen here; by default on the first that is up."
)
@click.option("-f", "--filter", "filter_text", metavar="FILTER", help="Only what this tcpdump filter lets pass.")
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after so many packets.")
@click.option("-w", "--write", "file", metavar="FILE|-", type=OUTPUT_FILE, help="Write a capture, not lines.")
@click.option("--promiscuous", is_flag=True, help="Ask the card for frames to other hosts too.")
@click.option(
    "-s",
    "--snaplen",
    type=click.IntRange(1, 262_144),
    default=262_144,
    help="Keep so many bytes of each (default 262144).",
)
def command(
    interface: str | None,
    filter_text: str | None,
    count: int | None,
    file: str | None,
    promiscuous: bool,
    snaplen: int,
) -> int:
    """Show the packets that cross an interface, or write them to a file."""
    with ExitStack() as stack:
        stop = stack.enter_context(StopSignals())
        name = interface if interface is not None else _first_interface()
        socket = stack.enter_context(
            PacketSocket(name, promiscuous=promiscuous, filter=filter_text, snaplen=snaplen)
        )
        sink: _FileSink | _LineSink = (
            _FileSink(file, name, socket, stack) if file is not None else _LineSink(stack)
        )
        drop_privileges()
        click.echo(f"listening on {name}; Ctrl-C ends", err=True)
        try:
            _capture(socket, sink, stop, count)
        finally:
            drops = socket.statistics().drops
            click.echo(f"{sink.count} captured, {drops} dropped by the kernel", err=True)
    return OK


def _capture(socket: PacketSocket, sink: _FileSink | _LineSink, stop: StopSignals, count: int | None) -> None:
    """Hand frames to the sink until there are `count`, or a signal came. Signals wake it and raise nothing."""
    with Progress("packet", "captured", wanted=sink.silent) as progress:
        while stop.received is None and sink.count != count:
            with suppress(TimedOut):
                sink.take(socket.receive(0))
                progress.show(sink.count)
                continue
            stop.wait(socket.fileno(), progress.pause(sink.count))


class _LineSink:
    """Prints a line a frame. `count` are those printed."""

    silent = False

    def __init__(self, stack: ExitStack) -> None:
        self._lines = stack.enter_context(Lines())
        self._colour = colour_wanted()
        self._origin_ns: int | None = None
        self.count = 0

    def take(self, frame: Frame) -> None:
        packet = frame.packet()
        if self._origin_ns is None:
            self._origin_ns = frame.time_ns
        link_type = packet.link_type or LinkType.RAW
        record = Record(self.count + 1, frame.time_ns, frame.data, frame.wire_length, link_type)
        self._lines.write(line(record, packet, origin_ns=self._origin_ns, colour=self._colour))
        self._lines.flush()
        self.count += 1


class _FileSink:
    """Writes a capture file, whole records at every moment. `count` are those that are in it."""

    silent = True

    def __init__(self, file: str, name: str, socket: PacketSocket, stack: ExitStack) -> None:
        self._writer = stack.enter_context(CaptureWriter(file, link_type=socket.link_type))
        self._interface = Interface(0, socket.link_type, socket.snaplen, name)
        self._link_type = socket.link_type
        self.count = 0

    def take(self, frame: Frame) -> None:
        number = self.count + 1
        record = Record(number, frame.time_ns, frame.data, frame.wire_length, self._link_type, self._interface)
        self._writer.write(record)
        self.count += 1


def _first_interface() -> str:
    for interface in interfaces():
        if interface.state == "up" and interface.name != "lo":
            return interface.name
    raise click.UsageError("no interface is up; name one with -i (`rawkit interfaces` lists them)")
