"""Each kind of problem that a dissected packet can have, with its layer, field and bytes."""

from __future__ import annotations

import copy
import pickle
import subprocess
from collections import defaultdict

import pytest
from corpus import packets_of_others
from programs import require

from rawkit.errors import BuildError, FieldError, PacketError
from rawkit.layout import MAX_ITEMS
from rawkit.pcap import Record, write_capture
from rawkit.wire import (
    ARP,
    MAX_DEPTH,
    MAX_LAYERS,
    TCP,
    UDP,
    VLAN,
    CutHeader,
    DestinationOptions,
    Ethernet,
    Fragment,
    HopByHop,
    ICMPv4,
    ICMPv4Unreachable,
    ICMPv6,
    IPv4,
    IPv4UnknownOption,
    IPv6,
    IPv6MalformedOptions,
    LinkType,
    OtherARP,
    Packet,
    Pad1,
    Raw,
    Routing,
    RoutingType0,
    TCPUnknownOption,
    Trailer,
    UnknownRouting,
    dissect,
)

IP4 = IPv4(src="10.0.0.1", dst="10.0.0.2")
IP6 = IPv6(src="fd00::1", dst="fd00::2")
FRAME = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
DATAGRAM = UDP(src_port=1000, dst_port=2000)


def told(packet: Packet, link_type: LinkType = LinkType.RAW, wire_length: int | None = None) -> list[tuple]:
    """The problems of the packet's bytes: layer, field, start and stop."""
    found = dissect(bytes(packet), link_type, wire_length=wire_length).problems
    assert all(str(problem).startswith(problem.layer) and problem.message for problem in found)
    return [problem[:4] for problem in found]


# ---------------------------------------------------------------------- checksums


@pytest.mark.parametrize(
    ("packet", "problems"),
    [
        (IP4 / DATAGRAM / b"hi", []),
        (IP4 / DATAGRAM.replace(checksum=0) / b"hi", []),
        (IP6 / DATAGRAM.replace(checksum=0) / b"hi", [("UDP", "checksum", 46, 48)]),
        (IP4 / DATAGRAM.replace(checksum=1) / b"hi", [("UDP", "checksum", 26, 28)]),
        (IP4.replace(checksum=0) / DATAGRAM / b"hi", [("IPv4", "checksum", 10, 12)]),
        (IP4 / TCP(dst_port=1, checksum=0) / b"hi", [("TCP", "checksum", 36, 38)]),
        (IP4 / ICMPv4.echo().replace(checksum=0), [("ICMPv4Echo", "checksum", 22, 24)]),
        (IP6 / ICMPv6.echo().replace(checksum=0), [("ICMPv6Echo", "checksum", 42, 44)]),
    ],
)
def test_checksums(packet, problems):
    assert told(packet) == problems


def test_a_checksum_that_comes_out_as_zero_is_sent_as_ones():
    """The payload makes the sum all ones; scapy and tshark take 0xFFFF for right, and 0 for none."""
    word = DATAGRAM.replace(checksum=0)
    zero = next(
        payload
        for number in range(1 << 16)
        if bytes(IP4 / DATAGRAM / (payload := number.to_bytes(2)))[26:28] == b"\xff\xff"
    )
    assert (IP4 / DATAGRAM / zero).built()[UDP].checksum == 0xFFFF
    assert told(IP4 / DATAGRAM / zero) == []
    assert told(IP6 / word / zero) == [("UDP", "checksum", 46, 48)]
    from scapy.layers.inet import IP
    from scapy.layers.inet import UDP as ScapyUDP

    theirs = IP(id=0, src="10.0.0.1", dst="10.0.0.2") / ScapyUDP(sport=1000, dport=2000) / zero
    assert bytes(theirs) == bytes(IP4 / DATAGRAM / zero)


def test_an_odd_payload_is_padded_for_the_checksum_only():
    for length in range(5):
        assert told(IP4 / DATAGRAM / bytes(range(1, 1 + length))) == []


def test_a_routing_header_that_is_not_used_up_gives_the_final_destination():
    ahead = IP6 / RoutingType0(segments_left=1, addresses=["fd00::9"]) / DATAGRAM / b"x"
    direct = IPv6(src="fd00::1", dst="fd00::9") / DATAGRAM / b"x"
    used_up = IP6 / RoutingType0(segments_left=0, addresses=["fd00::9"]) / DATAGRAM / b"x"
    assert ahead.built()[UDP].checksum == direct.built()[UDP].checksum
    assert used_up.built()[UDP].checksum == (IP6 / DATAGRAM / b"x").built()[UDP].checksum
    assert told(ahead) == told(used_up) == []


