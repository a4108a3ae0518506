"""Link layers and tunnels: what follows what, as tshark reads it, and what is built of what is left out."""

from __future__ import annotations

import io
import re
import subprocess
from collections import defaultdict

import pytest
from corpus import packets_of_others
from programs import require
from test_wire_problems import told

from rawkit.errors import BuildError, FieldError
from rawkit.layout import AUTO
from rawkit.pcap import open_capture, write_capture
from rawkit.views import diagram, read_expression, to_expression
from rawkit.views.fields import wireshark_values
from rawkit.views.json import as_object
from rawkit.wire import (
    AH,
    ARP,
    ERSPAN,
    ERSPAN3,
    ESP,
    GRE,
    HDLC,
    IGMP,
    LLC,
    MPLS,
    PIM,
    PPP,
    SCTP,
    SNAP,
    TCP,
    UDP,
    VLAN,
    VXLAN,
    CiscoHDLC,
    CiscoMetadata,
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
    ICMPProbe,
    ICMPv4,
    ICMPv6,
    IGMPUnknown,
    IPNet,
    IPoIB,
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
    TCPEndOfOptions,
    Trailer,
    UnknownRouting,
    dissect,
)
from rawkit.wire.arcnet import ARCnetFrame
from rawkit.wire.arista import AristaTimestamp
from rawkit.wire.arp import AddressResolution
from rawkit.wire.frame_relay import FrameRelayFrame
from rawkit.wire.ipsec import NATKeepalive, NonESPMarker
from rawkit.wire.juniper import JuniperEthernet
from rawkit.wire.macsec import MACsec, MACsecData
from rawkit.wire.nflog import NFLOG, NFLOGAttributes
from rawkit.wire.nhrp import NHRP
from rawkit.wire.nsh import NSH, VXLANGPE
from rawkit.wire.pktap import PKTAP
from rawkit.wire.wccp import WCCPRedirect

FRAME = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
IP4 = IPv4(src="10.0.0.1", dst="10.0.0.2")
IP6 = IPv6(src="fd00::1", dst="fd00::2")
DATAGRAM = UDP(src_port=1000, dst_port=2000) / b"x"

# ---------------------------------------------------------------------- what follows what, by tshark

PROTOCOLS = {
    Ethernet: "eth",
    FrameRelayFrame: "fr",
    ARCnetFrame: "arcnet",
    IPoIB: "ipoib",
    IPNet: "ipnet",
    CiscoHDLC: "chdlc",
    CiscoMetadata: "cmd",
    AristaTimestamp: "avsp",
    PIM: "pim",
    NFLOG: "nflog",
    NFLOGAttributes: "",
    PKTAP: "pktap",
    JuniperEthernet: "juniper",
    MACsec: "macsec",
    MACsecData: "",
    NSH: "nsh",
    VXLANGPE: "",
    NHRP: "nhrp",
    WCCPRedirect: "",
    NonESPMarker: "",
    NATKeepalive: "",
    ServiceVLAN: "ieee8021ad",
    VLAN: "vlan",
    LLC: "llc",
    SNAP: "",
    AddressResolution: "arp",
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
    ERSPAN3: "erspan",
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
    ICMPProbe: "",
    IGMP: "igmp",
    AH: "ah",
    ESP: "esp",
    TCP: "tcp",
    UDP: "udp",
    SCTP: "sctp",
}
"""What tshark calls our headers; a part of what comes before has no name of its own."""
IGNORED = {"ethertype", "udpencap", "pcap_pktdata", "user_dlt", "raw", "pwethheuristic", "pwethcw", "pwethnocw"}
NAMED_TWICE = {("igmp", "igmp"), ("icmpv6", "icmp")}
"""A message with its version, or with an extension structure: one header for us."""


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
        if name in IGNORED or (name == "erspan" and ERSPAN not in packet and ERSPAN3 not in packet):
            continue
        if name not in PROTOCOLS.values():
            break
        if name == "ipv6" and found[-1:] == ["ip"] and IPv4 not in packet:
            found.pop()  # IPv6 where IPv4 was announced
        if (*found[-1:], name) not in NAMED_TWICE:
            found.append(name)
    return found


REVERSE_ARP = 0x8035
TAKEN_APART_BY_TSHARK = {0x883E}
"""What GRE carries and rawkit does not read: redirection by a web cache."""


