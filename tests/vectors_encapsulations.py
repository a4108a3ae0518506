"""Vectors of the link layers and tunnels that are read for what is in them.

All are captured: real programs sent them, and the tcpdump project keeps them among its tests.
"""

from __future__ import annotations

from vector import Vector

from rawkit.wire import (
    GRE,
    TCP,
    VLAN,
    ARCnet,
    AristaTimestamp48,
    AristaTimestamp64,
    CiscoHDLC,
    CiscoMetadata,
    Ethernet,
    FrameRelay,
    ICMPv4Echo,
    IPNet,
    IPoIB,
    IPv4,
    IPv6,
    LinkType,
    MaximumSegmentSize,
    PIMRegister,
    SACKPermitted,
    SimpleARCnet,
    TCPNoOperation,
    Timestamps,
    WindowScale,
)

__all__ = ["ENCAPSULATION_VECTORS"]

ENCAPSULATION_VECTORS: tuple[Vector, ...] = (
    Vector(
        "frame_relay",
        (
            FrameRelay(dlci_high=18, dlci_low=14, type=0x86DD)
            / IPv6(traffic_class=0xE0, next_header=89, hop_limit=1, src="fe80::3", dst="fe80::2")
            / bytes.fromhex("0301002403030303000000008e9b00000000000664000013001e00780303030300000000")
        ),
        "48e186dd6e00000000245901fe800000000000000000000000000003fe80000000000000000000000000000203010024"
        "03030303000000008e9b00000000000664000013001e00780303030300000000",
        LinkType.FRELAY,
        "captured: tcpdump/tests/OSPFv3_NBMA_adjacencies.pcap, packet 1",
    ),
    Vector(
        "arcnet_rfc1051",
        (
            SimpleARCnet(src=190, dst=80, offset=0xAB08, protocol=240)
            / IPv4(dont_fragment=True, protocol=1, src="10.80.131.1", dst="10.80.131.254")
            / ICMPv4Echo(id=58112)
            / bytes.fromhex(
                "681f6e2c000010e808090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
                "28292a2b2c2d2e2f3031323334353637"
            )
        ),
        "be50ab08f0450000540000400040011f0a0a5083010a5083fe080042c8e3000000681f6e2c000010e808090a0b0c0d0e"
        "0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
        LinkType.ARCNET_LINUX,
        "captured: tcpdump/tests/arcnet-rfc1051-arp-icmp-http.pcap, packet 3",
    ),
    Vector(
        "arcnet_rfc1201",
        (
            ARCnet(src=190, dst=80, offset=0xA8E7, protocol=212, sequence=358)
            / IPv4(dont_fragment=True, protocol=1, src="10.80.131.1", dst="10.80.131.254")
            / ICMPv4Echo(id=59392)
            / bytes.fromhex(
                "681f6ed9000cbb9808090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
                "28292a2b2c2d2e2f3031323334353637"
            )
        ),
        "be50a8e7d4000166450000540000400040011f0a0a5083010a5083fe0800925ee8000000681f6ed9000cbb9808090a0b"
        "0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
        LinkType.ARCNET_LINUX,
        "captured: tcpdump/tests/arcnet-rfc1201-arp-icmp-http.pcap, packet 3",
    ),
    Vector(
        "ipoib",
        (
            IPoIB(
                src=b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x000 \x00\x03",
                dst=b"\x80\x00\x05P\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x10\xe0\x00fJ\xb4Q",
                type=0x0800,
            )
            / IPv4(identification=68, dont_fragment=True, protocol=6, src="192.168.56.10", dst="192.168.56.24")
            / TCP(
                src_port=34170,
                dst_port=22,
                seq=798232822,
                flags="SEC",
                window=32983,
                options=(
                    MaximumSegmentSize(length=4, mss=65480),
                    SACKPermitted(length=2),
                    Timestamps(length=10, value=62202209),
                    TCPNoOperation(),
                    WindowScale(length=3, shift=8),
                ),
            )
        ),
        "000000000000000000000000000000003020000380000550fe800000000000000010e000664ab451080000004500003c"
        "0044400040064905c0a8380ac0a83818857a00162f9410f600000000a0c280d7efae00000204ffc80402080a03b52161"
        "0000000001030308",
        LinkType.IPOIB,
        "captured: tcpdump/tests/ipoib.pcap, packet 9",
    ),
    Vector(
        "ipnet",
        (
            IPNet(family=2, interface=2, source_zone=4294967295)
            / IPv4(identification=58766, ttl=249, protocol=1, src="129.146.106.55", dst="10.5.233.117")
            / ICMPv4Echo(id=6901)
            / bytes.fromhex(
                "ed760d4bb9630b0008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
                "28292a2b2c2d2e2f3031323334353637"
            )
        ),
        "01020000000000540000000200000000ffffffff0000000045000054e58e0000f901fcd581926a370a05e975080032e2"
        "1af50000ed760d4bb9630b0008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b"
        "2c2d2e2f3031323334353637",
        LinkType.IPNET,
        "captured: tcpdump/tests/e1000g.pcap, packet 1",
    ),
    Vector(
        "cisco_hdlc",
        (
            CiscoHDLC(type=0x0800)
            / IPv4(ttl=255, protocol=1, src="10.0.0.1", dst="10.0.0.2")
            / ICMPv4Echo()
            / bytes.fromhex(
                "0000000000034c3cabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
                "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
            )
        ),
        "0f0008004500006400000000ff01a7960a0000010a0000020800320b000000000000000000034c3cabcdabcdabcdabcd"
        "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
        "abcdabcdabcdabcd",
        LinkType.C_HDLC,
        "captured: tcpdump/tests/HDLC.pcap, packet 7",
    ),
    Vector(
        "arista_timestamp_64",
        (
            Ethernet(dst="00:00:00:00:00:01", src="00:11:22:33:44:55", type=0xD28B)
            / AristaTimestamp64(seconds=1559162199, nanoseconds=944724424, type=0x0800)
            / IPv4(protocol=63, src="10.136.1.32", dst="10.2.23.24")
            / bytes.fromhex(
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
                "28292a2b2c2d2e2f303132333435363738393a3b3c3d"
            )
        ),
        "000000000001001122334455d28b000100105ceeed57384f59c808004500005200000000403f4dac0a8801200a021718"
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
        "303132333435363738393a3b3c3d",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/arista_ether.pcap, packet 1",
    ),
    Vector(
        "arista_timestamp_48",
        (
            Ethernet(dst="00:00:00:00:00:01", src="00:11:22:33:44:55", type=0xD28B)
            / AristaTimestamp48(seconds=60821, nanoseconds=404038772, type=0x0800)
            / IPv4(protocol=63, src="10.136.1.32", dst="10.2.23.24")
            / bytes.fromhex(
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
                "28292a2b2c2d2e2f303132333435363738393a3b3c3d"
            )
        ),
        "000000000001001122334455d28b00010020ed951815247408004500005200000000403f4dac0a8801200a0217180001"
        "02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031"
        "32333435363738393a3b3c3d",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/arista_ether.pcap, packet 9",
    ),
    Vector(
        "cisco_metadata",
        (
            Ethernet(dst="aa:bb:cc:00:01:00", src="aa:bb:cc:00:02:00", type=0x8100)
            / VLAN(id=1213, type=0x0800)
            / IPv4(dscp=48, identification=164, ttl=255, protocol=47, src="10.172.64.7", dst="10.172.64.6")
            / GRE(protocol=0x8909, key=0x00000028)
            / CiscoMetadata(type=0x0800)
            / IPv4(dscp=48, identification=163, ttl=255, protocol=47, src="10.172.64.6", dst="10.172.64.7")
            / GRE(protocol=0x0000, key=0x00000028)
        ),
        "aabbcc000100aabbcc000200810004bd080045c0004000a40000ff2f24c60aac40070aac400620008909000000280800"
        "01010001000045c0001c00a30000ff2f24eb0aac40060aac40072000000000000028",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/various_gre.pcap, packet 11",
    ),
    Vector(
        "pim_register",
        (
            Ethernet(dst="cc:05:06:1c:f0:00", src="cc:06:06:1c:f0:01", type=0x0800)
            / IPv4(identification=350, ttl=255, protocol=103, src="192.168.0.6", dst="192.168.1.254")
            / PIMRegister(checksum=0xDEFF)
            / IPv4(identification=15, ttl=254, protocol=1, src="192.168.20.10", dst="239.1.2.3")
            / ICMPv4Echo(id=3)
            / bytes.fromhex(
                "000000000005ed60abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
                "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
            )
        ),
        "cc05061cf000cc06061cf001080045000080015e0000ff673664c0a80006c0a801fe2100deff0000000045000064000f"
        "0000fe01f6d2c0a8140aef010203080090e100030000000000000005ed60abcdabcdabcdabcdabcdabcdabcdabcdabcd"
        "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/PIM_register_register-stop.pcap, packet 1",
    ),
)
