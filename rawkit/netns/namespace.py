"""One network namespace, held by a descriptor and nothing else (network_namespaces(7))."""

from __future__ import annotations

import errno
import os
import signal
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from rawkit.errors import KernelError, kernel_error
from rawkit.netns import _kernel

__all__ = ["Namespace", "closed"]

MOST_USER_NAMESPACES: Final = Path("/proc/sys/user/max_user_namespaces")
"""Of the user namespace of whoever opens it (namespaces(7)); raising it again takes CAP_SYS_RESOURCE there."""

_CAPABILITY = "CAP_SYS_ADMIN (rawkit.netns.reexec_in_user_namespace gives it to everyone)"

_NO_USERS: Final = dict.fromkeys(
    (errno.ENOSPC, errno.EUSERS, errno.EINVAL), "this machine permits none; see /proc/sys/user/max_user_namespaces"
)


def closed(doing: str) -> KernelError:
    """The error for what is asked of something that ended with its lab, or before."""
    return KernelError(errno.EBADF, doing, "it is closed, or the lab that it belongs to; make another")


class _Entered(threading.local):
    """The namespaces that this thread came from, the latest last."""

    def __init__(self) -> None:
        self.descriptors: list[int] = []


_entered = _Entered()


class Namespace:
    """A network namespace of its own, empty but for `lo`, which is down.

    It has no name under /run/netns: when its descriptors, sockets and programs are gone, so is it, however
    its owner ended. `with namespace:` moves the calling thread into it and back out; threads do not disturb
    each other, and entries nest.

    With `untrusted`, it belongs to a user namespace of its own, `owner`: what is in there has no capabilities but
    over this network, whereas what root has elsewhere reaches all of them, the machine's own too
    (IFLA_NET_NS_PID and IFLA_TARGET_NETNSID in rtnetlink(7); user_namespaces(7)). Nor can it make further user
    namespaces, and with them others of any kind, in which nobody would count its processes.

    Raises NotPermittedError without CAP_SYS_ADMIN in the user namespace.
    """

    def __init__(self, *, untrusted: bool = False) -> None:
        self._descriptor = self.owner = -1
        if untrusted:
            self._descriptor, self.owner = _make_with_owner()
        else:
            self._make()

    def _make(self) -> None:
        try:
            before = os.open(_kernel.CURRENT_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _kernel.unshare(_kernel.CLONE_NEWNET)
                try:
                    self._descriptor = os.open(_kernel.CURRENT_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
                finally:
                    _kernel.setns(before, _kernel.CLONE_NEWNET)
            finally:
                os.close(before)
        except OSError as error:
            self.close()
            raise kernel_error(error, "create a network namespace", _CAPABILITY) from error

    def fileno(self) -> int:
        """The descriptor that holds the namespace; -1 when closed."""
        return self._descriptor

    def close(self) -> None:
        """Let go of the namespace. Closing twice is no error."""
        for descriptor in (self._descriptor, self.owner):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self.owner = -1

    def __enter__(self) -> Self:
        before = os.open(_kernel.CURRENT_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _kernel.setns(self._descriptor, _kernel.CLONE_NEWNET)
        except OSError as error:
            os.close(before)
            raise kernel_error(error, "enter a network namespace", _CAPABILITY) from error
        _entered.descriptors.append(before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = _entered.descriptors.pop()
        try:
            _kernel.setns(before, _kernel.CLONE_NEWNET)
        finally:
            os.close(before)


def _make_with_owner() -> tuple[int, int]:
    """Descriptors of a network namespace, and of the user namespace that owns it, where everybody is who they are.

    Only a process of one thread can make the latter, so a child does, and holds both until they are open.
    """
    with ExitStack() as ours:
        (told, tells), (held, holds) = os.pipe(), os.pipe()
        for descriptor in (told, holds):
            ours.callback(os.close, descriptor)
        with _kernel.uninterrupted():  # Ctrl-C between here and there would have two processes go on
            child = _kernel.fork()
            if child == 0:
                _hold_namespaces(tells, holds, held)
            ours.callback(os.waitpid, child, 0)
            ours.callback(os.kill, child, signal.SIGKILL)
        os.close(tells)
        os.close(held)
        try:
            failed = int(os.read(told, 16) or errno.ECHILD)
            if failed:
                raise OSError(failed, os.strerror(failed))
            for file in ("uid_map", "gid_map"):
                own = [line.split() for line in Path("/proc/self", file).read_text().splitlines()]
                same = "".join(f"{inside} {inside} {count}\n" for inside, _, count in own)
                Path(f"/proc/{child}", file).write_text(same)
            network = os.open(f"/proc/{child}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            ours.callback(os.close, network)
            owner = os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
            return os.dup(network), owner
        except OSError as error:
            raise kernel_error(error, "create a user namespace", _CAPABILITY, remedies=_NO_USERS) from error


def _hold_namespaces(tells: int, holds: int, held: int) -> NoReturn:
    """What the child does: make both, say so, and wait until the other process has them, or is gone."""
    try:
        os.close(holds)
        _kernel.unshare(_kernel.CLONE_NEWUSER | _kernel.CLONE_NEWNET)
        with suppress(OSError):  # where /proc/sys is only to be read
            MOST_USER_NAMESPACES.write_text("0")
        os.write(tells, b"0")
        os.read(held, 1)
    except OSError as error:
        os.write(tells, str(error.errno).encode())
    finally:
        os._exit(0)