def comparable(packet):
    """Whether both read all of the packet: nothing is wrong, cut, or of a kind that only tshark takes apart."""
    if not packet.layers or any(isinstance(layer, CutHeader) for layer in packet.layers):
        return False
    if any(type(layer) in (ICMPv4, ICMPv6, IGMPUnknown, UnknownRouting, GREHeader) for layer in packet.layers):
        return False
    if any(
        any(item.padding) for tcp in packet.all(TCP) for item in tcp.options if isinstance(item, TCPEndOfOptions)
    ):
        return False
    if GRE in packet and packet[GRE].protocol in TAKEN_APART_BY_TSHARK:
        return False
    if Ethernet in packet and packet[Ethernet].type == REVERSE_ARP:
        return False
    faults = [problem for problem in packet.problems if problem.field not in ("checksum", "protocol", "type")]
    return not faults or all("captured" in fault.message for fault in faults)


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
            if not comparable(packet) or ONLY_ONE_READS_ON.fullmatch(row):
                continue
            compared += 1
            seen.update(ours(packet))
            if ours(packet) != theirs(row, packet):
                differ.append((name, record.number, ours(packet), row))
    assert differ == []
    assert compared > 3000
    assert seen >= {"llc", "sll", "null", "ppp", "pppoes", "pppoed", "gre", "erspan", "vxlan", "geneve", "mpls"}


ONLY_ONE_READS_ON = re.compile("eth:eth:.*|fr:eth:.*|eth:ethertype:avsp|user_dlt:pktap:pcap_pktdata:ppp")
"""Cisco's frames around frames, which tshark knows by their destination; bridged frames in frame relay; the
timestamps of Arista's R3 hardware, which tshark does not know; and a packet tap that is cut right behind its
header, where tshark names the protocol of which there is nothing."""


def test_a_label_stack_carries_what_its_first_bytes_look_like():
    """As scapy; tshark goes by the makers in addresses, and reads a frame of unknown ones as a control word."""
    inner = Ethernet(dst="00:11:22:33:44:55", src="00:00:00:00:00:03") / IP4 / DATAGRAM
    stack = FRAME / MPLS(label=16) / MPLS(label=17)
    for carried in (IP4 / DATAGRAM, IP6 / DATAGRAM, inner, PseudowireControlWord() / inner):
        packet = dissect(bytes(stack / carried))
        assert packet == (stack / carried).built()
        assert [entry.bottom for entry in packet.all(MPLS)] == [False, True]
        assert packet.problems == ()
    for carried in (b"\x10\0\0\x21", b"\xf0"):
        packet = dissect(bytes(stack / carried))
        assert packet.payload == carried
        (problem,) = packet.problems
        assert problem[:4] == ("MPLSPayload", "", 22, 22 + len(carried))
        assert "unknown first byte" in problem.message
    assert dissect(bytes(stack)).problems[0].message == "MPLSPayload is announced, but nothing follows"


# ---------------------------------------------------------------------- lengths of 802.3


def test_a_type_up_to_1500_is_a_length():
    packet = dissect(bytes(FRAME / LLC(dsap=0x42, ssap=0x42) / bytes(1497)))
    assert (packet[Ethernet].type, len(packet.payload)) == (1500, 1497)
    with pytest.raises(FieldError, match=r"Ethernet\.type: expected a length that fits, 1 to 1500, got 1501"):
        bytes(FRAME / LLC(dsap=0x42, ssap=0x42) / bytes(1498))
    assert dissect(bytes(FRAME.replace(type=1501) / bytes(1501))).problems[0].message == "unknown EtherType 0x05dd"
    assert dissect(bytes(FRAME.replace(type=0) / b"x")).problems[0].message == "unknown EtherType 0x0000"


def test_a_length_ends_the_frame():
    bridge = LLC(dsap=0x06, ssap=0x06) / IP4 / DATAGRAM
    padded = FRAME / bridge / Trailer(bytes(12), 0)
    assert told(padded, LinkType.ETHERNET) == []
    assert dissect(bytes(padded)).trailers == (Trailer(bytes(12), 0),)
    assert dissect(bytes(padded)).recomputed().built() == padded.built()
    longer = FRAME.replace(type=100) / bridge
    assert told(longer, LinkType.ETHERNET) == [("Ethernet", "type", 12, 14)]
    assert told(FRAME / VLAN(type=100) / bridge, LinkType.ETHERNET) == [("VLAN", "type", 16, 18)]
    far = FRAME / bridge / Trailer(bytes(50), 0)
    assert told(far, LinkType.ETHERNET) == [("Ethernet", "", 46, 96)]


