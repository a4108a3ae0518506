"""Scan: which ports and protocols of a host answer, and what their answers mean (RFC 9293, section 3.10.7).

Each technique is a packet to a port, and a table of what its answers say about that port. The words for states and
reasons are those of nmap.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.layout import compile_picker
from rawkit.link import Frame
from rawkit.probe.matching import quoted_by
from rawkit.probe.port import KernelPort, Ready
from rawkit.probe.volley import Volley
from rawkit.wire import (
    TCP,
    UDP,
    CutHeader,
    Ethernet,
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
from rawkit.wire.template import Template

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


Verdict = tuple[State, str]
"""A state and its reason, in nmap's words."""

OPEN_BY_SYN_ACK: Final[Verdict] = State.OPEN, "syn-ack"
OPEN_BY_ACK: Final[Verdict] = State.OPEN, "ack"
OPEN_BY_RESET: Final[Verdict] = State.OPEN, "reset"
CLOSED_BY_RESET: Final[Verdict] = State.CLOSED, "reset"
UNFILTERED_BY_RESET: Final[Verdict] = State.UNFILTERED, "reset"
SYN, RST = int(TCPFlags.SYN), int(TCPFlags.RST)

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

    `rate` is in packets a second (None: as fast as it goes), `timeout` in seconds, `seed` chooses the order and
    the numbers of the packets. Raises FieldError.
    """

    destination: IPv4Address | IPv6Address
    ports: Sequence[int]
    technique: Technique = Technique.SYN
    rate: float | None = None
    timeout: float = 1.0
    retries: int = 1
    seed: int = field(default_factory=lambda: secrets.randbelow(MODULO))
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
        self, port: KernelPort, question: Ready, on_limit: Callable[[], None] = lambda: None
    ) -> Iterator[PortState]:
        """Ask every port, those that stay silent again; each state comes as it is known, silence at the end.

        `question` is `packet()`, completed by the port. Where a host limits how many errors a second it sends, so
        that ports answer only when they are asked again, they are asked more slowly; `on_limit` is told.
        Raises what sending raises.
        """
        volley = Volley(port, question.channel, self._frames(question.packet), self._reader(question.packet))
        open_ports = list(dict.fromkeys(self.ports))
        random.Random(self.seed).shuffle(open_ports)
        rate, round_, extra = self.rate, 0, 0
        limited = self.technique in CLOSED_BY_ERROR  # as many errors as hosts send are worth waiting for
        while open_ports and round_ <= self.retries + extra and round_ < MOST_ROUNDS:
            answered: set[int] = set()
            errors = 0
            for number, (state, reason) in volley.fire(
                open_ports, rate=rate, timeout=self.timeout, patient=limited
            ):
                answered.add(number)
                errors += reason in ERRORS_THAT_CLOSE
                yield PortState(self.destination, number, state, reason)
            open_ports = [number for number in open_ports if number not in answered]
            # Ports that were silent, and say now that they are closed: the host limits its errors.
            if round_ and errors and open_ports:
                if not extra:
                    on_limit()
                extra += 1
                rate = max(SLOWEST, HEADROOM * errors / self._seconds_of(len(answered), rate))
            round_ += 1
        for number in open_ports:
            yield PortState(self.destination, number, self._silence(), "no-response")

    def _seconds_of(self, count: int, rate: float | None) -> float:
        """About how long so many answers took to come."""
        return max(self.timeout, count / rate if rate else 0)

    def _silence(self) -> State:
        return SILENCE.get(self.technique, State.OPEN_OR_FILTERED)

    def _judge(self, packet: Packet) -> Verdict:
        """What an answer, or an ICMP error about the question, says of the port."""
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
        return self._judge_segment(packet[TCP].flags, packet[TCP].window)

    def _judge_segment(self, flags: int, window: int) -> Verdict:
        if not flags & RST:
            return OPEN_BY_SYN_ACK if flags & SYN else OPEN_BY_ACK
        if self.technique is Technique.ACK:
            return UNFILTERED_BY_RESET
        if self.technique is Technique.WINDOW and window:
            return OPEN_BY_RESET
        return CLOSED_BY_RESET

    def _frames(self, question: Packet) -> Callable[[Sequence[int]], Iterable[bytes]]:
        """What makes the questions to some ports, from the one to the first."""
        if self.technique is Technique.PROTOCOL:
            link = Packet(question.layers[: 1 if isinstance(question.layers[0], Ethernet) else 0])
            return lambda numbers: (bytes(link / self._protocol_packet(question, number)) for number in numbers)
        header: type[TCP] | type[UDP] = UDP if self.technique is Technique.UDP else TCP
        return Template(question.recomputed(), (header, "dst_port")).frames

    def _protocol_packet(self, question: Packet, number: int) -> Packet:
        """A packet of a protocol, with a header of it where a host answers to nothing less."""
        old: IPv4 | IPv6 = question[IPv4] if self.destination.version == 4 else question[IPv6]
        ip = Packet((old,)).recomputed()
        body = {
            1: ICMPv4.echo(id=FIRST_PORT),
            6: TCP(src_port=FIRST_PORT, dst_port=FIRST_PORT, ack=1, flags="A"),
            17: UDP(src_port=FIRST_PORT, dst_port=FIRST_PORT),
            58: ICMPv6.echo(id=FIRST_PORT),
        }.get(number)
        ip = ip.replace(IPv4, protocol=number) if IPv4 in ip else ip.replace(IPv6, next_header=number)
        return ip / (body if body is not None else self.payload)

    def _reader(self, question: Packet) -> Callable[[Frame], tuple[int, Verdict] | None]:
        """What tells which port a received frame is about, and what it says of it."""
        port_of = self._port_of(question)

        def read(frame: Frame) -> tuple[int, Verdict] | None:
            packet = frame.packet()
            port = port_of(packet)
            return None if port is None else (port, self._judge(packet))

        return self._segment_reader(question, read) if self.technique in FLAGS else read

    def _segment_reader(
        self, question: Packet, otherwise: Callable[[Frame], tuple[int, Verdict] | None]
    ) -> Callable[[Frame], tuple[int, Verdict] | None]:
        """The same for TCP segments, without dissecting those that are nothing but that."""
        ip = IPv4 if self.destination.version == 4 else IPv6
        fields = (TCP, "src_port"), (TCP, "dst_port"), (TCP, "flags"), (TCP, "seq"), (TCP, "ack"), (TCP, "window")
        pick = compile_picker((Ethernet, ip, TCP), ((ip, "src"), *fields))
        own, asked = self.destination, question[TCP]
        own_port, seq, acknowledged, judge = (
            asked.src_port,
            asked.ack,
            self._acknowledged(asked),
            self._judge_segment,
        )

        def read(frame: Frame) -> tuple[int, Verdict] | None:
            picked = pick(frame.data)
            if picked is None:
                return otherwise(frame)
            source, port, to_port, flags, from_seq, ack, window = picked
            if to_port != own_port or (ack != acknowledged and from_seq != seq) or source != own:
                return None
            return port, judge(int(flags), window)

        return read

    def _acknowledged(self, asked: TCP) -> int:
        """The acknowledgment number of an answer: a SYN and a FIN count (RFC 9293, section 3.4)."""
        counted = bool(asked.flags & SYN) + bool(asked.flags & TCPFlags.FIN)
        return (asked.seq + counted) % MODULO

    def _port_of(self, question: Packet) -> Callable[[Packet], int | None]:
        """What tells which port a received packet is about."""
        if self.technique is Technique.PROTOCOL:
            return lambda packet: _protocol_answered(packet, self.destination)
        header: type[TCP] | type[UDP] = UDP if self.technique is Technique.UDP else TCP
        own = question[header].src_port
        acknowledged = self._acknowledged(question[TCP]) if header is TCP else 0

        def port_of(packet: Packet) -> int | None:
            if _is_error(packet) or header not in packet:
                return _quoted_port(packet, header, own)
            found = packet[header]
            if found.dst_port != own:
                return None
            if isinstance(found, TCP) and found.ack != acknowledged and found.seq != question[TCP].ack:
                return None
            return int(found.src_port)

        return port_of


ERRORS_THAT_CLOSE: Final = ("port-unreach", "proto-unreach")
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


def _is_error(packet: Packet) -> bool:
    return any(isinstance(layer, ICMPv4 | ICMPv6) and layer.quotes() for layer in packet.layers)


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
