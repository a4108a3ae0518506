"""A person as the student: an interactive shell in the student's host, and what crosses the wire beside it."""

from __future__ import annotations

import math
import os
import pwd
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rawkit.errors import FieldError, KernelError
from rawkit.lab.bounds import Bounds, Watch
from rawkit.lab.confine import Outcome, confined, follow, limiting, surroundings
from rawkit.lab.records import crossing
from rawkit.lab.stage import STUDENT, Run, Stage
from rawkit.lab.streams import Printer
from rawkit.netns import Confinement
from rawkit.views.ladder import Ladder

__all__ = ["interactive"]

GLANCE: Final = 0.1
"""Seconds between two looks at the wire."""

SIGNALS: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN)
"""Those that a terminal sends: they are for the shell alone."""

BOUNDS: Final = Bounds(seconds=math.inf)
"""A person has time; what they print is not bounded, but for what goes to $LAB_OUTPUT."""

WIDTH: Final = 100
NARROWEST: Final = 60
"""Columns of the ladder where the terminal does not say how many it has, and the least that make sense."""


def interactive(*, watch: bool = False) -> Run:
    """A student who types; what goes to $LAB_OUTPUT is the output that is judged.

    With `watch`, a ladder goes to standard error; within tmux, to a pane below.
    """

    def run(stage: Stage) -> Outcome:
        with ExitStack() as stack:
            told: list[Callable[[str], None]] = []
            if watch:
                printer = stack.enter_context(Printer())
                told.append(lambda line: printer.write(sys.stderr.fileno(), f"{line}\n".encode()))
            elif os.environ.get("TMUX") and shutil.which("tmux"):
                told.append(stack.enter_context(_pane()))
            stack.enter_context(_terminal_kept())
            confinement = stack.enter_context(confined(stage.host(STUDENT), BOUNDS, stage.guarded, terminals=True))
            used = Watch(confinement, BOUNDS, lambda: bool(stage.recording.missing))
            output = stack.enter_context(os.fdopen(os.memfd_create("rawkit-output"), "rb", 0))
            process = _start(confinement, stage, output.fileno())
            drawn = Ladder([*stage.nodes], width=max(shutil.get_terminal_size((WIDTH, 24)).columns, NARROWEST))
            seen = 0
            for tell in told:
                tell(drawn.heading())

            def look() -> str:
                nonlocal seen
                for tell in told:
                    seen = _tell(stage, drawn, seen, tell)
                return used.overstepped()

            stopped, number = follow(process, confinement, look, GLANCE)
            status = process.wait()
            written = os.pread(output.fileno(), BOUNDS.output, 0)
            return Outcome(None if stopped else status, written, used.seconds, stopped, number)

    return run


def _start(confinement: Confinement, stage: Stage, output: int) -> subprocess.Popen[bytes]:
    """The shell, in the foreground of the terminal. Raises FieldError for one that cannot be started."""
    shell = _shell()
    environment = stage.values.environment() | {"LAB_OUTPUT": f"/dev/fd/{output}"}

    limit = limiting(BOUNDS)

    def take_the_terminal() -> None:
        limit()
        os.setpgid(0, 0)
        os.tcsetpgrp(sys.stdin.fileno(), os.getpgrp())
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    try:
        return confinement.popen([shell], take_the_terminal, env=surroundings(environment), pass_fds=[output])
    except KernelError:
        raise
    except OSError as error:
        raise FieldError("lab", "SHELL", shell, f"a shell that can be started ({error})") from error


def _tell(stage: Stage, drawn: Ladder, seen: int, tell: Callable[[str], None]) -> int:
    """Tell of the frames that came since those; how many there are now."""
    transits = stage.recording.transits()
    for one in transits[seen:]:
        tell(drawn.line(crossing(one)))
        if one.fate:
            tell(f"  {one.fate}")
    return len(transits)


@contextmanager
def _terminal_kept() -> Iterator[None]:
    """The shell may have the terminal for itself, and its Ctrl-C; afterwards it is this process's again."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in SIGNALS]
    terminal = sys.stdin.fileno()
    group, settings = os.tcgetpgrp(terminal), termios.tcgetattr(terminal)
    try:
        yield
    finally:
        with suppress(OSError, termios.error):  # the terminal is gone
            os.tcsetpgrp(terminal, group)
            termios.tcflow(terminal, termios.TCOON)  # it may have been held, or left as an editor has it
            termios.tcsetattr(terminal, termios.TCSANOW, settings)
            os.set_blocking(terminal, True)
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def _pane() -> Iterator[Callable[[str], None]]:
    """A pane of tmux below this one, which shows lines; it closes with the block."""
    with TemporaryDirectory(prefix="rawkit-") as folder:
        pipe = Path(folder, "frames")
        os.mkfifo(pipe, 0o600)
        subprocess.run(["tmux", "split-window", "-d", "-v", "-l", "35%", "cat", str(pipe)], check=False)
        writer = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

        def tell(line: str) -> None:
            with suppress(BlockingIOError):  # nobody reads; better to miss a line than to wait
                os.write(writer, f"{line}\n".encode())

        try:
            yield tell
        finally:
            os.close(writer)


def _shell() -> str:
    """The user's own shell."""
    with suppress(KeyError):
        return os.environ.get("SHELL") or pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    return "/bin/sh"
