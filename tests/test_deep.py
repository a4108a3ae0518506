"""`packet.deep()`: scapy's layers behind ours, and whatever scapy raises a Problem."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import scapy.layers.dhcp
import scapy.layers.dns
import scapy.layers.http
import scapy.layers.inet
import scapy.layers.l2
import scapy.layers.ntp
from corpus import TCPDUMP, packets_of_others
from hypothesis import given
from hypothesis import strategies as st
from programs import give_up
from scapy.packet import NoPayload, Padding, Raw
from terminal import rawkit

from rawkit import TCP, UDP, ForeignLayer, ICMPv4, IPv4, LinkType, Packet, Record, dissect, open_capture
from rawkit.verify import compare_with_scapy, difference_table, unexplained
from rawkit.views import (
    as_object,
    diagram,
    hexdump,
    json_line,
    read_expression,
    to_expression,
    tree,
    wireshark_values,
)
from rawkit.wire import deep

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
TO_SERVER = IPv4(src="10.0.0.1", dst="10.0.0.2")


def foreign(packet: Packet) -> list[ForeignLayer]:
    return [layer for layer in packet.layers if isinstance(layer, ForeignLayer)]


def captured(name: str, number: int) -> Record:
    """A packet of the project's own captures, or of tcpdump's."""
    path = CAPTURES / name if (CAPTURES / name).exists() else TCPDUMP / name
    if not path.exists():
        give_up(f"{name} of the tcpdump project is missing")
    with open_capture(path) as capture:
        return next(record for record in capture if record.number == number)


def by_scapy(data: bytes, after: str) -> list[Any]:
    """What scapy itself reads behind its layer of that name."""
    layer = scapy.layers.l2.Ether(data)
    while type(layer).__name__ != after:
        layer = layer.payload
    layers = []
    while not isinstance(layer.payload, (NoPayload, Raw, Padding)):
        layer = layer.payload
        layers.append(layer)
    return layers


@pytest.mark.parametrize(
    ("name", "number", "after", "expected"),
    [
        ("dig.pcapng", 1, "UDP", ["DNS"]),
        ("dig.pcapng", 4, "UDP", ["DNS"]),
        ("dig.pcapng", 10, "TCP", ["DNS"]),
        ("curl.pcapng", 6, "TCP", ["HTTP", "HTTPRequest"]),
        ("curl.pcapng", 8, "TCP", ["HTTP", "HTTPResponse"]),
        ("dhcp-rfc3004.pcap", 1, "UDP", ["BOOTP", "DHCP"]),
        ("ntp-time.pcap", 1, "UDP", ["NTPHeader"]),
    ],
)
def test_layers_and_values_are_those_of_scapy(name: str, number: int, after: str, expected: list[str]) -> None:
    record = captured(name, number)
    packet = record.packet().deep()
    theirs = by_scapy(record.data, after)
    ours = foreign(packet)
    assert [layer.name for layer in ours] == [type(layer).__name__ for layer in theirs] == expected
    for layer, other in zip(ours, theirs, strict=True):
        shown = {field.name: field.i2repr(other, other.fields[field.name]) for field in other.fields_desc
                 if field.name in other.fields}  # fmt: skip
        assert {field.name: field.value for field in layer.fields} == {
            key: str(text) for key, text in shown.items()
        }
        assert layer.data == record.data[layer.start : layer.stop]
    stops = [record.packet().bounds()[-1][1], *[layer.stop for layer in ours]]
    assert [layer.start for layer in ours] == stops[:-1]
    assert stops[-1] == len(record.data) - len(packet.payload) - len(packet.trailer)
    assert bytes(packet) == record.data
    assert packet.problems == record.packet().problems


def test_tls_is_read_where_its_library_is_installed() -> None:
    pytest.importorskip("cryptography")
    hello = bytes.fromhex(
        "160301002f0100002b0303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00000413011302"
    )
    hello = hello[:3] + len(hello[5:] + b"\1\0").to_bytes(2) + b"\1" + (len(hello[9:]) + 2).to_bytes(3) + hello[9:]
    packet = (TO_SERVER / TCP(dst_port=443, flags="PA") / (hello + b"\1\0")).deep()
    (tls,) = foreign(packet)
    assert tls.name == "TLS"
    message = next(field for field in tls.fields if field.name == "msg").layers[0]
    assert message.name == "TLSClientHello"
    ciphers = next(field for field in message.fields if field.name == "ciphers").value
    assert "TLS_AES_128_GCM_SHA256" in ciphers


def test_fields_stand_where_the_protocol_has_them() -> None:
    packet = captured("dig.pcapng", 2).packet().deep()
    (dns,) = foreign(packet)
    places = {field.name: (field.start, field.stop) for field in dns.fields}
    assert (dns.start, dns.stop) == (42, 102)
    # RFC 1035, section 4.1.1, behind 42 bytes of Ethernet, IPv4 and UDP
    assert (places["id"], places["qr"], places["rcode"]) == ((42, 44), (44, 45), (45, 46))
    assert (places["qdcount"], places["arcount"]) == ((46, 48), (52, 54))
    question, answer = (
        next(field for field in dns.fields if field.name == name).layers[0] for name in ("qd", "an")
    )
    assert {field.name: field.value for field in question.fields}["qname"] == "b'www.rawkit.test.'"
    assert {field.name: field.value for field in answer.fields}["rdata"] == "192.0.2.80"


def test_the_rest_of_the_packet_is_as_before() -> None:
    shallow = captured("dig.pcapng", 1).packet()
    packet = shallow.deep()
    assert packet.layers[:3] == shallow.layers
    assert packet[UDP] == shallow[UDP]
    assert packet.payload == b""
    assert packet.bounds() == (*shallow.bounds(), (42, 98))
    assert packet.link_type is LinkType.ETHERNET
    assert packet.deep() is packet
    assert repr(packet) == repr(shallow)
    assert pickle.loads(pickle.dumps(packet)) == packet
    assert bytes(packet.built()) == bytes(packet.recomputed()) == bytes(shallow)
    assert bytes(packet.replace(UDP, src_port=1)) == bytes(shallow.replace(UDP, src_port=1))


def test_a_packet_made_by_hand_goes_deep_too() -> None:
    question = bytes(scapy.layers.dns.DNS(id=7, qd=scapy.layers.dns.DNSQR(qname="example.org")))
    packet = (TO_SERVER / UDP(dst_port=53) / question).deep()
    assert [layer.name for layer in foreign(packet)] == ["DNS"]
    assert bytes(packet) == bytes(TO_SERVER / UDP(dst_port=53) / question)


def test_what_scapy_leaves_as_it_is_stays_payload() -> None:
    packet = (TO_SERVER / UDP(src_port=9999, dst_port=9998) / b"plain bytes").deep()
    assert (foreign(packet), packet.payload) == ([], b"plain bytes")
    assert (TO_SERVER / TCP(dst_port=80)).deep() == TO_SERVER / TCP(dst_port=80)
    cut = dissect(bytes(TO_SERVER / UDP(dst_port=53))[:24], LinkType.RAW)
    assert cut.deep() == cut


def test_what_an_error_quotes_goes_deep_as_scapy_has_it() -> None:
    question = bytes(scapy.layers.dns.DNS(id=7, qd=scapy.layers.dns.DNSQR(qname="example.org")))
    quoted = TO_SERVER / UDP(src_port=5000, dst_port=53) / question
    packet = (TO_SERVER / ICMPv4.unreachable(code=3, quoting=quoted)).deep()
    assert [layer.name for layer in foreign(packet)] == ["DNS"]
    assert isinstance(scapy.layers.inet.IP(bytes(packet))["UDPerror"].payload, scapy.layers.dns.DNS)


def test_what_scapy_raises_is_a_problem_and_the_bytes_stay() -> None:
    packet = dissect(bytes(TO_SERVER / UDP(dst_port=53) / b"\0\1\1\0\0\1\0\0\0\0\0\0\1"), LinkType.RAW).deep()
    (problem,) = packet.problems
    assert (problem.layer, problem.start, problem.stop) == ("UDP", 28, 41)
    assert problem.message.startswith("scapy raises ")
    (dns,) = foreign(packet)
    assert (dns.start, dns.stop, dns.data) == (28, 41, b"\0\1\1\0\0\1\0\0\0\0\0\0\1")


def test_names_that_point_on_and_on_are_given_up() -> None:
    packet = captured("dns-badlabel.pcap", 1).packet().deep()
    assert any("stopped after" in problem.message for problem in packet.problems)
    assert bytes(packet) == captured("dns-badlabel.pcap", 1).data
    assert sys.getprofile() is None


def test_a_recursion_without_end_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*_: object, **__: object) -> Any:
        return again()

    monkeypatch.setattr(scapy.layers.dns.DNS, "dissect", again)
    packet = dissect(bytes(TO_SERVER / UDP(dst_port=53) / bytes(12)), LinkType.RAW).deep()
    assert "RecursionError" in packet.problems[0].message


def test_scapy_is_given_no_more_than_64_kib(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(TO_SERVER / UDP(dst_port=53, length=20) / bytes(60000)) + bytes(300_000)
    given: list[int] = []
    original = scapy.layers.inet.IP.dissect
    monkeypatch.setattr(scapy.layers.inet.IP, "dissect", lambda self, s: given.append(len(s)) or original(self, s))
    packet = dissect(data, LinkType.RAW).deep()
    assert given == [deep.MAX_BYTES] * len(given) != []
    assert bytes(packet) == data


def test_text_from_the_wire_can_do_nothing_to_the_terminal() -> None:
    request = b"GET /\x1b[2Jx HTTP/1.1\r\nHost: a\x9b31m\r\n\r\n"
    packet = (TO_SERVER / TCP(dst_port=80, flags="PA") / request).deep()
    assert foreign(packet)[-1].name == "HTTPRequest"
    shown = "\n".join([packet.summary(), *tree(packet)])
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


def test_the_captures_of_others_go_deep_and_keep_their_bytes() -> None:
    names, raised = set(), 0
    for _, record in packets_of_others(each=2):
        packet = record.packet().deep()
        assert bytes(packet) == record.data
        assert "".join(tree(packet))
        assert json.loads(json_line(record, packet))["layers"][-1]["name"] if packet.layers else True
        names |= {layer.name for layer in foreign(packet)}
        raised += len(packet.problems) - len(record.packet().problems)
    assert names >= {"DNS", "DHCP6_Solicit", "BOOTP", "DHCP", "RIP", "STP", "ISAKMP", "NTPHeader", "Radius"}
    assert raised > 0


PORTS = st.sampled_from([53, 67, 80, 123, 161, 179, 389, 443, 445, 500, 1812, 4789])


@given(st.binary(max_size=200), PORTS, st.booleans())
def test_any_payload_is_read_or_told(payload: bytes, port: int, over_tcp: bool) -> None:
    transport = TCP(dst_port=port) if over_tcp else UDP(dst_port=port)
    packet = dissect(bytes(TO_SERVER / transport / payload), LinkType.RAW)
    found = packet.deep()
    assert bytes(found) == bytes(packet)
    assert found.summary()
    assert [problem for problem in found.problems if not problem.message.startswith("scapy")] == [*packet.problems]


def test_views_show_scapys_layers() -> None:
    record = captured("dig.pcapng", 2)
    packet = record.packet().deep()
    assert "DNS" in packet.summary()
    lines = list(tree(packet))
    assert "DNS  [42:102]" in lines
    assert "    id       2606   [42:44]" in lines
    assert any("192.0.2.80" in line for line in lines)
    layer = as_object(record, packet)["layers"][-1]
    assert (layer["name"], layer["start"], layer["stop"], layer["fields"]["id"]) == ("DNS", 42, 102, "2606")
    assert layer["fields"]["an"][0]["fields"]["rdata"] == "192.0.2.80"
    assert list(hexdump(packet)) == list(hexdump(record.packet()))
    assert any("DNS" in line for line in hexdump(packet, colour=True))
    assert any("DNS, bytes 42 to 102" in line for line in diagram(packet))
    assert wireshark_values(packet, "udp.srcport") == ["53"]
    assert bytes(read_expression(to_expression(packet))) == record.data


SHOWN = {"line": "DNS Qry", "tree": "DNS  [42:98]", "json": '{"name": "DNS", "start": 42', "hex": "DNS Qry"}


@pytest.mark.parametrize("format_", SHOWN)
def test_decode_goes_deep_on_request(format_: str) -> None:
    plain, deeper = (
        rawkit("decode", str(CAPTURES / "dig.pcapng"), "-c", "1", "--format", format_, *more)
        for more in ((), ("--deep",))
    )
    assert (plain.returncode, deeper.returncode) == (0, 0)
    assert SHOWN[format_] not in plain.stdout
    assert SHOWN[format_] in deeper.stdout


@pytest.mark.parametrize("view", [["--diagram"], ["--python"], ["--format", "fields", "-e", "ip.src"]])
def test_decode_refuses_deep_views_that_there_are_not(view: list[str]) -> None:
    done = rawkit("decode", str(CAPTURES / "dig.pcapng"), "--deep", *view)
    assert done.returncode == 2
    assert "--deep is for views" in done.stderr


WITHOUT_SCAPY = """
import sys
sys.modules["scapy"] = None  # as if it were not installed
import rawkit
assert "scapy.layers" not in sys.modules
from rawkit.errors import MissingError
try:
    (rawkit.IPv4(dst="10.0.0.2") / rawkit.UDP(dst_port=53) / b"x").deep()
except MissingError as error:
    print(error)
"""


def test_having_been_deep_changes_no_comparison() -> None:
    for name, number in (("IGMP_V2.pcap", 1), ("smb_data_print-segv.pcap", 4), ("eapon1.pcap", 14)):
        packet = captured(name, number).packet()
        packet.deep()
        differences = compare_with_scapy(packet)
        assert unexplained(differences) == (), difference_table(differences)


def test_without_scapy_the_remedy_is_told() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_SCAPY], capture_output=True, text=True, check=True)
    assert done.stdout == 'scapy is not installed: pip install "rawkit[verify]"\n'


def test_nothing_imports_scapy_before_it_is_needed() -> None:
    code = "import sys, rawkit.wire.deep, rawkit.views; print([name for name in sys.modules if 'scapy.' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