@pytest.mark.parametrize("outer", [Packet((FRAME,)), FRAME / IP4 / UDP(dst_port=4789) / VXLAN(vni=5), IP4 / GRE()])
def test_a_short_frame_in_a_tunnel_is_padded_too(outer):
    question = ARP.who_has("10.0.0.2", tell="10.0.0.1", mac="02:00:00:00:00:01")
    padded = Packet() / FRAME / VLAN(id=5) / question
    whole = outer / padded if VXLAN in outer or GRE in outer else padded
    for filler, problems in ((bytes(18), 0), (bytes(19), 1)):
        packet = dissect(bytes(whole / Trailer(filler, len(whole.layers) - 1)), whole.link_type)
        assert len(packet.problems) == problems


def test_recomputing_measures_a_length_again_and_keeps_a_type_that_is_right():
    longer = dissect(bytes(FRAME / LLC(dsap=0x42, ssap=0x42) / b"x")) / b"yz"
    assert longer.recomputed().built()[Ethernet].type == 6
    multicast = FRAME.replace(type=0x8848) / MPLS(label=16) / IP4 / DATAGRAM
    assert multicast.recomputed()[Ethernet].type == 0x8848
    assert (FRAME.replace(type=0x0800) / IP6 / DATAGRAM).recomputed().built()[Ethernet].type == 0x86DD


# ---------------------------------------------------------------------- link types


@pytest.mark.parametrize("family", ["02000000", "00000002", "1e000000", "0000001e", "18000000", "0000001c"])
def test_an_address_family_is_read_in_either_byte_order(family):
    ip = IP4 if "2" in family else IP6
    packet = dissect(bytes.fromhex(family) + bytes(ip / DATAGRAM), LinkType.NULL)
    assert (packet.layers[1:], packet.problems) == ((ip / DATAGRAM).built().layers, ())
    assert bytes(packet.recomputed())[:4].hex() == family


def test_a_family_that_is_unknown_is_a_problem():
    assert told(Null(family=7) / b"osi", LinkType.NULL) == [("Null", "family", 0, 4)]
    assert told(Loop(family=0x02000000) / b"x", LinkType.LOOP) == [("Loop", "family", 0, 4)]


def test_a_link_type_that_is_not_read_leaves_payload_and_a_problem():
    packet = dissect(b"radio", LinkType.IEEE802_11)
    assert (packet.layers, packet.payload) == ((), b"radio")
    assert [problem[:4] for problem in packet.problems] == [("IEEE802_11", "", 0, 5)]


@pytest.mark.parametrize("link_type", [LinkType.PPP, LinkType.PPP_HDLC])
@pytest.mark.parametrize("start", [HDLC() / PPP(), HDLC() / CompressedPPP(), PPP(), CompressedPPP()])
def test_a_ppp_frame_begins_with_an_address_or_a_protocol(link_type, start):
    packet = dissect(bytes(start / IP4 / DATAGRAM), link_type)
    assert packet == (start / IP4 / DATAGRAM).built()
    assert packet.problems == ()


def test_frames_of_cisco_are_no_ppp():
    packet = dissect(bytes.fromhex("0f000800") + bytes(IP4), LinkType.PPP_HDLC)
    assert packet.layers == ()
    assert "unknown first byte of a PPP frame 0x0f" in packet.problems[0].message


# ---------------------------------------------------------------------- GRE


def test_what_is_given_to_gre_is_there():
    assert bytes(GRE(protocol=1)).hex() == "00000001"
    assert bytes(GRE(protocol=1, key=7)).hex() == "2000000100000007"
    assert bytes(GRE(protocol=1, sequence=0)).hex() == "1000000100000000"
    assert bytes(GRE(protocol=1, checksum=AUTO)).hex() == "800000017ffe0000"
    assert bytes(GRE(protocol=1, reserved=5)).hex() == "800000017ff90005"
    assert bytes(GRE(protocol=1, checksum=0, key=1, sequence=2)).hex() == "b0000001000000000000000100000002"


def test_flags_of_gre_can_lie():
    assert bytes(GRE(protocol=1, key_present=True)).hex() == "20000001"
    assert bytes(GRE(protocol=1, key=7, key_present=False)).hex() == "0000000100000007"


def test_an_optional_field_that_is_cut_is_told():
    whole = bytes(IP4 / GRE(protocol=0x88B5, checksum=AUTO, key=1, sequence=2))
    for length, field, needed in ((25, "checksum", 28), (31, "key", 32), (33, "sequence", 36)):
        packet = dissect(whole[:length], LinkType.RAW)
        assert packet.layers[-1] == GRE.cut(whole[20:length])
        assert packet.problems[-1][:4] == ("GRE", field, 20, needed)


def test_a_bad_checksum_of_gre_is_told_where_it_stands():
    wrong = IP4 / GRE(checksum=1, key=5) / IP4 / DATAGRAM
    assert told(wrong) == [("GRE", "checksum", 24, 26)]
    assert told(IP4 / GRE(protocol=0x88B5, checksum=AUTO) / b"odd") == [("GRE", "protocol", 22, 24)]


