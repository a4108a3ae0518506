"""Lengths and addresses that stand in an IPv6 extension header: jumbo payloads, home addresses, segments."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from corpus import TCPDUMP
from programs import give_up, require

from rawkit.pcap import open_capture, write_capture
from rawkit.wire import (
    TCP,
    UDP,
    DestinationOptions,
    HomeAddress,
    HopByHop,
    ICMPv6,
    IPv6,
    JumboPayload,
    LinkType,
    MLDQuery,
    MLDv2Query,
    Packet,
    SegmentRouting,
    dissect,
)

SIX = IPv6(src="fd00::1", dst="fd00::2")


def jumbo(size: int, said: int | None = None) -> Packet:
    length = 8 + 20 + size if said is None else said
    return SIX / HopByHop(options=(JumboPayload(jumbo_length=length),)) / TCP(dst_port=9) / bytes(size)


def test_a_jumbo_payload_is_as_long_as_its_option_says():
    packet = dissect(bytes(jumbo(70_000)) + b"trailing", LinkType.RAW)
    assert packet[IPv6].payload_length == 0
    assert packet.payload == bytes(70_000)
    assert [problem.message for problem in packet.problems] == ["8 trailing bytes after its body"]


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (jumbo(100), "zero for a jumbo payload of 128 bytes, which needs none"),
        (jumbo(70_000, 80_000), "the jumbo payload option says 80000 bytes, but 70028 are there"),
        (jumbo(70_000).replace(IPv6, payload_length=9), "says 9, but a jumbo payload option says 70028"),
    ],
)
def test_a_jumbo_payload_that_contradicts_itself_is_a_problem(packet: Packet, message: str):
    read = dissect(bytes(packet), LinkType.RAW)
    assert bytes(read) == bytes(packet)
    assert message in [problem.message for problem in read.problems if problem.field == "payload_length"]


def test_a_jumbo_payload_beside_another_length_is_told_once():
    """Wireshark: when IPv6 payload length does not equal 0 a Jumbo Payload option must not be present."""
    read = dissect(bytes(jumbo(100).replace(IPv6, payload_length=48)), LinkType.RAW)
    assert [problem.message for problem in read.problems if problem.layer == "IPv6"] == [
        "says 48, but a jumbo payload option says 128"
    ]


def test_the_length_of_a_datagram_is_zero_in_a_jumbogram_alone(tmp_path: Path):
    """RFC 2675, section 4; Wireshark: length is zero but payload < 65536."""
    hop = HopByHop(options=(JumboPayload(jumbo_length=8 + 8 + 70_000),))
    large = SIX / hop / UDP(src_port=5, dst_port=9) / bytes(70_000)
    assert large.built()[UDP].length == 0
    small = SIX / UDP(src_port=5, dst_port=9, length=0) / bytes(7000)
    read = [dissect(bytes(packet), LinkType.RAW) for packet in (large, small)]
    assert [packet.payload for packet in read] == [bytes(70_000), bytes(7000)]
    assert [[problem.field for problem in packet.problems] for packet in read] == [[], ["length"]]
    write_capture(tmp_path / "x.pcap", read)
    assert tshark(tmp_path / "x.pcap") == ["1\t70000\t", "1\t7000\tLength is zero but payload < 65536"]


def test_zero_without_the_option_is_told_and_not_as_trailing_bytes():
    read = dissect(bytes((SIX / TCP(dst_port=9) / bytes(7000)).replace(IPv6, payload_length=0)), LinkType.RAW)
    told = [(problem.field, problem.message) for problem in read.problems if problem.layer == "IPv6"]
    assert told[0][0] == "payload_length"
    assert told[0][1].startswith("zero without a jumbo payload option, but 7020 bytes follow")
    assert not any("trailing" in message for _, message in told)
    assert dissect(bytes(SIX.replace(next_header=59, payload_length=0)), LinkType.RAW).problems == ()


def tshark(path: Path) -> list[str]:
    """Of each packet the status of UDP's checksum, the length of its data, and what Wireshark finds odd."""
    require("tshark")
    fields = ("udp.checksum.status", "data.len", "_ws.expert.message")
    asked = [argument for field in fields for argument in ("-e", field)]
    command = ["tshark", "-r", str(path), "-o", "udp.check_checksum:TRUE", "-T", "fields", *asked]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()


def test_a_packet_that_is_too_long_without_the_option_is_refused():
    with pytest.raises(ValueError, match="payload_length"):
        bytes(SIX / UDP(dst_port=9, length=0) / bytes(70_000))


def test_jumbograms_of_others():
    if not TCPDUMP.is_dir():
        give_up("the tcpdump project's captures are missing")
    for name in ("ipv6_jumbogram_1.pcap", "bigtcp-ipv6-hbh.pcap"):
        with open_capture(TCPDUMP / name) as capture:
            packet = next(iter(capture)).packet()
        assert packet[HopByHop].options[0].type == 0xC2
        assert ICMPv6 in packet or TCP in packet
        assert packet.trailers == ()


def test_a_home_address_is_the_source_to_a_checksum():
    away = SIX / DestinationOptions(options=(HomeAddress(address="fd00::99"),)) / UDP(src_port=1000, dst_port=2000)
    at_home = IPv6(src="fd00::99", dst="fd00::2") / UDP(src_port=1000, dst_port=2000)
    assert away.built()[UDP].checksum == at_home.built()[UDP].checksum
    assert dissect(bytes(away), LinkType.RAW).problems == ()


def test_the_first_segment_is_the_destination_to_a_checksum_while_any_is_left():
    routed = SIX / SegmentRouting(segments_left=1, segments=("fd00::9", "fd00::2")) / UDP(dst_port=9)
    there = IPv6(src="fd00::1", dst="fd00::9") / UDP(dst_port=9)
    arrived = routed.replace(SegmentRouting, segments_left=0)
    assert routed.built()[UDP].checksum == there.built()[UDP].checksum
    assert arrived.built()[UDP].checksum == (SIX / UDP(dst_port=9)).built()[UDP].checksum


@pytest.mark.parametrize(("size", "header"), [(24, MLDQuery), (27, MLDQuery), (28, MLDv2Query)])
def test_the_length_of_a_query_tells_its_version(size: int, header: type[ICMPv6]):
    """RFC 3810, section 8.1: 24 octets are version 1, 28 or more version 2."""
    data = b"\x82" + bytes(size - 1)
    packet = dissect(bytes(IPv6(src="fe80::1", dst="ff02::1", next_header=58) / data), LinkType.RAW)
    assert type(packet.layers[1]) is header
