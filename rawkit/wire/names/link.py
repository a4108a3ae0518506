"""Link layers and ARP."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.arp import ARP
from rawkit.wire.ethernet import VLAN, Ethernet, ServiceVLAN
from rawkit.wire.names.table import Table, named

__all__ = ["LINK"]

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
        needed="type",
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
