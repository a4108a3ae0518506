"""Whether a UNIX socket has read what was sent to it, as the kernel tells of all of them (sock_diag(7))."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

from rawkit.echo.endpoint import MakeSocket

__all__ = ["has_unread"]

NETLINK_SOCK_DIAG: Final = 4
SOCK_DIAG_BY_FAMILY: Final = 20
DUMP: Final = 0x301
"""NLM_F_REQUEST | NLM_F_DUMP (netlink(7))."""
DONE: Final = (2, 3)
"""NLMSG_ERROR, NLMSG_DONE."""
ALL_STATES: Final = 0xFFFF_FFFF
SHOW: Final = 0x11
"""UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN (<linux/unix_diag.h>)."""
NAME, QUEUES = 0, 4

MESSAGE: Final = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
REQUEST: Final = struct.Struct("=BBHIIIQ")
"""struct unix_diag_req: family, protocol, padding, states, inode, what to show, cookie."""
SOCKET: Final = struct.Struct("=BBBxIQ")
"""struct unix_diag_msg: family, type, state, inode, cookie."""
ATTRIBUTE: Final = struct.Struct("=HH")
"""struct rtattr: length and type."""
LENGTHS: Final = struct.Struct("=II")
"""struct unix_diag_rqlen: bytes to read (of the first datagram), bytes that others have to read."""

LARGEST: Final = 1 << 16


def has_unread(name: str | bytes, make: MakeSocket) -> bool:
    """Whether there is something to read at the datagram socket of this name. Raises OSError."""
    wanted = os.fsencode(name)
    with make(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        request = REQUEST.pack(socket.AF_UNIX, 0, 0, ALL_STATES, 0, SHOW, 0)
        kernel.send(MESSAGE.pack(MESSAGE.size + REQUEST.size, SOCK_DIAG_BY_FAMILY, DUMP, 0, 0) + request)
        for told in _messages(kernel):
            facts = dict(_attributes(told[SOCKET.size :]))
            if SOCKET.unpack_from(told)[1] == socket.SOCK_DGRAM and facts.get(NAME, b"").rstrip(b"\0") == wanted:
                return bool(LENGTHS.unpack(facts[QUEUES])[0])
    return False


def _messages(kernel: Any) -> Iterator[bytes]:
    """What each message of a dump carries."""
    while True:
        data = kernel.recv(LARGEST)
        while data:
            length, kind, *_ = MESSAGE.unpack_from(data)
            if kind in DONE:
                return
            yield data[MESSAGE.size : length]
            data = data[_aligned(length) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        length, kind = ATTRIBUTE.unpack_from(data)
        yield kind, data[ATTRIBUTE.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return -(-length // 4) * 4
