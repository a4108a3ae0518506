"""What the three kinds of UNIX sockets have in common (unix(7)): addresses, credentials, open files they pass.

An address is the path of a socket file, or `@name` for the abstract namespace, which is no file and which a
network namespace has of its own.
"""

from __future__ import annotations

import array
import errno
import os
import socket
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from rawkit.echo.addresses import show
from rawkit.echo.endpoint import Credentials, MakeSocket, Received, explained
from rawkit.errors import FieldError, KernelError

__all__ = ["REMEDIES", "Bound", "Files", "bind", "connect", "credentials_of", "receive", "remove", "room_for"]

UCRED: Final = struct.Struct("=iII")
"""struct ucred (<linux/socket.h>): process, user, group."""

NO_LINGER: Final = struct.pack("=ii", 0, 0)
"""struct linger: off."""

LONGEST: Final = 107
"""Bytes of a path, which a zero follows (sun_path of unix(7))."""

DESCRIPTORS: Final = 253
"""Open files that one message can bring (SCM_MAX_FD, <net/scm.h>)."""

REMEDIES: Final = {
    errno.EADDRINUSE: "another socket has that name; choose another, or end the program that `ss -lxp` shows",
    errno.ECONNREFUSED: "no server has that socket open; start one with `rawkit echo serve`",
    errno.ENOENT: "no such socket or folder; start a server there with `rawkit echo serve`, or check the name",
    errno.EPROTOTYPE: "the socket there is of another kind; see its kind with `ss -xl`",
    errno.EMSGSIZE: "too large for one message; see /proc/sys/net/core/wmem_max",
    errno.EACCES: "this user may not: check the owner and mode of the socket and its folder",
    errno.EAGAIN: "the server's queue is full; it does not keep up",
    errno.EPERM: "the socket there is connected to another, and hears nobody else",
}


class Bound(NamedTuple):
    """A socket file that was made here: which one, so that nobody else's is removed."""

    path: Path
    device: int
    inode: int


def bind(made: socket.socket, address: str, make: MakeSocket) -> Bound | None:
    """Give a socket its address. The file of a server that is gone is removed before; nothing else ever is.

    Returns the file that was made, None for an abstract name. Raises KernelError, FieldError.
    """
    where = _checked(address)
    missing = {errno.ENOENT: "no such folder; check the name"}
    with explained(f"bind to {show(address)}", remedies={**REMEDIES, **missing}):
        if not address.startswith("@"):
            _refuse_links_of_others(Path(address))
        try:
            made.bind(where)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or address.startswith("@"):
                raise
            _remove_stale(Path(address), make)
            made.bind(where)
    return None if address.startswith("@") else _file(Path(address))


def connect(made: socket.socket, address: str, timeout: float | None) -> None:
    """Connect to the server at that address. Raises KernelError, FieldError, TimedOut."""
    with explained(f"connect to {show(address)}", timeout, remedies=REMEDIES):
        made.connect(_checked(address))


def remove(bound: Bound | None) -> None:
    """Remove a socket file, if it still is the one that was made here."""
    if bound is not None:
        with suppress(OSError):
            if _file(bound.path) == bound:
                bound.path.unlink()


def _checked(address: str) -> str | bytes:
    """An address as sockets take it."""
    name = os.fsencode(address)
    if not name.strip(b"@") or b"\0" in name or len(name) > LONGEST:
        raise FieldError("echo", "address", address, f"a path or @name of 1 to {LONGEST} bytes")
    return b"\0" + name[1:] if name.startswith(b"@") else name


def _file(path: Path) -> Bound | None:
    """The socket file there, which a link to one is not."""
    found = path.lstat()
    return Bound(path, found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None


def _refuse_links_of_others(path: Path) -> None:
    """Raise KernelError if somebody else's link in a shared folder leads there (protected_symlinks in proc(5))."""
    for part in path.absolute().parents:
        link, folder = part.lstat(), part.parent.stat()
        shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
        if stat.S_ISLNK(link.st_mode) and shared and link.st_uid not in (os.geteuid(), folder.st_uid):
            remedy = (
                f"{show(str(part))} is another user's link in a shared folder; name the folder that it leads to"
            )
            raise KernelError(errno.EACCES, f"bind to {show(str(path))}", remedy)


def _remove_stale(path: Path, make: MakeSocket) -> None:
    """Remove the socket file of a server that is gone. Raises KernelError if it is there, OSError.

    A datagram socket that connects tells: refused is what nobody has open. Another kind of socket is of a wrong
    type, whether it listens already or not (EPROTOTYPE), and takes no notice of it.
    """
    before = _file(path)
    if before is None:
        remedy = "something that is no socket has that name, and is left alone; choose another"
        raise KernelError(errno.EADDRINUSE, f"bind to {show(str(path))}", remedy)
    with make(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(os.fsencode(path))
        except ConnectionRefusedError:
            remove(before)
            return
        except OSError as error:
            if error.errno not in (errno.EPROTOTYPE, errno.EPERM):  # EPERM: connected to another
                raise
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def credentials_of(connection: socket.socket) -> Credentials:
    """Who connected, or listened, at the other end (SO_PEERCRED)."""
    return Credentials(*UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)))


Ancillary = Iterable[tuple[int, int, bytes]]
"""What recvmsg(2) returns beside the data: level, type and data of each."""


def room_for(credentials: bool = False, descriptors: bool = False) -> int:
    """Bytes for recvmsg(2) to put such messages in."""
    files = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize) if descriptors else 0
    return files + (socket.CMSG_SPACE(UCRED.size) if credentials else 0)


def _credentials_in(ancillary: Ancillary) -> Credentials | None:
    """Who sent a message (SCM_CREDENTIALS), if the kernel was asked to tell (SO_PASSCRED)."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and len(data) == UCRED.size:
            return Credentials(*UCRED.unpack(data))
    return None


def _descriptors_in(ancillary: Ancillary) -> tuple[int, ...]:
    """The open files that came with a message (SCM_RIGHTS)."""
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return tuple(found)


def receive(made: socket.socket, size: int, room: int) -> Received:
    """One recvmsg(2), with `room` bytes for what comes beside the data."""
    data, ancillary, flags, peer = made.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    truncated = bool(flags & socket.MSG_TRUNC)
    return Received(data, peer, truncated, None, _credentials_in(ancillary), _descriptors_in(ancillary))


class Files:
    """Open files that go with the next message that is sent (SCM_RIGHTS).

    A server is lent what its client passes: it goes back with the answer, and the server's copy is closed.
    """

    def __init__(self, descriptors: Iterable[int] = (), *, lent: bool = False) -> None:
        self._waiting, self._lent = tuple(descriptors), lent

    def send(self, made: socket.socket, data: bytes | memoryview, to: Any = None, flags: int = 0) -> int:
        """Send the data, with those that wait: sendmsg(2), or send(2) and sendto(2) where none do."""
        if not self._waiting:
            return made.send(data, flags) if to is None else made.sendto(data, flags, to)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", self._waiting))]
        sent = made.sendmsg([data], rights, flags, to)
        self.take(())
        return sent

    def take(self, descriptors: Iterable[int]) -> None:
        """Have these wait instead of those that did."""
        before, self._waiting = self._waiting, tuple(descriptors)
        if self._lent:
            for each in before:
                _close(each)


def _close(descriptor: int) -> None:
    """Close what others passed at once. A socket may be set to linger until all is sent (SO_LINGER, socket(7))."""
    try:
        made = socket.socket(fileno=descriptor)
    except OSError:  # it is none
        os.close(descriptor)
        return
    with made, suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
