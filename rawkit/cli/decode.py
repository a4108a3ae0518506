"""`rawkit decode`: what is in a capture file, packet by packet, as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO, cast

import click

from rawkit.cli.output import Lines, WatchedInput, colour_wanted
from rawkit.pcap import Record, open_capture
from rawkit.pcap.files import open_input
from rawkit.pcap.filter import CaptureFilter
from rawkit.views import diagram, hexdump, json_line, line, to_expression, tree

__all__ = ["command"]

View = Callable[[Record], Iterable[str]]

EXAMPLES = """\b
Examples:
  rawkit decode capture.pcapng
  rawkit decode capture.pcap -f "tcp port 80" -c 10 --format tree
  rawkit decode capture.pcap --format json | jq .layers[].name
  tcpdump -w - | rawkit decode -

\b
A line has the packet's number, seconds since the first packet, its headers,
and after `!` what is wrong with it."""


@click.command("decode", epilog=EXAMPLES)
@click.argument("file", metavar="FILE|-", type=click.Path(allow_dash=True))
@click.option("-f", "--filter", "filter_text", metavar="FILTER", help="Only what this tcpdump filter lets pass.")
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after so many packets.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["line", "tree", "hex", "json"]),
    default="line",
    help="One line a packet (the default), all fields, the bytes, or an object a packet.",
)
@click.option("--diagram", "as_diagram", is_flag=True, help="Draw each packet as its RFC would.")
@click.option("--python", "as_python", is_flag=True, help="Print the expression that makes each packet.")
@click.option("-t", "--absolute", is_flag=True, help="Show date and time (UTC) rather than seconds.")
def command(
    file: str,
    filter_text: str | None,
    count: int | None,
    format_: str,
    as_diagram: bool,
    as_python: bool,
    absolute: bool,
) -> None:
    """Show the packets of FILE, a pcap or pcapng capture; `-` is standard input."""
    wanted = CaptureFilter(filter_text) if filter_text is not None else None
    view = _view("diagram" if as_diagram else "python" if as_python else format_, absolute)
    with Lines() as lines:
        for record in islice(_records(file, wanted, lines.flush), count):
            for text in view(record):
                lines.write(text)


def _records(name: str, wanted: CaptureFilter | None, before_waiting: Callable[[], None]) -> Iterator[Record]:
    """The records that the filter lets pass, each as soon as it is there."""
    file, name, owned = open_input(name)
    try:
        watched = cast(BinaryIO, WatchedInput(file, name, before_waiting))
        with open_capture(watched) as capture:
            if wanted is None:
                yield from capture
            else:
                yield from filter(wanted.matches, capture)
    finally:
        if owned:
            file.close()


def _view(name: str, absolute: bool) -> View:
    """What to print for a record, in the format of that name."""
    colour = colour_wanted()
    origins: list[int] = []

    def summary(record: Record) -> Iterator[str]:
        if not origins and not absolute:
            origins.append(record.time_ns)
        yield line(record, record.packet(), origin_ns=None if absolute else origins[0], colour=colour)

    def under_summary(body: Callable[..., Iterable[str]]) -> View:
        def view(record: Record) -> Iterator[str]:
            yield from summary(record)
            yield from body(record.packet(), colour=colour)
            yield ""

        return view

    views: dict[str, View] = {
        "line": summary,
        "tree": under_summary(tree),
        "hex": under_summary(hexdump),
        "diagram": under_summary(diagram),
        "json": lambda record: [json_line(record, record.packet())],
        "python": lambda record: [to_expression(record.packet())],
    }
    return views[name]
