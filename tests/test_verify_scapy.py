"""Scapy's second opinion: what it finds, what it explains, and what it thinks of others' packets."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest
from corpus import packets_of_others

from rawkit.errors import MissingError
from rawkit.verify import KNOWN, Difference, compare_with_scapy, difference_table, unexplained
from rawkit.verify.peer import Layer
from rawkit.wire import (
    TCP,
    UDP,
    AddressAndTimestamp,
    DestinationOptions,
    Ethernet,
    Fragment,
    HopByHop,
    ICMPv4,
    ICMPv4Echo,
    ICMPv6Echo,
    IPv4,
    IPv4TimestampWithAddresses,
    IPv4UnknownOption,
    IPv6,
    IPv6RouterAlert,
    LinkType,
    LooseSourceRoute,
    MaximumSegmentSize,
    Timestamps,
    dissect,
)

IP4 = IPv4(src="10.0.0.1", dst="10.0.0.2")


def test_packets_and_bytes_are_compared():
    packet = IP4 / TCP(dst_port=80) / b"hi"
    assert compare_with_scapy(packet) == ()
    assert compare_with_scapy(bytes(packet), LinkType.RAW) == ()
    assert compare_with_scapy(dissect(bytes(packet), LinkType.RAW)) == ()


@pytest.mark.parametrize(
    ("given", "link_type"),
    [
        (b"hi", LinkType(9999)),
        (UDP(dst_port=1) / b"x", LinkType.RAW),
    ],
)
def test_nothing_to_compare_is_no_agreement(given, link_type):
    (found,) = compare_with_scapy(given, link_type)
    assert found.theirs == "nothing to compare"
    assert unexplained([found]) == (found,)


def test_no_bytes_are_nothing_to_compare_for_that_reason():
    (found,) = compare_with_scapy(b"")
    assert (found.ours, found.theirs, found.reason) == (
        "nothing to compare",
        "nothing to compare",
        "there are no bytes",
    )


def test_what_is_neither_packet_nor_bytes_is_refused():
    with pytest.raises(TypeError, match="expected a Packet or bytes, got int"):
        compare_with_scapy(5)
    assert compare_with_scapy(bytearray(bytes(IP4 / UDP(dst_port=1))), LinkType.RAW) == ()


def test_an_option_that_scapy_leaves_as_bytes_is_a_difference():
    (found,) = compare_with_scapy(bytes.fromhex("4600001800000000401170cf000000000101010102040501"), LinkType.RAW)
    assert (found.field, str(found.theirs)) == ("options[0] IPv4UnknownOption.kind", "absent")
    assert "number alone" in found.reason


def test_what_scapy_raises_when_asked_for_a_value_is_a_difference(monkeypatch):
    def fail(self, name):
        raise KeyError("oh")

    monkeypatch.setattr(Layer, "value", fail)
    (*_, found) = compare_with_scapy(IP4 / UDP(dst_port=1))
    assert found.theirs == "raises KeyError: 'oh'"
    assert unexplained([found]) == (found,)


def test_hostile_bytes_never_raise():
    random = Random(1)
    seeds = [record.packet() for _, record in packets_of_others(each=2) if record.data]
    for _ in range(1500):
        seed = random.choice(seeds)
        data = bytearray(bytes(seed)[: random.randrange(20, 200)])
        for _ in range(3):
            data[random.randrange(len(data))] = random.randrange(256)
        found = compare_with_scapy(bytes(data), seed.link_type)
        assert found == compare_with_scapy(dissect(bytes(data), seed.link_type))


def made_to_err(monkeypatch, name, wrong, only):
    value = Layer.value
    monkeypatch.setattr(
        Layer, "value", lambda self, asked: wrong if (self.name, asked) == (only, name) else value(self, asked)
    )


@pytest.mark.parametrize("damage", [{"ihl": 3}, {"version": 7}])
def test_a_bad_header_explains_nothing_before_it(monkeypatch, damage):
    made_to_err(monkeypatch, "dst", "02:00:00:00:00:99", only="Ether")
    packet = Ethernet(dst="02:00:00:00:00:01", type=0x0800) / IP4.replace(**damage) / UDP(dst_port=1)
    found = compare_with_scapy(bytes(packet))
    assert [(one.layer, one.field) for one in unexplained(found)] == [("Ethernet", "dst")]


def test_what_scapy_reads_beyond_a_packet_with_a_bad_checksum_is_told(monkeypatch):
    from rawkit.verify import peer

    read = peer.read

    def reads_more(data, link_type):
        packet, layers = read(data, link_type)
        return packet, [*layers, layers[-1]]

    monkeypatch.setattr(peer, "read", reads_more)
    data = bytes(IP4.replace(checksum=7) / UDP(dst_port=1) / b"x")
    (found,) = unexplained(compare_with_scapy(data, LinkType.RAW))
    assert (found.position, found.layer, str(found.ours), found.theirs) == (2, "UDP", "absent", "read")


def test_what_scapy_reads_beyond_the_end_of_our_reading_is_not_told():
    assert compare_with_scapy(IPv6(payload_length=0, src="::1", dst="::1") / HopByHop() / UDP(dst_port=9)) == ()


PASSED = IP4.replace(options=[LooseSourceRoute(pointer=8, route=["10.0.0.7"])])
WITHIN_6 = IPv6(src="fe80::1", dst="fe80::2")


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (IP4 / UDP(dst_port=9, length=9, checksum=1) / b"xyz", "moves them behind"),
        (PASSED / UDP(dst_port=9) / b"x", "past its end"),
        (PASSED / TCP(dst_port=9), "past its end"),
        (IP4 / DestinationOptions() / UDP(dst_port=9), "common to IPv4 and IPv6"),
        (IP4 / Fragment() / UDP(dst_port=9), "common to IPv4 and IPv6"),
        (IP4 / ICMPv6Echo(id=1), "common to IPv4 and IPv6"),
        (WITHIN_6 / ICMPv4Echo(id=1), "common to IPv4 and IPv6"),
        (WITHIN_6 / HopByHop() / ICMPv4Echo(id=1), "common to IPv4 and IPv6"),
        (WITHIN_6 / HopByHop(options=[IPv6RouterAlert(length=0)]) / UDP(dst_port=9), "router alert"),
        (IP4.replace(options=[IPv4UnknownOption(kind=148, length=2)]) / UDP(dst_port=9), "router alert"),
        (IP4 / UDP(dst_port=9, length=0) / b"xyz", "UDP length"),
        (WITHIN_6 / UDP(dst_port=9, length=0) / b"xyz", "UDP length"),
    ],
)
def test_what_tshark_reads_as_rawkit_is_explained_in_either_form(packet, why):
    found = compare_with_scapy(packet)
    assert found == compare_with_scapy(bytes(packet), packet.link_type)
    assert found
    assert all(why in one.reason for one in found)


def test_checksums_and_lengths_that_are_wrong_on_purpose_are_read_alike():
    assert compare_with_scapy(IP4 / UDP(dst_port=1, checksum=7, length=9) / b"x") == ()
    assert compare_with_scapy(IP4.replace(checksum=7, total_length=30) / UDP(dst_port=1) / b"xx") == ()


def test_what_is_quoted_stays_as_it_came():
    quote = IP4.replace(checksum=7) / UDP(dst_port=1, checksum=9) / b"x"
    assert compare_with_scapy(IP4 / ICMPv4.time_exceeded(quoting=quote)) == ()


@pytest.mark.parametrize(
    ("name", "wrong", "field", "ours", "theirs"),
    [
        ("ttl", 9, "ttl", 64, 9),
        ("dst", "10.9.9.9", "dst", "10.0.0.2", "10.9.9.9"),
        ("flags[1:1]", 1, "dont_fragment", "False", "True"),
    ],
)
def test_a_field_that_scapy_reads_otherwise_is_named(monkeypatch, name, wrong, field, ours, theirs):
    """Scapy is made to err, since it does not do so by itself."""
    value = Layer.value
    monkeypatch.setattr(Layer, "value", lambda self, asked: wrong if asked == name else value(self, asked))
    (found,) = compare_with_scapy(IP4 / UDP(dst_port=1))
    assert (found.position, found.layer, found.field) == (0, "IPv4", field)
    assert (str(found.ours), str(found.theirs)) == (str(ours), str(theirs))
    assert unexplained([found]) == (found,)


def test_an_option_that_scapy_reads_otherwise_is_named(monkeypatch):
    from rawkit.verify.peer import Item

    monkeypatch.setattr(Item, "value", lambda self, name: self.kind if name == "kind" else 9)
    packet = IP4 / TCP(dst_port=1, options=[MaximumSegmentSize(mss=1), Timestamps(value=9, echo_reply=9)])
    (found,) = compare_with_scapy(packet)
    assert found.field == "options[0] MaximumSegmentSize.mss"
    assert (found.ours, found.theirs) == (1, 9)


def test_bytes_that_scapy_builds_otherwise_are_shown(monkeypatch):
    from scapy.layers.inet import IP

    post_build = IP.post_build
    monkeypatch.setattr(IP, "post_build", lambda self, p, pay: b"\x99" + post_build(self, p, pay)[1:])
    (found,) = compare_with_scapy(IP4 / UDP(dst_port=1))
    assert (found.layer, found.field) == ("IPv4", "bytes")
    assert (found.ours[0], found.theirs[0]) == (0x45, 0x99)
    assert found.ours[1:] == found.theirs[1:]


def test_what_scapy_raises_is_a_difference(monkeypatch):
    from scapy.layers.inet import IP

    def fail(self, p, pay):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(IP, "post_build", fail)
    (found,) = compare_with_scapy(IP4 / UDP(dst_port=1))
    assert found.theirs == "raises ZeroDivisionError: oh"
    assert unexplained([found]) == (found,)


def test_where_scapy_is_known_to_be_wrong_the_reason_is_listed():
    entries = [AddressAndTimestamp(address="10.0.0.7"), AddressAndTimestamp(address="10.0.0.8")]
    packet = IP4.replace(options=[IPv4TimestampWithAddresses(flag=3, entries=entries)]) / UDP(dst_port=1)
    found = compare_with_scapy(packet)
    assert found
    assert unexplained(found) == ()
    assert "room for exactly one entry" in difference_table(found)
    assert all(known.reason and known.explains for known in KNOWN)


def test_the_table_lines_up():
    found = [Difference(0, "IPv4", "ttl", 64, 9), Difference(1, "UDP", "bytes", b"\0\1", b"\0\2", "because")]
    assert difference_table(found).splitlines() == [
        "layer   field  rawkit  scapy  why",
        "0 IPv4  ttl    64      9",
        "1 UDP   bytes  0001    0002   because",
    ]
    assert str(found[1]) == "UDP.bytes: 0001, scapy 0002 (because)"


def test_without_scapy_the_remedy_is_told(monkeypatch):
    from rawkit.verify import peer
    from rawkit.wire import load_scapy

    for cached in (peer.link_layers, peer.tcp_option_kinds, load_scapy.scapy_with):
        cached.cache_clear()
    monkeypatch.setitem(sys.modules, "scapy.config", None)
    with pytest.raises(MissingError, match="pip install"):
        compare_with_scapy(IP4 / UDP(dst_port=1))


def test_scapy_is_imported_late_without_its_routes_and_stays_silent():
    script = (
        "import sys\n"
        "from rawkit.verify import compare_with_scapy\n"
        "from rawkit.wire import *\n"
        "assert not any(name.startswith('scapy') for name in sys.modules)\n"
        "assert compare_with_scapy(IPv4(dst='10.0.0.1') / UDP(dst_port=1)) == ()\n"
        "from scapy.config import conf\n"
        "assert 'scapy.all' not in sys.modules and not getattr(conf.route, 'routes', ())\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_scapy_agrees_on_the_captures_of_others():
    compared, told = 0, []
    for name, record in packets_of_others(each=15):
        compared += 1
        for difference in unexplained(compare_with_scapy(record.packet())):
            told.append(f"{name} {record.number} {difference}")
    assert told == []
    assert compared > 2000
