"""`rawkit demo`: the whole story in one minute, on a wire between two hosts that it makes itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from rawkit.cli.arguments import OUTPUT_FILE
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.errors import MissingError
from rawkit.netns import reexec_in_user_namespace
from rawkit.pcap import Interface, Record, write_capture
from rawkit.probe.demo import Asked, Conversation, WireFrame
from rawkit.verify import compare_with_scapy, difference_table, unexplained
from rawkit.views import Crossing, ladder, to_expression
from rawkit.wire import LinkType, Packet

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit demo
  rawkit demo -w /tmp/demo.pcapng         then: wireshark /tmp/demo.pcapng

\b
Nothing leaves this machine: the two hosts are network namespaces, and they are
gone when the demo is. It runs as root, and as anybody else in a user namespace."""


@click.command("demo", epilog=EXAMPLES)
@click.option(
    "-w",
    "--write",
    "file",
    metavar="FILE|-",
    type=OUTPUT_FILE,
    default="demo.pcapng",
    help="Where the capture goes (default demo.pcapng).",
)
def command(file: str) -> int:
    """Build packets by hand, send them over a real wire, read the kernel's answers, check all of it."""
    reexec_in_user_namespace()
    with Lines(sys.stderr if file == "-" else sys.stdout) as lines:
        story = _Story(lines)
        # The file is opened before the story is told: one that cannot be written is no surprise at its end.
        write_capture(file, story.records())
        lines.write(f"{story.answered} of {story.asked} questions were answered.")
        lines.write(f"Wrote {file}: {story.count} packets; those made by hand say how in a comment.")
        if file != "-":
            lines.write(f"Look at it: rawkit decode {file} --format tree, or wireshark {file}")
    return OK if story.agreed and story.answered == story.asked else NO


class _Story:
    """What is asked and answered, told as it happens."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.asked, self.answered, self.count, self.agreed = 0, 0, 0, True

    def records(self) -> Iterator[Record]:
        """Tell it all; the records come at its end."""
        lines = self._lines
        with Conversation() as conversation:
            lines.write("Two hosts, a and b, on a link. Packets made by hand leave a; the kernel of b answers.")
            lines.flush()
            for question in conversation.questions():
                exchange = conversation.ask(question)
                conversation.hang_up(exchange)
                self.asked += 1
                self.answered += exchange.answer is not None
                _tell(exchange, lines)
            frames = conversation.frames
        lines.write("\nWhat crossed the wire (* made by hand, the rest by the kernels):\n")
        for rung in ladder([_crossing(frame) for frame in frames], hosts=("a", "b")):
            lines.write(rung)
        lines.flush()
        self.agreed = _verdict([frame.packet for frame in frames], lines)
        self.count = len(frames)
        yield from _records(frames)


def _tell(exchange: Asked, lines: Lines) -> None:
    asked, answer = exchange.question.packet, exchange.answer
    lines.write(f"\n{exchange.question.title}")
    lines.write(f"  {to_expression(asked)}")
    if answer is None:
        lines.write("  no answer")
    else:
        lines.write(f"  {_without_link(answer).summary()}   after {exchange.round_trip_ns / 1000:.0f} µs")


def _without_link(packet: Packet) -> Packet:
    return Packet(packet.layers[1:], packet.payload)


def _crossing(frame: WireFrame) -> Crossing:
    mark = "*" if frame.handmade is not None else " "
    return Crossing(frame.time_ns, frame.packet, frame.source, frame.destination, mark)


def _verdict(packets: Sequence[Packet], lines: Lines) -> bool:
    """Say what scapy reads in the same bytes, and whether it agrees."""
    try:
        differences = [difference for packet in packets for difference in compare_with_scapy(packet)]
    except MissingError as error:
        lines.write(f"\nscapy's verdict: none, {error}")
        return True
    if differences:
        lines.write(f"\nscapy's verdict on {len(packets)} packets:\n{difference_table(differences)}")
    else:
        lines.write(f"\nscapy's verdict: it reads the same in every field of all {len(packets)} packets,")
        lines.write("and builds the same bytes with checksums and lengths of its own.")
    return not unexplained(differences)


def _records(frames: Sequence[WireFrame]) -> list[Record]:
    """The frames for a capture file, each that was made by hand with the expression that made it."""
    records = []
    for number, frame in enumerate(frames, 1):
        data = bytes(frame.packet)
        comments = (to_expression(frame.handmade),) if frame.handmade is not None else ()
        link_type = LinkType.ETHERNET
        interface = Interface(0, link_type, name="eth0", description="host b of rawkit demo")
        records.append(Record(number, frame.time_ns, data, len(data), link_type, interface, comments))
    return records
