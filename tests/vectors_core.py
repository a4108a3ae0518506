"""Vectors of the core protocols: a packet for each, with the bytes that someone else computed for it.

Where the source begins with `scapy:`, scapy 2.8 built the bytes from the expression that follows, with its own
lengths and checksums. Where it begins with `captured:`, real programs sent them, and the tcpdump project keeps
them among its tests.
"""

from __future__ import annotations

from vector import Vector

from rawkit.wire import (
    ARP,
    SACK,
    TCP,
    UDP,
    VLAN,
    AddressAndTimestamp,
    DestinationOptions,
    Ethernet,
    Fragment,
    HopByHop,
    ICMPv4,
    ICMPv4Echo,
    ICMPv4SourceQuench,
    ICMPv4Timestamp,
    ICMPv4Unreachable,
    ICMPv6,
    ICMPv6ParameterProblem,
    IPv4,
    IPv4EndOfOptions,
    IPv4NoOperation,
    IPv4RouterAlert,
    IPv4Security,
    IPv4Timestamp,
    IPv4TimestampWithAddresses,
    IPv4UnknownOption,
    IPv6,
    IPv6RouterAlert,
    IPv6UnknownOption,
    LinkType,
    LooseSourceRoute,
    MaximumSegmentSize,
    NDUnknownOption,
    NeighborSolicitation,
    Packet,
    Pad1,
    PadN,
    RecordRoute,
    RoutingType0,
    RoutingType2,
    SACKBlock,
    SACKPermitted,
    ServiceVLAN,
    StreamIdentifier,
    StrictSourceRoute,
    TCPEndOfOptions,
    TCPExperiment,
    TCPNoOperation,
    Timestamps,
    UnknownRouting,
    WindowScale,
)

__all__ = ["CORE_VECTORS"]

