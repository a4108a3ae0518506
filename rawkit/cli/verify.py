"""`rawkit verify`: rawkit's reading of packets against scapy's, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.pcap import open_capture
from rawkit.verify import compare_with_scapy
from rawkit.views import read_expression
from rawkit.wire import Packet

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit verify capture.pcapng
  rawkit verify "IPv4(dst='10.0.0.2') / UDP(dst_port=53) / b'hi'"

\b
A line has the packet's number, the field, and what each of the two found.
The exit code is 1 if there is a difference. It needs scapy:
pip install "rawkit[verify]"."""


@click.command("verify", epilog=EXAMPLES)
@click.argument("what", metavar="FILE|EXPR")
def command(what: str) -> int:
    """Compare rawkit's reading of the packets in FILE, or of the packet EXPR, with scapy's."""
    packets = found = 0
    with Lines() as lines:
        for number, packet in _packets(what):
            packets += 1
            for difference in compare_with_scapy(packet):
                found += 1
                lines.write(f"{number:>5} {difference}")
        lines.write(f"{_count(packets, 'packet')} compared, {_count(found, 'difference')}")
    return NO if found else OK


def _packets(what: str) -> Iterator[tuple[int, Packet]]:
    """The packets with their numbers. What is no file (nor `-`) is an expression if it looks like one."""
    if what != "-" and not Path(what).exists() and "(" in what:
        yield 1, read_expression(what).built()
        return
    with open_capture(what) as capture:
        for record in capture:
            yield record.number, record.packet()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
