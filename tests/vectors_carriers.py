"""Vectors of what stands around packets in captures and tunnels, and is read for what is in it; all captured."""

from __future__ import annotations

from vector import Vector

from rawkit.wire import (
    ESP,
    GRE,
    LLC,
    NSH,
    PKTAP,
    TCP,
    UDP,
    VXLANGPE,
    Ethernet,
    ICMPv4Echo,
    IPv4,
    JuniperEthernet,
    LinkType,
    NHRPIndication,
    NonESPMarker,
    TCPNoOperation,
    Timestamps,
    WCCPRedirect,
)

__all__ = ["CARRIER_VECTORS"]

CARRIER_VECTORS: tuple[Vector, ...] = (
    Vector(
        "pktap",
        (
            PKTAP(
                link_type=1,
                interface=bytes.fromhex("656e30000000000000000000000000000000000000000000"),
                flags=2,
                family=2,
                link_header_length=14,
                process=512,
                effective_process=4294967295,
            )
            / Ethernet(dst="00:1e:49:1f:f2:c4", src="70:73:cb:0b:26:2a", type=0x0800)
            / IPv4(
                ihl=5,
                total_length=60,
                identification=11779,
                ttl=255,
                protocol=17,
                checksum=0x1144,
                src="10.32.4.27",
                dst="10.32.100.15",
            )
            / UDP(src_port=63538, dst_port=53, length=40, checksum=0x4814)
            / bytes.fromhex("43010100000100000000000002696e016d057961686f6f03636f6d0000010001")
        ),
        "6c0000000100000001000000656e3000000000000000000000000000000000000000000002000000020000000e000000"
        "000000000002000000000000000000000000000000000000000000000000000000000000ffffffff0000000000000000"
        "000000000000000000000000001e491ff2c47073cb0b262a08004500003c2e030000ff1111440a20041b0a20640ff832"
        "00350028481443010100000100000000000002696e016d057961686f6f03636f6d0000010001",
        LinkType.PKTAP,
        "captured: tcpdump/tests/LINKTYPE_PKTAP.pcap, packet 1",
    ),
    Vector(
        "juniper_ethernet",
        (
            JuniperEthernet(
                reserved=1,
                incoming=True,
                extensions_length=16,
                extensions=bytes.fromhex("03010106010e01028a0004044b010000"),
            )
            / Ethernet(dst="09:00:2b:00:00:05", src="00:05:86:18:ae:00", type=0x002E)
            / LLC(dsap=0xFE, ssap=0xFE)
            / bytes.fromhex(
                "831b010014010000002b00001280920190980000000001e20000030d0701128092020074890550325f7265"
            )
        ),
        "4d474385001003010106010e01028a0004044b01000009002b00000500058618ae00002efefe03831b01001401000000"
        "2b00001280920190980000000001e20000030d0701128092020074890550325f7265",
        LinkType.JUNIPER_ETHER,
        "captured: tcpdump/tests/isis_poi.pcap, packet 1",
    ),
    Vector(
        "vxlan_gpe",
        (
            Ethernet(dst="00:00:00:00:00:00", src="00:00:00:00:00:00", type=0x0800)
            / IPv4(
                ihl=5,
                total_length=92,
                identification=16419,
                dont_fragment=True,
                protocol=17,
                checksum=0xFC6B,
                src="127.0.0.1",
                dst="127.0.0.1",
            )
            / UDP(src_port=4790, dst_port=4790, length=72, checksum=0x49F7)
            / VXLANGPE(next_protocol=4, vni=16777215)
            / NSH(
                oam=True,
                unassigned=True,
                ttl=0,
                length=6,
                next_protocol=1,
                service_path=16777215,
                context=bytes.fromhex("00010201123456780002030112345678"),
            )
            / IPv4(
                ihl=5,
                total_length=32,
                identification=54321,
                ttl=255,
                protocol=17,
                checksum=0x6647,
                src="192.168.0.1",
                dst="192.168.0.2",
            )
            / UDP(src_port=10000, dst_port=20000, length=12, checksum=0x2178)
            / b"test"
        ),
        "00000000000000000000000008004500005c402340004011fc6b7f0000017f00000112b612b6004849f70c000004ffff"
        "ff0030060201ffffffff0001020112345678000203011234567845000020d4310000ff116647c0a80001c0a800022710"
        "4e20000c217874657374",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/nsh-over-vxlan-gpe.pcap, packet 1",
    ),
    Vector(
        "wccp_redirect",
        (
            Ethernet(dst="00:14:5e:28:99:a8", src="00:0f:35:3a:ab:40", type=0x0800)
            / IPv4(
                ihl=5,
                total_length=268,
                identification=44163,
                ttl=253,
                protocol=47,
                checksum=0xA42E,
                src="10.254.127.194",
                dst="10.254.214.82",
            )
            / GRE(checksum_present=False, key_present=False, sequence_present=False, protocol=0x883E)
            / WCCPRedirect(flags=0x05, service=89, primary_bucket=72)
            / IPv4(
                ihl=5,
                total_length=240,
                identification=37140,
                dont_fragment=True,
                protocol=6,
                checksum=0xA650,
                src="10.254.127.195",
                dst="10.254.108.228",
            )
            / TCP(
                src_port=1291,
                dst_port=445,
                seq=2206441866,
                ack=1426770077,
                data_offset=8,
                flags="PA",
                window=63887,
                checksum=0x2909,
                options=(
                    TCPNoOperation(),
                    TCPNoOperation(),
                    Timestamps(length=10, value=40478, echo_reply=28035935),
                ),
            )
            / bytes.fromhex(
                "000000b8ff534d4225000000001807c8000000000000000000000000024058080078412810000064"
                "00000000040000000000000000000000005400640054000200260012807500005c00500049005000"
                "45005c0000000000050000031000000064000000010000004c00000000001000f0d1d30211000000"
                "00000000110000005c005c00310030002e003200350034002e003100300038002e00320032003800"
                "00004c00030000000000000003000000640024000000000001000000"
            )
        ),
        "00145e2899a8000f353aab4008004500010cac830000fd2fa42e0afe7fc20afed6520000883e05590048450000f09114"
        "40004006a6500afe7fc30afe6ce4050b01bd8383a18a550ac89d8018f98f290900000101080a00009e1e01abcb5f0000"
        "00b8ff534d4225000000001807c800000000000000000000000002405808007841281000006400000000040000000000"
        "000000000000005400640054000200260012807500005c0050004900500045005c000000000005000003100000006400"
        "0000010000004c00000000001000f0d1d3021100000000000000110000005c005c00310030002e003200350034002e00"
        "3100300038002e0032003200380000004c00030000000000000003000000640024000000000001000000",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/wccp_redirect_gre.pcap, packet 1",
    ),
    Vector(
        "esp_in_udp",
        (
            Ethernet(dst="10:00:00:64:64:45", src="10:00:00:64:64:23", type=0x0800)
            / IPv4(
                ihl=5,
                total_length=144,
                identification=42510,
                protocol=17,
                checksum=0x5008,
                src="192.1.2.23",
                dst="192.1.2.45",
            )
            / UDP(src_port=4500, dst_port=4500, length=124, checksum=0x0000)
            / ESP(spi=0x12345678, sequence=1)
            / bytes.fromhex(
                "a71a51de1cb929238c4cab9ef2550db76402c501a26729fc8e8f7a7e63aa4b54aa59f642177a2924"
                "cc238d43b4c28d5191232bd1608e4f49c04726b61255c79a5efdc271510fc047bdd45b642c3b0f12"
                "b56e4d5149c662bc468f221a52cca322ad5a3fe76ae333dac783be7e"
            )
        ),
        "100000646445100000646423080045000090a60e000040115008c0010217c001022d11941194007c0000123456780000"
        "0001a71a51de1cb929238c4cab9ef2550db76402c501a26729fc8e8f7a7e63aa4b54aa59f642177a2924cc238d43b4c2"
        "8d5191232bd1608e4f49c04726b61255c79a5efdc271510fc047bdd45b642c3b0f12b56e4d5149c662bc468f221a52cc"
        "a322ad5a3fe76ae333dac783be7e",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/espudp1.pcap, packet 1",
    ),
    Vector(
        "non_esp_marker",
        (
            Ethernet(dst="10:00:00:64:64:23", src="10:00:00:de:ad:ba", type=0x0800)
            / IPv4(
                ihl=5,
                total_length=356,
                dont_fragment=True,
                ttl=63,
                protocol=17,
                checksum=0xB571,
                src="192.1.2.254",
                dst="192.1.2.23",
            )
            / UDP(src_port=4500, dst_port=4500, length=336, checksum=0x72A1)
            / NonESPMarker()
            / bytes.fromhex(
                "9e89f2388f90bc1e0a74357ce3d1a4bf051002010000000000000144a02460dc0eb4dda5061fa741"
                "aca029cb4bacada4ea3fe12490f8947b13267ed5404dd21f0689f710fb4903cdd8e8f1e6e2b58404"
                "86415e2b19060c76748fa55de73c272625da54e65803aff9a4a60487ac91715746ef40b217e204f0"
                "50f0aa120b9bea43dff7643664ab9e893ad3ce6cb6217eceef02a347a36fd0287186fb0f186841e9"
                "f82453ceef76d0557c62f61bc12db67402c664b53d1eda0b3c6687c3206852f0cc9e92d174b2adca"
                "e09538d62418445625cbc10338bab7c86b8c6c3fe1c6f3f603c9449e7c386defe57f28476f305ceb"
                "ac71949f458e0c98b6ac03efa60ef47955057142861592c8d99272623f673ef3c177cd5d2f6e511a"
                "0911260249ca77271feb1e74b91c3e5310d1f4e5909eb70e86b77fe2fb7e72ace207067c6a34b84f"
                "1a40b3d9"
            )
        ),
        "100000646423100000deadba080045000164000040003f11b571c00102fec001021711941194015072a1000000009e89"
        "f2388f90bc1e0a74357ce3d1a4bf051002010000000000000144a02460dc0eb4dda5061fa741aca029cb4bacada4ea3f"
        "e12490f8947b13267ed5404dd21f0689f710fb4903cdd8e8f1e6e2b5840486415e2b19060c76748fa55de73c272625da"
        "54e65803aff9a4a60487ac91715746ef40b217e204f050f0aa120b9bea43dff7643664ab9e893ad3ce6cb6217eceef02"
        "a347a36fd0287186fb0f186841e9f82453ceef76d0557c62f61bc12db67402c664b53d1eda0b3c6687c3206852f0cc9e"
        "92d174b2adcae09538d62418445625cbc10338bab7c86b8c6c3fe1c6f3f603c9449e7c386defe57f28476f305cebac71"
        "949f458e0c98b6ac03efa60ef47955057142861592c8d99272623f673ef3c177cd5d2f6e511a0911260249ca77271feb"
        "1e74b91c3e5310d1f4e5909eb70e86b77fe2fb7e72ace207067c6a34b84f1a40b3d9",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/isakmp4500.pcap, packet 7",
    ),
    Vector(
        "nhrp_indication",
        (
            Ethernet(dst="ca:00:44:f4:00:00", src="ca:00:44:d0:00:00", type=0x0800)
            / IPv4(
                ihl=5,
                dscp=48,
                total_length=126,
                identification=22,
                ttl=255,
                protocol=47,
                checksum=0xA924,
                src="192.168.200.1",
                dst="192.168.200.3",
            )
            / GRE(
                checksum_present=False, key_present=True, sequence_present=False, protocol=0x2001, key=0x000003E8
            )
            / NHRPIndication(
                length=98,
                checksum=0xD9D0,
                extensions_offset=68,
                source_address="192.168.200.1",
                source_protocol_address="10.255.255.1",
                destination_protocol_address="10.255.255.3",
            )
            / IPv4(
                ihl=5,
                total_length=100,
                identification=5,
                ttl=255,
                protocol=1,
                checksum=0xA78F,
                src="10.255.255.3",
                dst="10.255.255.2",
            )
            / ICMPv4Echo(checksum=0x325B, id=1)
            / bytes.fromhex("80040000800500008007000a000000017365637265740009000080000000")
        ),
        "ca0044f40000ca0044d00000080045c0007e00160000ff2fa924c0a8c801c0a8c80320002001000003e8000108000000"
        "000000ff0062d9d00044010804000404000000000000c0a8c8010affff010affff034500006400050000ff01a78f0aff"
        "ff030affff020800325b0001000080040000800500008007000a000000017365637265740009000080000000",
        LinkType.ETHERNET,
        "captured: tcpdump/tests/nhrp-trace.pcap, packet 1",
    ),
)
