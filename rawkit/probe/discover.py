"""Which hosts of a prefix are there: ARP and neighbour discovery on the link, ICMP and TCP beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, Self

from rawkit.errors import KernelError
from rawkit.layout import MAC
from rawkit.link import Route, Sending, examine, find_route, interfaces
from rawkit.probe.arp import question, who_has
from rawkit.probe.exchange import Exchange
from rawkit.probe.outcome import Answer, Miss
from rawkit.probe.port import KernelPort
from rawkit.probe.target import with_numbers
from rawkit.wire import (
    ARP,
    TCP,
    Ethernet,
    ICMPv4,
    ICMPv4Echo,
    ICMPv4Timestamp,
    ICMPv6,
    ICMPv6Echo,
    IPv4,
    IPv6,
    Packet,
    Sweep,
)

__all__ = ["Discovery", "Host", "by_version"]

AnyAddress = IPv4Address | IPv6Address

SYN_PORT: Final = 443
ACK_PORT: Final = 80
"""What nmap asks too: a SYN for filters that let the web in, an ACK for those that only look at SYNs."""

IDENTIFIER: Final = 0x7261

FAR_QUESTIONS: Final = 4
"""Packets to an address beyond the link at the most."""


class Host(NamedTuple):
    """A host that is there, and how it showed."""

    address: AnyAddress
    reason: str
    round_trip_ns: int | None
    mac: MAC | None
    """Of a host on the link."""


class Discovery:
    """The search for hosts among some addresses. What it takes is opened at once, so privileges can be dropped.

    Raises NotPermittedError, InterfaceError; addresses to which there is no way are left out.
    """

    def __init__(self, addresses: Sequence[AnyAddress], interface: str | None = None) -> None:
        self._interface = interface
        self._own: list[AnyAddress] = []
        self._near: dict[tuple[str, int], list[Route]] = {}  # by interface and IP version
        self._far: list[AnyAddress] = []
        self._exchanges: dict[tuple[str, int], Exchange] = {}
        for address in addresses:
            with suppress(KernelError):
                self._sort(address, find_route(address, interface=interface))
        with ExitStack() as stack:
            for name, version in self._near:
                port = stack.enter_context(KernelPort(name, filter="arp or icmp6", bulk=True, guard=False))
                port.open(Ethernet(dst="ff:ff:ff:ff:ff:ff") / ARP(target_ip="0.0.0.0"))
                self._exchanges[name, version] = Exchange(port)
            if self._far:
                port = stack.enter_context(KernelPort(interface, bulk=True, guard=False))
                port.reach(self._far)
                self._beyond = Exchange(port)
            self._stack = stack.pop_all()

    def _sort(self, address: AnyAddress, route: Route) -> None:
        if route.kind == "local":
            self._own.append(address)
        elif route.gateway is not None:
            self._far.append(address)
        elif route.kind == "unicast":
            self._near.setdefault((route.interface, address.version), []).append(route)

    def sending(self, *, times: int, rate: float) -> Iterator[Sending]:
        """The facts about what is sent, for those who might be hurt by it."""
        for (name, _), routes in self._near.items():
            asked = question(routes[0].destination, routes[0].source, MAC(bytes(6)))
            yield examine(Sweep(asked), interface=name, times=times * len(routes), rate=rate)
        for group in by_version(self._far):
            asked = next(_questions(group[0]))
            sweep = Sweep(asked, (0, "dst", group))
            yield examine(sweep, interface=self._interface, times=times * FAR_QUESTIONS, rate=rate)

    def run(self, *, timeout: float = 1.0, retries: int = 1, rate: float | None = 1000.0) -> Iterator[Host]:
        """The hosts that are there: this host itself, those on its links, and those beyond; each once.

        On the link, whoever answers ARP or neighbour discovery is there; beyond, whoever answers an echo or
        timestamp request, a SYN or an ACK. Raises what the exchange does.
        """
        for address in self._own:
            yield Host(address, "this host", None, None)
        for (name, version), routes in self._near.items():
            mac = next((each.mac for each in interfaces() if each.name == name), None) or MAC(bytes(6))
            addresses = iter([route.destination for route in routes])
            source = routes[0].source
            owners = who_has(
                self._exchanges[name, version],
                addresses,
                source,
                mac,
                timeout=timeout,
                retries=retries,
                rate=rate,
            )
            for owner in owners:
                if owner.mac is not None and not owner.repeated:
                    reason = "arp-response" if version == 4 else "nd-response"
                    yield Host(owner.address, reason, owner.round_trip_ns, owner.mac)
        if self._far:
            yield from self._run_beyond(timeout, retries, rate)

    def _run_beyond(self, timeout: float, retries: int, rate: float | None) -> Iterator[Host]:
        asked: list[AnyAddress] = []

        def packets() -> Iterator[Packet]:
            for address in self._far:
                for packet in _questions(address):
                    asked.append(address)
                    yield packet

        seen: set[AnyAddress] = set()
        outcomes = self._beyond.ask_all(with_numbers(packets()), timeout=timeout, retries=retries, rate=rate)
        for outcome in outcomes:
            address = asked[outcome.number]
            if address not in seen and (reason := _shows(outcome, address)):
                seen.add(address)
                yield Host(address, reason, outcome.round_trip_ns, None)

    def close(self) -> None:
        """Let go of the sockets."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def by_version(addresses: Sequence[AnyAddress]) -> list[list[AnyAddress]]:
    """The IPv4 addresses and the IPv6 addresses, as far as there are any."""
    groups = ([each for each in addresses if each.version == version] for version in (4, 6))
    return [group for group in groups if group]


def _questions(address: AnyAddress) -> Iterator[Packet]:
    if isinstance(address, IPv4Address):
        ip: IPv4 | IPv6 = IPv4(dst=address)
        yield ip / ICMPv4.echo(id=IDENTIFIER)
        yield ip / ICMPv4Timestamp(id=IDENTIFIER)
    else:
        ip = IPv6(dst=address)
        yield ip / ICMPv6.echo(id=IDENTIFIER)
    yield ip / TCP(src_port=40_125, dst_port=SYN_PORT, seq=IDENTIFIER, flags="S")
    yield ip / TCP(src_port=40_125, dst_port=ACK_PORT, ack=IDENTIFIER, flags="A")


def _shows(outcome: Answer | Miss, address: AnyAddress) -> str:
    """How an outcome shows that the host is there; empty if it does not."""
    packet = outcome.packet
    if packet is None:
        return ""
    if isinstance(outcome, Answer):
        return REASONS.get(type(packet.layers[-1]), "answer")
    sender = packet[IPv4].src if address.version == 4 else packet[IPv6].src
    return "unreachable" if sender == address else ""


REASONS: Final[dict[type, str]] = {
    TCP: "tcp-response",
    ICMPv4Timestamp: "timestamp-reply",
    ICMPv4Echo: "echo-reply",
    ICMPv6Echo: "echo-reply",
}
