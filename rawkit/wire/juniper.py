"""What Juniper's routers put before the Ethernet frames that they capture.

No specification is public. The layout is that which tcpdump reads (print-juniper.c).
"""

from rawkit.layout import U5, U16, X24, Flag, HeaderLength, Rest, auto, expected
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["JuniperEthernet"]


class JuniperEthernet(Header, carries=Ethernet, numbers={LINK_LAYERS: LinkType.JUNIPER_ETHER}):
    """Which way the frame went, and extensions that tell of the interface, as bytes."""

    magic: X24 = expected(0x4D4743, decisive=True)
    extended: Flag = expected(1, decisive=True)
    reserved: U5 = 0
    link_layer_left_out: Flag = expected(0, decisive=True)
    incoming: Flag = False
    extensions_length: U16 = auto(HeaderLength(minus=6))
    extensions: Rest = b""