def test_a_bad_checksum_of_gre_is_explained():
    right = (IP4 / GRE(checksum=AUTO, key=5) / IP4 / DATAGRAM).built()
    complement = right.replace(GRE, checksum=0xFFFF - right[GRE].checksum)
    (problem,) = dissect(bytes(complement), LinkType.RAW).problems
    assert problem.causes[:1] == ("the complement was not taken",)
    bare = IP4 / GRE(key=5) / IP4.replace(checksum=1) / DATAGRAM
    assert told(bare) == [("IPv4", "checksum", 38, 40)]


def test_recomputing_gre_adds_no_field():
    plain = dissect(bytes(IP4 / GRE(key=1) / IP4 / DATAGRAM), LinkType.RAW)
    assert plain.recomputed()[GRE].checksum is None
    assert plain.recomputed().built() == plain
    summed = dissect(bytes(IP4 / GRE(checksum=1) / IP4 / DATAGRAM), LinkType.RAW)
    assert told(summed.recomputed()) == []


@pytest.mark.parametrize("start", ["40000800", "c0000800", "00020800", "00010800"])
def test_a_source_route_and_other_versions_stay_bytes(start):
    data = bytes(IP4.replace(protocol=47) / (bytes.fromhex(start) + bytes(IP4)))
    packet = dissect(data, LinkType.RAW)
    assert [type(layer) for layer in packet.layers] == [IPv4, GREHeader]
    assert packet.payload == bytes(IP4)
    assert bytes(packet) == data


def test_a_sequence_number_tells_the_types_of_erspan_apart():
    mirrored = FRAME / IP4 / DATAGRAM
    first = dissect(bytes(IP4 / GRE(protocol=0x88BE) / mirrored), LinkType.RAW)
    second = dissect(bytes(IP4 / GRE(sequence=1) / ERSPAN(session_id=5) / mirrored), LinkType.RAW)
    assert first.layers[2:] == mirrored.built().layers
    assert second.layers[3:] == mirrored.built().layers
    assert first.recomputed().built() == first
    assert second[GRE].protocol == 0x88BE


def test_the_length_of_version_1_ends_its_payload():
    call = IP4 / EnhancedGRE(call_id=1, sequence=1) / PPP(protocol=0xC021) / b"\x09\x01\0\x04"
    assert call.built()[EnhancedGRE].length == 6
    assert told(call) == [("PPP", "protocol", 32, 34)]
    assert told(IP4 / EnhancedGRE(protocol=0x880B, length=3, call_id=1, acknowledgment=0)) == [
        ("EnhancedGRE", "length", 24, 26),
        ("EnhancedGRE", "", 32, 32),  # PPP is announced, but nothing follows
    ]


# ---------------------------------------------------------------------- ports


def test_a_port_tells_what_follows_and_is_told():
    tunnel = VXLAN(vni=7) / FRAME / IP4 / DATAGRAM
    assert (IP4 / UDP(dst_port=AUTO) / tunnel).built()[UDP].dst_port == 4789
    assert (IP4 / UDP(dst_port=AUTO) / Geneve() / IP4 / DATAGRAM).built()[UDP].dst_port == 6081
    for ports in ({"dst_port": 4789}, {"src_port": 4789, "dst_port": 60000}):
        packet = dissect(bytes(IP4 / UDP(**ports) / tunnel), LinkType.RAW)
        assert packet.layers[2:] == tunnel.built().layers
        assert packet.recomputed().built() == packet
    with pytest.raises(BuildError, match=r"UDP\.dst_port"):
        bytes(IP4 / UDP(dst_port=AUTO) / b"x")
    assert dissect(bytes(IP4 / UDP(dst_port=8472) / tunnel), LinkType.RAW).payload == bytes(tunnel)


def test_the_lower_of_two_ports_that_are_known_decides():
    packet = dissect(
        bytes(IP4 / UDP(src_port=6081, dst_port=4789) / VXLAN() / FRAME / IP4 / DATAGRAM), LinkType.RAW
    )
    assert VXLAN in packet
    packet = dissect(
        bytes(IP4 / UDP(src_port=4789, dst_port=6081) / VXLAN() / FRAME / IP4 / DATAGRAM), LinkType.RAW
    )
    assert VXLAN in packet


# ---------------------------------------------------------------------- pseudo-headers, lists


