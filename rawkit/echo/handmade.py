"""What the kinds have in common whose headers are made here: raw sockets, whose packets are built and read.

A raw socket hears more than its own conversation: whatever the kernel has for that protocol, of whoever, before
the kernel looks for faults in it. So each end skips what is not for it, and what is broken, as the kernel does for
ordinary sockets, and waits on for the rest of its time.
"""

from __future__ import annotations

import errno
import socket
import time
from abc import abstractmethod
from collections.abc import Iterator
from random import randrange
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple

from rawkit.echo.by_hand import ByHand
from rawkit.echo.endpoint import Client, Endpoint, Received, Server, Service, explained, waiting_in
from rawkit.echo.witness import Witness
from rawkit.errors import KernelError, PacketError, TimedOut
from rawkit.layout import U8, U16, X8, Problem, Severity
from rawkit.wire import Header, LinkType, Packet, dissect
from rawkit.wire.diagnose import UNFINISHED

__all__ = [
    "ANSWER",
    "IDENTIFIERS",
    "LARGEST",
    "QUESTION",
    "Echo",
    "EchoHeader",
    "HandmadeClient",
    "HandmadeServer",
    "Heard",
    "NumberedClient",
    "NumberedServer",
    "Peer",
    "RawSocket",
    "body_of",
    "echo_in",
    "header_of",
]

LARGEST: Final = 65_535
"""Bytes of the largest packet that IPv4 knows, and of the largest payload of IPv6."""

QUESTION: Final = 8
ANSWER: Final = 0
"""What ICMP calls a request and a reply (RFC 792)."""

IDENTIFIERS: Final = 65_536
"""How many identifiers, and numbers of questions, there are."""

REMEDIES: Final = MappingProxyType(
    {
        errno.EMSGSIZE: "the kernel cuts no packet whose header is made by hand; send less, or raise the MTU",
        errno.EAGAIN: "packets for stations that do not answer ARP (yet) take all the room; try later",
        errno.EACCES: "broadcast addresses need SO_BROADCAST (socket(7)); send to one host",
    }
)


class EchoHeader(Header):
    """The header of an echo where no protocol has one: ICMP's, with a length, since Ethernet pads short frames."""

    type: U8 = QUESTION
    reserved: X8 = 0
    id: U16 = 0
    seq: U16 = 0
    length: U16
    """Bytes of data behind it."""

    def describe(self) -> str:
        return f"echo {'question' if self.type == QUESTION else 'answer'} id={self.id} seq={self.seq}"


class Peer(NamedTuple):
    """Whom to answer: where the question came from, and where it went to."""

    host: str
    port: int
    """The UDP port, or the identifier."""
    local: str
    """The address (of an interface) that the question was for."""
    way: tuple[Any, ...] = ()
    """Where the answer is sent, as sendto(2) takes it."""
    seq: int = 0


class Heard(NamedTuple):
    """A packet for this station."""

    data: bytes
    packet: Packet
    """What is read in the data."""
    source: Any
    """Where it came from, as recvfrom(2) tells it."""


class RawSocket(Endpoint):
    """One raw socket, `socket`, and what each end does with it."""

    socket: socket.socket
    timeout: float | None
    sent: Packet | None = None
    """The packet that was sent last, as it was made."""

    @abstractmethod
    def hear(self) -> Heard | None:
        """The next packet, as the kernel hands it over; None if it is not for this station."""

    @abstractmethod
    def read(self, heard: Heard) -> Received | None:
        """What a packet says to this end; None if it is for others, or has faults."""

    def take(self, size: int) -> Received | None:
        """What the next packet says to this end, at most `size` bytes of it; None if it says nothing."""
        with explained("receive", self.timeout):
            heard = self.hear()
        if heard is None or (received := self.read(heard)) is None:
            return None
        cut = received.data[:size]
        return received._replace(data=cut, truncated=len(cut) < len(received.data))

    def receive(self, size: int) -> Received:
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            self.socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-6))
            if (received := self.take(size)) is not None:
                return received
            if deadline is not None and time.monotonic() >= deadline:
                raise TimedOut("receive", self.timeout or 0)

    def take_waiting(self) -> Iterator[Received]:
        """What has come for this end and was not received yet."""
        for _ in waiting_in(self.socket):
            if (received := self.take(LARGEST)) is not None:
                yield received

    def put(self, packet: Packet, way: tuple[Any, ...]) -> None:
        """Send a packet as it is."""
        data = bytes(packet)
        try:
            self.socket.sendto(data, way)
        except OSError:
            with explained(f"send {packet.summary()}", self.timeout, remedies=REMEDIES):
                raise
        self.sent = packet

    def close(self) -> None:
        self.socket.close()


class HandmadeClient(RawSocket, Client):
    """Makes a question, `question`, and knows its answer."""

    destination: tuple[Any, ...]
    """As sendto(2) takes it."""

    @abstractmethod
    def question(self, data: bytes) -> Packet:
        """The packet that asks for these bytes back."""

    def send(self, data: bytes, peer: Any = None) -> int:
        self.put(self.question(data), self.destination)
        return len(data)

    def finish(self) -> None:
        pass

    def rehearse(self) -> None:
        """Make and read a packet in memory, so that what Python does but once is not taken for the wire's time."""
        self.read(heard_again(self.question(b""), self.destination))


