"""IPsec's two headers: authentication (RFC 4302) and encapsulating security payload (RFC 4303), over either IP.

The latter is also in UDP (RFC 3948).
"""

from __future__ import annotations

from rawkit.layout import U8, U32, X8, X16, X32, HeaderLength, NextProtocol, Numbers, Rest, auto, expected
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS, UDP_PORTS

__all__ = ["AH", "ESP", "ESPinUDP", "NATKeepalive", "NonESPMarker"]


class AH(Header, numbers={IP_PROTOCOLS: 51}):
    """Authentication header (RFC 4302, section 2); `icv` is the integrity check value with its padding.

    The length counts words of 4 bytes, less 2.
    """

    next_header: U8 = auto(NextProtocol(IP_PROTOCOLS))
    payload_len: U8 = auto(HeaderLength(unit=4, minus=2))
    reserved: X16 = 0
    spi: X32
    sequence: U32 = 0
    icv: Rest = b""

    def describe(self) -> str:
        return f"AH spi=0x{self.spi:08x} seq={self.sequence}"


class ESP(Header, numbers={IP_PROTOCOLS: 50}):
    """Encapsulating security payload (RFC 4303, section 2). What follows is encrypted, and stays payload."""

    spi: X32
    sequence: U32 = 0

    def describe(self) -> str:
        return f"ESP spi=0x{self.spi:08x} seq={self.sequence}"


class NonESPMarker(Header):
    """What stands before a message of key exchange, in the place of an SPI (RFC 3948, section 2.2)."""

    zero: X32 = expected(0, decisive=True)


class NATKeepalive(Header, body=False):
    """The byte that keeps the mapping of a NAT alive (RFC 3948, section 2.3)."""

    value: X8 = expected(0xFF, decisive=True)


class ESPinUDP(
    Header,
    by=Numbers("first byte in UDP port 4500"),
    fallbacks=(NonESPMarker, ESP, NATKeepalive),
    numbers={UDP_PORTS: 4500},
):
    """Any of the three that share the port. Packets have one of them."""