@pytest.mark.parametrize(
    "outer", [IP4, IP6, IP4 / GRE(), FRAME / MPLS(label=16), IP6 / UDP(dst_port=6081) / Geneve()]
)
def test_a_checksum_in_a_tunnel_is_over_the_inner_addresses(outer):
    alone = (IPv6(src="fd01::1", dst="fd01::2") / DATAGRAM).built()
    assert list((outer / alone).built().all(UDP))[-1].checksum == alone[UDP].checksum
    ahead = RoutingType0(segments_left=1, addresses=["fd01::9"])
    routed = (IPv6(src="fd01::1", dst="fd01::2") / ahead / DATAGRAM).built()
    direct = (IPv6(src="fd01::1", dst="fd01::9") / DATAGRAM).built()
    last = list((IP6 / RoutingType0(segments_left=1, addresses=["fd00::9"]) / routed).built().all(UDP))[-1]
    assert last.checksum == direct[UDP].checksum


def test_lists_that_are_cut_or_lie_are_kept_and_told():
    tags = [PPPoETag(type=0x0101), PPPoETag(type=0x0103, length=9, data=b"abc")]
    packet = dissect(bytes(FRAME / PPPoEDiscovery(tags=tags)))
    assert packet[PPPoEDiscovery].tags == (tags[0].replace(length=0), PPPoEMalformedTags(data=b"\1\3\0\tabc"))
    assert [problem[:4] for problem in packet.problems] == [("PPPoEDiscovery", "tags", 20, 31)]
    options = [GeneveOption(option_class=1, length=5, data=b"abcd")]
    packet = dissect(bytes(IP4 / UDP(dst_port=6081) / Geneve(options=options) / IP4 / DATAGRAM), LinkType.RAW)
    assert packet[Geneve].options == (GeneveMalformedOptions(data=b"\0\1\0\5abcd"),)
    assert [problem[:4] for problem in packet.problems] == [("Geneve", "options", 36, 44)]


def test_each_is_described_in_a_few_words():
    packets = (
        FRAME / LLCNumbered(dsap=0xE0, ssap=0xE0),
        LinuxSLL(packet_type=4, address=b"\2\0\0\0\0\1\0\0") / IP4,
        LinuxSLL2(interface=3, packet_type=7, address_length=0) / IP4,
        FRAME / PPPoE(session_id=7) / PPP(protocol=0xC021),
        IP4 / GRE(key=5, sequence=6) / ERSPAN(session_id=9) / FRAME,
        IP4 / UDP(dst_port=4789) / VXLAN(vni=5) / FRAME / MPLS(label=16) / IP4,
    )
    assert [packet.summary().split(" / ", 1)[0 if "SLL" in packet.summary() else 1] for packet in packets] == [
        "LLCNumbered 0xe0 > 0xe0",
        "LinuxSLL out 02:00:00:00:00:01",
        "LinuxSLL2 interface 3 type 7",
        "PPPoE session 0x0007 / PPP 0xc021",
        "GRE key=0x5 seq=6 / ERSPAN session 9 / Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02",
        "UDP 49152 > 4789 / VXLAN 5 / Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02 / MPLS 16"
        " / IPv4 10.0.0.1 > 10.0.0.2",
    ]


def test_an_optional_field_is_in_every_view():
    packet = dissect(bytes(IP4 / GRE(key=0xABCD) / IP4 / DATAGRAM), LinkType.RAW)
    drawn = "\n".join(diagram(packet))
    assert "key = 0x0000abcd" in drawn
    assert "sequence =" not in drawn
    assert read_expression(to_expression(packet)) == packet
    assert read_expression("IPv4(dst='10.0.0.1') / GRE(checksum=AUTO, key=None) / IPv4(dst='10.0.0.2')").layers
    record = next(iter(memory_records(packet)))
    (_, gre, *_) = as_object(record, packet)["layers"]
    assert (gre["fields"]["key"], gre["fields"]["sequence"]) == (0xABCD, None)
    assert wireshark_values(packet, "gre.key") == ["0x0000abcd"]
    assert wireshark_values(packet, "gre.sequence_number") == []


def memory_records(packet: Packet):
    """The packet as a capture file has it."""
    file = io.BytesIO()
    write_capture(file, [packet])
    file.seek(0)
    with open_capture(file) as capture:
        yield from capture


def test_a_packet_taps_header_is_as_long_as_it_says():
    """As tshark reads it: the link layer begins behind what the length tells."""
    inner = IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(dst_port=9)
    longer = PKTAP(link_type=int(LinkType.RAW), further=bytes(20)) / inner
    read = dissect(bytes(longer), LinkType.PKTAP)
    assert (read[PKTAP].header_length, read[PKTAP].further) == (128, bytes(20))
    assert UDP in read
    assert read.problems == ()
