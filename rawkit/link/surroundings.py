"""Where packets from here end up: in a lab, or on a network with others in it."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import socket
import struct
from pathlib import Path

from rawkit.errors import kernel_error
from rawkit.link import _kernel
from rawkit.link.interfaces import interfaces

__all__ = ["has_hardware", "in_own_namespace", "is_lab", "is_loopback", "own_namespace"]

# <linux/sockios.h>, <linux/ethtool.h>
_SIOCETHTOOL = 0x8946
_ETHTOOL_GDRVINFO = 0x3
_DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")
"""struct ethtool_drvinfo: command, driver, version, firmware, bus, expansion ROM, reserved, sizes."""
_IFREQ = struct.Struct("16sP16x")
"""struct ifreq (<linux/if.h>): name, pointer to the data."""
_IFF_LOOPBACK = 0x8  # <linux/if.h>


def is_lab(interface: str | None) -> bool:
    """Whether what is sent there (None: by the kernel's routes) reaches nobody but whoever is in the same lab.

    A lab is a network namespace that an ancestor of this process does not share, and an interface of it that no
    hardware is behind. A container is none: its processes know of no other namespace, and its network leads out.
    Where it cannot be told, it is no lab. Raises InterfaceError.
    """
    if interface is not None and is_loopback(interface):
        return True
    if not in_own_namespace():
        return False
    names = [interface] if interface is not None else [each.name for each in interfaces()]
    return not any(has_hardware(name) for name in names)


def in_own_namespace() -> bool:
    """Whether some ancestor of this thread, as far as /proc shows them, is in another network namespace."""
    own = own_namespace()
    seen: set[int] = set()
    try:
        # Not getpid(2): in a process namespace of its own, /proc may have other numbers (pid_namespaces(7)).
        process = int(Path("/proc/self").readlink().name)
    except (OSError, ValueError):
        return False
    while own is not None and process > 0 and process not in seen:
        seen.add(process)
        directory = Path("/proc") / str(process)
        if (other := _namespace(directory)) is not None and other != own:
            return True
        try:
            # proc_pid_stat(5): the name, in parentheses, may have any characters; then state and parent.
            process = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):  # gone, or hidden (hidepid): then it is not seen further up
            break
    return False


def own_namespace() -> int | None:
    """What tells the calling thread's network namespace from others (namespaces(7)); None without /proc."""
    return _namespace(Path("/proc/thread-self"))


def _namespace(process: Path) -> int | None:
    """The inode of a process' network namespace; None if it may not be seen."""
    try:
        return (process / "ns" / "net").stat().st_ino
    except OSError:  # another user's process (ptrace(2), access mode checking), or gone
        return None


def is_loopback(interface: str) -> bool:
    """Whether what is sent there comes back. Raises InterfaceError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            return bool(_kernel.interface_flags(control.fileno(), interface) & _IFF_LOOPBACK)
        except OSError as error:
            raise kernel_error(error, f"look at {interface}") from error


def has_hardware(interface: str) -> bool:
    """Whether a device is behind the interface, on a bus that its driver tells (SIOCETHTOOL, netdevice(7)).

    Not read from /sys/class/net, which goes on showing the namespace that it was mounted in.
    """
    answer = ctypes.create_string_buffer(_DRVINFO.pack(_ETHTOOL_GDRVINFO, *[b""] * 6, *[0] * 5), _DRVINFO.size)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, _SIOCETHTOOL, _IFREQ.pack(interface.encode(), ctypes.addressof(answer)))
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:  # no driver has anything to tell
                return False
            raise kernel_error(error, f"look at {interface}") from error
    bus = _DRVINFO.unpack(answer.raw)[4].rstrip(b"\0")
    return bus not in (b"", b"N/A", b"tap", b"tun")
