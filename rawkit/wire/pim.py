"""Protocol Independent Multicast, sparse mode (RFC 7761, section 4.9)."""

from typing import Annotated

from rawkit.layout import U4, U8, X16, Flag, UInt
from rawkit.wire.ip import IP
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = ["PIM", "PIMRegister"]

U30 = Annotated[int, UInt(30)]


class PIM(Header, by="type", numbers={IP_PROTOCOLS: 103}):
    """Any PIM message; the body of those that carry no packet is payload. The checksum is not checked."""

    version: U4 = 2
    type: U4
    reserved: U8 = 0
    checksum: X16 = 0


class PIMRegister(PIM, carries=IP):
    """A multicast packet on its way to the rendezvous point (section 4.9.3)."""

    type: U4 = 1
    border: Flag = False
    null_register: Flag = False
    unused: U30 = 0