@pytest.mark.parametrize(
    "fragment",
    [
        IP4.replace(more_fragments=True) / UDP(dst_port=1, length=500, checksum=0x1234) / b"first",
        IP4.replace(fragment_offset=9, protocol=17) / b"middle",
        IP4.replace(more_fragments=True, protocol=6) / b"cut",
        IP6 / Fragment(more_fragments=True) / UDP(dst_port=1, length=500, checksum=0x1234) / b"first",
        IP6 / Fragment(fragment_offset=9, next_header=17) / b"middle",
    ],
)
def test_a_fragment_has_no_problem_of_what_it_is_a_part_of(fragment):
    assert told(fragment) == []


# ---------------------------------------------------------------------- lengths


@pytest.mark.parametrize(
    ("packet", "problems"),
    [
        (IP4.replace(total_length=1000, checksum=0xFFFF) / b"", [("IPv4", "total_length", 2, 4)]),
        (IP4.replace(total_length=19) / b"", [("IPv4", "total_length", 2, 4)]),
        (IP4.replace(ihl=4) / b"", [("IPv4", "ihl", 0, 1)]),
        (IP4.replace(ihl=15) / b"", [("IPv4", "ihl", 0, 1)]),
        (IP6.replace(payload_length=1) / b"", [("IPv6", "payload_length", 4, 6)]),
        (IP4 / DATAGRAM.replace(length=100) / b"hi", [("UDP", "length", 24, 26)]),
        (IP4 / DATAGRAM.replace(length=7) / b"hi", [("UDP", "length", 24, 26)]),
        (IP4 / TCP(dst_port=1, data_offset=4), [("TCP", "data_offset", 32, 33)]),
        (IP4 / TCP(dst_port=1, data_offset=15), [("TCP", "data_offset", 32, 33)]),
        (IP6 / HopByHop(hdr_ext_len=9) / b"", [("HopByHop", "hdr_ext_len", 41, 42)]),
    ],
)
def test_lengths_that_disagree(packet, problems):
    lengths = [problem for problem in told(packet) if problem[1] not in ("checksum", "protocol", "options")]
    assert [problem for problem in lengths if problem[1]] == problems


def test_a_length_beyond_its_parent_is_a_problem_although_the_frame_is_padded():
    packet = FRAME / IP4 / DATAGRAM.replace(length=20, checksum=0) / b"hi"
    padded = packet / Trailer(bytes(16), 1)
    assert told(padded, LinkType.ETHERNET) == [("UDP", "length", 38, 40)]


def test_padding_of_a_short_frame_is_none_and_of_a_long_one_is_one():
    short = FRAME / IP4 / DATAGRAM / b"hi" / Trailer(bytes(16), 0)
    assert len(bytes(short)) == 60
    assert told(short, LinkType.ETHERNET) == []
    long = FRAME / IP4 / DATAGRAM / bytes(60) / Trailer(b"junk", 0)
    read = dissect(bytes(long))
    assert read.trailer == b"junk"
    assert bytes(read) == bytes(long)
    assert len(read.problems) == 1
    assert read.problems[0][2:4] == (102, 106)


# ---------------------------------------------------------------------- what is missing or unknown


def test_a_cut_by_the_snaplen():
    packet = IP4 / DATAGRAM / bytes(100)
    read = dissect(bytes(packet)[:60], LinkType.RAW, wire_length=128)
    assert [problem[:4] for problem in read.problems] == [("UDP", "", 60, 128)]
    assert bytes(read) == bytes(packet)[:60]


@pytest.mark.parametrize(
    ("packet", "link_type", "problems"),
    [
        (FRAME.replace(type=0x88B5) / b"x", LinkType.ETHERNET, [("Ethernet", "type", 12, 14)]),
        (FRAME / VLAN(id=1, type=0x88B5) / b"x", LinkType.ETHERNET, [("VLAN", "type", 16, 18)]),
        (IP4.replace(protocol=253) / b"x", LinkType.RAW, [("IPv4", "protocol", 9, 10)]),
        (IP6.replace(next_header=253) / b"x", LinkType.RAW, [("IPv6", "next_header", 6, 7)]),
        (
            IP6 / DestinationOptions(next_header=253) / b"x",
            LinkType.RAW,
            [("DestinationOptions", "next_header", 40, 41)],
        ),
        (IP4.replace(version=5) / b"", LinkType.IPV4, [("IP", "version", 0, 20)]),
        (IP4.replace(protocol=17) / b"", LinkType.RAW, [("IPv4", "", 20, 20)]),
        (IP4, LinkType(9999), [("LINKTYPE_9999", "", 0, 20)]),
    ],
)
def test_unknown_next_headers(packet, link_type, problems):
    packet = packet if isinstance(packet, Packet) else Packet((packet,))
    if problems[0][1] == "version":
        packet = packet.replace(IPv4, checksum=0x1234)
    assert told(packet, link_type) == problems


