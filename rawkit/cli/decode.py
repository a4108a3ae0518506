"""`rawkit decode`: what is in a capture file, packet by packet, as it is read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import partial
from itertools import islice
from typing import BinaryIO, Final, cast

import click

from rawkit.cli.arguments import INPUT_FILE
from rawkit.cli.output import Lines, WatchedInput, colour_wanted
from rawkit.cli.reassembly import Shown, as_captured, reassembled
from rawkit.errors import FilterError
from rawkit.pcap import CaptureFilter, Record, open_capture
from rawkit.pcap.files import open_input
from rawkit.views import (
    comment_lines,
    diagram,
    hexdump,
    line,
    to_expression,
    tree,
    wireshark_fields,
    wireshark_values,
)
from rawkit.wire import LinkType

__all__ = ["command"]

View = Callable[[Shown], Iterable[str]]

FRAME_FIELDS: Final[dict[str, Callable[[Record], str]]] = {
    "frame.number": lambda record: str(record.number),
    "frame.time_epoch": lambda record: "{}.{:09}".format(*divmod(record.time_ns, 1_000_000_000)),
    "frame.len": lambda record: str(record.wire_length),
    "frame.cap_len": lambda record: str(len(record.data)),
}
"""What Wireshark has as fields, and capture files beside the packet."""

EXAMPLES = """\b
Examples:
  rawkit decode capture.pcapng
  rawkit decode capture.pcap -f "tcp port 80" -c 10 --format tree
  rawkit decode capture.pcap --format json | jq '.layers[].name'
  rawkit decode capture.pcap --deep --format tree
  rawkit decode capture.pcap --format fields -e ip.src -e tcp.dstport
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
    reassemble: bool,
    absolute: bool,
) -> None:
    """Show the packets of FILE, a pcap or pcapng capture; `-` is standard input."""
    wanted = CaptureFilter(filter_text) if filter_text is not None else None
    name = _name_of_view(format_, as_diagram, as_python)
    if absolute and name in ("json", "fields", "python"):
        raise click.UsageError("-t is for views that show the time in words; " + name + " does not")
    if deep and name in ("fields", "diagram", "python"):
        raise click.UsageError("--deep is for views that show scapy's layers; " + name + " does not")
    view = _fields_view(name, fields) if fields or name == "fields" else _view(name, absolute)
    with Lines() as lines:
        records = islice(_records(file, wanted, lines.flush), count)

        def tell(failure: str) -> None:
            lines.flush()
            click.echo(f"rawkit: {failure}", err=True)

        for shown in reassembled(records, tell) if reassemble else as_captured(records):
            for text in view(shown.deep() if deep else shown):
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
                yield from wanted.select(capture, partial(_left_out, before_waiting))
    finally:
        if owned:
            file.close()


def _left_out(before: Callable[[], None], link_type: LinkType, error: FilterError) -> None:
    """Say on standard error that packets of a link type cannot be asked, after what was to be shown before."""
    before()
    print(f"rawkit: packets of link type {link_type.name} are left out: {error}", file=sys.stderr)


def _name_of_view(format_: str | None, as_diagram: bool, as_python: bool) -> str:
    """The one view that is wanted."""
    asked = [name for name, flag in (("diagram", as_diagram), ("python", as_python)) if flag]
    options = [f"--{name}" for name in asked] + ([f"--format {format_}"] if format_ is not None else [])
    if len(options) > 1:
        raise click.UsageError(f"{' and '.join(options)} exclude each other; choose one")
    return format_ or (asked[0] if asked else "line")


def _fields_view(format_: str, fields: tuple[str, ...]) -> View:
    """What tshark prints with `-T fields`: tab between fields, comma between the values of one."""
    if format_ != "fields" or not fields:
        raise click.UsageError("--format fields and -e FIELD need each other")
    known = [*FRAME_FIELDS, *wireshark_fields()]
    for field in fields:
        if field not in known:
            near = ", ".join(get_close_matches(field, known)) or "ip.src"
            raise click.UsageError(f"-e {field} is not known here; such as {near} are")

    def view(shown: Shown) -> Iterator[str]:
        record, packet = shown.record, shown.for_fields
        yield "\t".join(
            [
                FRAME_FIELDS[name](record) if name in FRAME_FIELDS else ",".join(wireshark_values(packet, name))
                for name in fields
            ]
        )

    return view


def _view(name: str, absolute: bool) -> View:
    """What to print for a record, in the format of that name."""
    colour = colour_wanted()
    origins: list[int] = []

    def summary(shown: Shown) -> Iterator[str]:
        record = shown.record
        if not origins and not absolute:
            origins.append(record.time_ns)
        text = line(record, shown.packet, origin_ns=None if absolute else origins[0], colour=colour)
        yield text + shown.remark

    def under_summary(body: Callable[..., Iterable[str]]) -> View:
        def view(shown: Shown) -> Iterator[str]:
            yield from summary(shown)
            yield from comment_lines(shown.record, colour=colour)
            yield from body(shown.packet, colour=colour)
            yield ""

        return view

    views: dict[str, View] = {
        "line": summary,
        "tree": under_summary(tree),
        "hex": under_summary(hexdump),
        "diagram": under_summary(diagram),
        "json": lambda shown: [shown.json()],
        "python": lambda shown: [to_expression(shown.packet)],
    }
    return views[name]
