"""What the whole machine has left, which costs nothing to know, and what some processes have of it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

__all__ = [
    "is_ending",
    "machine_memory",
    "machine_threads",
    "memory_of",
    "processes_beside",
    "threads_of",
    "unlinked_files",
]

PATIENCE: Final = 0.5
"""Seconds in which all processes of a machine can be looked at, unless they are too many."""

PF_EXITING: Final = 4  # <linux/sched.h>


def machine_threads() -> int:
    """How many there are: behind the slash in /proc/loadavg (proc_loadavg(5))."""
    return int(Path("/proc/loadavg").read_text().split("/")[1].split()[0])


def machine_memory(name: str) -> int:
    """Bytes of memory: such as MemAvailable, what programs can have yet (proc_meminfo(5))."""
    return _sizes(Path("/proc/meminfo"))[name]


def processes_beside(process: int) -> Iterator[Path]:
    """The folders in /proc of all processes in that one's PID namespace, itself among them.

    Raises TimeoutError where they have no end, as processes come while they are listed.
    """
    own = _pid_namespace(Path("/proc", str(process)))
    deadline = time.monotonic() + PATIENCE
    with os.scandir("/proc") as entries:
        for entry in entries:
            if time.monotonic() > deadline:
                raise TimeoutError
            if own and entry.name.isdecimal() and _pid_namespace(Path(entry)) == own:
                yield Path(entry)


def threads_of(process: Path) -> int:
    """How many a process has; 0 if it is gone."""
    try:
        return (process / "task").stat().st_nlink - 2  # as of any folder: itself, its name, and what is in it
    except OSError:
        return 0


def is_ending(process: int) -> bool:
    """Whether a process has begun to end, or is gone (proc_pid_stat(5))."""
    try:
        state = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return True
    return bool(int(state[6]) & PF_EXITING)


def memory_of(processes: Iterable[Path]) -> int:
    """Bytes of memory that these processes have together: of what they share with others, their part.

    Files in memory that have no name (memfd_create(2), MAP_ANONYMOUS | MAP_SHARED) are counted whole, also where
    none of it is mapped now.
    """
    private = shared = 0
    nameless: dict[tuple[int, int], int] = {}
    with suppress(TimeoutError):
        for process in processes:
            with suppress(OSError):  # it is gone
                sizes = _sizes(process / "smaps_rollup")
                private += sizes.get("Pss_Anon", 0)
                shared += sizes.get("Pss_Shmem", 0)
            nameless |= unlinked_files(process, _memory_device())
    return private + max(shared, sum(nameless.values()))


def unlinked_files(process: Path, device: int) -> dict[tuple[int, int], int]:
    """Bytes of the files on that device that have no name any more, and that the process has open or mapped."""
    found = {}
    for folder in (process / "fd", process / "map_files"):
        with suppress(OSError):  # it is gone; or this user may not see what is mapped
            for entry in folder.iterdir():
                with suppress(OSError):
                    file = entry.stat()
                    if file.st_dev == device and file.st_nlink == 0 and stat.S_ISREG(file.st_mode):
                        found[file.st_dev, file.st_ino] = file.st_blocks * 512
    return found


@cache
def _memory_device() -> int:
    """Where files are that are in memory and never had a name."""
    descriptor = os.memfd_create("rawkit")
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


def _sizes(file: Path) -> dict[str, int]:
    """Bytes by their names, of a file in /proc whose lines are such as `Name:  12 kB`."""
    words = (line.split() for line in file.read_text().splitlines())
    return {each[0].rstrip(":"): int(each[1]) * 1024 for each in words if each[-1] == "kB"}


def _pid_namespace(process: Path) -> int:
    """The number of a process's PID namespace; 0 if it is gone, or another user's."""
    try:
        return (process / "ns/pid").stat().st_ino
    except OSError:
        return 0
