"""Extensions of ICMP errors."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.icmp_extensions import (
    ICMPExtensions,
    ICMPProbe,
    ICMPUnknownObject,
    InterfaceAddressIPv4,
    InterfaceAddressIPv6,
    InterfaceByAddress,
    InterfaceByIndex,
    InterfaceByName,
    InterfaceInformation,
    InterfaceName,
    MPLSLabel,
    MPLSLabelStack,
)
from rawkit.wire.names.table import Table, named

__all__ = ["ICMP_EXTENSIONS"]

OBJECT = (("length", "len", "icmp.ext.length"), ("class_num", "classnum", "icmp.ext.class"))
TYPED = (*OBJECT, ("c_type", "classtype", "icmp.ext.ctype"))

STRUCTURE = (
    ("version", "version", "icmp.ext.version"),
    ("reserved", "reserved", "icmp.ext.res", notation.hex4),
    ("checksum", "chksum", "icmp.ext.checksum", notation.hex4),
    ("objects", "options", ""),
)

ICMP_EXTENSIONS: Table = {
    ICMPExtensions: named("ICMPExtension_Header", *STRUCTURE),
    ICMPProbe: named("ICMPExtension_Header", *STRUCTURE),
    MPLSLabelStack: named("ICMPExtension_MPLS", *TYPED, ("labels", "", "")),
    MPLSLabel: named(
        "",
        ("label", "", "icmp.mpls.label"),
        ("experimental", "", "icmp.mpls.exp"),
        ("bottom", "", "icmp.mpls.s"),
        ("ttl", "", "icmp.mpls.ttl"),
    ),
    InterfaceInformation: named(
        "ICMPExtension_InterfaceInformation",
        *OBJECT,
        ("", "", "icmp.ext.ctype", notation.interface_type),
        ("role", "classtype", "icmp.int_info.role"),
        ("reserved", "reserved", "icmp.int_info.reserved"),
        ("has_index", "has_ifindex", "icmp.int_info.ifindex"),
        ("has_address", "has_ipaddr", "icmp.int_info.ipaddr"),
        ("has_name", "has_ifname", "icmp.int_info.name_present"),
        ("has_mtu", "has_mtu", "icmp.int_info.mtu_present"),
        ("index", "", "icmp.int_info.index"),
        ("address", "", ""),
        ("name", "", ""),
        ("mtu", "", "icmp.int_info.mtu"),
        ("rest", "", ""),
    ),
    InterfaceAddressIPv4: named(
        "", ("afi", "", "icmp.int_info.afi"), ("reserved", "", ""), ("address", "", "icmp.int_info.ipv4")
    ),
    InterfaceAddressIPv6: named(
        "", ("afi", "", "icmp.int_info.afi"), ("reserved", "", ""), ("address", "", "icmp.int_info.ipv6")
    ),
    InterfaceName: named(
        "", ("length", "", "icmp.int_info.name_length"), ("name", "", "icmp.int_info.name", notation.padded_text)
    ),
    InterfaceByName: named("ICMPExtension_Object", *TYPED, ("name", "", "")),
    InterfaceByIndex: named("ICMPExtension_Object", *TYPED, ("index", "", "")),
    InterfaceByAddress: named(
        "ICMPExtension_Object",
        *TYPED,
        ("afi", "", ""),
        ("address_length", "", ""),
        ("reserved", "", ""),
        ("address", "", ""),
        ("padding", "", ""),
    ),
    ICMPUnknownObject: named("ICMPExtension_Object", *TYPED, ("data", "", "")),
}
