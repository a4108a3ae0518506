"""Connect scan: the kernel's own connections, for users without privileges (connect(2), RFC 9293, section 3.5)."""

from __future__ import annotations

import errno
import random
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from rawkit.errors import kernel_error
from rawkit.probe.scan import PortState, State

__all__ = ["connect_scan"]

WINDOW: Final = 256
"""Connections that are tried at a time; a user may have some more files open."""

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
    waiting = list(dict.fromkeys(ports))
    random.Random(seed).shuffle(waiting)
    todo = deque(waiting)
    poll = select.epoll()
    open_: dict[int, tuple[socket.socket, int, float]] = {}
    next_at = time.monotonic()
    try:
        while todo or open_:
            now = time.monotonic()
            while todo and len(open_) < WINDOW and now >= next_at:
                next_at = max(next_at + (1 / rate if rate else 0), now - 1) if rate else now
                port = todo.popleft()
                attempt, result = _begin(destination, port)
                if result != errno.EINPROGRESS:
                    attempt.close()
                    yield _state(destination, port, result)
                    continue
                poll.register(attempt, select.EPOLLOUT)
                open_[attempt.fileno()] = attempt, port, now + timeout
            pause = min((deadline for _, _, deadline in open_.values()), default=next_at) - now
            for descriptor, _ in poll.poll(max(min(pause, 0.05), 0)):
                attempt, port, _ = open_.pop(descriptor)
                poll.unregister(descriptor)
                result = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                attempt.close()
                yield _state(destination, port, result)
            now = time.monotonic()
            for descriptor in [each for each, (_, _, deadline) in open_.items() if deadline <= now]:
                attempt, port, _ = open_.pop(descriptor)
                poll.unregister(descriptor)
                attempt.close()
                yield _state(destination, port, errno.ETIMEDOUT)
    finally:
        for attempt, _, _ in open_.values():
            attempt.close()
        poll.close()


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
