"""What carries other packets: LLC, PPP, GRE, VXLAN, Geneve, MPLS, and the link types besides Ethernet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rawkit.wire import notation
from rawkit.wire.cooked import LinuxSLL, LinuxSLL2
from rawkit.wire.erspan import ERSPAN, ERSPAN3
from rawkit.wire.geneve import Geneve, GeneveOption
from rawkit.wire.gre import GRE, EnhancedGRE, GREHeader
from rawkit.wire.llc import LLC, SNAP, LLCNumbered, SNAPBridged
from rawkit.wire.mpls import MPLS, PseudowireControlWord
from rawkit.wire.names.table import Table, named
from rawkit.wire.null import Loop, Null
from rawkit.wire.ppp import HDLC, PPP, CompressedPPP
from rawkit.wire.pppoe import PPPoE, PPPoEDiscovery, PPPoETag
from rawkit.wire.vxlan import VXLAN

__all__ = ["TUNNELS"]


def gre_flags_and_version(gre: GREHeader) -> str:
    flags = int.from_bytes(bytes(gre)[:2])
    return f"0x{flags:04x}"


GRE_START = (
    ("", "", "gre.flags_and_version", gre_flags_and_version),
    ("checksum_present", "chksum_present", "gre.flags.checksum"),
    ("routing_present", "routing_present", "gre.flags.routing"),
    ("key_present", "key_present", "gre.flags.key"),
    ("sequence_present", "seqnum_present", "gre.flags.sequence_number"),
    ("strict_source_route", "strict_route_source", "gre.flags.strict_source_route"),
    ("recursion_control", "recursion_control", "gre.flags.recursion_control"),
    ("version", "version", "gre.flags.version"),
    ("protocol", "proto", "gre.proto", notation.hex4),
)
GRE_VERSION_0 = (
    *GRE_START,
    ("acknowledgment_present", "flags[4:4]", ""),
    ("flags", "flags[3:0]", ""),
    ("", "", "gre.flags.reserved", lambda gre: str(16 * gre.acknowledgment_present + gre.flags)),
)
PPPOE_START = (
    ("version", "version", "pppoe.version"),
    ("type", "type", "pppoe.type"),
    ("code", "code", "pppoe.code", notation.hex2),
    ("session_id", "sessionid", "pppoe.session_id", notation.hex4),
    ("length", "len", "pppoe.payload_length"),
)


def llc_control(llc: LLC) -> str:
    return notation.hex4(llc.control)  # type: ignore[return-value]


def llc_numbered_control(llc: LLCNumbered) -> str:
    return notation.hex4(llc.control + 512 * llc.receive_number + 256 * llc.poll_final)  # type: ignore[return-value]


def protocol_of_ieee(snap: SNAP) -> str | None:
    return notation.hex4(snap.protocol) if snap.oui in (0, BRIDGED) else None  # type: ignore[return-value]


def protocol_of_cisco(snap: SNAP) -> str | None:
    return notation.hex4(snap.protocol) if snap.oui == CISCO else None  # type: ignore[return-value]


BRIDGED, CISCO = 0x0000F8, 0x00000C
SNAP_FIELDS = (
    ("oui", "OUI", "llc.oui"),
    ("protocol", "code", ""),
    ("", "", "llc.type", protocol_of_ieee),
    ("", "", "llc.cisco_pid", protocol_of_cisco),
)


def either_order(family: int) -> str:
    """A family in the byte order in which it is the smaller number."""
    return str(min(family, int.from_bytes(family.to_bytes(4), "little")))


def ethernet_address(cooked: Any) -> str | None:
    return cooked.address[:6].hex(":") if cooked.address_length == 6 else None


def ipv4_address(cooked: Any) -> str | None:
    return ".".join(map(str, cooked.address[:4])) if cooked.address_length == 4 else None


def other_address(cooked: Any) -> str | None:
    return None if cooked.address_length in (0, 4, 6) else cooked.address[: cooked.address_length].hex()


def unused_address(cooked: Any) -> str | None:
    return cooked.address[cooked.address_length :].hex() or None


def is_gre(cooked: Any) -> bool:
    """Whether it came from a GRE device (ARPHRD_IPGRE in Linux's `if_arp.h`)."""
    return cooked.hardware_type == 778  # type: ignore[no-any-return]


COOKED = (
    ("packet_type", "pkttype", "sll.pkttype"),
    ("hardware_type", "lladdrtype", "sll.hatype"),
    ("address_length", "lladdrlen", "sll.halen"),
    ("address", "src", ""),
    ("", "", "sll.src.eth", ethernet_address),
    ("", "", "sll.src.ipv4", ipv4_address),
    ("", "", "sll.src.other", other_address),
    ("", "", "sll.unused", unused_address),
    ("protocol", "proto", ""),
    ("", "", "sll.etype", lambda cooked: None if is_gre(cooked) else notation.ether_type(cooked.protocol)),
    ("", "", "sll.gretype", lambda cooked: notation.hex4(cooked.protocol) if is_gre(cooked) else None),
    ("protocol", "", "sll.ltype", lambda value: notation.hex4(value) if value < 0x0600 else None),
)


def data_of_unknown(option: GeneveOption) -> str | None:
    """The data of an option, unless Wireshark knows its class, which is that of Google's cloud."""
    return None if option.option_class == GOOGLE else option.data.hex() or "<MISSING>"


GOOGLE = 0x0132


def tag_as(kind: int, text: bool) -> notation.Notation:
    def show(tag: PPPoETag) -> str | Sequence[str] | None:
        if tag.type != kind:
            return None
        return notation.characters(tag.data) if text else tag.data.hex()

    return show


TUNNELS: Table = {
    LLC: named(
        "LLC",
        ("dsap", "dsap", "llc.dsap", notation.hex2),
        ("ssap", "ssap", "llc.ssap", notation.hex2),
        ("control", "ctrl", ""),
        ("", "", "llc.control", llc_control),
    ),
    LLCNumbered: named(
        "LLC",
        ("dsap", "dsap", "llc.dsap", notation.hex2),
        ("ssap", "ssap", "llc.ssap", notation.hex2),
        ("control", "ctrl", ""),
        ("receive_number", "", "llc.control.n_r"),
        ("poll_final", "", ""),
        ("", "", "llc.control", llc_numbered_control),
    ),
    SNAP: named("SNAP", *SNAP_FIELDS),
    SNAPBridged: named("SNAP", *SNAP_FIELDS),
    LinuxSLL: named("CookedLinux", *COOKED),
    LinuxSLL2: named(
        "CookedLinuxV2", *COOKED, ("reserved", "reserved", ""), ("interface", "ifindex", "sll.ifindex")
    ),
    Null: named("Loopback", ("family", "", "null.family", either_order)),
    Loop: named("LoopbackOpenBSD", ("family", "type", "null.family")),
    HDLC: named(
        "HDLC",
        ("address", "address", "ppp.address", notation.hex2),
        ("control", "control", "ppp.control", notation.hex2),
    ),
    PPP: named("PPP", ("protocol", "proto", "ppp.protocol", notation.hex4)),
    CompressedPPP: named("PPP", ("protocol", "proto", "ppp.protocol", notation.hex4)),
    PPPoE: named("PPPoE", *PPPOE_START),
    PPPoEDiscovery: named("PPPoED", *PPPOE_START, ("tags", "", "")),
    PPPoETag: named(
        "PPPoETag",
        ("type", "tag_type", ""),
        ("length", "tag_len", ""),
        ("data", "tag_value", ""),
        ("", "", "pppoed.tags.service_name", tag_as(0x0101, text=True)),
        ("", "", "pppoed.tags.ac_name", tag_as(0x0102, text=True)),
        ("", "", "pppoed.tags.host_uniq", tag_as(0x0103, text=False)),
        ("", "", "pppoed.tags.ac_cookie", tag_as(0x0104, text=False)),
    ),
    GREHeader: named("GRE", *GRE_VERSION_0),
    GRE: named(
        "GRE",
        *GRE_VERSION_0,
        ("checksum", "chksum", "gre.checksum", notation.hex4),
        ("reserved", "offset", "gre.offset"),
        ("key", "key", "gre.key", notation.hex8),
        ("sequence", "sequence_number", "gre.sequence_number"),
    ),
    EnhancedGRE: named(
        "GRE_PPTP",
        *GRE_START,
        ("acknowledgment_present", "acknum_present", "gre.flags.ack"),
        ("flags", "flags", "gre.flags.reserved"),
        ("length", "payload_len", "gre.key.payload_length"),
        ("call_id", "call_id", "gre.key.call_id"),
        ("sequence", "sequence_number", "gre.sequence_number"),
        ("acknowledgment", "ack_number", "gre.ack_number"),
    ),
    ERSPAN: named(
        "ERSPAN_II",
        ("version", "ver", "erspan.version"),
        ("vlan", "vlan", "erspan.vlan"),
        ("class_of_service", "cos", "erspan.cos"),
        ("encapsulation", "en", "erspan.encap"),
        ("truncated", "t", "erspan.truncated"),
        ("session_id", "session_id", "erspan.spanid"),
        ("reserved", "reserved", "erspan.reserved"),
        ("index", "index", "erspan.index"),
    ),
    ERSPAN3: named(
        "ERSPAN_III",
        ("version", "ver", "erspan.version"),
        ("vlan", "vlan", "erspan.vlan"),
        ("class_of_service", "cos", "erspan.cos"),
        ("integrity", "bso", "erspan.bso"),
        ("truncated", "t", "erspan.truncated"),
        ("session_id", "session_id", "erspan.spanid"),
        ("timestamp", "timestamp", "erspan.timestamp"),
        ("security_group", "sgt_other", "erspan.sgt"),
        ("protocol_data_unit", "p", "erspan.p"),
        ("frame_type", "ft", "erspan.ft"),
        ("hardware_id", "hw", "erspan.hw"),
        ("egress", "d", "erspan.direction"),
        ("granularity", "gra", "erspan.gra"),
        ("subheader_present", "o", "erspan.o"),
        ("platform", "", ""),
        ("platform_data", "", ""),
    ),
    VXLAN: named(
        "VXLAN",
        ("flags", "flags", ""),
        ("reserved", "reserved1", ""),
        ("", "", "vxlan.flags", lambda vxlan: notation.hex4(256 * vxlan.flags + vxlan.reserved // 65536)),
        ("reserved", "", "vxlan.gbp", lambda value: str(value % 65536)),
        ("vni", "vni", "vxlan.vni"),
        ("reserved_byte", "reserved2", "vxlan.reserved8"),
    ),
    Geneve: named(
        "GENEVE",
        ("version", "version", "geneve.version"),
        ("options_length", "optionlen", "geneve.option.length", notation.in_bytes(4)),
        (
            "",
            "",
            "geneve.flags",
            lambda geneve: notation.hex2(128 * geneve.control + 64 * geneve.critical + geneve.reserved),
        ),
        ("control", "oam", "geneve.flags.oam"),
        ("critical", "critical", "geneve.flags.critical"),
        ("reserved", "reserved", "geneve.flags.reserved", lambda value: str(int(value != 0))),
        ("protocol", "proto", "geneve.proto_type", notation.hex4),
        ("vni", "vni", "geneve.vni", notation.hex6),
        ("reserved_byte", "reserved2", "geneve.reserved", notation.hex2),
        ("options", "options", ""),
    ),
    GeneveOption: named(
        "GeneveOptions",
        ("option_class", "classid", "geneve.option.class", notation.hex4),
        ("type", "type", "geneve.option.type", notation.hex2),
        ("reserved", "reserved", ""),
        ("length", "length", "geneve.option.length", notation.in_bytes(4, plus=1)),
        ("data", "data", ""),
        ("", "", "geneve.option.unknown.data", data_of_unknown),
    ),
    MPLS: named(
        "MPLS",
        ("label", "label", "mpls.label"),
        ("traffic_class", "cos", "mpls.exp"),
        ("bottom", "s", "mpls.bottom"),
        ("ttl", "ttl", "mpls.ttl"),
    ),
    PseudowireControlWord: named(
        "EoMCW",
        ("zero", "zero", ""),
        ("reserved", "reserved", ""),
        ("sequence", "seq", "pweth.cw.sequence_number"),
    ),
}
