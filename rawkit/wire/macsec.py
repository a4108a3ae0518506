"""MAC security (IEEE 802.1AE): the tag of section 9.3, and what it protects, where that is left readable."""

from rawkit.layout import U2, U6, U32, X16, Flag, NextProtocol, OptionalX64, Presence, auto
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES

__all__ = ["MACsec", "MACsecData", "MACsecReadable"]


class MACsecData(Header):
    """The EtherType that the frame had without the tag, with which the protected data begins."""

    type: X16 = auto(NextProtocol(ETHER_TYPES))


class MACsec(Header, by="confidentiality", numbers={ETHER_TYPES: 0x88E5}):
    """The tag. `confidentiality` has its bits E and C, and is 0 where the data is left as it was (section 9.5).

    Otherwise the data is encrypted or changed, and so payload. The check value behind it is not told from it.
    """

    version: Flag = False
    end_station: Flag = False
    identified: Flag = auto(Presence("channel"))
    single_copy: Flag = False
    confidentiality: U2 = 3
    association: U2 = 0
    reserved: U2 = 0
    short_length: U6 = 0
    packet_number: U32 = 0
    channel: OptionalX64 = None

    def describe(self) -> str:
        return f"MACsec {self.packet_number}"


class MACsecReadable(MACsec, carries=MACsecData):
    """The tag before data that is authentic but not confidential."""

    confidentiality: U2 = 0
