"""The processes of a lab, none of which outlives it: programs, and functions that are called in hosts."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from rawkit.errors import KernelError, kernel_error
from rawkit.netns import _kernel
from rawkit.netns.namespace import Namespace, closed
from rawkit.netns.worker import Worker

__all__ = ["Programs"]

T = TypeVar("T")


class Programs:
    """Starts processes in network namespaces, all in one PID namespace that ends with this process.

    One thread, which lives as long as this object, is in the PID namespace for its children and starts them
    all: so no other thread's children end up there, and a program that asks for a signal at its parent's
    death (PR_SET_PDEATHSIG) is not told so while the lab lives. The first one makes thread and namespace, in
    which there can be no more than `most` processes and 300, if that is not 0 and the kernel can see to it
    (Linux 6.14 and later; before, the largest process number is the whole machine's).

    Raises KernelError once it is closed, and NotPermittedError.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._closed = False
        self._thread = ThreadPoolExecutor(1, "rawkit-programs", self._begin)
        self._number = 0
        self.guardian: subprocess.Popen[bytes] | None = None
        """PID 1 of their namespace, once there is one."""
        self._started: list[subprocess.Popen[Any]] = []
        self._workers: list[Worker] = []

    def start(self, namespace: Namespace, arguments: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
        """Start a program there, as subprocess.Popen does. Raises what that raises, too."""
        return self.in_thread(self._start, namespace, arguments, options)

    def spawn(self, namespace: Namespace, work: Callable[[Worker], object]) -> Worker:
        """Call a function there, in a process of its own."""
        return self.in_thread(self._spawn, namespace, work)

    def close(self) -> None:
        """End every process, with what it started, and wait until they are gone. Closing twice is no error."""
        self._closed = True
        with ExitStack() as stack:
            stack.callback(self._thread.shutdown)
            if self.guardian is not None:
                self.guardian.kill()
                # The namespace ends when its last zombie is reaped, and the guardian not before.
                for worker in self._workers:
                    worker.close()
                for program in (*self._started, self.guardian):
                    program.wait()

    def in_thread(self, do: Callable[..., T], *arguments: Any) -> T:
        """Call something in that thread, which may be the calling one."""
        if self._closed:
            raise closed("act in a lab")
        if threading.get_ident() == self._number:
            return do(*arguments)
        return self._thread.submit(do, *arguments).result()

    def _begin(self) -> None:
        self._number = threading.get_ident()

    def _start(self, namespace: Namespace, arguments: Any, options: dict[str, Any]) -> subprocess.Popen[Any]:
        self._started = [program for program in self._started if program.poll() is None]
        with self._guarded(), namespace:
            program = subprocess.Popen(arguments, **options)
        self._started.append(program)
        return program

    def _spawn(self, namespace: Namespace, work: Callable[[Worker], object]) -> Worker:
        self._workers = [worker for worker in self._workers if not worker.is_closed]
        with self._guarded():
            worker = Worker(namespace, work)
        self._workers.append(worker)
        return worker

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What is started within is in the PID namespace; there has to be its PID 1."""
        if self.guardian is None:
            self.guardian = _start_guardian(self._most)
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOMEM and self.guardian.poll() is not None:  # pid_namespaces(7)
                raise KernelError(errno.ENOMEM, "start a process in a host", _KILLED) from error
            raise


RESERVED_PIDS: Final = 300
"""Numbers that the kernel gives out once only (kernel/pid.c): a namespace with no others would soon be used up."""

LARGEST_OF_A_NAMESPACE: Final = (6, 14)
"""The Linux from which on each PID namespace has a largest process number of its own."""

_KILLED = "the lab's first process was killed, and with it all others of the lab; make another lab"


def _start_guardian(most: int) -> subprocess.Popen[bytes]:
    """Give the calling thread's children a PID namespace, and start its PID 1 (see `_guardian`)."""
    try:
        _kernel.unshare(_kernel.CLONE_NEWPID)
    except OSError as error:
        raise kernel_error(error, "create a PID namespace", "CAP_SYS_ADMIN") from error
    owner = os.pidfd_open(os.getpid())
    ready, begun = os.pipe()
    largest = RESERVED_PIDS + most if most and kernel_version() >= LARGEST_OF_A_NAMESPACE else 0
    try:
        guardian = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(Path(__file__).with_name("_guardian.py"))),
                *(str(owner), str(largest), str(begun)),
            ],
            pass_fds=[owner, begun],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for the programs, not for their guardian
        )
        os.close(begun)
        begun = -1
        if largest:  # which has to be so before there are others
            os.read(ready, 1)
        return guardian
    finally:
        for descriptor in (owner, ready, *([begun] if begun >= 0 else [])):
            os.close(descriptor)


def kernel_version() -> tuple[int, ...]:
    """Of the running kernel, such as (6, 14) (uname(2))."""
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
