"""Echo over UDP made by hand (RFC 862, RFC 768): the other end may be an ordinary socket, and cannot tell.

The kernel knows nothing of a raw socket's ports: a datagram to one that no UDP socket has is answered with ICMP
port unreachable, whatever a raw socket makes of it. So each end also has an ordinary UDP socket, `holder`, which
holds the port and is never read.
"""

from __future__ import annotations

import errno
import select
import socket
from types import MappingProxyType
from typing import Final, NamedTuple

from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.handmade import HandmadeClient, Heard, Peer, body_of
from rawkit.echo.handmade_ip import OverIP, ServerOverIP, Version, resolved, without_scope
from rawkit.echo.udp import PRIVILEGE, answers_too
from rawkit.echo.unnumbered import UnnumberedClient
from rawkit.echo.unreachable import ask_for_errors, told_by_icmp
from rawkit.wire import UDP, Packet

__all__ = ["Client", "Server"]

UNREACHABLE: Final = {errno.ECONNREFUSED: "nobody listens at that UDP port; start a server there"}


class Datagram(NamedTuple):
    """What one end says to the other."""

    src: str
    src_port: int
    dst: str
    dst_port: int
    data: bytes


class OverUDP(OverIP):
    """An end over UDP, and the ordinary socket that holds its port."""

    protocols = MappingProxyType({socket.AF_INET: socket.IPPROTO_UDP, socket.AF_INET6: socket.IPPROTO_UDP})

    holder: socket.socket

    def open(self, make: MakeSocket, version: Version) -> None:
        super().open(make, version)
        try:
            self.holder = make(version.family, socket.SOCK_DGRAM)
            if version.family == socket.AF_INET6:  # whose sockets would hold the port of IPv4 as well
                self.holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        except BaseException:
            self.socket.close()
            raise

    def datagram(self, heard: Heard) -> Datagram | None:
        """What a packet says; None where it is no UDP datagram, or has faults."""
        if (data := body_of(heard, self.version.header, UDP)) is None:
            return None
        ip, udp = heard.packet[self.version.header], heard.packet[UDP]
        return Datagram(str(ip.src), udp.src_port, str(ip.dst), udp.dst_port, data)

    def packet(self, said: Datagram) -> Packet:
        """The packet that says it."""
        ports = UDP(src_port=said.src_port, dst_port=said.dst_port)
        return self.header(said.src, said.dst) / ports / said.data

    def close(self) -> None:
        self.socket.close()
        self.holder.close()


class Client(OverUDP, HandmadeClient, UnnumberedClient):
    """Asks (host, port) from a port that the kernel chose. A raw socket hears no ICMP errors; the holder does.

    Raises FieldError, KernelError, UnreachableError, TimedOut.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        version, self.destination = resolved(address[0], ip_version, timeout)
        self.host, self.port = without_scope(self.destination[0]), UDP(dst_port=address[1]).dst_port
        self.open(make, version)
        try:
            with explained(f"find the way to {self.host}"):
                ask_for_errors(self.holder)
                self.holder.connect((self.destination[0], self.port, *self.destination[2:]))
            local, self.local_port, *_ = self.holder.getsockname()
            self.local = without_scope(local)
            self._poll = select.poll()
            self._poll.register(self.socket, select.POLLIN)
            self._poll.register(self.holder, 0)  # errors, and not what comes
            self.rehearse()
        except BaseException:
            self.close()
            raise

    def question(self, data: bytes) -> Packet:
        return self.packet(Datagram(self.local, self.local_port, self.host, self.port, data))

    def read(self, heard: Heard) -> Received | None:
        said, expected = self.datagram(heard), (self.host, self.port, self.local, self.local_port)
        if said is None or said[:4] != expected:
            return None
        return Received(said.data, (self.host, self.port), packet=heard.packet)

    def hear(self) -> Heard | None:
        """The next packet. Raises UnreachableError as soon as ICMP tells the holder so."""
        timeout = self.socket.gettimeout()
        ready = dict(self._poll.poll(None if timeout is None else timeout * 1000))
        if not ready:
            raise TimeoutError
        if self.holder.fileno() not in ready:
            return super().hear()
        with told_by_icmp(self.holder, UNREACHABLE), explained("receive", remedies=UNREACHABLE):
            raise OSError(self.holder.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "")


class Server(OverUDP, ServerOverIP):
    """Answers what comes for (host, port): port 0 is any that is free, `::` only IPv6. Raises as `Client`."""

    endless = True

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 5005),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        version, way = resolved(address[0], ip_version)
        port = UDP(dst_port=address[1]).dst_port
        self.open(make, version)
        try:
            with explained(f"hold UDP port {port} of {way[0]}", capability=PRIVILEGE):
                self.holder.bind((way[0], port, *way[2:]))
                self.bind(way)
            self.address = self.holder.getsockname()
            self.rehearse(without_scope(way[0]), way)
        except BaseException:
            self.close()
            raise

    def read(self, heard: Heard) -> Received | None:
        said = self.datagram(heard)
        if said is None or said.dst_port != self.address[1] or answers_too(said.src_port, self.address[1]):
            return None
        peer = Peer(said.src, said.src_port, said.dst, self.way_back(heard.source))
        return Received(said.data, peer, packet=heard.packet)

    def answer_to(self, peer: Peer, data: bytes) -> Packet:
        return self.packet(Datagram(peer.local, self.address[1], peer.host, peer.port, data))
