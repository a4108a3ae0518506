"""Cisco's metadata behind a GRE header: the EtherType of what follows, and a security group tag.

Cisco TrustSec; no specification is public. The layout is that which Wireshark reads (packet-cisco-metadata.c).
"""

from rawkit.layout import U3, U8, U13, U16, X16, NextProtocol, auto, expected
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, GRE_PROTOCOLS

__all__ = ["CiscoMetadata"]


class CiscoMetadata(Header, numbers={GRE_PROTOCOLS: 0x8909}):
    """The EtherType comes first here, and last where the metadata stands in an Ethernet frame itself."""

    type: X16 = auto(NextProtocol(ETHER_TYPES))
    version: U8 = expected(1)
    length: U8 = expected(1)
    option_length: U3 = 0
    option_type: U13 = 1
    security_group: U16 = 0
