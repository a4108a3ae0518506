"""Network Service Header (RFC 8300), and the VXLAN that tells what it carries (draft-ietf-nvo3-vxlan-gpe)."""

from rawkit.layout import U2, U4, U6, U8, U24, X8, X16, Flag, HeaderLength, NextProtocol, Numbers, Rest, auto
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.ip import IP
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.mpls import MPLS
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, UDP_PORTS

__all__ = ["NSH", "NSH_PROTOCOLS", "VXLANGPE"]

NSH_PROTOCOLS = Numbers("NSH next protocol")
"""https://www.iana.org/assignments/nsh (RFC 8300, section 9.1.5)"""
NSH_PROTOCOLS.add(IP, 1)
NSH_PROTOCOLS.add(IPv6, 2)
NSH_PROTOCOLS.add(Ethernet, 3)
NSH_PROTOCOLS.add(MPLS, 5)


class NSH(Header, numbers={ETHER_TYPES: 0x894F, NSH_PROTOCOLS: 4}):
    """The service path that a packet takes and where it is there (RFC 8300, section 2), with its context."""

    version: U2 = 0
    oam: Flag = False
    unassigned: Flag = False
    ttl: U6 = 63
    length: U6 = auto(HeaderLength(unit=4))
    unassigned_bits: U4 = 0
    metadata_type: U4 = 2
    next_protocol: U8 = auto(NextProtocol(NSH_PROTOCOLS))
    service_path: U24
    service_index: U8 = 255
    context: Rest = b""

    def describe(self) -> str:
        return f"NSH path {self.service_path} index {self.service_index}"


class VXLANGPE(Header, numbers={UDP_PORTS: 4790}):
    """The network that the packet within belongs to, and which protocol that packet is of (section 3.1).

    The flags 0x08 and 0x04 say that the identifier and the protocol are valid.
    """

    flags: X8 = 0x0C
    reserved: X16 = 0
    next_protocol: U8 = auto(NextProtocol(NSH_PROTOCOLS))
    vni: U24 = 0
    reserved_byte: X8 = 0

    def describe(self) -> str:
        return f"VXLAN {self.vni}"
