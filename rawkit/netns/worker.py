"""A Python function in a process of its own, inside a host: quicker to start than a program, and as mortal."""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rawkit.errors import KernelError, RawkitError, TimedOut
from rawkit.netns import _kernel
from rawkit.netns._kernel import uninterrupted
from rawkit.netns.namespace import Namespace

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
        """Give a cue, and a descriptor with it; nothing happens if the other process has ended."""
        with suppress(BrokenPipeError, ConnectionResetError):
            if descriptor is None:
                self._end.send(cue.encode())
            else:
                socket.send_fds(self._end, [cue.encode()], [descriptor])

    def take(self, timeout: float | None = None) -> str:
        """The next cue; empty once the other process has ended. Raises TimedOut after so many seconds."""
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


class Worker:
    """A process that calls `work` inside a network namespace, until it returns or is killed.

        with host.spawn(serve) as worker:
            assert worker.cues.take(5) == "ready"
            ...
        facts = worker.told

    `work` gets this object, in the new process: what it says with `tell` is in `told` here, also after a crash;
    cues go both ways. It is killed at the end of the `with` block, and by the kernel when the thread that started
    it ends (PR_SET_PDEATHSIG in prctl(2)). What it raises is raised by `join`; as a KernelError in words, where it
    is none of rawkit's own errors.
    """

    def __init__(self, namespace: Namespace, work: Callable[[Worker], object]) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = os.memfd_create("rawkit-worker")
        owner = os.getpid()
        with uninterrupted():  # Ctrl-C between here and there would have two processes go on
            self.pid = os.fork()
            if self.pid == 0:
                here.close()
                self.cues = Cues(there)
                self._work(owner, namespace, work)
        there.close()
        self.cues = Cues(here)
        self.status: int | None = None

    def _work(self, owner: int, namespace: Namespace, work: Callable[[Worker], object]) -> None:
        status = 1
        try:
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # the parent is told too, and ends this process
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            _kernel.die_with_the_parent()
            if os.getppid() == owner:  # else it has died already
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
        if self.status is None:
            descriptor = os.pidfd_open(self.pid)
            try:
                if not select.select([descriptor], [], [], timeout)[0]:
                    raise TimedOut("wait for a process to end", timeout)
            finally:
                os.close(descriptor)
            self._reap()
        errors = [fact for fact in self.told if isinstance(fact, RawkitError)]
        if errors:
            raise errors[-1]

    def poll(self) -> int | None:
        """How it has ended: its exit status, negative for a signal. None if it has not."""
        if self.status is None and (found := os.waitpid(self.pid, os.WNOHANG))[0]:
            self.status = os.waitstatus_to_exitcode(found[1])
        return self.status

    def kill(self) -> None:
        """End it at once (SIGKILL). Ending what has ended is no error."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()

    def close(self) -> None:
        """End it, and forget what it told. Closing twice is no error."""
        self.kill()
        self.cues.close()
        if self._said >= 0:
            os.close(self._said)
            self._said = -1

    def _reap(self) -> None:
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
