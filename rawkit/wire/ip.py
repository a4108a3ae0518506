"""What the two versions of the Internet Protocol have in common: the version, and a pseudo-header."""

from rawkit.layout import U4
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["IP"]


class IP(Header, by="version", numbers={LINK_LAYERS: LinkType.RAW}):
    """IPv4 or IPv6, as the first four bits tell. Packets have one or the other; `packet[IP]` finds either."""

    version: U4
