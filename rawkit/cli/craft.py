"""`rawkit craft`: a packet from an expression, shown or written."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from rawkit.cli.arguments import OUTPUT_FILE
from rawkit.cli.output import Lines, colour_wanted
from rawkit.errors import FieldError
from rawkit.pcap import write_capture
from rawkit.views import diagram, hexdump, read_sweep, to_expression, tree
from rawkit.wire import Packet, Sweep, fragment

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit craft "IPv4(dst='10.0.0.2') / ICMPv4.echo(id=7) / b'hello'"
  rawkit craft --diagram "IPv4(dst='10.0.0.2') / TCP(dst_port=80, options=[WindowScale(shift=7)])"
  rawkit craft --fragment 28 "IPv4(dst='10.0.0.2', identification=7) / ICMPv4.echo(id=7) / b'hello, world'"
  rawkit craft -w syn.pcap "Ethernet(dst='02:00:00:00:00:02') / IPv4(dst='10.0.0.2') / TCP(dst_port=80)"
  rawkit craft -w syn.pcap "IPv4(dst='10.0.0.0/24') / TCP(dst_port=range(1, 1025), flags='S')"

\b
Several values for a field (a list, range(start, stop, step), a prefix for IP
addresses), or a list of payloads, make a packet of each; of several fields
every combination, the rightmost changing fastest.

\b
What is left out is filled in: lengths, checksums, the number of the next
header. What is given stays as it is, wrong or not: checksum=0 puts a zero on
the wire. The identification of IPv6 fragments is 0, unless the packet has a
fragment header, Fragment(identification=7), where they are to have theirs."""


@click.command("craft", epilog=EXAMPLES)
@click.argument("expression", metavar="EXPR")
@click.option("--hex", "as_hex", is_flag=True, help="Show the bytes, coloured by field.")
@click.option("--tree", "as_tree", is_flag=True, help="Show each field with its value and bytes.")
@click.option("--diagram", "as_diagram", is_flag=True, help="Draw the packet as its RFC would.")
@click.option("--python", "as_python", is_flag=True, help="Print the expression, every field filled in.")
@click.option("--fragment", "mtu", type=click.IntRange(min=1), metavar="MTU", help="Cut it to fit so many bytes.")
@click.option("-w", "--write", "file", metavar="FILE|-", type=OUTPUT_FILE, help="Write a capture.")
def command(
    expression: str,
    as_hex: bool,
    as_tree: bool,
    as_diagram: bool,
    as_python: bool,
    mtu: int | None,
    file: str | None,
) -> None:
