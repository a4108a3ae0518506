"""Standard output as people and programs expect it: colour on terminals only, lines at the right time."""

from __future__ import annotations

import math
import os
import select
import sys
import time
from collections.abc import Callable
from io import FileIO
from typing import BinaryIO

__all__ = ["Lines", "Progress", "WatchedInput", "colour_wanted"]

BATCH = 512
"""Lines that are written together where nobody watches."""

PATIENCE = 0.1
"""Seconds that a line waits for others at the most."""


def colour_wanted() -> bool:
    """Whether standard output is a terminal that shows colours, and NO_COLOR (https://no-color.org) is not set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Lines:
    """Standard output, line by line: at once on a terminal, in batches elsewhere, the first line never late."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._most = 1 if sys.stdout.isatty() else BATCH
        self._written = -PATIENCE

    def write(self, line: str) -> None:
        """Print a line, soon."""
        self._waiting.append(line)
        if len(self._waiting) >= self._most or time.monotonic() - self._written > PATIENCE:
            self.flush()

    def flush(self) -> None:
        """Print what waits. Raises BrokenPipeError when nobody reads any more."""
        if self._waiting:
            self._waiting.append("")
            sys.stdout.write("\n".join(self._waiting))
            self._waiting.clear()
            sys.stdout.flush()
            self._written = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, BrokenPipeError):
            self.flush()


class Progress:
    """A count that grows on standard error while something takes its time; nothing where that is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = time.monotonic() if sys.stderr.isatty() else math.inf

    def show(self, count: int) -> None:
        """Show the count, unless it was shown a moment ago."""
        if time.monotonic() - self._shown > PATIENCE:
            print(f"\r{count} {self._what}", end="", file=sys.stderr, flush=True)
            self._shown = time.monotonic()

    def clear(self) -> None:
        """Make room for another line."""
        if self._shown != math.inf:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()


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
