"""The server for any number of clients at once, over every kind with connections: one thread, one epoll(7).

What a client sends is read only while nothing waits to go back to it. So a connection keeps one buffer's worth of
bytes at the most, and a client that does not read is not read from either: the kernel's buffers fill up, and it
has to wait, as TCP means it to. A client that ends its half of the connection gets the rest, then the end.
"""

from __future__ import annotations

import errno
import resource
import select
import socket
import time
from contextlib import ExitStack, suppress
from math import inf
from typing import Any, Final

from rawkit.echo.endpoint import explained
from rawkit.echo.streams import StreamServer
from rawkit.echo.unix import room_for
from rawkit.echo.witness import Witness

__all__ = ["FULL", "Many", "allow_many_files"]

BACKLOG: Final = 65_535
"""Clients that may wait to be accepted; the kernel takes at most /proc/sys/net/core/somaxconn."""

EVENTS: Final = 256
"""Events that are taken from the kernel at once."""

TURNS: Final = 16
"""Buffers that one client gets echoed, or clients that are accepted, before it is another's turn."""

PIECE: Final = 8192
"""Bytes of a stream that are sent at once, so that a client reads the first while we send the next."""

FULL: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What accept(2) says when there is no room for another client."""

PAUSE: Final = 1.0
"""Seconds after which to look whether there is room again, if none of the own clients made some before."""

CREDENTIALS: Final = room_for(credentials=True)

READ, WRITE = select.EPOLLIN, select.EPOLLOUT


class _Connection:
    """One client: who it is, and what waits to go back to it."""

    __slots__ = ("socket", "waiting", "who")

    def __init__(self, connection: socket.socket, who: Any) -> None:
        self.socket, self.who = connection, who
        self.waiting = b""


class Many:
    """Serves all clients of a listening server until `stop` is called, from a signal handler or another thread.

    `size` is the buffer, in bytes; `witness` is told what happens, in the thread that runs. The server is the
    caller's to close.
    """

    def __init__(self, server: StreamServer, size: int, witness: Witness | None = None) -> None:
        self._server, self._witness = server, witness
        self._listener = server.listener
        self._packets = self._listener.type == socket.SOCK_SEQPACKET
        self._receive = self._receive_packet if self._packets else self._receive_bytes
        self._piece = size if self._packets else PIECE
        self._buffer = memoryview(bytearray(size))
        self._clients: dict[int, _Connection] = {}
        self._retry_at = inf  # when to accept again, where there was no room
        self._told_full = False
        self._stopping = False
        self._listener.setblocking(False)
        with explained("listen"):
            self._listener.listen(BACKLOG)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def stop(self) -> None:
        """Have `run` return soon, or at once if it is not running yet. New clients are refused from now on."""
        self._stopping = True
        with suppress(OSError):  # closed: it has stopped
            self._listener.shutdown(socket.SHUT_RDWR)  # which wakes epoll

    def run(self) -> None:
        """Serve until stopped; then the connections are closed. This process's limit of open files is raised."""
        allow_many_files()
        with ExitStack() as stack:
            self._epoll = stack.enter_context(select.epoll())
            stack.callback(self._close_all)
            self._epoll.register(self._listener, READ)
            while not self._stopping:
                self._round()

    def _round(self) -> None:
        """Wait until something happens, and do what there is to do."""
        patience = None if self._retry_at == inf else max(self._retry_at - time.monotonic(), 0)
        for number, _ in self._epoll.poll(patience, EVENTS):
            self._serve(number)
        if self._retry_at != inf and time.monotonic() >= self._retry_at:
            self._accept_again()
        if self._witness is not None:
            self._witness.pause()

    def _serve(self, number: int) -> None:
        client = self._clients.get(number)
        if client is None:
            if number == self._listener.fileno():
                self._accept()
            return
        try:
            self._echo(client)
        except BlockingIOError:
            pass
        except OSError as error:  # reset, or timed out: this client's end and nobody else's
            self._close(client, error)

    def _echo(self, client: _Connection) -> None:
        """Send what waits, then echo what came, until nothing is left or something has to wait."""
        connection, buffer = client.socket, self._buffer
        if client.waiting:
            client.waiting = client.waiting[connection.send(client.waiting) :]
            if not client.waiting:
                self._epoll.modify(connection, READ)
            return
        for _ in range(TURNS):
            length = self._receive(connection)
            if length is None:
                self._close(client)
                return
            count = min(length, len(buffer))
            if self._witness is not None:
                self._witness.received(client.who, bytes(buffer[:count]), length > count)
            sent = 0
            with suppress(BlockingIOError):
                sent = connection.send(buffer[: min(self._piece, count)])  # an empty packet is one, too
                while sent < count:
                    sent += connection.send(buffer[sent : min(sent + self._piece, count)])
            if sent < count:
                client.waiting = bytes(buffer[sent:count])
                self._epoll.modify(connection, WRITE)
            if sent < count or (count < len(buffer) and not self._packets):
                return

    def _receive_bytes(self, connection: socket.socket) -> int | None:
        """How many came into the buffer; None at the end. Raises OSError, as recv(2) does."""
        return connection.recv_into(self._buffer) or None

    def _receive_packet(self, connection: socket.socket) -> int | None:
        """The length of the packet, of which the buffer has the beginning. One of no bytes has a sender."""
        buffers = [self._buffer]
        length, who, _, _ = connection.recvmsg_into(buffers, CREDENTIALS, socket.MSG_TRUNC)
        return length if length or who else None

    def _accept(self) -> None:
        for _ in range(TURNS):
            try:
                connection, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in FULL:
                    self._wait_for_room()
                    return
                continue  # it was gone before it was accepted (ECONNABORTED and others, accept(2))
            self._told_full = False
            try:
                self._welcome(connection, address)
            except OSError:  # gone already
                connection.close()

    def _welcome(self, connection: socket.socket, address: Any) -> None:
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small pieces are what we send
        client = _Connection(connection, self._server.who(connection, address))
        self._epoll.register(connection, READ)
        self._clients[connection.fileno()] = client
        if self._witness is not None:
            self._witness.connected(client.who)

    def _wait_for_room(self) -> None:
        """Leave new clients in the kernel's queue until one of ours ends, or a moment has passed."""
        if not self._told_full and self._witness is not None:
            self._witness.full(len(self._clients))
        self._told_full = True
        self._retry_at = time.monotonic() + PAUSE
        self._epoll.modify(self._listener, 0)

    def _accept_again(self) -> None:
        self._retry_at = inf
        self._epoll.modify(self._listener, READ)

    def _close(self, client: _Connection, error: OSError | None = None) -> None:
        del self._clients[client.socket.fileno()]
        client.socket.close()
        if self._retry_at != inf:
            self._accept_again()
        if self._witness is not None:
            self._witness.closed(client.who, error)

    def _close_all(self) -> None:
        for client in list(self._clients.values()):
            self._close(client)


def allow_many_files() -> None:
    """Let this process have as many files open as its hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
