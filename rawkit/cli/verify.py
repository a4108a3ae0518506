"""`rawkit verify`: rawkit's reading of packets against scapy's, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from rawkit.cli.main import NO, OK
from rawkit.cli.options import CaptureFile
from rawkit.cli.output import Lines, Progress
from rawkit.pcap import open_capture
from rawkit.verify import Difference, compare_with_scapy, difference_table
from rawkit.verify.difference import shown
from rawkit.views import read_expression
from rawkit.wire import Packet

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit verify capture.pcapng
  rawkit verify "IPv4(dst='10.0.0.2') / UDP(dst_port=53) / b'hi'"

\b
A difference in which scapy is known to be wrong is shown with the reason. The
exit code is 1 if there is any other. It needs scapy: pip install "rawkit[verify]"."""


@click.command("verify", epilog=EXAMPLES)
@click.argument("what", metavar="FILE|EXPR", type=CaptureFile())
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    help="Tables (the default), or an object a difference and a last one with the counts.",
)
def command(what: str, format_: str) -> int:
    """Compare rawkit's reading of the packets in FILE, or of the packet EXPR, with scapy's."""
    show, conclude = (_json, _json_counts) if format_ == "json" else (_table, _table_counts)
    compared, explained, unexplained = 0, 0, 0
    with Lines() as lines:
        try:
            with Progress("compared") as progress:
                for number, packet in _packets(what):
                    differences = compare_with_scapy(packet)
                    if differences:
                        progress.clear()
                        for line in show(number, packet, differences):
                            lines.write(line)
                    known = sum(bool(difference.reason) for difference in differences)
                    explained += known
                    unexplained += len(differences) - known
                    compared += 1
                    progress.show(compared)
        except KeyboardInterrupt:
            lines.write(conclude(compared, unexplained, explained))
            raise
        lines.write(conclude(compared, unexplained, explained))
    return NO if unexplained else OK


def _table(number: int, packet: Packet, differences: tuple[Difference, ...]) -> Iterator[str]:
    yield f"packet {number}: {packet.summary()}"
    yield difference_table(differences)


def _table_counts(compared: int, unexplained: int, explained: int) -> str:
    known_too = f", {explained} more in which scapy is known to be wrong" if explained else ""
    return f"{_count(compared, 'packet')} compared, {_count(unexplained, 'difference')}{known_too}"


def _json(number: int, packet: Packet, differences: tuple[Difference, ...]) -> Iterator[str]:
    for one in differences:
        yield json.dumps({"packet": number, **one._asdict(), "ours": shown(one.ours), "theirs": shown(one.theirs)})


def _json_counts(compared: int, unexplained: int, explained: int) -> str:
    return json.dumps({"packets": compared, "differences": unexplained, "explained": explained})


def _packets(what: str) -> Iterator[tuple[int, Packet]]:
    """The packets with their numbers. What is no file is an expression, if it has what no file's name has."""
    if not Path(what).exists() and set(what) & set("('\""):
        yield 1, read_expression(what).built()
        return
    with open_capture(what) as capture:
        for record in capture:
            yield record.number, record.packet()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
