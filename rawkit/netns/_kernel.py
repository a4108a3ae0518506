"""System calls and ioctls on namespaces and links that Python has no name for, each with its header."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "CURRENT_NETWORK",
    "drop_capabilities",
    "fork",
    "setns",
    "switch_offloads_off",
    "synchronize_carrier",
    "uninterrupted",
    "unshare",
]

# <linux/sched.h>
CLONE_NEWNS = 0x0002_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = (1 << bit for bit in (0, 1, 2, 3, 5, 12))
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18  # <linux/mount.h>, as what follows
MOUNT_ATTR_RDONLY = 1
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
# <linux/fcntl.h>
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
# <asm-generic/unistd.h>, the same on all architectures
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
# <linux/sockios.h>
SIOCETHTOOL = 0x8946
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
SIOCBRADDIF = 0x89A2
IFF_UP = 0x1  # <linux/if.h>
# <linux/ethtool.h>
ETHTOOL_GLINK = 0x0A
ETHTOOL_STXCSUM = 0x17
ETHTOOL_STSO = 0x1F
ETHTOOL_SGSO = 0x24
ETHTOOL_SGRO = 0x2C

# <linux/capability.h>: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, NET_BROADCAST,
# NET_ADMIN, NET_RAW
HARMLESS = frozenset({0, 1, 3, 4, 5, 6, 7, 10, 11, 12, 13})
LAST_CAPABILITY = 63
# <linux/prctl.h>
PR_CAPBSET_DROP = 24

CURRENT_NETWORK = "/proc/thread-self/ns/net"

_IFREQ_FLAGS = struct.Struct("@16sH22x")  # struct ifreq (<linux/if.h>), with ifr_flags
_IFREQ_INDEX = struct.Struct("@16si20x")  # with ifr_ifindex
_IFREQ_POINTER = struct.Struct("@16sP16x")  # struct ifreq (<linux/if.h>), with ifr_data
_ETHTOOL_VALUE = struct.Struct("=II")  # struct ethtool_value (<linux/ethtool.h>): command, data
_MOUNT_ATTRIBUTES = struct.Struct("=QQQQ")  # struct mount_attr (<linux/mount.h>): to set, to clear, and others

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold what ends a command back until the end of the block: for what must not be left half done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fork() -> int:
    """Fork, as os.fork does, though there are other threads, of which Python 3.12 and later warn.

    In the child only this thread goes on, and a lock that another one held then is never given back. Those of
    the C library (malloc) and of Python (imports, files, logging, threads) are put in order by fork itself. Of
    rawkit's own threads one waits for the other, with nothing in its hands. What is left is what a program's own
    threads may hold in other libraries: the function that the program wants called has to leave that alone.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return os.fork()


def unshare(flags: int) -> None:
    """Give the calling thread namespaces of its own (unshare(2)). Raises OSError."""
    if _libc.unshare(ctypes.c_int(flags)) < 0:
        _raise_errno("unshare")


