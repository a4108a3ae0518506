"""`rawkit send`: handmade packets, onto the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from math import inf
from typing import Final

import click

from rawkit.cli.arguments import INTERFACE, SECONDS
from rawkit.cli.main import OK
from rawkit.cli.output import Lines, Progress
from rawkit.cli.signals import StopSignals
from rawkit.link import (
    PacketSocket,
    RawIPv4Socket,
    RawIPv6Socket,
    drop_privileges,
    examine,
    interfaces,
    require_force,
    with_own_addresses,
    with_source,
)
from rawkit.views import read_sweep
from rawkit.wire import Ethernet, IPv4, IPv6, Sweep

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit send "IPv4(dst='10.0.0.2') / ICMPv4.echo(id=7, seq=1) / b'hello'"
  rawkit send -i eth0 "Ethernet(dst='ff:ff:ff:ff:ff:ff') / ARP(target_ip='10.0.0.2')"
  rawkit send --count 3 --interval 0.5 "IPv4(dst='10.0.0.2') / UDP(dst_port=9) / b'hi'"
  rawkit send "IPv4(dst='10.0.0.2') / TCP(dst_port=range(1, 1025), flags='S')" --rate 500

\b
A packet that begins with Ethernet goes out on the interface exactly as it is.
One that begins with IPv4 or IPv6 is routed by the kernel, which fills in the
total length and the header checksum of IPv4, and its identification where it
is 0. A source that is left out becomes this host's own (of a sweep over
destinations, the one towards the first).

\b
Several values for a field (a list, range(start, stop, step), a prefix for IP
addresses), or a list of payloads, send a packet of each; of several fields
every combination, the rightmost changing fastest. --count repeats all of it.

\b
On a real interface, --force is asked for: beyond the local link at more than
1000 packets a second, to broadcast or multicast addresses more than 16 times,
and with a source that is not this host's."""

BATCH: Final = 64
"""Most packets that are handed over at once, so that Ctrl-C is heard in between."""

Send = Callable[[Sequence[bytes]], None]


@click.command("send", epilog=EXAMPLES)
@click.argument("expression", metavar="EXPR")
@click.option("-i", "--interface", metavar="IFACE", type=INTERFACE, help="Send on this interface.")
@click.option("-c", "--count", type=click.IntRange(min=1), default=1, help="Send all so many times (default 1).")
@click.option("--interval", type=SECONDS, help="Seconds between two packets (default 1; of a sweep 0).")
@click.option("--rate", type=click.IntRange(min=1), metavar="PPS", help="Packets a second, instead of --interval.")
@click.option("--force", is_flag=True, help="Send also what asks for this.")
def command(
    expression: str, interface: str | None, count: int, interval: float | None, rate: int | None, force: bool
) -> int:
    """Send the packets that EXPR stands for."""
    if interval is not None and rate is not None:
        raise click.UsageError("--interval and --rate say the same; give one of them")
    sweep = read_sweep(expression)
    pause = 1 / rate if rate is not None else interval
    if pause is None:
        pause = 0.0 if sweep.axes else 1.0
    with ExitStack() as stack, Lines() as lines:
        stop = stack.enter_context(StopSignals())
        sweep, send = _sender(sweep, interface, stack)
        if not force:
            require_force(examine(sweep, interface=interface, times=count, rate=1 / pause if pause else inf))
        drop_privileges()
        round_ = Round(sweep, count)
        try:
            round_.run(send, pause, stop)
        finally:
            lines.write(round_.summary())
    return OK if stop.received is None else 128 + stop.received


class Round:
    """A sweep, sent so many times, and how far that has come."""

    def __init__(self, sweep: Sweep, times: int) -> None:
        self.total = sweep.count * times
        self.sent = 0
        self._first = sweep.packet.built()
        self._repeats = not sweep.axes
        self._frames = chain.from_iterable(sweep.frames() for _ in range(times))

    def run(self, send: Send, pause: float, stop: StopSignals) -> None:
        """Send until all is sent or a signal came, one packet every `pause` seconds."""
        start = time.monotonic()
        with Progress("packet", "sent") as progress:
            while stop.received is None and self.sent < self.total:
                ahead = start + self.sent * pause - time.monotonic()
                if ahead > 0:
                    stop.wait(seconds=ahead)
                    continue
                due = BATCH if pause == 0 else min(BATCH, 1 + int(-ahead / pause))
                frames = list(islice(self._frames, due))
                send(frames)
                self.sent += len(frames)
                progress.show(self.sent)

    def summary(self) -> str:
        """What was sent, in a line."""
        if not self.sent:
            return "nothing sent"
        if self._repeats:
            return f"sent{'' if self.sent == 1 else f' {self.sent} times'}: {self._first.summary()}"
        of = "" if self.sent == self.total else f" of {self.total}"
        return f"sent {self.sent}{of} packets, the first: {self._first.summary()}"


def _sender(sweep: Sweep, name: str | None, stack: ExitStack) -> tuple[Sweep, Send]:
    """The sweep with this host's addresses where it left them open, and what sends its frames."""
    packet = sweep.packet
    first = packet.layers[0] if packet.layers else None
    if isinstance(first, IPv4):
        raw4 = stack.enter_context(RawIPv4Socket(interface=name))
        return sweep.based_on(with_source(packet, name)), _one_by_one(raw4.send)
    if isinstance(first, IPv6):
        raw6 = stack.enter_context(RawIPv6Socket(interface=name))
        return sweep.based_on(with_source(packet, name)), _one_by_one(raw6.send)
    if not isinstance(first, Ethernet):
        raise click.UsageError("a packet to be sent begins with Ethernet, IPv4 or IPv6")
    if name is None:
        raise click.UsageError("a packet that begins with Ethernet needs -i IFACE; `rawkit interfaces` lists them")
    socket = stack.enter_context(PacketSocket(name, protocol=0))
    own = next(interface for interface in interfaces() if interface.name == name)
    return sweep.based_on(with_own_addresses(packet, own)), socket.send_many


def _one_by_one(send: Callable[[bytes], None]) -> Send:
    """What sends frames with a socket that takes one at a time."""

    def send_each(frames: Sequence[bytes]) -> None:
        for frame in frames:
            send(frame)

    return send_each
