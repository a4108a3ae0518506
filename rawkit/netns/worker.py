"""A Python function in a process of its own, inside a host: quicker to start than a program, and as mortal."""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from rawkit.errors import KernelError, RawkitError, TimedOut
from rawkit.netns import _kernel
from rawkit.netns._kernel import uninterrupted
from rawkit.netns.namespace import Namespace, closed

__all__ = ["Cues", "Worker"]

CUE = 64
"""Bytes of the longest cue."""


class Cues:
    """A process's end of what two of them say to each other: short words, each received as it was sent."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.descriptors: list[int] = []
        """What came with the last cue, for the one who took it to close."""

    def give(self, cue: str, descriptor: int | None = None) -> None:
        """Give a cue, and a descriptor with it; nothing happens if the other process has ended.

        Raises KernelError once closed.
        """
        self._check_open()
        with suppress(BrokenPipeError, ConnectionResetError):
            if descriptor is None:
                self._end.send(cue.encode())
            else:
                socket.send_fds(self._end, [cue.encode()], [descriptor])

    def take(self, timeout: float | None = None) -> str:
        """The next cue; empty once the other process has ended.

        Raises TimedOut after so many seconds, KernelError once closed.
        """
        self._check_open()
        if not select.select([self._end], [], [], timeout)[0]:
            raise TimedOut("wait for a cue", timeout or 0)
        try:
            cue, self.descriptors, _, _ = socket.recv_fds(self._end, CUE, 1)
        except ConnectionResetError:
            return ""
        return cue.decode()

    def fileno(self) -> int:
        """For select(2): readable when there is a cue."""
        return self._end.fileno()

    def close(self) -> None:
        self._end.close()

    def _check_open(self) -> None:
        if self._end.fileno() < 0:
            raise closed("give and take cues")


class Worker:
    """A process that calls `work` inside a network namespace, until it returns or is killed.

        with host.spawn(serve) as worker:
            assert worker.cues.take(5) == "ready"
            ...
            facts = worker.told

    `work` gets this object, in the new process: what it says with `tell` is in `told` here, also after a crash;
    cues go both ways. It is killed at the end of the `with` block, and it ends with the lab at the latest, as
    the lab's programs do, with everything that it started. What it raises is raised by `join`; as a KernelError
    in words, where it is none of rawkit's own errors. Once it is closed, by its owner or with the lab, only its
    `status` is left; KernelError is raised by all else.
    """

    def __init__(self, namespace: Namespace, work: Callable[[Worker], object]) -> None:
        """Made by `Programs.spawn`, in the thread whose children end with the lab."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = os.memfd_create("rawkit-worker")
        self.status: int | None = None
        self._reaping = threading.Lock()
        try:
            with uninterrupted():  # Ctrl-C between here and there would have two processes go on
                self.pid = _kernel.fork()
                if self.pid == 0:
                    here.close()
                    self.cues = Cues(there)
                    self._work(namespace, work)
        except OSError:
            here.close()
            os.close(self._said)
            raise
        finally:
            there.close()
        self.cues = Cues(here)

    def _work(self, namespace: Namespace, work: Callable[[Worker], object]) -> NoReturn:
        status = 1
        try:
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # the parent is told too, and ends this process
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            _kernel.setns(namespace.fileno(), _kernel.CLONE_NEWNET)
            work(self)
            status = 0
        except RawkitError as error:
            self.tell(error)
        except BaseException as error:  # noqa: BLE001 - it must not go on in what the parent was doing
            traceback.print_exc()
            self.tell(KernelError(0, "call a function in a host", f"it raised {type(error).__name__}: {error}"))
        finally:
            os._exit(status)

    def tell(self, fact: Any) -> None:
        """From within `work`: have this in `told`. The object has to be one that can be pickled."""
        os.write(self._said, pickle.dumps(fact))

    @property
    def told(self) -> list[Any]:
        """What was told until now, in order. A crash in the midst of telling costs that one fact."""
        return self.told_from(0)[0]

    def told_from(self, start: int) -> tuple[list[Any], int]:
        """What was told from that byte on, and where the next fact will begin."""
        if self.is_closed:
            raise closed("ask what a worker told")
        found: list[Any] = []
        with Path(f"/proc/self/fd/{self._said}").open("rb") as said:
            said.seek(start)
            while True:
                start = said.tell()
                try:
                    found.append(pickle.load(said))  # what was written by this very program
                except (EOFError, pickle.UnpicklingError):
                    return found, start

    def join(self, timeout: float) -> None:
        """Wait until the work is done. Raises TimedOut after so many seconds, and what the work raised."""
        self.wait(timeout)
        errors = [fact for fact in self.told if isinstance(fact, RawkitError)]
        if errors:
            raise errors[-1]

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, for whatever reason: how, as `poll` says. Raises TimedOut."""
        while (status := self.poll()) is None:
            with suppress(ProcessLookupError):  # another thread has seen its end
                descriptor = os.pidfd_open(self.pid)
                try:
                    if not select.select([descriptor], [], [], timeout)[0]:
                        raise TimedOut("wait for a process to end", timeout or 0)
                finally:
                    os.close(descriptor)
        return status

    def poll(self) -> int | None:
        """How it has ended: its exit status, negative for a signal. None if it has not."""
        with self._reaping:
            if self.status is None and (found := os.waitpid(self.pid, os.WNOHANG))[0]:
                self.status = os.waitstatus_to_exitcode(found[1])
            return self.status

    def kill(self) -> None:
        """End it at once (SIGKILL). Ending what has ended is no error."""
        with self._reaping:
            if self.status is None:  # else its number may be another's by now
                os.kill(self.pid, signal.SIGKILL)
        self.wait()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, by its owner or with the lab."""
        return self._said < 0

    def close(self) -> None:
        """End it, and forget what it told. Closing twice is no error."""
        self.kill()
        self.cues.close()
        if self._said >= 0:
            os.close(self._said)
            self._said = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
