"""The one place that opens files: to read, to write a stream that grows, or a file that appears finished.

Capturing is done as root, often into folders that others may write to, so nothing is ever written through a
link: neither a symbolic one nor, since its other names would change too, a hard one.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, TextIO, cast

from rawkit.errors import FileError, file_error

__all__ = [
    "Target",
    "Writable",
    "is_replaceable",
    "open_input",
    "open_output",
    "path_of",
    "reading",
    "replacing",
    "write_all",
]

Target = str | os.PathLike[str] | BinaryIO
"""A path, `-` for standard input or output, or a file object open in binary mode."""


class Writable(Protocol):
    """What is written to: a file, or what compresses into one."""

    def write(self, data: bytes, /) -> int | None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
_STREAM_FOLDERS = ("/dev/fd/", "/proc/self/fd/")  # where shells put the pipes of `>(command)`

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
_MODE = 0o666  # less the umask
_PRIVATE = 0o600


def path_of(target: object) -> str | None:
    """The name in a path; None for a file object. Raises `FileError` for what can be no file's name."""
    if not isinstance(target, str | os.PathLike):
        return None
    name = os.fsdecode(target)
    try:
        possible = name != "" and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise FileError(errno.EINVAL, f"file name {name!r}", "no file can have this name; check it")
    return name


def open_input(source: Target) -> tuple[BinaryIO | FileIO, str, bool]:
    """The file to read, its name for messages, and whether it was opened here.

    Raises `FileError`, and `TypeError` for what is neither a path nor a binary file.
    """
    name = path_of(source)
    if name is None:
        return *_binary_file(source, "read"), False
    if name == "-":
        return _standard(sys.stdin, "standard input"), "standard input", False
    try:
        return FileIO(name, "rb"), name, True
    except OSError as error:
        raise file_error(error, f"open {name}") from error


def reading(file: BinaryIO | FileIO) -> Callable[[int], bytes]:
    """A function that reads at most n bytes, as soon as there are any, and gives b"" at the end."""
    read: Callable[[int], bytes | None] = getattr(file, "read1", file.read)

    def read_some(count: int) -> bytes:
        try:
            part = read(count)
        except ValueError as error:
            if not getattr(file, "closed", False):
                raise
            raise OSError(errno.EBADF, "closed") from error
        if part is None:
            raise BlockingIOError(errno.EAGAIN, "no bytes yet")
        return part

    return read_some


def open_output(target: Target) -> tuple[BinaryIO | FileIO, str, bool]:
    """The file to write, its name for messages, and whether it was opened here.

    A regular file is emptied. Raises `FileError`, also for a link, and `TypeError` for what is neither a path
    nor a binary file.
    """
    name = path_of(target)
    if name is None:
        return *_binary_file(target, "write"), False
    if name == "-":
        return _standard(sys.stdout, "standard output"), "standard output", False
    stream = _stream(name)
    try:
        if stream is not None:
            return FileIO(os.dup(stream), "wb"), name, True
        return FileIO(_create(name), "wb"), name, True
    except OSError as error:
        raise file_error(error, f"write {name}") from error


def is_replaceable(name: str) -> bool:
    """Whether `name` is, or would be, a regular file; not so a pipe, a device or an open stream."""
    if name == "-" or _stream(name) is not None:
        return False
    try:
        mode = os.lstat(name).st_mode
    except OSError:
        return True
    return stat.S_ISREG(mode)


