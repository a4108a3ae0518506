"""`rawkit verify`: rawkit's reading of packets against scapy's, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from rawkit.cli.arguments import INPUT_FILE
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines, Progress, count_of
from rawkit.pcap import open_capture
from rawkit.verify import Difference, compare_with_scapy, difference_table
from rawkit.views import read_expression
from rawkit.wire import Packet

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit verify capture.pcapng
  rawkit verify "IPv4(dst='10.0.0.2') / UDP(dst_port=53) / b'hi'"
  rawkit verify capture.pcapng --format json | jq -c 'select(.field)'

\b
A difference in which scapy is known to be wrong is shown with the reason. The
exit code is 1 if there is any other. It needs scapy: pip install "rawkit[verify]"."""


@click.command("verify", epilog=EXAMPLES)
@click.argument("what", metavar="FILE|EXPR", type=INPUT_FILE)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Tables (the default), or an object a difference, and a last one with the counts.",
)
def command(what: str, format_: str) -> int:
    """Compare rawkit's reading of the packets in FILE, or of the packet EXPR, with scapy's."""
    report = _Json() if format_ == "json" else _Text()
    with Lines() as lines:
        try:
            with Progress("packet", "compared") as progress:
                for number, packet in _packets(what):
                    differences = compare_with_scapy(packet)
                    if differences:
                        progress.clear()
                        for line in report.differences(number, packet, differences):
                            lines.write(line)
                    report.count(differences)
                    progress.show(report.compared)
        except KeyboardInterrupt:
            lines.write(report.counts())
            raise
        lines.write(report.counts())
    return NO if report.unexplained else OK


class _Text:
    """A table a packet that is read differently, and a sentence at the end."""

    def __init__(self) -> None:
        self.compared, self.explained, self.unexplained = 0, 0, 0

    def count(self, differences: Iterable[Difference]) -> None:
        """One more packet is compared, with these differences."""
        self.compared += 1
        for difference in differences:
            self.explained += bool(difference.reason)
            self.unexplained += not difference.reason

    def differences(self, number: int, packet: Packet, differences: tuple[Difference, ...]) -> Iterator[str]:
        yield f"packet {number}: {packet.summary()}"
        yield str(difference_table(differences))

    def counts(self) -> str:
        verdict = f"{count_of(self.compared, 'packet')} compared, {count_of(self.unexplained, 'difference')}"
        return verdict + (f", {self.explained} more in which scapy is known to be wrong" if self.explained else "")


class _Json(_Text):
    """The same as objects."""

    def differences(self, number: int, packet: Packet, differences: tuple[Difference, ...]) -> Iterator[str]:
        for difference in differences:
            told = {
                "packet": number,
                "position": difference.position,
                "layer": difference.layer,
                "field": difference.field,
                "rawkit": _value(difference.ours),
                "scapy": _value(difference.theirs),
                "reason": difference.reason,
            }
            yield json.dumps(told)

    def counts(self) -> str:
        return json.dumps({"packets": self.compared, "differences": self.unexplained, "known": self.explained})


def _value(value: object) -> object:
    """Numbers, text and null as they are, bytes as hexadecimal digits, all else as text."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def _packets(what: str) -> Iterator[tuple[int, Packet]]:
    """The packets with their numbers. What is no file is an expression, if it has what no file's name has."""
    if not Path(what).exists() and set(what) & set("('\""):
        yield 1, read_expression(what).built()
        return
    with open_capture(what) as capture:
        for record in capture:
            yield record.number, record.packet()
