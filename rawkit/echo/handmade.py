"""What the kinds have in common whose headers are made here: raw sockets, each packet of which is built and read.

A raw socket hears more than its own conversation: whatever the kernel has for that protocol, of whoever. So each
end skips what is not for it, and waits on for the rest of its time.
"""

from __future__ import annotations

import errno
import socket
import time
from abc import abstractmethod
from ipaddress import AddressValueError, IPv4Address
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple

from rawkit.echo.endpoint import Client, Endpoint, Received, Server, explained
from rawkit.errors import FieldError, TimedOut
from rawkit.layout import U8, U16, X8
from rawkit.wire import Header, LinkType, Packet, dissect

__all__ = [
    "ANSWER",
    "QUESTION",
    "EchoHeader",
    "HandmadeClient",
    "HandmadeServer",
    "Peer",
    "RawSocket",
    "address_of",
]

LARGEST: Final = 65_535
"""Bytes of the largest packet that IP knows."""

QUESTION: Final = 8
ANSWER: Final = 0
"""What ICMP calls a request and a reply (RFC 792)."""

REMEDIES: Final = MappingProxyType(
    {
        errno.EMSGSIZE: "the kernel cuts no packet whose header is made by hand; send less, or raise the MTU",
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
    seq: int = 0


class RawSocket(Endpoint):
    """One raw socket, `socket`, and what each end does with it."""

    link_type: ClassVar[LinkType] = LinkType.IPV4

    socket: socket.socket
    timeout: float | None
    sent: Packet | None = None
    """The packet that was sent last, as it was made."""

    @abstractmethod
    def read(self, packet: Packet, source: Any) -> Received | None:
        """What a packet says to this end; None if it is for others. `source` is what recvfrom(2) tells."""

    def receive(self, size: int) -> Received:
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            self.socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-6))
            with explained("receive", self.timeout):
                data, source = self.socket.recvfrom(LARGEST)
            received = self.read(dissect(data, self.link_type), source)
            if received is not None:
                cut = received.data[:size]
                return received._replace(data=cut, truncated=len(cut) < len(received.data))
            if deadline is not None and time.monotonic() >= deadline:
                raise TimedOut("receive", self.timeout or 0)

    def put(self, packet: Packet, address: tuple[Any, ...]) -> None:
        """Send a packet as it is."""
        with explained(f"send {packet.summary()}", self.timeout, remedies=REMEDIES):
            self.socket.sendto(bytes(packet), address)
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


class HandmadeServer(RawSocket, Server):
    """Makes the answer to what it received."""

    @abstractmethod
    def answer_to(self, peer: Any, data: bytes) -> tuple[Packet, tuple[Any, ...]]:
        """The packet that answers, and where it is sent, as sendto(2) takes it."""

    def accept(self) -> None:
        pass

    def send(self, data: bytes, peer: Any = None) -> int:
        self.put(*self.answer_to(peer, data))
        return len(data)


def address_of(host: str) -> str:
    """An IPv4 address or a name that has one, as an address. Raises FieldError."""
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise FieldError("echo", "host", host, "an IPv4 address or a name that has one") from error
