"""Fields by Wireshark's names, as tshark prints them for real traffic."""

from __future__ import annotations

import pytest

from rawkit.errors import FieldError
from rawkit.views.fields import wireshark_values
from rawkit.wire import (
    TCP,
    ICMPv4,
    ICMPv4Echo,
    IPv4,
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


def test_an_echo_reads_in_both_byte_orders():
    packet = IPv4(dst="10.0.0.1") / ICMPv4Echo(id=1, seq=258)
    assert wireshark_values(packet, "icmp.seq") == ["258"]
    assert wireshark_values(packet, "icmp.seq_le") == ["513"]
