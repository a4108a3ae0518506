"""What UNIX sockets with connections have in common, be they streams or packets in sequence (unix(7))."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, ClassVar

from rawkit.echo import unix
from rawkit.echo.addresses import show
from rawkit.echo.endpoint import MakeSocket, Received, explained
from rawkit.echo.streams import StreamClient, StreamServer

__all__ = ["UnixClient", "UnixServer"]


class UnixClient(StreamClient):
    """Connected to a server at a path or @name.

    The open `files` go with the first bytes that are sent; those that come back are in `Received.descriptors`.
    Raises FieldError, KernelError, TimedOut.
    """

    kind: ClassVar[socket.SocketKind]

    def __init__(
        self,
        address: str,
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        files: Sequence[int] = (),
    ) -> None:
        self.timeout = timeout
        self._files = unix.Files(files)
        self._room = unix.room_for(descriptors=bool(files))
        self.socket = make(socket.AF_UNIX, self.kind)
        try:
            self.socket.settimeout(timeout)
            unix.connect(self.socket, address, timeout)
        except BaseException:
            self.socket.close()
            raise

    def put(self, data: bytes | memoryview, flags: int = 0) -> int:
        with explained(f"send {len(data)} bytes", self.timeout, remedies=unix.REMEDIES):
            return self._files.send(self.socket, data, flags=flags)

    def receive(self, size: int) -> Received:
        with explained("receive", self.timeout):
            return unix.receive(self.socket, size, self._room)

    def who(self) -> Any:
        """The credentials of whoever listens."""
        with explained("ask who listens"):
            return unix.credentials_of(self.socket)


class UnixServer(StreamServer):
    """Listening at a path or @name; the socket file goes when it closes.

    With `files`, it takes the open files that clients pass, and passes them back with the answer.
    Raises FieldError, KernelError, TimedOut.
    """

    kind: ClassVar[socket.SocketKind]
    credentials: ClassVar[bool] = False
    """Whether the kernel is to tell with each message who sent it."""

    def __init__(
        self, address: str, *, make: MakeSocket = socket.socket, timeout: float | None = None, files: bool = False
    ) -> None:
        self.timeout = timeout
        self.address = address
        self._files = unix.Files(lent=True)
        self._room = unix.room_for(credentials=self.credentials, descriptors=files)
        self._bound = None
        self.listener = make(socket.AF_UNIX, self.kind)
        try:
            if self.credentials:  # which connections inherit
                self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self.listener.settimeout(timeout)
            self._bound = unix.bind(self.listener, address, make)
            with explained(f"listen on {show(address)}", remedies=unix.REMEDIES):
                self.listener.listen()
        except BaseException:
            self.close()
            raise

    def who(self, connection: socket.socket, address: Any) -> Any:
        """Its credentials: clients seldom have addresses."""
        return unix.credentials_of(connection)

    def send(self, data: bytes, peer: Any = None) -> int:
        with explained(f"send {len(data)} bytes", self.timeout, remedies=unix.REMEDIES):
            return self._files.send(self._connected(), data)

    def receive(self, size: int) -> Received:
        with explained("receive", self.timeout):
            received = unix.receive(self._connected(), size, self._room)
        self._files.take(received.descriptors)
        return received

    def close(self) -> None:
        self._files.take(())
        unix.remove(self._bound)
        super().close()
