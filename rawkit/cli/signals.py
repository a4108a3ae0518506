"""Signals that end a command which must finish what it is doing: a record is written whole or not at all.

Python raises KeyboardInterrupt wherever the program happens to be, also between two bytes of a record. Within
`with StopSignals() as stop` the signals only set `stop.received` and wake `stop.wait`.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import termios
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Self

__all__ = ["STOPPING", "StopSignals", "forget_closed_terminal"]

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, what kill(1) sends, and what comes when the terminal is closed."""

GRACE: Final = 1.0
"""Seconds after the first signal, after which another one ends the process at once: it is stuck somewhere."""

NO_SIGNAL: Final = b"\0"


def forget_closed_terminal() -> None:
    """After SIGHUP: let what is still said to a terminal that was closed go nowhere; else it would be an error."""
    for descriptor in (1, 2):
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:  # a terminal, but closed; ENOTTY is for all else
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


class StopSignals:
    """Those signals as a fact that a loop looks at between its rounds. One that is ignored stays so.

    For what waits in a system call of its own, `then` is what wakes it. It is called from a thread: Python calls
    handlers between two instructions, so one for a signal that comes just before a call that waits for ever is
    called after that. Give privileges up before.
    """

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.received: signal.Signals | None = None
        """The first signal that came."""
        self._then = then
        self._thread: threading.Thread | None = None
        self._since = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def wait(self, descriptor: int | None = None, seconds: float | None = None) -> None:
        """Return when a signal came (before or now), `descriptor` is readable, or the seconds are over."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)

    def __enter__(self) -> Self:
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._woken_before = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in STOPPING:
            if (handler := signal.getsignal(number)) is not signal.SIG_IGN:
                self._before[number] = handler
                signal.signal(number, self._note)
        if self._then is not None:
            self._thread = threading.Thread(target=self._watch, args=[self._then], name="rawkit-signals")
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            # Once stopped, there is nothing left to interrupt but the end.
            signal.signal(number, handler if self.received is None else signal.SIG_IGN)
        signal.set_wakeup_fd(self._woken_before)
        if self._thread is not None:
            os.write(self._wake, NO_SIGNAL)
            self._thread.join()
        os.close(self._woken)
        os.close(self._wake)

    def _watch(self, then: Callable[[], None]) -> None:
        """Wait for one of the signals, whose number is in the pipe as soon as it comes (signal.set_wakeup_fd)."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        while poll.poll():
            numbers = os.read(self._woken, 512)
            if any(number in numbers for number in self._before):
                then()
                return
            if NO_SIGNAL in numbers:
                return

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            forget_closed_terminal()
        if self.received is None:
            self.received, self._since = signal.Signals(number), time.monotonic()
        elif time.monotonic() - self._since > GRACE:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
