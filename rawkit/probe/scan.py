"""Scan: which ports and protocols of a host answer, and what their answers mean (RFC 9293, section 3.10.7; RFC 792).

Each technique is a packet to a port, and a table of what its answers say about that port. The words for states and
reasons are those of nmap.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.probe.matching import quoted_by
from rawkit.probe.port import KernelPort, Ready
from rawkit.probe.volley import Volley
from rawkit.wire import (
    TCP,
    UDP,
    CutHeader,
    Header,
    ICMPv4,
    ICMPv4Unreachable,
    ICMPv6,
    ICMPv6ParameterProblem,
    ICMPv6Unreachable,
    IPv4,
    IPv6,
    Packet,
    TCPFlags,
)
from rawkit.wire.template import FieldOf

__all__ = ["PortState", "Scan", "State", "Technique"]

MODULO: Final = 1 << 32

FIRST_PORT: Final = 32_768
PORT_SPAN: Final = 28_000
"""Where a scan's own port is, among those that a kernel gives to its connections."""

SLOWEST: Final = 0.5
"""Packets a second to which a scan backs off at the most."""

HEADROOM: Final = 1.5
"""How much faster than a host's errors come it is asked, so that the limit is known if it rises."""

MOST_ROUNDS: Final = 1000
"""How often a host that limits its errors is asked at the most."""


class Technique(StrEnum):
    """What is sent to each port."""

    SYN = "syn"
    FIN = "fin"
    NULL = "null"
    XMAS = "xmas"
    ACK = "ack"
    WINDOW = "window"
    UDP = "udp"
    PROTOCOL = "protocol"


class State(StrEnum):
    """What a port is."""

    OPEN = "open"
    CLOSED = "closed"
    FILTERED = "filtered"
    """Something on the way discards the question, or says that it is prohibited."""
    UNFILTERED = "unfiltered"
    """The question comes through; open or closed, this technique does not tell."""
    OPEN_OR_FILTERED = "open|filtered"
    """Silence, which an open port keeps too."""


class PortState(NamedTuple):
    """What was found out about one port, or IP protocol."""

    address: IPv4Address | IPv6Address
    port: int
    state: State
    reason: str


FLAGS: Final = {
    Technique.SYN: TCPFlags.SYN,
    Technique.FIN: TCPFlags.FIN,
    Technique.NULL: TCPFlags(0),
    Technique.XMAS: TCPFlags.FIN | TCPFlags.PSH | TCPFlags.URG,
    Technique.ACK: TCPFlags.ACK,
    Technique.WINDOW: TCPFlags.ACK,
}
SILENCE: Final = {
    Technique.SYN: State.FILTERED,
    Technique.ACK: State.FILTERED,
    Technique.WINDOW: State.FILTERED,
}
"""What silence means; of the other techniques, that a port is open or filtered."""

