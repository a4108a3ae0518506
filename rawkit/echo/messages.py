"""The server for any number of WebSocket clients at once (RFC 6455), by the websockets library's asyncio one.

A client has one message waiting at the most, and one on its way back: while it does not read, it is not read from,
neither messages nor pings. Who is silent is asked for a sign of life.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final
from weakref import WeakSet

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.http11 import Request, Response

from rawkit.echo.many import FULL, allow_many_files
from rawkit.echo.page import plain_answer
from rawkit.echo.websocket import HANDSHAKE, QUIET, Server
from rawkit.echo.witness import Witness

__all__ = ["Messages"]

SILENCE: Final = 20.0
"""Seconds after which a client is pinged (RFC 6455, section 5.5.2)."""

PATIENCE: Final = 60.0
"""Seconds in which its pong must come; a slow reader has all that is before the ping to read first."""

GOODBYE: Final = 2.0
"""Seconds in which clients must answer a close frame."""

AT_ONCE: Final = 1024
"""Clients that may wait to be accepted, and are accepted in one go."""


class Messages:
    """Serves all clients of a listening server until `stop` is called, from a signal handler or another thread.

    `witness` is told what happens, in the thread that runs; `size` is there for likeness with the other kinds,
    since messages are whole, up to the server's `max_size`. Closing the server is left to the caller.
    """

    def __init__(self, server: Server, size: int, witness: Witness | None = None) -> None:
        self._server, self._witness = server, witness or Witness()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients = 0
        self._stopping = False

    @property
    def clients(self) -> int:
        """How many are connected."""
        return self._clients

    def stop(self) -> None:
        """Have `run` return soon, or at once if it is not running yet. Clients are told (close code 1001)."""
        self._stopping = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stopped.set)

    def run(self) -> None:
        """Serve until stopped; then the connections are closed. This process's limit of open files is raised."""
        allow_many_files()
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._note)
        if self._stopping:
            return
        connections: WeakSet[ServerConnection] = WeakSet()

        class Known(_Connection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connections.add(self)
                super().connection_made(transport)

        async with serve(
            self._echo,
            sock=self._server.listener,
            backlog=AT_ONCE,
            process_request=_answer,
            create_connection=Known,
            compression=None,  # what is sent is what is on the wire
            open_timeout=HANDSHAKE,
            ping_interval=SILENCE,
            ping_timeout=PATIENCE,
            close_timeout=GOODBYE,
            max_size=self._server.max_size,
            max_queue=(0, 0),
            logger=QUIET,
        ):
            await self._stopped.wait()
            # Who does not even read our close frame is not waited for: the library would, for room to send it.
            self._loop.call_later(GOODBYE, _abort, connections)

    async def _echo(self, connection: ServerConnection) -> None:
        """Serve a client until one of the two closes."""
        who, error = connection.remote_address, None
        self._clients += 1
        self._witness.connected(who)
        self._witness.pause()
        try:
            while True:
                message = await connection.recv()
                data = message.encode() if isinstance(message, str) else message
                self._witness.received(who, data, False)
                await connection.send(message)
                self._witness.pause()
        except ConnectionClosed as closed:
            if isinstance(closed, ConnectionClosedError):
                error = OSError(errno.EPROTO, repr(str(closed)))
        finally:
            self._clients -= 1
            self._witness.closed(who, error)
            self._witness.pause()

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Hear of what asyncio could not do: accept a client, above all, for which it tries again by itself."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in FULL:
            self._witness.full(self._clients)
        else:
            loop.default_exception_handler(context)


def _abort(connections: Iterable[ServerConnection]) -> None:
    for connection in [*connections]:
        connection.transport.abort()


class _Connection(ServerConnection):
    """One that does not read while there is something left to write: answers to pings count, too."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.paused:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.recv_messages.paused:
            self.transport.resume_reading()


def _answer(_connection: ServerConnection, request: Request) -> Response | None:
    return plain_answer(request)
