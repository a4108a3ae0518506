"""The machine's files as a program that is not trusted sees them: all to be read, and few to be written.

What it may write is its working folder, and memory that is bounded and its own. Each step is for itself: one that
the kernel does not know, or does not permit, leaves that part as it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from rawkit.netns import _kernel

__all__ = ["confine_files"]

SYSTEM: Final = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr")
"""Where nothing is for a command to write, though it be started in there."""

SHARED: Final = ("/", "/home", "/var")
"""Nor in these themselves: they hold more than what is the user's own."""

TEMPORARY: Final = ("/tmp", "/var/tmp")
"""What is there can be read; what is written there is in memory, and gone afterwards."""

BOUNDED: Final = "size=64m,nr_inodes=4096"
"""Of each file system in memory (tmpfs(5))."""

DEVICES: Final = ("full", "null", "random", "tty", "urandom", "zero")
"""What of /dev there is: no disks, and not the messages of the kernel."""

LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}

STAGE: Final = Path("/run")
"""Where parts are made that then go elsewhere; an empty /run covers it."""

READ_ONLY: Final = ("/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
"""Where root could change the machine as a whole by writing a file."""

OWN_SETTINGS: Final = "/proc/sys/net"
"""Of a network namespace, which is the host's own (network_namespaces(7))."""

QUIET: Final = _kernel.MS_NOSUID | _kernel.MS_NODEV | _kernel.MS_NOEXEC


def confine_files(guarded: Iterable[Path], *, terminals: bool) -> None:
    """Give this process, and what it starts, mounts of their own.

    Their working folder is as it was, but for what of it is `guarded`, or is where Python looks for modules; it is
    only to be read where it is the system's or guarded itself. Services, whose sockets are files under /run, are
    not to be reached, nor other processes seen. With `terminals`, those of the machine are in /dev/pts.
    """
    try:
        _kernel.unshare(_kernel.CLONE_NEWNS)
        _kernel.mount("none", "/", "", _kernel.MS_REC | _kernel.MS_PRIVATE)
    except OSError:
        return
    folder = _working_folder()
    copy = -1
    if _is_for_writing(folder, guarded):
        with suppress(OSError):
            copy = _kernel.copy_mounts(str(folder))
    _try(_kernel.make_read_only, "/")
    _try(_mount_memory, STAGE, "mode=700")
    for path in TEMPORARY:
        _try(_replace_temporary, path)
    _try(_replace_devices, terminals)
    _try(_mount_memory, Path("/run"), "mode=755")
    _try(_kernel.mount, "proc", "/proc", "proc", QUIET)
    for path in (*READ_ONLY, OWN_SETTINGS):
        _try(_bind_settings, path)
    if copy >= 0:
        _try(_put_back, copy, folder, guarded)
    _try(os.chdir, folder)  # from what is below those mounts


def _try(step: Callable[..., object], *arguments: object) -> None:
    with suppress(OSError):
        step(*arguments)


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return Path("/")


def _is_for_writing(folder: Path, guarded: Iterable[Path]) -> bool:
    return str(folder) not in SHARED and not any(
        folder.is_relative_to(path) for path in (*map(Path, SYSTEM), *guarded)
    )


def _put_back(copy: int, folder: Path, guarded: Iterable[Path]) -> None:
    """Mount the working folder as it was; but nothing in there changes what this program runs the next time."""
    try:
        _kernel.place_mounts(copy, str(folder))
    finally:
        os.close(copy)
    bound: set[Path] = set()
    for path in (*guarded, *map(Path, sys.path)):
        if folder in path.parents:
            _try(_guard, path, folder, bound)


def _guard(path: Path, folder: Path, bound: set[Path]) -> None:
    """Have it only to be read, and stay where it is: what something is mounted on cannot be given another name."""
    for each in (*reversed(path.relative_to(folder).parents[:-1]), path.relative_to(folder)):
        if each not in bound:
            _kernel.bind(str(folder / each), str(folder / each))
            bound.add(each)
    _kernel.make_read_only(str(path))


def _mount_memory(path: Path, options: str, flags: int = QUIET) -> None:
    _kernel.mount("tmpfs", str(path), "tmpfs", flags, f"{BOUNDED},{options}")


def _replace_temporary(path: str) -> None:
    upper, work = (STAGE / kind / path.replace("/", "-") for kind in ("upper", "work"))
    for folder in (upper, work):
        folder.mkdir(parents=True)
    upper.chmod(0o1777)
    options = f"lowerdir={path},upperdir={upper},workdir={work}"
    _kernel.mount("overlay", path, "overlay", _kernel.MS_NOSUID | _kernel.MS_NODEV, options)


def _replace_devices(terminals: bool) -> None:
    new = STAGE / "dev"
    new.mkdir()
    _mount_memory(new, "mode=755", _kernel.MS_NOSUID | _kernel.MS_NOEXEC)
    for name in DEVICES:
        (new / name).touch()
        _try(_kernel.bind, f"/dev/{name}", str(new / name))
    for name, target in LINKS.items():
        (new / name).symlink_to(target)
    for name in ("pts", "shm"):
        (new / name).mkdir()
    if terminals:
        _kernel.bind("/dev/pts", str(new / "pts"))
    else:
        flags = _kernel.MS_NOSUID | _kernel.MS_NOEXEC
        _kernel.mount("devpts", str(new / "pts"), "devpts", flags, "newinstance,ptmxmode=666,mode=620")
    _kernel.make_read_only(str(new))
    _mount_memory(new / "shm", "mode=1777")
    _kernel.bind(str(new), "/dev")


def _bind_settings(path: str) -> None:
    only_read = 0 if path == OWN_SETTINGS else _kernel.MS_RDONLY
    _kernel.mount(path, path, "", _kernel.MS_BIND)
    _kernel.mount("none", path, "", QUIET | _kernel.MS_BIND | _kernel.MS_REMOUNT | only_read)
