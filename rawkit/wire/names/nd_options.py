"""Options of neighbour discovery."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.names.table import Table, named
from rawkit.wire.nd_options import (
    AdvertisementInterval,
    DNSSearchList,
    HomeAgentInformation,
    MTUOption,
    NAT64Prefix,
    NDUnknownOption,
    Nonce,
    PrefixInformation,
    RecursiveDNSServers,
    RedirectedHeader,
    RouteInformation,
    RouterFlagsExtension,
    SourceLinkLayerAddress,
    TargetLinkLayerAddress,
)

__all__ = ["ND_OPTIONS"]

ND_OPTION = (("type", "type", "icmpv6.opt.type"), ("length", "len", "icmpv6.opt.length"))

ND_OPTIONS: Table = {
    SourceLinkLayerAddress: named(
        "ICMPv6NDOptSrcLLAddr",
        *ND_OPTION,
        ("address", "lladdr", "icmpv6.opt.linkaddr"),
        ("address", "", "icmpv6.opt.src_linkaddr"),
    ),
    TargetLinkLayerAddress: named(
        "ICMPv6NDOptDstLLAddr",
        *ND_OPTION,
        ("address", "lladdr", "icmpv6.opt.linkaddr"),
        ("address", "", "icmpv6.opt.target_linkaddr"),
    ),
    PrefixInformation: named(
        "ICMPv6NDOptPrefixInfo",
        *ND_OPTION,
        ("prefix_length", "prefixlen", "icmpv6.opt.prefix.length"),
        ("", "", "icmpv6.opt.prefix.flag", notation.prefix_flags),
        ("on_link", "L", "icmpv6.opt.prefix.flag.l"),
        ("autonomous", "A", "icmpv6.opt.prefix.flag.a"),
        ("router_address", "R", "icmpv6.opt.prefix.flag.r"),
        ("reserved", "res1", "icmpv6.opt.prefix.flag.reserved"),
        ("valid_lifetime", "validlifetime", "icmpv6.opt.prefix.valid_lifetime"),
        ("preferred_lifetime", "preferredlifetime", "icmpv6.opt.prefix.preferred_lifetime"),
        ("reserved_word", "res2", ""),
        ("prefix", "prefix", "icmpv6.opt.prefix"),
    ),
    RedirectedHeader: named("ICMPv6NDOptRedirectedHdr", *ND_OPTION, ("reserved", "res", ""), ("packet", "", "")),
    MTUOption: named("ICMPv6NDOptMTU", *ND_OPTION, ("reserved", "res", ""), ("mtu", "mtu", "icmpv6.opt.mtu")),
    AdvertisementInterval: named(
        "ICMPv6NDOptAdvInterval",
        *ND_OPTION,
        ("reserved", "res", ""),
        ("interval", "advint", "icmpv6.opt.advertisement_interval"),
    ),
    HomeAgentInformation: named(
        "ICMPv6NDOptHAInfo",
        *ND_OPTION,
        ("reserved", "res", ""),
        ("preference", "pref", "icmpv6.opt.home_agent_preference"),
        ("lifetime", "lifetime", "icmpv6.opt.home_agent_lifetime"),
    ),
    Nonce: named("ICMPv6NDOptUnknown", *ND_OPTION, ("nonce", "data", "icmpv6.opt.nonce")),
    RouteInformation: named(
        "ICMPv6NDOptRouteInfo",
        *ND_OPTION,
        ("prefix_length", "plen", "icmpv6.opt.prefix.length"),
        ("", "", "icmpv6.opt.route_info.flag", notation.route_flags),
        ("reserved", "res1", ""),
        ("preference", "prf", "icmpv6.opt.route_info.flag.route_preference"),
        ("reserved_end", "res2", ""),
        ("route_lifetime", "rtlifetime", "icmpv6.opt.route_lifetime"),
        ("prefix", "", "icmpv6.opt.prefix", lambda prefix: notation.beginning_of_ipv6(prefix) if prefix else None),
    ),
    RecursiveDNSServers: named(
        "ICMPv6NDOptRDNSS",
        *ND_OPTION,
        ("reserved", "res", ""),
        ("lifetime", "lifetime", "icmpv6.opt.rdnss.lifetime"),
        ("addresses", "dns", "icmpv6.opt.rdnss"),
    ),
    RouterFlagsExtension: named("ICMPv6NDOptEFA", *ND_OPTION, ("flags", "res", "")),
    DNSSearchList: named(
        "ICMPv6NDOptDNSSL",
        *ND_OPTION,
        ("reserved", "res", ""),
        ("lifetime", "lifetime", "icmpv6.opt.dnssl.lifetime"),
        ("names", "", ""),
    ),
    NAT64Prefix: named(
        "ICMPv6NDOptPREF64",
        *ND_OPTION,
        ("scaled_lifetime", "scaledlifetime", "icmpv6.opt.pref64.scaled_lifetime"),
        ("prefix_length_code", "plc", "icmpv6.opt.pref64.plc", notation.hex4),
        ("prefix", "", ""),
        ("", "", "icmpv6.opt.pref64.prefix", notation.nat64_prefix),
    ),
    NDUnknownOption: named("ICMPv6NDOptUnknown", *ND_OPTION, ("data", "data", "")),
}
