"""Echo over an IP protocol of its own: 253, which is for experiments (RFC 3692, section 2.1)."""

from __future__ import annotations

import os
import socket
from typing import Any, Final

from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.handmade import ANSWER, QUESTION, EchoHeader, HandmadeClient, HandmadeServer, Peer, address_of
from rawkit.echo.raw_udp import raw_socket
from rawkit.errors import PacketError
from rawkit.wire import IPv4, Packet

__all__ = ["PROTOCOL", "Client", "Server", "echo_in"]

PROTOCOL: Final = 253


def echo_in(body: bytes) -> tuple[EchoHeader, bytes] | None:
    """The echo that a packet carries, and its data; None where it is none, or not whole."""
    try:
        echo, rest = EchoHeader.parse(body)
    except PacketError:
        return None
    return (echo, rest[: echo.length]) if echo.length <= len(rest) else None


class Client(HandmadeClient):
    """Asks (host, identifier); identifier 0 is this process's number. Raises FieldError, KernelError, TimedOut."""

    def __init__(
        self, address: tuple[str, int], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        self.host, self.id = address_of(address[0]), address[1] or os.getpid() % 65_536
        self.seq = 0
        self.destination = (self.host, 0)
        self.socket = raw_socket(make, PROTOCOL)

    def question(self, data: bytes) -> Packet:
        self.seq = (self.seq + 1) % 65_536
        return (
            IPv4(dst=self.host, protocol=PROTOCOL) / EchoHeader(id=self.id, seq=self.seq, length=len(data)) / data
        )

    def read(self, packet: Packet, source: Any) -> Received | None:
        found = echo_in(packet.payload)
        if found is None or IPv4 not in packet:
            return None
        echo, data = found
        if (str(packet[IPv4].src), echo.type, echo.id, echo.seq) != (self.host, ANSWER, self.id, self.seq):
            return None
        return Received(data, (self.host, self.id), packet=packet)


class Server(HandmadeServer):
    """Answers questions to (host, identifier); identifier 0 is any. Raises as `Client`."""

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
        self.socket = raw_socket(make, PROTOCOL)
        try:
            with explained(f"bind to {host}"):
                self.socket.bind((host, 0))
        except BaseException:
            self.close()
            raise

    def read(self, packet: Packet, source: Any) -> Received | None:
        found = echo_in(packet.payload)
        if found is None or IPv4 not in packet:
            return None
        echo, data = found
        if echo.type != QUESTION or self.id not in (0, echo.id):
            return None
        ip = packet[IPv4]
        return Received(data, Peer(str(ip.src), echo.id, str(ip.dst), echo.seq), packet=packet)

    def answer_to(self, peer: Peer, data: bytes) -> tuple[Packet, tuple[Any, ...]]:
        echo = EchoHeader(type=ANSWER, id=peer.port, seq=peer.seq, length=len(data))
        return IPv4(src=peer.local, dst=peer.host, protocol=PROTOCOL) / echo / data, (peer.host, 0)
