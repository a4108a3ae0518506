"""The student's command, within its bounds."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from rawkit.errors import FieldError, KernelError
from rawkit.lab.bounds import MEBIBYTE, Bounds, Watch
from rawkit.lab.state import desks
from rawkit.lab.streams import Printer, Stream
from rawkit.netns import Confinement, Host

__all__ = ["Outcome", "confined", "follow", "limiting", "run_confined", "stopped_by", "surroundings"]

GLANCE: Final = 0.05
"""Seconds between two looks at what the command has used up."""

NICENESS: Final = 2
"""By which the command stands back behind those who watch it, were it to take every processor."""

STANDARD_ERROR: Final = 2

KEY_VARIABLE: Final = "RAWKIT_LAB_KEY"
"""Where the name of the file with the key for evidence may stand."""

PRIVATE: Final = {KEY_VARIABLE, "TMUX", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"}
"""What of the environment is not for students, or leads out of the lab."""


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


def run_confined(
    host: Host,
    command: Sequence[str],
    environment: Mapping[str, str],
    bounds: Bounds,
    *,
    is_flooded: Callable[[], bool] = lambda: False,
    show: BinaryIO | None = None,
    guarded: Sequence[Path] = (),
) -> Outcome:
    """Run a command inside a host to its end, to one of the bounds, or to Ctrl-C; then nothing of it is left.

    It has no more privileges than what it does to packets and files takes, so that it cannot leave the host's
    network, also as root; its standard output is kept, and copied to `show`, and its standard error to this
    process's. It writes files in its working folder only, but none that is `guarded`. Raises FieldError for a
    command that cannot be started, KernelError.
    """
    with ExitStack() as stack:
        printer = stack.enter_context(Printer())
        confinement = stack.enter_context(confined(host, bounds, guarded))
        watch = Watch(confinement, bounds, is_flooded)
        process = _start(confinement, command, environment, bounds)
        assert process.stdout is not None
        assert process.stderr is not None
        streams = [
            Stream(process.stdout, "standard output", bounds.output, printer, show.fileno() if show else None),
            Stream(process.stderr, "standard error", bounds.output, printer, STANDARD_ERROR),
        ]
        for stream in streams:
            stack.enter_context(stream)

        def copied() -> str:
            return "".join(stream.copy() for stream in streams)

        stopped, number = follow(process, confinement, lambda: copied() or watch.overstepped(), GLANCE, streams)
        seconds = watch.seconds
        stopped = stopped or copied()
        status = process.wait()
        if status == -signal.SIGXFSZ:
            stopped = stopped or f"it wrote a file of more than {bounds.file // MEBIBYTE} MiB"
        return Outcome(None if stopped else status, bytes(streams[0].kept), seconds, stopped, number)


def confined(host: Host, bounds: Bounds, guarded: Sequence[Path] = (), *, terminals: bool = False) -> Confinement:
    """Where a student's programs may run. Raises FieldError without a working folder."""
    evidence = desks()
    try:
        if Path.cwd() in evidence.parents:
            with suppress(OSError):
                evidence.mkdir(mode=0o700, parents=True, exist_ok=True)  # lest they make it
    except OSError as error:
        what = f"a working folder that is there ({error.strerror}); cd to another"
        raise FieldError("lab", "command", ".", what) from error
    return Confinement(host, bounds.processes, guarded=[evidence, *guarded], terminals=terminals)


def follow(
    process: subprocess.Popen[bytes],
    confinement: Confinement,
    look: Callable[[], str],
    glance: float,
    streams: Sequence[Stream] = (),
) -> tuple[str, int]:
    """Wait for a command, and end all that is left: what stopped it, if anything did, and the signal's number.

    `look` tells of one; it is called whenever there is something in the streams, and every so many seconds.
    Raises KernelError where the lab was killed, and with it the command.
    """
    with os.fdopen(os.pidfd_open(process.pid), "rb", 0) as end, select.epoll() as poll:
        poll.register(end, select.EPOLLIN)
        for stream in streams:
            poll.register(stream, select.EPOLLIN | select.EPOLLET)  # that it is closed is told once
        stopped, number = "", 0
        try:
            while not stopped and (end.fileno(), select.EPOLLIN) not in poll.poll(glance):
                stopped = look()
        except KeyboardInterrupt as stop:  # what was recorded is kept
            stopped, number = stopped_by(stop)
    if not stopped:
        confinement.check()
    confinement.close()
    return stopped, number


def limiting(bounds: Bounds) -> Callable[[], None]:
    """What a process does, before it becomes the command, to have the kernel hold it to the bounds."""

    def limit() -> None:
        os.nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.file, bounds.file))
        resource.setrlimit(resource.RLIMIT_DATA, (bounds.memory, bounds.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return limit


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a student's command: this one without what is not for students, and the exercise's."""
    return {**{name: value for name, value in os.environ.items() if name not in PRIVATE}, **environment}


def _start(
    confinement: Confinement, command: Sequence[str], environment: Mapping[str, str], bounds: Bounds
) -> subprocess.Popen[bytes]:
    try:
        return confinement.popen(
            command,
            limiting(bounds),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings(environment),
            start_new_session=True,  # whatever signals it sends to its group are for itself
        )
    except KernelError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        what = f"a program that can be started ({error}); a file of Python is run by: -- python3 FILE"
        raise FieldError("lab", "command", command[0], what) from error
