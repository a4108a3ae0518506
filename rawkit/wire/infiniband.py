"""IP over InfiniBand (RFC 4391, section 6), with the addresses that Linux captures before it."""

from typing import Annotated

from rawkit.layout import X16, FixedBytes, NextProtocol, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, LINK_LAYERS

__all__ = ["IPoIB"]

Bytes20 = Annotated[bytes, FixedBytes(20)]


class IPoIB(Header, numbers={LINK_LAYERS: LinkType.IPOIB}):
    """The sender's link-layer address as far as the driver knows it, the receiver's, and the EtherType."""

    src: Bytes20 = bytes(20)
    dst: Bytes20 = bytes(20)
    type: X16 = auto(NextProtocol(ETHER_TYPES))
    reserved: X16 = 0
