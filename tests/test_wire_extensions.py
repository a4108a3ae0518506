"""Extensions of ICMP errors: made, read, checked and shown; and as others sent them."""

from __future__ import annotations

import json

import pytest
from corpus import TCPDUMP
from programs import give_up

from rawkit.pcap import Record, open_capture
from rawkit.views import diagram, tree
from rawkit.views.expression import read_expression
from rawkit.views.fields import wireshark_values
from rawkit.views.json import as_object
from rawkit.wire import (
    UDP,
    ICMPExtensions,
    ICMPMalformedObjects,
    ICMPUnknownObject,
    ICMPv4,
    ICMPv4Unreachable,
    ICMPv6,
    ICMPv6Unreachable,
    InterfaceInformation,
    InterfaceName,
    IPv4,
    IPv6,
    LinkType,
    MPLSLabel,
    MPLSLabelStack,
    Packet,
    Trailer,
    dissect,
)
from rawkit.wire.trailing import trailing

PROBE = IPv4(src="10.0.0.1", dst="10.0.9.9", ttl=1) / UDP(src_port=1000, dst_port=33434) / b"probe"
LABELS = MPLSLabelStack(labels=(MPLSLabel(label=16001, ttl=254),))
BACK = IPv4(src="10.0.0.2", dst="10.0.0.1")


def read(packet: Packet) -> Packet:
    return dissect(bytes(packet), LinkType.RAW)


def extensions_of(packet: Packet) -> ICMPExtensions:
    (found,) = [place.record for place in trailing(packet) if place.record is not None]
    assert isinstance(found, ICMPExtensions)
    return found


def test_a_short_quote_is_padded_to_128_bytes_and_its_length_counted_in_words():
    four = read(BACK / ICMPv4.unreachable(code=3, quoting=PROBE, extensions=(LABELS,)))
    assert four[ICMPv4Unreachable].length == 32
    assert extensions_of(four).objects == (LABELS.replace(length=8),)
    six = IPv6(src="fd00::1", dst="fd00::9") / UDP(src_port=1000, dst_port=33434)
    back = IPv6(src="fd00::2", dst="fd00::1") / ICMPv6.unreachable(quoting=six, extensions=(LABELS,))
    assert read(back)[ICMPv6Unreachable].length == 16
    assert read(back).problems == four.problems == ()


@pytest.mark.parametrize(("length", "quoted"), [(129, 132), (150, 152), (2000, 536)])
def test_a_long_quote_ends_at_a_word_and_the_whole_stays_within_576_bytes(length: int, quoted: int):
    probe = IPv4(src="10.0.0.1", dst="10.0.9.9") / UDP(src_port=1, dst_port=2) / bytes(length - 28)
    packet = read(BACK / ICMPv4.time_exceeded(quoting=probe, extensions=(LABELS,)))
    assert len(bytes(packet)) == 20 + 8 + quoted + 12
    assert packet.problems == ()
    assert extensions_of(packet).objects == (LABELS.replace(length=8),)


def test_the_checksum_of_the_message_covers_the_extensions_and_they_have_their_own():
    data = bytearray(bytes(BACK / ICMPv4.unreachable(quoting=PROBE, extensions=(LABELS,))))
    data[-1] ^= 1
    told = [(problem.layer, problem.field, problem.start) for problem in dissect(data, LinkType.RAW).problems]
    assert told == [("ICMPv4Unreachable", "checksum", 22), ("ICMPExtensions", "checksum", len(data) - 10)]


def test_a_checksum_of_zero_says_that_there_is_none():
    structure = ICMPExtensions(checksum=0, objects=(LABELS,))
    error = ICMPv4Unreachable(length=32) / PROBE / Trailer(bytes(95), 2) / Trailer(bytes(structure), 0)
    assert read(BACK / error).problems == ()


def test_without_the_length_extensions_are_behind_128_bytes_only_if_the_quote_had_no_more():
    structure = Trailer(bytes(ICMPExtensions(objects=(LABELS,))), 0)
    short = read(BACK / (ICMPv4Unreachable(length=0) / PROBE / Trailer(bytes(95), 1) / structure))
    assert extensions_of(short).objects == (LABELS.replace(length=8),)
    long = IPv4(src="10.0.0.1", dst="10.0.9.9") / UDP(src_port=1, dst_port=2) / bytes(200)
    packet = read(BACK / ICMPv4.unreachable(quoting=long))
    assert packet[ICMPv4Unreachable].length == 0
    assert packet.payload == bytes(200)
    assert packet.trailers == ()


