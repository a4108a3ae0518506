"""Link layers and ARP."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.arp import ARP, OtherARP
from rawkit.wire.ethernet import VLAN, Ethernet, ServiceVLAN
from rawkit.wire.names import limits
from rawkit.wire.names.table import Table, named

__all__ = ["LINK"]

VLAN_TAG = (
    ("priority", "prio", "vlan.priority"),
    ("drop_eligible", "dei", "vlan.dei"),
    ("id", "vlan", "vlan.id"),
    ("type", "type", "vlan.etype", notation.ether_type),
    ("type", "", "vlan.len", notation.ether_length),
)

ARP_BEGINNING = (
    ("hardware_type", "hwtype", "arp.hw.type"),
    ("protocol_type", "ptype", "arp.proto.type", notation.hex4),
    ("hardware_length", "hwlen", "arp.hw.size"),
    ("protocol_length", "plen", "arp.proto.size"),
    ("operation", "op", "arp.opcode"),
)

ARP_SHOWN = [row[2] for row in ARP_BEGINNING]
"""What Wireshark shows of an ARP packet whose addresses are cut."""

LINK: Table = {
    Ethernet: named(
        "Ether Dot3",
        ("dst", "dst", "eth.dst"),
        ("src", "src", "eth.src"),
        ("dst", "", "eth.addr"),
        ("src", "", "eth.addr"),
        ("type", "type", "eth.type", notation.ether_type),
        ("type", "len", ""),
        ("type", "", "eth.len", notation.ether_length),
        needed={"": "type"},
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
        *ARP_BEGINNING,
        ("sender_mac", "hwsrc", ""),
        ("sender_ip", "psrc", ""),
        ("target_mac", "hwdst", ""),
        ("target_ip", "pdst", ""),
        ("hardware_type sender_mac", "", "arp.src.hw_mac", notation.if_mac),
        ("hardware_type sender_mac", "", "arp.src.hw", notation.if_no_mac),
        ("protocol_type sender_ip", "", "arp.src.proto_ipv4", notation.if_ipv4),
        ("protocol_type sender_ip", "", "arp.src.proto", notation.if_no_ipv4),
        ("hardware_type target_mac", "", "arp.dst.hw_mac", notation.if_mac),
        ("hardware_type target_mac", "", "arp.dst.hw", notation.if_no_mac),
        ("protocol_type target_ip", "", "arp.dst.proto_ipv4", notation.if_ipv4),
        ("protocol_type target_ip", "", "arp.dst.proto", notation.if_no_ipv4),
        limit=limits.of_arp,
        needed={**dict.fromkeys(ARP_SHOWN, "operation"), "": "target_ip"},
    ),
    OtherARP: named(
        "ARP",
        *ARP_BEGINNING,
        ("", "", "arp.src.hw_mac", notation.Placed(notation.arp_hardware(0, mac=True))),
        ("", "", "arp.src.hw", notation.Placed(notation.arp_hardware(0, mac=False))),
        ("", "", "arp.src.proto_ipv4", notation.Placed(notation.arp_protocol(1, ipv4=True))),
        ("", "", "arp.src.proto", notation.Placed(notation.arp_protocol(1, ipv4=False))),
        ("", "", "arp.dst.hw_mac", notation.Placed(notation.arp_hardware(2, mac=True))),
        ("", "", "arp.dst.hw", notation.Placed(notation.arp_hardware(2, mac=False))),
        ("", "", "arp.dst.proto_ipv4", notation.Placed(notation.arp_protocol(3, ipv4=True))),
        ("", "", "arp.dst.proto", notation.Placed(notation.arp_protocol(3, ipv4=False))),
        limit=limits.of_arp,
    ),
}
