"""Echo over ICMP (RFC 792): the request is made by hand, and the other end's kernel answers it.

A responder made by hand is here too. The kernel of its host answers as well, so that every request is answered
twice, unless the sysctl net.ipv4.icmp_echo_ignore_all is set there.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.handmade import ANSWER, QUESTION, HandmadeClient, HandmadeServer, Peer, address_of
from rawkit.echo.raw_udp import raw_socket
from rawkit.wire import ICMPv4, ICMPv4Echo, IPv4, Packet

__all__ = ["Client", "Server"]


def echo_of(packet: Packet) -> tuple[IPv4, ICMPv4Echo] | None:
    """The two headers of an echo request or reply."""
    first = packet.layers[:2]
    if len(first) == 2 and isinstance(first[0], IPv4) and isinstance(first[1], ICMPv4Echo):
        return first[0], first[1]
    return None


class Client(HandmadeClient):
    """Asks (host, identifier); identifier 0 is this process's number. Raises FieldError, KernelError, TimedOut."""

    def __init__(
        self, address: tuple[str, int], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        self.host, self.id = address_of(address[0]), address[1] or os.getpid() % 65_536
        self.seq = 0
        self.destination = (self.host, 0)
        self.socket = raw_socket(make, socket.IPPROTO_ICMP)

    def question(self, data: bytes) -> Packet:
        self.seq = (self.seq + 1) % 65_536
        return IPv4(dst=self.host) / ICMPv4.echo(id=self.id, seq=self.seq) / data

    def read(self, packet: Packet, source: Any) -> Received | None:
        if (found := echo_of(packet)) is None:
            return None
        ip, echo = found
        if (str(ip.src), echo.type, echo.id, echo.seq) != (self.host, ANSWER, self.id, self.seq):
            return None
        return Received(packet.payload, (self.host, self.id), packet=packet)


class Server(HandmadeServer):
    """Answers requests to (host, identifier); identifier 0 is any. Raises as `Client`."""

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 0),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
    ) -> None:
        self.timeout = timeout
        host, self.id = address_of(address[0]), address[1]
        self.address: Any = (host, self.id) if self.id else host
        self.socket = raw_socket(make, socket.IPPROTO_ICMP)
        try:
            with explained(f"bind to {host}"):
                self.socket.bind((host, 0))
        except BaseException:
            self.close()
            raise

    def read(self, packet: Packet, source: Any) -> Received | None:
        if (found := echo_of(packet)) is None:
            return None
        ip, echo = found
        if echo.type != QUESTION or self.id not in (0, echo.id):
            return None
        return Received(packet.payload, Peer(str(ip.src), echo.id, str(ip.dst), echo.seq), packet=packet)

    def answer_to(self, peer: Peer, data: bytes) -> tuple[Packet, tuple[Any, ...]]:
        reply = ICMPv4.echo_reply(id=peer.port, seq=peer.seq)
        return IPv4(src=peer.local, dst=peer.host) / reply / data, (peer.host, 0)
