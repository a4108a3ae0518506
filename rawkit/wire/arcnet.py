"""ARCnet as Linux captures it, with the framing of RFC 1051 or RFC 1201 (tcpdump.org/linktypes, ARCNET_LINUX)."""

from rawkit.layout import U8, U16, X8, X16, NextProtocol, Numbers, auto
from rawkit.wire.arp import AddressResolution
from rawkit.wire.ip import IP
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["ARCNET_PROTOCOLS", "SIMPLE_ARCNET_PROTOCOLS", "ARCnet", "ARCnetFrame", "SimpleARCnet"]

SIMPLE_ARCNET_PROTOCOLS = Numbers("ARCnet system code")
"""Those whose packets are never split (RFC 1051)."""

ARCNET_PROTOCOLS = Numbers("ARCnet system code")
"""Those whose packets can be split (RFC 1201, section 2)."""

SIMPLE_ARCNET_PROTOCOLS.add(IP, 240)
SIMPLE_ARCNET_PROTOCOLS.add(AddressResolution, 241)
ARCNET_PROTOCOLS.add(IP, 212)
ARCNET_PROTOCOLS.add(AddressResolution, 213)
ARCNET_PROTOCOLS.add(IPv6, 196)


class ARCnetFrame(Header, by="protocol", numbers={LINK_LAYERS: LinkType.ARCNET_LINUX}):
    """How a frame begins: addresses of one byte, where in the card's buffer it stood, and the system code."""

    src: U8 = 0
    dst: U8 = 0
    offset: X16 = 0
    protocol: U8


class SimpleARCnet(ARCnetFrame, values=(240, 241)):
    """A frame of RFC 1051."""

    protocol: U8 = auto(NextProtocol(SIMPLE_ARCNET_PROTOCOLS))


class ARCnet(ARCnetFrame, fallback=True):
    """A frame of RFC 1201, whose packet may be split over several."""

    protocol: U8 = auto(NextProtocol(ARCNET_PROTOCOLS))
    split_flag: X8 = 0
    sequence: U16 = 0