def test_arp_for_addresses_of_another_length_is_read_and_kept():
    other = bytes(FRAME / ARP(target_ip="10.0.0.2"))
    changed = other[:18] + b"\x08" + other[19:]
    read = dissect(changed)
    assert (read[OtherARP].hardware_length, read[OtherARP].operation) == (8, 1)
    assert read.payload == changed[22:]
    assert bytes(read) == changed
    with pytest.raises(PacketError, match="hardware_length"):
        ARP.parse(changed[14:])


def test_malformed_options_are_told_and_kept():
    packet = IPv4(src="10.0.0.1", dst="10.0.0.2", options=[IPv4UnknownOption(kind=99, length=40, data=b"\0\0")])
    read = dissect(bytes(packet / DATAGRAM / b"x"), LinkType.RAW)
    assert [problem[:4] for problem in read.problems] == [("IPv4", "options", 20, 24)]
    assert read[IPv4].options[0].malformed
    assert UDP in read


def test_a_quote_is_read_as_far_as_its_bytes_go_and_has_no_problems():
    quoted = IP4.replace(ttl=1) / TCP(dst_port=80, seq=7) / bytes(1000)
    for length in (8, 20, 24, 28, 40, 60):
        error = ICMPv4Unreachable(code=1) / dissect(bytes(quoted)[:length], LinkType.RAW)
        read = dissect(bytes(IPv4(src="10.0.0.9", dst="10.0.0.1") / error), LinkType.RAW)
        assert read.problems == ()
        names = [layer.header if isinstance(layer, CutHeader) else type(layer) for layer in read.layers]
        assert names == [IPv4, ICMPv4Unreachable, IPv4, TCP][: 3 if length <= 20 else 4]
    assert dissect(bytes(quoted)[:28], LinkType.RAW).layers[1].values() == {
        "src_port": 49152,
        "dst_port": 80,
        "seq": 7,
    }


def test_a_quote_within_a_quote_is_read_too():
    inner = IP4 / ICMPv4Unreachable() / IP4 / DATAGRAM / b"x"
    read = dissect(bytes(IP4 / ICMPv4Unreachable() / inner), LinkType.RAW)
    assert [type(layer) for layer in read.layers].count(ICMPv4Unreachable) == 2
    assert read.problems == ()


def test_layers_nest_to_the_documented_depth():
    packet = Packet((FRAME, *[VLAN(id=1)] * 40)) / IP4
    read = dissect(bytes(packet))
    assert len(read.layers) == MAX_LAYERS == 32
    assert bytes(read) == bytes(packet)
    assert [problem[:4] for problem in read.problems] == [("VLAN", "", 14 + 31 * 4, len(bytes(packet)))]


def test_a_header_that_is_cut_short():
    assert told(IP4 / TCP.cut(bytes(12))) == [("TCP", "data_offset", 20, 40)]


def test_a_cut_header_is_announced_as_what_it_began_to_be():
    assert (IP4 / TCP.cut(b"cut")).built()[IPv4].protocol == 6


# ---------------------------------------------------------------------- what cannot be computed


@pytest.mark.parametrize(
    ("packet", "header", "field"),
    [
        (FRAME / b"bytes", "Ethernet", "type"),
        (IP4 / b"bytes", "IPv4", "protocol"),
        (IP4 / VLAN(type=0), "IPv4", "protocol"),
        (FRAME / TCP(dst_port=80, checksum=0), "Ethernet", "type"),
        (FRAME.replace(type=0) / TCP(dst_port=80), "TCP", "checksum"),
        (Packet((DATAGRAM,)), "UDP", "checksum"),
        (IP4 / Raw(data=b"x") / DATAGRAM, "IPv4", "protocol"),
    ],
)
def test_what_cannot_be_computed_says_which_field_must_be_given(packet, header, field):
    with pytest.raises(BuildError, match=f"give {field}=") as caught:
        bytes(packet)
    assert (caught.value.header, caught.value.field) == (header, field)


