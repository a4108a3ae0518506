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

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rawkit.layout import Record
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

Notation = Callable[[Any], "str | Sequence[str] | None"]


class Name(NamedTuple):
    """What the others call one of our fields."""

    field: str
    scapy: str
    wireshark: str
    notation: Notation


class Names(NamedTuple):
    """What scapy calls a record (or several, by which it goes there), and the names of its fields."""

    scapy: tuple[str, ...]
    fields: tuple[Name, ...]


# ---------------------------------------------------------------------- notations


def plain(value: Any) -> str | Sequence[str]:
    """Integers in decimal, flags as 1 or 0, bytes in hex, addresses as text; of a tuple, each element."""
    if isinstance(value, tuple):
        return [str(element) for element in value]
    if isinstance(value, bool):
        return str(int(value))
    return value.hex() if type(value) is bytes else str(value)


def hexadecimal(digits: int) -> Notation:
    return lambda value: f"0x{value:0{digits}x}"


hex2, hex4, hex6, hex8 = map(hexadecimal, (2, 4, 6, 8))


def in_bytes(unit: int, plus: int = 0) -> Notation:
    """A length that counts units."""
    return lambda value: str((value + plus) * unit)


def octets(count: int) -> Notation:
    """An integer that Wireshark shows as bytes."""
    return lambda value: int(value).to_bytes(count).hex()


def bytes_or_none(value: bytes) -> str:
    """tshark prints something for no bytes."""
    return value.hex() or "<none>"


def each_zero(end: TCPEndOfOptions) -> Sequence[str]:
    """Wireshark takes every zero that pads a TCP header for one more end of options."""
    return ["0"] * (1 + len(end.padding) * (not any(end.padding)))


def little_endian(value: int) -> str:
    return str(int.from_bytes(value.to_bytes(2), "little"))


def where_used(length: int) -> str | None:
    """The length of a quote, which is there only where extensions follow it (RFC 4884)."""
    return str(length) if length else None


def characters(value: bytes) -> str:
    return value.decode("ascii", "replace")


def flag(member: TCPFlags) -> Notation:
    return lambda flags: str(int(member in flags))


def flag_letters(tcp: TCP) -> str:
    bits = f"{tcp.reserved:03b}{int(tcp.flags):09b}"
    return "".join(
        letter if bit == "1" else "\N{MIDDLE DOT}" for letter, bit in zip("RRRACEUAPRSF", bits, strict=True)
    )


def multiplier(shift: int) -> str:
    """2 to the `shift`, which counts as 14 at the most (RFC 7323, section 2.3)."""
    return str(2 ** min(shift, 14))


def ether_type(value: int) -> str | None:
    """Below 0x0600 it is the length of an 802.3 frame."""
    return hex4(value) if value >= 0x0600 else None  # type: ignore[return-value]


def ether_length(value: int) -> str | None:
    return str(value) if value < 0x0600 else None


def destination(ip: IPv4) -> str:
    """Where the packet goes in the end: Wireshark takes it from a source route that is not used up."""
    return str(ip.final_destination() or ip.dst)


def next_hop(ip: IPv4) -> str | None:
    return str(ip.dst) if ip.final_destination() else None


def recorded(option: RecordRoute | LooseSourceRoute | StrictSourceRoute) -> Sequence[str]:
    return [str(address) for address in option.visited()]


def ahead(option: RecordRoute | LooseSourceRoute | StrictSourceRoute) -> Sequence[str]:
    return [str(address) for address in option.route[len(option.visited()) :]]


def on_the_way(option: LooseSourceRoute | StrictSourceRoute) -> Sequence[str]:
    """Those still ahead but for the last one, which Wireshark shows as the packet's destination."""
    return ahead(option)[:-1]


# ---------------------------------------------------------------------- the table


def named(scapy: str, *rows: tuple[Any, ...]) -> Names:
    """One entry; a row without a notation is `plain`."""
    return Names(tuple(scapy.split()), tuple([Name(*row, *(plain,) * (4 - len(row))) for row in rows]))


VLAN_TAG = (
    ("priority", "prio", "vlan.priority"),
    ("drop_eligible", "dei", "vlan.dei"),
    ("id", "vlan", "vlan.id"),
    ("type", "type", "vlan.etype", ether_type),
    ("type", "", "vlan.len", ether_length),
)

