"""Questions without numbers: an answer does not say which of them it is for, and may come late, or twice.

So what was asked and not answered is remembered for a while. An answer that fits an earlier question and not the
last one is late. One that fits both leaves in doubt how long it took (Karn's algorithm, RFC 6298, section 3).
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Final, NamedTuple

from rawkit.echo.endpoint import Client, Received
from rawkit.errors import TimedOut

__all__ = ["UnnumberedClient"]

LATE: Final = 5.0
"""Seconds in which an answer may still come."""


class _Question(NamedTuple):
    data: bytes
    forgotten_at: float


class UnnumberedClient(Client):
    """Asks by messages that are all alike."""

    retries: int = 0
    """How often a question is sent again that stays unanswered."""
    resent: int = 0
    """How often one was."""
    _open: tuple[_Question, ...] = ()

    @abstractmethod
    def take_waiting(self) -> Iterator[Received]:
        """What has come and was not received yet."""

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the message until an answer comes, at most 1 + `retries` times, and yield it."""
        self._open = tuple(each for each in self._open if each.forgotten_at > time.monotonic())
        self.doubtful = any(each.data == data for each in self._open)
        for attempts_left in range(self.retries, -1, -1):
            self.send(data)
            self._open += (_Question(data, time.monotonic() + LATE),)
            try:
                yield self._answer(data, size)
            except TimedOut:
                if not attempts_left:
                    raise
                self.resent += 1
                self.doubtful = True
            else:
                return

    def wait(self, seconds: float) -> None:
        """What comes meanwhile, nobody has waited for."""
        super().wait(seconds)
        for received in self.take_waiting():
            self.stray += 1
            self._close(received.data, len(received.data))

    def _answer(self, data: bytes, size: int) -> Received:
        """What comes that is no late answer. The time is as long for each, of which there are but a few."""
        while True:
            received = self.receive(size)
            is_late = received.data != data[:size] and self._close(received.data, size)
            if not is_late:
                self._close(data, size)
                return received
            self.stray += 1

    def _close(self, answer: bytes, size: int) -> bool:
        """Take the oldest question that has this answer from those that are open; whether there was one."""
        for number, each in enumerate(self._open):
            if each.data[:size] == answer[:size]:
                self._open = self._open[:number] + self._open[number + 1 :]
                return True
        return False
