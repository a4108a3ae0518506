"""Scapy's second opinion: what it finds, what it explains, and what it thinks of others' packets."""

from __future__ import annotations

import subprocess
import sys

import pytest
from corpus import packets_of_others

from rawkit.errors import MissingError
from rawkit.verify import KNOWN, Difference, compare_with_scapy, difference_table, unexplained
from rawkit.verify.peer import Layer
from rawkit.wire import (
    TCP,
    UDP,
    AddressAndTimestamp,
    ICMPv4,
    IPv4,
    IPv4TimestampWithAddresses,
    LinkType,
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
    assert compare_with_scapy(b"") == ()
    assert compare_with_scapy(bytes(packet), LinkType(9999)) == ()


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

    for cached in (peer.link_layers, peer.tcp_option_kinds, peer._scapy):
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