# ---------------------------------------------------------------------- against tshark

STATUS = {"ip": IPv4, "tcp": TCP, "udp": UDP, "icmp": ICMPv4, "icmpv6": ICMPv6}
"""Wireshark's protocols that have a checksum status, and our headers."""


def test_checksums_are_bad_where_tshark_says_so(tmp_path):
    """Over the tcpdump project's captures: where tshark goes through what we do not know, it is not asked."""
    require("tshark")
    by_link_type = defaultdict(list)
    for name, record in packets_of_others(each=20):
        by_link_type[record.link_type].append((name, record))
    judged, disagreements = 0, []
    for link_type, named in by_link_type.items():
        path = tmp_path / f"{int(link_type)}.pcap"
        write_capture(path, [record for _, record in named])
        for (name, record), row in zip(named, checksum_statuses(path), strict=True):
            *statuses, protocols = row.split("\t")
            ours = bad_checksums(record)
            if ours is None or not only_known(protocols):
                continue
            theirs = {layer for layer, status in zip(STATUS, statuses, strict=True) if "0" in status.split(",")}
            judged += 1
            if ours != theirs:
                disagreements.append((name, record.number, ours, theirs))
    assert disagreements == []
    assert judged > 1000


def bad_checksums(record: Record) -> set[str] | None:
    """Wireshark's names of the headers with a bad checksum; None if a length or version makes that moot."""
    problems = dissect(record.data, record.link_type, wire_length=record.wire_length).problems
    if any(problem.field in MOOT or "captured" in problem.message for problem in problems):
        return None
    headers = {problem.layer for problem in problems if problem.field == "checksum"}
    return {name for name, header in STATUS.items() if any(one.startswith(header.__name__) for one in headers)}


MOOT = {"version", "ihl", "total_length", "payload_length", "length", "data_offset", "hdr_ext_len", "options"}
"""Fields that decide on which bytes a checksum covers; when they are wrong, readers differ in what they do."""


def checksum_statuses(path: object) -> list[str]:
    checked = [argument for name in ("ip", "tcp", "udp") for argument in ("-o", f"{name}.check_checksum:TRUE")]
    alone = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    fields = [argument for name in STATUS for argument in ("-e", f"{name}.checksum.status")]
    command = ["tshark", "-r", str(path), *checked, *alone, "-T", "fields", *fields, "-e", "frame.protocols"]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()


def only_known(protocols: str) -> bool:
    """Whether nothing that rawkit reads stands behind something that it does not."""
    known = [protocol in KNOWN for protocol in protocols.split(":")]
    return known == sorted(known, reverse=True)


KNOWN = {
    *("eth", "ethertype", "vlan", "ieee8021ad", "llc", "arp", "raw", "sll", "null", "ppp", "pppoes", "pppoed"),
    *(*STATUS, "ipv6", "ipv6.hopopts", "ipv6.dstopts", "ipv6.routing", "ipv6.fraghdr", "igmp", "ah", "esp"),
    *("gre", "erspan", "vxlan", "geneve", "mpls", "pwethheuristic", "pwethcw", "pwethnocw"),
}
"""Protocols that rawkit reads, by Wireshark's names."""


# ---------------------------------------------------------------------- what once was wrong


def test_of_two_routing_headers_the_inner_one_knows_the_final_destination():
    ours = IPv6(src="fd00::1", dst="fd00::2")
    for hop in ("fd00::3", "fd00::4"):
        ours = ours / RoutingType0(segments_left=1, addresses=(hop,))
    ours = ours / UDP(src_port=49152, dst_port=9) / b"x"
    assert ours.built()[UDP].checksum == 0xCDCB  # as scapy builds it, and tshark expects it
    assert not dissect(bytes(ours), LinkType.RAW).problems


def test_a_quote_has_the_bytes_as_they_stood():
    datagram = IPv4(src="10.0.0.1", dst="1.1.1.1") / UDP(dst_port=3, length=8, checksum=0) / b"EVIL"
    read = dissect(bytes(datagram) + b"padding", LinkType.RAW)
    assert bytes(ICMPv4.unreachable(code=3, quoting=read))[8:] == bytes(datagram)
    header = IPv4(dst="1.1.1.1", protocol=1)
    assert bytes(ICMPv4.unreachable(quoting=header))[8:] == bytes(header)


