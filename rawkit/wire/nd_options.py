"""Options of neighbour discovery (RFC 4861, section 4.6), and those that RFC 4191, 5175, 8106 and 8781 add."""

from __future__ import annotations

from rawkit.layout import (
    MAC,
    U2,
    U3,
    U5,
    U8,
    U13,
    U16,
    U32,
    X16,
    X32,
    Bytes6,
    Bytes12,
    Flag,
    HeaderLength,
    IPv6Addr,
    IPv6Addrs,
    MACAddr,
    Record,
    Rest,
    auto,
)

__all__ = [
    "AdvertisementInterval",
    "DNSSearchList",
    "HomeAgentInformation",
    "MTUOption",
    "NAT64Prefix",
    "NDMalformedOptions",
    "NDOption",
    "NDUnknownOption",
    "Nonce",
    "PrefixInformation",
    "RecursiveDNSServers",
    "RedirectedHeader",
    "RouteInformation",
    "RouterFlagsExtension",
    "SourceLinkLayerAddress",
    "TargetLinkLayerAddress",
    "target_mac",
]


class NDOption(Record, by="type"):
    """Any option of a neighbour discovery message; its length counts units of 8 bytes (section 4.6)."""

    type: U8


class SourceLinkLayerAddress(NDOption):
    """The sender's MAC address (section 4.6.1)."""

    type: U8 = 1
    length: U8 = auto(HeaderLength(unit=8))
    address: MACAddr


class TargetLinkLayerAddress(NDOption):
    """The target's MAC address (section 4.6.1)."""

    type: U8 = 2
    length: U8 = auto(HeaderLength(unit=8))
    address: MACAddr


class PrefixInformation(NDOption):
    """A prefix that is on the link, or for addresses (section 4.6.2); lifetimes in seconds, all ones: for ever.

    With `router_address` the prefix is a whole address of the router (RFC 6275, section 7.2).
    """

    type: U8 = 3
    length: U8 = auto(HeaderLength(unit=8))
    prefix_length: U8 = 64
    on_link: Flag = True
    autonomous: Flag = True
    router_address: Flag = False
    reserved: U5 = 0
    valid_lifetime: U32 = 0xFFFFFFFF
    preferred_lifetime: U32 = 0xFFFFFFFF
    reserved_word: X32 = 0
    prefix: IPv6Addr


class RedirectedHeader(NDOption):
    """The beginning of the packet that caused a redirect (section 4.6.3), as bytes."""

    type: U8 = 4
    length: U8 = auto(HeaderLength(unit=8))
    reserved: Bytes6 = bytes(6)
    packet: Rest = b""


class MTUOption(NDOption):
    """The MTU of the link (section 4.6.4)."""

    type: U8 = 5
    length: U8 = auto(HeaderLength(unit=8))
    reserved: X16 = 0
    mtu: U32


class AdvertisementInterval(NDOption):
    """How often the router advertises at the most, in milliseconds (RFC 6275, section 7.3)."""

    type: U8 = 7
    length: U8 = auto(HeaderLength(unit=8))
    reserved: X16 = 0
    interval: U32 = 0


class HomeAgentInformation(NDOption):
    """How much a home agent is preferred, and its lifetime in seconds (RFC 6275, section 7.4)."""

    type: U8 = 8
    length: U8 = auto(HeaderLength(unit=8))
    reserved: X16 = 0
    preference: U16 = 0
    lifetime: U16 = 1


class Nonce(NDOption):
    """A random number that ties an advertisement to its solicitation (RFC 3971, section 5.3.2; RFC 7527)."""

    type: U8 = 14
    length: U8 = auto(HeaderLength(unit=8))
    nonce: Rest = bytes(6)


class RouteInformation(NDOption):
    """A route through the router (RFC 4191, section 2.3); `prefix` has 0, 8 or 16 bytes, as many as are needed.

    `preference` is 1 for high, 0 for medium, 3 for low.
    """

    type: U8 = 24
    length: U8 = auto(HeaderLength(unit=8))
    prefix_length: U8 = 64
    reserved: U3 = 0
    preference: U2 = 0
    reserved_end: U3 = 0
    route_lifetime: U32 = 0xFFFFFFFF
    prefix: Rest = b""


class RecursiveDNSServers(NDOption):
    """Name servers, RDNSS (RFC 8106, section 5.1); `lifetime` in seconds."""

    type: U8 = 25
    length: U8 = auto(HeaderLength(unit=8))
    reserved: X16 = 0
    lifetime: U32 = 0xFFFFFFFF
    addresses: IPv6Addrs = ()


class RouterFlagsExtension(NDOption):
    """More flags for a router advertisement (RFC 5175, section 4)."""

    type: U8 = 26
    length: U8 = auto(HeaderLength(unit=8))
    flags: Bytes6 = bytes(6)


class DNSSearchList(NDOption):
    """Domains to search, DNSSL (RFC 8106, section 5.2): `names` as DNS encodes them (RFC 1035, section 3.1)."""

    type: U8 = 31
    length: U8 = auto(HeaderLength(unit=8))
    reserved: X16 = 0
    lifetime: U32 = 0xFFFFFFFF
    names: Rest = b""


class NAT64Prefix(NDOption):
    """The prefix of NAT64, PREF64 (RFC 8781, section 4): its first 96 bits; lifetime in units of 8 seconds."""

    type: U8 = 38
    length: U8 = auto(HeaderLength(unit=8))
    scaled_lifetime: U13 = 0
    prefix_length_code: U3 = 0
    prefix: Bytes12 = bytes(12)


class NDUnknownOption(NDOption, fallback=True):
    """An option that is not declared here, or whose length is not that of its type."""

    length: U8 = auto(HeaderLength(unit=8))
    data: Rest = b""


class NDMalformedOptions(NDOption, fallback=True):
    """The rest of the options, from one on whose length is zero or leads outside of the message."""

    malformed = True
    data: Rest = b""


def target_mac(options: tuple[NDOption, ...]) -> MAC | None:
    """The address in the first target link-layer address option, if there is one."""
    return next((option.address for option in options if isinstance(option, TargetLinkLayerAddress)), None)
