"""The server that answers each packet at once by one that is made by hand, for any number of clients.

There is nothing to remember about a client. Whatever one of them sends, the others are served on: what cannot be
answered, since there is no way back or the packet is too large for it, is told and forgotten. One thing is shared:
the socket's send buffer, in which answers wait for stations to answer ARP, or neighbour solicitations; while those
of stations that are not there fill it, which takes seconds to be found out, others' answers are lost, too.
"""

from __future__ import annotations

import errno
import select
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from rawkit.echo.addresses import show
from rawkit.echo.each import NEXT_PLEASE
from rawkit.echo.loops import LOOP, Loops
from rawkit.echo.witness import Witness
from rawkit.errors import KernelError, RawkitError

if TYPE_CHECKING:
    from rawkit.echo.handmade import HandmadeServer

__all__ = ["ByHand"]


class ByHand:
    """Answers what comes to a server by hand until `stop` is called, from a signal handler or another thread.

    `size` is the buffer, in bytes; `witness` is told what happens, in the thread that runs. The caller closes the
    server. Packet sockets cannot be shut down (packet(7)), so there is a pair of sockets to wake `run` by.
    """

    def __init__(self, server: HandmadeServer, size: int, witness: Witness | None = None) -> None:
        self._server, self._size, self._witness = server, size, witness or Witness()
        self._wake: socket.socket | None = None
        self._loops = Loops()
        self._stopping = False

    def stop(self) -> None:
        """Have `run` return soon, or at once if it is not running yet."""
        self._stopping = True
        if self._wake is not None:
            with suppress(OSError):  # closed: it has stopped
                self._wake.send(b"\0")

    def run(self) -> None:
        """Serve until stopped. Raises KernelError when the socket will never hear anything again."""
        self._server.socket.settimeout(None)
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, NEXT_PLEASE)
        woken, wake = socket.socketpair()
        with woken, wake:
            self._wake = wake
            poll = select.poll()
            poll.register(self._server.socket, select.POLLIN)
            poll.register(woken, select.POLLIN)
            while not self._stopping:
                poll.poll()
                if not self._stopping:
                    self._serve_one()

    def _serve_one(self) -> None:
        server, witness = self._server, self._witness
        try:
            received = server.take(self._size)
        except KernelError as error:
            if not server.goes_on_after(error):
                raise
            witness.unanswered(server.address, error)
            witness.pause()
            return
        if received is None:
            return
        witness.received(received.peer, received.data, received.truncated)
        try:
            if server.endless and self._loops.suspects(
                received.peer[:2]
            ):  # host and port; the rest is how to answer
                raise KernelError(errno.ELOOP, f"answer {show(received.peer[:2])}", LOOP)
            server.send(received.data, received.peer)
        except RawkitError as error:
            witness.unanswered(received.peer, error)
        else:
            assert received.packet is not None
            assert server.sent is not None
            witness.made(received.packet, server.sent)
        witness.pause()
