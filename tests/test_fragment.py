"""Fragments in memory: cut as scapy cuts, put together as tshark does, and by each policy as Suricata does."""

from __future__ import annotations

import ast
import random
import subprocess
import tracemalloc
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from corpus import TCPDUMP
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import give_up, require
from scapy.layers import inet, inet6

import rawkit
from rawkit.errors import CaptureError, FieldError, LayerError
from rawkit.pcap import open_capture
from rawkit.wire import (
    TCP,
    UDP,
    VLAN,
    DestinationOptions,
    Ethernet,
    Failure,
    Fragment,
    HopByHop,
    ICMPv4,
    IPv4,
    IPv4EndOfOptions,
    IPv4NoOperation,
    IPv4RouterAlert,
    IPv4UnknownOption,
    IPv6,
    IPv6UnknownOption,
    LinkType,
    LooseSourceRoute,
    Notice,
    Overlap,
    Packet,
    Reassembled,
    Reassembler,
    RecordRoute,
    RoutingType2,
    Trailer,
    dissect,
    fragment,
)

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
HOST = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
USER = UDP(src_port=1, dst_port=2)
DATA = bytes(range(256)) * 12
SECOND = 1_000_000_000


def ipv4(**fields: Any) -> IPv4:
    return IPv4(**{"src": "10.0.0.1", "dst": "10.0.0.2", "identification": 7, **fields})


def ipv6(**fields: Any) -> IPv6:
    return IPv6(src="fd00::1", dst="fd00::2", **fields)


