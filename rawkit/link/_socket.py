"""What the raw sockets and the packet socket share: waiting, timestamps, errors, closing."""

from __future__ import annotations

import math
import select
import socket
import time
from types import TracebackType
from typing import Any, Self

from rawkit.errors import FieldError, TimedOut, kernel_error
from rawkit.link import _kernel
from rawkit.link.frame import Sendable

__all__ = ["KernelSocket", "deadline_of", "is_over", "payload", "wait"]

Ancillary = list[tuple[int, int, bytes]]

_LONGEST_WAIT = 1_000_000.0  # seconds, in milliseconds still an int of C, which poll(2) takes

_ANCILLARY_BYTES = 256  # room for every control message that rawkit asks for, several times over


class KernelSocket:
    """A socket that never blocks inside a call, waits with poll(2), and raises rawkit's errors.

    The descriptor is closed on exec, so programs that are started do not hold it.
    """

    _socket: socket.socket
    _name: str
    """How errors call it: "raw IPv4 socket", or the interface of a packet socket."""

    def _open(self, family: int, protocol: int, name: str) -> None:
        self._name = name
        try:
            self._socket = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        except OSError as error:
            raise kernel_error(error, f"open {name}") from error

    def fileno(self) -> int:
        """The file descriptor, for selectors; -1 when closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the descriptor back to the kernel. Closing twice is no error."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, data: Sendable, address: tuple[Any, ...] | None) -> None:
        """Send one packet, waiting for as long as the socket's send buffer is full."""
        buffer = payload(data)
        while True:
            try:
                if address is None:
                    self._socket.send(buffer)
                else:
                    self._socket.sendto(buffer, address)
            except BlockingIOError:
                wait(self.fileno(), select.POLLOUT, None)
            except OSError as error:
                raise kernel_error(error, f"send {len(buffer)} bytes on {self._name}") from error
            else:
                return

    def _receive(self, size: int, timeout: float | None) -> tuple[bytes, Ancillary, Any]:
        """The next packet's bytes (at most `size`), control messages and address."""
        doing = f"receive on {self._name}"
        deadline = deadline_of(timeout)
        while True:
            try:
                data, ancillary, _, address = self._socket.recvmsg(size, _ANCILLARY_BYTES)
            except BlockingIOError:
                if not wait(self.fileno(), select.POLLIN, deadline) and is_over(deadline):
                    raise TimedOut(doing, timeout or 0) from None
            except OSError as error:
                raise kernel_error(error, doing) from error
            else:
                return data, ancillary, address


def payload(data: Sendable) -> bytes | bytearray | memoryview:
    """The bytes to send: those given, or those that a packet builds into."""
    return data if isinstance(data, (bytes, bytearray, memoryview)) else bytes(data)


def deadline_of(timeout: float | None) -> float | None:
    """When a wait that starts now is over, by the monotonic clock; None is never. Raises FieldError."""
    if timeout is None:
        return None
    if math.isnan(timeout):
        raise FieldError("receive", "timeout", timeout, "a number of seconds, or None to wait for ever")
    return time.monotonic() + timeout


def is_over(deadline: float | None) -> bool:
    """Whether that time has come."""
    return deadline is not None and time.monotonic() >= deadline


def wait(descriptor: int, events: int, deadline: float | None) -> bool:
    """Whether one of the poll(2) `events` came (or an error) by then. May return early, after eleven days."""
    poll = select.poll()
    poll.register(descriptor, events)
    if deadline is None:
        return bool(poll.poll())
    return bool(poll.poll(min(max(deadline - time.monotonic(), 0), _LONGEST_WAIT) * 1000))


def kernel_time(ancillary: Ancillary) -> int:
    """When the kernel had the packet, in nanoseconds since 1970 (SO_TIMESTAMPNS, socket(7))."""
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _kernel.SO_TIMESTAMPNS_NEW:
            seconds, nanoseconds = _kernel.TIMESPEC.unpack(value)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()
