"""The number spaces in which headers announce each other."""

from __future__ import annotations

from rawkit.layout import Numbers
from rawkit.wire.unread import (
    ETHER_TYPE_NAMES,
    ETHERNET_NAMES,
    IP_PROTOCOL_NAMES,
    LLC_SAP_NAMES,
    PPP_PROTOCOL_NAMES,
)

__all__ = [
    "ETHER_TYPES",
    "GRE_PROTOCOLS",
    "GRE_PROTOCOLS_UNNUMBERED",
    "IP_PROTOCOLS",
    "LENGTHS_AND_ETHER_TYPES",
    "LINK_LAYERS",
    "LLC_SAPS",
    "LOOP_FAMILIES",
    "MPLS_BOTTOM",
    "MPLS_PAYLOADS",
    "NULL_FAMILIES",
    "PPPOE_CODES",
    "PPP_BYTES",
    "PPP_FRAMES",
    "PPP_PROTOCOLS",
    "SLL_PROTOCOLS",
    "UDP_PORTS",
]

LINK_LAYERS = Numbers("link type")
"""LINKTYPE_ numbers of capture files, see `LinkType`."""

ETHER_TYPES = Numbers("EtherType", names=ETHER_TYPE_NAMES)
"""https://www.iana.org/assignments/ieee-802-numbers"""

IP_PROTOCOLS = Numbers("IP protocol number", nothing=59, names=IP_PROTOCOL_NAMES)
"""https://www.iana.org/assignments/protocol-numbers; 59 says that nothing follows (RFC 8200, section 4.7)."""

UDP_PORTS = Numbers("UDP port")
"""https://www.iana.org/assignments/service-names-port-numbers"""

LENGTHS_AND_ETHER_TYPES = Numbers("EtherType", within=ETHER_TYPES, names=ETHERNET_NAMES)
"""What stands in an Ethernet header: a length up to 1500, or an EtherType (IEEE 802.3, section 3.2.6)."""

LLC_SAPS = Numbers("LLC service access point", names=LLC_SAP_NAMES)
"""https://standards.ieee.org/products-programs/regauth/llc/public/"""

NULL_FAMILIES = Numbers("address family")
"""AF_ values of the systems that capture with `LinkType.NULL`, as they stand there in either byte order."""

LOOP_FAMILIES = Numbers("address family")
"""AF_ values in network order, for `LinkType.LOOP`."""

SLL_PROTOCOLS = Numbers("Linux packet protocol", within=ETHER_TYPES)
"""EtherTypes, and the ETH_P_ values below 1536 of Linux's `if_ether.h`."""

PPP_BYTES = Numbers("PPP protocol", names=PPP_PROTOCOL_NAMES)
"""The PPP protocols whose first byte is zero, and can be left out (RFC 1661, section 6.5)."""

PPP_PROTOCOLS = Numbers("PPP protocol", within=PPP_BYTES)
"""https://www.iana.org/assignments/ppp-numbers"""

PPP_FRAMES = Numbers("first byte of a PPP frame")
"""HDLC's address or none, and a protocol of two bytes or one (RFC 1661, section 6.5)."""

PPPOE_CODES = Numbers("PPPoE code")
"""Of packets in a session there is one, 0 (RFC 2516, section 6)."""

GRE_PROTOCOLS = Numbers("GRE protocol", within=ETHER_TYPES)
"""EtherTypes, and a few that only GRE has (https://www.iana.org/assignments/gre-parameters)."""

GRE_PROTOCOLS_UNNUMBERED = Numbers("GRE protocol", within=GRE_PROTOCOLS)
"""The same where GRE has no sequence number: ERSPAN then has no header."""

MPLS_BOTTOM = Numbers("bottom of stack", otherwise=1)
"""Whether a label stack entry is the last one (RFC 3032, section 2.1)."""

MPLS_PAYLOADS = Numbers("first byte of an MPLS payload")
"""A label stack does not tell what it carries: IP does by its version (RFC 4928, section 3)."""
