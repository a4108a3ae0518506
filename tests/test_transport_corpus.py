"""Multipath TCP, Fast Open and SCTP as others captured them, by the side of tshark and scapy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from corpus import TCPDUMP
from programs import give_up, require

from rawkit import SCTP, TCP, LinkType, Packet, dissect, open_capture, write_capture
from rawkit.verify import compare_with_scapy, difference_table, unexplained
from rawkit.views.fields import wireshark_fields, wireshark_values
from rawkit.wire import MPTCPOption

LINK_HEADERS = {LinkType.ETHERNET: 14, LinkType.LINUX_SLL: 16, LinkType.RAW: 0}
"""Bytes of the link header, behind which these captures have IPv4, or ARP in two packets."""

FILES = {
    "mptcp-aa-echo.pcap": 2,
    "mptcp-aa-v1.pcap": 24,
    "mptcp-fclose.pcap": 9,
    "mptcp-tcprst.pcap": 2,
    "mptcp-v0.pcap": 264,
    "mptcp-v1.pcap": 20,
    "tfo-5c1fa7f9ae91.pcap": 14,
    "forces1.pcap": 20,
    "forces2.pcap": 75,
    "forces3.pcap": 154,
    "isup.pcap": 6,
}
"""The number of packets of each."""

NAMES = [name for name in wireshark_fields() if name.startswith(("tcp.", "sctp."))]


def ip_packets(name: str) -> list[Packet]:
    """The packets of a capture from their IP header on."""
    path = TCPDUMP / name
    if not path.exists():
        give_up(f"{name} of the tcpdump project is missing")
    packets = []
    with open_capture(path) as capture:
        for record in capture:
            skipped = LINK_HEADERS[record.link_type]
            packets.append(dissect(record.data[skipped:], LinkType.RAW, wire_length=record.wire_length - skipped))
    return [packet for packet in packets if packet.layers]


def tshark(path: Path, packets: list[Packet], *arguments: str) -> list[list[str]]:
    """tshark's row of fields for each packet."""
    require("tshark")
    write_capture(path, packets)
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "aggregator=|", *arguments]
    rows = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()
    return [row.replace("True", "1").replace("False", "0").split("\t") for row in rows]


@pytest.mark.parametrize("name", FILES)
def test_tshark_prints_the_same(name: str, tmp_path: Path) -> None:
    packets = ip_packets(name)
    rows = tshark(tmp_path / "x.pcap", packets, *[part for field in NAMES for part in ("-e", field)])
    assert len(rows) == len(packets) == FILES[name]
    for packet, row in zip(packets, rows, strict=True):
        ours = {field: "|".join(wireshark_values(packet, field)) for field in NAMES}
        assert ours == dict(zip(NAMES, row, strict=True))


@pytest.mark.parametrize("name", FILES)
def test_scapy_agrees(name: str) -> None:
    for packet in ip_packets(name):
        differences = compare_with_scapy(packet)
        assert unexplained(differences) == (), difference_table(differences)


def test_tshark_finds_the_same_sctp_checksums_right(tmp_path: Path) -> None:
    packets = [packet for name in FILES for packet in ip_packets(name) if SCTP in packet]
    damaged = [dissect(bytes(packet)[:-1] + b"\xa5", LinkType.RAW) for packet in packets]
    arguments = ("-o", "sctp.checksum:CRC 32c", "-e", "sctp.checksum.status")
    rows = tshark(tmp_path / "x.pcap", packets + damaged, *arguments)
    ours = [not any(one.field == "checksum" for one in packet.problems) for packet in packets + damaged]
    assert len(packets) > 250
    assert {True, False} == set(ours)
    assert [[str(int(right))] for right in ours] == rows


def test_the_checksum_of_the_first_sctp_is_recognized(tmp_path: Path) -> None:
    packets = ip_packets("isup.pcap")
    arguments = ("-o", "sctp.checksum:Adler 32", "-e", "sctp.checksum.status")
    assert tshark(tmp_path / "x.pcap", packets, *arguments) == [["1"]] * len(packets)
    for packet in packets:
        (problem,) = packet.problems
        assert problem.message.endswith("but it is the Adler-32 of RFC 2960")


def test_every_subtype_of_multipath_tcp_that_these_captures_have_is_read() -> None:
    classes = {
        type(option).__name__
        for name in FILES
        if name.startswith("mptcp")
        for packet in ip_packets(name)
        for tcp in packet.all(TCP)
        for option in tcp.options
        if isinstance(option, MPTCPOption)
    }
    assert classes == {"AddAddress", "DSS", "MPCapable", "MPFastClose", "MPJoin", "MPReset", "RemoveAddress"}
