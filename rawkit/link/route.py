"""What the sending host knows: the way to a destination, its neighbours, its own address (rtnetlink(7)).

The messages are small, and so they are written here: importing any part of pyroute2 takes 0.17 s, and opening its
socket starts an event loop, while a question and its answer over a plain socket take 35 µs.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
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
_ON_EVERY_LINK = tuple(IPv6Network(prefix) for prefix in ("fe80::/10", "ff01::/16", "ff02::/16"))
"""Addresses of which every link, or every interface, has its own (RFC 4007, section 6; RFC 4291, section 2.7)."""

_NO_WAY = {
    errno.EACCES: "a route of this host prohibits it; see `ip route`, and remove that route",
    errno.EINVAL: "a route of this host throws it away (blackhole); see `ip route`, and remove that route",
    errno.EHOSTUNREACH: "a route of this host says that it is unreachable; see `ip route`, and remove that route",
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
_INDEX_DIGITS = 9  # an index is a positive int of C
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

AnyAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Route:
    """How the kernel would send to a destination."""

    destination: AnyAddress
    interface: str
    index: int
    """Of the interface."""
    source: AnyAddress | None
    """The address that it would send from; None where the interface has none."""
    gateway: AnyAddress | None
    """The next hop; None where the destination is on the link."""
    mtu: int
    """The largest packet in bytes, as far as this host knows of the path: what an ICMP error told counts."""
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

    `interface` (a name, or an index in digits) restricts the ways to those through it, as SO_BINDTODEVICE does
    (socket(7)); an IPv6 scope does the same. With `source`, it is the way from that address of this host.

    Raises InterfaceError for an `interface` that does not exist or is down, FieldError for a `source` of the
    other version, and KernelError with the kernel's error number where there is no way: ENETUNREACH (no route),
    EHOSTUNREACH, EACCES, EINVAL (a route that is unreachable, prohibited, a black hole); EINVAL also for an
    address that every link has, if the interface is not given.
    """
    doing = f"find the way to {destination}" + (f" from {source}" if source is not None else "")
    doing += f" on {interface}" if interface is not None else ""
    if source is not None and source.version != destination.version:
        raise FieldError("find_route", "source", source, f"an IPv{destination.version} address")
    name = interface if interface is not None else getattr(destination, "scope_id", None)
    if name is None and destination.version == 6 and any(destination in network for network in _ON_EVERY_LINK):
        raise KernelError(errno.EINVAL, doing, _NAME_THE_INTERFACE)
    try:
        with NetlinkSocket(socket.NETLINK_ROUTE) as netlink:
            index = None if name is None else _index(netlink.fileno(), name)
            if index is not None and not _is_up(netlink.fileno(), index):
                raise OSError(errno.ENETDOWN, "")  # of which the kernel says only that there is no route
            answer = netlink.request(_RTM_GETROUTE, _question(destination, index, source))
            return _route(destination, source, answer, netlink.fileno())
    except OSError as error:
        if error.errno in _NO_WAY:  # EACCES too is about the route: no privilege would help
            raise KernelError(error.errno, doing, _NO_WAY[error.errno]) from error
        raise kernel_error(error, doing) from error


def _question(destination: AnyAddress, index: int | None, source: AnyAddress | None) -> bytes:
    bits = destination.max_prefixlen
    question = _RTMSG.pack(_FAMILIES[destination.version], bits, 0 if source is None else bits, *bytes(6))
    question += attribute(_RTA_DST, destination.packed)
    if source is not None:
        question += attribute(_RTA_SRC, source.packed)
    return question if index is None else question + attribute(_RTA_OIF, _INT.pack(index))


def _route(destination: AnyAddress, source: AnyAddress | None, answer: bytes, descriptor: int) -> Route:
    kind = _RTMSG.unpack_from(answer)[7]
    told = attributes(answer[_RTMSG.size :])
    (index,) = _INT.unpack(told[_RTA_OIF])
    name = _kernel.interface_name(descriptor, index)
    metrics = attributes(told.get(_RTA_METRICS, b""))
    known_mtu = _INT.unpack(metrics[_RTAX_MTU])[0] if _RTAX_MTU in metrics else 0  # 0 is what no metric says too
    gateway = told.get(_RTA_GATEWAY) or told.get(_RTA_VIA, b"")[2:]  # struct rtvia: the family, then the address
    preferred = told.get(_RTA_PREFSRC)  # IPv4 leaves it out where it is the source that was asked about
    return Route(
        destination,
        name,
        index,
        source or (ip_address(preferred) if preferred else None),
        ip_address(gateway) if gateway else None,
        known_mtu or _mtu(descriptor, name, destination.version),
        "multicast" if destination.is_multicast else _KINDS.get(kind, "unicast"),
    )


def _mtu(descriptor: int, name: str, version: int) -> int:
    """The interface's MTU; for IPv6, which may have one of its own, that (RFC 4861, section 6.3.4)."""
    if version == 6:
        try:
            return int(Path("/proc/sys/net/ipv6/conf", name, "mtu").read_bytes())
        except OSError:  # no /proc, or an interface without IPv6
            pass
    return _kernel.interface_mtu(descriptor, name)


def _is_up(descriptor: int, index: int) -> bool:
    return bool(_kernel.interface_flags(descriptor, _kernel.interface_name(descriptor, index)) & _kernel.IFF_UP)


def _index(descriptor: int, interface: str) -> int:
    """The index of an interface given by its name, or by its number as a scope may be (RFC 4007, section 11.2)."""
    try:
        return _kernel.interface_index(descriptor, interface)
    except OSError:
        if not (interface.isdecimal() and len(interface) <= _INDEX_DIGITS):
            raise
        _kernel.interface_name(descriptor, int(interface))  # raises where there is no such interface
        return int(interface)


def find_neighbor(address: AnyAddress, interface: str) -> Neighbor | None:
    """What the kernel knows of a neighbour on that interface; None if nothing. Nothing is sent.

    Raises InterfaceError for an interface that does not exist, KernelError.
    """
    try:
        with NetlinkSocket(socket.NETLINK_ROUTE) as netlink:
            index = _index(netlink.fileno(), interface)
            request = _NDMSG.pack(_FAMILIES[address.version], index, 0, 0, 0)
            answer = netlink.request(_RTM_GETNEIGH, request + attribute(_NDA_DST, address.packed))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise kernel_error(error, f"look up {address} among the neighbours on {interface}") from error
    _, _, state, _, _ = _NDMSG.unpack_from(answer)
    mac = attributes(answer[_NDMSG.size :]).get(_NDA_LLADDR, b"")
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
