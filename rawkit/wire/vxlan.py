"""Virtual eXtensible Local Area Network (RFC 7348, section 5)."""

from rawkit.layout import U24, X8, X24
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.packet import Header
from rawkit.wire.spaces import UDP_PORTS

__all__ = ["VXLAN"]


class VXLAN(Header, numbers={UDP_PORTS: 4789}, carries=Ethernet):
    """The network that the Ethernet frame within belongs to; flag 0x08 says that the identifier is valid."""

    flags: X8 = 0x08
    reserved: X24 = 0
    vni: U24 = 0
    reserved_byte: X8 = 0

    def describe(self) -> str:
        return f"VXLAN {self.vni}"
