"""Frame relay (ITU-T Q.922, annex A) with what is said of the payload behind it (RFC 2427, section 3)."""

from typing import Annotated

from rawkit.layout import U4, U6, X16, Flag, NextProtocol, Numbers, UInt, auto, expected
from rawkit.wire.ip import IP
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["FRAME_RELAY_TYPES", "FrameRelay", "LongFrameRelay"]

U1 = Annotated[int, UInt(1)]

FRAME_RELAY_TYPES = Numbers("frame relay payload")
"""Control byte 0x03 and a network layer protocol number (ISO/IEC TR 9577), or an EtherType, as Cisco does it."""

FRAME_RELAY_TYPES.add(IP, 0x03CC, 0x0800)
FRAME_RELAY_TYPES.add(IPv6, 0x038E, 0x86DD)


class FrameRelayFrame(Header, by="last", numbers={LINK_LAYERS: LinkType.FRELAY}):
    """An address of two bytes, or of three, as `last` tells; behind it, what the payload is."""

    dlci_high: U6 = 0
    command: Flag = False
    last_high: Flag = False
    dlci_low: U4 = 0
    forward_congestion: Flag = False
    backward_congestion: Flag = False
    discard_eligible: Flag = False
    last: U1


class FrameRelay(FrameRelayFrame):
    """A frame with an address of two bytes."""

    last: U1 = 1
    type: X16 = auto(NextProtocol(FRAME_RELAY_TYPES))

    def describe(self) -> str:
        return f"FrameRelay {16 * self.dlci_high + self.dlci_low}"


class LongFrameRelay(FrameRelayFrame):
    """A frame with an address of three bytes, the third of which holds the lowest bits of the DLCI."""

    last: U1 = 0
    dlci_lowest: U6 = 0
    control: U1 = 0
    last_of_three: U1 = expected(1, decisive=True)
    type: X16 = auto(NextProtocol(FRAME_RELAY_TYPES))

    def describe(self) -> str:
        return f"FrameRelay {1024 * self.dlci_high + 64 * self.dlci_low + self.dlci_lowest}"
