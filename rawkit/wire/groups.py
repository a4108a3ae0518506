"""Groups: the MAC address that a group has, and the group that an address listens in (RFC 1112, 2464, 4291)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from rawkit.layout import MAC

__all__ = ["group_mac", "solicited_node"]

_SOLICITED_NODE = int(IPv6Address("ff02::1:ff00:0"))


def group_mac(address: IPv4Address | IPv6Address) -> MAC:
    """The MAC address of an IP multicast group (RFC 1112, section 6.4; RFC 2464, section 7)."""
    if address.version == 4:
        return MAC(b"\x01\x00\x5e" + (int(address) % 0x80_0000).to_bytes(3))
    return MAC(b"\x33\x33" + address.packed[-4:])


def solicited_node(address: IPv6Address) -> IPv6Address:
    """The group in which the owner of an address hears that it is solicited (RFC 4291, section 2.7.1)."""
    return IPv6Address(_SOLICITED_NODE + int(address) % 0x100_0000)
