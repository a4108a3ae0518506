"""`rawkit capinfo`: what a capture file holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from rawkit.cli.arguments import INPUT_FILE, link_type_option
from rawkit.cli.main import OK, USAGE, complain
from rawkit.cli.output import Lines, Progress, count_of
from rawkit.errors import RawkitError
from rawkit.pcap import InterfaceSummary, SectionSummary, Summary, summarize
from rawkit.wire import LinkType

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit capinfo capture.pcapng
  rawkit capinfo --format json *.pcap | jq '.packets, .drops'
  zcat capture.pcap.gz | rawkit capinfo -
  rawkit capinfo --salvage damaged.pcapng

\b
Lengths and rates count what was on the wire, also of packets that were cut.
`drops` is what interfaces and systems say in statistics blocks, or packets in
their options where no statistics do. A damaged file is told up to the damage,
and the exit code is 2."""

NANOSECONDS = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@click.command("capinfo", epilog=EXAMPLES)
@click.argument("files", metavar="FILE|-...", type=INPUT_FILE, nargs=-1, required=True)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A paragraph a file (the default), or an object.",
)
@click.option("--salvage", is_flag=True, help="Go on behind damage.")
@link_type_option
def command(files: tuple[str, ...], format_: str, salvage: bool, link_type: LinkType | None) -> int:
    """Tell what each FILE, a pcap or pcapng capture, holds; `-` is standard input."""
    code = OK
    with Lines() as lines:
        for number, file in enumerate(files):
            try:
                with Progress("packet", "read") as progress:
                    summary = summarize(file, salvage=salvage, link_type=link_type, on_progress=progress.show)
            except RawkitError as error:
                lines.flush()
                code = max(code, complain(error))
                continue
            size = Path(file).stat().st_size if Path(file).is_file() else None
            if format_ == "json":
                lines.write(json.dumps(as_object(summary, file, size)))
            else:
                for text in [*[""][: bool(number)], *as_text(summary, file, size)]:
                    lines.write(text)
            if summary.damage_count and not salvage:
                lines.flush()
                click.echo(f"rawkit: {summary.damages[0]}; --salvage goes on behind it", err=True)
            code = max(code, USAGE if summary.damage_count and not salvage else OK)
    return code


def as_object(summary: Summary, file: str, file_size: int | None) -> dict[str, object]:
    """What `--format json` prints of a file."""
    return {
        "file": file,
        "format": summary.format,
        "file_size": file_size,
        "size": summary.size,
        "compressed": summary.compressed,
        "packets": summary.packets,
        "start_ns": summary.start_ns,
        "stop_ns": summary.stop_ns,
        "duration_ns": summary.duration_ns,
        "link_types": [link_type.name for link_type in summary.link_types],
        "captured_bytes": summary.captured_bytes,
        "wire_bytes": summary.wire_bytes,
        "mean_length": summary.mean_length,
        "byte_rate": summary.byte_rate,
        "bit_rate": None if summary.byte_rate is None else summary.byte_rate * 8,
        "packet_rate": summary.packet_rate,
        "drops": summary.drops,
        "drops_recorded": summary.drops_recorded,
        "snaplen": summary.snaplen,
        "cut": summary.cut,
        "shortest_cut": summary.shortest_cut if summary.cut else None,
        "longest_cut": summary.longest_cut if summary.cut else None,
        "in_order": summary.steps_back == 0,
        "steps_back": summary.steps_back,
        "first_step_back": summary.first_step_back,
        "longest_step_back_ns": summary.longest_step_back_ns,
        "untimed": summary.untimed,
        "comments": summary.comments,
        "packet_options": summary.packet_options,
        "blocks": dict(summary.blocks),
        "sections": [_section_object(section) for section in summary.sections],
        "interface_count": summary.interface_count,
        "interfaces": [_interface_object(interface) for interface in summary.interfaces],
        "damage": summary.damages,
    }


def _section_object(section: SectionSummary) -> dict[str, object]:
    return {"byte_order": _ORDERS[section.order], "version": section.version, "options": section.options}


def _interface_object(interface: InterfaceSummary) -> dict[str, object]:
    return {
        "section": interface.section,
        "index": interface.index,
        "link_type": interface.link_type.name,
        "snaplen": interface.snaplen,
        "ticks_per_second": interface.ticks_per_second,
        "options": interface.options,
        "packets": interface.packets,
        "captured_bytes": interface.captured_bytes,
        "wire_bytes": interface.wire_bytes,
        "statistics": interface.statistics,
        "drops": interface.drops,
    }


_ORDERS = {"<": "little", ">": "big"}


