"""Ending a command that runs on: a signal is noted and waited for, and never tears a write apart."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import Protocol

__all__ = ["Stopping"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Waitable(Protocol):
    """Whatever a selector can wait for."""

    def fileno(self) -> int: ...


class Stopping:
    """Ctrl-C and SIGTERM as something to wait for.

    Within the block the first of them only makes `wait` return False. The second does what it always does, so
    that a command can be ended that is stuck in a write.
    """

    def __enter__(self) -> Stopping:
        self._readable, self._writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = signal.set_wakeup_fd(self._writable, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def wait(self, what: Waitable | None = None, seconds: float | None = None) -> bool:
        """Wait for `what`, at most for `seconds`; False if a signal ends it all."""
        waited_for = [self._readable] if what is None else [self._readable, what.fileno()]
        return self._readable not in select.select(waited_for, [], [], seconds)[0]

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._readable)
        os.close(self._writable)
