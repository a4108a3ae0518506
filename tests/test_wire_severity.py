"""How bad each problem is, and what is only not read: named in lines, noted in trees and JSON, no fault."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from corpus import TCPDUMP
from programs import give_up, require

from rawkit import Problem, Severity
from rawkit.pcap import Record, open_capture
from rawkit.views import as_object, line, tree
from rawkit.wire import LLC, SNAP, UDP, Ethernet, IPv4, LinkType, Packet, dissect

FRAME = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
OSPF = FRAME / IPv4(src="10.0.0.1", dst="224.0.0.5", protocol=89) / bytes(44)


def record(packet: Packet) -> Record:
    data = bytes(packet)
    return Record(1, 0, data, len(data), LinkType.ETHERNET, None, ())


def shown(packet: Packet) -> str:
    one = record(packet)
    return line(one, one.packet(), origin_ns=0)


def test_an_older_call_of_problem_makes_an_error() -> None:
    assert Problem("IPv4", "ttl", 8, 9, "odd").severity is Severity.ERROR
    assert Severity.NOTE < Severity.WARNING < Severity.ERROR


def test_a_protocol_that_is_not_read_has_its_name_in_the_line_and_is_no_fault() -> None:
    assert shown(OSPF).endswith("IPv4 10.0.0.1 > 224.0.0.5 / OSPF (89), 44 bytes")
    (problem,) = record(OSPF).packet().problems
    assert problem == Problem("IPv4", "protocol", 23, 24, "OSPF (89) is not read here", severity=Severity.NOTE)


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (FRAME.replace(type=0x88CC) / bytes(46), "LLDP (0x88cc), 46 bytes"),
        (FRAME.replace(type=0x8892) / bytes(46), "PROFINET (0x8892), 46 bytes"),
        (FRAME / LLC(dsap=0x42, ssap=0x42) / bytes(35), "STP (0x42), 35 bytes"),
        (FRAME / LLC() / SNAP(protocol=0x80F3) / bytes(28), "AARP (0x80f3), 28 bytes"),
        (FRAME / IPv4(dst="10.0.0.2", protocol=253) / bytes(26), "unknown IP protocol number 253, 26 bytes"),
        (FRAME / IPv4(dst="10.0.0.2", protocol=89, fragment_offset=1) / bytes(26), "fragment at 8 / 26 bytes"),
        (FRAME / IPv4(dst="10.0.0.2") / UDP(dst_port=9) / bytes(18), " / 18 bytes"),
    ],
)
def test_what_a_payload_is_stands_in_the_line(packet: Packet, words: str) -> None:
    assert shown(packet).endswith(words)
    assert "!" not in shown(packet)


def test_a_link_type_that_is_not_read_has_its_name_in_the_line() -> None:
    packet = dissect(bytes(30), LinkType.IEEE802_11)
    assert packet.summary() == "IEEE802_11, 30 bytes"
    assert [problem.severity for problem in packet.problems] == [Severity.NOTE]


def test_the_worst_problem_is_in_the_line() -> None:
    """A wrong checksum is worse than the bytes behind the datagram, whatever stands first."""
    packet = (
        FRAME
        / IPv4(src="10.0.0.1", dst="10.0.0.2", total_length=40)
        / UDP(dst_port=9, checksum=1, length=20)
        / bytes(70)
    )
    text = shown(packet)
    severities = [problem.severity for problem in record(packet).packet().problems]
    assert severities == [Severity.WARNING, Severity.ERROR]
    assert "! UDP.checksum: bad checksum 0x0001" in text
    assert text.endswith("(and 1 more)")


def test_trees_and_json_tell_the_severity() -> None:
    wrong = OSPF.replace(IPv4, checksum=1, total_length=60)
    lines = [text.strip() for text in tree(record(wrong).packet())]
    assert "note: protocol: OSPF (89) is not read here" in lines
    assert any(text.startswith("! checksum: bad checksum 0x0001") for text in lines)
    assert any(text.startswith("! warning: 4 trailing bytes") for text in lines)
    told = as_object(record(wrong), record(wrong).packet())["problems"]
    assert [problem["severity"] for problem in told] == ["note", "error", "warning"]


NAMES = {
    "OSPF": "ospf",
    "EIGRP": "eigrp",
    "VRRP": "vrrp",
    "PGM": "pgm",
    "RSVP": "rsvp",
    "DCCP": "dccp",
    "LLDP": "lldp",
    "STP": "stp",
    "EAPOL": "eapol",
    "PTP": "ptp",
    "CFM": "cfm",
    "LCP": "lcp",
}
"""Names here, and Wireshark's for the same protocols."""

FILES = (
    *("ospf-gmpls.pcap", "EIGRP_adjacency.pcap", "vrrp.pcap", "rsvp_cap.pcap", "dccp_partial_csum_v4_simple.pcap"),
    *("lldp_mgmt_addr_tlv_asan.pcap", "MSTP_Intra-Region_BPDUs.pcap", "eapon1.pcap", "ptp_ethernet.pcap"),
    *("pgm_poll_polr.pcap", "cfm_sender_id-oobr.pcap", "pppoe.pcap"),
)


def test_the_names_are_wiresharks() -> None:
    require("tshark")
    if not TCPDUMP.is_dir():
        give_up("the tcpdump project's captures are missing")
    seen = {(name, NAMES[name] in protocols) for name, protocols in named_packets()}
    assert {known for _, known in seen} == {True}
    assert len(seen) >= 8


def named_packets() -> Iterator[tuple[str, list[str]]]:
    """What a summary calls the payload, if one of NAMES, and the protocols that tshark finds in the packet."""
    for path in [TCPDUMP / name for name in FILES if (TCPDUMP / name).exists()]:
        command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.protocols"]
        rows = subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout.splitlines()
        with open_capture(path) as capture:
            for one, row in zip(capture, rows, strict=False):
                name = one.packet().summary().rpartition(" / ")[2].split(" (")[0]
                if name in NAMES:
                    yield name, row.split(":")
