"""Echo over UNIX datagram sockets (unix(7)): datagrams between processes of one machine, in their order.

None is lost on the way, since the sender has to wait until there is room for it. Servers do not wait, and drop the
answers to who does not read them.

A client that is connected has a queue without an end of its own: what it does not read stays in the send buffer of
the server's socket, which all answers share. So once that is full, it is made larger for each answer to a client
that has read what it got before.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Any, Final

from rawkit.echo import unix
from rawkit.echo.addresses import show
from rawkit.echo.datagrams import DatagramClient, DatagramServer
from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.unread import has_unread
from rawkit.errors import KernelError

__all__ = ["Client", "Server"]

AS_MUCH_AS_THERE_IS: Final = 1 << 30
"""Of which SO_SNDBUF takes the double of /proc/sys/net/core/wmem_max (socket(7))."""


class Client(DatagramClient):
    """Connected to a server at a path or @name, and bound to `own`, without which nobody could answer.

    By default the kernel makes up an abstract name for it (autobind, unix(7)).
    The open `files` go with the first datagram; those that come back are in `Received.descriptors`.
    Raises FieldError, KernelError, TimedOut.
    """

    remedies = unix.REMEDIES

    def __init__(
        self,
        address: str,
        *,
        own: str = "",
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        files: Sequence[int] = (),
    ) -> None:
        self.timeout = timeout
        self._files = unix.Files(files)
        self._room = unix.room_for(descriptors=bool(files))
        self._bound = None
        self.socket = make(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.socket.settimeout(timeout)
            if own:
                self._bound = unix.bind(self.socket, own, make)
            else:
                with explained("have a name made up"):
                    self.socket.bind("")
            unix.connect(self.socket, address, timeout)
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes, peer: Any = None) -> int:
        with explained(f"send {len(data)} bytes", self.timeout, remedies=self.remedies):
            return self._files.send(self.socket, data)

    def receive(self, size: int) -> Received:
        with explained("receive", self.timeout):
            return unix.receive(self.socket, size, self._room)

    def close(self) -> None:
        unix.remove(self._bound)
        super().close()


class Server(DatagramServer):
    """Bound to a path or @name; the socket file goes when it closes. Every datagram tells who sent it.

    With `files`, it takes the open files that clients pass, and passes them back with the answer.
    Raises FieldError, KernelError, TimedOut.
    """

    plain = False
    remedies = unix.REMEDIES

    def __init__(
        self, address: str, *, make: MakeSocket = socket.socket, timeout: float | None = None, files: bool = False
    ) -> None:
        self.timeout = timeout
        self.address: Any = address
        self._make = make
        self._files = unix.Files(lent=True)
        self._room = unix.room_for(credentials=True, descriptors=files)
        self._bound = None
        self.socket = make(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.socket.settimeout(timeout)
            with explained("ask for credentials with every datagram"):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._bound = unix.bind(self.socket, address, make)
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes, peer: Any = None) -> int:
        if not peer:
            remedy = "it has no name, so it cannot be answered; a sender has to bind one (unix(7))"
            raise KernelError(errno.EDESTADDRREQ, "answer the sender", remedy)
        with explained(f"send {len(data)} bytes to {show(peer)}", self.timeout, remedies=self.remedies):
            try:
                return self._files.send(self.socket, data, peer)
            except BlockingIOError:
                if has_unread(peer, self._make):
                    raise
                return self._send_from_reserve(data, peer)

    def _send_from_reserve(self, data: bytes, peer: Any) -> int:
        """Send with the largest buffer that there may be; it is as it was for the next answer."""
        usual = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, AS_MUCH_AS_THERE_IS)
        try:
            return self._files.send(self.socket, data, peer)
        finally:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, usual // 2)  # which the kernel doubles

    def receive(self, size: int) -> Received:
        with explained(f"wait for a datagram at {show(self.address)}", self.timeout):
            received = unix.receive(self.socket, size, self._room)
        self._files.take(received.descriptors)
        return received

    def close(self) -> None:
        self._files.take(())
        unix.remove(self._bound)
        super().close()
