"""Echo over TCP (RFC 862, RFC 9293): a stream between two hosts."""

from __future__ import annotations

import errno
import socket
from typing import Any, Final

from rawkit.echo.addresses import SocketAddress, first_here, first_of, resolved, show
from rawkit.echo.endpoint import MakeSocket, explained
from rawkit.echo.streams import StreamClient, StreamServer

__all__ = ["Client", "Server"]

PRIVILEGE: Final = "CAP_NET_BIND_SERVICE (ports below 1024)"

_REMEDIES: Final = {
    errno.EADDRINUSE: (
        "that port is in use; choose another (0 for any that is free), or end the program that `ss -ltnp` shows"
    ),
    errno.ECONNREFUSED: (
        "nobody listens at that TCP port, its host answered with RST; "
        "start a server there, such as `rawkit echo serve`"
    ),
    errno.ETIMEDOUT: "no answer to any SYN; the host is not there, or something between drops them",
}


class Client(StreamClient):
    """Connected to a TCP server at (host, port). Raises FieldError, KernelError, TimedOut."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        self._make = make
        found = resolved("echo", *address, socket.SOCK_STREAM, ip_version, timeout)
        self.socket = first_of(found, self._connect)

    def _connect(self, to: SocketAddress) -> socket.socket:
        made = self._make(to.family, socket.SOCK_STREAM)
        try:
            made.settimeout(self.timeout)
            with explained(f"connect to {show(to.address)}", self.timeout, remedies=_REMEDIES):
                made.connect(to.address)
        except BaseException:
            made.close()
            raise
        return made


class Server(StreamServer):
    """Listening at (host, port); port 0 lets the kernel choose, `::` takes IPv4 as well. Raises as `Client`."""

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
        self.listener = first_here(resolved("echo", *address, socket.SOCK_STREAM, ip_version), self._listen)
        self.address = self.listener.getsockname()

    def _listen(self, at: SocketAddress) -> socket.socket:
        made = self._make(at.family, socket.SOCK_STREAM)
        try:
            made.settimeout(self.timeout)
            with explained(f"listen on {show(at.address)}", capability=PRIVILEGE, remedies=_REMEDIES):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what is in TIME-WAIT is no obstacle
                made.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # urgent bytes go back as others do
                if at.family == socket.AF_INET6:
                    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                made.bind(at.address)
                made.listen()
        except BaseException:
            made.close()
            raise
        return made

    def who(self, connection: socket.socket, address: Any) -> Any:
        """Its address."""
        return address
