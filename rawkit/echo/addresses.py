"""Where an end is: addresses that people write, as sockets take them, and back."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from rawkit.echo.endpoint import Credentials
from rawkit.errors import FieldError, KernelError, TimedOut

__all__ = ["IN6_PKTINFO", "IN_PKTINFO", "IP_PKTINFO", "SocketAddress", "first_of", "resolved", "show"]

T = TypeVar("T")

FAMILIES: Final = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}

IP_PKTINFO: Final = 8
"""Asks for, and is, what follows (<linux/in.h>; ip(7))."""

IN_PKTINFO: Final = struct.Struct("=i4s4s")
"""struct in_pktinfo: interface, the address of this host that it was for, the address in the header."""

IN6_PKTINFO: Final = struct.Struct("=16si")
"""struct in6_pktinfo (<linux/ipv6.h>): the address in the header, interface."""


class SocketAddress(NamedTuple):
    """A family, and an address as its sockets take it (`socketaddr` of Python's socket module)."""

    family: socket.AddressFamily
    address: tuple[Any, ...]


def first_of(address: tuple[str, int], kind: socket.SocketKind, use: Callable[[SocketAddress], T]) -> T:
    """What `use` returns for the first address that the host (an address or a name) and port stand for.

    A name may have several, IPv6 and IPv4: they are tried in the resolver's order, and the last error is raised.
    Raises FieldError for a host that has none.
    """
    *others, last = resolved("echo", *address, kind)
    for each in others:
        try:
            return use(each)
        except (KernelError, TimedOut):
            pass
    return use(last)


def resolved(
    what: str, host: str, port: int, kind: socket.SocketKind, ip_version: int | None = None
) -> list[SocketAddress]:
    """Each address that a host (an address or a name) has, in the resolver's order of preference (RFC 6724).

    Raises FieldError, which says `what` the host belongs to.
    """
    try:
        if not host:
            raise UnicodeError
        found = socket.getaddrinfo(host, port, FAMILIES[ip_version], kind)
    except OverflowError as error:
        raise FieldError(what, "port", port, "0 to 65535") from error
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no name of a host"
        an_address = "an address" if ip_version is None else f"an IPv{ip_version} address"
        raise FieldError(what, "host", host, f"{an_address} or a name that has one ({reason})") from error
    return [SocketAddress(family, address) for family, _, _, _, address in found]


def show(address: Any) -> str:
    """An address for people, such as 127.0.0.1:5005, [::1]:5005, /run/echo, @echo; safe to print.

    The name of a UNIX socket is the choice of whoever bound it: what a terminal could obey is escaped.
    """
    if isinstance(address, Credentials):
        return f"process {address.pid} of user {address.uid}, group {address.gid}"
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(address, bytes):  # an abstract name
        return f"@{_escaped(address[1:].decode(errors='backslashreplace'))}"
    if isinstance(address, str):
        return _escaped(address) or "a socket without a name"
    return "nobody" if address is None else _escaped(str(address))


def _escaped(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
