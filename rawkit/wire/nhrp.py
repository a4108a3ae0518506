"""Next Hop Resolution Protocol (RFC 2332), read for the packets that its indications quote."""

from rawkit.layout import U8, U16, X16, X24, IPv4Addr, default, expected
from rawkit.wire.ip import IP
from rawkit.wire.packet import Header
from rawkit.wire.spaces import GRE_PROTOCOLS

__all__ = ["NHRP", "NHRPIndication"]


class NHRP(Header, by="type", numbers={GRE_PROTOCOLS: 0x2001}):
    """The fixed part of any message (section 5.2.0.1); what follows is payload. The checksum is not checked."""

    address_family: U16 = 1
    protocol_type: X16 = 0x0800
    protocol_oui: X24 = 0
    protocol_id: X16 = 0
    hop_count: U8 = 255
    length: U16 = 0
    checksum: X16 = 0
    extensions_offset: U16 = 0
    version: U8 = 1
    type: U8
    source_length: U8 = 4
    source_subaddress_length: U8 = 0

    def describe(self) -> str:
        return f"NHRP type {self.type}"


class NHRPIndication(NHRP, values=(7,), followed_by=IP):
    """An error (type 7, section 5.2.7), or traffic for which there is a better way (8, Cisco's), over IPv4."""

    type: U8 = 8
    source_length: U8 = expected(4, decisive=True)
    source_subaddress_length: U8 = expected(0, decisive=True)
    source_protocol_length: U8 = expected(4, decisive=True)
    destination_protocol_length: U8 = expected(4, decisive=True)
    unused: X16 = 0
    error_code: U16 = 0
    error_offset: U16 = 0
    source_address: IPv4Addr = default("0.0.0.0")
    source_protocol_address: IPv4Addr = default("0.0.0.0")
    destination_protocol_address: IPv4Addr = default("0.0.0.0")
