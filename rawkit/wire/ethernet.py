"""Ethernet II frames (IEEE 802.3, section 3.1.1) and VLAN tags (IEEE 802.1Q, section 9)."""

from rawkit.layout import U3, U12, X16, Flag, MACAddr, NextProtocol, Unspecified, address_text, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, LINK_LAYERS

__all__ = ["VLAN", "Ethernet", "ServiceVLAN"]


class Ethernet(Header, numbers={LINK_LAYERS: LinkType.ETHERNET}):
    """Ethernet II: destination, source, and the EtherType of what follows.

    `src` is filled with the interface's own address when the frame is sent by `rawkit send`; where nobody
    fills it, it is 00:00:00:00:00:00.
    """

    dst: MACAddr
    src: MACAddr = auto(Unspecified("00:00:00:00:00:00"))
    type: X16 = auto(NextProtocol(ETHER_TYPES))

    def describe(self) -> str:
        return f"Ethernet {address_text(self.src)} > {address_text(self.dst)}"


class VLAN(Header, numbers={ETHER_TYPES: 0x8100}):
    """A customer VLAN tag (802.1Q): priority, drop eligibility, VLAN identifier, and the next EtherType."""

    priority: U3 = 0
    drop_eligible: Flag = False
    id: U12 = 0
    type: X16 = auto(NextProtocol(ETHER_TYPES))

    def describe(self) -> str:
        return f"{type(self).__name__} {self.id}"


class ServiceVLAN(VLAN, numbers={ETHER_TYPES: 0x88A8}):
    """A service VLAN tag (802.1ad, "Q-in-Q"), which stands before a customer's."""
