"""ICMPv6 and neighbour discovery."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.icmpv6 import (
    ICMPv6,
    ICMPv6Echo,
    ICMPv6PacketTooBig,
    ICMPv6ParameterProblem,
    ICMPv6TimeExceeded,
    ICMPv6Unreachable,
    NDUnknownOption,
    NeighborAdvertisement,
    NeighborSolicitation,
    SourceLinkLayerAddress,
    TargetLinkLayerAddress,
)
from rawkit.wire.names.table import Table, named

__all__ = ["ICMP_VERSION_6"]

ICMP6 = (
    ("type", "type", "icmpv6.type"),
    ("code", "code", "icmpv6.code"),
    ("checksum", "cksum", "icmpv6.checksum", notation.hex4),
)
ICMP6_WITH_LENGTH = (
    *ICMP6,
    ("length", "length", "icmpv6.length", notation.where_used),
    ("unused", "unused", ""),
    ("", "", "icmpv6.reserved", lambda it: notation.unused(b"", it.length, it.unused.to_bytes(3))),
)
ND_OPTION = (("type", "type", "icmpv6.opt.type"), ("length", "len", "icmpv6.opt.length"))

ICMP_VERSION_6: Table = {
    ICMPv6: named("_ICMPv6", *ICMP6),
    ICMPv6Unreachable: named("ICMPv6DestUnreach", *ICMP6_WITH_LENGTH),
    ICMPv6PacketTooBig: named("ICMPv6PacketTooBig", *ICMP6, ("mtu", "mtu", "icmpv6.mtu")),
    ICMPv6TimeExceeded: named("ICMPv6TimeExceeded", *ICMP6_WITH_LENGTH),
    ICMPv6ParameterProblem: named("ICMPv6ParamProblem", *ICMP6, ("pointer", "ptr", "icmpv6.pointer")),
    ICMPv6Echo: named(
        "ICMPv6EchoRequest ICMPv6EchoReply",
        *ICMP6,
        ("id", "id", "icmpv6.echo.identifier", notation.hex4),
        ("seq", "seq", "icmpv6.echo.sequence_number"),
    ),
    NeighborSolicitation: named(
        "ICMPv6ND_NS",
        *ICMP6,
        ("reserved", "res", "icmpv6.reserved", notation.octets(4)),
        ("target", "tgt", "icmpv6.nd.ns.target_address"),
        ("options", "options", ""),
    ),
    NeighborAdvertisement: named(
        "ICMPv6ND_NA",
        *ICMP6,
        ("router", "R", "icmpv6.nd.na.flag.r"),
        ("solicited", "S", "icmpv6.nd.na.flag.s"),
        ("override", "O", "icmpv6.nd.na.flag.o"),
        ("reserved", "res", "icmpv6.nd.na.flag.rsv"),
        ("target", "tgt", "icmpv6.nd.na.target_address"),
        ("options", "options", ""),
    ),
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
    NDUnknownOption: named("ICMPv6NDOptUnknown", *ND_OPTION, ("data", "data", "")),
}
