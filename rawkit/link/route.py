"""What the sending host knows: the way to a destination, its neighbours, and its own address (rtnetlink(7))."""

from __future__ import annotations

import errno
import socket
import struct
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from rawkit.errors import FieldError, KernelError, kernel_error
from rawkit.layout import AUTO, MAC
from rawkit.link import _kernel
from rawkit.link._netlink import NetlinkSocket, attribute, attributes
from rawkit.link.frame import Sendable
from rawkit.link.interfaces import Interface
from rawkit.wire import ARP, Ethernet, IPv4, IPv6, LinkType, Packet, dissect

__all__ = [
    "Neighbor",
    "NeighborState",
    "Route",
    "destination_of",
    "find_neighbor",
    "find_route",
    "source_towards",
    "with_own_addresses",
    "with_source",
]

_NAME_THE_INTERFACE = (
    "a link-local address is on every link; name the interface: interface='eth0', or fe80::1%eth0"
)
_NO_WAY = {
    errno.EACCES: "a route of this host prohibits it; see `ip route get`",
    errno.EINVAL: "a route of this host throws it away (blackhole), or no address of this host fits",
}

# <linux/rtnetlink.h>
_RTM_GETROUTE, _RTM_GETNEIGH = 26, 30
_RTMSG: Final = struct.Struct("=BBBBBBBBI")
"""struct rtmsg: family, bits of destination and of source, tos, table, protocol, scope, type, flags."""
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_METRICS, _RTA_VIA = 1, 2, 4, 5, 7, 8, 18
_RTAX_MTU = 2
_KINDS = {1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast"}
# <linux/neighbour.h>
_NDMSG: Final = struct.Struct("=B3xiHBB")
"""struct ndmsg: family, interface index, state, flags, type."""
_NDA_DST, _NDA_LLADDR = 1, 2

_INT = struct.Struct("=I")
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

AnyAddress = IPv4Address | IPv6Address


class Route(NamedTuple):
    """How the kernel would send to a destination."""

    destination: AnyAddress
    interface: str
    interface_index: int
    source: AnyAddress | None
    """The address that it would send from; None where the interface has none."""
    gateway: AnyAddress | None
    """The next hop; None where the destination is on the link."""
    mtu: int
    """The largest packet in bytes, as far as this host knows of the path."""
    kind: str
    """`unicast`, `local` (this host itself), `broadcast`, `anycast` or `multicast`."""


class NeighborState(IntFlag):
    """What the kernel knows of a neighbour (NUD_ in <linux/neighbour.h>; RFC 4861, section 7.3.2)."""

    NONE = 0
    INCOMPLETE = 0x01
    REACHABLE = 0x02
    STALE = 0x04
    DELAY = 0x08
    PROBE = 0x10
    FAILED = 0x20
    NOARP = 0x40
    PERMANENT = 0x80


class Neighbor(NamedTuple):
    """A neighbour in the kernel's table."""

    address: AnyAddress
    mac: MAC | None
    """None while it is being asked for, or did not answer."""
    state: NeighborState


def find_route(
    destination: AnyAddress, *, interface: str | None = None, source: AnyAddress | None = None
) -> Route:
    """How the kernel of the calling thread's namespace would send there. Nothing is sent.

    Raises InterfaceError for an `interface` that does not exist, KernelError (ENETUNREACH, EHOSTUNREACH, ...)
    where there is no way, or where a link-local destination comes without an interface.
    """
    doing = f"find the way to {destination}"
    name = interface or getattr(destination, "scope_id", None)
    if name is None and destination.version == 6 and destination.is_link_local:
        raise KernelError(errno.EINVAL, doing, _NAME_THE_INTERFACE)
    try:
        with NetlinkSocket(socket.NETLINK_ROUTE) as netlink, socket.socket() as any_socket:
            wanted = attribute(_RTA_DST, destination.packed)
            if source is not None:
                wanted += attribute(_RTA_SRC, source.packed)
            if name is not None:
                index = int(name) if name.isdecimal() else _kernel.interface_index(any_socket.fileno(), name)
                wanted += attribute(_RTA_OIF, _INT.pack(index))
            bits, family = destination.max_prefixlen, _FAMILIES[destination.version]
            from_bits = 0 if source is None else bits
            request = _RTMSG.pack(family, bits, from_bits, 0, 0, 0, 0, 0, 0)
            return _route(destination, netlink.request(_RTM_GETROUTE, request + wanted)[0], any_socket.fileno())
    except OSError as error:
        if isinstance(error, KernelError):
            raise
        if error.errno in _NO_WAY:
            link_local = destination.version == 6 and destination.is_link_local
            raise KernelError(
                error.errno, doing, _NAME_THE_INTERFACE if link_local else _NO_WAY[error.errno]
            ) from error
        raise kernel_error(error, doing) from error


def _route(destination: AnyAddress, answer: bytes, descriptor: int) -> Route:
    kind = _RTMSG.unpack_from(answer)[7]
    told = attributes(answer[_RTMSG.size :])
    (index,) = _INT.unpack(told[_RTA_OIF])
    name = _kernel.interface_name(descriptor, index)
    metrics = attributes(told.get(_RTA_METRICS, b""))
    mtu = _INT.unpack(metrics[_RTAX_MTU])[0] if _RTAX_MTU in metrics else _kernel.interface_mtu(descriptor, name)
    gateway = told.get(_RTA_GATEWAY) or told.get(_RTA_VIA, b"")[2:]  # struct rtvia: the family, then the address
    source = told.get(_RTA_PREFSRC)
    known = "multicast" if destination.is_multicast else _KINDS.get(kind, "unicast")
    return Route(
        destination,
        name,
        index,
        ip_address(source) if source else None,
        ip_address(gateway) if gateway else None,
        mtu,
        known,
    )


def find_neighbor(address: AnyAddress, interface: str) -> Neighbor | None:
    """What the kernel knows of a neighbour on that interface; None if nothing. Nothing is sent.

    Raises InterfaceError for an interface that does not exist, KernelError.
    """
    try:
        with NetlinkSocket(socket.NETLINK_ROUTE) as netlink:
            index = _kernel.interface_index(netlink.fileno(), interface)
            request = _NDMSG.pack(_FAMILIES[address.version], index, 0, 0, 0)
            answers = netlink.request(_RTM_GETNEIGH, request + attribute(_NDA_DST, address.packed))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise kernel_error(error, f"look up {address} among the neighbours on {interface}") from error
    _, _, state, _, _ = _NDMSG.unpack_from(answers[0])
    mac = attributes(answers[0][_NDMSG.size :]).get(_NDA_LLADDR, b"")
    return Neighbor(address, MAC(mac) if len(mac) == 6 else None, NeighborState(state))


def destination_of(data: Sendable, header: type[IPv4] | type[IPv6], sender: str) -> AnyAddress:
    """The destination in the first IP header of what is to be sent. Raises FieldError if it has none."""
    packet = data if isinstance(data, Packet) else dissect(bytes(data), LinkType.RAW)
    if header not in packet:
        expected = f"an address (what is sent has no {header.__name__} header to take it from)"
        raise FieldError(f"{sender}.send", "destination", None, expected)
    return packet[header].dst


def source_towards(destination: AnyAddress, interface: str | None = None) -> AnyAddress:
    """The address from which the kernel would send to `destination`, by its routes. Nothing is sent.

    Raises KernelError: ENETUNREACH where there is no route, EADDRNOTAVAIL where this host has no address for it.
    """
    source = find_route(destination, interface=interface).source
    if source is None:
        raise kernel_error(OSError(errno.EADDRNOTAVAIL, ""), f"find an address to send to {destination} from")
    return source


def with_source(packet: Packet, interface: str | None = None) -> Packet:
    """The packet with the source that its first IP header left AUTO, as the kernel would choose it."""
    header = next((layer for layer in packet.layers if isinstance(layer, IPv4 | IPv6)), None)
    if header is None or header.src is not AUTO:
        return packet
    return packet.replace(type(header), src=source_towards(header.dst, interface))


def with_own_addresses(packet: Packet, own: Interface) -> Packet:
    """The frame with the interface's MAC and IP addresses where it left them AUTO."""
    if packet[Ethernet].src is AUTO and own.mac is not None:
        packet = packet.replace(Ethernet, src=own.mac)
    if ARP in packet and packet[ARP].sender_mac is AUTO and own.mac is not None:
        packet = packet.replace(ARP, sender_mac=own.mac)
    if ARP in packet and packet[ARP].sender_ip is AUTO and (ip := _address_of(own, 4)) is not None:
        packet = packet.replace(ARP, sender_ip=ip)
    header = next((layer for layer in packet.layers if isinstance(layer, IPv4 | IPv6)), None)
    if header is not None and header.src is AUTO and (address := _address_of(own, header.version)) is not None:
        packet = packet.replace(type(header), src=address)
    return packet


def _address_of(own: Interface, version: int) -> AnyAddress | None:
    return next((address.ip for address in own.addresses if address.version == version), None)
