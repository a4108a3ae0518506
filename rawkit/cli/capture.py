"""`rawkit capture`: what crosses an interface, shown or written, as it comes."""

from __future__ import annotations

from contextlib import ExitStack

import click

from rawkit.cli.main import OK
from rawkit.cli.options import CaptureFile, InterfaceName
from rawkit.cli.output import Lines, Progress, colour_wanted
from rawkit.cli.stopping import Stopping
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
    "-i",
    "--interface",
    type=InterfaceName(),
    metavar="IFACE",
    help="Listen here (default: the first that is up).",
)
@click.option("-f", "--filter", "filter_text", metavar="FILTER", help="Only what this tcpdump filter lets pass.")
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after so many packets.")
@click.option(
    "-w", "--write", "file", type=CaptureFile(written=True), metavar="FILE|-", help="Write a capture, not lines."
)
@click.option("--promiscuous", is_flag=True, help="Ask the card for frames to other hosts too.")
@click.option(
    "-s",
    "--snaplen",
    type=click.IntRange(1, 262_144),
    default=262_144,
    show_default=True,
    help="Bytes of each.",
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
    name = interface or _first_interface()
    captured = 0
    with ExitStack() as stack:
        socket = stack.enter_context(
            PacketSocket(name, promiscuous=promiscuous, filter=filter_text, snaplen=snaplen)
        )
        sink: _FileSink | _LineSink = _LineSink(stack) if file is None else _FileSink(file, name, socket, stack)
        drop_privileges()
        stopping = stack.enter_context(Stopping())
        click.echo(f"listening on {name}; Ctrl-C ends", err=True)
        try:
            while captured != count and stopping.wait(socket):
                try:
                    frame = socket.receive(0)
                except TimedOut:
                    continue  # a frame whose checksum the kernel found wrong makes a socket readable, too
                sink.take(captured + 1, frame)
                captured += 1
        finally:
            sink.end()
            drops = socket.statistics().drops
            click.echo(f"{captured} captured, {drops} dropped by the kernel", err=True)
    return OK


class _LineSink:
    """Prints a line a frame."""

    def __init__(self, stack: ExitStack) -> None:
        self._lines = stack.enter_context(Lines())
        self._colour = colour_wanted()
        self._origin_ns: int | None = None

    def take(self, number: int, frame: Frame) -> None:
        packet = frame.packet()
        if self._origin_ns is None:
            self._origin_ns = frame.time_ns
        link_type = packet.link_type or LinkType.RAW
        record = Record(number, frame.time_ns, frame.data, frame.wire_length, link_type)
        self._lines.write(line(record, packet, origin_ns=self._origin_ns, colour=self._colour))
        self._lines.flush()

    def end(self) -> None:
        """Nothing is left to do."""


class _FileSink:
    """Writes a capture file, whole records at every moment."""

    def __init__(self, file: str, name: str, socket: PacketSocket, stack: ExitStack) -> None:
        self._writer = stack.enter_context(CaptureWriter(file, link_type=socket.link_type))
        self._interface = Interface(0, socket.link_type, socket.snaplen, name)
        self._link_type = socket.link_type
        self._progress = Progress("captured")

    def take(self, number: int, frame: Frame) -> None:
        record = Record(number, frame.time_ns, frame.data, frame.wire_length, self._link_type, self._interface)
        self._writer.write(record)
        self._progress.show(number)

    def end(self) -> None:
        """Let the last line of standard error be free again."""
        self._progress.clear()


def _first_interface() -> str:
    for interface in interfaces():
        if interface.state == "up" and interface.name != "lo":
            return interface.name
    raise click.UsageError("no interface is up; name one with -i (`rawkit interfaces` lists them)")
