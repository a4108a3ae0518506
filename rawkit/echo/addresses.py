"""Where an end is: addresses that people write, as sockets take them, and back."""

from __future__ import annotations

import errno
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

from rawkit.echo.endpoint import Credentials
from rawkit.errors import FieldError, KernelError, TimedOut

__all__ = [
    "IN6_PKTINFO",
    "IN_PKTINFO",
    "IP_PKTINFO",
    "SocketAddress",
    "first_here",
    "first_of",
    "resolved",
    "show",
]

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


def first_of(addresses: Sequence[SocketAddress], use: Callable[[SocketAddress], T]) -> T:
    """What `use` returns for the first of these addresses; the last error is raised."""
    *others, last = addresses
    for each in others:
        try:
            return use(each)
        except (KernelError, TimedOut):
            pass
    return use(last)


def first_here(addresses: Sequence[SocketAddress], use: Callable[[SocketAddress], T]) -> T:
    """The same for the first address that this host has: that its port is in use is no reason to take another."""
    *others, last = addresses
    for each in others:
        try:
            return use(each)
        except KernelError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return use(last)


def resolved(
    what: str,
    host: str,
    port: int,
    kind: socket.SocketKind,
    ip_version: int | None = None,
    timeout: float | None = None,
) -> list[SocketAddress]:
    """Each address that a host (an address or a name) has, in the resolver's order of preference (RFC 6724).

    Raises FieldError, which says `what` the host belongs to, and TimedOut.
    """
    try:
        if not host:
            raise UnicodeError
        found = _looked_up(host, port, FAMILIES[ip_version], kind, timeout)
    except OverflowError as error:
        raise FieldError(what, "port", port, "0 to 65535") from error
    except TimedOut:
        raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no name of a host"
        an_address = "an address" if ip_version is None else f"an IPv{ip_version} address"
        raise FieldError(what, "host", host, f"{an_address} or a name that has one ({reason})") from error
    return [SocketAddress(family, address) for family, _, _, _, address in found]


def _looked_up(
    host: str, port: int, family: int, kind: socket.SocketKind, timeout: float | None
) -> list[tuple[Any, ...]]:
    """What getaddrinfo(3) says. It knows no deadline and hears no signal, so names are looked up in a thread."""
    with suppress(socket.gaierror):
        return list(socket.getaddrinfo(host, port, family, kind, flags=socket.AI_NUMERICHOST))
    answers: SimpleQueue[list[tuple[Any, ...]] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, family, kind)))
        except Exception as error:  # noqa: BLE001  # raised below, in the thread of who asks
            answers.put(error)

    threading.Thread(target=look_up, name="rawkit-resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except Empty:
        raise TimedOut(f"look up {host}", timeout or 0) from None
    if isinstance(answer, Exception):
        raise answer
    return answer


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
