"""Programs that are not trusted: a PID namespace of their own, counted, and without a way out of their host."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from rawkit.errors import FieldError, KernelError
from rawkit.netns import _kernel
from rawkit.netns._mounts import confine_files
from rawkit.netns._seccomp import forbid_ways_out
from rawkit.netns.node import Host
from rawkit.netns.programs import Programs
from rawkit.netns.usage import is_ending, memory_of, processes_beside, threads_of, unlinked_files

__all__ = ["Confinement", "Traffic"]

SHARED_MEMORY: Final = Path("/proc/sys/kernel/shmall")
"""Pages of System V shared memory in an IPC namespace (proc_sys_kernel(5))."""

MOST_SHARED: Final = 64 * 1024 * 1024
"""Bytes of it that programs may have together."""


class Traffic(NamedTuple):
    """What went through the ports of a host, in and out."""

    frames: int
    bytes: int


class Confinement:
    """Runs programs inside a host, apart from the lab's own: they see no other's processes, and end with this.

    The host is one that `Lab.host` made with `untrusted`; FieldError is raised for another. They keep, whoever
    starts them, only the capabilities that packets and files take, and those over packets only in that host: with
    them, a program can neither enter nor change another network namespace, nor touch another's memory. They open
    only sockets that belong to a network namespace. Of the machine's files they write only those in their working
    folder, and in there neither this package's, nor those that are `guarded`; /run and /dev are their own, but for
    the machine's `terminals`, and so is what they change in /tmp. There can be no more than `processes`
    and 300 of them, where the kernel counts them for each PID namespace (Linux 6.14 and later).
    """

    def __init__(
        self, host: Host, processes: int, *, guarded: Iterable[Path] = (), terminals: bool = False
    ) -> None:
        if host.namespace.owner < 0:
            raise FieldError("Confinement", "host", host.name, "one of Lab.host(..., untrusted=True)")
        self._host = host
        self._guarded = [path.resolve() for path in (Path(sys.prefix), Path(__file__).parents[1], *guarded)]
        self._terminals = terminals
        self._programs = Programs(processes)
        with host:
            self._counters = os.open("/proc/thread-self/net/dev", os.O_RDONLY | os.O_CLOEXEC)

    def popen(
        self, arguments: Sequence[str], prepare: Callable[[], None] = lambda: None, **options: Any
    ) -> subprocess.Popen[Any]:
        """Start a program, as subprocess.Popen does; `prepare` is called in the new process before it."""

        def confine() -> None:
            prepare()
            _bound_shared_memory()
            confine_files(self._guarded, terminals=self._terminals)
            with suppress(OSError):  # a kernel without such filters
                forbid_ways_out()
            _kernel.setns(self._host.namespace.owner, _kernel.CLONE_NEWUSER)
            _kernel.drop_capabilities()

        return self._programs.start(self._host.namespace, arguments, {**options, "preexec_fn": confine})

    def count(self, most: int) -> int:
        """How many processes and threads there are now, as far as that many; that many if it cannot be told."""
        found = 0
        try:
            for process in self._processes():
                found += threads_of(process)
                if found >= most:
                    break
        except TimeoutError:
            return most
        return found

    def memory(self) -> int:
        """Bytes of memory that they have now, all together, without what they share with others."""
        return memory_of(self._processes())

    def unlinked(self, device: int) -> int:
        """Bytes of the files without a name on that device (`st_dev`) that they hold."""
        found: dict[tuple[int, int], int] = {}
        with suppress(TimeoutError):
            for process in self._processes():
                found |= unlinked_files(process, device)
        return sum(found.values())

    def traffic(self) -> Traffic:
        """What has gone through the host's ports by now, without asking anybody else (proc_net(5))."""
        found = [0, 0]
        lines = os.pread(self._counters, 65536, 0).decode().splitlines()
        for name, _, numbers in (line.partition(":") for line in lines):
            if name.strip() in self._host.interfaces:
                received, frames_in, *_, sent, frames_out = map(int, numbers.split()[:10])
                found[0] += frames_in + frames_out
                found[1] += received + sent
        return Traffic(*found)

    def check(self) -> None:
        """Raise KernelError if they ended because PID 1 of their namespace was killed from without."""
        guardian = self._programs.guardian
        if guardian is not None and is_ending(guardian.pid):  # which it does until the last of them is waited for
            raise KernelError(0, "run the command", "a process of the lab was killed; run it again")

    def _processes(self) -> Iterator[Path]:
        guardian = self._programs.guardian
        yield from () if guardian is None else processes_beside(guardian.pid)

    def close(self) -> None:
        """End them all, and wait until they are gone. Closing twice is no error."""
        self._programs.close()
        if self._counters >= 0:
            os.close(self._counters)
            self._counters = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bound_shared_memory() -> None:
    """Give this process, and what it starts, shared memory of their own (sysvipc(7)), which ends with them."""
    with suppress(OSError):
        _kernel.unshare(_kernel.CLONE_NEWIPC)
        SHARED_MEMORY.write_text(str(MOST_SHARED // resource.getpagesize()))