def as_text(summary: Summary, file: str, file_size: int | None) -> Iterator[str]:
    """The paragraph about a file."""
    yield _printable(file)
    for name, value in _rows(summary, file_size):
        yield f"  {name:<12} {value}"
    for section in summary.sections:
        yield from _section_lines(section)
    for interface in summary.interfaces:
        yield from _interface_lines(interface, several=len(summary.sections) > 1)
    if (unlisted := summary.interface_count - len(summary.interfaces)) > 0:
        yield f"  and {count_of(unlisted, 'more interface')}"
    for damage in summary.damages:
        yield f"  damage       {_printable(damage)}"


def _rows(summary: Summary, file_size: int | None) -> Iterator[tuple[str, str]]:
    """What is said of the whole file: a name and a value a line."""
    yield "format", summary.format
    size = f"{summary.size if file_size is None else file_size} bytes"
    if summary.compressed:
        size += f", {summary.size} decompressed"
    elif file_size not in (None, summary.size):
        size += f", {summary.size} read"
    yield "size", size
    yield "packets", str(summary.packets)
    yield "link types", ", ".join(f"{link.name} ({count})" for link, count in summary.link_types.items()) or "none"
    if summary.start_ns is not None and summary.stop_ns is not None:
        yield "first", _time(summary.start_ns)
        yield "last", _time(summary.stop_ns)
        yield "duration", f"{_seconds(summary.stop_ns - summary.start_ns)} s"
    yield "order", _order(summary)
    yield "on the wire", f"{summary.wire_bytes} bytes{_mean(summary)}"
    yield "captured", f"{summary.captured_bytes} bytes"
    if summary.byte_rate is not None and summary.packet_rate is not None:
        rates = f"{summary.byte_rate:.2f} bytes/s, {summary.byte_rate * 8:.2f} bits/s"
        yield "rates", f"{summary.packet_rate:.2f} packets/s, {rates}"
    if summary.format == "pcap":
        yield "snaplen", str(summary.snaplen or "no limit")
    yield "cut packets", _cuts(summary)
    yield "drops", str(summary.drops) if summary.drops_recorded else "not recorded"
    if summary.comments or summary.packet_options:
        comments = count_of(summary.comments, "comment")
        yield "on packets", f"{comments}, {count_of(summary.packet_options, 'other option')}"
    if summary.blocks:
        yield "blocks", ", ".join(f"{name} ({count})" for name, count in summary.blocks.items())


def _mean(summary: Summary) -> str:
    return "" if summary.mean_length is None else f", {summary.mean_length:.2f} a packet"


def _order(summary: Summary) -> str:
    untimed = f"; {count_of(summary.untimed, 'packet')} without a time" if summary.untimed else ""
    if not summary.steps_back:
        return "in order of time" + untimed
    steps = f"{count_of(summary.steps_back, 'step')} back in time, the first at packet {summary.first_step_back}"
    return f"{steps}, the longest of {_seconds(summary.longest_step_back_ns)} s{untimed}"


def _cuts(summary: Summary) -> str:
    if not summary.cut:
        return "none"
    span = {summary.shortest_cut, summary.longest_cut}
    return f"{summary.cut}, to {' to '.join(map(str, sorted(span)))} bytes"


def _section_lines(section: SectionSummary) -> Iterator[str]:
    yield f"  section      version {section.version}, {_ORDERS[section.order]} endian"
    for name, value in section.options:
        yield f"    {name:<18} {_printable(value)}"


def _interface_lines(interface: InterfaceSummary, *, several: bool) -> Iterator[str]:
    section = f" of section {interface.section}" if several else ""
    seen = f"{count_of(interface.packets, 'packet')}, {interface.wire_bytes} bytes on the wire"
    yield f"  interface    {interface.index}{section}: {interface.link_type.name}, {seen}"
    yield f"    snaplen            {interface.snaplen or 'no limit'}"
    yield f"    ticks a second     {interface.ticks_per_second}"
    for name, value in interface.options:
        yield f"    {name:<18} {_printable(value)}"
    for name, count in interface.statistics.items():
        yield f"    {name:<18} {count}"
    if interface.drops is not None:
        yield f"    drops              {interface.drops}"


def _printable(text: str) -> str:
    """Text from a file on one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _time(time_ns: int) -> str:
    """Date and time in UTC; seconds since 1970 where the calendar has no such date."""
    seconds, fraction = divmod(time_ns, NANOSECONDS)
    try:
        return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}.{fraction:09} UTC"
    except OverflowError:
        return f"{_seconds(time_ns)} s since 1970"


def _seconds(time_ns: int) -> str:
    whole, fraction = divmod(abs(time_ns), NANOSECONDS)
    return f"{'-' if time_ns < 0 else ''}{whole}.{fraction:09}"
