"""The server that answers each datagram at once, for any number of clients.

There is nothing to remember about a client, and nothing to wait for but the next datagram.
"""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import suppress
from typing import Final

from rawkit.echo.addresses import show
from rawkit.echo.datagrams import DatagramServer
from rawkit.echo.loops import LOOP, Loops
from rawkit.echo.witness import Witness
from rawkit.errors import KernelError, kernel_error

__all__ = ["Each"]

TIMEVAL: Final = struct.Struct("@ll")
"""struct timeval: seconds, microseconds."""

NEXT_PLEASE: Final = TIMEVAL.pack(0, 1000)
"""How long a client may keep the others waiting by not reading its answers (SO_SNDTIMEO, socket(7))."""


ENDLESS: Final = "whoever has that port would answer, too, and so for ever; ask from another port"


class Each:
    """Answers what comes to a bound server until `stop` is called, from a signal handler or another thread.

    `size` is the buffer, in bytes; `witness` is told what happens, in the thread that runs. What cannot be
    answered, since its sender has no address or its queue is full, is dropped. The caller closes the server.
    """

    def __init__(self, server: DatagramServer, size: int, witness: Witness | None = None) -> None:
        self._server, self._size, self._witness = server, size, witness
        self._loops = Loops()
        self._stopping = False

    def stop(self) -> None:
        """Have `run` return soon, or at once if it is not running yet."""
        self._stopping = True
        with suppress(OSError):  # not connected, says the kernel, but wakes recvmsg(2) all the same
            self._server.socket.shutdown(socket.SHUT_RD)

    def run(self) -> None:
        """Serve until stopped. Raises KernelError."""
        self._server.socket.settimeout(None)
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, NEXT_PLEASE)
        if self._witness is None and self._server.plain:
            self._run_quietly()
        else:
            self._run(self._witness or Witness())

    def _run(self, witness: Witness) -> None:
        server = self._server
        while not self._stopping:
            received = server.receive(self._size)
            if self._stopping:
                return
            who = received.credentials or received.peer
            witness.received(who, received.data, received.truncated, received.descriptors)
            try:
                if server.endless(received.peer):
                    raise KernelError(errno.ELOOP, f"answer {show(received.peer)}", ENDLESS)
                if self._loops.suspects(received.peer):
                    raise KernelError(errno.ELOOP, f"answer {show(received.peer)}", LOOP)
                server.send(received.data, received.peer)
            except KernelError as error:
                witness.unanswered(who, error)
            witness.pause()

    def _run_quietly(self) -> None:
        """The same, with two system calls a datagram and little besides."""
        receive, send = self._server.socket.recvfrom_into, self._server.socket.sendto
        endless, suspects = self._server.endless, self._loops.suspects
        buffer = memoryview(bytearray(self._size))
        while not self._stopping:
            try:
                count, peer = receive(buffer)
            except OSError as error:
                raise kernel_error(error, "wait for a datagram") from error
            if self._stopping:
                return
            if not endless(peer) and not suspects(peer):
                with suppress(OSError):
                    send(buffer[:count], peer)
