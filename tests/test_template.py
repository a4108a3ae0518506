"""Frames from templates against packets that are built as a whole, and against scapy's."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP as ScapyICMP
from scapy.layers.inet import IP as ScapyIP
from scapy.layers.inet import TCP as ScapyTCP
from scapy.layers.inet import UDP as ScapyUDP
from scapy.layers.inet6 import IPv6 as ScapyIPv6
from strategies import any_packets, stacks, values

from rawkit.errors import BuildError, FieldError, LayerError
from rawkit.layout import AUTO
from rawkit.wire import (
    GRE,
    SCTP,
    TCP,
    UDP,
    VLAN,
    VXLAN,
    Ethernet,
    ICMPv4,
    ICMPv4Echo,
    ICMPv6Echo,
    IPv4,
    IPv6,
    Packet,
    RoutingType2,
    Template,
    Trailer,
)

SYN = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, flags="S")
PORTS = (0, 1, 79, 80, 443, 32767, 32768, 65534, 65535)


def replaced(packet: Packet, at: int, name: str, value: Any) -> Packet:
    layers: list[Any] = list(packet.layers)
    layers[at] = layers[at].replace(**{name: value})
    return Packet(tuple(layers), packet.payload, packet.trailers)


def built(packet: Packet) -> bytes | None:
    """The packet's bytes; None if it cannot be built."""
    try:
        return bytes(packet)
    except (BuildError, FieldError):
        return None


@st.composite
def fields_of(draw: st.DrawFn, packet: Packet) -> dict[tuple[int, str], Any]:
    """Some fields of fixed width in a packet, and a value for each; most of them zero, one, or all ones."""
    fixed = [
        (at, field)
        for at, layer in enumerate(packet.layers)
        for field in layer.fields()  # type: ignore[union-attr]
        if field.tail is None
    ]
    assume(fixed)
    chosen = draw(
        st.lists(st.sampled_from(fixed), min_size=1, max_size=3, unique_by=lambda each: (each[0], each[1].name))
    )
    return {(at, field.name): draw(values(field)) for at, field in chosen}


@settings(max_examples=1500)
@given(st.data(), st.one_of(stacks(), any_packets()))
def test_templates_build_what_packets_build(data: st.DataObject, packet: Packet) -> None:
    changes = data.draw(fields_of(packet))
    assume(built(packet) is not None)
    whole = packet
    for (at, name), value in changes.items():
        whole = replaced(whole, at, name, value)
    template = packet.template(*changes)
    wanted = built(whole)
    if wanted is None:  # such as a computed length that the other value leaves no room for
        with pytest.raises((BuildError, FieldError)):
            template.build(*changes.values())
    else:
        assert template.build(*changes.values()) == wanted


