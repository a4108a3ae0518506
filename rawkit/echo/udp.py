"""Echo over UDP (RFC 862, RFC 768): datagrams between two hosts, which may be lost but are never cut or joined."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any, Final

from rawkit.echo import datagrams
from rawkit.echo.addresses import SocketAddress, first_of, show
from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.errors import TimedOut

__all__ = ["Client", "Server"]

PRIVILEGE: Final = "CAP_NET_BIND_SERVICE (ports below 1024)"

_REMEDIES: Final = {
    errno.EADDRINUSE: (
        "that port is in use; choose another (0 for any that is free), or end the program that `ss -lunp` shows"
    ),
    errno.ECONNREFUSED: (
        "nobody listens at that UDP port: ICMP says that it is unreachable; start `rawkit echo serve udp` there"
    ),
    errno.EMSGSIZE: "too large for one datagram, which takes 65,507 bytes over IPv4 and 65,527 over IPv6",
}


class Client(datagrams.DatagramClient):
    """A datagram socket connected to (host, port), so that ICMP errors reach it. Connecting sends nothing.

    What stays unanswered for `timeout` seconds is sent again, `retries` times; `resent` counts that. UDP does not
    say which of them an answer is for. Raises FieldError, KernelError, TimedOut.
    """

    remedies = _REMEDIES

    def __init__(
        self,
        address: tuple[str, int],
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        retries: int = 0,
    ) -> None:
        self.timeout = timeout
        self.retries = retries
        self.resent = 0
        self._make = make
        self.socket = first_of(address, socket.SOCK_DGRAM, self._connect)

    def _connect(self, to: SocketAddress) -> socket.socket:
        made = self._make(to.family, socket.SOCK_DGRAM)
        try:
            made.settimeout(self.timeout)
            with explained(f"connect to {show(to.address)}"):
                made.connect(to.address)
        except BaseException:
            made.close()
            raise
        return made

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the datagram until an answer comes, at most 1 + `retries` times, and yield it."""
        for _ in range(self.retries):
            self.send(data)
            try:
                received = self.receive(size)
            except TimedOut:
                self.resent += 1
                continue
            yield received
            return
        self.send(data)
        yield self.receive(size)


class Server(datagrams.DatagramServer):
    """Bound to (host, port); port 0 lets the kernel choose, `::` takes IPv4 as well. Raises as `Client`."""

    remedies = _REMEDIES

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 5005),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
    ) -> None:
        self.timeout = timeout
        self._make = make
        self.socket = first_of(address, socket.SOCK_DGRAM, self._bind)
        self.address: Any = self.socket.getsockname()

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
