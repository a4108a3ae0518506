"""What Linux's netfilter tells of a packet that it logs (pcap-linktype(7), 239; linux/netfilter/nfnetlink_log.h).

The numbers of attributes are in the byte order of the machine, taken to be little-endian.
"""

from typing import ClassVar

from rawkit.layout import L16, U8, U16, X8, HeaderLength, Length, Rest, auto
from rawkit.wire.ip import IP
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["NFLOG", "NFLOGAttribute", "NFLOGPacket", "NFLOGPadding"]


class NFLOGPadding(Header):
    """What fills the last attribute up to a whole word."""

    trailer_lengths: ClassVar[tuple[int, int]] = (0, 3)

    padding: Rest = b""

    def describe(self) -> str:
        return "padding"


class NFLOGAttributes(Header, by="type"):
    """What one of the attributes is about, and its length, which counts these 4 bytes too."""

    length: L16
    type: U8
    flags: X8 = 0


class NFLOGPacket(NFLOGAttributes, carries=IP, trailed_by=NFLOGPadding):
    """The attribute that holds the packet, which is the last."""

    length: L16 = auto(Length(header=True))
    type: U8 = 9


class NFLOGAttribute(NFLOGAttributes, carries=NFLOGAttributes, fallback=True):
    """Any other attribute; its value with the bytes that pad it to a whole word."""

    length: L16 = auto(HeaderLength(padded=4))
    value: Rest = b""


class NFLOG(Header, carries=NFLOGAttributes, numbers={LINK_LAYERS: LinkType.NFLOG}):
    """The address family, and the group that the packet was logged to; attributes follow."""

    family: U8 = 2
    version: U8 = 0
    group: U16 = 0
