"""What a student's command may use, and whether it keeps to that."""

from __future__ import annotations

import errno
import math
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rawkit.netns import Confinement
from rawkit.netns.listening import MOST_BYTES, MOST_FRAMES
from rawkit.netns.usage import machine_memory, machine_threads

__all__ = ["FLOODED", "MEBIBYTE", "Bounds", "Watch", "missing_in"]

MEBIBYTE: Final = 1024 * 1024

FLOODED: Final = (
    f"it flooded the network: more than {MOST_FRAMES:,} frames or {MOST_BYTES // MEBIBYTE} MiB, or than could pass"
)
"""It makes no difference at which of these a recording has become incomplete."""

CLOCK_REALTIME_COARSE: Final = 5  # <linux/time.h>: what files are stamped with

PATIENCE: Final = 0.5
"""Seconds that a look at all files of a folder may take."""


PAUSE: Final = 1.0
"""Seconds after which what is surely the command's own is measured again, whatever the machine has left."""

WORTH: Final = 20
"""How many times as long as measuring took it is not done again."""


class Bounds(NamedTuple):
    """What a command may use; beyond that it is stopped, with everything that it started."""

    seconds: float = 10.0
    processes: int = 200
    """Processes and threads, together."""
    output: int = MEBIBYTE
    """Bytes that it may write to its standard output, and as many to its standard error."""
    disk: int = 256 * MEBIBYTE
    """Bytes that it may write to files in its working folder."""
    files: int = 10_000
    """Files that it may make there."""
    file: int = 64 * MEBIBYTE
    """Bytes of the largest file that it may write (RLIMIT_FSIZE in getrlimit(2))."""
    memory: int = 2048 * MEBIBYTE
    """Bytes of memory that its processes may have in all; each is held to that by the kernel (RLIMIT_DATA)."""
    spare: float = 0.05
    """Share of the machine's memory that must be left, as far as it is for this command to leave it."""
    share: float = 0.25
    """Share of the machine's memory that its processes have if so."""

    def __str__(self) -> str:
        """Those that hold for a person's shell, too."""
        return (
            f"{self.processes} processes and threads, {self.memory // MEBIBYTE} MiB of memory, "
            f"{self.disk // MEBIBYTE} MiB and {self.files:,} files in the working folder, "
            f"{self.file // MEBIBYTE} MiB a file, "
            f"{MOST_FRAMES:,} frames or {MOST_BYTES // MEBIBYTE} MiB on the network"
        )


class Watch:
    """Looks at a command again and again, from before it starts: what it has used by now."""

    def __init__(self, confinement: Confinement, bounds: Bounds, is_flooded: Callable[[], bool]) -> None:
        self._confinement, self._bounds, self._is_flooded = confinement, bounds, is_flooded
        self._began = time.monotonic()
        folder = _Folder(confinement)
        self._gauges = {
            f"it had {bounds.processes} processes and threads": _Gauge(
                lambda: -machine_threads(), lambda: confinement.count(bounds.processes), bounds.processes, PAUSE
            ),
            f"it took {bounds.memory // MEBIBYTE} MiB of memory": _Gauge(
                lambda: machine_memory("MemAvailable"), confinement.memory, bounds.memory, PAUSE
            ),
            f"it filled {bounds.disk // MEBIBYTE} MiB of disk": _Gauge(
                folder.free, folder.written, bounds.disk, math.inf
            ),
            f"it made {bounds.files:,} files": _Gauge(folder.free_files, folder.made, bounds.files, math.inf),
        }

    @property
    def seconds(self) -> float:
        """How long it has been."""
        return time.monotonic() - self._began

    def overstepped(self) -> str:
        """At which bound the command is to be stopped now, in words; empty if at none."""
        if self.seconds > self._bounds.seconds:
            return f"it took longer than {self._bounds.seconds:g} seconds"
        frames, size = self._confinement.traffic()
        if frames > MOST_FRAMES or size > MOST_BYTES or self._is_flooded():
            return FLOODED
        for words, gauge in self._gauges.items():
            if gauge.is_full():
                return words
        return "it left the machine almost no memory" if self._starves_the_machine() else ""

    def _starves_the_machine(self) -> bool:
        total = machine_memory("MemTotal")
        if machine_memory("MemAvailable") >= total * self._bounds.spare:
            return False
        return self._confinement.memory() >= total * self._bounds.share


class _Gauge:
    """Whether a command has used so much of something.

    What it uses is measured once the whole machine has so much less left, which costs nothing to know; and after
    each `pause`, since others may have given back what it took.
    """

    def __init__(self, left: Callable[[], int], used: Callable[[], int], most: int, pause: float) -> None:
        self._left, self._used, self._most, self._pause = left, used, most, pause
        self._before = left()
        self._next = time.monotonic() + pause

    def is_full(self) -> bool:
        left = self._left()
        self._before = max(self._before, left)
        began = time.monotonic()
        if self._before - left < self._most and began < self._next:
            return False
        try:
            used = self._used()
        except OSError:  # no honest program has files where they cannot be looked at
            return True
        self._before = left + used  # the rest was others'
        now = time.monotonic()
        self._next = now + max(self._pause, WORTH * (now - began))
        return used >= self._most


class _Folder:
    """The working folder: what is free there, and what a command has written there since this was made."""

    def __init__(self, confinement: Confinement) -> None:
        self._confinement = confinement
        self._device = Path().stat().st_dev
        self._since = time.clock_gettime_ns(CLOCK_REALTIME_COARSE)

    def free(self) -> int:
        found = os.statvfs(".")
        return found.f_bavail * found.f_frsize

    def free_files(self) -> int:
        return os.statvfs(".").f_favail

    def written(self) -> int:
        """Bytes of the files that changed, and of those without a name any more."""
        changed = {file.st_ino: file.st_blocks * 512 for file in self._changed()}
        return sum(changed.values()) + self._confinement.unlinked(self._device)

    def made(self) -> int:
        return sum(1 for _ in self._changed())

    def _changed(self) -> Iterator[os.stat_result]:
        """What changed on this file system, as far as it is found in time. Raises OSError for too long a path."""
        deadline = time.monotonic() + PATIENCE
        folders = ["."]
        while folders:
            with _gone_or_another_s(), os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if time.monotonic() > deadline:
                        return
                    with _gone_or_another_s():
                        file = entry.stat(follow_symlinks=False)
                        if file.st_dev != self._device:
                            continue
                        if stat.S_ISDIR(file.st_mode):
                            folders.append(entry.path)
                        if file.st_ctime_ns >= self._since:
                            yield file


@contextmanager
def _gone_or_another_s() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise


def missing_in(stopped: str) -> str:
    """What is missing of what crossed the wire, if it was stopped at that bound."""
    return f"not all of it is recorded, since {stopped}" if stopped == FLOODED else ""