class HandmadeServer(RawSocket, Server):
    """Makes the answer to what it received."""

    endless: ClassVar[bool] = False
    """Whether what it answers may answer the answer, and so for ever, since the two look alike."""

    @abstractmethod
    def answer_to(self, peer: Peer, data: bytes) -> Packet:
        """The packet that answers."""

    def accept(self) -> None:
        pass

    def send(self, data: bytes, peer: Any = None) -> int:
        self.put(self.answer_to(peer, data), peer.way)
        return len(data)

    def service(self, size: int, witness: Witness | None = None) -> Service | None:
        return ByHand(self, size, witness)

    def way_back(self, source: Any) -> tuple[Any, ...]:
        """Where an answer is sent, as sendto(2) takes it, from what recvfrom(2) told of the question."""
        return tuple(source)

    def goes_on_after(self, error: KernelError) -> bool:
        """Whether this socket can still hear something, after an error in receiving."""
        return False

    def rehearse(self, local: str, source: tuple[Any, ...]) -> None:
        """As a client does; `source` is such as recvfrom(2) tells."""
        self.read(heard_again(self.answer_to(Peer(local, 1, local), b""), source))


def heard_again(packet: Packet, source: Any) -> Heard:
    """A packet that was made, as one that came."""
    data = bytes(packet)
    return Heard(data, dissect(data, packet.link_type or LinkType.RAW), source)


class Echo(NamedTuple):
    """What one end says to the other, where questions have numbers."""

    src: Any
    dst: Any
    is_answer: bool
    id: int
    """The identifier of who asks."""
    seq: int
    """The number of the question."""
    data: bytes


class Numbered(RawSocket):
    """An end whose packets have identifiers and numbers, as those of ICMP have."""

    @abstractmethod
    def packet(self, echo: Echo) -> Packet:
        """The packet that says it."""

    @abstractmethod
    def echo_of(self, heard: Heard) -> Echo | None:
        """What a packet says, with addresses as text; None if it says nothing, or has faults."""


class NumberedClient(Numbered, HandmadeClient):
    """Counts its questions, and takes the answer to the last one."""

    host: str
    local: Any
    """The address that questions come from."""
    id: int
    seq: int
    """The number of the last question."""
    asked: bytes = b""
    """Its data."""

    def number(self, identifier: int) -> None:
        """Choose the numbers: from 1 under an identifier that is given, and both drawn by lot for 0.

        Others may ask the same host, and know nothing of us: in containers, even their process number is ours.
        """
        self.id = identifier or randrange(1, IDENTIFIERS)
        self.seq = 0 if identifier else randrange(IDENTIFIERS)

    def question(self, data: bytes) -> Packet:
        return self.packet(Echo(self.local, self.host, False, self.id, self.seq, data))

    def send(self, data: bytes, peer: Any = None) -> int:
        self.seq, self.asked = (self.seq + 1) % IDENTIFIERS, data
        return super().send(data, peer)

    def read(self, heard: Heard) -> Received | None:
        echo = self.echo_of(heard)
        if echo is None or (echo.src, echo.is_answer, echo.id) != (self.host, True, self.id):
            return None
        if echo.seq != self.seq:
            self.stray += 1
            return None
        if echo.data != self.asked:  # another's question had the same numbers
            return None
        return Received(echo.data, (self.host, self.id), packet=heard.packet)

    def wait(self, seconds: float) -> None:
        """What comes meanwhile comes late, or a second time."""
        super().wait(seconds)
        self.stray += sum(1 for _ in self.take_waiting())


class NumberedServer(Numbered, HandmadeServer):
    """Answers questions under `id`; 0 is any."""

    id: int

    def read(self, heard: Heard) -> Received | None:
        echo = self.echo_of(heard)
        if echo is None or echo.is_answer or self.id not in (0, echo.id):
            return None
        peer = Peer(echo.src, echo.id, echo.dst, self.way_back(heard.source), echo.seq)
        return Received(echo.data, peer, packet=heard.packet)

    def answer_to(self, peer: Peer, data: bytes) -> Packet:
        return self.packet(Echo(peer.local, peer.host, True, peer.port, peer.seq, data))


def body_of(heard: Heard, *headers: type[Header]) -> bytes | None:
    """What stands behind these headers of a packet; None where it begins with others, or they have faults.

    What lies deeper is of no interest: neither that it can be read, nor what is wrong with it.
    """
    packet, count = heard.packet, len(headers)
    if len(packet.layers) < count or not all(map(isinstance, packet.layers, headers)):
        return None
    stop = packet.bounds()[count - 1][1]
    if any(is_fault(problem) for problem in packet.problems if problem.start < stop):
        return None
    behind = sum(len(trailer.data) for trailer in packet.trailers if trailer.layer < count)
    return heard.data[stop : len(heard.data) - behind]


def is_fault(problem: Problem) -> bool:
    """Whether it is one of the packet's: a checksum that a network card was to finish never left this machine."""
    return problem.severity > Severity.NOTE and UNFINISHED not in problem.causes


def header_of(echo: Echo) -> EchoHeader:
    """The header that goes before its data, where no protocol has one."""
    kind = ANSWER if echo.is_answer else QUESTION
    return EchoHeader(type=kind, id=echo.id, seq=echo.seq, length=len(echo.data))


def echo_in(body: bytes, src: str, dst: str) -> Echo | None:
    """What such a header and the data behind it say; None where they are no echo, or not whole."""
    try:
        header, rest = EchoHeader.parse(body)
    except PacketError:
        return None
    if header.type not in (QUESTION, ANSWER) or header.length > len(rest):
        return None
    return Echo(src, dst, header.type == ANSWER, header.id, header.seq, rest[: header.length])