CARRIERS = [
    Ethernet(dst="02:00:00:00:00:01", src="02:00:00:00:00:02"),
    Ethernet(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / VLAN(id=7),
    IPv4(src="192.0.2.1", dst="192.0.2.2") / GRE(checksum=AUTO, key=5),
    IPv4(src="192.0.2.1", dst="192.0.2.2")
    / UDP(dst_port=4789)
    / VXLAN(vni=1)
    / Ethernet(dst=b"123456", src=b"abcdef"),
    IPv6(src="fd00::1", dst="fd00::2"),
]
NETWORKS = [IPv4(src="10.0.0.1", dst="10.0.0.2"), IPv6(src="fd00::3", dst="fd00::4")]
TRANSPORTS: list[tuple[Any, str]] = [
    (TCP(src_port=1, dst_port=2, flags="S"), "dst_port"),
    (UDP(src_port=1, dst_port=2), "src_port"),
    (ICMPv4.echo(id=5), "seq"),
    (ICMPv6Echo(type=128, id=5), "id"),
]


@pytest.mark.parametrize("payload", [b"", b"odd", b"even"])
@pytest.mark.parametrize("network", NETWORKS, ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(("transport", "name"), TRANSPORTS, ids=["TCP", "UDP", "ICMPv4", "ICMPv6"])
def test_every_checksum_of_tunnelled_transports_is_mended(
    transport: Any, name: str, network: Any, payload: bytes
) -> None:
    for carrier in CARRIERS:
        packet = carrier / network / transport / payload
        last = len(packet.layers) - 1
        template = packet.template((last, name), (last - 1, "dst"))
        assert template.patched
        for port in PORTS:
            for dst in (1, 0xFFFFFFFF):
                address = network.replace(dst=dst).dst
                wanted = replaced(replaced(packet, last, name, port), last - 1, "dst", address)
                assert template.build(port, address) == bytes(wanted)


def test_frames_are_those_of_scapy() -> None:
    frames = (SYN / b"hello").template((IPv4, "ttl"), (TCP, "dst_port")).frames([1, 64, 255], PORTS)
    theirs = [
        bytes(
            ScapyIP(src="10.0.0.1", dst="10.0.0.2", id=0, ttl=ttl)
            / ScapyTCP(sport=1025, dport=port, flags="S", window=64240)
            / b"hello"
        )
        for ttl in (1, 64, 255)
        for port in PORTS
    ]
    assert list(frames) == theirs
    echo = (IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4.echo(id=7)).template((ICMPv4Echo, "seq"))
    assert list(echo.frames(PORTS)) == [
        bytes(ScapyIP(src="10.0.0.1", dst="10.0.0.2", id=0) / ScapyICMP(id=7, seq=seq)) for seq in PORTS
    ]


@pytest.mark.parametrize("network", NETWORKS, ids=["IPv4", "IPv6"])
def test_a_computed_zero_goes_out_as_ones_in_udp(network: Any) -> None:
    """RFC 768: all 65,536 source ports, one of which makes the sum come out as zero."""
    packet = network / UDP(src_port=0, dst_port=9)
    frames = list(packet.template((UDP, "src_port")).frames(range(65536)))
    checksums = [int.from_bytes(frame[-2:]) for frame in frames]
    assert 0 not in checksums
    port = checksums.index(0xFFFF)
    theirs: Any = ScapyIPv6 if isinstance(network, IPv6) else ScapyIP
    options = {} if isinstance(network, IPv6) else {"id": 0}
    made = theirs(src=str(network.src), dst=str(network.dst), **options) / ScapyUDP(sport=port, dport=9)
    assert frames[port] == bytes(made)


def test_a_sum_of_nothing_but_zeros() -> None:
    packet = ICMPv4Echo(type=0, code=0, id=0, seq=0) / b""
    assert list(packet.template((0, "seq")).frames(PORTS)) == [bytes(ICMPv4Echo(type=0, seq=seq)) for seq in PORTS]


def test_a_checksum_that_is_given_stays() -> None:
    packet = IPv4(src="10.0.0.1", dst="10.0.0.2", checksum=0xBAD) / TCP(dst_port=1, checksum=7)
    template = packet.template((IPv4, "ttl"), (TCP, "checksum"))
    assert template.build(3, 9) == bytes(packet.replace(IPv4, ttl=3).replace(TCP, checksum=9))


@pytest.mark.parametrize(
    ("packet", "field", "value"),
    [
        (SYN, (TCP, "options"), ()),
        (SYN, (2, "payload"), b"longer than before"),
        (IPv4(src="10.0.0.1", dst="10.0.0.2") / SCTP(src_port=1, dst_port=2), (SCTP, "dst_port"), 9),
        (
            IPv6(src="fd00::1", dst="fd00::2") / RoutingType2(addresses=["fd00::9"]) / UDP(dst_port=1),
            (RoutingType2, "segments_left"),
            0,
        ),
        (Ethernet(dst=b"123456", src=b"123456") / SYN / Trailer(b"padding", 0), (TCP, "dst_port"), 9),
        (IPv4(src="10.0.0.1", dst="10.0.0.2") / GRE(protocol=9, key=1) / b"" , (GRE, "key"), None),
    ],
)  # fmt: skip
def test_what_changes_more_than_checksums_is_built_as_a_whole(packet: Packet, field: Any, value: object) -> None:
    template = packet.template(field)
    assert not template.patched
    at, name = template.places[0]
    wanted = packet / value if name == "payload" else replaced(packet, at, name, value)  # type: ignore[operator]
    assert template.build(value) == bytes(wanted)


def test_values_are_taken_in_every_form_of_the_field_and_no_other() -> None:
    packet = SYN
    template = Template(SYN, (TCP, "flags"), (IPv4, "dst"), (IPv4, "dont_fragment"))
    wanted = bytes(packet.replace(TCP, flags="SA").replace(IPv4, dst="10.9.9.9", dont_fragment=True))
    assert template.build("SA", "10.9.9.9", True) == template.build(0x12, 0x0A090909, 1) == wanted
    with pytest.raises(FieldError, match=r"IPv4\.dst: expected an IPv4 address .* got '10\.0\.0\.256'"):
        template.build("SA", "10.0.0.256", True)
    ports = packet.template((TCP, "dst_port"))
    for wrong in (65536, -1, "80", None, AUTO, 1.0):
        with pytest.raises(FieldError) as caught:
            ports.build(wrong)
        assert (caught.value.header, caught.value.field) == ("TCP", "dst_port")
    with pytest.raises(FieldError, match="65536"):
        list(ports.frames([1, 65536]))


def test_fields_that_are_not_there() -> None:
    packet = SYN
    with pytest.raises(LayerError, match="no UDP in IPv4 / TCP"):
        packet.template((UDP, "dst_port"))
    with pytest.raises(LayerError, match="layer 5"):
        packet.template((5, "dst_port"))
    with pytest.raises(FieldError, match="dst_prt"):
        packet.template((TCP, "dst_prt"))
    with pytest.raises(FieldError, match="each field once"):
        packet.template((TCP, "dst_port"), (1, "dst_port"))
    with pytest.raises(FieldError, match="TCP"):
        (IPv4(dst="10.0.0.1") / TCP.cut(b"1234")).template((1, "src_port"))
    with pytest.raises(TypeError, match="1 iterables"):
        packet.template((TCP, "dst_port")).frames()
    with pytest.raises(BuildError):
        (IPv4(dst="10.0.0.1") / b"x").template((IPv4, "ttl"))
    assert pickle.loads(pickle.dumps(packet.template((TCP, "dst_port")).packet)) == packet
    assert [*packet.template().frames()] == [bytes(packet)]
