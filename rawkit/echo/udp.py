"""Echo over UDP (RFC 862, RFC 768): datagrams between two hosts, which may be lost but are never cut or joined."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any, Final

from rawkit.echo import datagrams
from rawkit.echo.addresses import IN6_PKTINFO, IN_PKTINFO, IP_PKTINFO, SocketAddress, first_here, resolved, show
from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.unreachable import ask_for_errors, told_by_icmp
from rawkit.errors import KernelError, UnreachableError

__all__ = ["Client", "Server", "answers_too"]

PRIVILEGE: Final = "CAP_NET_BIND_SERVICE (ports below 1024)"

WILDCARDS: Final = ("0.0.0.0", "::")

ROOM: Final = 2 * socket.CMSG_SPACE(IN6_PKTINFO.size)

ANSWERING: Final = frozenset((7, 13, 17, 19, 37))
"""Ports of services that answer whatever comes (RFC 862, 867, 865, 864, 868): two of them would never end."""

_REMEDIES: Final = {
    errno.EADDRINUSE: (
        "that port is in use; choose another (0 for any that is free), or end the program that `ss -lunp` shows"
    ),
    errno.ECONNREFUSED: ("nobody listens at that UDP port; start `rawkit echo serve udp` there"),
    errno.EMSGSIZE: "too large for one datagram, which takes 65,507 bytes over IPv4 and 65,527 over IPv6",
}


class Client(datagrams.DatagramClient):
    """A datagram socket connected to (host, port), so that ICMP errors reach it. Connecting sends nothing.

    What stays unanswered for `timeout` seconds is sent again, `retries` times; `resent` counts that. UDP does not
    say which of them an answer is for. Raises FieldError, KernelError, UnreachableError, TimedOut.
    """

    remedies = _REMEDIES

    def __init__(
        self,
        address: tuple[str, int],
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        retries: int = 0,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        self.retries = retries
        self._make = make
        self._further = resolved("echo", *address, socket.SOCK_DGRAM, ip_version, timeout)
        self.socket = self._connect_to_next()

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """As datagrams do. Of a name with several addresses, the next is asked where ICMP refuses one."""
        while True:
            try:
                yield from super().echo(data, size)
            except UnreachableError:
                if not self._further:
                    raise
                self.socket.close()
                self.socket = self._connect_to_next()
            else:
                self._further.clear()
                return

    def _connect_to_next(self) -> socket.socket:
        """The first address of those left that there is a way to."""
        while True:
            to = self._further.pop(0)
            try:
                return self._connect(to)
            except KernelError:
                if not self._further:
                    raise

    def _connect(self, to: SocketAddress) -> socket.socket:
        made = self._make(to.family, socket.SOCK_DGRAM)
        try:
            made.settimeout(self.timeout)
            with explained(f"connect to {show(to.address)}"):
                ask_for_errors(made)
                made.connect(to.address)
        except BaseException:
            made.close()
            raise
        return made

    def send(self, data: bytes, peer: Any = None) -> int:
        with told_by_icmp(self.socket, _REMEDIES):
            return super().send(data)

    def receive(self, size: int) -> Received:
        with told_by_icmp(self.socket, _REMEDIES):
            return super().receive(size)


class Server(datagrams.DatagramServer):
    """Bound to (host, port); port 0 lets the kernel choose, `::` takes IPv4 as well. Raises as `Client`."""

    remedies = _REMEDIES

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 5005),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        self._make = make
        self.socket = first_here(resolved("echo", *address, socket.SOCK_DGRAM, ip_version), self._bind)
        self.address: Any = self.socket.getsockname()
        if self.address[0] in WILDCARDS:
            self.plain = False
            self._ask_where_they_arrive()

    def endless(self, peer: Any) -> bool:
        """Whether who sent this would answer the answer: a server at the same port, or one that answers all."""
        return answers_too(peer[1], self.address[1])

    def receive(self, size: int) -> Received:
        if self.plain:
            return super().receive(size)
        with explained(f"wait for a datagram at {show(self.address)}", self.timeout, remedies=_REMEDIES):
            data, ancillary, flags, peer = self.socket.recvmsg(size, ROOM)
        sender = Sender(peer or (), _way_back(ancillary))  # nobody, when the socket is shut down
        return Received(data, sender, bool(flags & socket.MSG_TRUNC))

    def send(self, data: bytes, peer: Any = None) -> int:
        if not isinstance(peer, Sender):
            return super().send(data, peer)
        with explained(f"send {len(data)} bytes to {show(peer)}", self.timeout, remedies=_REMEDIES):
            return self.socket.sendmsg([data], peer.way, 0, peer)

    def _ask_where_they_arrive(self) -> None:
        """Have the kernel tell which of the host's addresses a datagram was sent to, so that this one answers."""
        self.socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        if self.socket.family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def _bind(self, at: SocketAddress) -> socket.socket:
        made = self._make(at.family, socket.SOCK_DGRAM)
        try:
            made.settimeout(self.timeout)
            with explained(f"bind to {show(at.address)}", capability=PRIVILEGE, remedies=_REMEDIES):
                if at.family == socket.AF_INET6:
                    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                made.bind(at.address)
        except BaseException:
            made.close()
            raise
        return made


def answers_too(port: int, own: int) -> bool:
    """Whether whoever has that port is likely to answer whatever comes, as the server at the own port does."""
    return port == own or port in ANSWERING


class Sender(tuple[Any, ...]):
    """The address of who sent a datagram, and how to answer from the address that it was sent to."""

    way: list[tuple[int, int, bytes]]

    def __new__(cls, address: tuple[Any, ...], way: list[tuple[int, int, bytes]]) -> Sender:
        made = super().__new__(cls, address)
        made.way = way
        return made


def _way_back(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """What to send with the answer (IP_PKTINFO in ip(7); RFC 3542, section 6.1): the address, on any interface."""
    for level, kind, info in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, local, _ = IN_PKTINFO.unpack(info)
            return [(level, kind, IN_PKTINFO.pack(0, local, bytes(4)))]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            address, _ = IN6_PKTINFO.unpack(info)
            return [(level, kind, IN6_PKTINFO.pack(address, 0))]
    return []
