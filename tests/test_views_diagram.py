"""The diagram against the pictures in the RFCs, and its shape for any packet."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from packets import packets

from rawkit import (
    SACK,
    TCP,
    UDP,
    Ethernet,
    Fragment,
    ICMPv4,
    ICMPv6,
    IPv4,
    IPv6,
    MaximumSegmentSize,
    Packet,
    PPPoEDiscovery,
    PPPoEMalformedTags,
    PPPoETag,
    SACKBlock,
)
from rawkit.views import diagram

FLOOR = "+" + "-+" * 32
NO_FLOOR = "+" + " " * 63 + "+"

RFC_791 = """
0                   1                   2                   3
0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|Version|  IHL  |   DSCP    |ECN|          Total Length         |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|         Identification        |R|D|M|      Fragment Offset    |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|  Time to Live |    Protocol   |         Header Checksum       |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                       Source Address                          |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                    Destination Address                        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""
"""RFC 791, section 3.1, with the type of service split as in RFC 2474 and 3168, and the flags by their bits."""

RFC_8200 = """
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|Version| Traffic Class |           Flow Label                  |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|         Payload Length        |  Next Header  |   Hop Limit   |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                                                               |
+                                                               +
|                                                               |
+                         Source Address                        +
|                                                               |
+                                                               +
|                                                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                                                               |
+                                                               +
|                                                               |
+                      Destination Address                      +
|                                                               |
+                                                               +
|                                                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

RFC_8200_FRAGMENT = """
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                         Identification                        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

RFC_9293 = """
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|          Source Port          |       Destination Port        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                        Sequence Number                        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                    Acknowledgment Number                      |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|  Data |     |A|C|E|U|A|P|R|S|F|                               |
| Offset|Rsrvd|E|W|C|R|C|S|S|Y|I|            Window             |
|       |     | |R|E|G|K|H|T|N|N|                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|           Checksum            |         Urgent Pointer        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""
"""RFC 9293, section 3.1, with the flag that RFC 9768 adds."""

RFC_792_ECHO = """
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|     Type      |     Code      |          Checksum             |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|           Identifier          |        Sequence Number        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

RFC_4861_SOLICITATION = """
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|     Type      |     Code      |          Checksum             |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                           Reserved                            |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                                                               |
+                                                               +
|                                                               |
+                       Target Address                          +
|                                                               |
+                                                               +
|                                                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

ETHERNET = """
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                      Destination Address                      |
+                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                               |                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
|                         Source Address                        |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|           EtherType           |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""
"""The style of RFC 8200 for what has 48-bit fields."""

IP6 = IPv6(src="fd00::1", dst="fd00::2")
PICTURES = {
    "IPv4": (RFC_791, IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(dst_port=5)),
    "IPv6": (RFC_8200, IP6 / UDP(dst_port=5)),
    "Fragment": (RFC_8200_FRAGMENT, IP6 / Fragment() / UDP(dst_port=5)),
    "TCP": (RFC_9293, IPv4(dst="10.0.0.2") / TCP(dst_port=80)),
    "ICMPv4Echo": (RFC_792_ECHO, IPv4(dst="10.0.0.2") / ICMPv4.echo(id=7)),
    "NeighborSolicitation": (RFC_4861_SOLICITATION, IP6 / ICMPv6.neighbor_solicitation("fd00::3")),
    "Ethernet": (ETHERNET, Ethernet(dst="02:00:00:00:00:01") / IPv4(dst="10.0.0.2") / UDP(dst_port=5)),
}


def shape(lines: list[str]) -> list[str | tuple[int, ...]]:
    """Floors as they are (words on them left out); for each row between two, the columns of its walls."""
    found: list[str | tuple[int, ...]] = []
    for line in lines:
        if line.startswith("+"):
            found.append(NO_FLOOR if line[1] == " " and "-" not in line else line)
        elif line.startswith("|"):
            walls = tuple(at for at, letter in enumerate(line) if letter == "|")
            if not found or found[-1] != walls:
                found.append(walls)
    return found


def drawing(packet: Packet, layer: str) -> list[str]:
    """The lines of one layer's drawing."""
    lines = list(diagram(packet))
    start = next(at for at, line in enumerate(lines) if line.startswith(f"{layer}, ")) + 1
    stop = next((at for at, line in enumerate(lines) if at > start and ", bytes " in line), len(lines))
    return lines[start:stop]


@pytest.mark.parametrize("layer", PICTURES)
def test_boxes_are_those_of_the_rfc(layer: str) -> None:
    picture, packet = PICTURES[layer]
    assert shape(drawing(packet, layer)) == shape(picture.split("\n"))


def test_the_ruler_counts_bits_as_the_rfc_does() -> None:
    tens, ones, *_ = drawing(IPv4(dst="10.0.0.2") / UDP(dst_port=5), "IPv4")
    assert f"{tens}\n{ones}" == textwrap.indent(RFC_791.strip("\n").split("\n+")[0], " ")


def test_values_names_and_options_stand_in_their_boxes() -> None:
    options = [MaximumSegmentSize(mss=1400), SACK(blocks=[SACKBlock(left=1, right=2)])]
    packet = IPv4(dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, flags="SA", checksum=0xC1D1, options=options)
    assert drawing(packet, "TCP")[2:] == [
        FLOOR,
        "|        src port = 1025        |         dst port = 80         |",
        FLOOR,
        "|                            seq = 0                            |",
        FLOOR,
        "|                            ack = 0                            |",
        FLOOR,
        "|dat off|reser|A|C|E|U|A|P|R|S|F|             window            |",
        "|   9   |  0  |0|0|0|0|1|0|0|1|0|             64240             |",
        FLOOR,
        "|       checksum = 0xc1d1       |       urgent pointer = 0      |",
        FLOOR,
        "|    kind = 2   |   length = 4  |           mss = 1400          |  MaximumSegmentSize",
        FLOOR,
        "|    kind = 5   |  length = 10  |            left = 1           |  SACK, SACKBlock",
        FLOOR,
        "|                               |           right = 2           |",
        FLOOR,
        "|                               |    kind = 0   |  padding = 00 |  TCPEndOfOptions",
        FLOOR,
        " dat off = data_offset, reser = reserved, A = AE, C = CWR, E =",
        " ECE, U = URG, A = ACK, P = PSH, R = RST, S = SYN, F = FIN",
    ]


def test_a_long_payload_is_drawn_short_with_open_sides() -> None:
    packet = IPv4(dst="10.0.0.2") / UDP(dst_port=5) / (b"x" * 1400)
    assert re.fullmatch(r"~ +data = 1400 bytes: b'x+' +~", drawing(packet, "payload")[1])


@given(packets())
def test_every_row_ends_where_the_floor_above_or_below_it_does(packet: Packet) -> None:
    lines = list(diagram(packet))
    for at, line in enumerate(lines):
        if line[0] in "|~":
            ends = {len(other) - 1 for other in (*lines[at - 2 : at], *lines[at + 1 : at + 3]) if other[0] == "+"}
            assert any(len(line) > end and line[end] in "|~" for end in ends)


def test_an_item_of_no_bytes_takes_no_box() -> None:
    nothing = PPPoEDiscovery(code=9, tags=(PPPoETag(type=0x0101), PPPoEMalformedTags(data=b"")))
    assert [line for line in diagram(Packet((nothing,))) if "Malformed" in line] == []
