"""The programs of a lab, none of which outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rawkit.errors import FieldError, kernel_error
from rawkit.netns import _kernel
from rawkit.netns.namespace import Namespace

__all__ = ["Programs"]


class Programs:
    """Starts programs in network namespaces, all in one PID namespace that ends with this process.

    One thread, which lives as long as this object, is in the PID namespace for its children and starts them
    all: so no other thread's children end up there, and a program that asks for a signal at its parent's
    death (PR_SET_PDEATHSIG) is not told so while the lab lives. The first program makes thread and namespace, in
    which there can be about `most` processes, if that is not 0 and the kernel can see to it.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._closed = False
        self._thread = ThreadPoolExecutor(1, "rawkit-programs")
        self.guardian: subprocess.Popen[bytes] | None = None
        """PID 1 of their namespace, once there is one."""
        self._started: list[subprocess.Popen[Any]] = []

    def start(self, namespace: Namespace, arguments: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
        """Start a program there, as subprocess.Popen does. Raises what that raises, NotPermittedError.

        Raises FieldError once this is closed.
        """
        if self._closed:
            raise FieldError("Lab", "program", arguments, "a lab that was not closed yet")
        return self._thread.submit(self._start, namespace, arguments, options).result()

    def close(self) -> None:
        """End every program, with what it started, and wait until they are gone."""
        if self.guardian is not None:
            self.guardian.kill()
            # The namespace ends when its last zombie is reaped, and the guardian not before.
            for program in (*self._started, self.guardian):
                program.wait()
        self._closed = True
        self._thread.shutdown()

    def _start(self, namespace: Namespace, arguments: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
        if self.guardian is None:
            self.guardian = _start_guardian(self._most)
        self._started = [program for program in self._started if program.poll() is None]
        with namespace:
            program = subprocess.Popen(arguments, **options)
        self._started.append(program)
        return program


def _start_guardian(most: int) -> subprocess.Popen[bytes]:
    """Give the calling thread's children a PID namespace, and start its PID 1 (see `_guardian`)."""
    try:
        _kernel.unshare(_kernel.CLONE_NEWPID)
    except OSError as error:
        raise kernel_error(error, "create a PID namespace", "CAP_SYS_ADMIN") from error
    owner = os.pidfd_open(os.getpid())
    ready, begun = os.pipe()
    try:
        guardian = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(Path(__file__).with_name("_guardian.py"))),
                *(str(owner), str(most), str(begun)),
            ],
            pass_fds=[owner, begun],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for the programs, not for their guardian
        )
        os.close(begun)
        begun = -1
        if most:  # what it does about that has to be done before there are others
            os.read(ready, 1)
        return guardian
    finally:
        for descriptor in (owner, ready, *([begun] if begun >= 0 else [])):
            os.close(descriptor)
