"""Echo over UNIX datagram sockets (unix(7)): datagrams between processes of one machine, of which none is lost."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Any

from rawkit.echo import unix
from rawkit.echo.addresses import show
from rawkit.echo.datagrams import DatagramClient, DatagramServer
from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.errors import KernelError

__all__ = ["Client", "Server"]


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
                self._bound = unix.bind(self.socket, own, socket.SOCK_DGRAM, make)
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
        self._files = unix.Files(lent=True)
        self._room = unix.room_for(credentials=True, descriptors=files)
        self._bound = None
        self.socket = make(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.socket.settimeout(timeout)
            with explained("ask for credentials with every datagram"):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._bound = unix.bind(self.socket, address, socket.SOCK_DGRAM, make)
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes, peer: Any = None) -> int:
        if not peer:
            remedy = "it has no name, so it cannot be answered; a sender has to bind one (unix(7))"
            raise KernelError(errno.EDESTADDRREQ, "answer the sender", remedy)
        with explained(f"send {len(data)} bytes to {show(peer)}", self.timeout, remedies=self.remedies):
            return self._files.send(self.socket, data, peer)

    def receive(self, size: int) -> Received:
        with explained(f"wait for a datagram at {show(self.address)}", self.timeout):
            received = unix.receive(self.socket, size, self._room)
        self._files.take(received.descriptors)
        return received

    def close(self) -> None:
        self._files.take(())
        unix.remove(self._bound)
        super().close()
