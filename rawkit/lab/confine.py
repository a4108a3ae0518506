"""The student's command, and the bounds that it is held to."""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple

from rawkit.errors import FieldError, KernelError
from rawkit.netns import Confinement, Host
from rawkit.netns.listening import MOST_BYTES, MOST_FRAMES

__all__ = ["Bounds", "Outcome", "missing_in", "run_confined", "stopped_by"]

GLANCE: Final = 0.05
"""Seconds between two looks at what the command has used up."""

NICENESS: Final = 2
"""By which the command stands back behind those who watch it, were it to take every processor."""

MEBIBYTE: Final = 1024 * 1024

KEY_VARIABLE: Final = "RAWKIT_LAB_KEY"
"""Where the name of the file with the key for evidence may stand."""

FLOODED: Final = (
    f"it flooded the network: more than {MOST_FRAMES:,} frames or {MOST_BYTES // MEBIBYTE} MiB, or than could pass"
)
"""It makes no difference at which of these a recording has become incomplete."""


class Bounds(NamedTuple):
    """What a command may use; beyond that it is stopped, with everything that it started."""

    seconds: float = 10.0
    processes: int = 200
    output: int = MEBIBYTE
    """Bytes that it may write to its standard output."""
    disk: int = 256 * MEBIBYTE
    """Bytes by which the free space of its folder, or of one for temporary files, may shrink."""
    file: int = 64 * MEBIBYTE
    """Bytes of the largest file that it may write (RLIMIT_FSIZE in getrlimit(2))."""
    memory: int = 2048 * MEBIBYTE
    """Bytes of memory that its processes may have in all; each is held to that by the kernel (RLIMIT_DATA)."""
    spare: float = 0.05
    """Share of the machine's memory that must be left."""


class Outcome(NamedTuple):
    """How the command ended."""

    status: int | None
    """Its exit status, negative for a signal; None if it was stopped."""
    output: bytes
    seconds: float
    stopped: str
    """At which bound, or by what, in words; empty if it ended by itself."""
    signal: int = 0
    """Number of the signal to this process that stopped it, such as that of Ctrl-C."""


def stopped_by(stop: KeyboardInterrupt) -> tuple[str, int]:
    """Ctrl-C, or a signal that is raised as Ctrl-C is and tells its number, in words; and its number."""
    number = signal.Signals(stop.args[0] if stop.args else signal.SIGINT)
    return f"it was stopped by {'Ctrl-C' if number == signal.SIGINT else number.name}", number


def missing_in(stopped: str) -> str:
    """What is missing of what crossed the wire, if it was stopped at that bound."""
    return f"not all of it is recorded, since {stopped}" if stopped == FLOODED else ""


def run_confined(
    host: Host,
    command: Sequence[str],
    environment: Mapping[str, str],
    bounds: Bounds,
    *,
    is_flooded: Callable[[], bool] = lambda: False,
    show: BinaryIO | None = None,
) -> Outcome:
    """Run a command inside a host to its end, to one of the bounds, or to Ctrl-C; then nothing of it is left.

    It has no more privileges than what it does to packets and files takes, so that it cannot leave the host's
    network, also as root; its standard output is kept, and copied to `show`. Raises FieldError for a command that
    cannot be started, KernelError.
    """
    began = time.monotonic()
    kept, stopped, number = bytearray(), "", 0
    with Confinement(host, bounds.processes) as confinement:
        overstepped = partial(_overstepped, confinement, bounds, began, _free_space())
        process = _start(confinement, command, environment, bounds)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        with process.stdout as out, os.fdopen(os.pidfd_open(process.pid), "rb", 0) as end, select.epoll() as poll:
            poll.register(end, select.EPOLLIN)
            poll.register(out, select.EPOLLIN | select.EPOLLET)  # that it is closed is told once
            try:
                while not stopped and (end.fileno(), select.EPOLLIN) not in poll.poll(GLANCE):
                    stopped = _copy(out, kept, bounds.output, show) or overstepped()
                    if not stopped and is_flooded():
                        stopped = FLOODED
            except KeyboardInterrupt as stop:  # what was recorded is kept
                stopped, number = stopped_by(stop)
            seconds = time.monotonic() - began
            confinement.close()
            stopped = stopped or _copy(out, kept, bounds.output, show)
            status = process.wait()
            if status == -signal.SIGXFSZ:
                stopped = stopped or f"it wrote a file of more than {bounds.file // MEBIBYTE} MiB"
    return Outcome(None if stopped else status, bytes(kept), seconds, stopped, number)


def _start(
    confinement: Confinement, command: Sequence[str], environment: Mapping[str, str], bounds: Bounds
) -> subprocess.Popen[bytes]:
    def limit() -> None:
        os.nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.file, bounds.file))
        resource.setrlimit(resource.RLIMIT_DATA, (bounds.memory, bounds.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    try:
        return confinement.popen(
            command,
            limit,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=surroundings(environment),
            start_new_session=True,  # whatever signals it sends to its group are for itself
        )
    except KernelError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        what = f"a program that can be started ({error}); a file of Python is run by: -- python3 FILE"
        raise FieldError("lab", "command", command[0], what) from error


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a student's command: this one without what is not for students, and the exercise's."""
    return {**{name: value for name, value in os.environ.items() if name != KEY_VARIABLE}, **environment}


def _copy(out: IO[bytes], kept: bytearray, most: int, show: BinaryIO | None) -> str:
    """Keep what the command has written by now; at which bound it is stopped, if at one."""
    while data := out.read(65536):
        if show is not None:
            show.write(data)
            show.flush()
        kept += data
        if len(kept) > most:
            del kept[most:]
            return f"it wrote more than {most // MEBIBYTE} MiB"
    return ""


def _overstepped(confinement: Confinement, bounds: Bounds, began: float, free: Mapping[Path, int]) -> str:
    if time.monotonic() - began > bounds.seconds:
        return f"it took longer than {bounds.seconds:g} seconds"
    if confinement.has(bounds.processes):
        return f"it had {bounds.processes} processes"
    if confinement.takes(bounds.memory):
        return f"it took {bounds.memory // MEBIBYTE} MiB of memory"
    if confinement.memory_left() < bounds.spare:
        return "it left the machine almost no memory"
    now = _free_space()
    if any(now.get(path, 0) < before - bounds.disk for path, before in free.items()):
        return f"it filled {bounds.disk // MEBIBYTE} MiB of disk"
    return ""


def _free_space() -> dict[Path, int]:
    """Bytes free where a command may write."""
    found = {}
    for path in {Path.cwd(), Path.home(), Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/dev/shm")}:
        try:
            found[path] = shutil.disk_usage(path).free
        except OSError:  # there is none
            continue
    return found
