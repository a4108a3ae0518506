"""What a command writes, on its way to whoever looks on, who may be slow."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Self

from rawkit.lab.bounds import MEBIBYTE

__all__ = ["Printer", "Stream"]


class Printer:
    """Writes to descriptors in a thread of its own: a full pipe, or a terminal that is held, stops nobody else.

    At the end of the block it waits until all is written, unless that ends with an error. What cannot be written,
    because nobody reads any more, is dropped.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[int, bytes] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="rawkit-printer", daemon=True)
        self._thread.start()

    def write(self, descriptor: int, data: bytes) -> None:
        """Have this written, behind all that was given before."""
        self._waiting.put((descriptor, data))

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            with suppress(OSError):
                _write(*item)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        if error is None:
            self._thread.join()


class Stream:
    """The reading end of a pipe that a command writes to: what it wrote is kept, and printed to `show`, if any."""

    def __init__(self, pipe: IO[bytes], name: str, most: int, printer: Printer, show: int | None) -> None:
        self._pipe, self._name, self._most, self._printer, self._show = pipe, name, most, printer, show
        self.kept = bytearray()
        os.set_blocking(pipe.fileno(), False)

    def fileno(self) -> int:
        """For those who wait for more."""
        return self._pipe.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()

    def copy(self) -> str:
        """Take what was written by now; at which bound the command is to be stopped, if at one."""
        while data := self._pipe.read(65536):
            room = self._most - len(self.kept)
            self.kept += data[:room]
            if self._show is not None:
                self._printer.write(self._show, data[:room])
            if len(data) > room:
                return f"it wrote more than {self._most // MEBIBYTE} MiB to its {self._name}"
        return ""


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # whoever shares the descriptor has it not wait
            select.select([], [descriptor], [])
