"""Address Resolution Protocol (RFC 826): for IPv4 over Ethernet, and what is common to all kinds of address."""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address

from rawkit.layout import MAC, U8, U16, X16, IPv4Addr, MACAddr, Unspecified, auto, default, expected
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES

__all__ = ["ARP", "ARPOperation", "AddressResolution", "OtherARP"]


class ARPOperation(IntEnum):
    """What an ARP packet wants (https://www.iana.org/assignments/arp-parameters)."""

    REQUEST = 1
    REPLY = 2


class AddressResolution(Header, by="hardware_length", numbers={ETHER_TYPES: 0x0806}):
    """How a packet of the protocol begins: the kinds and lengths of the addresses, and what it is about."""

    hardware_type: U16 = 1
    protocol_type: X16 = 0x0800
    hardware_length: U8
    protocol_length: U8
    operation: U16 = 1


class ARP(AddressResolution, body=False):
    """A question for, or the answer with, the MAC address of an IPv4 address."""

    hardware_type: U16 = expected(1)
    protocol_type: X16 = expected(0x0800)
    hardware_length: U8 = expected(6, decisive=True)
    protocol_length: U8 = expected(4, decisive=True)
    sender_mac: MACAddr = auto(Unspecified("00:00:00:00:00:00"))
    sender_ip: IPv4Addr = auto(Unspecified("0.0.0.0"))
    target_mac: MACAddr = default("00:00:00:00:00:00")
    target_ip: IPv4Addr

    @classmethod
    def who_has(cls, target: IPv4Address | str, *, tell: IPv4Address | str, mac: MAC | str | bytes) -> ARP:
        """The request for the MAC address of `target`, asked by `tell`, whose own is `mac`."""
        return cls(target_ip=target, sender_ip=tell, sender_mac=mac)

    @classmethod
    def is_at(
        cls,
        address: IPv4Address | str,
        mac: MAC | str | bytes,
        *,
        to: IPv4Address | str,
        to_mac: MAC | str | bytes,
    ) -> ARP:
        """The reply that `address` is at `mac`, for the host `to`."""
        reply = ARPOperation.REPLY.value
        return cls(operation=reply, sender_ip=address, sender_mac=mac, target_ip=to, target_mac=to_mac)

    def describe(self) -> str:
        if self.operation == ARPOperation.REQUEST:
            return f"ARP who has {self.target_ip}, tell {self.sender_ip}"
        if self.operation == ARPOperation.REPLY:
            return f"ARP {self.sender_ip} is at {self.sender_mac}"
        return f"ARP operation {self.operation}"


class OtherARP(AddressResolution, fallback=True):
    """A packet about addresses of other lengths, which are its payload: the sender's two, then the target's."""

    def addresses(self, payload: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """The sender's hardware and protocol address, and the target's; empty if they are not all there."""
        rest, found = payload, []
        for length in (self.hardware_length, self.protocol_length) * 2:
            if length > len(rest):
                return b"", b"", b"", b""
            found.append(rest[:length])
            rest = rest[length:]
        return found[0], found[1], found[2], found[3]

    def describe(self) -> str:
        return f"ARP operation {self.operation}, hardware type {self.hardware_type}"
