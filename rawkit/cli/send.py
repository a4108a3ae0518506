"""`rawkit send`: a handmade packet, onto the wire."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import click

from rawkit.cli.arguments import INTERFACE, SECONDS
from rawkit.cli.main import OK
from rawkit.cli.output import Lines
from rawkit.cli.signals import StopSignals
from rawkit.layout import AUTO
from rawkit.link import (
    Interface,
    PacketSocket,
    RawIPv4Socket,
    RawIPv6Socket,
    drop_privileges,
    interfaces,
    with_source,
)
from rawkit.views import read_expression
from rawkit.wire import ARP, Ethernet, IPv4, IPv6, Packet

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit send "IPv4(dst='10.0.0.2') / ICMPv4.echo(id=7, seq=1) / b'hello'"
  rawkit send -i eth0 "Ethernet(dst='ff:ff:ff:ff:ff:ff') / ARP(target_ip='10.0.0.2')"
  rawkit send --count 3 --interval 0.5 "IPv4(dst='10.0.0.2') / UDP(dst_port=9) / b'hi'"

\b
A packet that begins with Ethernet goes out on the interface exactly as it is.
One that begins with IPv4 or IPv6 is routed by the kernel, which fills in the
total length and the header checksum of IPv4, and its identification where it
is 0. A source that is left out becomes this host's own."""


@click.command("send", epilog=EXAMPLES)
@click.argument("expression", metavar="EXPR")
@click.option("-i", "--interface", metavar="IFACE", type=INTERFACE, help="Send on this interface.")
@click.option("-c", "--count", type=click.IntRange(min=1), default=1, help="Send so many times (default 1).")
@click.option("--interval", type=SECONDS, default=1.0, help="Seconds between two of them (default 1).")
def command(expression: str, interface: str | None, count: int, interval: float) -> int:
    """Send the packet that EXPR stands for."""
    packet = read_expression(expression)
    sent = 0
    with ExitStack() as stack, Lines() as lines:
        stop = stack.enter_context(StopSignals())
        packet, send = _sender(packet, interface, stack)
        drop_privileges()
        built = packet.built()
        try:
            while stop.received is None:
                send(packet)
                sent += 1
                if sent == count:
                    return OK
                stop.wait(seconds=interval)
        finally:
            times = "" if sent == 1 else f" {sent} times"
            lines.write(f"sent{times}: {built.summary()}" if sent else "nothing sent")
    return 128 + stop.received


def _sender(packet: Packet, name: str | None, stack: ExitStack) -> tuple[Packet, Callable[[Packet], None]]:
    """The packet with this host's addresses where it left them open, and what sends it."""
    first = packet.layers[0] if packet.layers else None
    if isinstance(first, IPv4):
        raw4 = stack.enter_context(RawIPv4Socket(interface=name))
        return with_source(packet, name), raw4.send
    if isinstance(first, IPv6):
        raw6 = stack.enter_context(RawIPv6Socket(interface=name))
        return with_source(packet, name), raw6.send
    if not isinstance(first, Ethernet):
        raise click.UsageError("a packet to be sent begins with Ethernet, IPv4 or IPv6")
    if name is None:
        raise click.UsageError("a packet that begins with Ethernet needs -i IFACE; `rawkit interfaces` lists them")
    socket = stack.enter_context(PacketSocket(name, protocol=0))
    return _with_own_addresses(packet, name), socket.send


def _with_own_addresses(packet: Packet, name: str) -> Packet:
    """The frame with the interface's MAC and IP addresses where it left them AUTO."""
    own: Interface = next(interface for interface in interfaces() if interface.name == name)
    ipv4 = next((address.ip for address in own.addresses if address.version == 4), None)
    if packet[Ethernet].src is AUTO and own.mac is not None:
        packet = packet.replace(Ethernet, src=own.mac)
    if ARP in packet:
        if packet[ARP].sender_mac is AUTO and own.mac is not None:
            packet = packet.replace(ARP, sender_mac=own.mac)
        if packet[ARP].sender_ip is AUTO and ipv4 is not None:
            packet = packet.replace(ARP, sender_ip=ipv4)
    return with_source(packet, name)
