"""Echo over an EtherType of its own: 0x88B5, which is for experiments (IEEE 802, 9.2.4). No IP is in it.

Ethernet pads short frames and keeps no length of what it carries, so `EchoHeader` has one.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, ClassVar, Final

from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.handmade import ANSWER, QUESTION, EchoHeader, HandmadeClient, HandmadeServer, Peer
from rawkit.echo.raw_ip import echo_in
from rawkit.errors import FieldError
from rawkit.layout import MAC
from rawkit.wire import Ethernet, LinkType, Packet

__all__ = ["ETHER_TYPE", "Client", "Server"]

ETHER_TYPE: Final = 0x88B5

REMEDIES: Final = {errno.ENODEV: "there is no such interface; `rawkit interfaces` lists them"}


def packet_socket(make: MakeSocket, interface: str) -> socket.socket:
    """A packet socket that hears this EtherType on the interface (packet(7)). Raises KernelError."""
    with explained("open a packet socket"):
        made = make(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        with explained(f"bind to {interface}", remedies=REMEDIES):
            made.bind((interface, ETHER_TYPE))
    except BaseException:
        made.close()
        raise
    return made


def own_mac(made: socket.socket) -> MAC:
    """The MAC address of the interface that a packet socket is bound to."""
    return MAC(made.getsockname()[4])


class Client(HandmadeClient):
    """Asks the station (MAC address, interface). Raises FieldError, KernelError, TimedOut."""

    link_type: ClassVar[LinkType] = LinkType.ETHERNET

    def __init__(
        self, address: tuple[str, str], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        try:
            self.mac = MAC(address[0])
        except ValueError as error:
            raise FieldError("echo", "host", address[0], "a MAC address such as 02:00:00:00:00:01") from error
        self.id, self.seq = os.getpid() % 65_536, 0
        self.socket = packet_socket(make, address[1])
        self.local = own_mac(self.socket)
        self.destination = (address[1], ETHER_TYPE)

    def question(self, data: bytes) -> Packet:
        self.seq = (self.seq + 1) % 65_536
        echo = EchoHeader(id=self.id, seq=self.seq, length=len(data))
        return Ethernet(dst=self.mac, src=self.local, type=ETHER_TYPE) / echo / data

    def read(self, packet: Packet, source: Any) -> Received | None:
        found = echo_in(packet.payload)
        if found is None or Ethernet not in packet:
            return None
        echo, data = found
        if (packet[Ethernet].src, echo.type, echo.id, echo.seq) != (self.mac, ANSWER, self.id, self.seq):
            return None
        return Received(data, str(self.mac), packet=packet)


class Server(HandmadeServer):
    """Answers questions to this station on an interface: (anything, interface). Raises as `Client`."""

    link_type: ClassVar[LinkType] = LinkType.ETHERNET

    def __init__(
        self, address: tuple[str, str], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        self.interface = address[1]
        self.socket = packet_socket(make, self.interface)
        self.mac = str(own_mac(self.socket))
        self.address = f"{self.mac}%{self.interface}"

    def read(self, packet: Packet, source: Any) -> Received | None:
        found = echo_in(packet.payload)
        if found is None or Ethernet not in packet or source[2] == socket.PACKET_OUTGOING:
            return None
        echo, data = found
        if echo.type != QUESTION:
            return None
        return Received(data, Peer(str(packet[Ethernet].src), echo.id, self.mac, echo.seq), packet=packet)

    def answer_to(self, peer: Peer, data: bytes) -> tuple[Packet, tuple[Any, ...]]:
        echo = EchoHeader(type=ANSWER, id=peer.port, seq=peer.seq, length=len(data))
        packet = Ethernet(dst=peer.host, src=peer.local, type=ETHER_TYPE) / echo / data
        return packet, (self.interface, ETHER_TYPE)
