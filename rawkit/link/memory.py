"""The in-memory twin of the sockets: a link between ends in one process, for tests without privileges."""

from __future__ import annotations

import errno
import os
import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from types import TracebackType
from typing import Self

from rawkit.errors import TimedOut, kernel_error
from rawkit.link._socket import deadline_of, is_over, payload, wait
from rawkit.link.frame import Frame, Sendable
from rawkit.pcap.bpf import Program
from rawkit.pcap.filter import compile_filter
from rawkit.wire.link_type import LinkType

__all__ = ["MemoryEnd", "MemoryLink"]

_LINK_HEADER = {LinkType.ETHERNET: 14}
_SHORTEST = {LinkType.ETHERNET: 14, LinkType.IPV4: 20, LinkType.IPV6: 40}


class MemoryLink:
    """A link in memory: what one end sends, every other end receives, in order and unchanged.

        with MemoryLink() as link:
            a, b = link.ends("a", "b")
            a.send(frame)
            assert b.receive(timeout=1).data == frame

    It refuses what the kernel refuses: frames shorter than the header of its link type (EINVAL), longer than
    its MTU and link-layer header (EMSGSIZE), and the use of a closed end (EBADF). It reads no header, so
    every frame is INCOMING, whoever it is addressed to, and it fills nothing in, as a raw socket would. No
    frame is dropped. `clock` gives the time of each frame in nanoseconds. Sending and receiving from several
    threads is safe.
    """

    def __init__(
        self,
        link_type: LinkType = LinkType.ETHERNET,
        *,
        mtu: int = 1500,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.link_type = link_type
        self.mtu = mtu
        self.clock = clock
        self._ends: list[MemoryEnd] = []

    def ends(self, *names: str, filter: str | None = None) -> tuple[MemoryEnd, ...]:
        """Add ends, in the order of their names, which their frames carry as `interface`.

        They receive what `filter`, in tcpdump's language, lets pass. Raises FilterError.
        """
        program = None if filter is None else compile_filter(filter, self.link_type)
        new = tuple(MemoryEnd(self, name, program) for name in names)
        self._ends.extend(new)
        return new

    def deliver(self, data: bytes, sender: MemoryEnd) -> None:
        """Queue a frame at every end but the sender's. Raises KernelError (EINVAL, EMSGSIZE)."""
        doing = f"send {len(data)} bytes on {sender.interface}"
        if len(data) < _SHORTEST.get(self.link_type, 0):
            raise kernel_error(OSError(errno.EINVAL, ""), doing)
        if len(data) > self.mtu + _LINK_HEADER.get(self.link_type, 0):
            raise kernel_error(OSError(errno.EMSGSIZE, ""), doing)
        now = self.clock()
        for end in self._ends:
            if end is not sender:
                end.queue(Frame(data, now, len(data), self.link_type, end.interface))

    def close(self) -> None:
        """Close every end. Closing twice is no error."""
        for end in self._ends:
            end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MemoryEnd:
    """One end of a `MemoryLink`, in the place of a `PacketSocket` or a raw socket."""

    def __init__(self, link: MemoryLink, interface: str, program: Program | None = None) -> None:
        self.interface = interface
        self.link_type = link.link_type
        self._link = link
        self._program = program
        self._frames: deque[Frame] = deque()
        # Counts the frames that wait, and is readable while there is one: what a selector needs.
        self._waiting = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK | os.EFD_SEMAPHORE)

    def send(self, data: Sendable, destination: str | IPv4Address | IPv6Address | None = None) -> None:
        """Put one frame on the link. `destination` is there for the raw sockets' sake: all ends receive it.

        Raises KernelError (EINVAL, EMSGSIZE, EBADF).
        """
        self._must_be_open(f"send on {self.interface}")
        self._link.deliver(bytes(payload(data)), self)

    def send_many(self, frames: Sequence[Sendable]) -> None:
        """Put frames on the link in order. Raises what `send` raises."""
        for frame in frames:
            self.send(frame)

    def receive(self, timeout: float | None = None) -> Frame:
        """The next frame, after at most `timeout` seconds (None: for ever, 0: only if it is there already).

        Raises TimedOut, FieldError for a `timeout` that is no number, KernelError (EBADF).
        """
        doing = f"receive on {self.interface}"
        self._must_be_open(doing)
        deadline = deadline_of(timeout)
        while True:
            try:
                os.eventfd_read(self._waiting)
            except BlockingIOError:
                if not wait(self._waiting, select.POLLIN, deadline) and is_over(deadline):
                    raise TimedOut(doing, timeout or 0) from None
            else:
                return self._frames.popleft()

    def queue(self, frame: Frame) -> None:
        """Let this end receive a frame, if its filter does; a closed end loses it."""
        if self._program is not None and not self._program.run(frame.data, frame.wire_length):
            return
        if self._waiting >= 0:
            self._frames.append(frame)
            os.eventfd_write(self._waiting, 1)

    def fileno(self) -> int:
        """The file descriptor that is readable while a frame waits; -1 when closed."""
        return self._waiting

    def close(self) -> None:
        """Give the descriptor back. Closing twice is no error."""
        descriptor, self._waiting = self._waiting, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _must_be_open(self, doing: str) -> None:
        if self._waiting < 0:
            raise kernel_error(OSError(errno.EBADF, ""), doing)
