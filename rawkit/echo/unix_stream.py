"""Echo over a UNIX stream socket (unix(7)): a stream between two processes of one machine."""

from __future__ import annotations

import socket

from rawkit.echo.unix_connected import UnixClient, UnixServer

__all__ = ["Client", "Server"]


class Client(UnixClient):
    """The end that connects."""

    kind = socket.SOCK_STREAM


class Server(UnixServer):
    """The end that listens."""

    kind = socket.SOCK_STREAM
