"""Link layers and tunnels: what follows what, as tshark reads it, and what is built of what is left out."""

from __future__ import annotations

import subprocess
from collections import defaultdict

import pytest
from corpus import packets_of_others
from programs import require
from test_wire_problems import told

from rawkit.errors import BuildError, FieldError
from rawkit.layout import AUTO
from rawkit.pcap import write_capture
from rawkit.wire import (
    ARP,
    ERSPAN,
    GRE,
    HDLC,
    LLC,
    MPLS,
    PPP,
    SNAP,
    TCP,
    UDP,
    VLAN,
    VXLAN,
    CompressedPPP,
    CutHeader,
    DestinationOptions,
    EnhancedGRE,
    Ethernet,
    Fragment,
    Geneve,
    GeneveMalformedOptions,
    GeneveOption,
    GREHeader,
    HopByHop,
    ICMPv4,
    ICMPv6,
    IPv4,
    IPv6,
    LinkType,
    LinuxSLL,
    LinuxSLL2,
    LLCNumbered,
    Loop,
    Null,
    Packet,
    PPPoE,
    PPPoEDiscovery,
    PPPoEMalformedTags,
    PPPoETag,
    PseudowireControlWord,
    Routing,
    RoutingType0,
    ServiceVLAN,
    Trailer,
    dissect,
)

FRAME = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
IP4 = IPv4(src="10.0.0.1", dst="10.0.0.2")
IP6 = IPv6(src="fd00::1", dst="fd00::2")
DATAGRAM = UDP(src_port=1000, dst_port=2000) / b"x"

# ---------------------------------------------------------------------- what follows what, by tshark

PROTOCOLS = {
    Ethernet: "eth",
    ServiceVLAN: "ieee8021ad",
    VLAN: "vlan",
    LLC: "llc",
    SNAP: "",
    ARP: "arp",
    LinuxSLL: "sll",
    LinuxSLL2: "sll",
    Null: "null",
    Loop: "null",
    HDLC: "",
    PPP: "ppp",
    CompressedPPP: "ppp",
    PPPoE: "pppoes",
    PPPoEDiscovery: "pppoed",
    GREHeader: "gre",
    ERSPAN: "erspan",
    VXLAN: "vxlan",
    Geneve: "geneve",
    MPLS: "mpls",
    PseudowireControlWord: "",
    IPv4: "ip",
    IPv6: "ipv6",
    HopByHop: "ipv6.hopopts",
    DestinationOptions: "ipv6.dstopts",
    Routing: "ipv6.routing",
    Fragment: "ipv6.fraghdr",
    ICMPv4: "icmp",
    ICMPv6: "icmpv6",
    TCP: "tcp",
    UDP: "udp",
}
"""What tshark calls our headers; a part of what comes before has no name of its own."""
IGNORED = {"ethertype", "raw", "pwethheuristic", "pwethcw", "pwethnocw"}


def ours(packet: Packet) -> list[str]:
    """The names of the layers, a label stack counting as one."""
    names: list[str] = []
    for layer in packet.layers:
        header = layer.header if isinstance(layer, CutHeader) else type(layer)
        name = next(name for known, name in PROTOCOLS.items() if issubclass(header, known))
        if name and not (name == "mpls" and names[-1:] == ["mpls"]):
            names.append(name)
    return names


def theirs(protocols: str, packet: Packet) -> list[str]:
    """tshark's names up to the first that rawkit does not read; ERSPAN's type I has no header."""
    found: list[str] = []
    for name in protocols.split(":"):
        if name in IGNORED or (name == "erspan" and ERSPAN not in packet and Ethernet in packet.layers[2:]):
            continue
        if name not in PROTOCOLS.values():
            break
        found.append(name)
    return found


def test_layers_are_those_that_tshark_finds_in_the_captures_of_others(tmp_path):
    require("tshark")
    by_link_type = defaultdict(list)
    for name, record in packets_of_others(each=40):
        by_link_type[record.link_type].append((name, record))
    differ, compared, seen = [], 0, set()
    for link_type, named in by_link_type.items():
        path = tmp_path / f"{int(link_type)}.pcap"
        write_capture(path, [record for _, record in named])
        command = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
        rows = subprocess.run(
            [*command, "-T", "fields", "-e", "frame.protocols"], capture_output=True, encoding="utf-8", check=True
        )
        for (name, record), row in zip(named, rows.stdout.splitlines(), strict=True):
            packet = dissect(record.data, link_type, wire_length=record.wire_length)
            if name in READ_OTHERWISE or any(isinstance(layer, CutHeader) for layer in packet.layers):
                continue
            compared += 1
            seen.update(ours(packet))
            if ours(packet) != theirs(row, packet):
                differ.append((name, record.number, ours(packet), row))
    assert differ == []
    assert compared > 3000
    assert seen >= {"llc", "sll", "null", "ppp", "pppoes", "pppoed", "gre", "erspan", "vxlan", "geneve", "mpls"}


READ_OTHERWISE: dict[str, str] = {}
"""Files in which tshark reads other layers, and why."""
