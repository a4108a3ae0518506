"""Ethernet frames (IEEE 802.3, section 3.1.1) and VLAN tags (IEEE 802.1Q, section 9)."""

from rawkit.layout import U3, U12, X16, Flag, LengthOrNext, MACAddr, Unspecified, address_text, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import (
    ETHER_TYPES,
    GRE_PROTOCOLS_UNNUMBERED,
    IP_PROTOCOLS,
    LENGTHS_AND_ETHER_TYPES,
    LINK_LAYERS,
    SLL_PROTOCOLS,
)

__all__ = ["VLAN", "Ethernet", "ServiceVLAN"]


LONGEST = 1500
"""The longest body whose length can be told (IEEE 802.3, section 3.2.6)."""


class Ethernet(
    Header,
    numbers={
        LINK_LAYERS: LinkType.ETHERNET,
        ETHER_TYPES: 0x6558,
        IP_PROTOCOLS: 143,
        GRE_PROTOCOLS_UNNUMBERED: (0x6558, 0x88BE),
        SLL_PROTOCOLS: (0x6558, 3),
    },
):
    """Destination, source, and the EtherType of what follows; or its length, if that is no more than 1500.

    Behind a length comes `LLC`; give the length as `type` before plain bytes.
    `src` is filled with the interface's own address when the frame is sent by `rawkit send`; where nobody
    fills it, it is 00:00:00:00:00:00.
    """

    dst: MACAddr
    src: MACAddr = auto(Unspecified("00:00:00:00:00:00"))
    type: X16 = auto(LengthOrNext(LENGTHS_AND_ETHER_TYPES, longest=LONGEST))

    def describe(self) -> str:
        return f"Ethernet {address_text(self.src)} > {address_text(self.dst)}"


class VLAN(Header, numbers={ETHER_TYPES: (0x8100, 0x9100)}):
    """A customer VLAN tag (802.1Q): priority, drop eligibility, VLAN identifier, and the next EtherType.

    Behind 0x9100 is the outer tag of two, as switches wrote it before 802.1ad.
    """

    priority: U3 = 0
    drop_eligible: Flag = False
    id: U12 = 0
    type: X16 = auto(LengthOrNext(LENGTHS_AND_ETHER_TYPES, longest=LONGEST))

    def describe(self) -> str:
        return f"{type(self).__name__} {self.id}"


class ServiceVLAN(VLAN, numbers={ETHER_TYPES: 0x88A8}):
    """A service VLAN tag (802.1ad, "Q-in-Q"), which stands before a customer's."""
