"""Vectors of IPsec, segment routing, ICMP, neighbour discovery and multicast membership.

Where the source begins with `scapy:`, scapy 2.8 built the bytes from the expression that follows, with its own
lengths and checksums. Where it begins with `captured:`, real programs sent them, and the tcpdump project keeps
them among its tests.
"""

from __future__ import annotations

from vector import Vector

from rawkit.wire import (
    AH,
    ESP,
    UDP,
    AdvertisementInterval,
    DestinationOptions,
    DNSSearchList,
    GroupRecord,
    HomeAddress,
    HomeAgentInformation,
    HopByHop,
    ICMPExtensions,
    ICMPProbe,
    ICMPUnknownObject,
    ICMPv4,
    ICMPv4AddressMask,
    ICMPv4ExtendedEcho,
    ICMPv4ExtendedEchoReply,
    ICMPv4Information,
    ICMPv4RouterAdvertisement,
    ICMPv4RouterSolicitation,
    ICMPv4Unreachable,
    ICMPv6,
    ICMPv6ExtendedEcho,
    ICMPv6ExtendedEchoReply,
    ICMPv6Redirect,
    IGMPLeave,
    IGMPQuery,
    IGMPReport,
    IGMPUnknown,
    IGMPv3Query,
    IGMPv3Report,
    InterfaceAddressIPv4,
    InterfaceAddressIPv6,
    InterfaceByAddress,
    InterfaceByIndex,
    InterfaceByName,
    InterfaceInformation,
    InterfaceName,
    IPv4,
    IPv4RouterAlert,
    IPv6,
    IPv6RouterAlert,
    LinkType,
    MLDDone,
    MLDQuery,
    MLDReport,
    MLDv2Query,
    MLDv2Report,
    MPLSLabel,
    MPLSLabelStack,
    MTUOption,
    MulticastAddressRecord,
    NAT64Prefix,
    NodeInformation,
    Nonce,
    PadN,
    PrefixInformation,
    RecursiveDNSServers,
    RedirectedHeader,
    RouteInformation,
    RouterAddress,
    RouterAdvertisement,
    RouterFlagsExtension,
    RouterSolicitation,
    SegmentHMAC,
    SegmentPadN,
    SegmentRouting,
    SegmentUnknownTLV,
    SourceLinkLayerAddress,
    TargetLinkLayerAddress,
    Trailer,
)

__all__ = ["IP_VECTORS"]

