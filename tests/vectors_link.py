"""Vectors of link layers and tunnels: a packet for each, with the bytes that someone else computed for it.

The sources are as in `vectors_core.py`.
"""

from __future__ import annotations

from vector import Vector

from rawkit.layout import AUTO
from rawkit.wire import (
    ERSPAN,
    ERSPAN3,
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
    EnhancedGRE,
    Ethernet,
    Geneve,
    GeneveOption,
    GREHeader,
    IPv4,
    IPv6,
    LinkType,
    LinuxSLL,
    LinuxSLL2,
    LLCNumbered,
    Loop,
    Null,
    PPPoE,
    PPPoEDiscovery,
    PPPoETag,
    PPPoETagType,
    PseudowireControlWord,
    RoutingType2,
    SNAPBridged,
    Trailer,
)

__all__ = ["LINK_VECTORS"]

LINK_VECTORS = (
    Vector(
        "llc_unnumbered",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / LLC(dsap=0x42, ssap=0x42) / b"bridge",
        "0200000000020200000000010009424203627269646765",
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/LLC(dsap=0x42, ssap=0x42, ctrl=3)"
            "/b'bridge'"
        ),
    ),
    Vector(
        "llc_numbered",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / LLCNumbered(dsap=0xE0, ssap=0xE0, control=2, receive_number=5, poll_final=True)
        / b"data",
        "0200000000020200000000010008e0e0020b64617461",
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/LLC(dsap=0xe0, ssap=0xe0, ctrl=2)"
            "/b'\\x0bdata'"
        ),
    ),
    Vector(
        "llc_snap",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / LLC()
        / SNAP()
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        ("0200000000020200000000010025aaaa0300000008004500001d00000000401166ce0a0000010a00000203e807d00009682178"),
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/LLC(dsap=0xaa, ssap=0xaa, ctrl=3)"
            "/SNAP()/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "llc_snap_bridged",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / LLC()
        / SNAPBridged()
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        ("0200000000020200000000010025aaaa030000f808004500001d00000000401166ce0a0000010a00000203e807d00009682178"),
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/LLC(dsap=0xaa, ssap=0xaa, ctrl=3)"
            "/SNAP(OUI=0xf8, code=0x800)/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "vlan_behind_9100",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01", type=0x9100)
        / VLAN(id=5)
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "0200000000020200000000019100000508004500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01', type=0x9100)/Dot1Q(vlan=5)"
            "/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "llc_snap_ipv6",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / LLC()
        / SNAP()
        / IPv6(src="fd00::1", dst="fd00::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "0200000000020200000000010039aaaa0300000086dd6000000000091140fd000000000000000000000000000001fd00"
            "000000000000000000000000000203e807d00009821f78"
        ),
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/LLC(dsap=0xaa, ssap=0xaa, ctrl=3)"
            "/SNAP()/IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "llc_snap_of_others",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / LLC()
        / SNAP(oui=0x00000C, protocol=0x2000)
        / b"cisco",
        "020000000002020000000001000daaaa0300000c2000636973636f",
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/LLC(dsap=0xaa, ssap=0xaa, ctrl=3)"
            "/SNAP(OUI=0xc, code=0x2000)/b'cisco'"
        ),
    ),
    Vector(
        "llc_padded",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / LLC(dsap=0x42, ssap=0x42)
        / b"bridge"
        / Trailer(bytes(4), 0),
        "020000000002020000000001000942420362726964676500000000",
        LinkType.ETHERNET,
        (
            "scapy: Dot3(dst='02:00:00:00:00:02', src='02:00:00:00:00:01', len=9)/LLC(dsap=0x42, ssap=0x42, "
            "ctrl=3)/b'bridge'/Padding(bytes(4))"
        ),
    ),
    Vector(
        "vlan_llc",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / VLAN(id=5)
        / LLC(dsap=0x42, ssap=0x42)
        / b"bridge",
        "020000000002020000000001810000050009424203627269646765",
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/Dot1Q(vlan=5, type=9)/LLC(dsap=0"
            "x42, ssap=0x42, ctrl=3)/b'bridge'"
        ),
    ),
    Vector(
        "linux_sll",
        LinuxSLL(packet_type=4, address=bytes.fromhex("0200000000010000"))
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        "000400010006020000000001000008004500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.LINUX_SLL,
        (
            "scapy: CookedLinux(pkttype=4, lladdrtype=1, lladdrlen=6, src=bytes.fromhex('0200000000010000'))"
            "/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "linux_sll2",
        LinuxSLL2(packet_type=4, interface=3, address=bytes.fromhex("0200000000010000"))
        / IPv6(src="fd00::1", dst="fd00::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "86dd0000000000030001040602000000000100006000000000091140fd000000000000000000000000000001fd000000"
            "00000000000000000000000203e807d00009821f78"
        ),
        LinkType.LINUX_SLL2,
        (
            "scapy: CookedLinuxV2(pkttype=4, lladdrtype=1, lladdrlen=6, ifindex=3, proto=0x86dd, src=bytes.f"
            "romhex('0200000000010000'))/IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "null_little_endian",
        Null() / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000) / b"x",
        "020000004500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.NULL,
        "scapy: Loopback(type=2)/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'",
    ),
    Vector(
        "null_big_endian",
        Null(family=30) / IPv6(src="fd00::1", dst="fd00::2") / UDP(src_port=1000, dst_port=2000) / b"x",
        (
            "0000001e6000000000091140fd000000000000000000000000000001fd00000000000000000000000000000203e807d0"
            "0009821f78"
        ),
        LinkType.NULL,
        "scapy: b'\\0\\0\\0\\x1e'/IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'x'",
    ),
    Vector(
        "loop",
        Loop() / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000) / b"x",
        "000000024500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.LOOP,
        (
            "scapy: LoopbackOpenBSD(type=2)/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2"
            "000)/b'x'"
        ),
    ),
    Vector(
        "loop_ipv6",
        Loop() / IPv6(src="fd00::1", dst="fd00::2") / UDP(src_port=1000, dst_port=2000) / b"x",
        (
            "000000186000000000091140fd000000000000000000000000000001fd00000000000000000000000000000203e807d0"
            "0009821f78"
        ),
        LinkType.LOOP,
        ("scapy: LoopbackOpenBSD(type=24)/IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'x'"),
    ),
    Vector(
        "ppp",
        PPP() / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000) / b"x",
        "00214500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.PPP,
        "scapy: PPP()/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'",
    ),
    Vector(
        "ppp_framed",
        HDLC() / PPP() / IPv6(src="fd00::1", dst="fd00::2") / UDP(src_port=1000, dst_port=2000) / b"x",
        (
            "ff0300576000000000091140fd000000000000000000000000000001fd00000000000000000000000000000203e807d0"
            "0009821f78"
        ),
        LinkType.PPP,
        "scapy: HDLC()/PPP(proto=0x57)/IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'x'",
    ),
    Vector(
        "ppp_hdlc",
        HDLC() / PPP() / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000) / b"x",
        "ff0300214500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.PPP_HDLC,
        "scapy: HDLC()/PPP()/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'",
    ),
    Vector(
        "ppp_hdlc_compressed",
        HDLC() / CompressedPPP() / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(src_port=1000, dst_port=2000) / b"x",
        "ff03214500001d00000000401166ce0a0000010a00000203e807d00009682178",
        LinkType.PPP_HDLC,
        (
            "scapy: HDLC()/PPP(proto=b'\\x21')/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport"
            "=2000)/b'x'"
        ),
    ),
    Vector(
        "ppp_control",
        PPP(protocol=0xC021) / bytes.fromhex("09010008deadbeef"),
        "c02109010008deadbeef",
        LinkType.PPP,
        "scapy: PPP(proto=0xc021)/Raw(bytes.fromhex('09010008deadbeef'))",
    ),
    Vector(
        "pppoe_session",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / PPPoE(session_id=0x1234)
        / PPP()
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        ("020000000002020000000001886411001234001f00214500001d00000000401166ce0a0000010a00000203e807d00009682178"),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/PPPoE(sessionid=0x1234)/PPP()/IP"
            "(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "pppoe_discovery",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / PPPoEDiscovery(
            code=0x07,
            tags=[
                PPPoETag(type=0x0101),
                PPPoETag(type=PPPoETagType.AC_NAME, data=b"bras1"),
                PPPoETag(type=0x0103, data=b"\1\2\3"),
                PPPoETag(type=0x0104, data=b"cookie"),
            ],
        ),
        ("020000000002020000000001886311070000001e010100000102000562726173310103000301020301040006636f6f6b6965"),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/PPPoED(code=7)/PPPoED_Tags(tag_l"
            "ist=[PPPoETag(tag_type=0x101), PPPoETag(tag_type=0x102, tag_value=b'bras1'), PPPoETag(tag_type="
            "0x103, tag_value=b'\\1\\2\\3'), PPPoETag(tag_type=0x104, tag_value=b'cookie')])"
        ),
    ),
    Vector(
        "gre",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / GRE()
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500003500000000402f66980a0000010a000002000008004500001d000000004011f97cc0a80001c0a8000203e807d0"
            "0009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE()/IP(id=0, src='192.168.0.1', dst='192.168."
            "0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "gre_all_fields",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / GRE(checksum=AUTO, key=0xDEADBEEF, sequence=7)
        / IPv6(src="fd01::1", dst="fd01::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500005500000000402f66780a0000010a000002b00086ddba4d0000deadbeef000000076000000000091140fd010000"
            "000000000000000000000001fd01000000000000000000000000000203e807d00009821d78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE(chksum_present=1, offset=0, key_present=1, "
            "key=0xdeadbeef, seqnum_present=1, sequence_number=7)/IPv6(src='fd01::1', dst='fd01::2')/UDP(spo"
            "rt=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "gre_key",
        IPv6(src="fd00::1", dst="fd00::2")
        / GRE(key=5)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000332f40fd000000000000000000000000000001fd0000000000000000000000000000022000655800000005"
            "02000000000402000000000308004500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/GRE(key_present=1, key=5)/Ether(dst='02:00:00:00:00:0"
            "4', src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sport=1000, dpo"
            "rt=2000)/b'x'"
        ),
    ),
    Vector(
        "gre_bad_checksum_right_odd",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / GRE(checksum=AUTO, protocol=0x88B5) / b"odd",
        "4500001f00000000402f66ae0a0000010a000002800088b523e500006f6464",
        LinkType.RAW,
        ("scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE(chksum_present=1, offset=0, proto=0x88b5)/b'odd'"),
    ),
    Vector(
        "gre_version_2",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / GREHeader(version=2, protocol=0x88B5) / b"experiment",
        "4500002200000000402f66ab0a0000010a000002000288b56578706572696d656e74",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE(version=2, proto=0x88b5)/b'experiment'",
    ),
    Vector(
        "gre_version_1",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / EnhancedGRE(call_id=9, sequence=3, acknowledgment=2)
        / HDLC()
        / PPP(protocol=0xC021)
        / bytes.fromhex("09010008deadbeef"),
        ("4500003000000000402f669d0a0000010a0000023081880b000c00090000000300000002ff03c02109010008deadbeef"),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE_PPTP(payload_len=12, call_id=9, seqnum_pres"
            "ent=1, sequence_number=3, acknum_present=1, ack_number=2)/HDLC()/PPP(proto=0xc021)/Raw(bytes.fr"
            "omhex('09010008deadbeef'))"
        ),
    ),
    Vector(
        "gre_version_1_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / EnhancedGRE(call_id=9, sequence=3)
        / PPP()
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500003f00000000402f668e0a0000010a0000023001880b001f00090000000300214500001d000000004011f97cc0a8"
            "0001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE_PPTP(payload_len=31, call_id=9, seqnum_pres"
            "ent=1, sequence_number=3)/PPP()/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sport=1000, "
            "dport=2000)/b'x'"
        ),
    ),
    Vector(
        "erspan_1",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / GRE(protocol=0x88BE)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500004300000000402f668a0a0000010a000002000088be02000000000402000000000308004500001d000000004011"
            "f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE(proto=0x88be)/Ether(dst='02:00:00:00:00:04'"
            ", src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sport=1000, dport"
            "=2000)/b'x'"
        ),
    ),
    Vector(
        "erspan_2",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / GRE(sequence=4)
        / ERSPAN(vlan=100, class_of_service=2, encapsulation=3, session_id=77, index=5)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500004f00000000402f667e0a0000010a000002100088be000000041064584d00000005020000000004020000000003"
            "08004500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE(seqnum_present=1, sequence_number=4, proto="
            "0x88be)/ERSPAN_II(vlan=100, cos=2, en=3, session_id=77, index=5)/Ether(dst='02:00:00:00:00:04',"
            " src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sport=1000, dport="
            "2000)/b'x'"
        ),
    ),
    Vector(
        "erspan_3",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / GRE(sequence=4)
        / ERSPAN3(
            vlan=100,
            class_of_service=2,
            integrity=1,
            session_id=77,
            timestamp=5,
            hardware_id=3,
            egress=True,
            granularity=3,
        )
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500005300000000402f667a0a0000010a000002100022eb000000042064484d000000050000003e0200000000040200"
            "0000000308004500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE(seqnum_present=1, sequence_number=4, proto="
            "0x22eb)/ERSPAN_III(vlan=100, cos=2, bso=1, session_id=77, timestamp=5, hw=3, d=1, gra=3)"
            "/Ether(dst='02:00:00:00:00:04', src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', "
            "dst='192.168.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_in_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        ("4500003100000000400466c70a0000010a0000024500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/"
            "UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_in_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / IPv6(src="fd01::1", dst="fd01::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "45000045000000004029668e0a0000010a0000026000000000091140fd010000000000000000000000000001fd010000"
            "00000000000000000000000203e807d00009821d78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/IPv6(src='fd01::1', dst='fd01::2')/UDP(sport=10"
            "00, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv4_in_ipv6",
        IPv6(src="fd00::1", dst="fd00::2")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "60000000001d0440fd000000000000000000000000000001fd0000000000000000000000000000024500001d00000000"
            "4011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sp"
            "ort=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_in_ipv6",
        IPv6(src="fd00::1", dst="fd00::2")
        / IPv6(src="fd01::1", dst="fd01::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000312940fd000000000000000000000000000001fd0000000000000000000000000000026000000000091140"
            "fd010000000000000000000000000001fd01000000000000000000000000000203e807d00009821d78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6(src='fd01::1', dst='fd01::2')/UDP(sport=1000, dp"
            "ort=2000)/b'x'"
        ),
    ),
    Vector(
        "ipv6_in_ipv6_with_routing",
        IPv6(src="fd00::1", dst="fd00::2")
        / RoutingType2(segments_left=1, addresses=["fd00::9"])
        / IPv6(src="fd01::1", dst="fd01::2")
        / RoutingType2(segments_left=1, addresses=["fd01::9"])
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000612b40fd000000000000000000000000000001fd0000000000000000000000000000022902020100000000"
            "fd0000000000000000000000000000096000000000212b40fd010000000000000000000000000001fd01000000000000"
            "00000000000000021102020100000000fd01000000000000000000000000000903e807d00009821678"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/IPv6ExtHdrRouting(type=2, segleft=1, addresses=['fd00"
            "::9'])/IPv6(src='fd01::1', dst='fd01::2')/IPv6ExtHdrRouting(type=2, segleft=1, addresses=['fd01"
            "::9'])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "vxlan",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(dst_port=4789)
        / VXLAN(vni=123456)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500004f000000004011669c0a0000010a000002c00012b5003b44450800000001e24000020000000004020000000003"
            "08004500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=49152, dport=4789)/VXLAN(flags=8, vni"
            "=123456)/Ether(dst='02:00:00:00:00:04', src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', ds"
            "t='192.168.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "vxlan_ipv6",
        IPv6(src="fd00::1", dst="fd00::2")
        / UDP(dst_port=AUTO)
        / VXLAN(vni=5)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / VLAN(id=7)
        / IPv6(src="fd01::1", dst="fd01::2")
        / TCP(dst_port=80),
        (
            "60000000005e1140fd000000000000000000000000000001fd000000000000000000000000000002c00012b5005eb351"
            "08000000000005000200000000040200000000038100000786dd6000000000140640fd01000000000000000000000000"
            "0001fd010000000000000000000000000002c000005000000000000000005002faf0fa9a0000"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=49152, dport=4789)/VXLAN(flags=8, vni=5)/Et"
            "her(dst='02:00:00:00:00:04', src='02:00:00:00:00:03')/Dot1Q(vlan=7)/IPv6(src='fd01::1', dst='fd"
            "01::2')/TCP(sport=49152, dport=80, window=64240)"
        ),
    ),
    Vector(
        "vxlan_reply",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=4789, dst_port=49152)
        / VXLAN(vni=5)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500004f000000004011669c0a0000010a00000212b5c000003b81270800000000000500020000000004020000000003"
            "08004500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=4789, dport=49152)/VXLAN(flags=8, vni"
            "=5)/Ether(dst='02:00:00:00:00:04', src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', dst='19"
            "2.168.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "geneve",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(dst_port=6081)
        / Geneve(vni=0xABCDEF)
        / Ethernet(dst="02:00:00:00:00:04", src="02:00:00:00:00:03")
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500004f000000004011669c0a0000010a000002c00017c1003b88f400006558abcdef00020000000004020000000003"
            "08004500001d000000004011f97cc0a80001c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=49152, dport=6081)/GENEVE(vni=0xabcde"
            "f)/Ether(dst='02:00:00:00:00:04', src='02:00:00:00:00:03')/IP(id=0, src='192.168.0.1', dst='192"
            ".168.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "geneve_options",
        IPv6(src="fd00::1", dst="fd00::2")
        / UDP(dst_port=AUTO)
        / Geneve(
            vni=1,
            critical=True,
            options=[
                GeneveOption(option_class=0xFFFF, type=0x81, data=b"abcd"),
                GeneveOption(option_class=0x0118, type=2),
            ],
        )
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000391140fd000000000000000000000000000001fd000000000000000000000000000002c00017c100395a04"
            "0340080000000100ffff810161626364011802004500001d000000004011f97cc0a80001c0a8000203e807d00009facf"
            "78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/UDP(sport=49152, dport=6081)/GENEVE(vni=1, critical=1"
            ", options=[GeneveOptions(classid=0xffff, type=0x81, length=1, data=b'abcd'), GeneveOptions(clas"
            "sid=0x118, type=2, length=0)])/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sport=1000, d"
            "port=2000)/b'x'"
        ),
    ),
    Vector(
        "mpls_ipv4",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / MPLS(label=16, traffic_class=5)
        / MPLS(label=17)
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        ("020000000002020000000001884700010a40000111404500001d00000000401166ce0a0000010a00000203e807d00009682178"),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/MPLS(label=16, cos=5, s=0, ttl=6"
            "4)/MPLS(label=17, ttl=64)/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=1000, dport=2000)/"
            "b'x'"
        ),
    ),
    Vector(
        "mpls_ipv6",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / MPLS(label=2)
        / IPv6(src="fd00::1", dst="fd00::2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "0200000000020200000000018847000021406000000000091140fd000000000000000000000000000001fd0000000000"
            "0000000000000000000203e807d00009821f78"
        ),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/MPLS(label=2, ttl=64)/IPv6(src='"
            "fd00::1', dst='fd00::2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "mpls_ethernet",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / MPLS(label=100)
        / Ethernet(dst="00:11:22:33:44:55", src="00:00:00:00:00:03")
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "02000000000202000000000188470006414000112233445500000000000308004500001d00000000401166ce0a000001"
            "0a00000203e807d00009682178"
        ),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/MPLS(label=100, ttl=64)/Ether(ds"
            "t='00:11:22:33:44:55', src='00:00:00:00:00:03')/IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sp"
            "ort=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "mpls_pseudowire",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / MPLS(label=100)
        / PseudowireControlWord(sequence=5)
        / Ethernet(dst="00:11:22:33:44:55", src="00:00:00:00:00:03")
        / IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "0200000000020200000000018847000641400000000500112233445500000000000308004500001d00000000401166ce"
            "0a0000010a00000203e807d00009682178"
        ),
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/MPLS(label=100, ttl=64)/EoMCW(se"
            "q=5)/Ether(dst='00:11:22:33:44:55', src='00:00:00:00:00:03')/IP(id=0, src='10.0.0.1', dst='10.0"
            ".0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "mpls_other",
        Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / MPLS(label=100) / b"\xf0other",
        "020000000002020000000001884700064140f06f74686572",
        LinkType.ETHERNET,
        (
            "scapy: Ether(dst='02:00:00:00:00:02', src='02:00:00:00:00:01')/MPLS(label=100, ttl=64)/Raw(b'\\x"
            "f0other')"
        ),
    ),
    Vector(
        "mpls_in_udp",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / UDP(dst_port=6635)
        / MPLS(label=100)
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500003d00000000401166ae0a0000010a000002c00019eb002951d6000641404500001d000000004011f97cc0a80001"
            "c0a8000203e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/UDP(sport=49152, dport=6635)/MPLS(label=100, tt"
            "l=64)/IP(id=0, src='192.168.0.1', dst='192.168.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "mpls_in_gre",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / GRE()
        / MPLS(label=100)
        / IPv4(src="192.168.0.1", dst="192.168.0.2")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500003900000000402f66940a0000010a00000200008847000641404500001d000000004011f97cc0a80001c0a80002"
            "03e807d00009facf78"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/GRE()/MPLS(label=100, ttl=64)/IP(id=0, src='192"
            ".168.0.1', dst='192.168.0.2')/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
)