@pytest.mark.parametrize("rest", [b"\0\x63\1\1end", b"\0\0", b"\0"])
def test_objects_that_nobody_knows_or_that_lie_are_kept(rest: bytes):
    odd = (
        ICMPUnknownObject(class_num=2, c_type=0x08, data=b"no"),
        ICMPMalformedObjects(data=rest),
    )
    packet = read(BACK / ICMPv4.unreachable(quoting=PROBE, extensions=odd))
    assert extensions_of(packet).objects == (odd[0].replace(length=6), odd[1])
    assert [(problem.layer, problem.field) for problem in packet.problems] == [("ICMPExtensions", "objects")]


def test_every_view_shows_them():
    name = InterfaceInformation(name=(InterfaceName.of("eth0"),))
    packet = read(BACK / ICMPv4.unreachable(quoting=PROBE, extensions=(LABELS, name)))
    assert packet.summary().endswith("ICMP extensions MPLS labels 16001, interface name eth0")
    text = "\n".join(tree(packet))
    assert "ICMPExtensions  [156:180]" in text
    assert "16001" in text
    drawn = "\n".join(diagram(packet))
    assert "MPLSLabelStack" in drawn
    assert "16001" in drawn
    record = Record(1, 0, bytes(packet), len(bytes(packet)), LinkType.RAW)
    *_, last = json.loads(json.dumps(as_object(record, packet)))["layers"]
    assert (last["name"], last["start"], last["stop"]) == ("ICMPExtensions", 156, 180)
    assert last["fields"]["objects"][0]["fields"]["labels"][0]["fields"]["label"] == 16001
    assert wireshark_values(packet, "icmp.mpls.label") == ["16001"]
    assert wireshark_values(packet, "icmp.int_info.name") == ["eth0"]


def test_an_expression_makes_them_and_the_repr_is_one():
    text = (
        "IPv4(src='10.0.0.2', dst='10.0.0.1') / ICMPv4.unreachable(code=3, quoting=IPv4(src='10.0.0.1', "
        "dst='10.0.9.9', ttl=1) / UDP(src_port=1000, dst_port=33434) / b'probe', "
        "extensions=(MPLSLabelStack(labels=(MPLSLabel(label=16001, ttl=254),)),))"
    )
    made = read_expression(text)
    assert bytes(made) == bytes(BACK / ICMPv4.unreachable(code=3, quoting=PROBE, extensions=(LABELS,)))
    assert read_expression(repr(read(made))) == read(made)


def behind_ppp(name: str) -> list[Packet]:
    """The IPv4 packets of one of the tcpdump project's captures, whose link is PPP in HDLC-like framing."""
    if not TCPDUMP.is_dir():
        give_up("the tcpdump project's captures are missing")
    with open_capture(TCPDUMP / name) as capture:
        return [dissect(one.data[4:], LinkType.RAW) for one in capture if one.data[2:4] == b"\0\x21"]


def test_interface_information_of_a_router():
    (packet,) = behind_ppp("icmp-rfc5837.pcap")
    (item,) = extensions_of(packet).objects
    assert isinstance(item, InterfaceInformation)
    assert (item.role, item.index) == (0, (15,))
    assert str(item.address[0]).endswith("address='10.10.10.10')")
    assert item.name[0].text == "This-is-the-name-of-the-Interface-that-we-are-looking-for-[:-)]"
    assert packet.problems == ()


def test_labels_of_routers_that_count_no_length():
    packets = [packet for packet in behind_ppp("mpls-traceroute.pcap") if packet.trailers]
    found = [item for packet in packets for item in extensions_of(packet).objects]
    labels = [entry.label for item in found if isinstance(item, MPLSLabelStack) for entry in item.labels]
    assert labels == [100704] * 3 + [102672] * 3  # as tcpdump prints them
    assert all(packet.problems == () for packet in packets)
