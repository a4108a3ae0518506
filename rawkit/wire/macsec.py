"""MAC security (IEEE 802.1AE): the tag of section 9.3, and what it protects, where that is left readable."""

from __future__ import annotations

from typing import ClassVar

from rawkit.layout import (
    U2,
    U6,
    U32,
    X16,
    FieldInfo,
    Flag,
    NextProtocol,
    OptionalX64,
    Presence,
    Rest,
    TrailedLength,
    auto,
)
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES

__all__ = ["MACsec", "MACsecCheckValue", "MACsecData", "MACsecReadable"]

CHECK_VALUE = 16
"""Bytes of the check value of all cipher suites that the standard has (section 14)."""

SHORT = 48
"""So many bytes of data, and more, have a short length of zero (section 9.7)."""


class ShortLength(TrailedLength):
    """The length of data that is short, between the tag and the check value (section 9.7); else zero."""

    def __init__(self) -> None:
        super().__init__(1, lambda data, stop, end: max(stop, end - CHECK_VALUE))

    def compute(self, field: FieldInfo) -> str:
        return f"len(body) if len(body) < {SHORT} else 0"


class MACsecCheckValue(Header):
    """The integrity check value behind the data (section 9.11), which only those who have the key can check."""

    trailer_lengths: ClassVar[tuple[int, int]] = (CHECK_VALUE, CHECK_VALUE)

    value: Rest = b""

    def describe(self) -> str:
        return "check value"


class MACsecData(Header):
    """The EtherType that the frame had without the tag, with which the protected data begins."""

    type: X16 = auto(NextProtocol(ETHER_TYPES))


class MACsec(Header, by="confidentiality", trailed_by=MACsecCheckValue, numbers={ETHER_TYPES: 0x88E5}):
    """The tag. `confidentiality` has its bits E and C, and is 0 where the data is left as it was (section 9.5).

    Otherwise the data is encrypted or changed, and so payload. The check value is what trails the data.
    """

    version: Flag = False
    end_station: Flag = False
    identified: Flag = auto(Presence("channel"))
    single_copy: Flag = False
    confidentiality: U2 = 3
    association: U2 = 0
    reserved: U2 = 0
    short_length: U6 = auto(ShortLength())
    packet_number: U32 = 0
    channel: OptionalX64 = None

    def describe(self) -> str:
        return f"MACsec {self.packet_number}"


class MACsecReadable(MACsec, carries=MACsecData):
    """The tag before data that is authentic but not confidential."""

    confidentiality: U2 = 0
