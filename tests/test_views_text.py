"""Hexdump, tree, line, JSON and ladder: against other programs where there is one, else as they should look."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import packets
from programs import require

from rawkit import (
    ARP,
    AUTO,
    TCP,
    UDP,
    Ethernet,
    ICMPv4,
    IPv4,
    IPv6,
    LinkType,
    MaximumSegmentSize,
    Packet,
    RecordRoute,
    Timestamps,
    WindowScale,
    dissect,
    write_capture,
)
from rawkit.pcap import Record
from rawkit.views import as_object, crossings, dump_bytes, hexdump, ladder, line, time_text, tree

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
ETHERNET = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
SYN = IPv4(src=A, dst=B) / TCP(src_port=1025, dst_port=80, options=[MaximumSegmentSize(), WindowScale(shift=7)])
STACKS = [
    ETHERNET / SYN,
    ETHERNET / IPv4(src=A, dst=B, dont_fragment=True, ttl=3) / UDP(src_port=53, dst_port=1025) / b"hello",
    ETHERNET / IPv4(src=A, dst=B, options=[RecordRoute(route=[C])]) / ICMPv4.echo(id=7, seq=1) / b"ping",
    ETHERNET / IPv6(src="fd00::1", dst="fd00::2") / TCP(src_port=1, dst_port=2, flags="PA", seq=5, ack=6) / b"x",
]


def recorded(packet: Packet, number: int = 1, wire_length: int = 0) -> Record:
    data = bytes(packet)
    return Record(number, 1_700_000_000_123_456_789, data, wire_length or len(data), packet.link_type)


# ---------------------------------------------------------------------- hexdump


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 256])
def test_a_dump_is_what_hexdump_prints(count: int) -> None:
    require("hexdump")
    data = bytes(range(256))[:count]
    printed = subprocess.run(["hexdump", "-C", "-v"], input=data, capture_output=True, check=True).stdout.decode()
    assert list(dump_bytes(data)) == printed.splitlines()[:-1]


@given(packets())
def test_colours_change_no_letter_of_a_dump(packet: Packet) -> None:
    plain = list(hexdump(packet))
    coloured = [re.sub(r"\033\[[\d;]*m", "", text) for text in hexdump(packet, colour=True)]
    assert coloured[: len(plain)] == plain


def test_the_legend_names_each_layer_and_field_in_its_colour() -> None:
    *_, ethernet, ip, udp, payload = hexdump(STACKS[1], colour=True)
    assert "\033[96msrc\033[0m" in ethernet
    assert ip.startswith("\033[1mIPv4\033[0m \033[2m14-33\033[0m \033[32mversion\033[0m")
    assert "dst_port" in udp
    assert "payload" in payload


def test_bytes_that_a_problem_is_about_are_red() -> None:
    packet = dissect(bytes(ETHERNET / IPv4(src=A, dst=B, checksum=0xBAD) / UDP(dst_port=5)))
    assert any("\033[1;31m0b ad \033[0m" in text for text in hexdump(packet, colour=True))


# ---------------------------------------------------------------------- tree and line


def test_a_tree_has_options_within_and_problems_where_they_belong() -> None:
    wrong = IPv4(src=A, dst=B, checksum=1, options=[RecordRoute(route=[C])]) / UDP(dst_port=5) / b"hi"
    right = wrong.replace(IPv4, checksum=AUTO).built()[IPv4].checksum
    lines = list(tree(dissect(bytes(wrong), LinkType.RAW)))
    at = lines.index(f"    ! checksum: bad checksum 0x0001, computed 0x{right:04x}")
    assert lines[at - 1] == "    checksum         0x0001    [10:12]"
    at = lines.index("        RecordRoute  [20:27]")
    assert lines[at - 1].split() == ["options", "[20:28]"]
    assert lines[at + 4] == "            route    10.0.0.3  [23:27]"
    assert lines[-2:] == ["payload  [36:38]", "    2 bytes: b'hi'"]


def test_a_tree_of_a_cut_packet_says_so() -> None:
    data = bytes(ETHERNET / SYN)
    text = "\n".join(tree(dissect(data[:45], wire_length=len(data))))
    assert "TCP, cut after 11 bytes  [34:45]" in text
    assert "cut by the snaplen" in text


@given(packets())
def test_a_tree_names_every_layer_in_order(packet: Packet) -> None:
    titles = [text.split()[0].rstrip(",") for text in tree(packet) if not text.startswith((" ", "!"))]
    assert titles[: len(packet.layers)] == [type(layer).__name__ for layer in packet.layers]


def test_a_line_has_number_time_summary_and_the_first_problem() -> None:
    packet = dissect(bytes(ETHERNET / IPv4(src=A, dst=B, checksum=1) / UDP(dst_port=5)))
    assert line(recorded(packet, 12), packet, origin_ns=1_700_000_000_000_000_000) == (
        "   12   0.123456 Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02 / IPv4 10.0.0.1 > 10.0.0.2"
        " / UDP 49152 > 5 ! IPv4.checksum: bad checksum 0x0001, computed 0x66cf"
    )


@pytest.mark.parametrize(
    ("time_ns", "origin_ns", "text"),
    [
        (1_700_000_000_123_456_789, None, "2023-11-14 22:13:20.123456"),
        (10**21, None, "1000000000000.000000"),
        (5_000_001_000, 0, "  5.000001"),
        (0, 1_500_000_000, "-1.500000"),
    ],
)
def test_times_are_relative_or_utc(time_ns: int, origin_ns: int | None, text: str) -> None:
    assert time_text(time_ns, origin_ns) == text


# ---------------------------------------------------------------------- JSON

KEYS = ["number", "time_ns", "length", "wire_length", "link_type", "layers", "payload", "problems"]
TSHARK = {
    "ip.ttl": ("IPv4", "ttl"),
    "ip.src": ("IPv4", "src"),
    "ip.len": ("IPv4", "total_length"),
    "ip.proto": ("IPv4", "protocol"),
    "ipv6.dst": ("IPv6", "dst"),
    "ipv6.plen": ("IPv6", "payload_length"),
    "tcp.srcport": ("TCP", "src_port"),
    "tcp.seq_raw": ("TCP", "seq"),
    "tcp.window_size_value": ("TCP", "window"),
    "udp.length": ("UDP", "length"),
    "icmp.seq": ("ICMPv4Echo", "seq"),
    "eth.src": ("Ethernet", "src"),
}


def test_json_has_the_values_that_tshark_prints(tmp_path: Path) -> None:
    require("tshark")
    file = tmp_path / "x.pcap"
    write_capture(file, STACKS)
    names = [argument for name in TSHARK for argument in ("-e", name)]
    command = ["tshark", "-r", str(file), "-T", "fields", *names]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for row, packet in zip(printed, STACKS, strict=True):
        layers = {
            layer["name"]: layer["fields"] for layer in as_object(recorded(packet), packet.built())["layers"]
        }
        ours = [str(layers.get(layer, {}).get(field, "")) for layer, field in TSHARK.values()]
        assert ours == row.split("\t")


def test_json_is_the_documented_object() -> None:
    packet = dissect(bytes(SYN)[:-4], LinkType.RAW, wire_length=len(bytes(SYN)))
    found = as_object(recorded(packet, 3, len(bytes(SYN))), packet)
    assert list(found) == KEYS
    assert (found["number"], found["length"], found["wire_length"], found["link_type"]) == (3, 44, 48, "RAW")
    assert [(layer["name"], layer["start"], layer["stop"]) for layer in found["layers"]] == [
        ("IPv4", 0, 20),
        ("TCP", 20, 44),
    ]
    assert list(found["problems"][0]) == ["layer", "field", "start", "stop", "message", "causes", "severity"]
    assert found["problems"][0]["severity"] == "warning"


def test_json_notation_of_each_kind_of_value() -> None:
    options = [Timestamps(value=1), MaximumSegmentSize()]
    packet = (IPv4(src=A, dst=B, dont_fragment=True) / TCP(dst_port=80, flags="SA", options=options)).built()
    ip, tcp = (layer["fields"] for layer in as_object(recorded(packet), packet)["layers"])
    assert (ip["dont_fragment"], ip["src"], ip["ttl"], ip["options"]) == (True, A, 64, [])
    assert tcp["flags"] == "SA"
    assert tcp["options"][0] == {
        "name": "Timestamps",
        "fields": {"kind": 8, "length": 10, "value": 1, "echo_reply": 0},
    }
    routed = (IPv4(dst=B, options=[RecordRoute(route=[C])]) / UDP(dst_port=5)).built()
    [route, _] = as_object(recorded(routed), routed)["layers"][0]["fields"]["options"]
    assert route["fields"]["route"] == [C]
    unbuilt = as_object(recorded(SYN), SYN)["layers"][0]["fields"]
    assert unbuilt["checksum"] is None


@given(st.binary(max_size=100), st.sampled_from([LinkType.ETHERNET, LinkType.RAW, LinkType(9999)]))
def test_any_bytes_have_every_view(data: bytes, link_type: LinkType) -> None:
    packet = dissect(data, link_type)
    record = Record(1, 0, data, len(data), link_type)
    assert line(record, packet)
    assert json.loads(json.dumps(as_object(record, packet)))["length"] == len(data)
    assert list(tree(packet)) or not data
    assert list(hexdump(packet, colour=True)) or not data


# ---------------------------------------------------------------------- ladder

HANDSHAKE = [
    (0, SYN),
    (50_000, IPv4(src=B, dst=A) / TCP(src_port=80, dst_port=1025, flags="SA")),
    (90_000, IPv4(src=A, dst=B) / TCP(src_port=1025, dst_port=80, flags="PA") / b"hello"),
    (2_000_000_000, IPv4(src=C, dst=A) / ICMPv4.unreachable(code=3, quoting=SYN)),
]


def test_a_ladder_has_an_arrow_for_each_packet() -> None:
    heading, *rungs = ladder(crossings(HANDSHAKE))
    assert heading.split() == [A, B, C]
    assert [rung.split()[0] for rung in rungs] == ["0.000000", "0.000050", "0.000090", "2.000000"]
    assert re.search(r"\|-.* TCP 1025 > 80 \[S\].*>\|  +\|$", rungs[0])
    assert re.search(r"\|<-.* TCP 80 > 1025 \[SA\].*-\|  +\|$", rungs[1])
    assert re.search(r"\|<-+ ICMPv4 port unreachable -+\|$", rungs[3])


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=40))
def test_a_ladder_fits_a_hundred_columns(pairs: list[tuple[int, int]]) -> None:
    events = [
        (number, IPv4(src=f"192.168.100.{source}", dst=f"192.168.100.{target}") / UDP(dst_port=5))
        for number, (source, target) in enumerate(pairs)
    ]
    lines = list(ladder(crossings(events)))
    assert len(lines) == len(events) + 1
    assert max(map(len, lines)) <= 100


def test_packets_without_network_addresses_stand_between_their_macs() -> None:
    question = ETHERNET / ARP.who_has(B, tell=A, mac="02:00:00:00:00:01")
    [crossing] = crossings([(0, question)])
    assert (crossing.source, crossing.destination) == ("02:00:00:00:00:01", "02:00:00:00:00:02")