def test_addresses_that_are_not_whole_make_an_unknown_routing_header():
    data = bytes([17, 1, 0, 0]) + bytes(12)
    header, rest = Routing.parse(data)
    assert (header, rest) == (UnknownRouting(next_header=17, hdr_ext_len=1, routing_type=0, data=bytes(12)), b"")
    with pytest.raises(PacketError) as caught:
        RoutingType0.parse(data)
    assert (caught.value.header, caught.value.field) == ("RoutingType0", "addresses")


def test_only_what_ethernet_adds_to_a_short_frame_is_padding():
    arp = ARP(target_ip="10.0.0.2")
    padded = bytes(FRAME / arp) + bytes(18)
    assert dissect(padded).problems == ()
    assert dissect(bytes(FRAME / VLAN(id=1) / arp) + bytes(18)).problems == ()
    assert told(FRAME / VLAN(id=1) / arp / Trailer(bytes(19), 2), LinkType.ETHERNET) == [("ARP", "", 46, 65)]
    raw = bytes(IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(dst_port=9))
    assert [problem[:4] for problem in dissect(raw + b"EVIL", LinkType.RAW).problems] == [("IPv4", "", 28, 32)]
    inside = FRAME / IPv4(src="10.0.0.1", dst="10.0.0.2", total_length=32) / UDP(dst_port=9) / Trailer(b"EVIL", 2)
    assert told(inside, LinkType.ETHERNET) == [("UDP", "", 42, 46)]


def test_only_the_first_of_equal_layers_is_replaced():
    tag = VLAN(id=5)
    stack = (FRAME / tag / tag / IPv4(dst="1.1.1.1")).replace(VLAN, id=6)
    assert [layer.id for layer in stack.all(VLAN)] == [6, 5]


def test_a_packet_remembers_its_link_type_and_its_problems():
    read = dissect(b"\x08\x02", LinkType.IEEE802_11)
    for same in (read.built(), read.recomputed(), read / b"x", copy.copy(read), pickle.loads(pickle.dumps(read))):
        assert same.link_type is LinkType.IEEE802_11
    assert (TCP(dst_port=1) / b"").link_type is None
    damaged = dissect(b"\x45" + bytes(10), LinkType.RAW)
    assert damaged.problems
    for same in (copy.copy(damaged), copy.deepcopy(damaged), pickle.loads(pickle.dumps(damaged))):
        assert same.problems == damaged.problems


def test_a_trailer_belongs_to_a_layer_that_is_there():
    with pytest.raises(FieldError, match="the number of a layer, 0 to 1"):
        IPv4(dst="1.1.1.1") / UDP(dst_port=1) / Trailer(b"x", 99)


def test_building_keeps_an_option_that_lies():
    lying = TCP(dst_port=1, checksum=0, options=(TCPUnknownOption(kind=99, length=40, data=b"xy"),))
    assert Packet((lying,)).built()[TCP].options == lying.options


def test_items_beyond_the_limit_stay_as_one() -> None:
    options = bytes(2046)
    data = bytes(IPv6(src="fd00::1", dst="fd00::2", next_header=0)) + b"\x3b\xff" + options
    read = dissect(data[:4] + len(data[40:]).to_bytes(2) + data[6:], LinkType.RAW)
    *pads, rest = read[HopByHop].options
    assert pads == [Pad1()] * MAX_ITEMS
    assert rest == IPv6MalformedOptions(type=0, data=bytes(2046 - MAX_ITEMS - 1))
    assert bytes(read)[42:] == options
    assert [(p.field, p.message) for p in read.problems] == [
        ("options", f"more than {MAX_ITEMS} items, the rest stays as it is")
    ]


def test_headers_that_begin_too_deep_are_payload() -> None:
    chain = (b"\x3c\xff" + b"\x01\xff" + bytes(255) + b"\x1e\xff" + bytes(255)).ljust(2048, b"\0")
    header = IPv6(src="fd00::1", dst="fd00::2", next_header=60, payload_length=4 * len(chain))
    read = dissect(bytes(header) + 4 * chain, LinkType.RAW)
    assert [start for start, _ in read.bounds()] == [0, 40, 2088]
    assert read.bounds()[-1][1] > MAX_DEPTH
    assert read.payload == 2 * chain
    assert read.problems[-1].message == f"headers reach behind byte {MAX_DEPTH}, the rest is payload"
    assert (read.problems[-1].start, read.problems[-1].stop) == (4136, 40 + 4 * len(chain))
