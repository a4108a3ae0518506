"""What the two versions of the Internet Protocol have in common: the version, and a pseudo-header.

The version tells which header it is, also behind EtherType 0x0800 and protocol 4: Wireshark reads it so.
"""

from rawkit.layout import U4
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import (
    ETHER_TYPES,
    IP_PROTOCOLS,
    LINK_LAYERS,
    LLC_SAPS,
    LOOP_FAMILIES,
    NULL_FAMILIES,
    PPP_BYTES,
)

__all__ = ["IP"]


class IP(
    Header,
    by="version",
    numbers={
        ETHER_TYPES: 0x0800,
        IP_PROTOCOLS: 4,
        LINK_LAYERS: (LinkType.RAW, LinkType.IPV4),
        LLC_SAPS: 0x06,
        LOOP_FAMILIES: 2,
        NULL_FAMILIES: (0x02000000, 2),
        PPP_BYTES: 0x0021,
    },
):
    """IPv4 or IPv6, as the first four bits tell. Packets have one or the other; `packet[IP]` finds either."""

    version: U4
