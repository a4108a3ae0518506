"""The demo: two hosts on a link, questions made by hand, and the answers of the other host's kernel."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple, Self

from rawkit.errors import TimedOut
from rawkit.layout import MAC
from rawkit.link import Direction, PacketSocket, RawIPv4Socket, RawIPv6Socket
from rawkit.netns import Host, Lab
from rawkit.probe.matching import is_answer
from rawkit.wire import (
    ARP,
    IP,
    TCP,
    UDP,
    Ethernet,
    ICMPv4,
    ICMPv6,
    IPv4,
    IPv6,
    MaximumSegmentSize,
    Packet,
    SACKPermitted,
    TCPFlags,
    TCPNoOperation,
    WindowScale,
)

__all__ = ["Asked", "Conversation", "Question", "WireFrame"]

OPEN_PORT, CLOSED_PORT = 7, 9
SYN_ACK, RST = TCPFlags.SYN | TCPFlags.ACK, TCPFlags.RST


class Question(NamedTuple):
    """A packet made by hand, and what it asks."""

    title: str
    packet: Packet


class Asked(NamedTuple):
    """A question with its answer, if there was one, and the nanoseconds between the two on the wire."""

    question: Question
    answer: Packet | None
    round_trip_ns: int


class WireFrame(NamedTuple):
    """One frame that crossed the wire; `handmade` is the packet that it was made from, if it was."""

    time_ns: int
    packet: Packet
    source: str
    destination: str
    handmade: Packet | None


class Conversation:
    """Two lab hosts, `a` and `b`. Packets made by hand leave `a`; the kernel of `b` answers.

    They carry addresses that no kernel has (10.0.1.9 and fd00:1::9), so that the kernel of `a`, which knows
    nothing of them, does not answer in between. Whatever crosses the wire is kept in `frames`.
    """

    def __init__(self) -> None:
        with ExitStack() as stack:
            lab = stack.enter_context(Lab())
            self.a, self.b = lab.hosts("a", "b")
            lab.link(self.a, self.b, offload=False)
            self._tap = stack.enter_context(self.b.open(PacketSocket, "eth0"))
            self._ether = stack.enter_context(self.a.open(PacketSocket, "eth0"))
            self._raw4 = stack.enter_context(self.a.open(RawIPv4Socket))
            self._raw6 = stack.enter_context(self.a.open(RawIPv6Socket))
            for family in (socket.AF_INET, socket.AF_INET6):
                stack.enter_context(self.b.open(_listen, family))
            self._echo = [stack.enter_context(self.b.open(_serve, f)) for f in (socket.AF_INET, socket.AF_INET6)]
            self._stack = stack.pop_all()
        self.frames: list[WireFrame] = []
        self._handmade: dict[bytes, Packet] = {}

    def questions(self) -> Iterator[Question]:
        """What is asked: address resolution, a ping, a UDP and a TCP port closed and open; IPv4, then IPv6."""
        yield from _questions_over_ipv4(self.a, self.b)
        yield from _questions_over_ipv6(self.a, self.b)

    def ask(self, question: Question, timeout: float = 2.0) -> Asked:
        """Send the question, and wait at most `timeout` seconds for the answer."""
        sent = question.packet
        self._handmade[bytes(sent)] = sent
        built = sent.built()
        asked_at, deadline = 0, time.monotonic() + timeout
        self.send(sent)
        while (left := deadline - time.monotonic()) > 0:
            for frame in self._hear(left):
                if frame.handmade is sent:
                    asked_at = frame.time_ns
                elif frame.handmade is None and is_answer(built, frame.packet):
                    return Asked(question, frame.packet, frame.time_ns - asked_at)
        return Asked(question, None, 0)

    def send(self, packet: Packet) -> None:
        """Send a packet as its first header wants it: a frame as it is, an IP packet by the kernel's routes."""
        self._handmade[bytes(packet)] = packet
        if Ethernet in packet:
            self._ether.send(packet)
        elif IPv4 in packet:
            self._raw4.send(packet)
        else:
            self._raw6.send(packet)

    def hang_up(self, exchange: Asked) -> None:
        """End the connection that a SYN of ours opened half, as a caller should who does not want it."""
        if exchange.answer is None or TCP not in exchange.answer or exchange.answer[TCP].flags & RST:
            return
        asked = exchange.question.packet
        segment = asked[TCP].replace(flags="R", seq=exchange.answer[TCP].ack, options=())
        self.send(Packet((asked.layers[0], segment)))
        self._hear(0.5)

    def _hear(self, seconds: float) -> list[WireFrame]:
        """The frames of the wire, after the first of them came; serves the open UDP ports meanwhile."""
        waited_for: list[PacketSocket | socket.socket] = [self._tap, *self._echo]
        ready, _, _ = select.select(waited_for, [], [], seconds)
        for server in self._echo:
            if server in ready:
                data, address = server.recvfrom(2048)
                server.sendto(data, address)
        heard: list[WireFrame] = []
        while True:
            try:
                frame = self._tap.receive(0)
            except TimedOut:
                self.frames += heard
                return heard
            packet = frame.packet()
            here = frame.direction is Direction.OUTGOING
            ends = ("b", "a") if here else ("a", "b")
            heard.append(WireFrame(frame.time_ns, packet, *ends, None if here else self._maker_of(packet)))

    def _maker_of(self, packet: Packet) -> Packet | None:
        """The handmade packet that is this frame, or that the kernel put an Ethernet header before."""
        inner = Packet(packet.layers[1:], packet.payload)
        return self._handmade.get(bytes(packet)) or self._handmade.get(bytes(inner))

    def close(self) -> None:
        """Close the sockets and end the lab."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve(family: int) -> socket.socket:
    """A UDP socket on the open port, whose datagrams go back to the sender (RFC 862)."""
    server = socket.socket(family, socket.SOCK_DGRAM)
    return _bound(server, family)


def _listen(family: int) -> socket.socket:
    """A TCP socket on the open port; the kernel answers for it."""
    server = _bound(socket.socket(family, socket.SOCK_STREAM), family)
    server.listen()
    return server


def _bound(server: socket.socket, family: int) -> socket.socket:
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind(("", OPEN_PORT))
    return server


SYN_OPTIONS = (MaximumSegmentSize(mss=1460), SACKPermitted(), TCPNoOperation(), WindowScale(shift=7))


def _questions_over_ipv4(a: Host, b: Host) -> Iterator[Question]:
    me, peer = "10.0.1.9", str(b.address(4))
    ip = IPv4(src=me, dst=peer, identification=1)
    yield Question(
        f"Who has {peer}?",
        Ethernet(dst="ff:ff:ff:ff:ff:ff", src=a.mac()) / ARP.who_has(peer, tell=me, mac=a.mac()),
    )
    yield Question(
        "Are you there?",
        ip / ICMPv4.echo(id=7, seq=1) / b"made by hand",
    )
    yield from _questions_to_ports(ip, 1025)


def _questions_over_ipv6(a: Host, b: Host) -> Iterator[Question]:
    me, peer = "fd00:1::9", str(b.address(6))
    ip = IPv6(src=me, dst=peer)
    solicitation = ICMPv6.neighbor_solicitation(peer, mac=a.mac())
    group, group_mac = "ff02::1:ff00:2", MAC("33:33:ff:00:00:02")
    yield Question(
        f"Who has {peer}?",
        Ethernet(dst=group_mac, src=a.mac()) / IPv6(src=me, dst=group, hop_limit=255) / solicitation,
    )
    yield Question(
        "Are you there?",
        ip / ICMPv6.echo(id=7, seq=1) / b"made by hand",
    )
    yield from _questions_to_ports(ip, 2025)


def _questions_to_ports(ip: IP, port: int) -> Iterator[Question]:
    """A datagram and a SYN to a closed and to an open port, each from a port of its own, `port` and up."""
    yield Question(
        "Datagram to a closed port",
        ip / UDP(src_port=port, dst_port=CLOSED_PORT) / b"hello",
    )
    yield Question(
        "Datagram to an open port",
        ip / UDP(src_port=port + 1, dst_port=OPEN_PORT) / b"hello",
    )
    yield Question(
        "SYN to a closed port",
        ip / TCP(src_port=port + 2, dst_port=CLOSED_PORT, seq=1000, flags="S", options=SYN_OPTIONS),
    )
    yield Question(
        "SYN to an open port",
        ip / TCP(src_port=port + 3, dst_port=OPEN_PORT, seq=1000, flags="S", options=SYN_OPTIONS),
    )
