"""Echo over UDP made by hand (RFC 862, RFC 768): the other end may be an ordinary socket, and cannot tell.

The kernel knows nothing of a raw socket's ports: a datagram to one that no UDP socket has is answered with ICMP
port unreachable, whatever a raw socket makes of it. So each end also has an ordinary UDP socket, `holder`, which
holds the port and is never read.
"""

from __future__ import annotations

import errno
import socket
from typing import Any, Final

from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.handmade import HandmadeClient, HandmadeServer, Peer, address_of
from rawkit.errors import TimedOut, kernel_error
from rawkit.wire import UDP, IPv4, Packet

__all__ = ["Client", "Server"]

UNREACHABLE: Final = {
    errno.ECONNREFUSED: "nobody listens at that UDP port: ICMP says that it is unreachable; start a server there"
}


def raw_socket(make: MakeSocket, protocol: int) -> socket.socket:
    """A raw IPv4 socket that takes packets with their header (IP_HDRINCL, raw(7)). Raises NotPermittedError."""
    with explained("open a raw socket"):
        made = make(socket.AF_INET, socket.SOCK_RAW, protocol)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    return made


def udp_of(packet: Packet) -> tuple[IPv4, UDP] | None:
    """The two headers of a whole UDP datagram."""
    first = packet.layers[:2]
    if len(first) == 2 and isinstance(first[0], IPv4) and isinstance(first[1], UDP):
        return first[0], first[1]
    return None


class Client(HandmadeClient):
    """Asks (host, port) from a port that the kernel chose. Raises FieldError, KernelError, TimedOut."""

    def __init__(
        self, address: tuple[str, int], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        self.host, self.port = address_of(address[0]), address[1]
        self.destination = (self.host, 0)
        self.socket = raw_socket(make, socket.IPPROTO_UDP)
        try:
            self.holder = make(socket.AF_INET, socket.SOCK_DGRAM)
            with explained(f"find the way to {self.host}"):
                self.holder.connect((self.host, self.port))
            self.local, self.local_port = self.holder.getsockname()
        except BaseException:
            self.close()
            raise

    def question(self, data: bytes) -> Packet:
        ports = UDP(src_port=self.local_port, dst_port=self.port)
        return IPv4(src=self.local, dst=self.host) / ports / data

    def read(self, packet: Packet, source: Any) -> Received | None:
        if (found := udp_of(packet)) is None:
            return None
        ip, udp = found
        if (str(ip.src), udp.src_port, udp.dst_port) != (self.host, self.port, self.local_port):
            return None
        return Received(packet.payload, (self.host, self.port), packet=packet)

    def receive(self, size: int) -> Received:
        """What the server answers. An ICMP error, which a raw socket does not hear, is told once time is over."""
        try:
            return super().receive(size)
        except TimedOut:
            if code := self.holder.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise kernel_error(OSError(code, ""), "receive", remedies=UNREACHABLE) from None
            raise

    def close(self) -> None:
        self.socket.close()
        if holder := getattr(self, "holder", None):
            holder.close()


class Server(HandmadeServer):
    """Answers what comes for (host, port); port 0 lets the kernel choose. Raises as `Client`."""

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 5005),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
    ) -> None:
        self.timeout = timeout
        host = address_of(address[0])
        self.socket = raw_socket(make, socket.IPPROTO_UDP)
        try:
            self.holder = make(socket.AF_INET, socket.SOCK_DGRAM)
            with explained(f"hold UDP port {address[1]} of {host}"):
                self.holder.bind((host, address[1]))
                self.socket.bind((host, 0))
            self.address = self.holder.getsockname()
        except BaseException:
            self.close()
            raise

    def read(self, packet: Packet, source: Any) -> Received | None:
        if (found := udp_of(packet)) is None:
            return None
        ip, udp = found
        if udp.dst_port != self.address[1]:
            return None
        return Received(packet.payload, Peer(str(ip.src), udp.src_port, str(ip.dst)), packet=packet)

    def answer_to(self, peer: Peer, data: bytes) -> tuple[Packet, tuple[Any, ...]]:
        ports = UDP(src_port=self.address[1], dst_port=peer.port)
        return IPv4(src=peer.local, dst=peer.host) / ports / data, (peer.host, 0)

    def close(self) -> None:
        self.socket.close()
        if holder := getattr(self, "holder", None):
            holder.close()
