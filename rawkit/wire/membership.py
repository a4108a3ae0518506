"""The words for multicast membership, which IGMP and MLD have in common."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

__all__ = ["about", "counted", "wanted"]

RECORD_TYPES = {1: "is_in", 2: "is_ex", 3: "to_in", 4: "to_ex", 5: "allow", 6: "block"}
"""Their names in RFC 3810, section 5.2.12, and RFC 3376, section 4.2.12."""


def wanted(group: IPv4Address | IPv6Address, record_type: int, sources: int) -> str:
    """What a record says, in a few words."""
    return f"{group} {RECORD_TYPES.get(record_type, f'type {record_type}')}{counted(sources)}"


def counted(sources: int) -> str:
    """How many sources there are, if any."""
    return f" {sources} source{'s' if sources > 1 else ''}" if sources else ""


def about(group: IPv4Address | IPv6Address) -> str:
    """The group that a query asks about; nothing for one about all groups."""
    return "" if group.is_unspecified else f" {group}"
