"""`rawkit decode`: what is in a capture file, packet by packet, as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import click

from rawkit.cli.arguments import INPUT_FILE, link_type_option
from rawkit.cli.inputs import opened, suggesting_salvage
from rawkit.cli.output import Lines
from rawkit.cli.packet_views import FRAME_FIELDS, View, fields_view, name_of_view, view_of
from rawkit.cli.reassembly import Shown, as_captured, reassembled
from rawkit.cli.spread import cores, spread
from rawkit.errors import FilterError, RawkitError
from rawkit.pcap import Capture, CaptureFilter, FollowedCapture, Record
from rawkit.views import wireshark_fields
from rawkit.wire import LinkType

__all__ = ["command"]

LARGE: Final = 4 * 1024 * 1024
"""Bytes of a file from which on several processes are worth their start."""

BATCH: Final = 512
"""Packets that a process decodes before it is another's turn."""

EXAMPLES = """\b
Examples:
  rawkit decode capture.pcapng
  rawkit decode capture.pcap -f "tcp port 80" -c 10 --format tree
  rawkit decode capture.pcap --format json | jq '.layers[].name'
  rawkit decode capture.pcap --deep --format tree
  rawkit decode capture.pcap --format fields -e ip.src -e tcp.dstport
  rawkit decode capture.pcap --follow
  rawkit decode capture.pcap --reassemble --format tree
  tcpdump -w - | rawkit decode -

\b
A line has the packet's number, seconds since the first packet, its headers,
and after `!` what is wrong with it. With --reassemble, the packet that completes
a fragmented datagram stands for the whole of it; what was never complete is
told on standard error."""


def _complete_field(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in (*FRAME_FIELDS, *wireshark_fields()) if name.startswith(incomplete)]


@click.command("decode", epilog=EXAMPLES)
@click.argument("file", metavar="FILE|-", type=INPUT_FILE)
@click.option("-f", "--filter", "filter_text", metavar="FILTER", help="Only what this tcpdump filter lets pass.")
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after so many packets.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["line", "tree", "hex", "json", "fields"]),
    help="One line a packet (the default), its tree, its bytes, an object, or the fields named by -e.",
)
@click.option(
    "-e",
    "fields",
    metavar="FIELD",
    multiple=True,
    shell_complete=_complete_field,
    help="A field by Wireshark's name, such as ip.src; repeat.",
)
@click.option("--diagram", "as_diagram", is_flag=True, help="Draw each packet as its RFC would.")
@click.option("--python", "as_python", is_flag=True, help="Print the expression that makes each packet.")
@click.option("--deep", is_flag=True, help="Let scapy take apart what follows: DNS, DHCP, TLS and many more.")
@click.option("--salvage", is_flag=True, help="Go on behind damage; tell on standard error what was skipped.")
@link_type_option
@click.option("--follow", is_flag=True, help="Read on as FILE grows, and in the one that takes its place.")
@click.option("--reassemble", is_flag=True, help="Put IP fragments together, as Linux does.")
@click.option("-t", "--absolute", is_flag=True, help="Show date and time (UTC) rather than seconds.")
def command(
    file: str,
    filter_text: str | None,
    count: int | None,
    format_: str | None,
    fields: tuple[str, ...],
    as_diagram: bool,
    as_python: bool,
    deep: bool,
    salvage: bool,
    link_type: LinkType | None,
    follow: bool,
    reassemble: bool,
    absolute: bool,
) -> None:
    """Show the packets of FILE, a pcap or pcapng capture; `-` is standard input."""
    name = name_of_view(format_, as_diagram, as_python)
    if absolute and name in ("json", "fields", "python"):
        raise click.UsageError("-t is for views that show the time in words; " + name + " does not")
    if deep and name in ("fields", "diagram", "python"):
        raise click.UsageError("--deep is for views that show scapy's layers; " + name + " does not")
    decoding = Decoding(
        file,
        CaptureFilter(filter_text) if filter_text is not None else None,
        count,
        fields_view(name, fields) if fields or name == "fields" else view_of(name),
        absolute,
        deep,
    )
    one_process = salvage or follow or reassemble  # these tell something on the way, or remember packets
    with Lines() as lines, suggesting_salvage(salvage):
        if not one_process and (processes := _worth(file, lines)) > 1:
            for piece in spread(lambda number: decoding.share(number, processes, lines), processes):
                lines.write(piece.decode())
        else:
            with opened(file, lines.flush, salvage=salvage, follow=follow, link_type=link_type) as capture:
                for text in decoding.texts(capture, lines.tell, reassemble):
                    lines.write(text)


@dataclass(frozen=True)
class Decoding:
    """What was asked for: which packets of a file, and how they are shown."""

    file: str
    wanted: CaptureFilter | None
    count: int | None
    view: View
    absolute: bool
    deep: bool

    def texts(
        self, capture: Capture | FollowedCapture, tell: Callable[[object], None], reassemble: bool
    ) -> Iterator[str]:
        """What is printed for each packet. `tell` is told what was left out or given up."""
        records = self._records(capture, tell)
        origin_ns = None
        for shown in reassembled(records, tell) if reassemble else as_captured(records):
            if origin_ns is None and not self.absolute:
                origin_ns = shown.record.time_ns
            yield from self._shown(shown, origin_ns)

    def share(self, number: int, processes: int, lines: Lines) -> Iterator[bytes]:
        """What is printed for each batch that falls to process `number`; the first also tells what is left out."""
        with opened(self.file, lambda: None) as capture:
            tell = lines.tell if number == 0 else lambda _: None
            origin_ns = None
            for turn, batch in enumerate(_batches(self._records(capture, tell))):
                if turn == 0 and not self.absolute:
                    origin_ns = batch[0].time_ns
                if turn % processes == number:
                    shown = as_captured(batch)
                    yield "\n".join([text for one in shown for text in self._shown(one, origin_ns)]).encode()

    def _records(self, capture: Capture | FollowedCapture, tell: Callable[[object], None]) -> Iterator[Record]:
        """The records that were asked for."""

        def left_out(link_type: LinkType, error: FilterError) -> None:
            tell(f"packets of link type {link_type.name} are left out: {error}")

        return islice(capture if self.wanted is None else self.wanted.select(capture, left_out), self.count)

    def _shown(self, shown: Shown, origin_ns: int | None) -> Iterable[str]:
        return self.view(shown.deep() if self.deep else shown, origin_ns)


def _worth(file: str, lines: Lines) -> int:
    """How many processes the file is worth: more than one for large files that are read from a disk, unwatched."""
    path = Path(file)
    return cores() if not lines.watched and path.is_file() and path.stat().st_size >= LARGE else 1


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """The records in lists of `BATCH`. An error comes behind those that were there before it."""
    batch: list[Record] = []
    try:
        for record in records:
            batch.append(record)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except RawkitError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
