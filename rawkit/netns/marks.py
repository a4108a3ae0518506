"""Marks: frames behind which nothing else comes, so that a capture knows when it has seen all."""

from __future__ import annotations

from typing import Final

from rawkit.errors import PacketError
from rawkit.wire import Ethernet

__all__ = ["mark", "mark_in"]

ETHER_TYPE: Final = 0x88B6
"""Of IEEE 802, for experiments within a network."""

LENGTH: Final = 46
"""Bytes behind the header: the least of an Ethernet frame (IEEE 802.3, clause 4.4.2)."""

_HEADER: Final = Ethernet(dst="01:80:c2:00:00:0e", src="02:00:00:ff:ff:ff", type=ETHER_TYPE)
"""To the nearest bridge (IEEE 802.1Q, table 8-1): a switch keeps it to itself, and so it stays on its link."""


def mark(name: str) -> bytes:
    """A mark of that name, by which it is told from others."""
    return bytes(_HEADER / name.encode().ljust(LENGTH, b"\0"))


def mark_in(data: bytes) -> str:
    """The name of a mark; empty for any other frame."""
    try:
        ethernet, name = Ethernet.parse(data)
    except PacketError:
        return ""
    return name.rstrip(b"\0").decode(errors="replace") if ethernet.type == ETHER_TYPE else ""
