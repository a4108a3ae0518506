"""Echo over an EtherType of its own: 0x88B5, which is for experiments (IEEE 802, 9.2.4). No IP is in it.

Ethernet pads short frames and keeps no length of what it carries, so `EchoHeader` has one.
"""

from __future__ import annotations

import errno
import socket
from typing import Any, Final

from rawkit.echo.endpoint import MakeSocket, explained
from rawkit.echo.handmade import (
    LARGEST,
    Echo,
    Heard,
    Numbered,
    NumberedClient,
    NumberedServer,
    body_of,
    echo_in,
    header_of,
)
from rawkit.errors import FieldError, InterfaceError, KernelError
from rawkit.layout import MAC
from rawkit.wire import Ethernet, LinkType, Packet, dissect

__all__ = ["ETHER_TYPE", "Client", "Server"]

ETHER_TYPE: Final = 0x88B5

MAC_LENGTH: Final = 6

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
    """The MAC address of the interface that a packet socket is bound to. Raises FieldError where it has none."""
    interface, *_, address = made.getsockname()
    if len(address) != MAC_LENGTH:
        raise FieldError("echo", "interface", interface, "one that has a MAC address, as those of Ethernet have")
    return MAC(address)


class OverEthernet(Numbered):
    """An end over Ethernet."""

    def hear(self) -> Heard | None:
        data, source = self.socket.recvfrom(LARGEST)
        if source[2] != socket.PACKET_HOST:  # nor what is for all, for a group, or for another station
            return None
        return Heard(data, dissect(data, LinkType.ETHERNET), source)

    def packet(self, echo: Echo) -> Packet:
        return Ethernet(dst=echo.dst, src=echo.src, type=ETHER_TYPE) / header_of(echo) / echo.data

    def echo_of(self, heard: Heard) -> Echo | None:
        if (body := body_of(heard, Ethernet)) is None:
            return None
        stations = heard.packet[Ethernet]
        return None if stations.src.is_multicast else echo_in(body, str(stations.src), str(stations.dst))


class Client(OverEthernet, NumberedClient):
    """Asks the station (MAC address, interface). Raises FieldError, KernelError, TimedOut."""

    def __init__(
        self, address: tuple[str, str], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        try:
            self.host = str(MAC(address[0]))
        except ValueError as error:
            raise FieldError("echo", "host", address[0], "a MAC address such as 02:00:00:00:00:01") from error
        self.number(0)
        self.destination = (address[1], ETHER_TYPE)
        self.socket = packet_socket(make, address[1])
        try:
            self.local = own_mac(self.socket)
            self.rehearse()
        except BaseException:
            self.close()
            raise


class Server(OverEthernet, NumberedServer):
    """Answers questions to this station on an interface: (anything, interface). Raises as `Client`."""

    id = 0

    def __init__(
        self, address: tuple[str, str], *, make: MakeSocket = socket.socket, timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        self.interface = address[1]
        self.socket = packet_socket(make, self.interface)
        try:
            local = str(own_mac(self.socket))
            self.address = f"{local}%{self.interface}"
            self.rehearse(local, (self.interface, ETHER_TYPE))
        except BaseException:
            self.close()
            raise

    def way_back(self, source: Any) -> tuple[Any, ...]:
        return self.interface, ETHER_TYPE

    def goes_on_after(self, error: KernelError) -> bool:
        """An interface that is down may come up again; one that is gone has no name any more."""
        return isinstance(error, InterfaceError) and bool(self.socket.getsockname()[0])
