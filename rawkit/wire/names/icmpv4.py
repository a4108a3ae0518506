"""ICMP for IPv4."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.icmpv4 import (
    ICMPv4,
    ICMPv4AddressMask,
    ICMPv4Echo,
    ICMPv4ExtendedEcho,
    ICMPv4ExtendedEchoReply,
    ICMPv4Information,
    ICMPv4ParameterProblem,
    ICMPv4Redirect,
    ICMPv4RouterAdvertisement,
    ICMPv4RouterSolicitation,
    ICMPv4SourceQuench,
    ICMPv4TimeExceeded,
    ICMPv4Timestamp,
    ICMPv4Unreachable,
    RouterAddress,
)
from rawkit.wire.names import limits
from rawkit.wire.names.table import Table, named

__all__ = ["ICMP_VERSION_4"]

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
    ICMPv4: named("ICMP", *ICMP, limit=limits.of_icmpv4, needed={"": "checksum"}),
    ICMPv4Echo: named("ICMP", *ICMP_NUMBERS, needed={"": "id"}),
    ICMPv4Unreachable: named(
        "ICMP",
        *ICMP,
        ("unused", "reserved", ""),
        ("length", "length", "icmp.length", notation.where_used),
        ("next_hop_mtu", "nexthopmtu", ""),
        ("length", "", "icmp.length.original_datagram", notation.quoted_bytes),
        ("", "", "icmp.unused", notation.unused_in_unreachable),
        ("", "", "icmp.mtu", notation.next_hop_mtu),
        needed={"": "length"},
    ),
    ICMPv4SourceQuench: named("ICMP", *ICMP, ("unused", "unused", ""), needed={"": "unused"}),
    ICMPv4Redirect: named("ICMP", *ICMP, ("gateway", "gw", "icmp.redir_gw"), needed={"": "gateway"}),
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
        needed={"": "length"},
    ),
    ICMPv4ParameterProblem: named(
        "ICMP",
        *ICMP,
        ("pointer", "ptr", "icmp.pointer"),
        ("length", "length", "icmp.length", notation.where_used),
        ("length", "", "icmp.length.original_datagram", notation.quoted_bytes),
        ("unused", "unused", ""),
        ("", "", "icmp.unused", lambda it: notation.unused(b"", it.length, it.unused.to_bytes(2))),
        needed={"": "length"},
    ),
    ICMPv4Timestamp: named(
        "ICMP",
        *ICMP_NUMBERS,
        ("originate", "ts_ori", "icmp.originate_timestamp"),
        ("receive", "ts_rx", "icmp.receive_timestamp"),
        ("transmit", "ts_tx", "icmp.transmit_timestamp"),
        needed={"": "id"},
    ),
    ICMPv4Information: named("ICMP", *ICMP_NUMBERS),
    ICMPv4AddressMask: named("ICMP", *ICMP_NUMBERS, ("mask", "addr_mask", "icmp.address_mask")),
    ICMPv4RouterSolicitation: named("ICMP", *ICMP, ("reserved", "unused", "")),
    ICMPv4RouterAdvertisement: named(
        "ICMP",
        *ICMP,
        ("num_addrs", "", "icmp.num_addrs"),
        ("addr_entry_size", "", "icmp.addr_entry_size"),
        ("lifetime", "", "icmp.lifetime"),
        ("routers", "", ""),
    ),
    RouterAddress: named(
        "", ("address", "", "icmp.router_address"), ("preference", "", "icmp.pref_level", notation.signed)
    ),
    ICMPv4ExtendedEcho: named(
        "ICMP",
        *ICMP,
        ("id", "", "icmp.ident"),
        ("id", "", "icmp.ident_le", notation.little_endian),
        ("seq", "", "icmp.ext.echo.seq"),
        ("reserved", "", "icmp.ext.echo.req.res", notation.hex2),
        ("local", "", "icmp.ext.echo.req.local"),
    ),
    ICMPv4ExtendedEchoReply: named(
        "ICMP",
        *ICMP,
        ("id", "", "icmp.ident"),
        ("id", "", "icmp.ident_le", notation.little_endian),
        ("seq", "", "icmp.ext.echo.seq"),
        ("state", "", "icmp.ext.echo.rsp.state"),
        ("reserved", "", "icmp.ext.echo.rsp.res", notation.hex2),
        ("active", "", "icmp.ext.echo.rsp.active"),
        ("ipv4", "", "icmp.ext.echo.rsp.ipv4"),
        ("ipv6", "", "icmp.ext.echo.rsp.ipv6"),
    ),
}
