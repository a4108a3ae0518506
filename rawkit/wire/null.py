"""The address family before packets of BSD's loopback and tunnel devices (pcap-linktype(7))."""

from rawkit.layout import U32, X32, NextProtocol, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS, LOOP_FAMILIES, NULL_FAMILIES

__all__ = ["Loop", "Null"]


class Null(Header, numbers={LINK_LAYERS: LinkType.NULL}):
    """The family in the byte order of the capturing machine, so that 2 may read as 0x02000000; both are read.

    Filled in, it is as a little-endian machine writes it.
    """

    family: X32 = auto(NextProtocol(NULL_FAMILIES))


class Loop(Header, numbers={LINK_LAYERS: LinkType.LOOP}):
    """The family in network order, as OpenBSD writes it."""

    family: U32 = auto(NextProtocol(LOOP_FAMILIES))