def setns(descriptor: int, kind: int) -> None:
    """Move the calling thread into the namespace behind a descriptor (setns(2)). Raises OSError."""
    if _libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)) < 0:
        _raise_errno("setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system, or change how one is (mount(2)). Raises OSError."""
    arguments = (ctypes.c_char_p(text.encode()) for text in (source, target, kind))
    if _libc.mount(*arguments, ctypes.c_ulong(flags), ctypes.c_char_p(os.fsencode(options) or None)) < 0:
        _raise_errno("mount")


def unmount(target: str) -> None:
    """Take away what is mounted there (umount(2)). Raises OSError."""
    if _libc.umount(ctypes.c_char_p(target.encode())) < 0:
        _raise_errno("umount")


def bind(source: str, target: str) -> None:
    """Have files appear at another place, too, with all that is mounted below (mount(2)). Raises OSError."""
    mount(source, target, "", MS_BIND | MS_REC)


def make_read_only(path: str) -> None:
    """Have nothing written to a mount, nor to those below it (mount_setattr(2)). Raises OSError."""
    attributes = ctypes.create_string_buffer(_MOUNT_ATTRIBUTES.pack(MOUNT_ATTR_RDONLY, 0, 0, 0))
    _call("mount_setattr", SYS_MOUNT_SETATTR, AT_FDCWD, path, AT_RECURSIVE, attributes, _MOUNT_ATTRIBUTES.size)


def copy_mounts(path: str) -> int:
    """A descriptor of a copy of what is mounted there, for `place_mounts` (open_tree(2)). Raises OSError."""
    flags = OPEN_TREE_CLONE | AT_RECURSIVE | os.O_CLOEXEC
    return _call("open_tree", SYS_OPEN_TREE, AT_FDCWD, path, flags)


def place_mounts(copy: int, path: str) -> None:
    """Mount such a copy (move_mount(2)). Raises OSError."""
    _call("move_mount", SYS_MOVE_MOUNT, copy, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)


def _call(name: str, number: int, *arguments: int | str | ctypes.Array[ctypes.c_char]) -> int:
    """A system call that libc may have no function for (syscall(2))."""
    passed: list[Any] = [ctypes.c_long(number)]
    for each in arguments:
        text = ctypes.c_char_p(os.fsencode(each)) if isinstance(each, str) else each
        passed.append(ctypes.c_long(text) if isinstance(text, int) else text)
    result = int(_libc.syscall(*passed))
    if result < 0:
        _raise_errno(name)
    return result


def drop_capabilities() -> None:
    """Let no program that this process becomes have other capabilities than those for files and packets.

    Root gets at exec what is in the bounding set (capabilities(7)). Raises OSError.
    """
    for capability in range(LAST_CAPABILITY + 1):
        if capability not in HARMLESS:
            zeros = [ctypes.c_ulong(0)] * 3
            if _libc.prctl(ctypes.c_int(PR_CAPBSET_DROP), ctypes.c_ulong(capability), *zeros) < 0:
                if ctypes.get_errno() == errno.EINVAL:  # newer than this kernel
                    return
                _raise_errno("prctl")


def synchronize_carrier(interface: str) -> None:
    """Let the kernel act at once on a carrier that came, which it else does in its own time.

    Reading the link state does it (ETHTOOL_GLINK): with the carrier come the operational state, the routes
    and the IPv6 link-local address. Raises OSError.
    """
    _ethtool(interface, ETHTOOL_GLINK, 0)


def switch_offloads_off(interface: str) -> None:
    """Let the kernel finish checksums and cut segments itself, before a capture sees them. Raises OSError."""
    for command in (ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO):
        _ethtool(interface, command, 0)


def raise_interface(name: str) -> None:
    """Raise an interface of this thread's network (SIOCSIFFLAGS in netdevice(7)). Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = fcntl.ioctl(control, SIOCGIFFLAGS, _IFREQ_FLAGS.pack(os.fsencode(name), 0))
        _, flags = _IFREQ_FLAGS.unpack(asked)
        fcntl.ioctl(control, SIOCSIFFLAGS, _IFREQ_FLAGS.pack(os.fsencode(name), flags | IFF_UP))


def add_to_bridge(bridge: str, index: int) -> None:
    """Make an interface a port of a bridge of this thread's network (SIOCBRADDIF). Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCBRADDIF, _IFREQ_INDEX.pack(os.fsencode(bridge), index))


def _ethtool(interface: str, command: int, value: int) -> None:
    held = ctypes.create_string_buffer(_ETHTOOL_VALUE.pack(command, value), _ETHTOOL_VALUE.size)
    request = _IFREQ_POINTER.pack(os.fsencode(interface), ctypes.addressof(held))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCETHTOOL, request)


def _raise_errno(call: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{call}: {os.strerror(number)}")
