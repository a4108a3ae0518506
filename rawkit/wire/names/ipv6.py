"""IPv6, its extension headers and their options."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.ipv6 import (
    DestinationOptions,
    Fragment,
    HomeAddress,
    HopByHop,
    IPv6,
    IPv6MalformedOptions,
    IPv6RouterAlert,
    IPv6UnknownOption,
    JumboPayload,
    Pad1,
    PadN,
    Routing,
    RoutingType0,
    RoutingType2,
    UnknownRouting,
)
from rawkit.wire.names.table import Table, named
from rawkit.wire.segment_routing import SegmentHMAC, SegmentPad1, SegmentPadN, SegmentRouting, SegmentUnknownTLV

__all__ = ["IP_VERSION_6"]

IPV6_OPTION = (("type", "otype", "ipv6.opt.type", notation.hex2), ("length", "optlen", "ipv6.opt.length"))
ROUTING = (
    ("next_header", "nh", "ipv6.routing.nxt"),
    ("hdr_ext_len", "len", "ipv6.routing.len"),
    ("hdr_ext_len", "", "ipv6.routing.len_oct", notation.in_bytes(8, plus=1)),
    ("routing_type", "type", "ipv6.routing.type"),
    ("segments_left", "segleft", "ipv6.routing.segleft"),
)

IP_VERSION_6: Table = {
    IPv6: named(
        "IPv6",
        ("version", "version", "ipv6.version"),
        ("traffic_class", "tc", "ipv6.tclass", notation.hex8),
        ("traffic_class", "", "ipv6.tclass.dscp", lambda value: str(value // 4)),
        ("traffic_class", "", "ipv6.tclass.ecn", lambda value: str(value % 4)),
        ("flow_label", "fl", "ipv6.flow", notation.hex6),
        ("payload_length", "plen", "ipv6.plen"),
        ("next_header", "nh", "ipv6.nxt"),
        ("hop_limit", "hlim", "ipv6.hlim"),
        ("src", "src", "ipv6.src"),
        ("dst", "dst", "ipv6.dst"),
        ("src", "", "ipv6.addr"),
        ("dst", "", "ipv6.addr"),
        ("version", "", "ip.version"),
    ),
    HopByHop: named(
        "IPv6ExtHdrHopByHop",
        ("next_header", "nh", "ipv6.hopopts.nxt"),
        ("hdr_ext_len", "len", "ipv6.hopopts.len"),
        ("hdr_ext_len", "", "ipv6.hopopts.len_oct", notation.in_bytes(8, plus=1)),
        ("options", "options", ""),
    ),
    DestinationOptions: named(
        "IPv6ExtHdrDestOpt",
        ("next_header", "nh", "ipv6.dstopts.nxt"),
        ("hdr_ext_len", "len", "ipv6.dstopts.len"),
        ("hdr_ext_len", "", "ipv6.dstopts.len_oct", notation.in_bytes(8, plus=1)),
        ("options", "options", ""),
    ),
    Pad1: named("Pad1", ("type", "otype", "ipv6.opt.type", notation.hex2)),
    PadN: named("PadN", *IPV6_OPTION, ("data", "optdata", "ipv6.opt.padn", notation.bytes_or_none)),
    IPv6RouterAlert: named("RouterAlert", *IPV6_OPTION, ("value", "value", "ipv6.opt.router_alert")),
    JumboPayload: named("Jumbo", *IPV6_OPTION, ("jumbo_length", "jumboplen", "ipv6.opt.jumbo")),
    HomeAddress: named("HAO", *IPV6_OPTION, ("address", "hoa", "ipv6.opt.mipv6.home_address")),
    IPv6MalformedOptions: named(
        "",
        ("type", "", "ipv6.opt.type", notation.hex2),
        ("data", "", "ipv6.opt.length", notation.first_byte),
    ),
    IPv6UnknownOption: named("HBHOptUnknown", *IPV6_OPTION, ("data", "optdata", "")),
    Routing: named("IPv6ExtHdrRouting", *ROUTING),
    RoutingType0: named(
        "IPv6ExtHdrRouting",
        *ROUTING,
        ("reserved", "reserved", "ipv6.routing.src.reserved", notation.octets(4)),
        ("addresses", "addresses", "ipv6.routing.src.addr"),
    ),
    RoutingType2: named(
        "IPv6ExtHdrRouting",
        *ROUTING,
        ("reserved", "reserved", "ipv6.routing.mipv6.reserved", notation.octets(4)),
        ("addresses", "addresses", "ipv6.routing.mipv6.home_address"),
    ),
    SegmentRouting: named(
        "IPv6ExtHdrSegmentRouting",
        *ROUTING,
        ("last_entry", "lastentry", "ipv6.routing.srh.last_entry"),
        ("flags", "unused1:1 protected:1 oam:1 alert:1 hmac:1 unused2:3", "ipv6.routing.srh.flags", notation.hex2),
        ("tag", "tag", "ipv6.routing.srh.tag", notation.octets(2)),
        ("segments", "addresses", "ipv6.routing.srh.addr"),
        ("tlvs", "tlv_objects", ""),
    ),
    SegmentPad1: named("IPv6ExtHdrSegmentRoutingTLVPad1", ("type", "type", "")),
    SegmentPadN: named(
        "IPv6ExtHdrSegmentRoutingTLVPadN", ("type", "type", ""), ("length", "len", ""), ("padding", "padding", "")
    ),
    SegmentHMAC: named(
        "IPv6ExtHdrSegmentRoutingTLVHMAC",
        ("type", "type", ""),
        ("length", "len", ""),
        ("d", "D", ""),
        ("reserved", "reserved", ""),
        ("key_id", "hmackeyid", ""),
        ("hmac", "hmac", ""),
    ),
    SegmentUnknownTLV: named(
        "IPv6ExtHdrSegmentRoutingTLV", ("type", "type", ""), ("length", "len", ""), ("value", "value", "")
    ),
    UnknownRouting: named("IPv6ExtHdrRouting", *ROUTING, ("data", "", "ipv6.routing.unknown_data")),
    Fragment: named(
        "IPv6ExtHdrFragment",
        ("next_header", "nh", "ipv6.fraghdr.nxt"),
        ("reserved", "res1", "ipv6.fraghdr.reserved_octet", notation.hex2),
        ("fragment_offset", "offset", "ipv6.fraghdr.offset"),
        ("reserved_bits", "res2", "ipv6.fraghdr.reserved_bits"),
        ("more_fragments", "m", "ipv6.fraghdr.more"),
        ("identification", "id", "ipv6.fraghdr.ident", notation.hex8),
        needed={"": "identification"},
    ),
}
