"""`rawkit ask`: a handmade packet, its answer, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from math import inf
from typing import Any, Final

import click

from rawkit.cli.arguments import INTERFACE
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import FORCE, POSITIVE_SECONDS, ended_by, exchange_for, milliseconds, terminable
from rawkit.link import examine, require_force
from rawkit.pcap import Record
from rawkit.probe import Answer, Clock, Miss, with_numbers
from rawkit.views import as_object, read_sweep, to_expression, tree
from rawkit.wire import Ethernet, IPv4, IPv6, LinkType, Packet, Sweep

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit ask "IPv4(dst='10.0.0.2') / ICMPv4.echo(id=7, seq=1)"
  rawkit ask "IPv4(dst='10.0.0.2') / TCP(dst_port=80, flags='S')" --format tree
  rawkit ask "IPv4(dst='10.0.0.2') / TCP(dst_port=range(1, 1025), flags='S')" --rate 500
  rawkit ask "IPv4(dst='10.0.0.2', ttl=[1, 2, 3]) / UDP(dst_port=33434)"
  rawkit ask -i eth0 "Ethernet(dst='ff:ff:ff:ff:ff:ff') / ARP(target_ip='10.0.0.2')"

\b
What counts as the answer is what the protocols promise: addresses, ports and
identifiers swapped, sequence numbers acknowledged, or an ICMP error that quotes
the packet. While a TCP or UDP packet with this host's address is asked, this
host's kernel is kept out of its flow, and a line says so. Where packets differ
in several fields, all combinations are asked, the rightmost changing fastest."""

MOST_FLOWS: Final = 1024
"""Flows that the kernel is kept out of; in longer sweeps it answers for itself."""


@click.command("ask", epilog=EXAMPLES)
@click.argument("expression", metavar="EXPR")
@click.option("-i", "--interface", metavar="IFACE", type=INTERFACE, help="Send on this interface.")
@click.option("--timeout", type=POSITIVE_SECONDS, default=2.0, help="Seconds to wait for each answer (default 2).")
@click.option("--retries", type=click.IntRange(0, 100), default=0, help="Times to ask again (default 0).")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="PPS", help="At most so many a second.")
@click.option("--window", type=click.IntRange(1, 65_536), default=256, help="Questions open at a time (256).")
@click.option("--no-guard", is_flag=True, help="Let this host's kernel take part in the conversation.")
@FORCE
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "tree", "json"]),
    default="text",
    help="Lines (the default), the answers as trees, or JSON lines.",
)
def command(
    expression: str,
    interface: str | None,
    timeout: float,
    retries: int,
    rate: float | None,
    window: int,
    no_guard: bool,
    force: bool,
    format_: str,
) -> int:
    """Send the packets that EXPR stands for, and show what answers each, or why nothing does."""
    sweep = _checked(read_sweep(expression), interface)
    if not force:
        require_force(examine(sweep, interface=interface, times=1 + retries, rate=rate or inf))
    first = list(islice(_questions(sweep), MOST_FLOWS))
    bulk = sweep.count > MOST_FLOWS
    if bulk and not no_guard:
        click.echo(f"more than {MOST_FLOWS} flows: this host's kernel may answer in them too", err=True)
    answered = asked = 0
    with (
        exchange_for(*first, interface=interface, guard=not (no_guard or bulk), bulk=bulk) as exchange,
        Lines() as lines,
        terminable(),
    ):
        outcomes = exchange.ask_all(_questions(sweep), timeout=timeout, retries=retries, rate=rate, window=window)
        try:
            for outcome in outcomes:
                asked += 1
                answered += isinstance(outcome, Answer)
                lines.write(SHOWN[format_](outcome))
                if sweep.count == 1:
                    lines.flush()
        except KeyboardInterrupt as stop:
            return ended_by(stop)
        finally:
            if sweep.count > 1:
                lines.flush()
                counts = f"{max(asked, exchange.asked)} asked, {answered} answered"
                click.echo(f"{counts}, {exchange.port.drops()} frames dropped by the kernel", err=True)
    return OK if answered == asked else NO


def _checked(sweep: Sweep, interface: str | None) -> Sweep:
    """The sweep, if its packets begin as those do that can be asked."""
    if not sweep.packet.layers or not isinstance(sweep.packet.layers[0], Ethernet | IPv4 | IPv6):
        raise click.UsageError("a packet to be asked begins with Ethernet, IPv4 or IPv6")
    if isinstance(sweep.packet.layers[0], Ethernet) and interface is None:
        raise click.UsageError("a packet that begins with Ethernet needs -i IFACE; `rawkit interfaces` lists them")
    return sweep


def _questions(sweep: Sweep) -> Iterator[Packet]:
    return with_numbers(sweep) if sweep.count > 1 else iter(sweep)


def _text(outcome: Answer | Miss) -> str:
    asked = without_link(outcome.question).summary()
    if isinstance(outcome, Miss):
        return f"{asked}\n  no answer: {outcome.text}"
    clock = "" if outcome.clock is Clock.KERNEL else " (by this process's clock)"
    tries = f" since the last of {outcome.sends} times it was asked" if outcome.sends > 1 else ""
    after = f"after {milliseconds(outcome.round_trip_ns or 0)}{tries}{clock}"
    return f"{asked}\n  <- {without_link(outcome.packet).summary()}   {after}"


def _tree(outcome: Answer | Miss) -> str:
    if outcome.packet is None:
        return _text(outcome)
    shown = "\n".join(tree(outcome.packet))
    return f"{_text(outcome)}\n\n{shown}\n"


def _json(outcome: Answer | Miss) -> str:
    told: dict[str, Any] = {
        "number": outcome.number + 1,
        "question": to_expression(outcome.question),
        "answered": isinstance(outcome, Answer),
        "rtt_ns": outcome.round_trip_ns if isinstance(outcome, Answer) else None,
        "clock": outcome.clock,
        "sends": outcome.sends,
    }
    if isinstance(outcome, Miss):
        told |= {"reason": outcome.reason, "text": outcome.text}
    if outcome.packet is not None:
        data = bytes(outcome.packet)
        link_type = outcome.packet.link_type or LinkType.RAW
        record = Record(outcome.number + 1, outcome.received_ns, data, len(data), link_type)
        told["packet"] = as_object(record, outcome.packet)
    return json.dumps(told)


def without_link(packet: Packet) -> Packet:
    """The packet from its IP header on, if it has one."""
    if len(packet.layers) > 1 and isinstance(packet.layers[1], IPv4 | IPv6):
        return Packet(packet.layers[1:], packet.payload)
    return packet


SHOWN: Final = {"text": _text, "tree": _tree, "json": _json}
