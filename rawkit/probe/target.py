"""What questions have in common: whom they are for, and what tells one from another."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from rawkit.errors import FieldError
from rawkit.wire import IPv4, IPv6, Packet

__all__ = ["Target", "address_of", "target_of", "with_numbers"]

FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


class Target(NamedTuple):
    """An address without a zone, and the interface that its zone named."""

    address: IPv4Address | IPv6Address
    interface: str | None


def target_of(host: str, version: int | None = None) -> Target:
    """Whom `host` means; `fe80::1%eth0` is on eth0. Raises FieldError."""
    address = address_of(host, version)
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return Target(IPv6Address(int(address)), address.scope_id)
    return Target(address, None)


def address_of(host: str | IPv4Address | IPv6Address, version: int | None = None) -> IPv4Address | IPv6Address:
    """The address that `host` is, or that the resolver knows for it, of IP version 4 or 6 if one is asked for.

    A name is looked up by the system's resolver, which may send queries; an address never is.
    Raises FieldError for a name without such an address.
    """
    try:
        address = ip_address(str(host))
    except ValueError:
        return _looked_up(str(host), version)
    if version not in (None, address.version):
        raise FieldError("host", "address", str(host), f"an IPv{version} address, or a name")
    return address


def _looked_up(name: str, version: int | None) -> IPv4Address | IPv6Address:
    kind = "an address" if version is None else f"an IPv{version} address"
    try:
        found = socket.getaddrinfo(name, None, FAMILIES[version], socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no name of a host"
        raise FieldError("host", "name", name, f"{kind} or a name that has one ({reason})") from error
    return ip_address(found[0][4][0])


def with_numbers(packets: Iterable[Packet]) -> Iterator[Packet]:
    """The packets, those over IPv4 without an identification numbered from 1.

    An ICMP error quotes the identification, which tells packets of one flow apart.
    """
    for number, packet in enumerate(packets, 1):
        header = next((layer for layer in packet.layers if isinstance(layer, IPv4 | IPv6)), None)
        if isinstance(header, IPv4) and header.identification == 0:
            yield packet.replace(IPv4, identification=number % 65_535 + 1)
        else:
            yield packet
