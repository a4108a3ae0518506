"""Standard output as people and programs expect it: colour on terminals only, lines at the right time."""

from __future__ import annotations

import math
import os
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from typing import BinaryIO, TextIO

__all__ = ["Lines", "Outlet", "Progress", "WatchedInput", "colour_wanted", "count_of"]

BATCH = 512
"""Lines that are written together where nobody watches."""

PATIENCE = 0.1
"""Seconds that a line waits for others at the most."""

ROOM = 1024
"""Batches of lines that may wait for somebody to read them."""

GRACE = 1.0
"""Seconds that a reader has in the end."""


def colour_wanted(stream: TextIO | None = None) -> bool:
    """Whether the stream is a terminal that shows colours, and NO_COLOR (https://no-color.org) is not set."""
    shown: TextIO = sys.stdout if stream is None else stream
    return shown.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Lines:
    """Standard output, line by line: at once on a terminal, in batches elsewhere, the first line never late.

    Another stream, standard error, takes its place where standard output is for bytes.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._waiting: list[str] = []
        self._most = 1 if self._stream.isatty() else BATCH
        self._written = -PATIENCE

    def write(self, line: str) -> None:
        """Print a line, soon."""
        self._waiting.append(line)
        if len(self._waiting) >= self._most or time.monotonic() - self._written > PATIENCE:
            self.flush()

    @property
    def watched(self) -> bool:
        """Whether a person looks on, line by line."""
        return self._most == 1

    def tell(self, what: object) -> None:
        """Say something on standard error, behind the lines that were to come before it."""
        self.flush()
        print(f"rawkit: {what}", file=sys.stderr)

    def flush(self) -> None:
        """Print what waits. Raises BrokenPipeError when nobody reads any more."""
        if self._waiting:
            text = "\n".join([*self._waiting, ""])
            self._waiting.clear()  # first, lest Ctrl-C in the midst of writing has them written twice
            self._stream.write(text)
            self._stream.flush()
            self._written = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, BrokenPipeError):
            self.flush()


class Outlet:
    """Lines for somebody who may not read them, from one who cannot wait: a thread writes them.

    Of what does not fit, as many lines are dropped as `dropped` says. The thread starts with the first line; give
    privileges up before that. Raises BrokenPipeError from `offer` once nobody reads any more.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.dropped = 0
        self._stream = sys.stdout if stream is None else stream
        self._stream.flush()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(ROOM)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._write, name="rawkit-outlet", daemon=True)

    def offer(self, lines: list[str]) -> None:
        """Have the lines written, soon; or none of them, if too many wait already."""
        if self._error is not None:
            raise self._error
        if self._thread.ident is None:
            self._thread.start()
        try:
            self._waiting.put_nowait("".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"))
        except queue.Full:
            self.dropped += len(lines)

    def close(self) -> None:
        """Wait until all is written, but for a moment only: a reader that reads nothing is not waited for."""
        if self._thread.ident is not None:
            with suppress(queue.Full):
                self._waiting.put(None, timeout=PATIENCE)
            self._thread.join(GRACE)

    def _write(self) -> None:
        # Signals are for the thread that waits for clients: its call has to be interrupted.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        # By write(2): a thread that hangs in Python's buffer would have the interpreter hang at its end.
        descriptor = self._stream.fileno()
        while (text := self._waiting.get()) is not None:
            try:
                while text:
                    text = text[os.write(descriptor, text) :]
            except OSError as error:
                self._error = error
                return


class Progress:
    """A count that grows on standard error while something takes its time; nothing where that is no terminal."""

    def __init__(self, noun: str, done: str, *, wanted: bool = True) -> None:
        self._noun, self._done = noun, done
        self._told = 0
        self._shown = time.monotonic() if wanted and sys.stderr.isatty() else math.inf

    def show(self, count: int) -> None:
        """Show the count, unless another was shown a moment ago."""
        if time.monotonic() - self._shown > PATIENCE:
            print(f"\r{count_of(count, self._noun)} {self._done}", end="", file=sys.stderr, flush=True)
            self._told, self._shown = count, time.monotonic()

    def pause(self, count: int) -> float | None:
        """Show the count now that there is nothing to do; returns the seconds after which to call again."""
        if self._shown == math.inf or self._told == count:
            return None
        self.show(count)
        return None if self._told == count else PATIENCE

    def clear(self) -> None:
        """Make room for another line."""
        if self._shown != math.inf:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()


def count_of(number: int, noun: str) -> str:
    """Such as `1 packet`, `2 packets`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class WatchedInput:
    """A file to read that calls `before_waiting` when there is nothing to read yet (a pipe, being idle)."""

    def __init__(self, file: BinaryIO | FileIO, name: str, before_waiting: Callable[[], None]) -> None:
        self.name = name
        self._descriptor = file.fileno()
        self._before_waiting = before_waiting

    def read(self, count: int) -> bytes:
        """At most `count` bytes, as soon as there are any."""
        if not select.select([self._descriptor], [], [], 0)[0]:
            self._before_waiting()
        return os.read(self._descriptor, count)
