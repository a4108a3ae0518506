"""Echo over a UNIX socket of packets in sequence (unix(7)): a connection that keeps boundaries.

The end of the connection and a message of no bytes look the same to recv(2). What tells them apart is who sent it:
the kernel says so with each message (SO_PASSCRED), and nobody sent the end.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from rawkit.echo import endpoint
from rawkit.echo.endpoint import Received
from rawkit.echo.unix_connected import UnixClient, UnixServer

__all__ = ["Client", "Server"]


class Client(UnixClient):
    """The end that connects."""

    kind = socket.SOCK_SEQPACKET

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the data as one message, and yield the one that comes back."""
        return endpoint.Client.echo(self, data, size)


class Server(UnixServer):
    """The end that listens."""

    kind = socket.SOCK_SEQPACKET

    credentials = True

    def has_ended(self, received: Received) -> bool:
        """Nothing may have been a message of no bytes."""
        return received.credentials is None
