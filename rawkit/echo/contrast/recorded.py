"""Sockets that keep a record of every call: what was asked of the kernel, what it answered, and when."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

__all__ = ["Call", "RecordedSocket", "Recorder"]

T = TypeVar("T")

SHOWN = 12
"""Bytes of a piece of data that are shown."""


class Call(NamedTuple):
    """One socket call."""

    end: str
    """`client` or `server`."""
    socket: int
    """Which of its sockets, counted from 1."""
    name: str
    arguments: str
    result: str
    """What it returned, or the name of its error."""
    failed: bool
    start_ns: int
    """By the clock of frames: nanoseconds since 1970."""
    stop_ns: int

    def __str__(self) -> str:
        return f"{self.name}({self.arguments}) = {self.result}"


class Recorder:
    """The calls of both ends, in the order in which they returned. Sockets may be used from several threads."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._sockets: dict[str, int] = {}

    def maker(self, end: str, open_: Callable[..., Any]) -> Callable[..., socket.socket]:
        """What makes the sockets of one end. `open_` calls its first argument with the others, wherever it likes."""

        def make(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
            made: RecordedSocket = open_(RecordedSocket, self, end, family, kind, protocol)
            return made

        return make

    def number(self, end: str) -> int:
        """The number of an end's next socket."""
        self._sockets[end] = self._sockets.get(end, 0) + 1
        return self._sockets[end]


class RecordedSocket(socket.socket):
    """A socket whose calls are recorded. Those that only look, such as getsockname(2), are not."""

    def __init__(
        self, recorder: Recorder, end: str, family: int, kind: int, protocol: int = 0, fileno: int | None = None
    ) -> None:
        self._recorder, self._end = recorder, end
        self._number = recorder.number(end)
        if fileno is not None:
            super().__init__(family, kind, protocol, fileno)
            return
        self._record(
            "socket",
            _arguments_of_socket(family, kind, protocol),
            lambda: super(RecordedSocket, self).__init__(family, kind, protocol),
            lambda _: str(self.fileno()),
        )

    def _record(self, name: str, arguments: str, call: Callable[[], T], result: Callable[[T], str] = str) -> T:
        start_ns = time.time_ns()
        try:
            value = call()
        except OSError as error:
            self._keep(name, arguments, _error_of(error), True, start_ns)
            raise
        self._keep(name, arguments, "0" if value is None else result(value), False, start_ns)
        return value

    def _keep(self, name: str, arguments: str, result: str, failed: bool, start_ns: int) -> None:
        self._recorder.calls.append(
            Call(self._end, self._number, name, arguments, result, failed, start_ns, time.time_ns())
        )

    # ------------------------------------------------------------------ calls

    def bind(self, address: Any) -> None:
        self._record("bind", _address(address), lambda: super(RecordedSocket, self).bind(address))

    def listen(self, backlog: int = socket.SOMAXCONN) -> None:
        self._record("listen", str(backlog), lambda: super(RecordedSocket, self).listen(backlog))

    def accept(self) -> tuple[RecordedSocket, Any]:
        descriptor, peer = self._record(
            "accept", "", self._accept, lambda accepted: f"{accepted[0]}, {_address(accepted[1])}"
        )
        made = RecordedSocket(self._recorder, self._end, self.family, self.type, self.proto, descriptor)
        if socket.getdefaulttimeout() is None and self.gettimeout():
            made.setblocking(True)
        return made, peer

    def connect(self, address: Any) -> None:
        self._record("connect", _address(address), lambda: super(RecordedSocket, self).connect(address))

    def shutdown(self, how: int) -> None:
        name = {socket.SHUT_RD: "SHUT_RD", socket.SHUT_WR: "SHUT_WR", socket.SHUT_RDWR: "SHUT_RDWR"}.get(
            how, str(how)
        )
        self._record("shutdown", name, lambda: super(RecordedSocket, self).shutdown(how))

    def close(self) -> None:
        if self.fileno() >= 0:
            self._record("close", "", super().close)

    def setsockopt(self, *arguments: Any) -> None:  # type: ignore[override]
        told = ", ".join(_bytes(each) if isinstance(each, bytes) else str(each) for each in arguments)
        self._record("setsockopt", told, lambda: super(RecordedSocket, self).setsockopt(*arguments))

    def send(self, data: Any, flags: int = 0) -> int:
        return self._record(
            "send", _bytes(data) + _flags(flags), lambda: super(RecordedSocket, self).send(data, flags)
        )

    def sendall(self, data: Any, flags: int = 0) -> None:
        arguments = _bytes(data) + _flags(flags)
        self._record("sendall", arguments, lambda: super(RecordedSocket, self).sendall(data, flags))

    def sendto(self, data: Any, *rest: Any) -> int:  # type: ignore[override]
        arguments = _bytes(data) + (_flags(rest[0]) if len(rest) > 1 else "") + ", " + _address(rest[-1])
        return self._record("sendto", arguments, lambda: super(RecordedSocket, self).sendto(data, *rest))

    def sendmsg(self, buffers: Any, *rest: Any) -> int:  # type: ignore[override]
        parts = [bytes(part) for part in buffers]
        address = f", {_address(rest[2])}" if len(rest) > 2 and rest[2] is not None else ""
        ancillary = f", {len(rest[0])} control messages" if rest and rest[0] else ""
        arguments = _bytes(b"".join(parts)) + ancillary + address
        return self._record("sendmsg", arguments, lambda: super(RecordedSocket, self).sendmsg(parts, *rest))

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self._record(
            "recv", str(size) + _flags(flags), lambda: super(RecordedSocket, self).recv(size, flags), _bytes
        )

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        return self._record(
            "recvfrom",
            str(size) + _flags(flags),
            lambda: super(RecordedSocket, self).recvfrom(size, flags),
            lambda got: f"{_bytes(got[0])}, {_address(got[1])}",
        )

    def recvmsg(self, size: int, ancillary: int = 0, flags: int = 0) -> tuple[bytes, list[Any], int, Any]:
        return self._record(
            "recvmsg",
            str(size) + _flags(flags),
            lambda: super(RecordedSocket, self).recvmsg(size, ancillary, flags),
            lambda got: _bytes(got[0]) + _flags(got[2]),
        )

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        return self._record(
            "recv", str(size or len(buffer)), lambda: super(RecordedSocket, self).recv_into(buffer, size, flags)
        )


def _error_of(error: OSError) -> str:
    if isinstance(error, TimeoutError) and error.errno is None:
        return "nothing in time"
    return f"{errno.errorcode.get(error.errno or 0, str(error.errno))} ({os.strerror(error.errno or 0)})"


def _arguments_of_socket(family: int, kind: int, protocol: int) -> str:
    names = [socket.AddressFamily(family).name, socket.SocketKind(kind).name]
    return ", ".join(names + ([_protocol(family, protocol)] if protocol else []))


def _protocol(family: int, protocol: int) -> str:
    if family == socket.AF_PACKET:
        return f"htons({socket.htons(protocol):#06x})"
    known = [name for name in dir(socket) if name.startswith("IPPROTO_") and getattr(socket, name) == protocol]
    return known[0] if known else str(protocol)


def _address(address: Any) -> str:
    if isinstance(address, bytes):
        return repr(address)
    if not isinstance(address, tuple):
        return repr(address) if address else "no name"
    if isinstance(address[0], str) and len(address) >= 5:  # of a packet socket: interface, EtherType, ..., MAC
        return f"{address[0]}, {address[1]:#06x}, {bytes(address[4]).hex(':')}"
    return (
        ":".join(str(part) for part in address[:2])
        if ":" not in str(address[0])
        else f"[{address[0]}]:{address[1]}"
    )


def _bytes(data: Any) -> str:
    data = bytes(data)
    return repr(data) if len(data) <= SHOWN else f"{data[:SHOWN]!r}... {len(data)} bytes"


def _flags(flags: int) -> str:
    return f", {socket.MsgFlag(flags).name}" if flags else ""
