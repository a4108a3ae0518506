"""The programs of a lab, none of which outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rawkit.errors import kernel_error
from rawkit.netns import _kernel
from rawkit.netns.namespace import Namespace

__all__ = ["Programs"]


class Programs:
    """Starts programs in network namespaces, all in one PID namespace that ends with this process.

    One thread, which lives as long as this object, is in the PID namespace for its children and starts them
    all: so no other thread's children end up there, and a program that asks for a signal at its parent's
    death (PR_SET_PDEATHSIG) is not told so while the lab lives. The first program makes thread and namespace.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "rawkit-programs")
        self._guardian: subprocess.Popen[bytes] | None = None
        self._started: list[subprocess.Popen[Any]] = []

    def start(self, namespace: Namespace, arguments: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
        """Start a program there, as subprocess.Popen does. Raises what that raises, NotPermittedError."""
        return self._thread.submit(self._start, namespace, arguments, options).result()

    def close(self) -> None:
        """End every program, with what it started, and wait until they are gone."""
        if self._guardian is not None:
            self._guardian.kill()
            # The namespace ends when its last zombie is reaped, and the guardian not before.
            for program in (*self._started, self._guardian):
                program.wait()
        self._thread.shutdown()

    def _start(self, namespace: Namespace, arguments: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
        if self._guardian is None:
            self._guardian = _start_guardian()
        self._started = [program for program in self._started if program.poll() is None]
        with namespace:
            program = subprocess.Popen(arguments, **options)
        self._started.append(program)
        return program


def _start_guardian() -> subprocess.Popen[bytes]:
    """Give the calling thread's children a PID namespace, and start its PID 1 (see `_guardian`)."""
    try:
        _kernel.unshare(_kernel.CLONE_NEWPID)
    except OSError as error:
        raise kernel_error(error, "create a PID namespace", "CAP_SYS_ADMIN") from error
    owner = os.pidfd_open(os.getpid())
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("_guardian.py")), str(owner)],
            pass_fds=[owner],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for the programs, not for their guardian
        )
    finally:
        os.close(owner)
