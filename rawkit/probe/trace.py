"""Trace: the routers on the way, each of which answers for a packet whose time to live ends there (RFC 792, 4443).

All hops are asked at once. What load balancers look at is the same in every packet of a flow (as in Paris
traceroute): addresses, ports, and the first bytes of ICMP with its checksum. What tells one packet from another is
elsewhere: in the identification and in the checksum of UDP, in TCP's sequence number, in ICMP's, whose payload
makes up for it. Several flows find the ways among which a load balancer chooses.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from rawkit.errors import FieldError, KernelError
from rawkit.probe.exchange import Exchange
from rawkit.probe.outcome import Answer, Miss, Reason
from rawkit.wire import (
    TCP,
    UDP,
    ICMPExtensions,
    ICMPv4,
    ICMPv4TimeExceeded,
    ICMPv4Unreachable,
    ICMPv6,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    ICMPv6Unreachable,
    IPv4,
    IPv6,
    MPLSLabelStack,
    Packet,
)
from rawkit.wire.trailing import trailing

__all__ = ["Hop", "HopReply", "Trace", "TraceMethod"]

FIRST_PORT: Final = 33_434
"""Where traceroute's ports begin; nothing is expected to listen there."""

ONES: Final = 0xFFFF
"""What the Internet checksum counts modulo (RFC 1071)."""

LOCAL: Final = (Reason.NO_ROUTE, Reason.NO_NEIGHBOR, Reason.REFUSED)
"""Why no packet leaves this host at all."""

MARKS_V4: Final = {0: "!N", 1: "!H", 2: "!P", 4: "!F", 5: "!S", 9: "!X", 10: "!X", 13: "!X"}
MARKS_V6: Final = {0: "!N", 1: "!X", 3: "!H", 5: "!X", 6: "!X"}
"""How traceroute marks what else is unreachable, by the code of the error."""


class TraceMethod(StrEnum):
    """What is sent."""

    UDP = "udp"
    ICMP = "icmp"
    TCP = "tcp"


class HopReply(NamedTuple):
    """What came back for one packet; `address` is None and `round_trip_ns` too where nothing did."""

    flow: int
    address: IPv4Address | IPv6Address | None
    round_trip_ns: int | None
    mark: str
    """`!N`, `!H` and so on where the destination is unreachable, else empty."""
    mtu: int | None
    """Of the next link, where the packet was too large for it."""
    labels: tuple[tuple[int, ...], ...]
    """The MPLS label stacks with which the packet came, if the router tells (RFC 4950)."""
    ends: bool
    """Whether the way ends here, at the destination or at an error."""
    reached: bool
    """Whether it is the destination that answered."""
    packet: Packet | None


