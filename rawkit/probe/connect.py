"""Connect scan: the kernel's own connections, for users without privileges (connect(2), RFC 9293, section 3.5)."""

from __future__ import annotations

import errno
import random
import select
import socket
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from rawkit.errors import kernel_error
from rawkit.probe.scan import PortState, State

__all__ = ["connect_scan"]

WINDOW: Final = 256
"""Connections that are tried at a time; a user may have some more files open."""

BEHIND_SECONDS: Final = 0.01
"""How far behind its rate a scan may be and still catch up."""

LONGEST_PAUSE: Final = 0.05
"""Seconds after which the times are looked at again."""

REASONS: Final = {
    0: (State.OPEN, "syn-ack"),
    errno.ECONNREFUSED: (State.CLOSED, "conn-refused"),
    errno.ETIMEDOUT: (State.FILTERED, "no-response"),
    errno.EHOSTUNREACH: (State.FILTERED, "host-unreach"),
    errno.ENETUNREACH: (State.FILTERED, "net-unreach"),
    errno.ENOPROTOOPT: (State.FILTERED, "proto-unreach"),
    errno.EACCES: (State.FILTERED, "admin-prohibited"),
}


def connect_scan(
    destination: IPv4Address | IPv6Address,
    ports: Sequence[int],
    *,
    rate: float | None = None,
    timeout: float = 1.0,
    seed: int = 0,
) -> Iterator[PortState]:
    """The state of each port, as it is known. Every connection is closed at once.

    Raises KernelError where the kernel makes no sockets any more.
    """
    todo = list(dict.fromkeys(ports))
    random.Random(seed).shuffle(todo)
    todo.reverse()  # taken from the end
    attempts = _Attempts(destination, timeout)
    next_at = time.monotonic()
    try:
        while todo or attempts.open:
            now = time.monotonic()
            while todo and len(attempts.open) < WINDOW and now >= next_at:
                if rate:
                    next_at = max(next_at + 1 / rate, now - BEHIND_SECONDS)
                yield from attempts.begin(todo.pop())
            yield from attempts.ended(next_at if todo else now + timeout)
    finally:
        attempts.close()


class _Attempts:
    """Connections that are being made."""

    def __init__(self, destination: IPv4Address | IPv6Address, timeout: float) -> None:
        self._destination, self._timeout = destination, timeout
        self._poll = select.epoll()
        self.open: dict[int, tuple[socket.socket, int, float]] = {}

    def begin(self, port: int) -> Iterator[PortState]:
        """Begin one; its state, if that is known at once."""
        attempt, result = _begin(self._destination, port)
        if result != errno.EINPROGRESS:
            attempt.close()
            yield _state(self._destination, port, result)
            return
        self._poll.register(attempt, select.EPOLLOUT)
        self.open[attempt.fileno()] = attempt, port, time.monotonic() + self._timeout

    def ended(self, until: float) -> Iterator[PortState]:
        """The states of those that end, or have no time left; returns at that time at the latest."""
        first = min((deadline for _, _, deadline in self.open.values()), default=until)
        pause = max(min(first, until, time.monotonic() + LONGEST_PAUSE) - time.monotonic(), 0)
        for descriptor, _ in self._poll.poll(pause):
            yield self._end(descriptor, None)
        now = time.monotonic()
        for descriptor in [each for each, (_, _, deadline) in self.open.items() if deadline <= now]:
            yield self._end(descriptor, errno.ETIMEDOUT)

    def _end(self, descriptor: int, result: int | None) -> PortState:
        attempt, port, _ = self.open.pop(descriptor)
        self._poll.unregister(descriptor)
        if result is None:
            result = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        attempt.close()
        return _state(self._destination, port, result)

    def close(self) -> None:
        """Give up those that are left."""
        for attempt, _, _ in self.open.values():
            attempt.close()
        self._poll.close()


def _begin(destination: IPv4Address | IPv6Address, port: int) -> tuple[socket.socket, int]:
    """A connection that is being made, and what connect(2) says of it so far."""
    family = socket.AF_INET if destination.version == 4 else socket.AF_INET6
    try:
        attempt = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise kernel_error(error, f"connect to port {port}") from error
    return attempt, attempt.connect_ex((str(destination), port))


def _state(destination: IPv4Address | IPv6Address, port: int, result: int) -> PortState:
    state, reason = REASONS.get(result, (State.FILTERED, errno.errorcode.get(result, str(result)).lower()))
    return PortState(destination, port, state, reason)
