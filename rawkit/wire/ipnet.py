"""What Solaris captures at its IP observability devices (sys/dlpi.h, `dl_ipnetinfo_t`)."""

from rawkit.layout import U8, U16, U32, Length, NextProtocol, Numbers, auto
from rawkit.wire.ip import IP
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["IPNET_FAMILIES", "IPNet"]

IPNET_FAMILIES = Numbers("Solaris address family")
IPNET_FAMILIES.add(IP, 2)
IPNET_FAMILIES.add(IPv6, 26)


class IPNet(Header, numbers={LINK_LAYERS: LinkType.IPNET}):
    """The address family and where the packet was seen: hook, interfaces and zones."""

    version: U8 = 1
    family: U8 = auto(NextProtocol(IPNET_FAMILIES))
    hook: U16 = 0
    length: U32 = auto(Length())
    interface: U32 = 0
    group_interface: U32 = 0
    source_zone: U32 = 0
    destination_zone: U32 = 0