LINK = {
    Ethernet: named(
        "Ether Dot3",
        ("dst", "dst", "eth.dst"),
        ("src", "src", "eth.src"),
        ("dst", "", "eth.addr"),
        ("src", "", "eth.addr"),
        ("type", "type", "eth.type", ether_type),
        ("type", "", "eth.len", ether_length),
    ),
    VLAN: named("Dot1Q", *VLAN_TAG),
    ServiceVLAN: named(
        "Dot1AD",
        ("priority", "prio", "ieee8021ad.priority"),
        ("drop_eligible", "dei", "ieee8021ad.dei"),
        ("id", "vlan", "ieee8021ad.id"),
        ("type", "type", "ieee8021ah.etype", hex4),
    ),
    ARP: named(
        "ARP",
        ("hardware_type", "hwtype", "arp.hw.type"),
        ("protocol_type", "ptype", "arp.proto.type", hex4),
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
    ("", "", "ip.rec_rt", recorded),
    ("", "", "ip.src_rt", on_the_way),
)
IP_TIMESTAMP = (
    *IP_POINTER,
    ("overflow", "oflw", "ip.opt.overflow"),
    ("flag", "flg", "ip.opt.flag", hex2),
)

IP_VERSION_4 = {
    IPv4: named(
        "IP",
        ("version", "version", "ip.version"),
        ("ihl", "ihl", "ip.hdr_len", in_bytes(4)),
        ("", "", "ip.dsfield", lambda ip: hex2(4 * ip.dscp + ip.ecn)),
        ("dscp", "tos[7:2]", "ip.dsfield.dscp"),
        ("ecn", "tos[1:0]", "ip.dsfield.ecn"),
        ("total_length", "len", "ip.len"),
        ("identification", "id", "ip.id", hex4),
        ("", "", "ip.flags", lambda ip: hex2(4 * ip.reserved + 2 * ip.dont_fragment + ip.more_fragments)),
        ("reserved", "flags[2:2]", "ip.flags.rb"),
        ("dont_fragment", "flags[1:1]", "ip.flags.df"),
        ("more_fragments", "flags[0:0]", "ip.flags.mf"),
        ("fragment_offset", "frag", "ip.frag_offset"),
        ("ttl", "ttl", "ip.ttl"),
        ("protocol", "proto", "ip.proto"),
        ("checksum", "chksum", "ip.checksum", hex4),
        ("src", "src", "ip.src"),
        ("dst", "dst", ""),
        ("", "", "ip.cur_rt", next_hop),
        ("", "", "ip.dst", destination),
        ("src", "", "ip.addr"),
        ("", "", "ip.addr", destination),
        ("options", "options", ""),
    ),
    IPv4EndOfOptions: named("IPOption_EOL", *IP_KIND),
    IPv4NoOperation: named("IPOption_NOP", *IP_KIND),
    RecordRoute: named(
        "IPOption_RR",
        *IP_POINTER,
        ("route", "routers", ""),
        ("", "", "ip.rec_rt", recorded),
        ("", "", "ip.empty_rt", ahead),
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
        ("security", "security", "ip.opt.sec_rfc791_sec", hex4),
        ("compartments", "compartment", "ip.opt.sec_rfc791_comp"),
        ("handling", "handling_restrictions", "ip.opt.sec_rfc791_hr", characters),
        ("transmission_control", "transmission_control_code", "ip.opt.sec_rfc791_tcc", characters),
    ),
    IPv4RouterAlert: named("IPOption_Router_Alert", *IP_LENGTH, ("value", "alert", "ip.opt.ra")),
    IPv4UnknownOption: named(
        "IPOption",
        ("kind", "copy_flag:1 optclass:2 option:5", ""),
        ("length", "length", ""),
        ("data", "value", ""),
    ),
}

IPV6_OPTION = (("type", "otype", "ipv6.opt.type", hex2), ("length", "optlen", "ipv6.opt.length"))
ROUTING = (
    ("next_header", "nh", "ipv6.routing.nxt"),
    ("hdr_ext_len", "len", "ipv6.routing.len"),
    ("hdr_ext_len", "", "ipv6.routing.len_oct", in_bytes(8, plus=1)),
    ("routing_type", "type", "ipv6.routing.type"),
    ("segments_left", "segleft", "ipv6.routing.segleft"),
)

IP_VERSION_6 = {
    IPv6: named(
        "IPv6",
        ("version", "version", "ipv6.version"),
        ("traffic_class", "tc", "ipv6.tclass", hex8),
        ("traffic_class", "", "ipv6.tclass.dscp", lambda value: str(value // 4)),
        ("traffic_class", "", "ipv6.tclass.ecn", lambda value: str(value % 4)),
        ("flow_label", "fl", "ipv6.flow", hex6),
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
        ("hdr_ext_len", "", "ipv6.hopopts.len_oct", in_bytes(8, plus=1)),
        ("options", "options", ""),
    ),
    DestinationOptions: named(
        "IPv6ExtHdrDestOpt",
        ("next_header", "nh", "ipv6.dstopts.nxt"),
        ("hdr_ext_len", "len", "ipv6.dstopts.len"),
        ("hdr_ext_len", "", "ipv6.dstopts.len_oct", in_bytes(8, plus=1)),
        ("options", "options", ""),
    ),
    Pad1: named("Pad1", ("type", "otype", "ipv6.opt.type", hex2)),
    PadN: named("PadN", *IPV6_OPTION, ("data", "optdata", "ipv6.opt.padn", bytes_or_none)),
    IPv6RouterAlert: named("RouterAlert", *IPV6_OPTION, ("value", "value", "ipv6.opt.router_alert")),
    IPv6UnknownOption: named("HBHOptUnknown", *IPV6_OPTION, ("data", "optdata", "")),
    RoutingType0: named(
        "IPv6ExtHdrRouting",
        *ROUTING,
        ("reserved", "reserved", "ipv6.routing.src.reserved", octets(4)),
        ("addresses", "addresses", "ipv6.routing.src.addr"),
    ),
    RoutingType2: named(
        "IPv6ExtHdrRouting",
        *ROUTING,
        ("reserved", "reserved", "ipv6.routing.mipv6.reserved", octets(4)),
        ("addresses", "addresses", "ipv6.routing.mipv6.home_address"),
    ),
    UnknownRouting: named(
        "IPv6ExtHdrRouting IPv6ExtHdrSegmentRouting", *ROUTING, ("data", "", "ipv6.routing.unknown_data")
    ),
    Fragment: named(
        "IPv6ExtHdrFragment",
        ("next_header", "nh", "ipv6.fraghdr.nxt"),
        ("reserved", "res1", "ipv6.fraghdr.reserved_octet", hex2),
        ("fragment_offset", "offset", "ipv6.fraghdr.offset"),
        ("reserved_bits", "res2", "ipv6.fraghdr.reserved_bits"),
        ("more_fragments", "m", "ipv6.fraghdr.more"),
        ("identification", "id", "ipv6.fraghdr.ident", hex8),
    ),
}

ICMP = (
    ("type", "type", "icmp.type"),
    ("code", "code", "icmp.code"),
    ("checksum", "chksum", "icmp.checksum", hex4),
)
ICMP_NUMBERS = (
    *ICMP,
    ("id", "id", "icmp.ident"),
    ("id", "", "icmp.ident_le", little_endian),
    ("seq", "seq", "icmp.seq"),
    ("seq", "", "icmp.seq_le", little_endian),
)

ICMP_VERSION_4 = {
    ICMPv4: named("ICMP", *ICMP),
    ICMPv4Echo: named("ICMP", *ICMP_NUMBERS),
    ICMPv4Unreachable: named(
        "ICMP",
        *ICMP,
        ("unused", "reserved", ""),
        ("length", "length", "icmp.length", where_used),
        ("next_hop_mtu", "nexthopmtu", ""),
        ("", "", "icmp.mtu", lambda error: str(error.next_hop_mtu) if error.code == 4 else None),
    ),
    ICMPv4SourceQuench: named("ICMP", *ICMP, ("unused", "unused", "")),
    ICMPv4Redirect: named("ICMP", *ICMP, ("gateway", "gw", "icmp.redir_gw")),
    ICMPv4TimeExceeded: named(
        "ICMP",
        *ICMP,
        ("unused", "reserved", ""),
        ("length", "length", "icmp.length", where_used),
        ("unused_word", "unused", ""),
    ),
    ICMPv4ParameterProblem: named(
        "ICMP",
        *ICMP,
        ("pointer", "ptr", "icmp.pointer"),
        ("length", "length", "icmp.length", where_used),
        ("unused", "unused", ""),
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
    ("checksum", "cksum", "icmpv6.checksum", hex4),
)
ND_OPTION = (("type", "type", "icmpv6.opt.type"), ("length", "len", "icmpv6.opt.length"))

ICMP_VERSION_6 = {
    ICMPv6: named("_ICMPv6", *ICMP6),
    ICMPv6Unreachable: named(
        "ICMPv6DestUnreach", *ICMP6, ("length", "length", "icmpv6.length", where_used), ("unused", "unused", "")
    ),
    ICMPv6PacketTooBig: named("ICMPv6PacketTooBig", *ICMP6, ("mtu", "mtu", "icmpv6.mtu")),
    ICMPv6TimeExceeded: named(
        "ICMPv6TimeExceeded", *ICMP6, ("length", "length", "icmpv6.length", where_used), ("unused", "unused", "")
    ),
    ICMPv6ParameterProblem: named("ICMPv6ParamProblem", *ICMP6, ("pointer", "ptr", "icmpv6.pointer")),
    ICMPv6Echo: named(
        "ICMPv6EchoRequest ICMPv6EchoReply",
        *ICMP6,
        ("id", "id", "icmpv6.echo.identifier", hex4),
        ("seq", "seq", "icmpv6.echo.sequence_number"),
    ),
    NeighborSolicitation: named(
        "ICMPv6ND_NS",
        *ICMP6,
        ("reserved", "res", "icmpv6.reserved", octets(4)),
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

TRANSPORT = {
    TCP: named(
        "TCP",
        ("src_port", "sport", "tcp.srcport"),
        ("dst_port", "dport", "tcp.dstport"),
        ("src_port", "", "tcp.port"),
        ("dst_port", "", "tcp.port"),
        ("seq", "seq", "tcp.seq_raw"),
        ("ack", "ack", "tcp.ack_raw"),
        ("data_offset", "dataofs", "tcp.hdr_len", in_bytes(4)),
        ("", "", "tcp.flags", lambda tcp: hex4(512 * tcp.reserved + int(tcp.flags))),
        ("reserved", "reserved", "tcp.flags.res", lambda value: str(int(value != 0))),
        ("flags", "flags", ""),
        ("flags", "", "tcp.flags.ae", flag(TCPFlags.AE)),
        ("flags", "", "tcp.flags.cwr", flag(TCPFlags.CWR)),
        ("flags", "", "tcp.flags.ece", flag(TCPFlags.ECE)),
        ("flags", "", "tcp.flags.urg", flag(TCPFlags.URG)),
        ("flags", "", "tcp.flags.ack", flag(TCPFlags.ACK)),
        ("flags", "", "tcp.flags.push", flag(TCPFlags.PSH)),
        ("flags", "", "tcp.flags.reset", flag(TCPFlags.RST)),
        ("flags", "", "tcp.flags.syn", flag(TCPFlags.SYN)),
        ("flags", "", "tcp.flags.fin", flag(TCPFlags.FIN)),
        ("", "", "tcp.flags.str", flag_letters),
        ("window", "window", "tcp.window_size_value"),
        ("checksum", "chksum", "tcp.checksum", hex4),
        ("urgent_pointer", "urgptr", "tcp.urgent_pointer"),
        ("options", "options", ""),
    ),
    TCPEndOfOptions: named("EOL", ("kind", "kind", ""), ("", "", "tcp.option_kind", each_zero)),
    TCPNoOperation: named("NOP", *TCP_KIND),
    MaximumSegmentSize: named("MSS", *TCP_OPTION, ("mss", "[0]", "tcp.options.mss_val")),
    WindowScale: named(
        "WScale",
        *TCP_OPTION,
        ("shift", "[0]", "tcp.options.wscale.shift"),
        ("shift", "", "tcp.options.wscale.multiplier", multiplier),
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
        ("checksum", "chksum", "udp.checksum", hex4),
    ),
}

NAMES: dict[type[Record], Names] = {
    **LINK,
    **IP_VERSION_4,
    **IP_VERSION_6,
    **ICMP_VERSION_4,
    **ICMP_VERSION_6,
    **TRANSPORT,
}
"""What others call each record and its fields."""
