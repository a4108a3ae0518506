"""Marks: frames behind which nothing else comes, so that a capture knows when it has seen all."""

from __future__ import annotations

from typing import Final

from rawkit.errors import PacketError
from rawkit.wire import Ethernet

__all__ = ["MARK", "is_mark"]

ETHER_TYPE: Final = 0x88B6
"""Of IEEE 802, for experiments within a network."""

MARK: Final = bytes(Ethernet(dst="01:80:c2:00:00:0e", src="02:00:00:ff:ff:ff", type=ETHER_TYPE) / bytes(46))
"""To the nearest bridge (IEEE 802.1Q, table 8-1): a switch keeps it to itself, and so it stays on its link."""


def is_mark(data: bytes) -> bool:
    """Whether a frame is a mark."""
    try:
        return Ethernet.parse(data)[0].type == ETHER_TYPE
    except PacketError:
        return False