@contextmanager
def replacing(name: str) -> Iterator[FileIO]:
    """A new file that takes the place of `name` when the block ends well, and vanishes when it does not.

    Whoever looks at `name` sees all of the old file or all of the new one. The mode of the old file is kept,
    and its owner and group as far as that is permitted. Raises `FileError`.
    """
    try:
        descriptor, temporary = _create_beside(name)
    except OSError as error:
        raise file_error(error, f"write {name}") from error
    try:
        with FileIO(descriptor, "wb") as file:
            file.name = name  # for messages
            yield file
        try:
            temporary.replace(name)
        except OSError as error:
            raise file_error(error, f"write {name}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def output(target: Target) -> Iterator[BinaryIO | FileIO]:
    """The file to write within the block: a regular file by `replacing`, all else as `open_output` opens it."""
    name = path_of(target)
    if name is not None and is_replaceable(name):
        with replacing(name) as file:
            yield file
        return
    opened, _, is_mine = open_output(target)
    try:
        yield opened
    finally:
        if is_mine:
            opened.close()


def write_all(file: Writable, pending: bytearray, name: str) -> None:
    """Write `pending` to the end and empty it as it goes; hand it on to the kernel. Raises `FileError`."""
    whole = len(pending)
    try:
        while pending:
            written: int | None = file.write(bytes(pending))
            if written is None:
                raise BlockingIOError(errno.EAGAIN, "no room yet")
            del pending[:written]
        file.flush()
    except OSError as error:
        _take_back(file, whole - len(pending))
        pending.clear()
        raise file_error(error, f"write {name}") from error
    except ValueError as error:
        if not getattr(file, "closed", False):
            raise
        raise file_error(OSError(errno.EBADF, "closed"), f"write {name}") from error


def _take_back(file: Writable, count: int) -> None:
    """Cut the last `count` bytes, which are the beginning of what did not fit, off a regular file."""
    if isinstance(file, FileIO) and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        os.ftruncate(file.fileno(), os.lseek(file.fileno(), 0, os.SEEK_CUR) - count)


def _binary_file(target: object, method: Literal["read", "write"]) -> tuple[BinaryIO, str]:
    """The file object and its name for messages."""
    is_text = hasattr(target, "encoding")  # io.TextIOBase, and what wraps one
    if is_text or not callable(getattr(target, method, None)):
        found = "a file open in text mode" if is_text else type(target).__name__
        remedy = " (bytes in memory: io.BytesIO; a path in bytes: os.fsdecode)" if method == "read" else ""
        raise TypeError(f"expected a path, '-' or a file open in binary mode, got {found}{remedy}")
    return cast("BinaryIO", target), str(getattr(target, "name", "capture"))


def _standard(stream: TextIO | None, name: str) -> BinaryIO:
    """The bytes below `sys.stdin` or `sys.stdout`, which Python sets to None where they are closed."""
    if stream is None:
        raise file_error(OSError(errno.EBADF, ""), f"open {name}")
    return stream.buffer


def _stream(name: str) -> int | None:
    """The descriptor that a name such as /dev/stdout or /dev/fd/63 stands for."""
    if name.startswith(_STREAM_FOLDERS) and Path(name).name.isdecimal():
        return int(Path(name).name)
    return _STREAMS.get(name)


def _create(name: str) -> int:
    descriptor = os.open(name, _CREATE, _MODE)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            if status.st_nlink > 1:
                raise OSError(errno.EMLINK, "has several names", name)
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _create_beside(name: str) -> tuple[int, Path]:
    """A new file in the folder of `name`, as readable as the one of that name. What is there is not touched."""
    try:
        status = os.lstat(name)
    except FileNotFoundError:
        status = None
    for attempt in range(100):
        temporary = Path(name).with_name(f".rawkit-{os.getpid()}-{attempt}.part")
        try:
            descriptor = os.open(temporary, _CREATE | os.O_EXCL, _MODE if status is None else _PRIVATE)
        except FileExistsError:
            continue
        if status is not None:
            _make_like(descriptor, status)
        return descriptor, temporary
    raise FileExistsError(errno.EEXIST, "cannot make a temporary file", name)


def _make_like(descriptor: int, status: os.stat_result) -> None:
    """Give a file the owner, group and mode of another, as far as this is permitted."""
    mode = stat.S_IMODE(status.st_mode)
    with suppress(OSError):
        os.fchown(descriptor, -1, status.st_gid)
    if os.fstat(descriptor).st_gid != status.st_gid:
        mode &= ~stat.S_IRWXG  # what one group was allowed is not for another
    with suppress(OSError):  # some file systems have no modes
        os.fchmod(descriptor, mode)
    with suppress(OSError):
        os.fchown(descriptor, status.st_uid, -1)
