"""Labs without root: a user namespace, in which everyone may have namespaces (user_namespaces(7))."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from rawkit.errors import KernelError, NotPermittedError, kernel_error
from rawkit.netns import _kernel
from rawkit.netns.namespace import Namespace

__all__ = ["enter_user_namespace", "reexec_in_user_namespace"]

_GUARD = "RAWKIT_IN_USER_NAMESPACE"


def reexec_in_user_namespace() -> None:
    """Return when this process may make namespaces; else start its command again where it may.

    "Where it may" is a user namespace of its own, with a network namespace of its own: the user is root in
    there and nobody outside. The process keeps its number, arguments, environment, directory and open files
    that are inheritable; everything else begins anew, so call this first thing, before there are threads.

    Raises NotPermittedError where the machine forbids user namespaces, KernelError when threads run already and
    for a script from standard input, of which nothing is left to read again.
    """
    try:
        Namespace().close()
    except NotPermittedError:
        if _GUARD in os.environ:
            raise
    else:
        return
    if sys.argv[:1] in ([""], ["-"]) and not os.isatty(0):
        raise KernelError(
            errno.ESPIPE, "start this command again", "the script came from standard input; put it into a file"
        )
    enter_user_namespace()
    arguments = [sys.executable, *sys.orig_argv[1:]]
    try:
        os.execve(sys.executable, arguments, {**os.environ, _GUARD: "1"})
    except OSError as error:
        raise kernel_error(error, f"run {sys.executable} again", "the right to run it") from error


def enter_user_namespace() -> None:
    """Move this process into a new user and network namespace, in which it is root.

    Raises NotPermittedError, KernelError. After an error halfway, the process has no privileges at all.
    """
    uid, gid = os.geteuid(), os.getegid()
    doing = "create a user namespace"
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise KernelError(errno.EINVAL, doing, "only possible before threads are started")
    try:
        # The network namespace comes along because only its owner may return to it, after entering another.
        _kernel.unshare(_kernel.CLONE_NEWUSER | _kernel.CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            remedy = (
                "this machine forbids it; run as root, or allow it (whichever of the two exists): "
                "sudo sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
            )
            raise NotPermittedError(error.errno, doing, remedy) from error
        raise kernel_error(error, doing) from error