def part4(start: int, data: bytes, more: bool = True, **fields: Any) -> Packet:
    """A fragment of IPv4 that starts at a byte, with data of no protocol."""
    return ipv4(fragment_offset=start // 8, more_fragments=more, **{"protocol": 253, **fields}) / data


def part6(start: int, data: bytes, more: bool = True, **fields: Any) -> Packet:
    header = Fragment(fragment_offset=start // 8, more_fragments=more, **{"next_header": 253, **fields})
    return ipv6() / header / data


def put_together(packets: Iterable[Packet], **options: Any) -> list[Reassembled]:
    reassembler = Reassembler(**options)
    return [done for packet in packets if (done := reassembler.push(packet))]


# ---------------------------------------------------------------------- cutting


@pytest.mark.parametrize("size", [8, 15, 16, 100, 1480])
def test_ipv4_is_cut_as_scapy_cuts_it(size: int) -> None:
    packet = inet.IP(src="1.2.3.4", dst="5.6.7.8", id=9, tos=3, ttl=5) / inet.UDP() / (DATA + b"xyz")
    theirs = [bytes(each) for each in inet.fragment(packet, size)]
    assert [bytes(each) for each in fragment(dissect(bytes(packet), LinkType.RAW), 20 + size)] == theirs


@pytest.mark.parametrize("mtu", [120, 137, 144, 1280])
def test_ipv6_is_cut_as_scapy_cuts_it(mtu: int) -> None:
    first = inet6.IPv6(src="fd00::1", dst="fd00::2", tc=3, fl=9) / inet6.IPv6ExtHdrHopByHop()
    unfragmentable = first / inet6.IPv6ExtHdrDestOpt() / inet6.IPv6ExtHdrRouting(addresses=["::1"], segleft=1)
    body = inet6.IPv6ExtHdrDestOpt() / inet.UDP(sport=1, dport=2) / (DATA + b"xyz")
    theirs = [bytes(each) for each in inet6.fragment6(unfragmentable / inet6.IPv6ExtHdrFragment(id=7) / body, mtu)]
    packet = dissect(bytes(unfragmentable / body), LinkType.RAW)
    assert [bytes(each) for each in fragment(packet, mtu, identification=7)] == theirs


def test_options_are_copied_as_their_flag_says_and_the_header_shrinks() -> None:
    options = [RecordRoute(route=["0.0.0.0"] * 3), LooseSourceRoute(route=["1.2.3.4"]), IPv4NoOperation()]
    packet = ipv4(options=[*options, IPv4RouterAlert()]) / USER / DATA
    first, *others = fragment(packet, 576)
    assert first[IPv4].options[:4] == packet.built()[IPv4].options[:4]
    for other in others:  # 7 and 4 bytes, and one to fill the last word
        route, alert, end = other[IPv4].options
        assert (route, alert) == (first[IPv4].options[1], first[IPv4].options[3])
        assert end == IPv4EndOfOptions()
        assert (first[IPv4].ihl, other[IPv4].ihl) == (12, 8)
    assert [len(bytes(each)) for each in (first, *others)][:2] == [576, 576]
    assert not [each.problems for each in (first, *others) if each.problems]


@pytest.mark.parametrize(
    ("headers", "unfragmentable"),
    [
        ([], 0),
        ([DestinationOptions()], 0),
        ([HopByHop()], 1),
        ([HopByHop(), DestinationOptions()], 1),
        ([RoutingType2(addresses=["::1"])], 1),
        ([HopByHop(), DestinationOptions(), RoutingType2(addresses=["::1"]), DestinationOptions()], 3),
    ],
)
def test_the_fragment_header_stands_behind_what_nodes_on_the_way_need(
    headers: list[Any], unfragmentable: int
) -> None:
    """RFC 8200, section 4.5: up to the routing header if present, else the hop-by-hop options if present."""
    packet = Packet((ipv6(), *headers, USER), DATA)
    for each in fragment(packet, 1280, identification=0x12345678):
        assert [type(layer) for layer in each.layers[: unfragmentable + 2]] == [
            IPv6,
            *map(type, headers[:unfragmentable]),
            Fragment,
        ]
        assert each[Fragment].identification == 0x12345678
        assert not each.problems


def test_what_fits_stays_whole() -> None:
    for network, room in ((ipv4(dont_fragment=True), 1480), (ipv6(), 1460)):
        packet = HOST / network / USER / bytes(room - 8)
        assert fragment(packet, 1500) == (packet.built(),)
        if isinstance(network, IPv6):
            assert len(fragment(packet, 1499)) == 2


def test_what_cannot_be_cut_says_why() -> None:
    with pytest.raises(FieldError, match=r"IPv4\.dont_fragment: expected False .* MTU of 576"):
        fragment(ipv4(dont_fragment=True) / USER / DATA, 576)
    with pytest.raises(FieldError, match="mtu: expected at least 28, for 20 bytes of headers"):
        fragment(ipv4() / USER / DATA, 27)
    with pytest.raises(FieldError, match="mtu: expected at least 56, for 48 bytes of headers"):
        fragment(ipv6() / USER / DATA, 55)
    with pytest.raises(LayerError, match="no IP in Ethernet"):
        fragment(HOST, 1500)
    with pytest.raises(FieldError, match="fragment_offset"):
        fragment(part4(65_528, bytes(32)), 28)


def test_fragments_despite_dont_fragment_keep_the_flag() -> None:
    packets = fragment(ipv4(dont_fragment=True) / USER / DATA, 576, despite_dont_fragment=True)
    assert len(packets) > 1
    assert all(each[IPv4].dont_fragment for each in packets)


def test_what_is_around_ip() -> None:
    packet = HOST / VLAN(id=5) / ipv4() / USER / DATA / Trailer(b"padding", 2)
    packets = fragment(packet, 1000)
    assert all(each.layers[:2] == packet.built().layers[:2] and not each.trailer for each in packets)
    assert fragment(packet, 9000)[0].trailer == b"padding"


def test_what_pads_a_short_fragment_is_no_part_of_it() -> None:
    for network in (ipv4(), ipv6()):
        packet = HOST / network / USER / bytes(41)
        *others, last = fragment(packet, 64)
        assert len(bytes(last)) < 80
        padded = dissect(bytes(last) + bytes(80 - len(bytes(last))))
        [done] = put_together([padded, *others])
        assert bytes(done.packet) == bytes(packet)


def test_fragments_of_fragments() -> None:
    for network, whole in ((4, ipv4() / USER / DATA), (6, ipv6() / HopByHop() / USER / DATA)):
        packets = [small for large in fragment(whole, 1400) for small in fragment(large, 600)]
        assert len({each.layers[-1] for each in packets}) == len(packets), network
        [done] = put_together(packets)
        assert done.packet == dissect(bytes(whole), LinkType.RAW)


# ---------------------------------------------------------------------- round trip


@st.composite
def datagrams(draw: st.DrawFn) -> Packet:
    data = draw(st.binary(min_size=40, max_size=400))
    transport = draw(st.sampled_from([USER, TCP(src_port=1, dst_port=2), ICMPv4.echo(id=3)]))
    link = draw(st.sampled_from([None, HOST, HOST / VLAN(id=5)]))
    if draw(st.booleans()):
        options = [RecordRoute(route=["0.0.0.0"]), IPv4RouterAlert(), IPv4NoOperation()]
        drawn = draw(st.lists(st.sampled_from(options), max_size=3))
        network: Any = ipv4(options=drawn, ecn=draw(st.integers(0, 3))) / transport / data
    else:
        chosen = draw(
            st.lists(st.sampled_from([HopByHop(), DestinationOptions(), RoutingType2(addresses=["::1"])]))
        )
        network = Packet((ipv6(traffic_class=draw(st.integers(0, 255))), *chosen[:3], transport), data)
    return network if link is None else link / network


@settings(max_examples=300)
@given(datagrams(), st.integers(0, 300), st.randoms(use_true_random=False), st.sampled_from(Overlap))
def test_fragments_in_any_order_and_doubled_give_the_same_bytes(
    packet: Packet, mtu: int, rng: random.Random, overlap: Overlap
) -> None:
    try:
        packets = fragment(packet, mtu)
    except FieldError:
        mtu += 150  # headers alone can be as long
        packets = fragment(packet, mtu)
    if len(packets) == 1:
        return
    link = sum(isinstance(layer, Ethernet | VLAN) for layer in packet.layers)
    assert all(len(bytes(each)) - each.bounds()[link][0] <= mtu for each in packets)
    lacking = rng.choice(packets)
    others = [each for each in packets if each is not lacking]
    doubled = [*others, *rng.choices(others, k=3)]
    rng.shuffle(doubled)
    [done] = put_together([*doubled, lacking], overlap=overlap)
    assert bytes(done.packet) == bytes(packet)
    assert done.packet == dissect(bytes(packet), packet.link_type)
    assert not done.packet.problems
    assert len(done.numbers) == len(packets)


# ---------------------------------------------------------------------- overlaps

NOVAK = [
    ("A", 0, 24), ("B", 32, 16), ("C", 48, 24), ("D", 80, 8), ("E", 104, 16), ("F", 120, 24), ("G", 144, 16),
    ("H", 160, 16), ("I", 176, 8), ("J", 8, 32), ("K", 48, 24), ("L", 72, 24), ("M", 96, 24), ("N", 128, 8),
    ("O", 152, 8), ("P", 160, 8), ("Q", 176, 16),
]  # fmt: skip
"""The fragments of Novak's "Target-Based Fragmentation Reassembly", as in the tests of Suricata (src/defrag.c)."""

NOVAK_RESULTS = {
    Overlap.BSD: "AAAJJBCCCLLLMMMFFFGGHHIQ",
    Overlap.LINUX_2: "AAAJJBKKKLLLMMMFFFGGPHQQ",
    Overlap.WINDOWS: "AAAJBBCCCLLLMEEFFFGGHHIQ",
    Overlap.SOLARIS: "AAAJBBCCCLLLMMMFFFGGHHIQ",
    Overlap.FIRST: "AAAJBBCCCLDLMEEFFFGGHHIQ",
    Overlap.LAST: "AJJJJBKKKLLLMMMFNFGOPHQQ",
}
"""What Suricata's tests expect, a letter for 8 bytes."""


@pytest.mark.parametrize("part", [part4, part6])
@pytest.mark.parametrize("overlap", NOVAK_RESULTS)
def test_each_policy_chooses_as_suricata_does(overlap: Overlap, part: Any) -> None:
    packets = [part(start, letter.encode() * count, letter != "Q") for letter, start, count in NOVAK]
    [done] = put_together(packets, overlap=overlap)
    assert done.packet.payload.decode()[::8] == NOVAK_RESULTS[overlap]
    assert done.notices == (Notice.OVERLAP,)


SURICATA = [
    (Overlap.LINUX_2, [("A", 0, 24), ("B", 40, 48), ("C", 24, 48), ("D", 88, 14)], "AAACCCCCCBBDD"),
    (Overlap.BSD, [("D", 24, 16), ("B", 8, 16), ("C", 16, 16), ("A", 0, 8)], "ABBCD"),
    (Overlap.BSD, [("D", 8, 24), ("M", 0, 24)], "MMMD"),
]
"""Further tests of Suricata; the last fragment has the letter D here."""


@pytest.mark.parametrize(("overlap", "pieces", "result"), SURICATA)
def test_further_cases_of_suricata(overlap: Overlap, pieces: list[tuple[str, int, int]], result: str) -> None:
    packets = [part4(start, letter.encode() * count, letter != "D") for letter, start, count in pieces]
    [done] = put_together(packets, overlap=overlap)
    assert done.packet.payload.decode()[::8] == result


def test_bsd_right_is_the_reverse_of_bsd() -> None:
    """Novak: it favours a subsequent fragment whose offset is that of the original or greater."""
    left = [part4(0, b"A" * 16), part4(8, b"B" * 16), part4(24, b"C" * 8, False)]
    right = [part4(8, b"A" * 16), part4(0, b"B" * 16), part4(24, b"C" * 8, False)]
    for packets, result in ((left, "ABBC"), (right, "BAAC")):
        [done] = put_together(packets, overlap=Overlap.BSD_RIGHT)
        assert done.packet.payload.decode()[::8] == result


@pytest.mark.parametrize("part", [part4, part6])
def test_overlaps_discard_by_default_and_exact_duplicates_do_not(part: Any) -> None:
    one, two, three = part(0, b"A" * 16), part(16, b"B" * 8), part(24, b"C", False)
    for overlap in (Overlap.LINUX, Overlap.DISCARD):
        [done] = put_together([one, one, two, three], overlap=overlap)
        assert done.notices == (Notice.DUPLICATE,)
        reassembler = Reassembler(overlap=overlap)
        assert not any(map(reassembler.push, [one, part(8, b"X" * 16), three]))
        [failed] = reassembler.take_failures()
        assert (failed.failure, failed.numbers, failed.received) == (Failure.OVERLAP, (1,), 16)


# ---------------------------------------------------------------------- what is complete


def test_the_headers_of_the_whole_are_those_of_the_first_fragment() -> None:
    last = HOST.replace(src="02:00:00:00:00:09") / part4(8, b"last", False, ttl=9)
    first = HOST / part4(0, b"12345678", ttl=5, dscp=3, dont_fragment=True)
    reassembler = Reassembler()
    assert reassembler.push(last, 5 * SECOND, 17) is None
    done = reassembler.push(first, 6 * SECOND, 12)
    assert done is not None
    expected = HOST / ipv4(protocol=253, ttl=5, dscp=3, dont_fragment=True) / b"12345678last"
    assert bytes(done.packet) == bytes(expected)
    assert (done.numbers, done.first_ns, done.upper) == ((12, 17), 5 * SECOND, 2)
    assert len(reassembler) == reassembler.used_bytes == 0


def test_atomic_fragments_are_whole_at_once_and_disturb_nothing() -> None:
    """RFC 6946, section 4: they are processed in isolation from other fragments of the same identification."""
    reassembler = Reassembler()
    assert reassembler.push(part6(0, bytes(8))) is None
    atomic = ipv6() / Fragment() / USER / b"hi"
    done = reassembler.push(atomic)
    assert done is not None
    assert bytes(done.packet) == bytes(ipv6() / USER / b"hi")
    assert len(reassembler) == 1
    assert reassembler.push(part6(8, bytes(8), False)) is not None


@pytest.mark.parametrize(
    ("codes", "result"),
    [
        ((0, 0), 0), ((1, 1), 1), ((2, 2), 2), ((3, 3), 3), ((1, 2), 1), ((2, 1), 2), ((2, 3), 3), ((1, 3), 3),
        ((3, 2), 3), ((0, 1), None), ((0, 2), None), ((3, 0), None), ((0, 3), None),
    ],
)  # fmt: skip
def test_ecn_of_the_whole(codes: tuple[int, int], result: int | None) -> None:
    """RFC 3168, section 5.3, and `ip_frag_ecn_table` of Linux: 0 is Not-ECT, 3 CE."""
    for version in (4, 6):
        packets = [part4(8 * at, b"12345678", not at, ecn=code) for at, code in enumerate(codes)]
        if version == 6:
            packets = [part6(8 * at, b"12345678", not at) for at in range(2)]
            packets = [
                each.replace(IPv6, traffic_class=0xB8 + code) for each, code in zip(packets, codes, strict=True)
            ]
        reassembler = Reassembler()
        done = [reassembler.push(packet) for packet in packets][1]
        if result is None:
            assert [failed.failure for failed in reassembler.take_failures()] == [Failure.ECN]
        else:
            assert done is not None
            whole = done.packet.layers[0]
            assert (
                whole.ecn == result
                if isinstance(whole, IPv4)
                else whole.values()["traffic_class"] == 0xB8 + result
            )


@pytest.mark.parametrize("network", [ipv4(), ipv6()])
def test_tiny_fragments_are_told(network: Any) -> None:
    """RFC 1858, section 3: the first fragment has the ports, and the flags are in the second."""
    packet = Packet((network, TCP(src_port=1, dst_port=2, flags="S")), DATA)
    headers = 20 if isinstance(network, IPv4) else 48
    for room, notices in ((8, (Notice.TINY,)), (16, (Notice.TINY,)), (24, ())):
        [done] = put_together(fragment(packet, headers + room))
        assert done.notices == notices


def test_what_is_no_fragment_changes_nothing() -> None:
    reassembler = Reassembler()
    quote = ICMPv4.time_exceeded(quoting=fragment(ipv4() / USER / DATA, 576)[0])
    for packet in (
        Packet((HOST,)),
        ipv4() / USER,
        ipv6() / USER,
        ipv4() / quote,
        Packet((), b"x"),
        ipv4() / Fragment(),
    ):
        assert reassembler.push(packet) is None
    assert (len(reassembler), reassembler.used_bytes) == (0, 0)


def test_fragments_within_a_tunnel_and_of_one() -> None:
    inner = ipv4(src="192.0.2.1", identification=9) / USER / DATA
    outer = HOST / ipv6()
    carried = [outer / each for each in fragment(inner, 1400)]
    [done] = put_together(carried)
    assert done.packet == dissect(bytes(inner), LinkType.RAW)
    reassembler = Reassembler()
    found = []
    for packet in [small for large in carried for small in fragment(large, 600)]:
        while whole := reassembler.push(packet):
            found.append(packet := whole.packet)
    assert found[-1] == dissect(bytes(inner), LinkType.RAW)
    # Two of the large fragments were cut; the third was not, and completes what is in the tunnel.
    assert [type(packet.layers[0]) for packet in found] == [Ethernet, Ethernet, IPv4]


# ---------------------------------------------------------------------- what failed, and why


def failure_of(packets: Iterable[Packet], **options: Any) -> Any:
    reassembler = Reassembler(**options)
    assert not any(map(reassembler.push, packets))
    reassembler.finish()
    [failed] = reassembler.take_failures()
    assert (reassembler.used_bytes, dict(reassembler.failed)) == (0, {failed.failure: 1})
    return failed


@pytest.mark.parametrize(
    ("packets", "failure", "notices"),
    [
        ([part4(0, bytes(16)), part4(8, bytes(16))], Failure.OVERLAP, ()),
        ([part4(0, bytes(16)), part4(8, bytes(4), False)], Failure.INCONSISTENT_END, ()),
        ([part4(8, bytes(4), False), part4(8, bytes(8), False)], Failure.INCONSISTENT_END, ()),
        ([part4(8, bytes(4), False), part4(16, bytes(8))], Failure.INCONSISTENT_END, ()),
        ([part4(8, b"", False)], Failure.EMPTY, ()),
        ([part4(8, b"1234567")], Failure.EMPTY, (Notice.TRIMMED,)),
        ([part4(65_528, bytes(16), False)], Failure.TOO_LONG, ()),
        ([part6(65_528, bytes(16), False)], Failure.INCOMPLETE, (Notice.TOO_LONG,)),
        ([part6(8, bytes(7))], Failure.INCOMPLETE, (Notice.NOT_MULTIPLE_OF_8,)),
        ([part4(0, bytes(9))], Failure.INCOMPLETE, (Notice.TRIMMED,)),
        ([part4(0, bytes(8), total_length=99)], Failure.INCOMPLETE, (Notice.CUT,)),
        ([part4(0, bytes(8), total_length=9)], Failure.INCOMPLETE, (Notice.CUT,)),
    ],
)
def test_failures_have_their_reason(packets: list[Packet], failure: Failure, notices: tuple[Notice, ...]) -> None:
    failed = failure_of(packets)
    assert (failed.failure, failed.notices) == (failure, notices)
    assert str(failed).startswith(f"{failed.datagram}: {failure.value}")
    assert all(notice.value in str(failed) for notice in notices)


def test_what_is_missing_is_told() -> None:
    failed = failure_of([part4(16, bytes(8)), part4(40, bytes(8), False)])
    assert (failed.missing, failed.received, failed.numbers) == (((0, 16), (24, 40)), 16, (1, 2))
    assert "10.0.0.1 > 10.0.0.2 identification 0x0007 protocol 253: not complete" in str(failed)
    assert "the first fragment is missing, bytes 0 to 16, 24 to 40 are not there" in str(failed)
    failed = failure_of([part6(0, bytes(8))])
    assert failed.missing == ((8, None),)
    assert "bytes 8 to its end are not there" in str(failed)


@pytest.mark.parametrize(("part", "seconds"), [(part4, 30), (part6, 60)])
def test_timeouts_are_those_of_linux_and_count_from_the_first_fragment(part: Any, seconds: int) -> None:
    for wait, whole in ((seconds * SECOND - 1, True), (seconds * SECOND, False)):
        reassembler = Reassembler()
        assert reassembler.push(part(0, bytes(8)), 1000) is None
        assert reassembler.push(part(8, bytes(8)), 1000 + wait - 5) is None
        done = reassembler.push(part(16, bytes(8), False), 1000 + wait)
        assert (done is not None) is whole
        assert [failed.failure for failed in reassembler.take_failures()] == ([] if whole else [Failure.TIMEOUT])
    reassembler = Reassembler(ipv4_timeout_ns=5, ipv6_timeout_ns=5)
    reassembler.push(part(0, bytes(8)), 0)
    reassembler.expire(4)
    assert len(reassembler) == 1
    reassembler.expire(5)
    assert len(reassembler) == 0


def test_times_that_run_backwards() -> None:
    reassembler = Reassembler()
    reassembler.push(part4(0, bytes(8)), 100 * SECOND)
    assert reassembler.push(part4(8, bytes(8), False), 0) is not None
    reassembler.push(part4(0, bytes(8)), 100 * SECOND)
    reassembler.push(part4(0, bytes(8), identification=8), 0)
    assert reassembler.push(part4(8, bytes(8), False, identification=8), 50 * SECOND) is None
    assert [failed.failure for failed in reassembler.take_failures()] == [Failure.TIMEOUT]


def test_the_oldest_makes_room() -> None:
    reassembler = Reassembler(max_datagrams=2)
    for identification in range(4):
        reassembler.push((part4 if identification % 2 else part6)(0, bytes(8), identification=identification))
    failures = reassembler.take_failures()
    assert [(failed.datagram.identification, failed.failure) for failed in failures] == [
        (0, Failure.EVICTED),
        (1, Failure.EVICTED),
    ]
    assert reassembler.take_failures() == ()
    with pytest.raises(FieldError, match="max_bytes: expected at least 1"):
        Reassembler(max_bytes=0)


# ---------------------------------------------------------------------- hostile


def test_fragments_of_other_datagrams_stay_apart() -> None:
    for changes in ({"src": "10.0.0.9"}, {"dst": "10.0.0.9"}, {"identification": 8}, {"protocol": 254}):
        assert put_together([part4(0, bytes(8)), part4(8, bytes(8), False, **changes)]) == []
    [done] = put_together([part6(0, bytes(8)), part6(8, bytes(8), False, next_header=254)])
    assert done.packet[IPv6].next_header == 253  # RFC 8200, section 4.5: that of the first fragment counts


@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled", "every other"])
@pytest.mark.parametrize("part", [part4, part6])
def test_the_smallest_fragments_of_the_longest_datagram(part: Any, order: str) -> None:
    starts = list(range(0, 65_504, 8))
    if order == "backwards":
        starts.reverse()
    elif order == "shuffled":
        random.Random(1).shuffle(starts)
    elif order == "every other":
        starts = starts[::2] + starts[1::2]
    packets = (part(start, start.to_bytes(8), start < 65_496) for start in starts)
    [done] = put_together(packets)
    assert done.packet.payload == b"".join(start.to_bytes(8) for start in range(0, 65_504, 8))
    assert len(done.numbers) == 8188


@pytest.mark.parametrize("overlap", [Overlap.LINUX, Overlap.FIRST, Overlap.LAST])
def test_65535_fragments_of_one_datagram_use_bounded_memory(overlap: Overlap) -> None:
    rng = random.Random(2)
    reassembler = Reassembler(overlap=overlap)
    most = 0
    for _ in range(65_535):
        assert reassembler.push(part4(8 * rng.randint(1, 8000), bytes(8 * rng.randint(1, 3)))) is None
        most = max(most, reassembler.used_bytes)
    assert most < 4_194_304
    reassembler.finish()
    failures = reassembler.take_failures()
    assert (len(failures) == 1) is (overlap is not Overlap.LINUX)
    assert all(len(failed.numbers) == min(failed.fragments, 32) for failed in failures)
    assert all(len(failed.missing) <= 8 for failed in failures)


def test_pieces_of_one_byte_are_not_kept() -> None:
    """Linux cuts them to a multiple of 8 in IPv4, so to nothing, and ignores them in IPv6."""
    reassembler = Reassembler()
    for at in range(1, 8000):
        for part in (part4, part6):
            assert reassembler.push(part(8 * at, b"x")) is None
    assert reassembler.failed == {Failure.EMPTY: 7999}
    assert (len(reassembler), reassembler.used_bytes < 10_000) == (1, True)


HEADERS = [
    HOST / ipv4(more_fragments=True, protocol=253),
    Packet((HOST, *[VLAN(id=5)] * 25, ipv4(more_fragments=True, protocol=253))),
    HOST / ipv4(more_fragments=True, protocol=253, options=[IPv4UnknownOption(kind=200)] * 20),
    HOST / ipv6() / Fragment(more_fragments=True, next_header=253),
    HOST
    / ipv6()
    / HopByHop(options=[IPv6UnknownOption(type=200)] * 250)
    / Fragment(more_fragments=True, next_header=253),
]


@pytest.mark.parametrize("headers", HEADERS, ids=["plain", "tags", "options", "IPv6", "hop-by-hop options"])
def test_no_more_memory_is_used_than_is_accounted_for(headers: Packet) -> None:
    rng = random.Random(3)
    marked = Fragment if Fragment in headers else IPv4
    packets = []
    for at in range(800):
        fields = {"identification": at // 10, "fragment_offset": rng.choice([0, rng.randint(0, 4000)])}
        packets.append(dissect(bytes(headers.replace(marked, **fields) / bytes(8 * rng.randint(1, 4)))))
    reassembler = Reassembler(overlap=Overlap.FIRST, max_bytes=500_000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for packet in packets:
            reassembler.push(packet)
            assert reassembler.used_bytes <= 500_000
            reassembler.take_failures()
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(reassembler) > 2
    assert used <= reassembler.used_bytes


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.binary(max_size=20), st.booleans(), st.integers(0, 3), st.booleans()),
        max_size=12,
    ),
    st.sampled_from(Overlap),
)
def test_whatever_comes_is_put_together_or_told(cuts: list[Any], overlap: Overlap) -> None:
    reassembler, wholes, begun = Reassembler(overlap=overlap), 0, 0
    for start, data, more, ecn, six in cuts:
        under_way, failed = len(reassembler), reassembler.failed.total()
        packet = part6(8 * start, data, more) if six else part4(8 * start, data, more, ecn=ecn)
        done = reassembler.push(packet)
        atomic = done is not None and len(done.numbers) == 1 and six and not start and not more
        wholes += done is not None and not atomic
        begun += (
            len(reassembler)
            - under_way
            + (reassembler.failed.total() - failed)
            + (done is not None and not atomic)
        )
    reassembler.finish()
    assert begun == wholes + len(reassembler.take_failures())
    assert (len(reassembler), reassembler.used_bytes) == (0, 0)


@pytest.mark.parametrize("name", ["ping-fragmented", "ping6-fragmented", "path-mtu6", "mausezahn-vlan"])
def test_damaged_captures_are_put_together_or_told(name: str) -> None:
    rng = random.Random(name)
    with open_capture(CAPTURES / f"{name}.pcapng") as capture:
        frames = [record.data for record in capture]
    reassembler = Reassembler(overlap=Overlap.LAST)
    for _ in range(100):
        for frame in frames:
            data = bytearray(frame)
            for _ in range(rng.randint(0, 3)):
                data[rng.randrange(min(80, len(data)))] = rng.randrange(256)
            packet = dissect(bytes(data[: rng.choice([len(data), rng.randint(0, len(data))])]))
            while done := reassembler.push(packet):
                packet = done.packet
                assert dissect(bytes(packet), packet.link_type) == packet
            if len(packet.layers) > 1:
                cut(packet, rng.randint(20, 600))
    reassembler.finish()
    assert all(map(str, reassembler.take_failures()))


def cut(packet: Packet, mtu: int) -> None:
    """Cut it, or be refused with the documented errors."""
    with suppress(FieldError, LayerError):
        fragment(packet, mtu, despite_dont_fragment=True)


# ---------------------------------------------------------------------- tshark


def with_fragments() -> list[Path]:
    """The fixtures, and those of the corpus, that have fragments of IP."""
    found = sorted(CAPTURES.glob("*.pcapng"))
    if not TCPDUMP.is_dir():
        give_up("the tcpdump project's captures are missing")
    return [path for path in [*found, *sorted(TCPDUMP.iterdir())] if _has_fragments(path)]


def _has_fragments(path: Path) -> bool:
    reassembler = Reassembler()
    try:
        with open_capture(path) as capture:
            return any(reassembler.push(record.packet()) or len(reassembler) for record in capture)
    except CaptureError:
        return False


FIELDS = [
    "frame.number",
    *(f"{ip}.{name}" for ip in ("ip", "ipv6") for name in ("fragment", "reassembled.length")),
]


def test_what_is_put_together_is_what_tshark_puts_together() -> None:
    require("tshark")
    compared = 0
    for path in with_fragments():
        options = [option for field in FIELDS for option in ("-e", field)]
        command = ["tshark", "-r", path, "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE", "-T", "fields"]
        told = subprocess.run([*command, *options], capture_output=True, text=True).stdout
        theirs = {}
        for row in told.splitlines():
            number, *both = row.split("\t")
            for numbers, length in (both[:2], both[2:]):
                if length:
                    theirs[int(number)] = numbers, int(length)
        assert ours_of(path) == theirs, path.name
        compared += len(theirs)
    assert compared > 60


def ours_of(path: Path) -> dict[int, tuple[str, int]]:
    """For each packet that completes a datagram: the numbers of its fragments, and the bytes in them."""
    reassembler, ours = Reassembler(), {}
    with open_capture(path) as capture:
        for record in capture:
            done = reassembler.push(record.packet(), record.time_ns, record.number)
            if done is not None and len(done.numbers) > 1:
                body = len(bytes(done.packet)) - done.packet.bounds()[done.upper - 1][1]
                ours[record.number] = ",".join(map(str, done.numbers)), body
    return ours


def test_the_fixtures_have_no_problem_when_put_together_and_are_cut_again_as_they_were() -> None:
    for path in sorted(CAPTURES.glob("ping*-fragmented.pcapng")):
        reassembler, frames = Reassembler(), []
        with open_capture(path) as capture:
            for record in capture:
                frames.append(record.data)
                if done := reassembler.push(record.packet()):
                    assert not done.packet.problems
                    again = fragment(done.packet, 1500, identification=done.datagram.identification)
                    assert [bytes(each) for each in again] == frames
                    frames = []
        assert not frames


# ---------------------------------------------------------------------- the floor


def test_no_module_of_the_floor_has_a_clock_a_socket_or_randomness() -> None:
    """They are passed in (style, habit 6)."""
    for path in (Path(rawkit.__file__).parent / "wire").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"time", "datetime", "socket", "random", "secrets"}
