"""Expressions: what is read, what is refused and where, and that each packet's own expression makes it again."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from other_readers import corpus
from packets import packets

from rawkit import (
    ARP,
    AUTO,
    TCP,
    UDP,
    Ethernet,
    ICMPv4,
    ICMPv4Echo,
    IPv4,
    LinkType,
    MaximumSegmentSize,
    Packet,
    RecordRoute,
    Trailer,
    dissect,
)
from rawkit.errors import CaptureError, ExpressionError
from rawkit.pcap import open_capture
from rawkit.views import read_expression, to_expression

READ = [
    ("IPv4(dst='10.0.0.2')/ICMPv4.echo(id=7)", IPv4(dst="10.0.0.2") / ICMPv4.echo(id=7)),
    (" IPv4(dst='10.0.0.2',\n  ttl=0x10)", Packet((IPv4(dst="10.0.0.2", ttl=16),))),
    ("TCP(dst_port=80, flags=TCPFlags.SYN | TCPFlags.ACK)", Packet((TCP(dst_port=80, flags="SA"),))),
    ("TCP(dst_port=80, checksum=AUTO)", Packet((TCP(dst_port=80, checksum=AUTO),))),
    ("UDP(dst_port=5) / (b'a' b'b' / b'c')", UDP(dst_port=5) / b"abc"),
    ("IPv4(dst='1.2.3.4', dont_fragment=True)", Packet((IPv4(dst="1.2.3.4", dont_fragment=True),))),
    (
        "TCP(dst_port=1, options=[MaximumSegmentSize()])",
        Packet((TCP(dst_port=1, options=[MaximumSegmentSize()]),)),
    ),
    (
        "IPv4(dst='1.2.3.4', options=(RecordRoute(route=('1.1.1.1',)),))",
        Packet((IPv4(dst="1.2.3.4", options=[RecordRoute(route=["1.1.1.1"])]),)),
    ),
    (
        "ARP.who_has('10.0.0.2', tell='10.0.0.1', mac='02:00:00:00:00:01')",
        Packet((ARP.who_has("10.0.0.2", tell="10.0.0.1", mac="02:00:00:00:00:01"),)),
    ),
    (
        "ICMPv4.unreachable(code=4, mtu=1400, quoting=IPv4(dst='10.0.0.2') / UDP(dst_port=9))",
        ICMPv4.unreachable(code=4, mtu=1400, quoting=IPv4(dst="10.0.0.2") / UDP(dst_port=9)),
    ),
    ("IPv4.cut(b'E')", Packet((IPv4.cut(b"E"),))),
    ("UDP(dst_port=5) / b'x' / Trailer(b'pad', layer=0)", UDP(dst_port=5) / b"x" / Trailer(b"pad", 0)),
    ("b'just bytes'", Packet((), b"just bytes")),
]


@pytest.mark.parametrize(("text", "packet"), READ)
def test_reads_what_python_would(text: str, packet: Packet) -> None:
    assert read_expression(text) == packet


SCAPY_NAMES = [
    ("TCP(dst_port=1, options=[MSS(size=9)])", "MaximumSegmentSize"),
    ("TCP(dst_port=1, options=[WScale(shift=9)])", "WindowScale"),
    ("TCP(dst_port=1, options=[SAckOK()])", "SACKPermitted"),
    ("TCP(dst_port=1, options=[Timestamp()])", "Timestamps"),
    ("TCP(dst_port=1, options=[NOP()])", "TCPNoOperation"),
    ("TCP(dport=80)", "dst_port"),
    ("UDP(sport=80)", "src_port"),
    ("UDP(dst_port=80, chksum=1)", "checksum"),
    ("UDP(dst_port=80, len=1)", "length"),
    ("TCP(dst_port=80, urgptr=1)", "urgent_pointer"),
    ("TCP(dst_port=80, dataofs=5)", "data_offset"),
    ("IP(dst='10.0.0.2')", "IPv4"),
    ("IPv4(dst='10.0.0.2', id=1)", "identification"),
    ("IPv4(dst='10.0.0.2', proto=1)", "protocol"),
    ("IPv4(dst='10.0.0.2', tos=1)", "dscp"),
    ("IPv4(dst='10.0.0.2', frag=1)", "fragment_offset"),
    ("IPv6(dst='::2', hlim=1)", "hop_limit"),
    ("IPv6(dst='::2', ttl=1)", "hop_limit"),
    ("IPv6(dst='::2', nh=1)", "next_header"),
    ("IPv6(dst='::2', plen=1)", "payload_length"),
    ("ICMP()", "ICMPv4"),
    ("NS()", "NeighborSolicitation"),
    ("NA()", "NeighborAdvertisement"),
    ("Dot1Q(vlan=5)", "VLAN"),
    ("VLAN(vlan=5)", "id"),
    ("VLAN(prio=5)", "priority"),
    ("Ether()", "Ethernet"),
    ("TPC()", "TCP"),
]
"""Names of scapy (scapy/layers/inet.py, inet6.py and l2.py), and slips of the hand."""


@pytest.mark.parametrize(("text", "name"), SCAPY_NAMES)
def test_names_of_scapy_lead_to_ours(text: str, name: str) -> None:
    with pytest.raises(ExpressionError, match=rf"did you mean {name}\?"):
        read_expression(text)


@pytest.mark.parametrize("text", ["DNS()", "TLS()", "DHCP()", "Foo()"])
def test_what_is_like_nothing_here_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert "did you mean" not in str(caught.value)


REFUSED = [
    ("", 0, "empty"),
    ("IPv4(dst='1.2.3.4'", 4, "never closed"),
    ("IPV4(dst='1.2.3.4')", 0, "did you mean IPv4?"),
    ("Foo()", 0, "unknown header 'Foo'"),
    ("IPv4(dts='1.2.3.4')", 5, "did you mean dst?"),
    ("IPv4(sauce='1.2.3.4')", 5, "it has version, ihl, dscp"),
    ("IPv4(dst='1.2.3.4', ttl=256)", 24, "IPv4.ttl: expected an integer from 0 to 255, got 256"),
    ("IPv4(dst='1.2.3.4',\n ttl=256)", 25, "IPv4.ttl"),
    ("'é' / IPv4(dst='1.2.3.4', ttl=-1)", 0, "write b'é'"),
    ("b'x' / TCP(dst_port='é')", 20, "TCP.dst_port"),
    ("IPv4(ttl=3)", 0, "IPv4 needs dst=..."),
    ("IPv4('1.2.3.4')", 5, "keyword arguments only"),
    ("IPv4", 0, "needs parentheses: IPv4(dst=...)"),
    ("UDP(dst_port=1, dst_port=2)", 16, "given twice"),
    ("UDP(**{})", 6, "** is not allowed"),
    ("ARP.who_has(*[])", 12, "not allowed here"),
    ("ICMPv4.ecko()", 0, "did you mean echo?"),
    ("ICMPv4.echo(id=70000)", 15, "ICMPv4Echo.id"),
    ("ICMPv4.echo(ident=7)", 12, "it has id, seq"),
    ("ICMPv4.parse(b'12345678')", 0, "no constructor 'parse'"),
    ("ICMPv4.unreachable(quoting=5)", 27, "expected a packet"),
    ("ARP.who_has('10.0.0.2', tell='10.0.0.1')", 0, "needs mac=..."),
    ("IPv4.cut(1000000000000)", 9, "expected bytes"),
    ("TCP(dst_port=1, flags=TCPFlags.SYM)", 22, "did you mean SYN?"),
    ("TCP(dst_port=1, options=TCP(dst_port=2))", 24, "expected a list of TCPOption"),
    ("MaximumSegmentSize()", 0, "the option MaximumSegmentSize"),
    ("UDP(dst_port=1) / 5", 18, "expected a header"),
    ("UDP(dst_port=1) * 2", 0, "not allowed here"),
    ("UDP(dst_port=1) / b'\\d'", 18, "invalid escape sequence"),
    ("Trailer(b'', 0) / b''", 0, "stands last"),
    ("Trailer(b'', -1)", 13, "the number of a layer"),
    ("__import__('os').system('true')", 0, "can be called"),
    ("().__class__", 0, "not allowed here"),
    ("IPv4.__init__()", 0, "no constructor"),
    ("f'{1}'", 0, "not allowed here"),
    ("[b'x' for _ in ()]", 0, "not allowed here"),
    ("UDP(dst_port=(yield))", 14, "not allowed"),
    ("\ud800", 0, "character that no expression can have"),
]


@pytest.mark.parametrize(("text", "position", "reason"), REFUSED)
def test_refuses_with_the_place_and_the_remedy(text: str, position: int, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert (caught.value.position, caught.value.expression) == (position, text)
    assert reason in caught.value.reason


TOO_MUCH = {
    "nested lists": "[" * 90 + "]" * 90,
    "nested parentheses": "(" * 100_000,
    "minus signs": "-" * 100_000 + "1",
    "a long chain": "b''" + "/b''" * 300,
    "a very long chain": "b''" + "/b''" * 100_000,
    "a large number": "UDP(dst_port=" + "9" * 10_000 + ")",
    "a large text": " " * (1 << 20) + "b''",
    "nested quotes": "ICMPv4.unreachable(quoting=" * 50 + "IPv4(dst='1.1.1.1')" + ")" * 50,
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_refuses_what_is_too_much(text: str) -> None:
    with pytest.raises(ExpressionError):
        read_expression(text)


@given(packets())
def test_the_expression_of_a_packet_makes_it_again(packet: Packet) -> None:
    again = read_expression(to_expression(packet))
    assert again == packet
    assert to_expression(again) == to_expression(packet)


@given(packets())
def test_the_expression_of_a_dissected_packet_makes_its_bytes(packet: Packet) -> None:
    data = bytes(packet)
    read = dissect(data, packet.link_type or LinkType.RAW)
    again = read_expression(to_expression(read))
    assert again == read
    assert bytes(again) == data


@given(st.binary(max_size=120), st.sampled_from([LinkType.ETHERNET, LinkType.RAW]))
def test_the_expression_of_any_bytes_makes_them_again(data: bytes, link_type: LinkType) -> None:
    read = dissect(data, link_type)
    again = read_expression(to_expression(read))
    assert again == read
    assert bytes(again) == data


def test_the_expression_of_every_packet_of_others_makes_its_bytes() -> None:
    sound = 0
    for path in [*corpus("tcpdump"), *corpus("pcapng")]:
        with suppress(CaptureError), open_capture(path) as capture:
            for record in capture:
                packet = record.packet()
                again = read_expression(to_expression(packet))
                assert bytes(again) == record.data, (path.name, record.number)
                assert again == packet, (path.name, record.number)
                sound += not packet.problems
    assert sound > 4500


WORDS = [
    "IPv4",
    "TCP",
    "ICMPv4",
    "TCPFlags",
    "AUTO",
    "Trailer",
    "dst",
    "ttl",
    "cut",
    "echo",
    "unreachable",
    "quoting",
]
WORDS += [
    "(",
    ")",
    "/",
    "=",
    ",",
    ".",
    "|",
    "-",
    "'10.0.0.1'",
    "b'x'",
    "1",
    "None",
    "True",
    "[",
    "]",
    "1.5",
    "*",
    " ",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=14).map("".join)))
@example("IPv4.cut(-1)")
@example("IPv4(dst=1e999)")
@example("TCP(dst_port=1,flags=None)")
def test_any_text_is_a_packet_or_an_expression_error(text: str) -> None:
    try:
        packet, position = read_expression(text), 0
    except ExpressionError as error:
        packet, position = None, error.position
    assert packet is None or isinstance(packet, Packet)
    assert 0 <= position <= len(text)


def test_a_header_that_was_made_by_hand_is_written_as_it_was() -> None:
    packet = Ethernet(dst="02:00:00:00:00:01") / IPv4(dst="10.0.0.2") / ICMPv4Echo(id=7) / b"hi"
    expected = "Ethernet(dst='02:00:00:00:00:01') / IPv4(dst='10.0.0.2') / ICMPv4Echo(id=7) / b'hi'"
    assert to_expression(packet) == expected
