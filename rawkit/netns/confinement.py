"""Programs that are not trusted: a PID namespace of their own, counted, and without a way out of their host."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rawkit.errors import FieldError
from rawkit.netns import _kernel
from rawkit.netns._seccomp import forbid_other_sockets
from rawkit.netns.node import Host
from rawkit.netns.programs import Programs

__all__ = ["Confinement"]

PATIENCE: Final = 0.5
"""Seconds in which all processes of a machine can be looked at, unless they are too many."""


READ_ONLY: Final = ("/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
"""Where root could change the machine as a whole by writing a file."""

SHARED_MEMORY: Final = Path("/proc/sys/kernel/shmall")
"""Pages of System V shared memory in an IPC namespace (proc_sys_kernel(5))."""

MOST_SHARED: Final = 64 * 1024 * 1024
"""Bytes of it that programs may have together."""

OWN_SETTINGS: Final = "/proc/sys/net"
"""Of a network namespace, which is the host's own (network_namespaces(7))."""


class Confinement:
    """Runs programs inside a host, apart from the lab's own: they see no other's processes, and end with this.

    The host is one that `Lab.host` made with `untrusted`; FieldError is raised for another. They have a /proc of
    their own, and an empty /run. They keep, whoever starts them, only the capabilities that packets and files
    take, and those over packets only in that host: with them, a program can neither enter nor change another
    network namespace, nor touch another's memory. They open only sockets that belong to a network namespace. There
    can be no more than about `processes` of them where the kernel counts them for each PID namespace (Linux 6.14
    and later).
    """

    def __init__(self, host: Host, processes: int) -> None:
        if host.namespace.owner < 0:
            raise FieldError("Confinement", "host", host.name, "one of Lab.host(..., untrusted=True)")
        self._host = host
        self._programs = Programs(processes)
        self._threads, self._available = _threads(), _memory("MemAvailable")

    def popen(
        self, arguments: Sequence[str], prepare: Callable[[], None] = lambda: None, **options: Any
    ) -> subprocess.Popen[Any]:
        """Start a program, as subprocess.Popen does; `prepare` is called in the new process before it."""

        def confine() -> None:
            prepare()
            _hide_the_machine()
            with suppress(OSError):  # a kernel without such filters
                forbid_other_sockets()
            _kernel.setns(self._host.namespace.owner, _kernel.CLONE_NEWUSER)
            _kernel.drop_capabilities()

        return self._programs.start(self._host.namespace, arguments, {**options, "preexec_fn": confine})

    def has(self, processes: int) -> bool:
        """Whether there are so many processes now, threads among them."""
        if _threads() - self._threads < processes:
            return False  # on the whole machine, so it costs nothing
        try:
            return any(islice(self._processes(), processes - 1, None))
        except TimeoutError:
            return True

    def takes(self, memory: int) -> bool:
        """Whether they have so many bytes of memory now, all together, without what they share with others."""
        if self._available - _memory("MemAvailable") < memory:
            return False  # on the whole machine
        pages = 0
        with suppress(TimeoutError):
            for process in self._processes():
                with suppress(OSError):  # it is gone
                    _, resident, shared, *_ = Path("/proc", process, "statm").read_text().split()
                    pages += int(resident) - int(shared)
        return pages * resource.getpagesize() >= memory

    @staticmethod
    def memory_left() -> float:
        """The share of the machine's memory that programs can have yet, from 0 to 1."""
        return _memory("MemAvailable") / _memory("MemTotal")

    def _processes(self) -> Iterator[str]:
        """Their numbers. Raises TimeoutError where they have no end, as programs come while they are listed."""
        guardian = self._programs.guardian
        if guardian is None:
            return
        own = _pid_namespace(str(guardian.pid))
        deadline = time.monotonic() + PATIENCE
        with os.scandir("/proc") as entries:
            for entry in entries:
                if time.monotonic() > deadline:
                    raise TimeoutError
                if entry.name.isdecimal() and _pid_namespace(entry.name) == own:
                    yield entry.name

    def close(self) -> None:
        """End them all, and wait until they are gone. Closing twice is no error."""
        self._programs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _hide_the_machine() -> None:
    """Give this process, and what it starts, a /proc of their own PID namespace, an empty /run, and their own IPC.

    Other processes are not to be seen then, and services of the machine, whose sockets are files under /run, not
    to be reached; of the kernel's settings, only those of the host's own network can be changed; shared memory
    (sysvipc(7)) is bounded, and ends with them. Where the kernel permits no mounts, all of it stays as it is.
    """
    with suppress(OSError):
        _kernel.unshare(_kernel.CLONE_NEWIPC)
        SHARED_MEMORY.write_text(str(MOST_SHARED // resource.getpagesize()))
    flags = _kernel.MS_NOSUID | _kernel.MS_NODEV | _kernel.MS_NOEXEC
    with suppress(OSError):
        _kernel.unshare(_kernel.CLONE_NEWNS)
        _kernel.mount("none", "/", "", _kernel.MS_REC | _kernel.MS_PRIVATE)
        _kernel.mount("tmpfs", "/run", "tmpfs", flags)
        _kernel.mount("proc", "/proc", "proc", flags)
    for path in (*READ_ONLY, OWN_SETTINGS):
        only_read = 0 if path == OWN_SETTINGS else _kernel.MS_RDONLY
        with suppress(OSError):  # not every kernel has them all
            _kernel.mount(path, path, "", _kernel.MS_BIND)
            _kernel.mount("none", path, "", flags | _kernel.MS_BIND | _kernel.MS_REMOUNT | only_read)


def _threads() -> int:
    """Threads of the whole machine: behind the slash in /proc/loadavg (proc_loadavg(5))."""
    return int(Path("/proc/loadavg").read_text().split("/")[1].split()[0])


def _memory(name: str) -> int:
    """Bytes, of the whole machine: such as MemAvailable, what programs can have yet (proc_meminfo(5))."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _pid_namespace(process: str) -> int:
    """The number of a process's PID namespace; 0 if it is gone, or another user's."""
    try:
        return Path("/proc", process, "ns/pid").stat().st_ino
    except OSError:
        return 0
