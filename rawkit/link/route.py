"""What the sending host knows and a packet may leave open: where it goes, and which address it comes from."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from rawkit.errors import FieldError, kernel_error
from rawkit.layout import AUTO
from rawkit.link.frame import Sendable
from rawkit.wire import IPv4, IPv6, LinkType, Packet, dissect

__all__ = ["destination_of", "source_towards", "with_source"]

_NAME_THE_INTERFACE = "a link-local address is on every link; name the interface: interface='eth0', or -i eth0"

_DISCARD = 9  # RFC 863; nothing is sent to it, connecting a datagram socket only looks up the route


def destination_of(data: Sendable, header: type[IPv4] | type[IPv6], sender: str) -> IPv4Address | IPv6Address:
    """The destination in the first IP header of what is to be sent. Raises FieldError if it has none."""
    packet = data if isinstance(data, Packet) else dissect(bytes(data), LinkType.RAW)
    if header not in packet:
        expected = f"an address (what is sent has no {header.__name__} header to take it from)"
        raise FieldError(f"{sender}.send", "destination", None, expected)
    return packet[header].dst


def source_towards(
    destination: IPv4Address | IPv6Address, interface: str | None = None
) -> IPv4Address | IPv6Address:
    """The address from which the kernel would send to `destination`, by its routes. Nothing is sent.

    Raises KernelError (ENETUNREACH) where there is no route.
    """
    family = socket.AF_INET if destination.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as lookup:
            lookup.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            scope: tuple[int, ...] = ()
            if interface is not None:
                lookup.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
                scope = (0, socket.if_nametoindex(interface)) if family == socket.AF_INET6 else ()
            lookup.connect((str(destination), _DISCARD, *scope))
            return ip_address(lookup.getsockname()[0].partition("%")[0])
    except OSError as error:
        remedies = (
            {errno.EINVAL: _NAME_THE_INTERFACE} if destination.version == 6 and destination.is_link_local else {}
        )
        raise kernel_error(error, f"find the way to {destination}", remedies=remedies) from error


def with_source(packet: Packet, interface: str | None = None) -> Packet:
    """The packet with the source that its first IP header left AUTO, as the kernel would choose it."""
    header = next((layer for layer in packet.layers if isinstance(layer, IPv4 | IPv6)), None)
    if header is None or header.src is not AUTO:
        return packet
    return packet.replace(type(header), src=source_towards(header.dst, interface))
