"""Ping: the same question again and again, and how long each answer takes (RFC 792, 4443, 9293, 826)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from itertools import count as count_up
from typing import Final

from rawkit.errors import FieldError
from rawkit.probe.exchange import Exchange
from rawkit.probe.matching import is_port_unreachable
from rawkit.probe.outcome import Answer, Miss, Outcome, Reason
from rawkit.wire import (
    ARP,
    TCP,
    UDP,
    Ethernet,
    ICMPv4,
    ICMPv6,
    IPv4,
    IPv4Option,
    IPv6,
    Packet,
)

__all__ = ["FIRST_PORT", "PATTERN", "Method", "Ping", "PingSummary"]

DATA_BYTES: Final = 56
"""What a ping carries by default, as that of iputils does."""

FIRST_PORT: Final = 49_152
"""Ports from here on are nobody's (RFC 6335, section 6)."""

FLOOD_WINDOW: Final = 1
"""Questions that are open at a time when the next one leaves as soon as the last was answered."""

PATTERN: Final = bytes(range(256))
"""What the data is filled with where nothing else is asked for."""

MODULO: Final = 65_536
"""Sequence numbers and identifications count modulo this."""


class Method(StrEnum):
    """What is asked."""

    ICMP = "icmp"
    """Echo request and reply."""
    SYN = "syn"
    """A TCP SYN, which is acknowledged or reset."""
    ACK = "ack"
    """A TCP ACK of nothing, which is reset; it passes filters that only look at SYNs."""
    UDP = "udp"
    """A datagram: an answer of the service, or the error that says that there is none."""
    ARP = "arp"
    """A request for the MAC address, IPv4 on the link only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """What is sent to `destination`, how often and how fast. Sequence numbers begin with 1.

    `size` is in bytes of data (of ICMP and UDP), filled with `pattern` repeated. `interval` and `timeout` are in
    seconds; an `interval` of 0 floods: the next question leaves when the last one is answered. `port` is for TCP
    and UDP. `id` is the identifier of ICMP, and tells which source ports TCP and UDP use. Raises FieldError.
    """

    destination: IPv4Address | IPv6Address
    method: Method = Method.ICMP
    count: int | None = None
    interval: float = 1.0
    timeout: float = 2.0
    size: int = DATA_BYTES
    pattern: bytes = PATTERN
    ttl: int = 64
    dont_fragment: bool = False
    options: tuple[IPv4Option, ...] = ()
    port: int = 80
    id: int = 0
    source: IPv4Address | IPv6Address | None = None

    def __post_init__(self) -> None:
        version = self.destination.version
        if not 0 <= self.size <= 65_507:
            raise FieldError("ping", "size", self.size, "0 to 65507 bytes, what fits into a datagram")
        if not 0 <= self.interval < math.inf:
            raise FieldError("ping", "interval", self.interval, "a number of seconds, 0 or more")
        if not self.pattern:
            raise FieldError("ping", "pattern", self.pattern, "one byte or more")
        if version == 6 and (self.options or self.method is Method.ARP):
            raise FieldError("ping", "destination", str(self.destination), "an IPv4 address (for options and ARP)")

    def packet(self, seq: int) -> Packet:
        """Question number `seq`, its data and source left to the exchange."""
        if self.method is Method.ARP:
            return Ethernet(dst="ff:ff:ff:ff:ff:ff") / ARP(target_ip=str(self.destination))
        data = (self.pattern * (self.size // len(self.pattern) + 1))[: self.size]
        ip = self._ip(seq)
        number = seq % MODULO
        if self.method is Method.ICMP:
            kind = ICMPv4 if self.destination.version == 4 else ICMPv6
            return ip / kind.echo(id=self.id, seq=number) / data
        if self.method is Method.UDP:
            return ip / UDP(src_port=self._port(seq), dst_port=self.port) / data
        if self.method is Method.SYN:
            return ip / TCP(src_port=self._port(seq), dst_port=self.port, flags="S", seq=seq)
        return ip / TCP(src_port=self._port(seq), dst_port=self.port, flags="A", ack=seq)

    def _port(self, seq: int) -> int:
        """A port of its own for each question, so that nothing is left over from the one before."""
        return FIRST_PORT + (self.id + seq) % (MODULO - FIRST_PORT)

    def _ip(self, seq: int) -> IPv4 | IPv6:
        if isinstance(self.destination, IPv6Address):
            ip6 = IPv6(dst=self.destination, hop_limit=self.ttl)
            return ip6 if self.source is None else ip6.replace(src=self.source)
        ip4 = IPv4(
            dst=self.destination,
            ttl=self.ttl,
            identification=seq % MODULO,
            dont_fragment=self.dont_fragment,
            options=self.options,
        )
        return ip4 if self.source is None else ip4.replace(src=self.source)

    def run(
        self, exchange: Exchange, stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Answer | Miss]]:
        """Ask, and give each outcome with its sequence number; no more is asked once `stopped` says so.

        Raises what the exchange does.
        """
        numbers = count_up(1) if self.count is None else iter(range(1, self.count + 1))
        packets = (self.packet(seq) for seq in numbers if not stopped())
        flood = self.interval == 0
        outcomes = exchange.ask_all(
            packets,
            timeout=self.timeout,
            rate=None if flood else 1 / self.interval,
            window=FLOOD_WINDOW if flood else MODULO // 2,
            repeats=True,
            linger=self.timeout if self.destination.is_multicast else 0,
        )
        for outcome in outcomes:
            yield outcome.number + 1, self._reached(outcome)

    def _reached(self, outcome: Answer | Miss) -> Answer | Miss:
        """The outcome; to a datagram, that its port is closed is an answer too if the destination says it."""
        if self.method is Method.ARP and isinstance(outcome, Miss) and outcome.reason is Reason.SILENCE:
            text = f"nobody on {outcome.interface} answers ARP for {self.destination}"
            return replace(outcome, reason=Reason.NO_NEIGHBOR, text=text)
        if self.method is not Method.UDP or not isinstance(outcome, Miss) or outcome.packet is None:
            return outcome
        packet = outcome.packet
        ip = packet[IPv4] if self.destination.version == 4 else packet[IPv6]
        if outcome.reason is not Reason.ERROR or ip.src != self.destination or not is_port_unreachable(packet):
            return outcome
        shared = {item.name: getattr(outcome, item.name) for item in fields(Outcome)}
        return Answer(**shared, packet=packet, repeated=outcome.repeated)


@dataclass(slots=True)
class PingSummary:
    """The figures under a ping, as iputils computes them. Times are in nanoseconds."""

    sent: int = 0
    received: int = 0
    duplicates: int = 0
    errors: int = 0
    round_trips: int = 0
    least_ns: int = 0
    most_ns: int = 0
    _sum: int = field(default=0, repr=False)
    _squares: int = field(default=0, repr=False)
    _missing: dict[int, None] = field(default_factory=dict, repr=False)
    """The latest questions without an answer, which may still come."""

    def is_late(self, outcome: Answer | Miss) -> bool:
        """Whether this is the first answer to a question, after its time was over."""
        return outcome.repeated and isinstance(outcome, Answer) and outcome.number in self._missing

    def add(self, outcome: Answer | Miss) -> None:
        """Count an outcome. A late answer is one that was received."""
        if self.is_late(outcome):
            del self._missing[outcome.number]
            self._receive(outcome)
            return
        if outcome.repeated:
            self.duplicates += isinstance(outcome, Answer)
            return
        self.sent += 1
        if isinstance(outcome, Answer):
            self._receive(outcome)
            return
        self.errors += outcome.reason in (Reason.ERROR, Reason.NO_NEIGHBOR, Reason.NO_ROUTE, Reason.REFUSED)
        self._missing[outcome.number] = None
        if len(self._missing) > MODULO:
            del self._missing[next(iter(self._missing))]

    def _receive(self, outcome: Answer | Miss) -> None:
        self.received += 1
        trip = outcome.round_trip_ns or 0
        self.least_ns = min(self.least_ns, trip) if self.round_trips else trip
        self.most_ns = max(self.most_ns, trip)
        self.round_trips += 1
        self._sum += trip
        self._squares += trip * trip

    @property
    def loss(self) -> float:
        """The share of questions without an answer, 0 to 1."""
        return 1 - self.received / self.sent if self.sent else 0.0

    @property
    def mean_ns(self) -> int:
        """The mean round trip."""
        return self._sum // self.round_trips if self.round_trips else 0

    @property
    def deviation_ns(self) -> int:
        """The standard deviation of the round trips, which ping calls mdev."""
        if not self.round_trips:
            return 0
        return math.isqrt(max(self._squares // self.round_trips - (self._sum // self.round_trips) ** 2, 0))
