"""Fields by Wireshark's names, as tshark prints them for real traffic."""

from __future__ import annotations

import subprocess
from collections import defaultdict

import pytest
from corpus import packets_of_others
from programs import require
from test_wire_problems import only_known
from test_wire_vectors import AS_THEY_CAME

from rawkit.errors import FieldError
from rawkit.pcap import write_capture
from rawkit.views.fields import wireshark_fields, wireshark_values
from rawkit.wire import (
    GRE,
    TCP,
    CutHeader,
    Ethernet,
    GREHeader,
    ICMPv4,
    ICMPv4Echo,
    ICMPv6,
    IPv4,
    TCPEndOfOptions,
    UnknownRouting,
    dissect,
)


def test_a_field_that_occurs_several_times_has_several_values():
    inner = IPv4(src="10.0.0.9", dst="10.0.0.1") / ICMPv4.time_exceeded(
        quoting=IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(dst_port=80)
    )
    assert wireshark_values(inner, "ip.src") == ["10.0.0.9", "10.0.0.1"]
    assert wireshark_values(inner, "tcp.dstport") == ["80"]
    assert wireshark_values(inner, "udp.dstport") == []


def test_a_field_that_is_auto_has_no_value():
    assert wireshark_values(IPv4(dst="10.0.0.1") / TCP(dst_port=80), "ip.checksum") == []


def test_a_field_that_is_not_known_says_so():
    with pytest.raises(FieldError, match=r"tcp\.analysis"):
        wireshark_values(IPv4(dst="10.0.0.1") / TCP(dst_port=80), "tcp.analysis")


def test_tshark_prints_the_same_for_the_captures_of_others(tmp_path):
    """All names over every packet that both read whole and without fault; the few exceptions are counted."""
    require("tshark")
    by_link_type = defaultdict(list)
    for _, record in packets_of_others(each=8):
        by_link_type[record.link_type].append(record)
    names = wireshark_fields()
    fields = [argument for name in names for argument in ("-e", name)]
    compared, differ = 0, defaultdict(list)
    for link_type, records in by_link_type.items():
        path = tmp_path / f"{int(link_type)}.pcap"
        write_capture(path, records)
        command = ["tshark", "-r", path, *AS_THEY_CAME, "-T", "fields", "-E", "aggregator=|", *fields]
        rows = subprocess.run(
            [*command, "-e", "frame.protocols"], capture_output=True, encoding="utf-8", check=True
        )
        for record, row in zip(records, rows.stdout.split("\n")[:-1], strict=True):
            packet = dissect(record.data, link_type, wire_length=record.wire_length)
            *theirs, protocols = row.split("\t")
            if not only_known(protocols) or protocols.startswith("eth:eth:") or not comparable(packet):
                continue
            compared += 1
            for name, value in zip(names, theirs, strict=True):
                ours = "|".join(wireshark_values(packet, name))
                if ours != value.replace("True", "1").replace("False", "0"):
                    differ[name].append((str(packet.layers[-1]), ours, value))
    assert compared > 1000
    assert {name: found for name, found in differ.items() if name not in KNOWN_DIFFERENCES} == {}


KNOWN_DIFFERENCES = {
    "tcp.option_kind": "Wireshark stops at a multipath TCP option that is too short for its subtype",
    "tcp.flags.ae": "Wireshark takes these three bits for a counter where accurate ECN was negotiated before",
    "tcp.flags.cwr": "as above",
    "tcp.flags.ece": "as above",
    "tcp.flags.str": "as above",
}


REVERSE_ARP = 0x8035
TAKEN_APART_BY_TSHARK = {0x22EB, 0x883E}
"""What GRE carries and rawkit does not read: ERSPAN type III, and redirection by a web cache."""


def comparable(packet):
    """Whether both read all of the packet: nothing is wrong, cut, or of a kind that only tshark takes apart."""
    if not packet.layers or any(isinstance(layer, CutHeader) for layer in packet.layers):
        return False
    if any(type(layer) in (ICMPv4, ICMPv6, UnknownRouting, GREHeader) for layer in packet.layers):
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


def test_an_echo_reads_in_both_byte_orders():
    packet = IPv4(dst="10.0.0.1") / ICMPv4Echo(id=1, seq=258)
    assert wireshark_values(packet, "icmp.seq") == ["258"]
    assert wireshark_values(packet, "icmp.seq_le") == ["513"]
