"""Encapsulated remote switch port analyzer, type II (draft-foschiano-erspan-03, section 4.2).

Type I has no header: Ethernet follows the GRE header, which then has no sequence number.
"""

from rawkit.layout import U2, U3, U4, U10, U12, U20, Flag, expected
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.packet import Header
from rawkit.wire.spaces import GRE_PROTOCOLS

__all__ = ["ERSPAN"]


class ERSPAN(Header, numbers={GRE_PROTOCOLS: 0x88BE}, carries=Ethernet):
    """Where the mirrored frame came from: VLAN, class of service, session and port index."""

    version: U4 = expected(1)
    vlan: U12 = 0
    class_of_service: U3 = 0
    encapsulation: U2 = 0
    truncated: Flag = False
    session_id: U10 = 0
    reserved: U12 = 0
    index: U20 = 0

    def describe(self) -> str:
        return f"ERSPAN session {self.session_id}"