IP_VECTORS = (
    Vector(
        "ah_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / AH(spi=0x01020304, sequence=7, icv=b"0123456789ab")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "4500003500000000403366940a0000010a00000211040000010203040000000730313233343536373839616203e807d0"
            "0009682178"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/AH(nh=17, payloadlen=4, spi=0x01020304, seq=7, i"
            "cv=b'0123456789ab')/UDP(sport=1000, dport=2000, chksum=0x6821)/b'x'"
        ),
    ),
    Vector(
        "ah_ipv6",
        IPv6(src="fd00::1", dst="fd00::2")
        / AH(spi=0x01020304, sequence=7, icv=b"0123456789ab")
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000213340fd000000000000000000000000000001fd0000000000000000000000000000021104000001020304"
            "0000000730313233343536373839616203e807d00009821f78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/AH(nh=17, payloadlen=4, spi=0x01020304, seq=7"
            ", icv=b'0123456789ab')/UDP(sport=1000, dport=2000, chksum=0x821f)/b'x'"
        ),
    ),
    Vector(
        "esp_ipv4",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ESP(spi=0x01020304, sequence=7) / b"not to be read",
        "4500002a00000000403266a00a0000010a00000201020304000000076e6f7420746f2062652072656164",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ESP(spi=0x01020304, seq=7, data=b'not to be read')",
    ),
    Vector(
        "esp_ipv6",
        IPv6(src="fd00::1", dst="fd00::2") / ESP(spi=0x01020304, sequence=7) / b"not to be read",
        (
            "6000000000163240fd000000000000000000000000000001fd0000000000000000000000000000020102030400000007"
            "6e6f7420746f2062652072656164"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/ESP(spi=0x01020304, seq=7, data=b'not to be read')",
    ),
    Vector(
        "segment_routing",
        IPv6(src="fd00::1", dst="fd00::2")
        / SegmentRouting(
            segments_left=1,
            flags=0x08,
            tag=0x0102,
            segments=("fd00::9", "fd00::2"),
            tlvs=(SegmentPadN(padding=bytes(6)),),
        )
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000392b40fd000000000000000000000000000001fd0000000000000000000000000000021105040101080102"
            "fd000000000000000000000000000009fd000000000000000000000000000002040600000000000003e807d000098218"
            "78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/IPv6ExtHdrSegmentRouting(segleft=1, lastentry"
            "=1, hmac=1, tag=0x0102, addresses=['fd00::9', 'fd00::2'], tlv_objects=[IPv6ExtHdrSegmentRoutingT"
            "LVPadN(len=6, padding=bytes(6))])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "segment_routing_done",
        IPv6(src="fd00::1", dst="fd00::2")
        / SegmentRouting(segments=("fd00::9", "fd00::3"), tlvs=(SegmentUnknownTLV(type=124, value=b"opaque"),))
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000392b40fd000000000000000000000000000001fd0000000000000000000000000000021105040001000000"
            "fd000000000000000000000000000009fd0000000000000000000000000000037c066f706171756503e807d00009821f"
            "78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/IPv6ExtHdrSegmentRouting(segleft=0, lastentry"
            "=1, addresses=['fd00::9', 'fd00::3'], tlv_objects=[IPv6ExtHdrSegmentRoutingTLV(type=124, len=6, "
            "value=b'opaque')])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "segment_routing_hmac",
        IPv6(src="fd00::1", dst="fd00::2")
        / SegmentRouting(segments=("fd00::2",), tlvs=(SegmentHMAC(d=True, key_id=5, hmac=bytes(range(32))),))
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000492b40fd000000000000000000000000000001fd0000000000000000000000000000021107040000000000"
            "fd0000000000000000000000000000020526800000000005000102030405060708090a0b0c0d0e0f1011121314151617"
            "18191a1b1c1d1e1f03e807d00009821f78"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/IPv6ExtHdrSegmentRouting(segleft=0, lastentry"
            "=0, addresses=['fd00::2'], tlv_objects=[IPv6ExtHdrSegmentRoutingTLV(type=5, len=38, value=bytes."
            "fromhex('800000000005') + bytes(range(32)))])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "home_address",
        IPv6(src="fd00::1", dst="fd00::2")
        / DestinationOptions(options=(PadN(data=bytes(2)), HomeAddress(address="fd00::99")))
        / UDP(src_port=1000, dst_port=2000)
        / b"x",
        (
            "6000000000213c40fd000000000000000000000000000001fd000000000000000000000000000002110201020000c910"
            "fd00000000000000000000000000009903e807d00009818778"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/IPv6ExtHdrDestOpt(options=[HAO(hoa='fd00::99'"
            ")])/UDP(sport=1000, dport=2000)/b'x'"
        ),
    ),
    Vector(
        "icmpv4_router_solicitation",
        IPv4(src="10.0.0.1", dst="224.0.0.2", ttl=1) / ICMPv4RouterSolicitation(),
        "4500001c000000000101cfde0a000001e00000020a00f5ff00000000",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='224.0.0.2', ttl=1)/ICMP(type=10)",
    ),
    Vector(
        "icmpv4_router_advertisement",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4RouterAdvertisement(
            lifetime=1800,
            routers=(RouterAddress(address="10.0.0.1"), RouterAddress(address="10.0.0.3", preference=0x80000000)),
        ),
        "4500002c00000000400166cf0a0000010a000002090059f1020207080a000001000000000a00000380000000",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=9, unused=0x02020708)/bytes.fromhex('0"
            "a000001000000000a00000380000000')"
        ),
    ),
    Vector(
        "icmpv4_information_request",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4Information(id=7, seq=1),
        "4500001c00000000400166df0a0000010a0000020f00f0f700070001",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=15, id=7, seq=1)",
    ),
    Vector(
        "icmpv4_information_reply",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4Information(type=16, id=7, seq=1),
        "4500001c00000000400166df0a0000010a0000021000eff700070001",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=16, id=7, seq=1)",
    ),
    Vector(
        "icmpv4_address_mask",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4AddressMask(id=7, seq=1),
        "4500002000000000400166db0a0000010a0000021100eef70007000100000000",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=17, id=7, seq=1)",
    ),
    Vector(
        "icmpv4_address_mask_reply",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4AddressMask(type=18, id=7, seq=1, mask="255.255.255.0"),
        "4500002000000000400166db0a0000010a0000021200eef600070001ffffff00",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=18, id=7, seq=1, addr_mask='255.255.255.0')",
    ),
    Vector(
        "icmpv4_extended_echo",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4ExtendedEcho(id=7, seq=1)
        / ICMPProbe(objects=(InterfaceByIndex(index=(2,)),)),
        "4500002800000000400166d30a0000010a0000022a00d4f7000701012000dcf30008030200000002",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=42, unused=0x00070101)/(ICMPExtension_"
            "Header()/ICMPExtension_Object(classnum=3, classtype=2)/bytes.fromhex('00000002'))"
        ),
    ),
    Vector(
        "icmpv4_extended_echo_by_name",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4ExtendedEcho(id=7, seq=1)
        / ICMPProbe(objects=(InterfaceByName(name=b"eth0"),)),
        "4500002800000000400166d30a0000010a0000022a00d4f70007010120000f520008030165746830",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=42, unused=0x00070101)/(ICMPExtension_"
            "Header()/ICMPExtension_Object(classnum=3, classtype=1)/b'eth0')"
        ),
    ),
    Vector(
        "icmpv4_extended_echo_by_address",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4ExtendedEcho(id=7, seq=1, local=False)
        / ICMPProbe(objects=(InterfaceByAddress(address=bytes((10, 0, 0, 2))),)),
        "4500002c00000000400166cf0a0000010a0000022a00d4f8000701002000ceed000c0303000104000a000002",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=42, unused=0x00070100)/(ICMPExtension_"
            "Header()/ICMPExtension_Object(classnum=3, classtype=3)/bytes.fromhex('000104000a000002'))"
        ),
    ),
    Vector(
        "icmpv4_extended_echo_reply",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / ICMPv4ExtendedEchoReply(id=7, seq=1, state=2, active=True, ipv4=True),
        "4500001c00000000400166df0a0000010a0000022b00d3b200070146",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/ICMP(type=43, unused=0x00070146)",
    ),
    Vector(
        "icmpv4_extensions",
        IPv4(src="10.0.0.2", dst="10.0.0.1")
        / ICMPv4.time_exceeded(
            quoting=IPv4(src="10.0.0.1", dst="10.0.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe",
            extensions=(
                MPLSLabelStack(
                    labels=(MPLSLabel(label=16001, bottom=False, ttl=254), MPLSLabel(label=24000, experimental=3))
                ),
                InterfaceInformation(
                    role=2,
                    index=(3,),
                    address=(InterfaceAddressIPv4(address="10.0.0.2"),),
                    name=(InterfaceName.of("eth0"),),
                    mtu=(1500,),
                ),
                ICMPUnknownObject(class_num=99, c_type=7, data=b"kept"),
            ),
        ),
        (
            "450000d0000000004001662b0a0000020a0000010b00120800200000450000210000000001119cc30a0000010a000909"
            "03e8829a000d177370726f62650000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "0000000000000000000000002000beeb000c010103e810fe05dc0701001c028f00000003000100000a00000208657468"
            "30000000000005dc000863076b657074"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.2', dst='10.0.0.1')/ICMP(type=11, length=32, ext=ICMPExtension_Heade"
            "r()/ICMPExtension_MPLS(len=12, stack=[MPLS(label=16001, s=0, ttl=254)/MPLS(label=24000, cos=3, s"
            "=1, ttl=1)])/ICMPExtension_InterfaceInformation(len=28, classtype=2, has_ifindex=1, ifindex=3, h"
            "as_ipaddr=1, afi=1, ip4='10.0.0.2', has_ifname=1, ifname_len=8, ifname=b'eth0\\0\\0\\0', has_mtu=1,"
            " mtu=1500)/ICMPExtension_Object(len=8, classnum=99, classtype=7)/b'kept')/IPerror(id=0, src='10."
            "0.0.1', dst='10.0.9.9', ttl=1, len=33)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv4_extensions_uncounted",
        IPv4(src="10.0.0.2", dst="10.0.0.1")
        / ICMPv4Unreachable(code=3, length=0)
        / IPv4(src="10.0.0.1", dst="10.0.9.9", ttl=1)
        / UDP(src_port=1000, dst_port=33434)
        / b"probe"
        / Trailer(bytes(95), 2)
        / Trailer(bytes(ICMPExtensions(objects=(MPLSLabelStack(labels=(MPLSLabel(label=16001),)),))), 1),
        (
            "450000a800000000400166530a0000020a00000103031a2500000000450000210000000001119cc30a0000010a000909"
            "03e8829a000d177370726f62650000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "0000000000000000000000002000ca0d0008010103e81101"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.2', dst='10.0.0.1')/ICMP(type=3, code=3, ext=ICMPExtension_Header()/"
            "ICMPExtension_MPLS(stack=[MPLS(label=16001, s=1, ttl=1)]))/IPerror(id=0, src='10.0.0.1', dst='10"
            ".0.9.9', ttl=1, len=33)/UDPerror(sport=1000, dport=33434)/b'probe'"
        ),
    ),
    Vector(
        "icmpv6_extensions",
        IPv6(src="fd00::1", dst="fd00::2")
        / ICMPv6.unreachable(
            code=3,
            quoting=IPv6(src="fd00::1", dst="fd00::9", hop_limit=1)
            / UDP(src_port=1000, dst_port=33434)
            / b"probe",
            extensions=(InterfaceInformation(address=(InterfaceAddressIPv6(address="fd00::2"),)),),
        ),
        (
            "6000000000a43a40fd000000000000000000000000000001fd0000000000000000000000000000020103832910000000"
            "60000000000d1101fd000000000000000000000000000001fd00000000000000000000000000000903e8829a000d3a71"
            "70726f626500000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "00000000000000000000000000000000000000000000000000000000000000002000e0de0018020400020000fd000000"
            "000000000000000000000002"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/ICMPv6DestUnreach(code=3, length=16)/(bytes(I"
            "Pv6(src='fd00::1', dst='fd00::9', hlim=1)/UDP(sport=1000, dport=33434)/b'probe').ljust(128, b'\\0"
            "') + bytes(ICMPExtension_Header()/ICMPExtension_InterfaceInformation(has_ipaddr=1, afi=2, ip6='f"
            "d00::2')))"
        ),
    ),
    Vector(
        "icmpv6_router_solicitation",
        IPv6(src="fe80::1", dst="ff02::2", hop_limit=255)
        / RouterSolicitation(options=(SourceLinkLayerAddress(address="02:00:00:00:00:01"),)),
        (
            "6000000000103afffe800000000000000000000000000001ff02000000000000000000000000000285007a2c00000000"
            "0101020000000001"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::2', hlim=255)/ICMPv6ND_RS()/ICMPv6NDOptSrcLLAddr(lladdr='0"
            "2:00:00:00:00:01')"
        ),
    ),
    Vector(
        "icmpv6_router_advertisement",
        IPv6(src="fe80::1", dst="ff02::1", hop_limit=255)
        / RouterAdvertisement(
            cur_hop_limit=63,
            managed=True,
            other=True,
            home_agent=True,
            preference=1,
            proxy=True,
            reserved=1,
            router_lifetime=300,
            reachable_time=30000,
            retrans_timer=1000,
            options=(
                PrefixInformation(
                    prefix_length=48,
                    router_address=True,
                    valid_lifetime=86400,
                    preferred_lifetime=14400,
                    prefix="fd00:1::",
                ),
                MTUOption(mtu=1480),
                AdvertisementInterval(interval=5000),
                HomeAgentInformation(preference=7, lifetime=15),
            ),
        ),
        (
            "6000000000483afffe800000000000000000000000000001ff0200000000000000000000000000018600d9b43fed012c"
            "00007530000003e8030430e0000151800000384000000000fd00000100000000000000000000000005010000000005c8"
            "0701000000001388080100000007000f"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1', hlim=255)/ICMPv6ND_RA(chlim=63, M=1, O=1, H=1, prf=1, "
            "P=1, res=1, routerlifetime=300, reachabletime=30000, retranstimer=1000)/ICMPv6NDOptPrefixInfo(pr"
            "efixlen=48, R=1, validlifetime=86400, preferredlifetime=14400, prefix='fd00:1::')/ICMPv6NDOptMTU"
            "(mtu=1480)/ICMPv6NDOptAdvInterval(advint=5000)/ICMPv6NDOptHAInfo(pref=7, lifetime=15)"
        ),
    ),
    Vector(
        "icmpv6_router_advertisement_dns",
        IPv6(src="fe80::1", dst="ff02::1", hop_limit=255)
        / RouterAdvertisement(
            options=(
                RecursiveDNSServers(lifetime=600, addresses=("fd00::53", "fd00::54")),
                DNSSearchList(lifetime=600, names=b"\7example\3org\0\4home\4arpa\0"),
            )
        ),
        (
            "6000000000583afffe800000000000000000000000000001ff0200000000000000000000000000018600805f40000708"
            "00000000000000001905000000000258fd000000000000000000000000000053fd000000000000000000000000000054"
            "1f04000000000258076578616d706c65036f72670004686f6d65046172706100"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1', hlim=255)/ICMPv6ND_RA(chlim=64, prf=0)/ICMPv6NDOptRDNS"
            "S(lifetime=600, dns=['fd00::53', 'fd00::54'])/ICMPv6NDOptDNSSL(lifetime=600, searchlist=['exampl"
            "e.org', 'home.arpa'])"
        ),
    ),
    Vector(
        "icmpv6_router_advertisement_routes",
        IPv6(src="fe80::1", dst="ff02::1", hop_limit=255)
        / RouterAdvertisement(
            options=(
                RouteInformation(
                    prefix_length=48, preference=1, route_lifetime=300, prefix=bytes.fromhex("fd00000200030000")
                ),
                RouteInformation(prefix_length=0, preference=3),
                RouterFlagsExtension(),
                NAT64Prefix(scaled_lifetime=75, prefix=bytes.fromhex("0064ff9b0000000000000000")),
                Nonce(nonce=b"random"),
            )
        ),
        (
            "6000000000483afffe800000000000000000000000000001ff0200000000000000000000000000018600360a40000708"
            "0000000000000000180230080000012cfd0000020003000018010018ffffffff1a01000000000000260202580064ff9b"
            "00000000000000000e0172616e646f6d"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1', hlim=255)/ICMPv6ND_RA(chlim=64, prf=0)/ICMPv6NDOptRout"
            "eInfo(len=2, plen=48, prf=1, rtlifetime=300, prefix='fd00:2:3::')/ICMPv6NDOptRouteInfo(len=1, pl"
            "en=0, prf=3)/ICMPv6NDOptEFA()/ICMPv6NDOptPREF64(scaledlifetime=75, plc=0, prefix='64:ff9b::')/IC"
            "MPv6NDOptUnknown(type=14, data=b'random')"
        ),
    ),
    Vector(
        "icmpv6_redirect",
        IPv6(src="fe80::1", dst="fd00::2", hop_limit=255)
        / ICMPv6Redirect(
            target="fe80::9",
            destination="fd00:9::1",
            options=(
                TargetLinkLayerAddress(address="02:00:00:00:00:09"),
                RedirectedHeader(
                    packet=bytes(IPv6(src="fd00::2", dst="fd00:9::1") / UDP(src_port=1000, dst_port=2000))
                ),
            ),
        ),
        (
            "6000000000683afffe800000000000000000000000000001fd0000000000000000000000000000028900060300000000"
            "fe800000000000000000000000000009fd00000900000000000000000000000102010200000000090407000000000000"
            "6000000000081140fd000000000000000000000000000002fd00000900000000000000000000000103e807d00008fa18"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='fd00::2', hlim=255)/ICMPv6ND_Redirect(tgt='fe80::9', dst='fd00:9"
            "::1')/ICMPv6NDOptDstLLAddr(lladdr='02:00:00:00:00:09')/ICMPv6NDOptRedirectedHdr(pkt=IPv6(src='fd"
            "00::2', dst='fd00:9::1')/UDP(sport=1000, dport=2000))"
        ),
    ),
    Vector(
        "mld_query",
        IPv6(src="fe80::1", dst="ff02::1", hop_limit=1)
        / HopByHop(options=(IPv6RouterAlert(), PadN()))
        / MLDQuery(maximum_response_delay=10000),
        (
            "6000000000200001fe800000000000000000000000000001ff0200000000000000000000000000013a00050200000100"
            "820059172710000000000000000000000000000000000000"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1', hlim=1)/IPv6ExtHdrHopByHop(options=[RouterAlert(), Pad"
            "N()])/ICMPv6MLQuery(mrd=10000)"
        ),
    ),
    Vector(
        "mld_report",
        IPv6(src="fe80::1", dst="ff02::abc", hop_limit=1) / MLDReport(address="ff02::abc"),
        (
            "6000000000183a01fe800000000000000000000000000001ff020000000000000000000000000abc83006aad00000000"
            "ff020000000000000000000000000abc"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fe80::1', dst='ff02::abc', hlim=1)/ICMPv6MLReport(mladdr='ff02::abc')",
    ),
    Vector(
        "mld_done",
        IPv6(src="fe80::1", dst="ff02::2", hop_limit=1) / MLDDone(address="ff02::abc"),
        (
            "6000000000183a01fe800000000000000000000000000001ff0200000000000000000000000000028400746700000000"
            "ff020000000000000000000000000abc"
        ),
        LinkType.RAW,
        "scapy: IPv6(src='fe80::1', dst='ff02::2', hlim=1)/ICMPv6MLDone(mladdr='ff02::abc')",
    ),
    Vector(
        "mldv2_query",
        IPv6(src="fe80::1", dst="ff02::1", hop_limit=1)
        / MLDv2Query(
            maximum_response_code=1000,
            address="ff02::abc",
            suppress=True,
            robustness=3,
            interval_code=60,
            sources=("fd00::7", "fd00::8"),
        ),
        (
            "60000000003c3a01fe800000000000000000000000000001ff02000000000000000000000000000182006d0d03e80000"
            "ff020000000000000000000000000abc0b3c0002fd000000000000000000000000000007fd0000000000000000000000"
            "00000008"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::1', hlim=1)/ICMPv6MLQuery2(mrd=1000, mladdr='ff02::abc', S"
            "=1, QRV=3, QQIC=60, sources=['fd00::7', 'fd00::8'])"
        ),
    ),
    Vector(
        "mldv2_report",
        IPv6(src="fe80::1", dst="ff02::16", hop_limit=1)
        / MLDv2Report(
            records=(
                MulticastAddressRecord(
                    record_type=3,
                    address="ff02::abc",
                    sources=("fd00::7", "fd00::8"),
                    auxiliary_data=(0x61757831, 0x61757832),
                ),
                MulticastAddressRecord(address="ff02::fb"),
            )
        ),
        (
            "6000000000583a01fe800000000000000000000000000001ff0200000000000000000000000000168f00b4af00000002"
            "03020002ff020000000000000000000000000abcfd000000000000000000000000000007fd0000000000000000000000"
            "00000008617578316175783204000000ff0200000000000000000000000000fb"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fe80::1', dst='ff02::16', hlim=1)/ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec"
            "(rtype=3, auxdata_len=2, dst='ff02::abc', sources=['fd00::7', 'fd00::8'], auxdata=b'aux1aux2'), "
            "ICMPv6MLDMultAddrRec(rtype=4, dst='ff02::fb')])"
        ),
    ),
    Vector(
        "node_information",
        IPv6(src="fd00::1", dst="fd00::2") / NodeInformation(code=1, qtype=2, nonce=b"\1\2\3\4\5\6\7\10"),
        (
            "6000000000103a40fd000000000000000000000000000001fd0000000000000000000000000000028b016a9900020000"
            "0102030405060708"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/ICMPv6Unknown(type=139, code=1, msgbody=bytes"
            ".fromhex('000200000102030405060708'))"
        ),
    ),
    Vector(
        "icmpv6_extended_echo",
        IPv6(src="fd00::1", dst="fd00::2")
        / ICMPv6ExtendedEcho(id=7, seq=1)
        / ICMPProbe(objects=(InterfaceByIndex(index=(2,)),)),
        (
            "6000000000143a40fd000000000000000000000000000001fd000000000000000000000000000002a00064a400070101"
            "2000dcf30008030200000002"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/ICMPv6Unknown(type=160, msgbody=bytes.fromhex"
            "('00070101') + bytes(ICMPExtension_Header()/ICMPExtension_Object(classnum=3, classtype=2)/bytes."
            "fromhex('00000002')))"
        ),
    ),
    Vector(
        "icmpv6_extended_echo_reply",
        IPv6(src="fd00::1", dst="fd00::2") / ICMPv6ExtendedEchoReply(id=7, seq=1, active=True, ipv6=True),
        "6000000000083a40fd000000000000000000000000000001fd000000000000000000000000000002a10063ac00070105",
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2', hlim=64)/ICMPv6Unknown(type=161, msgbody=bytes.fromhex"
            "('00070105'))"
        ),
    ),
    Vector(
        "igmpv1_query",
        IPv4(src="10.0.0.1", dst="224.0.0.1", ttl=1, options=(IPv4RouterAlert(),)) / IGMPQuery(max_resp_time=0),
        "460000200000000001023ad60a000001e0000001940400001100eeff00000000",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='224.0.0.1', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMP_MQ(type=0x11, mrcode=0)"
        ),
    ),
    Vector(
        "igmpv2_query",
        IPv4(src="10.0.0.1", dst="224.0.0.1", ttl=1, options=(IPv4RouterAlert(),))
        / IGMPQuery(max_resp_time=10, group="239.1.2.3"),
        "460000200000000001023ad60a000001e000000194040000110afdf0ef010203",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='224.0.0.1', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMP_MQ(type=0x11, mrcode=10, gaddr='239.1.2.3')"
        ),
    ),
    Vector(
        "igmpv1_report",
        IPv4(src="10.0.0.1", dst="239.1.2.3", ttl=1, options=(IPv4RouterAlert(),))
        / IGMPReport(type=0x12, group="239.1.2.3"),
        "4600002000000000010229d30a000001ef010203940400001200fcfaef010203",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='239.1.2.3', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMP_MR(type=0x12, gaddr='239.1.2.3')"
        ),
    ),
    Vector(
        "igmpv2_report",
        IPv4(src="10.0.0.1", dst="239.1.2.3", ttl=1, options=(IPv4RouterAlert(),)) / IGMPReport(group="239.1.2.3"),
        "4600002000000000010229d30a000001ef010203940400001600f8faef010203",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='239.1.2.3', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMPv2_MR(type=0x16, gaddr='239.1.2.3')"
        ),
    ),
    Vector(
        "igmpv2_leave",
        IPv4(src="10.0.0.1", dst="224.0.0.2", ttl=1, options=(IPv4RouterAlert(),)) / IGMPLeave(group="239.1.2.3"),
        "460000200000000001023ad50a000001e0000002940400001700f7faef010203",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='224.0.0.2', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMPv2_LG(type=0x17, gaddr='239.1.2.3')"
        ),
    ),
    Vector(
        "igmpv3_query",
        IPv4(src="10.0.0.1", dst="239.1.2.3", ttl=1, options=(IPv4RouterAlert(),))
        / IGMPv3Query(
            max_resp_code=24,
            group="239.1.2.3",
            suppress=True,
            robustness=3,
            interval_code=60,
            sources=("10.0.0.7", "10.0.0.8"),
        ),
        "4600002c00000000010229c70a000001ef010203940400001118de95ef0102030b3c00020a0000070a000008",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='239.1.2.3', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMPv3_MQ(mrcode=24, gaddr='239.1.2.3', s=1, qrv=3, qqic=60, srcaddrs=['10.0.0.7', '10.0.0.8']"
            ")"
        ),
    ),
    Vector(
        "igmpv3_report",
        IPv4(src="10.0.0.1", dst="224.0.0.22", ttl=1, options=(IPv4RouterAlert(),))
        / IGMPv3Report(
            records=(
                GroupRecord(record_type=3, group="239.1.2.3", sources=("10.0.0.7", "10.0.0.8")),
                GroupRecord(group="224.0.0.251"),
            )
        ),
        (
            "460000380000000001023aa90a000001e0000016940400002200f0eb0000000203000002ef0102030a0000070a000008"
            "04000000e00000fb"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='224.0.0.22', ttl=1, tos=0, options=[IPOption_Router_Alert()"
            "])/IGMPv3_MR(records=[IGMPv3_MR_Group(rtype=3, maddr='239.1.2.3', srcaddrs=['10.0.0.7', '10.0.0."
            "8']), IGMPv3_MR_Group(rtype=4, maddr='224.0.0.251')])"
        ),
    ),
    Vector(
        "igmp_other",
        IPv4(src="10.0.0.1", dst="224.0.0.4", ttl=1, options=(IPv4RouterAlert(),))
        / IGMPUnknown(type=0x40, code=1)
        / bytes.fromhex("000a0003"),
        "460000200000000001023ad30a000001e0000004940400004001bff1000a0003",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='224.0.0.4', ttl=1, tos=0, options=[IPOption_Router_Alert()]"
            ")/IGMP_MQ(type=0x40, mrcode=1, gaddr='0.10.0.3')"
        ),
    ),
)
