"""Linux's cooked captures, which stand for the link layers of any interface (pcap-linktype(7))."""

from rawkit.layout import U8, U16, U32, X16, Bytes8, NextProtocol, auto
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import LINK_LAYERS, SLL_PROTOCOLS

__all__ = ["LinuxSLL", "LinuxSLL2"]


class LinuxSLL(Header, numbers={LINK_LAYERS: LinkType.LINUX_SLL}):
    """Who it was for (0 us, 1 all, 2 some, 3 others, 4 sent by us), the kind of device, and the sender's address.

    Of `address`, the first `address_length` bytes count.
    """

    packet_type: U16 = 0
    hardware_type: U16 = 1
    address_length: U16 = 6
    address: Bytes8 = bytes(8)
    protocol: X16 = auto(NextProtocol(SLL_PROTOCOLS))

    def describe(self) -> str:
        return f"LinuxSLL {direction(self.packet_type)} {address_text(self.address, self.address_length)}".rstrip()


class LinuxSLL2(Header, numbers={LINK_LAYERS: LinkType.LINUX_SLL2}):
    """The same with the number of the interface."""

    protocol: X16 = auto(NextProtocol(SLL_PROTOCOLS))
    reserved: X16 = 0
    interface: U32 = 0
    hardware_type: U16 = 1
    packet_type: U8 = 0
    address_length: U8 = 6
    address: Bytes8 = bytes(8)

    def describe(self) -> str:
        words = f"{direction(self.packet_type)} {address_text(self.address, self.address_length)}".rstrip()
        return f"LinuxSLL2 interface {self.interface} {words}"


DIRECTIONS = ("in", "broadcast", "multicast", "to others", "out")


def direction(packet_type: int) -> str:
    """The packet type in words."""
    return DIRECTIONS[packet_type] if packet_type < len(DIRECTIONS) else f"type {packet_type}"


def address_text(address: bytes, length: int) -> str:
    """The bytes of an address that count, as text."""
    return address[:length].hex(":")
