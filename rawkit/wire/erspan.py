"""Encapsulated remote switch port analyzer, types II and III (draft-foschiano-erspan-03, sections 4.2 and 4.3).

Type I has no header: Ethernet follows the GRE header, which then has no sequence number.
"""

from typing import Annotated

from rawkit.layout import (
    U2,
    U3,
    U4,
    U6,
    U10,
    U12,
    U16,
    U20,
    U32,
    Flag,
    NextProtocol,
    Numbers,
    OptionalX32,
    Presence,
    UInt,
    auto,
    expected,
)
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.packet import Header
from rawkit.wire.spaces import GRE_PROTOCOLS

__all__ = ["ERSPAN", "ERSPAN3"]

U5 = Annotated[int, UInt(5)]

FRAME_TYPES = Numbers("ERSPAN frame type")
"""Ethernet is 0 (section 4.3)."""

FRAME_TYPES.add(Ethernet, 0)


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


class ERSPAN3(Header, numbers={GRE_PROTOCOLS: 0x22EB}):
    """Type III, with the time and the direction of the frame; a platform may add 8 bytes of its own."""

    version: U4 = expected(2)
    vlan: U12 = 0
    class_of_service: U3 = 0
    integrity: U2 = 0
    truncated: Flag = False
    session_id: U10 = 0
    timestamp: U32 = 0
    security_group: U16 = 0
    protocol_data_unit: Flag = False
    frame_type: U5 = auto(NextProtocol(FRAME_TYPES))
    hardware_id: U6 = 0
    egress: Flag = False
    granularity: U2 = 0
    subheader_present: Flag = auto(Presence("platform", "platform_data"))
    platform: OptionalX32 = None
    platform_data: OptionalX32 = None

    def describe(self) -> str:
        return f"ERSPAN session {self.session_id}"
