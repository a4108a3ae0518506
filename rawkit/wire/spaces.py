"""The number spaces in which headers announce each other."""

from __future__ import annotations

from rawkit.layout import Numbers

__all__ = ["ETHER_TYPES", "IP_PROTOCOLS", "LINK_LAYERS"]

LINK_LAYERS = Numbers("link type")
"""LINKTYPE_ numbers of capture files, see `LinkType`."""

ETHER_TYPES = Numbers("EtherType")
"""https://www.iana.org/assignments/ieee-802-numbers"""

IP_PROTOCOLS = Numbers("IP protocol number", nothing=59)
"""https://www.iana.org/assignments/protocol-numbers; 59 says that nothing follows (RFC 8200, section 4.7)."""
