"""What scapy and Wireshark call each field: one table for comparing with the one and printing like the other.

A row is (our field, scapy's field, Wireshark's field, notation); empty where there is no counterpart. The name
that comes with each record is scapy's layer; of several, scapy's class is one.

- Our field may be empty: then the row is about the whole record (`ip.flags` is three of ours).
- Scapy's field may be a run of bits in a larger one, `tos[7:2]`, or several beside each other,
  `copy_flag:1 optclass:2 option:5`. TCP options are (name, value) pairs there: `kind` is the name's number,
  `[0]` the first part of the value, `[]` all of it. The options of neighbour discovery are layers there, which
  follow the message.
- The notation is how `tshark -T fields` prints the value: `plain` unless given. One that gives None means that
  tshark has no such field in this packet.

Wireshark's fields that depend on other packets (`tcp.seq`, which is relative to the first one seen) are not
here; `tcp.seq_raw` is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rawkit.layout import Record
from rawkit.wire import notation
from rawkit.wire.arp import ARP
from rawkit.wire.ethernet import VLAN, Ethernet, ServiceVLAN
from rawkit.wire.icmpv4 import (
    ICMPv4,
    ICMPv4Echo,
    ICMPv4ParameterProblem,
    ICMPv4Redirect,
    ICMPv4SourceQuench,
    ICMPv4TimeExceeded,
    ICMPv4Timestamp,
    ICMPv4Unreachable,
)
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
from rawkit.wire.ipv4 import (
    AddressAndTimestamp,
    IPv4,
    IPv4EndOfOptions,
    IPv4NoOperation,
    IPv4RouterAlert,
    IPv4Security,
    IPv4Timestamp,
    IPv4TimestampWithAddresses,
    IPv4UnknownOption,
    LooseSourceRoute,
    RecordRoute,
    StreamIdentifier,
    StrictSourceRoute,
)
from rawkit.wire.ipv6 import (
    DestinationOptions,
    Fragment,
    HopByHop,
    IPv6,
    IPv6RouterAlert,
    IPv6UnknownOption,
    Pad1,
    PadN,
    RoutingType0,
    RoutingType2,
    UnknownRouting,
)
from rawkit.wire.tcp import (
    SACK,
    TCP,
    MaximumSegmentSize,
    SACKBlock,
    SACKPermitted,
    TCPEndOfOptions,
    TCPFlags,
    TCPNoOperation,
    TCPUnknownOption,
    Timestamps,
    WindowScale,
)
from rawkit.wire.udp import UDP

__all__ = ["NAMES", "Name", "Names"]


class Name(NamedTuple):
    """What the others call one of our fields."""

    field: str
    scapy: str
    wireshark: str
    notation: notation.Notation


class Names(NamedTuple):
    """What scapy calls a record (or several, by which it goes there), and the names of its fields."""

    scapy: tuple[str, ...]
    fields: tuple[Name, ...]


def named(scapy: str, *rows: tuple[Any, ...]) -> Names:
    """One entry; a row without a notation is `plain`."""
    return Names(tuple(scapy.split()), tuple([Name(*row, *(notation.plain,) * (4 - len(row))) for row in rows]))


Table = dict[type[Record], Names]

VLAN_TAG = (
    ("priority", "prio", "vlan.priority"),
    ("drop_eligible", "dei", "vlan.dei"),
    ("id", "vlan", "vlan.id"),
    ("type", "type", "vlan.etype", notation.ether_type),
    ("type", "", "vlan.len", notation.ether_length),
)

LINK: Table = {
    Ethernet: named(
        "Ether Dot3",
        ("dst", "dst", "eth.dst"),
        ("src", "src", "eth.src"),
        ("dst", "", "eth.addr"),
        ("src", "", "eth.addr"),
        ("type", "type", "eth.type", notation.ether_type),
        ("type", "", "eth.len", notation.ether_length),
    ),
    VLAN: named("Dot1Q", *VLAN_TAG),
    ServiceVLAN: named(
        "Dot1AD",
        ("priority", "prio", "ieee8021ad.priority"),
        ("drop_eligible", "dei", "ieee8021ad.dei"),
        ("id", "vlan", "ieee8021ad.id"),
        ("type", "type", "ieee8021ah.etype", notation.hex4),
    ),
    ARP: named(
        "ARP",
        ("hardware_type", "hwtype", "arp.hw.type"),
        ("protocol_type", "ptype", "arp.proto.type", notation.hex4),
        ("hardware_length", "hwlen", "arp.hw.size"),
        ("protocol_length", "plen", "arp.proto.size"),
        ("operation", "op", "arp.opcode"),
        ("sender_mac", "hwsrc", "arp.src.hw_mac"),
        ("sender_ip", "psrc", "arp.src.proto_ipv4"),
        ("target_mac", "hwdst", "arp.dst.hw_mac"),
        ("target_ip", "pdst", "arp.dst.proto_ipv4"),
    ),
}

IP_KIND = (("kind", "copy_flag:1 optclass:2 option:5", "ip.opt.type"),)
IP_LENGTH = (*IP_KIND, ("length", "length", "ip.opt.len"))
IP_POINTER = (*IP_LENGTH, ("pointer", "pointer", "ip.opt.ptr"))
IP_SOURCE_ROUTE = (
    *IP_POINTER,
    ("route", "routers", ""),
    ("", "", "ip.rec_rt", notation.recorded),
    ("", "", "ip.src_rt", notation.on_the_way),
)
IP_TIMESTAMP = (
    *IP_POINTER,
    ("overflow", "oflw", "ip.opt.overflow"),
    ("flag", "flg", "ip.opt.flag", notation.hex2),
)

IP_VERSION_4: Table = {
    IPv4: named(
        "IP",
        ("version", "version", "ip.version"),
        ("ihl", "ihl", "ip.hdr_len", notation.in_bytes(4)),
        ("", "", "ip.dsfield", lambda ip: notation.hex2(4 * ip.dscp + ip.ecn)),
        ("dscp", "tos[7:2]", "ip.dsfield.dscp"),
        ("ecn", "tos[1:0]", "ip.dsfield.ecn"),
        ("total_length", "len", "ip.len"),
        ("identification", "id", "ip.id", notation.hex4),
        ("", "", "ip.flags", lambda ip: notation.hex2(4 * ip.reserved + 2 * ip.dont_fragment + ip.more_fragments)),
        ("reserved", "flags[2:2]", "ip.flags.rb"),
        ("dont_fragment", "flags[1:1]", "ip.flags.df"),
        ("more_fragments", "flags[0:0]", "ip.flags.mf"),
        ("fragment_offset", "frag", "ip.frag_offset"),
        ("ttl", "ttl", "ip.ttl"),
        ("protocol", "proto", "ip.proto"),
        ("checksum", "chksum", "ip.checksum", notation.hex4),
        ("src", "src", "ip.src"),
        ("dst", "dst", ""),
        ("", "", "ip.cur_rt", notation.next_hop),
        ("", "", "ip.dst", notation.destination),
        ("src", "", "ip.addr"),
        ("", "", "ip.addr", notation.destination),
        ("options", "options", ""),
    ),
    IPv4EndOfOptions: named("IPOption_EOL", *IP_KIND),
    IPv4NoOperation: named("IPOption_NOP", *IP_KIND),
    RecordRoute: named(
        "IPOption_RR",
        *IP_POINTER,
        ("route", "routers", ""),
        ("", "", "ip.rec_rt", notation.recorded),
        ("", "", "ip.empty_rt", notation.ahead),
    ),
    LooseSourceRoute: named("IPOption_LSRR", *IP_SOURCE_ROUTE),
    StrictSourceRoute: named("IPOption_SSRR", *IP_SOURCE_ROUTE),
    IPv4Timestamp: named("IPOption_Timestamp", *IP_TIMESTAMP, ("timestamps", "timestamp", "ip.opt.time_stamp")),
    IPv4TimestampWithAddresses: named("IPOption_Timestamp", *IP_TIMESTAMP, ("entries", "", "")),
    AddressAndTimestamp: named(
        "",
        ("address", "", "ip.opt.time_stamp_addr"),
        ("timestamp", "", "ip.opt.time_stamp"),
    ),
    StreamIdentifier: named("IPOption_Stream_Id", *IP_LENGTH, ("stream", "security", "ip.opt.sid")),
    IPv4Security: named(
        "IPOption_Security",
        *IP_LENGTH,
        ("security", "security", "ip.opt.sec_rfc791_sec", notation.hex4),
        ("compartments", "compartment", "ip.opt.sec_rfc791_comp"),
        ("handling", "handling_restrictions", "ip.opt.sec_rfc791_hr", notation.characters),
        ("transmission_control", "transmission_control_code", "ip.opt.sec_rfc791_tcc", notation.characters),
    ),
    IPv4RouterAlert: named("IPOption_Router_Alert", *IP_LENGTH, ("value", "alert", "ip.opt.ra")),
    IPv4UnknownOption: named(
        "IPOption",
        ("kind", "copy_flag:1 optclass:2 option:5", ""),
        ("length", "length", ""),
        ("data", "value", ""),
    ),
}

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
    IPv6UnknownOption: named("HBHOptUnknown", *IPV6_OPTION, ("data", "optdata", "")),
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
    UnknownRouting: named(
        "IPv6ExtHdrRouting IPv6ExtHdrSegmentRouting", *ROUTING, ("data", "", "ipv6.routing.unknown_data")
    ),
    Fragment: named(
        "IPv6ExtHdrFragment",
        ("next_header", "nh", "ipv6.fraghdr.nxt"),
        ("reserved", "res1", "ipv6.fraghdr.reserved_octet", notation.hex2),
        ("fragment_offset", "offset", "ipv6.fraghdr.offset"),
        ("reserved_bits", "res2", "ipv6.fraghdr.reserved_bits"),
        ("more_fragments", "m", "ipv6.fraghdr.more"),
        ("identification", "id", "ipv6.fraghdr.ident", notation.hex8),
    ),
}

ICMP = (
    ("type", "type", "icmp.type"),
    ("code", "code", "icmp.code"),
    ("checksum", "chksum", "icmp.checksum", notation.hex4),
)
ICMP_NUMBERS = (
    *ICMP,
    ("id", "id", "icmp.ident"),
    ("id", "", "icmp.ident_le", notation.little_endian),
    ("seq", "seq", "icmp.seq"),
    ("seq", "", "icmp.seq_le", notation.little_endian),
)

ICMP_VERSION_4: Table = {
    ICMPv4: named("ICMP", *ICMP),
    ICMPv4Echo: named("ICMP", *ICMP_NUMBERS),
    ICMPv4Unreachable: named(
        "ICMP",
        *ICMP,
        ("unused", "reserved", ""),
        ("length", "length", "icmp.length", notation.where_used),
        ("next_hop_mtu", "nexthopmtu", ""),
        ("length", "", "icmp.length.original_datagram", notation.quoted_bytes),
        ("", "", "icmp.unused", notation.unused_in_unreachable),
        ("", "", "icmp.mtu", notation.next_hop_mtu),
    ),
    ICMPv4SourceQuench: named("ICMP", *ICMP, ("unused", "unused", "")),
    ICMPv4Redirect: named("ICMP", *ICMP, ("gateway", "gw", "icmp.redir_gw")),
    ICMPv4TimeExceeded: named(
        "ICMP",
        *ICMP,
        ("unused", "reserved", ""),
        ("length", "length", "icmp.length", notation.where_used),
        ("length", "", "icmp.length.original_datagram", notation.quoted_bytes),
        ("unused_word", "unused", ""),
        (
            "",
            "",
            "icmp.unused",
            lambda it: notation.unused(it.unused.to_bytes(1), it.length, it.unused_word.to_bytes(2)),
        ),
    ),
    ICMPv4ParameterProblem: named(
        "ICMP",
        *ICMP,
        ("pointer", "ptr", "icmp.pointer"),
        ("length", "length", "icmp.length", notation.where_used),
        ("length", "", "icmp.length.original_datagram", notation.quoted_bytes),
        ("unused", "unused", ""),
        ("", "", "icmp.unused", lambda it: notation.unused(b"", it.length, it.unused.to_bytes(2))),
    ),
    ICMPv4Timestamp: named(
        "ICMP",
        *ICMP_NUMBERS,
        ("originate", "ts_ori", "icmp.originate_timestamp"),
        ("receive", "ts_rx", "icmp.receive_timestamp"),
        ("transmit", "ts_tx", "icmp.transmit_timestamp"),
    ),
}

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

TCP_KIND = (("kind", "kind", "tcp.option_kind"),)
TCP_OPTION = (*TCP_KIND, ("length", "", "tcp.option_len"))

TRANSPORT: Table = {
    TCP: named(
        "TCP",
        ("src_port", "sport", "tcp.srcport"),
        ("dst_port", "dport", "tcp.dstport"),
        ("src_port", "", "tcp.port"),
        ("dst_port", "", "tcp.port"),
        ("seq", "seq", "tcp.seq_raw"),
        ("ack", "ack", "tcp.ack_raw"),
        ("data_offset", "dataofs", "tcp.hdr_len", notation.in_bytes(4)),
        ("", "", "tcp.flags", lambda tcp: notation.hex4(512 * tcp.reserved + int(tcp.flags))),
        ("reserved", "reserved", "tcp.flags.res", lambda value: str(int(value != 0))),
        ("flags", "flags", ""),
        ("flags", "", "tcp.flags.ae", notation.flag(TCPFlags.AE)),
        ("flags", "", "tcp.flags.cwr", notation.flag(TCPFlags.CWR)),
        ("flags", "", "tcp.flags.ece", notation.flag(TCPFlags.ECE)),
        ("flags", "", "tcp.flags.urg", notation.flag(TCPFlags.URG)),
        ("flags", "", "tcp.flags.ack", notation.flag(TCPFlags.ACK)),
        ("flags", "", "tcp.flags.push", notation.flag(TCPFlags.PSH)),
        ("flags", "", "tcp.flags.reset", notation.flag(TCPFlags.RST)),
        ("flags", "", "tcp.flags.syn", notation.flag(TCPFlags.SYN)),
        ("flags", "", "tcp.flags.fin", notation.flag(TCPFlags.FIN)),
        ("", "", "tcp.flags.str", notation.flag_letters),
        ("window", "window", "tcp.window_size_value"),
        ("checksum", "chksum", "tcp.checksum", notation.hex4),
        ("urgent_pointer", "urgptr", "tcp.urgent_pointer"),
        ("options", "options", ""),
    ),
    TCPEndOfOptions: named("EOL", ("kind", "kind", ""), ("", "", "tcp.option_kind", notation.each_zero)),
    TCPNoOperation: named("NOP", *TCP_KIND),
    MaximumSegmentSize: named("MSS", *TCP_OPTION, ("mss", "[0]", "tcp.options.mss_val")),
    WindowScale: named(
        "WScale",
        *TCP_OPTION,
        ("shift", "[0]", "tcp.options.wscale.shift"),
        ("shift", "", "tcp.options.wscale.multiplier", notation.multiplier),
    ),
    SACKPermitted: named("SAckOK", *TCP_OPTION),
    SACK: named(
        "SAck",
        *TCP_OPTION,
        ("blocks", "[]", ""),
        ("", "", "tcp.options.sack.count", lambda sack: str(len(sack.blocks))),
    ),
    SACKBlock: named("", ("left", "", "tcp.options.sack_le"), ("right", "", "tcp.options.sack_re")),
    Timestamps: named(
        "Timestamp",
        *TCP_OPTION,
        ("value", "[0]", "tcp.options.timestamp.tsval"),
        ("echo_reply", "[1]", "tcp.options.timestamp.tsecr"),
    ),
    TCPUnknownOption: named("", *TCP_OPTION, ("data", "[0]", "")),
    UDP: named(
        "UDP",
        ("src_port", "sport", "udp.srcport"),
        ("dst_port", "dport", "udp.dstport"),
        ("src_port", "", "udp.port"),
        ("dst_port", "", "udp.port"),
        ("length", "len", "udp.length"),
        ("checksum", "chksum", "udp.checksum", notation.hex4),
    ),
}

NAMES: Table = {
    **LINK,
    **IP_VERSION_4,
    **IP_VERSION_6,
    **ICMP_VERSION_4,
    **ICMP_VERSION_6,
    **TRANSPORT,
}
"""What others call each record and its fields."""
