"""Wrong checksums, each made wrong by one mistake, which scapy's arithmetic makes here: diagnosing finds it."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import IP as ScapyIP
from scapy.layers.inet import UDP as ScapyUDP
from scapy.layers.inet import in4_pseudoheader
from scapy.layers.inet6 import IPv6 as ScapyIPv6
from scapy.utils import checksum as scapy_checksum

from rawkit import TCP, UDP, IPv4, IPv6, LinkType, dissect
from rawkit.wire import Ethernet, Header, ICMPv4, LooseSourceRoute, Packet, RoutingType0

IP = IPv4(src="10.0.0.1", dst="10.0.0.2", ttl=61)
DATAGRAM = (IP / UDP(src_port=1000, dst_port=2000) / b"hello").built()
SEGMENT = (IP / TCP(src_port=1000, dst_port=2000, flags="A") / b"hello!").built()


def pseudo_header(packet: Packet, length: int, protocol: int = 17) -> bytes:
    addresses = ScapyIP(src=str(packet[IPv4].src), dst=str(packet[IPv4].dst))
    return in4_pseudoheader(protocol, addresses, length)


def with_zero(packet: Packet, header: type[Header]) -> bytes:
    """The bytes of a header and what follows, its checksum zero."""
    at = packet.layers.index(packet[header])
    return bytes(Packet(packet.replace(header, checksum=0).layers[at:], packet.payload))


def causes(packet: Packet, header: type[Header], link_type: LinkType = LinkType.RAW) -> tuple[str, ...]:
    """What is told of the checksum of that header."""
    [found] = [
        problem.causes
        for problem in dissect(bytes(packet), link_type).problems
        if (problem.layer, problem.field) == (header.__name__, "checksum")
    ]
    return found


UDP_BYTES = with_zero(DATAGRAM, UDP)
TCP_BYTES = with_zero(SEGMENT, TCP)
HEADER = with_zero(DATAGRAM, IPv4)[:20]


def of_udp(data: bytes, length: int = len(UDP_BYTES)) -> int:
    return scapy_checksum(pseudo_header(DATAGRAM, length) + data)


MISTAKES = [
    (DATAGRAM, UDP, scapy_checksum(UDP_BYTES), "the pseudo-header was left out"),
    (
        DATAGRAM,
        UDP,
        0xFFFF ^ scapy_checksum(pseudo_header(DATAGRAM, len(UDP_BYTES))),
        "only the pseudo-header's sum is there, for the network card to finish",
    ),
    (DATAGRAM, UDP, 0xFFFF ^ of_udp(UDP_BYTES), "the complement was not taken"),
    (
        DATAGRAM,
        UDP,
        struct.unpack("<H", struct.pack(">H", of_udp(UDP_BYTES)))[0],
        "its two bytes are swapped",
    ),
    (
        DATAGRAM,
        UDP,
        of_udp(UDP_BYTES[:-1] + b"\0" + UDP_BYTES[-1:]),
        "the odd last byte was padded on the wrong side",
    ),
    (DATAGRAM, UDP, of_udp(UDP_BYTES[:8], 8), "it was computed without the payload"),
    (DATAGRAM, UDP, of_udp(UDP_BYTES[:8]), "the payload was left out of the sum"),
    (DATAGRAM, UDP, of_udp(UDP_BYTES, 5), "the payload's length was taken, which is without the header"),
    (DATAGRAM, UDP, of_udp(UDP_BYTES, 8), "the header's length was taken, which is without the payload"),
    (DATAGRAM, UDP, of_udp(UDP_BYTES, 33), "the length of the whole datagram was taken"),
    (DATAGRAM, UDP, of_udp(UDP_BYTES, 0), "the pseudo-header's length was left out"),
    (
        SEGMENT,
        TCP,
        scapy_checksum(
            pseudo_header(SEGMENT, len(TCP_BYTES), 6)
            + TCP_BYTES[:16]
            + struct.pack(">H", SEGMENT[TCP].checksum)
            + TCP_BYTES[18:]
        ),
        "it was computed with the old checksum still in place",
    ),
    (SEGMENT, TCP, 0, "it was not filled in"),
    (
        DATAGRAM,
        IPv4,
        scapy_checksum(HEADER[:8] + b"\x40" + HEADER[9:]),
        "it was computed before the TTL went from 64 to 61",
    ),
    (
        DATAGRAM,
        IPv4,
        scapy_checksum(
            HEADER[:10] + struct.pack(">H", scapy_checksum(HEADER[:8] + b"\x3e" + HEADER[9:])) + HEADER[12:]
        ),
        "it was computed with the checksum of TTL 62 still in place",
    ),
]


@pytest.mark.parametrize(("packet", "header", "wrong", "cause"), MISTAKES, ids=[cause for *_, cause in MISTAKES])
def test_a_mistake_is_found_by_making_it_again(packet, header, wrong, cause):
    assert cause in causes(packet.replace(header, checksum=wrong), header)


def test_an_address_that_nat_changed_is_proved_by_the_other_checksum():
    behind_nat = DATAGRAM.replace(IPv4, src="192.0.2.1")
    told = "it was computed before an address changed: the other checksum is wrong by the same"
    assert causes(behind_nat, IPv4) == (told,)
    assert causes(behind_nat, UDP) == (told,)


def test_an_address_that_is_elsewhere_in_the_packet_is_tried():
    option = LooseSourceRoute(pointer=8, route=["192.0.2.7"])
    arrived = (IPv4(src="10.0.0.1", dst="10.0.0.9", options=[option]) / ICMPv4.echo(id=1, seq=1)).built()
    header = bytes(Packet((arrived[IPv4],)).replace(IPv4, checksum=0, dst="192.0.2.7"))
    before = arrived.replace(IPv4, checksum=scapy_checksum(header))
    assert causes(before, IPv4) == ("it was computed while dst was 192.0.2.7",)


def test_the_first_destination_in_place_of_the_final_one_is_found():
    routing = RoutingType0(segments_left=1, addresses=["fd00::3"])
    routed = (IPv6(src="fd00::1", dst="fd00::2") / routing / UDP(src_port=5, dst_port=9)).built()
    wrong = bytes(ScapyIPv6(src="fd00::1", dst="fd00::2") / ScapyUDP(sport=5, dport=9))[-2:]
    assert causes(routed.replace(UDP, checksum=int.from_bytes(wrong)), UDP) == (
        "it was computed with dst, and not with the final destination",
    )


def test_ethernets_padding_that_was_summed_is_found():
    frame = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / DATAGRAM
    padding = b"\x55" * 13
    wrong = scapy_checksum(pseudo_header(DATAGRAM, 26) + UDP_BYTES + padding)
    padded = dissect(bytes(frame.replace(UDP, checksum=wrong)) + padding)
    [problem] = padded.problems
    assert problem.causes == ("the 13 bytes behind the datagram were summed too",)


def test_what_no_mistake_explains_is_not_guessed():
    assert causes(DATAGRAM.replace(UDP, checksum=0x1234), UDP) == ()


def test_every_value_of_a_checksum_that_is_explained_is_one_of_the_mistakes():
    """Of 65,535 wrong values the explained ones are few: the diagnosis does not fit everything."""
    explained = [
        value
        for value in range(1, 65536, 7)
        if value != DATAGRAM[UDP].checksum and causes(DATAGRAM.replace(UDP, checksum=value), UDP)
    ]
    assert len(explained) <= 20
