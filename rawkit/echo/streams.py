"""What all streams have in common: once connected, they are sent to and received from in the same way.

A stream keeps order and loses nothing, but keeps no boundaries: one send may arrive in several pieces, several in
one. So whoever wants his bytes back reads until he has as many as he sent.
"""

from __future__ import annotations

import errno
import math
import select
import socket
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from rawkit.echo.addresses import show
from rawkit.echo.endpoint import Client, Received, Server, Service, explained
from rawkit.echo.witness import Witness
from rawkit.errors import TimedOut

__all__ = ["StreamClient", "StreamServer", "end_stream"]


def end_stream(connection: socket.socket) -> None:
    """Send nothing more. That the other end has dropped the connection already is no error. Raises OSError."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise


class StreamClient(Client):
    """A connected stream socket, `socket`."""

    socket: socket.socket
    timeout: float | None

    def send(self, data: bytes, peer: Any = None) -> int:
        return self.put(data)

    def put(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send by one call with such flags (send(2)); returns how many bytes were taken."""
        with explained(f"send {len(data)} bytes", self.timeout):
            return self.socket.send(data, flags)

    def receive(self, size: int) -> Received:
        with explained("receive", self.timeout):
            return Received(self.socket.recv(size), None)

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the data, and yield the pieces in which it comes back; fewer bytes if the stream ends before.

        Would it wait in sending until all is sent, both ends could wait for ever: the server for its answers to be
        read, the client for its questions. So each call takes what the kernel takes, or has, at that moment.
        """
        rest, missing = memoryview(data), len(data)
        while missing:
            if self._wait(f"send {len(rest)} bytes" if rest else "receive", bool(rest)):
                rest = rest[self.put(rest, socket.MSG_DONTWAIT) :]
                continue
            received = self.receive(size)
            if not received.data:
                return
            missing -= len(received.data)
            yield received

    def _wait(self, doing: str, for_room: bool) -> bool:
        """Wait for something to receive, or for room to send (poll(2)); whether there is room. Raises TimedOut."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | (select.POLLOUT if for_room else 0))
        if not (found := poll.poll(None if self.timeout is None else math.ceil(self.timeout * 1000))):
            raise TimedOut(doing, self.timeout or 0)
        return bool(found[0][1] & select.POLLOUT)

    def who(self) -> Any:
        with explained("ask for the other end's address"):
            return self.socket.getpeername()

    def finish(self) -> None:
        with explained("end the stream"):
            end_stream(self.socket)

    def close(self) -> None:
        self.socket.close()


class StreamServer(Server):
    """A listening stream socket, `listener`, and the connection of the client that it serves."""

    listener: socket.socket
    connection: socket.socket | None = None
    timeout: float | None

    @abstractmethod
    def who(self, connection: socket.socket, address: Any) -> Any:
        """Who a client is that accept(2) returned."""

    def accept(self) -> Any:
        """Wait for a client, and return who it is. The connection of the one before is closed."""
        self.hang_up()
        with explained(f"wait for a client at {show(self.address)}", self.timeout):
            self.connection, address = self.listener.accept()
        self.connection.settimeout(self.timeout)
        return self.who(self.connection, address)

    def send(self, data: bytes, peer: Any = None) -> int:
        with explained(f"send {len(data)} bytes", self.timeout):
            return self._connected().send(data)

    def receive(self, size: int) -> Received:
        with explained("receive", self.timeout):
            return Received(self._connected().recv(size), None)

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def service(self, size: int, witness: Witness | None = None) -> Service | None:
        from rawkit.echo.many import Many  # which is built on what stands here

        return Many(self, size, witness)

    def close(self) -> None:
        self.hang_up()
        self.listener.close()

    def _connected(self) -> socket.socket:
        assert self.connection is not None, "accept() first"
        return self.connection
