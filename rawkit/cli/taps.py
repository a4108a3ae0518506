"""What `rawkit capture` listens with: a receive ring an interface, and what each of them counted."""

from __future__ import annotations

import errno
import select
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import click

from rawkit.errors import InterfaceError, TimedOut
from rawkit.link import PacketRing, interfaces
from rawkit.pcap import Counts, Interface

__all__ = ["ANY", "Tap", "Taps", "names_of"]

ANY: Final = "any"
"""In place of a name: every interface that is up."""

LOOPBACK: Final = "lo"

BUFFER: Final = 64 * 1024 * 1024
SMALLEST_BUFFER: Final = 8 * 1024 * 1024
"""Bytes of all rings together, and of each of them at least, unless the user says otherwise."""


@dataclass
class Tap:
    """One interface that is listened on."""

    ring: PacketRing
    interface: Interface
    """As the capture file describes it."""
    start_ns: int
    captured: int = 0
    """Packets that were shown or written."""

    def counts(self) -> Counts:
        """What was counted up to now."""
        received, dropped = self.ring.statistics()
        return Counts(received, dropped, self.start_ns, time.time_ns())


class Taps:
    """All that is listened on. The descriptor is readable when one of them has something to say."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        filter: str | None,
        promiscuous: bool,
        snaplen: int,
        buffer_size: int | None,
        skip_unknown: bool,
    ) -> None:
        """Raises what `PacketRing` raises; with `skip_unknown` not for what cannot be listened on."""
        self.all: list[Tap] = []
        self.open: list[Tap] = []
        """Those whose interface is still there."""
        self.lost: InterfaceError | None = None
        """What became of the last one that is not."""
        size = buffer_size or max(BUFFER // len(names), SMALLEST_BUFFER)
        with ExitStack() as stack:
            self._poll = select.epoll()
            stack.callback(self._poll.close)
            for name in names:
                try:
                    ring = PacketRing(
                        name,
                        filter=filter,
                        promiscuous=promiscuous,
                        snaplen=snaplen,
                        size=size,
                        outgoing=name != LOOPBACK,  # where all that goes out comes in again
                    )
                except InterfaceError as error:
                    if not skip_unknown or error.errno not in (errno.EPROTONOSUPPORT, errno.ENETDOWN):
                        raise
                    click.echo(f"rawkit: left out: {error}", err=True)
                    continue
                stack.callback(ring.close)
                self._poll.register(ring.fileno(), select.EPOLLIN)
                interface = Interface(len(self.all), ring.link_type, snaplen, name)
                self.all.append(Tap(ring, interface, time.time_ns()))
            if not self.all:
                raise InterfaceError(errno.ENODEV, "capture", "no interface that can be listened on is up")
            self.open = list(self.all)
            self._stack = stack.pop_all()

    def fileno(self) -> int:
        return self._poll.fileno()

    @property
    def captured(self) -> int:
        """Packets that were shown or written."""
        return sum(tap.captured for tap in self.all)

    def take(self, take: Callable[[Tap], None]) -> bool:
        """Have what is there taken from each; whether there was anything, be it that an interface is gone."""
        found = False
        for tap in list(self.open):
            try:
                take(tap)
            except TimedOut:
                continue
            except InterfaceError as error:
                self._poll.unregister(tap.ring.fileno())
                self.open.remove(tap)
                self.lost = error
                if self.open:
                    click.echo(f"rawkit: {error}; going on without it", err=True)
            found = True
        return found

    def stop(self) -> None:
        """Let nothing more in: from here on `take` gives what came before, and then nothing."""
        for tap in self.open:
            tap.ring.stop()

    def report(self) -> str:
        """How many packets were captured, received and dropped: of each interface if there are several."""
        counts = [(tap, tap.counts()) for tap in self.all]
        lines = [
            f"{tap.interface.name}: {_words(tap.captured, count.received, count.dropped)}" for tap, count in counts
        ]
        total = _words(
            self.captured,
            sum(count.received for _, count in counts),
            sum(count.dropped for _, count in counts),
        )
        return "\n".join([*lines, total] if len(lines) > 1 else [total])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def names_of(wanted: Sequence[str]) -> list[str]:
    """The interfaces to listen on, each once: those named; `any` is all that are up, none the first of them."""
    up = [interface.name for interface in interfaces() if interface.state == "up"]
    if not wanted:
        wanted = [name for name in up if name != LOOPBACK][:1]
    names = [name for one in wanted for name in (up if one == ANY else [one])]
    if not names:
        raise click.UsageError("no interface is up; name one with -i (`rawkit interfaces` lists them)")
    return list(dict.fromkeys(names))


def _words(captured: int, received: int, dropped: int) -> str:
    return f"{captured} captured, {received} received, {dropped} dropped by the kernel"
