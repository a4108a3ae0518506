"""Giving privileges up, once what needs them is open (capabilities(7), PR_SET_NO_NEW_PRIVS in prctl(2))."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path
from typing import NamedTuple

from rawkit.errors import KernelError, kernel_error
from rawkit.link import _kernel

__all__ = ["Identity", "calling_user", "drop_privileges", "identity_of"]

NOBODY = 65534


class Identity(NamedTuple):
    """Who a process is to the kernel: user, group, supplementary groups."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def calling_user() -> Identity:
    """Who called for root: the user that sudo, doas or pkexec names, nobody when root itself did.

    A process that is not root is the caller itself.
    """
    if os.geteuid() != 0:
        return Identity(os.getuid(), os.getgid(), tuple(os.getgroups()))
    environment = os.environ
    uid = next((environment[name] for name in ("SUDO_UID", "PKEXEC_UID") if name in environment), "")
    try:
        name = pwd.getpwuid(int(uid)).pw_name if uid.isdecimal() else environment.get("DOAS_USER", "nobody")
        return identity_of(name)
    except KeyError:
        number = int(uid) if uid.isdecimal() else NOBODY
        return Identity(number, number, ())


def identity_of(name: str) -> Identity:
    """The user of that name, with his groups. Raises KeyError."""
    user = pwd.getpwnam(name)
    return Identity(user.pw_uid, user.pw_gid, tuple(sorted(os.getgrouplist(user.pw_name, user.pw_gid))))


def drop_privileges(user: Identity | None = None) -> Identity:
    """Become `user` (None: the calling user) for good, keeping open sockets; returns who that is.

    User, group and supplementary groups change; every capability is given up, in all five sets (the bounding
    set where CAP_SETPCAP allows it); nothing that is executed later can gain any (no_new_privs). What came of
    it is then read back from the kernel for every thread: capabilities are the thread's own, so call this
    before threads are started. In a user namespace that has no other user than root, and for a root without any
    capability, the user stays.

    Raises KernelError when the kernel refuses, or when a thread still holds a privilege.
    """
    user = calling_user() if user is None else user
    try:
        _drop_bounding_set()
        if os.geteuid() == 0 and _capabilities() and _is_mapped(user):
            os.setgroups(user.groups)
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
        _kernel.prctl(_kernel.PR_CAP_AMBIENT, _kernel.PR_CAP_AMBIENT_CLEAR_ALL)
        _kernel.clear_capabilities()
        _kernel.prctl(_kernel.PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        raise kernel_error(error, "drop privileges", "CAP_SETUID, CAP_SETGID and CAP_SETPCAP") from error
    now = Identity(os.getuid(), os.getgid(), tuple(sorted(os.getgroups())))
    _verify(now)
    return now


def _drop_bounding_set() -> None:
    if not _capabilities() >> _kernel.CAP_SETPCAP & 1:
        return  # no right to do so; no_new_privs keeps the set from ever being drawn on
    for capability in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        _kernel.prctl(_kernel.PR_CAPBSET_DROP, capability)


def _capabilities() -> int:
    """The calling thread's effective set."""
    return int(_status(Path("/proc/thread-self"))["CapEff"], 16)


def _is_mapped(user: Identity) -> bool:
    return all(
        any(int(first) <= number < int(first) + int(count) for first, _, count in _map(name))
        for name, numbers in (("uid_map", (user.uid,)), ("gid_map", (user.gid, *user.groups)))
        for number in numbers
    )


def _map(name: str) -> list[list[str]]:
    return [line.split() for line in Path("/proc/thread-self", name).read_text().splitlines()]


def _status(thread: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in thread.joinpath("status").read_text().splitlines())
    return {key: value.strip() for key, _, value in lines}


def _verify(identity: Identity) -> None:
    """Raise unless every thread is that user with no capability and no way to one."""
    for thread in Path("/proc/self/task").iterdir():
        status = _status(thread)
        held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(status[name], 16)]
        if set(status["Uid"].split()) != {str(identity.uid)}:
            held.append("Uid")
        if set(status["Gid"].split()) != {str(identity.gid)}:
            held.append("Gid")
        if status["NoNewPrivs"] != "1":
            held.append("NoNewPrivs")
        if held:
            remedy = f"thread {thread.name} keeps {', '.join(held)}; drop them before threads are started"
            raise KernelError(errno.EPERM, "drop privileges", remedy)
