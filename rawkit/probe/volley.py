"""A volley: one question to thousands of ports of a host, as fast as the wire takes it.

Where an exchange keeps a record of each question, a volley keeps which values are still open: its frames come
from a template. They leave from a thread of their own, since the kernel is what takes the
time, while the answers are read.
"""

from __future__ import annotations

import select
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

from rawkit.link import Direction, Frame
from rawkit.probe.port import Channel, KernelPort

__all__ = ["Volley"]

V = TypeVar("V")

BATCH: Final = 256
"""Frames that are handed to the kernel at a time."""

TICK: Final = 0.002
"""Seconds between two batches where a rate is to be kept."""

SWITCH_SECONDS: Final = 0.0002
"""How long the thread that reads may keep the one that sends waiting, where Python's 5 ms would leave gaps."""

LEAST_PATIENCE: Final = 0.1
"""Seconds that are waited for answers at the least, however near the host is."""

ROUND_TRIPS: Final = 20
"""How many times the longest way to an answer so far is waited for one more."""


class Volley(Generic[V]):
    """Questions that differ in one value, and what answers them.

    They leave by `channel`. `frames` makes them of values, and `read` says which value a received frame is about,
    and what it says of it; None where it is about none.
    """

    def __init__(
        self,
        port: KernelPort,
        channel: Channel,
        frames: Callable[[Sequence[int]], Iterable[bytes]],
        read: Callable[[Frame], tuple[int, V] | None],
    ) -> None:
        self._port, self._channel, self._frames, self._read = port, channel, frames, read

    def fire(
        self, values: Sequence[int], *, rate: float | None = None, timeout: float = 1.0, patient: bool = False
    ) -> Iterator[tuple[int, V]]:
        """Ask all, and give what answers each, once, as it comes.

        Ends when all are answered, or when nothing came for as long as answers took so far, many times over, and
        `timeout` seconds at the most; if `patient`, not before. Raises what sending raises.
        """
        open_values, read = set(values), self._read
        sender = _Sender(self._channel, self._frames(values), rate)
        started = time.monotonic()
        longest = 0.0
        with sender:
            heard = started
            while open_values:
                answered = False
                for frame in self._port.receive():
                    if frame.direction is Direction.OUTGOING:
                        continue
                    found = read(frame)
                    if found is not None and found[0] in open_values:
                        open_values.remove(found[0])
                        answered = True
                        yield found
                if not open_values:
                    break
                now = time.monotonic()
                if answered:
                    longest = max(longest, now - max(heard, sender.last))
                    heard = now
                if sender.done:
                    near = longest and not patient
                    patience = min(timeout, max(LEAST_PATIENCE, ROUND_TRIPS * longest)) if near else timeout
                    left = max(heard, sender.last) + patience - now
                    if left <= 0:
                        break
                    select.select([self._port.fileno()], [], [], left)
                elif not answered:
                    select.select([self._port.fileno()], [], [], TICK)
        sender.check()


class _Sender:
    """A thread that sends frames, at a rate if there is one."""

    def __init__(self, channel: Channel, frames: Iterable[bytes], rate: float | None) -> None:
        self._channel, self._frames, self._rate = channel, iter(frames), rate
        self.done = False
        self.last = time.monotonic()
        """When the last batch left."""
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="rawkit-volley", daemon=True)

    def check(self) -> None:
        """Raise what sending raised."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the thread that asked
            self._error = error
        self.done = True

    def _send(self) -> None:
        started, sent = time.monotonic(), 0
        while not self._stop.is_set():
            due = BATCH
            if self._rate is not None:
                ahead = sent / self._rate - (time.monotonic() - started)
                if ahead > 0:
                    self._stop.wait(max(ahead, TICK))
                    continue
                due = max(1, min(BATCH, int(-ahead * self._rate)))
            batch = list(islice(self._frames, due))
            if not batch:
                return
            self._channel.send_frames(batch)
            sent += len(batch)
            self.last = time.monotonic()

    def __enter__(self) -> None:
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        sys.setswitchinterval(self._interval)
