"""When sending asks for --force: what could hurt others, where there are others.

Three things could: more than 1,000 packets a second to hosts beyond the local link, more than a few to broadcast
or multicast addresses, and sources that are not this host's. They are asked about on a real interface only, not
on loopback and not in a lab (`is_lab` tells). Those who were given --force do not ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from math import inf
from typing import Any, NamedTuple

from rawkit.errors import NeedsForceError
from rawkit.layout import AUTO
from rawkit.link.interfaces import Interface, interfaces
from rawkit.link.surroundings import is_lab
from rawkit.wire import ARP, Ethernet, Header, IPv4, IPv6, Sweep
from rawkit.wire.sweep import count_of

__all__ = ["FASTEST", "MOST_TO_MANY", "Sending", "examine", "reasons", "require_force"]

FASTEST = 1000
"""Packets a second beyond the local link that nobody is asked about."""

MOST_TO_MANY = 16
"""Packets to broadcast or multicast addresses that nobody is asked about."""

Block = tuple[int, int, int]
"""IP version, and the first and the last address as numbers."""


class Sending(NamedTuple):
    """The facts about what is to be sent."""

    lab: bool
    """Whether it stays in a lab, or on loopback."""
    packets: int
    rate: float
    """Packets a second; `math.inf` is as fast as it goes."""
    beyond: str = ""
    """A destination that is not on the local link; empty if there is none."""
    to_many: int = 0
    """How many of the packets go to a broadcast or multicast address."""
    forged: str = ""
    """A source that is not this host's; empty if there is none."""


def reasons(sending: Sending) -> list[str]:
    """What there is to ask about, in words; nothing in a lab."""
    if sending.lab:
        return []
    found = []
    if sending.beyond and min(sending.rate, sending.packets) > FASTEST:
        speed = "as fast as it goes" if sending.rate == inf else f"{sending.rate:g} packets a second"
        found.append(
            f"{speed} to {sending.beyond}, beyond the local link (up to --rate {FASTEST} nobody is asked)"
        )
    if sending.to_many > MOST_TO_MANY:
        found.append(
            f"{sending.to_many} packets to broadcast or multicast addresses (up to {MOST_TO_MANY} nobody is asked)"
        )
    if sending.forged:
        found.append(f"the source {sending.forged} is not this host's")
    return found


def require_force(sending: Sending) -> None:
    """Raise NeedsForceError where sending is to be asked for. For who gave --force, do not call it."""
    if found := reasons(sending):
        raise NeedsForceError(found)


def examine(sweep: Sweep, *, interface: str | None = None, times: int = 1, rate: float = inf) -> Sending:
    """The facts about sending a sweep so many times, on an interface or by the kernel's routes.

    Of the addresses, those in the outermost headers count: what is in a tunnel goes on from its other end.
    Raises KernelError, InterfaceError.
    """
    here = interfaces()
    header = next((layer for layer in sweep.packet.layers if isinstance(layer, IPv4 | IPv6)), None)
    version = 4 if isinstance(header, IPv4) else 6
    networks = [block(address.network) for each in here for address in each.addresses]
    groups = [
        *GROUPS,
        *((version, last, last) for version, first, last in networks if version == 4 and last - first > 1),
    ]
    packets = sweep.count * times
    to_many = packets if _begins_with_group(sweep) else 0
    beyond = ""
    if header is not None:
        values = swept_values(sweep, header, "dst")
        to_many = to_many or packets * count_within(version, values, groups) // count_of(values)
        beyond = _outside(version, values, [*networks, *groups, *ON_EVERY_LINK])
    return Sending(is_lab(interface), packets, rate, beyond, to_many, _forged(sweep, interface, here))


def block(network: Any) -> Block:
    """The addresses of an ipaddress network."""
    return network.version, int(network.network_address), int(network.broadcast_address)


GROUPS = [block(ip_network(text)) for text in ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8")]
ON_EVERY_LINK = [block(ip_network(text)) for text in ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")]
NO_ADDRESS = [block(ip_network(text)) for text in ("0.0.0.0/32", "::/128")]


def swept_values(sweep: Sweep, header: Header, field: str) -> Sequence[Any]:
    """All values of one field: those of its axis, or the only one."""
    for axis in sweep.axes:
        if axis.field == field and sweep.packet.layers[axis.layer] is header:
            return axis.values
    return (getattr(header, field),)


def count_within(version: int, values: Sequence[Any], blocks: Iterable[Block]) -> int:
    """How many of the addresses are in any of the blocks; a range is not gone through."""
    own = _disjoint(block for block in blocks if block[0] == version)
    if isinstance(values, range):
        return sum(count_of(_clipped(values, first, last)) for _, first, last in own)
    numbers = [int(value) for value in values]
    return sum(any(first <= number <= last for _, first, last in own) for number in numbers)


def _disjoint(blocks: Iterable[Block]) -> list[Block]:
    """The blocks without those that others contain."""
    found: list[Block] = []
    for version, first, last in sorted(set(blocks), key=lambda block: (block[1], -block[2])):
        if not found or last > found[-1][2]:
            found.append((version, first, last))
    return found


def _clipped(values: range, first: int, last: int) -> range:
    """The part of a range that lies between two numbers."""
    start, step = (values[0], values.step) if values.step > 0 else (values[-1], -values.step)
    begin = start + max(0, -((start - first) // step)) * step
    end = min(last, values[-1] if values.step > 0 else values[0])
    return range(begin, end + 1, step)


def _outside(version: int, values: Sequence[Any], blocks: list[Block]) -> str:
    """One of the addresses that is in none of the blocks; empty if there is none."""
    if count_within(version, values, blocks) == count_of(values):
        return ""
    shown = [values[0], values[-1]] if isinstance(values, range) else values
    found = next((value for value in shown if not count_within(version, (value,), blocks)), shown[0])
    return str((IPv4Address if version == 4 else IPv6Address)(int(found)))


def _begins_with_group(sweep: Sweep) -> bool:
    """Whether a frame of the sweep goes to a group of MAC addresses (IEEE 802, the first bit that is sent)."""
    first = sweep.packet.layers[0] if sweep.packet.layers else None
    return isinstance(first, Ethernet) and any(mac.is_multicast for mac in swept_values(sweep, first, "dst"))


def _forged(sweep: Sweep, interface: str | None, here: Sequence[Interface]) -> str:
    """A source that is not this host's: MAC, IP, or the sender that ARP tells; empty if there is none."""
    macs = {each.mac for each in here if interface in (None, each.name)}
    own = [(each.version, int(each.ip), int(each.ip)) for host in here for each in host.addresses]
    for layer in sweep.packet.layers:
        if isinstance(layer, Ethernet):
            for mac in swept_values(sweep, layer, "src"):
                if mac is not AUTO and mac not in macs:
                    return str(mac)
        name = "sender_ip" if isinstance(layer, ARP) else "src"
        if isinstance(layer, ARP | IPv4 | IPv6):
            values = swept_values(sweep, layer, name)
            version = 6 if isinstance(layer, IPv6) else 4
            return "" if values[0] is AUTO else _outside(version, values, [*own, *NO_ADDRESS])
    return ""
