"""ICMPv6 and neighbour discovery."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.icmpv6 import (
    ICMPv6,
    ICMPv6Echo,
    ICMPv6ExtendedEcho,
    ICMPv6ExtendedEchoReply,
    ICMPv6PacketTooBig,
    ICMPv6ParameterProblem,
    ICMPv6Redirect,
    ICMPv6TimeExceeded,
    ICMPv6Unreachable,
    NeighborAdvertisement,
    NeighborSolicitation,
    NodeInformation,
    RouterAdvertisement,
    RouterSolicitation,
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
    RouterSolicitation: named(
        "ICMPv6ND_RS",
        *ICMP6,
        ("reserved", "res", "icmpv6.reserved", notation.octets(4)),
        ("options", "options", ""),
    ),
    RouterAdvertisement: named(
        "ICMPv6ND_RA",
        *ICMP6,
        ("cur_hop_limit", "chlim", "icmpv6.nd.ra.cur_hop_limit"),
        ("", "", "icmpv6.nd.ra.flag", notation.router_flags),
        ("managed", "M", "icmpv6.nd.ra.flag.m"),
        ("other", "O", "icmpv6.nd.ra.flag.o"),
        ("home_agent", "H", "icmpv6.nd.ra.flag.h"),
        ("preference", "prf", "icmpv6.nd.ra.flag.prf"),
        ("proxy", "P", "icmpv6.nd.ra.flag.p"),
        ("reserved", "res", "icmpv6.nd.ra.flag.rsv"),
        ("router_lifetime", "routerlifetime", "icmpv6.nd.ra.router_lifetime"),
        ("reachable_time", "reachabletime", "icmpv6.nd.ra.reachable_time"),
        ("retrans_timer", "retranstimer", "icmpv6.nd.ra.retrans_timer"),
        ("options", "options", ""),
    ),
    ICMPv6Redirect: named(
        "ICMPv6ND_Redirect",
        *ICMP6,
        ("reserved", "res", "icmpv6.reserved", notation.octets(4)),
        ("target", "tgt", "icmpv6.nd.rd.target_address"),
        ("destination", "dst", "icmpv6.rd.na.destination_address"),
        ("options", "options", ""),
    ),
    NodeInformation: named(
        "ICMPv6NIQueryNOOP ICMPv6NIReplyNOOP",
        *ICMP6,
        ("qtype", "qtype", "icmpv6.ni.qtype"),
        ("flags", "unused:10 flags:6", "icmpv6.ni.flag", notation.hex4),
        ("nonce", "nonce", "icmpv6.ni.nonce", lambda nonce: f"0x{nonce.hex()}"),
    ),
    ICMPv6ExtendedEcho: named(
        "ICMPv6Unknown",
        *ICMP6,
        ("id", "", "icmpv6.echo.identifier", notation.hex4),
        ("seq", "", "icmpv6.ext.echo.seq"),
        ("reserved", "", "icmpv6.ext.echo.req.res", notation.hex2),
        ("local", "", "icmpv6.ext.echo.req.local"),
    ),
    ICMPv6ExtendedEchoReply: named(
        "ICMPv6Unknown",
        *ICMP6,
        ("id", "", "icmpv6.echo.identifier", notation.hex4),
        ("seq", "", "icmpv6.ext.echo.seq"),
        ("state", "", "icmpv6.ext.echo.rsp.state"),
        ("reserved", "", "icmpv6.ext.echo.rsp.res", notation.hex2),
        ("active", "", "icmpv6.ext.echo.rsp.active"),
        ("ipv4", "", "icmpv6.ext.echo.rsp.ipv4"),
        ("ipv6", "", "icmpv6.ext.echo.rsp.ipv6"),
    ),
}