UNREACHABLE_V4: Final = {
    0: "net-unreach",
    1: "host-unreach",
    2: "proto-unreach",
    3: "port-unreach",
    9: "net-prohibited",
    10: "host-prohibited",
    13: "admin-prohibited",
}
UNREACHABLE_V6: Final = {0: "no-route", 1: "admin-prohibited", 3: "addr-unreach", 4: "port-unreach"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The question to each of `ports` (of a protocol scan: protocol numbers) of `destination`, in a random order.

    `rate` is in packets a second (None: as fast as it goes), `timeout` in seconds, `seed` chooses the order and the
    numbers of the packets. Raises FieldError.
    """

    destination: IPv4Address | IPv6Address
    ports: Sequence[int]
    technique: Technique = Technique.SYN
    rate: float | None = None
    timeout: float = 1.0
    retries: int = 1
    seed: int | None = None
    payload: bytes = b""

    def __post_init__(self) -> None:
        most = 255 if self.technique is Technique.PROTOCOL else 65_535
        if not self.ports or not all(0 <= port <= most for port in self.ports):
            raise FieldError(
                "scan", "ports", f"{len(self.ports)} of them", f"at least one number from 0 to {most}"
            )

    def packet(self) -> Packet:
        """The question to the first of the ports."""
        numbers = random.Random(self.seed)
        source = FIRST_PORT + numbers.randrange(PORT_SPAN)
        seq = numbers.randrange(MODULO)
        ip: IPv4 | IPv6
        if isinstance(self.destination, IPv4Address):
            ip = IPv4(dst=self.destination, identification=numbers.randrange(1, 65_536))
        else:
            ip = IPv6(dst=self.destination)
        if self.technique is Technique.PROTOCOL:
            number = {"protocol": self.ports[0]} if ip.version == 4 else {"next_header": self.ports[0]}
            return Packet((ip.replace(**number),), self.payload)
        if self.technique is Technique.UDP:
            return ip / UDP(src_port=source, dst_port=self.ports[0]) / self.payload
        flags = FLAGS[self.technique]
        ack = seq if flags & TCPFlags.ACK else 0
        return ip / TCP(src_port=source, dst_port=self.ports[0], seq=seq, ack=ack, flags=flags, window=1024)

    def run(
        self, port: KernelPort, question: Ready, on_limit: Callable[[float], None] = lambda rate: None
    ) -> Iterator[PortState]:
        """Ask every port, those that stay silent again; each state comes as it is known, silence at the end.

        `question` is `packet()`, completed by the port. Where a host limits how many errors a second it sends, so
        that ports answer only when they are asked again, they are asked more slowly; `on_limit` is told the rate.
        Raises what sending raises.
        """
        volley = Volley(port, question, self._field(), self._value_of(question.packet))
        open_ports = list(dict.fromkeys(self.ports))
        random.Random(self.seed).shuffle(open_ports)
        rate, round_, extra = self.rate, 0, 0
        while open_ports and round_ <= self.retries + extra and round_ < MOST_ROUNDS:
            answered: set[int] = set()
            errors = 0
            for number, packet in volley.fire(open_ports, rate=rate, timeout=self.timeout):
                answered.add(number)
                state = self.judge(packet)
                errors += state.reason == "port-unreach"
                yield state._replace(port=number)
            open_ports = [number for number in open_ports if number not in answered]
            if errors and open_ports and self._is_limited(round_, errors):
                extra += 1
                rate = max(SLOWEST, HEADROOM * errors / max(self.timeout, len(answered) / (rate or 1e6)))
                on_limit(rate)
            round_ += 1
        for number in open_ports:
            yield PortState(self.destination, number, self._silence(), "no-response")

    def _is_limited(self, round_: int, errors: int) -> bool:
        """Whether ports that were silent before say now that they are closed: they were not heard, or not let."""
        return self.technique in (Technique.UDP, Technique.PROTOCOL) and errors > 0

    def _silence(self) -> State:
        return SILENCE.get(self.technique, State.OPEN_OR_FILTERED)

    def judge(self, packet: Packet) -> PortState:
        """What an answer, or an ICMP error about the question, says of the port; its number is left at 0."""
        state, reason = self._judge(packet)
        return PortState(self.destination, 0, state, reason)

    def _judge(self, packet: Packet) -> tuple[State, str]:
        if (reason := _unreachable(packet)) is not None:
            sender = packet[IPv4].src if IPv4 in packet else packet[IPv6].src
            closed = "proto-unreach" if self.technique is Technique.PROTOCOL else "port-unreach"
            if reason == closed and sender == self.destination and self.technique in CLOSED_BY_ERROR:
                return State.CLOSED, reason
            if self.technique is Technique.PROTOCOL and reason == "port-unreach" and sender == self.destination:
                return State.OPEN, reason
            return State.FILTERED, reason
        if self.technique is Technique.PROTOCOL:
            return State.OPEN, "proto-response"
        if self.technique is Technique.UDP:
            return State.OPEN, "udp-response"
        return self._judge_segment(packet[TCP])

    def _judge_segment(self, tcp: TCP) -> tuple[State, str]:
        if not tcp.flags & TCPFlags.RST:
            return State.OPEN, "syn-ack" if tcp.flags & TCPFlags.SYN else "ack"
        if self.technique is Technique.ACK:
            return State.UNFILTERED, "reset"
        if self.technique is Technique.WINDOW:
            return (State.OPEN if tcp.window else State.CLOSED), "reset"
        return State.CLOSED, "reset"

    def _field(self) -> FieldOf:
        if self.technique is Technique.PROTOCOL:
            return (IPv4, "protocol") if self.destination.version == 4 else (IPv6, "next_header")
        return (UDP if self.technique is Technique.UDP else TCP), "dst_port"

    def _value_of(self, question: Packet) -> Callable[[Packet], int | None]:
        """What tells which port a received packet is about."""
        if self.technique is Technique.PROTOCOL:
            return lambda packet: _protocol_answered(packet, self.destination)
        header: type[TCP] | type[UDP] = UDP if self.technique is Technique.UDP else TCP
        own = question[header].src_port
        seq, ack = (question[TCP].seq, question[TCP].ack) if header is TCP else (0, 0)
        acknowledged = (seq + bool(FLAGS.get(self.technique, 0) & (TCPFlags.SYN | TCPFlags.FIN))) % MODULO

        def value_of(packet: Packet) -> int | None:
            if header not in packet:
                return _quoted_port(packet, header, own)
            found: Any = packet[header]
            if found.src_port == own or found.dst_port != own:
                return _quoted_port(packet, header, own)
            if header is UDP or found.ack == acknowledged or found.seq == ack:
                return int(found.src_port)
            return None

        return value_of


CLOSED_BY_ERROR: Final = (Technique.UDP, Technique.PROTOCOL)


def _unreachable(packet: Packet) -> str | None:
    """The reason in an ICMP error; None for a packet that is none."""
    for layer in packet.layers:
        if isinstance(layer, ICMPv4Unreachable):
            return UNREACHABLE_V4.get(layer.code, f"unreach-{layer.code}")
        if isinstance(layer, ICMPv6Unreachable):
            return UNREACHABLE_V6.get(layer.code, f"unreach-{layer.code}")
        if isinstance(layer, ICMPv6ParameterProblem) and layer.code == 1:
            return "proto-unreach"
        if isinstance(layer, ICMPv4 | ICMPv6) and layer.quotes():
            return layer.describe().partition(" ")[2].replace(" ", "-")
    return None


def _quoted_port(packet: Packet, header: type[Header], own: int) -> int | None:
    """The destination's port in what an ICMP error quotes, if it is one of ours."""
    _, quoted = quoted_by(packet)
    if quoted is None:
        return None
    kind = quoted.header if isinstance(quoted, CutHeader) else type(quoted)
    values = quoted.values()
    if kind is not header or values.get("src_port") != own:
        return None
    return values.get("dst_port")


def _protocol_answered(packet: Packet, destination: IPv4Address | IPv6Address) -> int | None:
    """The IP protocol that a packet of the destination speaks, or that an error quotes."""
    ip, _ = quoted_by(packet)
    if ip is None:
        ip = next((layer for layer in packet.layers if isinstance(layer, IPv4 | IPv6)), None)
        if ip is None or ip.src != destination:
            return None
    return int(ip.protocol if isinstance(ip, IPv4) else ip.next_header)