CORE_VECTORS = (
    Vector(
        "ethernet",
        Ethernet(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:01", type=0x88B5) / b"experiment",
        "ffffffffffff02000000000188b56578706572696d656e74",
        LinkType.ETHERNET,
        "scapy: Ether(dst='ff:ff:ff:ff:ff:ff', src='02:00:00:00:00:01', type=0x88B5)/b'experiment'",
    ),
    Vector(
        "vlan",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / VLAN(priority=5, drop_eligible=True, id=100)
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "0200000000020200000000018100b06408004500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/Dot1Q(prio=5, dei=1, vlan=100)/IP"
            "(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "vlan_stacked",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / ServiceVLAN(id=200)
        / VLAN(id=100)
        / VLAN(id=7)
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "02000000000202000000000188a800c8810000648100000708004500001d00000000401166ce0a0000010a00000203e8"
            "07d00009682178"
        ),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/Dot1AD(vlan=200)/Dot1Q(vlan=100)/"
            "Dot1Q(vlan=7)/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "arp_request",
        Ethernet(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:01")
        / ARP.who_has("10.0.0.2", tell="10.0.0.1", mac="02:00:00:00:00:01"),
        "ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002",
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='ff:ff:ff:ff:ff:ff', src='02:00:00:00:00:01')/ARP(hwsrc='02:00:00:00:00:01', ps"
            "rc='10.0.0.1', hwdst='00:00:00:00:00:00', pdst='10.0.0.2')"
        ),
    ),
    Vector(
        "arp_reply",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / ARP.is_at("10.0.0.1", "02:00:00:00:00:01", to="10.0.0.2", to_mac="02:00:00:00:00:02"),
        "020000000002020000000001080600010800060400020200000000010a0000010200000000020a000002",
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/ARP(op=2, hwsrc='02:00:00:00:00:0"
            "1', psrc='10.0.0.1', hwdst='02:00:00:00:00:02', pdst='10.0.0.2')"
        ),
    ),
    Vector(
        "ipv4_every_field",
        IPv4(
            dscp=46,
            ecn=1,
            identification=0x1234,
            reserved=True,
            dont_fragment=True,
            ttl=3,
            protocol=253,
            src="192.0.2.1",
            dst="198.51.100.2",
        )
        / b"abc",
        "45b900171234c00003fdf7c5c0000201c6336402616263",
        LinkType.RAW,
        (
            "scapy: IP(tos=0xb9, id=0x1234, flags='evil+DF', ttl=3, proto=253, src='192.0.2.1', dst='198.51.1"
            "00.2')/b'abc'"
        ),
    ),
    Vector(
        "ipv4_first_fragment",
        IPv4(identification=7, more_fragments=True, src="10.0.0.1", dst="10.0.0.2", protocol=17)
        / UDP(src_port=1000, dst_port=2000, length=32, checksum=0),
        "4500001c00072000401146c80a0000010a00000203e807d000200000",
        LinkType.RAW,
        (
            "scapy: IP(id=7, flags='MF', proto=17, src='10.0.0.1', dst='10.0.0.2')/bytes.fromhex('03e807d0002"
            "00000')"
        ),
    ),
    Vector(
        "ipv4_later_fragment",
        IPv4(identification=7, fragment_offset=185, src="10.0.0.1", dst="10.0.0.2", protocol=17) / b"rest",
        "45000018000700b9401166130a0000010a00000272657374",
        LinkType.RAW,
        "scapy: IP(id=7, frag=185, proto=17, src='10.0.0.1', dst='10.0.0.2')/b'rest'",
    ),
    Vector(
        "ipv4_in_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / ICMPv4.echo(id=1, seq=2),
        "4500003000000000400466c80a0000010a0000024500001c000000004001f98dc0a80001c0a800020800f7fc00010002",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/I"
            "CMP(id=1, seq=2)"
        ),
    ),
    Vector(
        "ipv6_in_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / IPv6(src="fd00::1", dst="fd00::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"six",
        (
            "45000047000000004029668c0a0000010a00000260000000000b1140fd000000000000000000000000000001fd000000"
            "00000000000000000000000203e807d0000b0eb2736978"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=100"
            "0, dport=2000)/b'six'"
        ),
    ),
    Vector(
        "ipv4_option_end_of_options",
        IPv4(
            src="10.0.0.1",
            dst="10.0.0.2",
            options=[IPv4NoOperation(), IPv4NoOperation(), IPv4NoOperation(), IPv4EndOfOptions()],
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "4600002100000000401163c90a0000010a0000020101010003e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_NOP(), IPOption_NOP(), IPOptio"
            "n_NOP(), IPOption_EOL()])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_record_route",
        IPv4(
            src="10.0.0.1",
            dst="10.0.0.2",
            options=[RecordRoute(pointer=8, route=["192.0.2.1", "0.0.0.0", "0.0.0.0"])],
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "4900002d00000000401151ed0a0000010a000002070f08c000020100000000000000000003e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_RR(pointer=8, routers=['192.0."
            "2.1', '0.0.0.0', '0.0.0.0'])])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_loose_source_route",
        IPv4(
            src="10.0.0.1",
            dst="10.0.0.2",
            options=[LooseSourceRoute(pointer=8, route=["192.0.2.1", "192.0.2.2", "192.0.2.3"])],
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "4900002d000000004011cf680a0000010a000002830f08c0000201c0000202c00002030003e807d00009b01f78",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_LSRR(pointer=8, routers=['192."
            "0.2.1', '192.0.2.2', '192.0.2.3'])])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_strict_source_route",
        IPv4(src="10.0.0.1", dst="10.0.0.2", options=[StrictSourceRoute(route=["192.0.2.1", "192.0.2.2"])])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "48000029000000004011d2320a0000010a000002890b04c0000201c00002020003e807d00009b02078",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_SSRR(routers=['192.0.2.1', '19"
            "2.0.2.2'])])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_timestamp",
        IPv4(src="10.0.0.1", dst="10.0.0.2", options=[IPv4Timestamp(pointer=9, overflow=2, timestamps=[1000])])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "4700002500000000401113b60a0000010a00000244080920000003e803e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption(copy_flag=0, optclass=2, optio"
            "n=4, value=bytes.fromhex('0920000003e8'))])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_timestamp_with_addresses",
        IPv4(
            src="10.0.0.1",
            dst="10.0.0.2",
            options=[
                IPv4TimestampWithAddresses(
                    pointer=13, flag=1, entries=[AddressAndTimestamp(address="192.0.2.1", timestamp=1000)]
                )
            ],
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "480000290000000040114ccb0a0000010a000002440c0d01c0000201000003e803e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_Timestamp(pointer=13, flg=1, i"
            "nternet_address='192.0.2.1', timestamp=1000, length=12)])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_timestamp_prespecified",
        IPv4(
            src="10.0.0.1",
            dst="10.0.0.2",
            options=[
                IPv4TimestampWithAddresses(
                    pointer=5,
                    flag=3,
                    entries=[AddressAndTimestamp(address="192.0.2.1"), AddressAndTimestamp(address="192.0.2.2")],
                )
            ],
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "4a000031000000004011949e0a0000010a00000244140503c000020100000000c00002020000000003e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption(copy_flag=0, optclass=2, optio"
            "n=4, value=bytes.fromhex('0503c000020100000000c000020200000000'))])/UDP(sport=1000, dport=2000)/"
            "b'x'"
        ),
    ),
    Vector(
        "ipv4_option_security",
        IPv4(
            src="10.0.0.1",
            dst="10.0.0.2",
            options=[IPv4Security(security=0xF135, compartments=0, handling=b"AB", transmission_control=b"XYZ")],
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "48000029000000004011fce40a0000010a000002820bf1350000414258595a0003e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_Security(security=0xf135, comp"
            "artment=0, handling_restrictions=0x4142, transmission_control_code=b'XYZ')])/UDP(sport=1000, dpo"
            "rt=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_stream_identifier",
        IPv4(src="10.0.0.1", dst="10.0.0.2", options=[StreamIdentifier(stream=0xBEEF)])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "460000210000000040111ed60a0000010a0000028804beef03e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_Stream_Id(security=0xbeef)])/U"
            "DP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_router_alert",
        IPv4(src="10.0.0.1", dst="10.0.0.2", options=[IPv4RouterAlert()])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "46000021000000004011d1c50a0000010a0000029404000003e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption_Router_Alert()])/UDP(sport=100"
            "0, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_option_unknown",
        IPv4(src="10.0.0.1", dst="10.0.0.2", options=[IPv4UnknownOption(kind=0x5E, data=b"\x01\x02")])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "4600002100000000401106c40a0000010a0000025e04010203e807d00009682178",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2', options=[IPOption(copy_flag=0, optclass=2, optio"
            "n=30, value=bytes.fromhex('0102'))])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_every_field",
        IPv6(
            traffic_class=0xB9,
            flow_label=0xABCDE,
            next_header=253,
            hop_limit=3,
            src="2001:db8::1",
            dst="2001:db8::2",
        )
        / b"abc",
        "6b9abcde0003fd0320010db800000000000000000000000120010db8000000000000000000000002616263",
        LinkType.RAW,
        "scapy: IPv6(tc=0xb9, fl=0xabcde, nh=253, hlim=3, src='2001:db8::1', dst='2001:db8::2')/b'abc'",
    ),
    Vector(
        "ipv6_no_next_header",
        Packet((IPv6(src="fd00::1", dst="fd00::2"),)),
        "6000000000003b40fd000000000000000000000000000001fd000000000000000000000000000002",
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2')",
    ),
    Vector(
        "ipv6_hop_by_hop",
        IPv6(src="fd00::1", dst="fd00::2")
        / HopByHop(options=[IPv6RouterAlert(value=0), Pad1(), Pad1()])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000110040fd000000000000000000000000000001fd0000000000000000000000000000021100050200000000"
            "03e807d00009821f78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), Pad1"
            "(), Pad1()])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_destination_options",
        IPv6(src="fd00::1", dst="fd00::2")
        / DestinationOptions(options=[IPv6UnknownOption(type=0x1E, data=b"ab"), PadN()])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000113c40fd000000000000000000000000000001fd00000000000000000000000000000211001e0261620100"
            "03e807d00009821f78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1e, o"
            "ptdata=b'ab'), PadN(optdata=b'')])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_routing_type_0",
        IPv6(src="fd00::1", dst="fd00::2")
        / RoutingType0(segments_left=1, addresses=["fd00::9"])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000212b40fd000000000000000000000000000001fd0000000000000000000000000000021102000100000000"
            "fd00000000000000000000000000000903e807d00009821878"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrRouting(type=0, segleft=1, addresses=['fd00:"
            ":9'])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_routing_type_2",
        IPv6(src="fd00::1", dst="fd00::2")
        / RoutingType2(segments_left=1, addresses=["fd00::9"])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000212b40fd000000000000000000000000000001fd0000000000000000000000000000021102020100000000"
            "fd00000000000000000000000000000903e807d00009821878"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrRouting(type=2, segleft=1, addresses=['fd00:"
            ":9'])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_routing_unknown",
        IPv6(src="fd00::1", dst="fd00::2")
        / UnknownRouting(routing_type=253, segments_left=1, data=b"\x01\x02\x03\x04")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000112b40fd000000000000000000000000000001fd0000000000000000000000000000021100fd0101020304"
            "03e807d00009821f78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrRouting(type=253, segleft=1, reserved=0x0102"
            "0304, addresses=[])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_fragment",
        IPv6(src="fd00::1", dst="fd00::2")
        / Fragment(fragment_offset=185, more_fragments=True, identification=0xDEADBEEF, next_header=17)
        / b"middle--",
        (
            "6000000000102c40fd000000000000000000000000000001fd000000000000000000000000000002110005c9deadbeef"
            "6d6964646c652d2d"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrFragment(nh=17, offset=185, m=1, id=0xdeadbe"
            "ef)/b'middle--'"
        ),
    ),
    Vector(
        "ipv6_chain",
        IPv6(src="fd00::1", dst="fd00::2")
        / HopByHop()
        / DestinationOptions()
        / RoutingType0()
        / Fragment(identification=1)
        / DestinationOptions()
        / TCP(dst_port=80),
        (
            "60000000003c0040fd000000000000000000000000000001fd0000000000000000000000000000023c00010400000000"
            "2b000104000000002c000000000000003c000000000000010600010400000000c000005000000000000000005002faf0"
            "fa9c0000"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrHopByHop()/IPv6ExtHdrDestOpt()/IPv6ExtHdrRou"
            "ting(addresses=[])/IPv6ExtHdrFragment(id=1)/IPv6ExtHdrDestOpt()/TCP(sport=49152, dport=80, windo"
            "w=64240)"
        ),
    ),
    Vector(
        "icmpv4_echo",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4.echo(id=7, seq=1) / b"ping",
        "4500002000000000400166db0a0000010a000002080019270007000170696e67",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(id=7, seq=1)/b'ping'",
    ),
    Vector(
        "icmpv4_echo_reply",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4.echo_reply(id=7, seq=1) / b"ping",
        "4500002000000000400166db0a0000010a000002000021270007000170696e67",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=0, id=7, seq=1)/b'ping'",
    ),
    Vector(
        "icmpv4_port_unreachable",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4.unreachable(
            code=3,
            quoting=IPv4(src="10.0.0.2", dst="10.9.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe",
        ),
        (
            "4500003d00000000400166be0a0000010a00000203031a2f00000000450000210000000001119cb90a0000020a090909"
            "03e8829a000d176970726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=3, code=3)/IPerror(id=0, src='10.0.0.2"
            "', dst='10.9.9.9', ttl=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_fragmentation_needed",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4.unreachable(
            code=4,
            mtu=1400,
            quoting=IPv4(src="10.0.0.2", dst="10.9.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe",
        ),
        (
            "4500003d00000000400166be0a0000010a000002030414b600000578450000210000000001119cb90a0000020a090909"
            "03e8829a000d176970726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=3, code=4, nexthopmtu=1400)/IPerror(id"
            "=0, src='10.0.0.2', dst='10.9.9.9', ttl=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_source_quench",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4SourceQuench()
        / IPv4(src="10.0.0.2", dst="10.9.9.9", ttl=1)
        / UDP(src_port=1000, dst_port=33434)
        / b"probe",
        (
            "4500003d00000000400166be0a0000010a0000020400193200000000450000210000000001119cb90a0000020a090909"
            "03e8829a000d176970726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=4)/IPerror(id=0, src='10.0.0.2', dst='"
            "10.9.9.9', ttl=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_redirect",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4.redirect(
            gateway="10.0.0.254",
            quoting=IPv4(src="10.0.0.2", dst="10.9.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe",
        ),
        (
            "4500003d00000000400166be0a0000010a00000205010d330a0000fe450000210000000001119cb90a0000020a090909"
            "03e8829a000d176970726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=5, code=1, gw='10.0.0.254')/IPerror(id"
            "=0, src='10.0.0.2', dst='10.9.9.9', ttl=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_time_exceeded",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4.time_exceeded(
            quoting=IPv4(src="10.0.0.2", dst="10.9.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe"
        ),
        (
            "4500003d00000000400166be0a0000010a0000020b00123200000000450000210000000001119cb90a0000020a090909"
            "03e8829a000d176970726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=11)/IPerror(id=0, src='10.0.0.2', dst="
            "'10.9.9.9', ttl=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_parameter_problem",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4.parameter_problem(
            pointer=8,
            quoting=IPv4(src="10.0.0.2", dst="10.9.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe",
        ),
        (
            "4500003d00000000400166be0a0000010a0000020c00093208000000450000210000000001119cb90a0000020a090909"
            "03e8829a000d176970726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=12, ptr=8)/IPerror(id=0, src='10.0.0.2"
            "', dst='10.9.9.9', ttl=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_timestamp",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4Timestamp(id=7, seq=1, originate=1000),
        "4500002800000000400166d30a0000010a0000020d00ef0f00070001000003e80000000000000000",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=13, id=7, seq=1, ts_ori=1000, ts_rx=0,"
            " ts_tx=0)"
        ),
    ),
    Vector(
        "icmpv4_timestamp_reply",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4Timestamp(type=14, id=7, seq=1, originate=1000, receive=2000, transmit=2001),
        "4500002800000000400166d30a0000010a0000020e00de6e00070001000003e8000007d0000007d1",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=14, id=7, seq=1, ts_ori=1000, ts_rx=20"
            "00, ts_tx=2001)"
        ),
    ),
    Vector(
        "icmpv4_other",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4(type=10) / b"\0\0\0\0",
        "4500001c00000000400166df0a0000010a0000020a00f5ff00000000",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=10)",
    ),
    Vector(
        "icmpv6_echo",
        IPv6(src="fd00::1", dst="fd00::2") / ICMPv6.echo(id=7, seq=1) / b"ping",
        (
            "60000000000c3a40fd000000000000000000000000000001fd0000000000000000000000000000028000a6db00070001"
            "70696e67"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2')/ICMPv6EchoRequest(id=7, seq=1, data=b'ping')",
    ),
    Vector(
        "icmpv6_echo_reply",
        IPv6(src="fd00::1", dst="fd00::2") / ICMPv6.echo_reply(id=7, seq=1) / b"ping",
        (
            "60000000000c3a40fd000000000000000000000000000001fd0000000000000000000000000000028100a5db00070001"
            "70696e67"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2')/ICMPv6EchoReply(id=7, seq=1, data=b'ping')",
    ),
    Vector(
        "icmpv6_unreachable",
        IPv6(src="fd00::1", dst="fd00::2")
        / ICMPv6.unreachable(
            code=4,
            quoting=IPv6(src="fd00::2", dst="fd00::9", hop_limit=1)
            / UDP(src_port=1000, dst_port=33434)
            / b"probe",
        ),
        (
            "60000000003d3a40fd000000000000000000000000000001fd0000000000000000000000000000020104938f00000000"
            "60000000000d1101fd000000000000000000000000000002fd00000000000000000000000000000903e8829a000d3a70"
            "70726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/ICMPv6DestUnreach(code=4)/IPerror6(src='fd00::2', dst="
            "'fd00::9', hlim=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv6_packet_too_big",
        IPv6(src="fd00::1", dst="fd00::2")
        / ICMPv6.packet_too_big(
            mtu=1280,
            quoting=IPv6(src="fd00::2", dst="fd00::9", hop_limit=1)
            / UDP(src_port=1000, dst_port=33434)
            / b"probe",
        ),
        (
            "60000000003d3a40fd000000000000000000000000000001fd00000000000000000000000000000202008d9300000500"
            "60000000000d1101fd000000000000000000000000000002fd00000000000000000000000000000903e8829a000d3a70"
            "70726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/ICMPv6PacketTooBig(mtu=1280)/IPerror6(src='fd00::2', d"
            "st='fd00::9', hlim=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv6_time_exceeded",
        IPv6(src="fd00::1", dst="fd00::2")
        / ICMPv6.time_exceeded(
            quoting=IPv6(src="fd00::2", dst="fd00::9", hop_limit=1) / UDP(src_port=1000, dst_port=33434) / b"probe"
        ),
        (
            "60000000003d3a40fd000000000000000000000000000001fd0000000000000000000000000000020300919300000000"
            "60000000000d1101fd000000000000000000000000000002fd00000000000000000000000000000903e8829a000d3a70"
            "70726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/ICMPv6TimeExceeded()/IPerror6(src='fd00::2', dst='fd00"
            "::9', hlim=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv6_parameter_problem",
        IPv6(src="fd00::1", dst="fd00::2")
        / ICMPv6.parameter_problem(
            code=1,
            pointer=6,
            quoting=IPv6(src="fd00::2", dst="fd00::9", hop_limit=1)
            / UDP(src_port=1000, dst_port=33434)
            / b"probe",
        ),
        (
            "60000000003d3a40fd000000000000000000000000000001fd0000000000000000000000000000020401908c00000006"
            "60000000000d1101fd000000000000000000000000000002fd00000000000000000000000000000903e8829a000d3a70"
            "70726f6265"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/ICMPv6ParamProblem(code=1, ptr=6)/IPerror6(src='fd00::"
            "2', dst='fd00::9', hlim=1)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv6_neighbor_solicitation",
        IPv6(src="fe80::1", dst="ff02::1:ff00:2", hop_limit=255)
        / ICMPv6.neighbor_solicitation("fe80::2", mac="02:00:00:00:00:01"),
        (
            "6000000000203afffe800000000000000000000000000001ff0200000000000000000001ff00000287007a9700000000"
            "fe8000000000000000000000000000020101020000000001"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1:ff00:2', hlim=255)/ICMPv6ND_NS(tgt='fe80::2')/ICMPv6NDOp"
            "tSrcLLAddr(lladdr='02:00:00:00:00:01')"
        ),
    ),
    Vector(
        "icmpv6_neighbor_advertisement",
        IPv6(src="fe80::2", dst="fe80::1", hop_limit=255)
        / ICMPv6.neighbor_advertisement("fe80::2", "02:00:00:00:00:02"),
        (
            "6000000000203afffe800000000000000000000000000002fe8000000000000000000000000000018800181a60000000"
            "fe8000000000000000000000000000020201020000000002"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::2', dst='fe80::1', hlim=255)/ICMPv6ND_NA(R=0, S=1, O=1, tgt='fe80::2')/IC"
            "MPv6NDOptDstLLAddr(lladdr='02:00:00:00:00:02')"
        ),
    ),
    Vector(
        "icmpv6_unknown_nd_option",
        IPv6(src="fe80::1", dst="ff02::1:ff00:2", hop_limit=255)
        / NeighborSolicitation(target="fe80::2", options=[NDUnknownOption(type=14, data=b"nonce!")]),
        (
            "6000000000203afffe800000000000000000000000000001ff0200000000000000000001ff00000287002da400000000"
            "fe8000000000000000000000000000020e016e6f6e636521"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1:ff00:2', hlim=255)/ICMPv6ND_NS(tgt='fe80::2')/ICMPv6NDOp"
            "tUnknown(type=14, data=b'nonce!')"
        ),
    ),
    Vector(
        "icmpv6_other",
        IPv6(src="fd00::1", dst="fd00::2") / ICMPv6(type=133) / b"\0\0\0\0",
        "6000000000083a40fd000000000000000000000000000001fd000000000000000000000000000002850080b800000000",
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/ICMPv6ND_RS()",
    ),
    Vector(
        "tcp_every_field",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(
            src_port=1025,
            dst_port=80,
            seq=0x01020304,
            ack=0x05060708,
            reserved=5,
            flags=0x1FF,
            window=1000,
            urgent_pointer=9,
        )
        / b"GET",
        "4500002b00000000400666cb0a0000010a0000020401005001020304050607085bff03e8dc440009474554",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=1025, dport=80, seq=0x01020304, ack=0x"
            "05060708, reserved=5, flags=0x1ff, window=1000, urgptr=9)/b'GET'"
        ),
    ),
    Vector(
        "tcp_over_ipv6",
        IPv6(src="fd00::1", dst="fd00::2") / TCP(dst_port=80),
        (
            "6000000000140640fd000000000000000000000000000001fd000000000000000000000000000002c000005000000000"
            "000000005002faf0fa9c0000"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2')/TCP(sport=49152, dport=80, window=64240)",
    ),
    Vector(
        "tcp_option_end_of_options",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPNoOperation(), TCPNoOperation(), TCPNoOperation(), TCPEndOfOptions()]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0ce99000001010100",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), ('NOP', None), ('EOL', None)])"
        ),
    ),
    Vector(
        "tcp_option_maximum_segment_size",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(dst_port=80, options=[MaximumSegmentSize(mss=1400)]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0c91e000002040578",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('MSS', 1400)])"
        ),
    ),
    Vector(
        "tcp_option_window_scale",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(dst_port=80, options=[TCPNoOperation(), WindowScale(shift=7)]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0cc90000001030307",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('WScale', 7)])"
        ),
    ),
    Vector(
        "tcp_option_sack_permitted",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPNoOperation(), TCPNoOperation(), SACKPermitted()]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0cb97000001010402",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), ('SAckOK', b'')])"
        ),
    ),
    Vector(
        "tcp_option_sack",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(
            dst_port=80,
            options=[
                TCPNoOperation(),
                TCPNoOperation(),
                SACK(blocks=[SACKBlock(left=1000, right=2000), SACKBlock(left=3000, right=4000)]),
            ],
        ),
        (
            "4500003c00000000400666ba0a0000010a000002c00000500000000000000000a002faf06367000001010512000003e8"
            "000007d000000bb800000fa0"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), ('SAck', (1000, 2000, 3000, 4000))])"
        ),
    ),
    Vector(
        "tcp_option_timestamps",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(
            dst_port=80,
            options=[TCPNoOperation(), TCPNoOperation(), Timestamps(value=0x01020304, echo_reply=0x05060708)],
        ),
        (
            "4500003400000000400666c20a0000010a000002c000005000000000000000008002faf0977300000101080a01020304"
            "05060708"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), ('Timestamp', (0x01020304, 0x05060708))])"
        ),
    ),
    Vector(
        "tcp_option_experiment",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPExperiment(kind=253, experiment_id=0xF989)]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0da0b0000fd04f989",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(253, bytes.fromhex('f989'))])"
        ),
    ),
    Vector(
        "tcp_option_of_a_linux_syn",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(
            dst_port=80,
            options=[
                MaximumSegmentSize(mss=1460),
                SACKPermitted(),
                Timestamps(value=1, echo_reply=0),
                TCPNoOperation(),
                WindowScale(shift=7),
            ],
        ),
        (
            "4500003c00000000400666ba0a0000010a000002c00000500000000000000000a002faf078bb0000020405b40402080a"
            "000000010000000001030307"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('MSS', 1460), ('SAckOK', b''), ('Timestamp', (1, 0)), ('NOP', None), ('WScale', 7)])"
        ),
    ),
    Vector(
        "udp",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000) / b"hello",
        "4500002100000000401166ca0a0000010a00000203e807d0000d9c4768656c6c6f",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'hello'",
    ),
    Vector(
        "udp_no_checksum",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000, checksum=0) / b"hello",
        "4500002100000000401166ca0a0000010a00000203e807d0000d000068656c6c6f",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000, chksum=0)/b'hello'",
    ),
    Vector(
        "udp_over_ipv6",
        IPv6(src="fd00::1", dst="fd00::2") / UDP(src_port=1000, dst_port=2000) / b"hello",
        (
            "60000000000d1140fd000000000000000000000000000001fd00000000000000000000000000000203e807d0000db645"
            "68656c6c6f"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'hello'",
    ),
    Vector(
        "captured_arp",
        Ethernet(dst="ff:ff:ff:ff:ff:ff", src="02:01:00:01:00:00")
        / ARP(sender_mac="02:01:00:01:00:00", sender_ip="1.0.2.2", target_ip="1.0.2.1"),
        "ffffffffffff020100010000080600010800060400010201000100000100020200000000000001000201",
        LinkType.ETHERNET,
        "captured: tcpdump, tests/bgp-4byte-asn.pcap, packet 1",
    ),
    Vector(
        "captured_linux_syn",
        Ethernet(dst="00:0c:29:f7:80:12", src="18:fd:74:07:45:cd")
        / IPv4(dont_fragment=True, ttl=54, src="66.228.43.12", dst="31.133.146.248")
        / TCP(
            src_port=80,
            dst_port=16433,
            seq=2972234643,
            ack=1948076590,
            flags="SAC",
            window=65160,
            options=(
                MaximumSegmentSize(length=4),
                SACKPermitted(length=2),
                Timestamps(length=10, value=2783239876, echo_reply=112147477),
                TCPExperiment(
                    kind=254, length=13, experiment_id=0xACC0, data=b"\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                ),
                WindowScale(length=3, shift=7),
            ),
        ),
        (
            "000c29f7801218fd740745cd080045000048000040003606244342e42b0c1f8592f800504031b128b393741d4a2ed092"
            "fe8822a80000020405b40402080aa5e4dec406af3c15fe0dacc0000001000000000000030307"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/accecn_handshake.pcap, packet 2",
    ),
    Vector(
        "captured_router_alert",
        Ethernet(dst="33:33:00:00:00:16", src="08:00:27:46:e8:84")
        / IPv6(hop_limit=1, src="fe80::a00:27ff:fe46:e884", dst="ff02::16")
        / HopByHop(options=(IPv6RouterAlert(length=2), PadN(length=0)))
        / ICMPv6(type=143)
        / b"\x00\x00\x00\x01\x04\x00\x00\x00\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff\x00\x00\x00",
        (
            "33330000001608002746e88486dd6000000000240001fe800000000000000a0027fffe46e884ff020000000000000000"
            "0000000000163a000502000001008f00583e0000000104000000ff0200000000000000000001ff000000"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/dcb_ets.pcap, packet 1",
    ),
    Vector(
        "captured_icmpv4_quote",
        Ethernet(dst="a6:82:4b:c9:a1:a7", src="74:83:ef:07:d0:a9")
        / IPv4(dscp=48, identification=40042, src="10.40.1.1", dst="10.40.2.3")
        / ICMPv4Unreachable(code=1)
        / IPv4(
            ihl=5,
            total_length=48,
            identification=25012,
            dont_fragment=True,
            ttl=63,
            protocol=1,
            checksum=0xBFCC,
            src="10.40.2.3",
            dst="10.30.4.4",
        )
        / ICMPv4Echo(checksum=0xB7DB, id=16420)
        / b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        (
            "a6824bc9a1a77483ef07d0a9080045c0004c9c6a00004001c6330a2801010a2802030301fcfe000000004500003061b4"
            "40003f01bfcc0a2802030a1e04040800b7db402400000000000000000000000000000000000000000000"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/dhcp-rfc4388.pcap, packet 6",
    ),
    Vector(
        "captured_nonce",
        Ethernet(dst="33:33:ff:e1:00:0f", src="56:6f:f7:e1:00:0f")
        / IPv6(hop_limit=255, src="::", dst="ff02::1:ffe1:f")
        / NeighborSolicitation(
            target="fe80::546f:f7ff:fee1:f", options=(NDUnknownOption(type=14, length=1, data=b"`i`L\n\xaa"),)
        ),
        (
            "3333ffe1000f566ff7e1000f86dd6000000000203aff00000000000000000000000000000000ff020000000000000000"
            "0001ffe1000f8700566e00000000fe80000000000000546ff7fffee1000f0e016069604c0aaa"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/icmpv6-ns-nonce.pcap, packet 1",
    ),
    Vector(
        "captured_routing_header",
        Ethernet(dst="00:13:c4:c7:84:f0", src="00:12:3f:ae:22:f7")
        / IPv6(hop_limit=5, src="2200::244:212:3fff:feae:22f7", dst="2200::211:2:0:0:2")
        / RoutingType0(segments_left=2, addresses=("2200::210:2:0:0:4", "2200::240:2:0:0:4"))
        / UDP(src_port=5645, dst_port=5642),
        (
            "0013c4c784f000123fae22f786dd6000000000302b05220000000000024402123ffffeae22f722000000000002110002"
            "00000000000211040002000000002200000000000210000200000000000422000000000002400002000000000004160d"
            "160a00082786"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/ipv6-routing-header.pcap, packet 4",
    ),
    Vector(
        "captured_vlan",
        Ethernet(dst="e4:6d:7f:54:b9:08", src="94:43:4d:c0:17:85")
        / VLAN(priority=7, id=11)
        / IPv4(dscp=56, identification=40257, dont_fragment=True, ttl=255, src="11.11.11.2", dst="11.11.11.1")
        / UDP(dst_port=3784, checksum=0x0000)
        / b" \xc8\x03\x18\x80\x00\x00\x01\x80\x00\x00\x01\x00\x01\x86\xa0\x00\x01\x86\xa0\x00\x00\x00\x00",
        (
            "e46d7f54b90894434dc017858100e00b080045e000349d414000ff11b17e0b0b0b020b0b0b01c0000ec80020000020c8"
            "03188000000180000001000186a0000186a000000000"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/bfd_source_port_49152.pcap, packet 1",
    ),
    Vector(
        "captured_parameter_problem",
        Ethernet(dst="ac:1f:6b:46:9e:da", src="00:a0:98:15:ec:e7")
        / IPv6(src="2001:630:42:110:2a0:98ff:fe15:ece7", dst="2001:630:42:110:ae1f:6bff:fe46:9eda")
        / ICMPv6ParameterProblem(code=3, pointer=48)
        / IPv6(
            payload_length=24,
            next_header=44,
            src="2001:630:42:110:ae1f:6bff:fe46:9eda",
            dst="2001:630:42:110:2a0:98ff:fe15:ece7",
        )
        / Fragment(next_header=41, more_fragments=True, identification=0x0000D6B1)
        / IPv6.cut(b"b'`\\x00\\x00\\x00\\"),
        (
            "ac1f6b469eda00a09815ece786dd6000000000483a40200106300042011002a098fffe15ece72001063000420110ae1f"
            "6bfffe469eda0403994c000000306000000000182c402001063000420110ae1f6bfffe469eda200106300042011002a0"
            "98fffe15ece7290000010000d6b16227605c7830305c7830305c7830305c"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/icmpv6-rfc7112.pcap, packet 1",
    ),
    Vector(
        "captured_no_next_header",
        Ethernet(dst="00:50:56:c0:00:08", src="00:0c:29:78:25:49")
        / IPv6(next_header=59, src="2005::1", dst="2008::1")
        / b"\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        (
            "005056c00008000c2978254986dd6000000000143b402005000000000000000000000000000120080000000000000000"
            "0000000000010400000000000000000000000000000000000000"
        ),
        LinkType.ETHERNET,
        "captured: tcpdump, tests/ipv6_no_next_header.pcap, packet 1",
    ),
)
