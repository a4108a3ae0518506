"""Link types: what the first header of a captured packet is (https://www.tcpdump.org/linktypes.html)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["LinkType"]


class LinkType(IntEnum):
    """What the first byte of a packet in a capture file belongs to, with libpcap's names and LINKTYPE_ numbers.

    A number that is not listed is kept: `LinkType(9999)` is a member named `LINKTYPE_9999`.
    """

    NULL = 0
    ETHERNET = 1
    RAW = 101
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276

    @classmethod
    def _missing_(cls, value: object) -> LinkType | None:
        if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"LINKTYPE_{value}"
        member._value_ = value
        return member