class Hop(NamedTuple):
    """What is so many hops away."""

    ttl: int
    replies: tuple[HopReply, ...]

    @property
    def reached(self) -> bool:
        """Whether this is the destination."""
        return any(reply.reached for reply in self.replies)

    @property
    def addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """Who answered, each once, in the order of the replies."""
        return tuple(dict.fromkeys(reply.address for reply in self.replies if reply.address is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The way to `destination`: `probes` packets for each hop in each of `flows` flows.

    `size` is in bytes of payload behind the transport header, `port` the destination's, of UDP and TCP, `id` a
    number that tells this trace from others (it chooses the source port, and ICMP's identifier). `timeout` is in
    seconds. Raises FieldError.
    """

    destination: IPv4Address | IPv6Address
    method: TraceMethod = TraceMethod.UDP
    first: int = 1
    most: int = 30
    probes: int = 3
    flows: int = 1
    port: int = FIRST_PORT
    size: int = 32
    dont_fragment: bool = False
    timeout: float = 2.0
    id: int = 0
    source: IPv4Address | IPv6Address | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.most <= 255:
            raise FieldError("trace", "first, most", (self.first, self.most), "1 <= first hop <= last hop <= 255")
        if not 1 <= self.probes * self.flows <= 256:
            raise FieldError("trace", "probes, flows", (self.probes, self.flows), "1 to 256 packets a hop")
        if not 2 <= self.size <= 1400 and self.method is not TraceMethod.TCP and not self.dont_fragment:
            raise FieldError("trace", "size", self.size, "2 to 1400 bytes")

    def packet(self, ttl: int, flow: int, number: int) -> Packet:
        """The packet for a hop, in a flow; `number` tells it from all others of the trace."""
        ip: IPv4 | IPv6
        if isinstance(self.destination, IPv4Address):
            ip = IPv4(dst=self.destination, ttl=ttl, identification=number, dont_fragment=self.dont_fragment)
        else:
            ip = IPv6(dst=self.destination, hop_limit=ttl)
        if self.source is not None:
            ip = ip.replace(src=self.source)
        if self.method is TraceMethod.TCP:
            return ip / TCP(src_port=self._port(flow), dst_port=self.port, seq=number, flags="S")
        if self.method is TraceMethod.UDP:
            data = number.to_bytes(2).ljust(self.size, b"\0")
            return ip / UDP(src_port=self._port(flow), dst_port=self.port) / data
        # What the sequence number adds to the checksum, the first word of the payload takes away again.
        data = ((flow - number) % ONES).to_bytes(2).ljust(self.size, b"\0")
        kind = ICMPv4 if ip.version == 4 else ICMPv6
        return ip / kind.echo(id=self.id, seq=number) / data

    def _port(self, flow: int) -> int:
        return 32_768 + (self.id + flow) % 16_384

    def run(self, exchange: Exchange) -> Iterator[Hop]:
        """Ask, and give the hops in order, each as soon as all of its packets are answered or given up.

        Ends behind the hop at which the way ends. A packet that is not answered is sent once more, since errors
        are limited to so many a second. Raises KernelError where no packet leaves, and what the exchange does.
        """
        asked = [
            (ttl, flow, probe)
            for ttl in range(self.first, self.most + 1)
            for flow in range(self.flows)
            for probe in range(self.probes)
        ]
        each = self.flows * self.probes
        found: dict[int, list[tuple[int, HopReply]]] = {}
        end = self.most

        def packets() -> Iterator[Packet]:
            for number, (ttl, flow, _) in enumerate(asked, 1):
                if ttl > end:
                    return
                yield self.packet(ttl, flow, number)

        next_ttl = self.first
        for outcome in exchange.ask_all(packets(), timeout=self.timeout, retries=1, window=each * 30):
            if isinstance(outcome, Miss) and outcome.reason in LOCAL:
                raise KernelError(errno.EHOSTUNREACH, f"trace to {self.destination}", outcome.text)
            ttl, flow, _ = asked[outcome.number]
            reply = self._reply(flow, outcome)
            found.setdefault(ttl, []).append((outcome.number, reply))
            if reply.ends:
                end = min(end, ttl)
            while next_ttl <= end and len(found.get(next_ttl, ())) == each:
                replies = [reply for _, reply in sorted(found.pop(next_ttl), key=lambda pair: pair[0])]
                yield Hop(next_ttl, tuple(replies))
                next_ttl += 1
            if next_ttl > end:
                return

    def _reply(self, flow: int, outcome: Answer | Miss) -> HopReply:
        packet = outcome.packet
        if packet is None or (isinstance(outcome, Miss) and outcome.reason is not Reason.ERROR):
            return HopReply(flow, None, None, "", None, (), False, False, None)
        sender = packet[IPv4].src if self.destination.version == 4 else packet[IPv6].src
        expired = ICMPv4TimeExceeded in packet or ICMPv6TimeExceeded in packet
        return HopReply(
            flow,
            sender,
            outcome.round_trip_ns,
            _mark(packet, sender == self.destination),
            mtu_in(packet),
            labels_in(packet),
            not expired,
            sender == self.destination,
            packet,
        )


def _mark(packet: Packet, is_destination: bool) -> str:
    if ICMPv4Unreachable in packet:
        code = packet[ICMPv4Unreachable].code
        return "" if code == 3 and is_destination else MARKS_V4.get(code, f"!{code}")
    if ICMPv6Unreachable in packet:
        code = packet[ICMPv6Unreachable].code
        return "" if code == 4 and is_destination else MARKS_V6.get(code, f"!{code}")
    return "!F" if ICMPv6PacketTooBig in packet else ""


def mtu_in(packet: Packet) -> int | None:
    """The MTU that a router tells in an error, in bytes; 0 from one that knows nothing of it (RFC 1191)."""
    if ICMPv4Unreachable in packet and packet[ICMPv4Unreachable].code == 4:
        return packet[ICMPv4Unreachable].next_hop_mtu
    return packet[ICMPv6PacketTooBig].mtu if ICMPv6PacketTooBig in packet else None


def labels_in(packet: Packet) -> tuple[tuple[int, ...], ...]:
    """The MPLS label stacks in the extensions of an ICMP error (RFC 4950), the outermost label first."""
    extensions = [place.record for place in trailing(packet) if isinstance(place.record, ICMPExtensions)]
    objects = [item for extension in extensions for item in extension.objects]
    return tuple(
        tuple(entry.label for entry in item.labels) for item in objects if isinstance(item, MPLSLabelStack)
    )
