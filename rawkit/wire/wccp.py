"""Redirection to a web cache in GRE (WCCP; draft-mclaggan-wccp-v2rev1, section 4.12)."""

from rawkit.layout import U8, X8, Numbers
from rawkit.wire.ip import IP
from rawkit.wire.packet import Header
from rawkit.wire.spaces import GRE_PROTOCOLS

__all__ = ["WCCP", "WCCPRedirect"]

WCCP_BYTES = Numbers("first byte of a redirected packet")
WCCP_BYTES.add(IP, *range(0x40, 0x50))


class WCCPRedirect(Header, carries=IP):
    """The service for whose sake the packet goes to the cache, and the bucket that its addresses hash to."""

    flags: X8 = 0
    service: U8 = 0
    alternative_bucket: U8 = 0
    primary_bucket: U8 = 0

    def describe(self) -> str:
        return f"WCCP service {self.service}"


class WCCP(Header, by=WCCP_BYTES, fallbacks=(WCCPRedirect,), numbers={GRE_PROTOCOLS: 0x883E}):
    """Behind GRE: in version 1 the packet itself, in version 2 a header first. Packets have one of these."""
