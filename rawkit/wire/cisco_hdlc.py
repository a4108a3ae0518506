"""Cisco's framing of HDLC: an address, a byte of zero, and an EtherType (RFC 1547, section 4.3.1)."""

from rawkit.layout import X8, X16, NextProtocol, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, LINK_LAYERS

__all__ = ["CiscoHDLC"]


class CiscoHDLC(Header, numbers={LINK_LAYERS: LinkType.C_HDLC}):
    """`address` is 0x0F for one station and 0x8F for all."""

    address: X8 = 0x0F
    control: X8 = 0
    type: X16 = auto(NextProtocol(ETHER_TYPES))
