"""IPv4 and its options."""

from __future__ import annotations

from rawkit.wire import notation
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
from rawkit.wire.names import limits
from rawkit.wire.names.table import Table, named

__all__ = ["IP_VERSION_4"]

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
        ("dscp ecn", "", "ip.dsfield", lambda dscp, ecn: notation.hex2(4 * dscp + ecn)),
        ("dscp", "tos[7:2]", "ip.dsfield.dscp"),
        ("ecn", "tos[1:0]", "ip.dsfield.ecn"),
        ("total_length", "len", "ip.len", notation.Placed(notation.total_length)),
        ("identification", "id", "ip.id", notation.hex4),
        (
            "reserved dont_fragment more_fragments",
            "",
            "ip.flags",
            lambda *bits: notation.hex2(4 * bits[0] + 2 * bits[1] + bits[2]),
        ),
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
        limit=limits.of_ipv4,
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
