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
    """Make the packets that EXPR stands for, and show them (by default summary and bytes) or write them."""
    sweep = read_sweep(expression)
    stream = sys.stderr if file == "-" else sys.stdout
    colour = colour_wanted(stream)
    next(_packets(sweep, mtu))  # what cannot be built is told before a file is made
    if file is not None:
        write_capture(file, _packets(sweep, mtu))
        if not (as_hex or as_tree or as_diagram or as_python):
            return
    with Lines(stream) as output:
        for number, packet in enumerate(_packets(sweep, mtu)):
            lines = [*_shown(packet, as_hex, as_tree, as_diagram, as_python, file is not None, colour)]
            for line in ["", *lines] if number and len(lines) > 1 else lines:
                output.write(line)


def _packets(sweep: Sweep, mtu: int | None) -> Iterator[Packet]:
    """The packets one by one, built, and cut to fit."""
    for packet in sweep:
        if mtu is None:
            yield packet.built()
        else:
            yield from _fragments(packet.built(), mtu)


def _fragments(packet: Packet, mtu: int) -> tuple[Packet, ...]:
    try:
        return fragment(packet, mtu)
    except FieldError as error:
        if error.field != "dont_fragment":
            raise
        expected = f"False to cut it to {mtu} bytes; take dont_fragment out of EXPR, or give a larger --fragment"
        raise FieldError(error.header, error.field, error.value, expected) from None


def _shown(
    packet: Packet, as_hex: bool, as_tree: bool, as_diagram: bool, as_python: bool, plain: bool, colour: bool
) -> Iterator[str]:
    """The lines of each view that was asked for; of none, if the packet is only to be written."""
    if as_python:
        yield to_expression(packet)
    if as_tree:
        yield from tree(packet, colour=colour)
    if as_diagram:
        yield from diagram(packet, colour=colour)
    if not (as_python or as_tree or as_diagram or as_hex or plain):
        yield packet.summary()
        as_hex = True
    if as_hex:
        yield from hexdump(packet, colour=colour)
