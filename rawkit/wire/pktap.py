"""Apple's packet tap: of which interface and process a packet is (bsd/net/pktap.h; pcap-linktype(7), 258)."""

from rawkit.layout import L16, L32, Bytes20, Bytes24, HeaderLength, NextProtocol, Rest, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["PKTAP"]


class PKTAP(Header, numbers={LINK_LAYERS: (LinkType.PKTAP, LinkType.USER2)}):
    """All numbers are little-endian. macOS up to 10.9 used the link type USER2 for it.

    The names of the interface and of the two processes are padded with zeros. `further` is what later systems add.
    """

    header_length: L32 = auto(HeaderLength())
    record_type: L32 = 1
    link_type: L32 = auto(NextProtocol(LINK_LAYERS))
    interface: Bytes24 = bytes(24)
    flags: L32 = 0
    family: L32 = 0
    link_header_length: L32 = 0
    link_trailer_length: L32 = 0
    process: L32 = 0
    command: Bytes20 = bytes(20)
    service_class: L32 = 0
    interface_type: L16 = 0
    interface_unit: L16 = 0
    effective_process: L32 = 0
    effective_command: Bytes20 = bytes(20)
    further: Rest = b""
