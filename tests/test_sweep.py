"""Sweeps: packets that differ in some fields, from expressions and from Python, beside scapy's implicit sets."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import pytest
from scapy.layers.inet import IP as ScapyIP
from scapy.layers.inet import TCP as ScapyTCP

from rawkit.errors import ExpressionError, FieldError, LayerError
from rawkit.views import read_expression, read_sweep
from rawkit.wire import TCP, UDP, ICMPv4Echo, IPv4, IPv6, Sweep, WindowScale

SYN = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=1, flags="S")


def test_the_order_is_that_of_nested_loops() -> None:
    sweep = read_sweep("IPv4(ttl=[3, 1, 2], dst='10.0.0.2') / TCP(dst_port=range(9, 0, -4), flags='S')")
    wanted = [*itertools.product([3, 1, 2], [9, 5, 1])]
    assert [(packet[IPv4].ttl, packet[TCP].dst_port) for packet in sweep] == wanted
    assert [*sweep] == [*sweep]  # as often as one likes
    assert len(sweep) == sweep.count == len(wanted)
    assert [*sweep.frames()] == [bytes(packet) for packet in sweep]


def test_the_order_is_that_in_which_they_are_written() -> None:
    sweep = read_sweep(
        "IPv4(dst=['10.0.0.2', '10.0.0.3'], ttl=[1, 2]) / ICMPv4.echo(seq=[5, 6], id=[7, 8]) / [b'a', b'b']"
    )
    assert [axis.field for axis in sweep.axes] == ["dst", "ttl", "seq", "id", "payload"]
    assert len(sweep) == 32
    first, second, third, *_ = sweep
    assert [(each[ICMPv4Echo].seq, each[ICMPv4Echo].id, each.payload) for each in (first, second, third)] == [
        (5, 7, b"a"),
        (5, 7, b"b"),
        (5, 8, b"a"),
    ]


def test_the_packets_are_those_of_scapys_implicit_sets() -> None:
    """In scapy too the rightmost layer changes fastest; within a layer its order is that of its own dictionary."""
    ours = read_sweep(
        "IPv4(src='10.0.0.1', dst='10.0.0.0/29', ttl=64) / "
        "TCP(src_port=1025, dst_port=[22, 80, 443], flags='S', seq=0, window=8192)"
    )
    theirs = ScapyIP(src="10.0.0.1", dst="10.0.0.0/29", id=0) / ScapyTCP(
        sport=1025, dport=[22, 80, 443], window=8192
    )
    hosts = {
        f"10.0.0.{number}" for number in range(1, 7)
    }  # scapy's sets have the network and broadcast address too
    assert [*ours.frames()] == [bytes(packet) for packet in theirs if packet.dst in hosts]
    ttls = Sweep(SYN, (IPv4, "ttl", [1, 2, 3]), (TCP, "dst_port", range(1, 1025)))
    same = ScapyIP(src="10.0.0.1", dst="10.0.0.2", id=0, ttl=[1, 2, 3]) / ScapyTCP(
        sport=1025, dport=(1, 1024), flags="S", window=64240
    )
    assert len(ttls) == 3072
    for frame, packet in itertools.islice(zip(ttls.frames(), same, strict=False), 1000, 1100):
        assert frame == bytes(packet)


@pytest.mark.parametrize(
    ("prefix", "hosts"),
    [
        ("192.0.2.0/29", [f"192.0.2.{host}" for host in range(1, 7)]),
        ("192.0.2.4/31", ["192.0.2.4", "192.0.2.5"]),  # RFC 3021
        ("192.0.2.4/32", ["192.0.2.4"]),
        ("fd00::4/126", ["fd00::5", "fd00::6", "fd00::7"]),  # RFC 4291, section 2.6.1
        ("fd00::4/127", ["fd00::4", "fd00::5"]),  # RFC 6164
        ("fd00::4/128", ["fd00::4"]),
    ],
)
def test_a_prefix_is_its_hosts(prefix: str, hosts: list[str]) -> None:
    header: Any = IPv6 if ":" in prefix else IPv4
    sweep = read_sweep(f"{header.__name__}(dst='{prefix}') / UDP(dst_port=9)")
    assert [str(packet[header].dst) for packet in sweep] == hosts


def test_huge_sweeps_are_counted_and_take_no_memory() -> None:
    sweep = read_sweep(
        "IPv6(src='fd00::1', dst='fd00::/64') / UDP(src_port=range(65536), dst_port=range(0, 65536, 3))"
    )
    assert sweep.count == (2**64 - 1) * 65536 * 21846
    with pytest.raises(OverflowError):
        len(sweep)
    tracemalloc.start()
    frames = sweep.frames()
    started = tracemalloc.get_traced_memory()[0]
    for frame in itertools.islice(frames, 70_000):
        last = frame
    grown = tracemalloc.get_traced_memory()[0] - started
    tracemalloc.stop()
    assert grown < 100_000
    packet = next(itertools.islice(sweep, 0, None))
    assert str(packet[IPv6].dst) == "fd00::1"
    assert last == bytes(packet.replace(UDP, src_port=69_999 // 21846, dst_port=69_999 % 21846 * 3))


def test_lists_stay_values_where_a_value_is_a_list() -> None:
    sweep = read_sweep("IPv4(dst='10.0.0.1') / TCP(dst_port=[1, 2], options=[WindowScale(shift=7)])")
    assert len(sweep) == 2
    assert [packet[TCP].options for packet in sweep] == [(WindowScale(shift=7),)] * 2
    route = read_sweep("IPv4(dst='10.0.0.1', options=[RecordRoute(route=['10.0.0.1', '10.0.0.2'])])")
    assert len(route) == 1


def test_a_sweep_of_nothing_is_one_packet() -> None:
    text = "IPv4(dst='10.0.0.2') / TCP(dst_port=1)"
    assert [*read_sweep(text)] == [read_expression(text)]
    assert len(read_sweep("b'hi'")) == 1


WRONG = [
    ("TCP(dst_port=range(1, 65537))", 13, "0 to 65535, got 65536"),
    ("TCP(dst_port=range(65536, 0, -1))", 13, "0 to 65535, got 65536"),
    ("TCP(dst_port=range(-1, 9))", 13, "got -1"),
    ("TCP(dst_port=[1, 70000])", 13, "0 to 65535, got 70000"),
    ("TCP(dst_port=[])", 13, "at least one"),
    ("TCP(dst_port=range(5, 5))", 13, "at least one"),
    ("TCP(dst_port=range(1, 9, 0))", 25, "step of a range is not 0"),
    ("TCP(dst_port=range())", 13, "one to three integers"),
    ("TCP(dst_port=range(1, 2, 3, 4))", 13, "one to three integers"),
    ("TCP(dst_port=range(stop=4))", 13, "one to three integers"),
    ("TCP(dst_port=range(1.5))", 19, "takes integers, got float"),
    ("TCP(dst_port=[1, range(2)])", 17, "values of one field"),
    ("range(5)", 0, "values of one field"),
    ("TCP(dst_port=1, src_port=[AUTO])", 25, "got AUTO"),
    ("TCP(dst_port=1, options=[WindowScale(shift=[1, 2])])", 43, "the packet's own headers"),
    ("IPv4(dst='10.0.0.5/24')", 9, "a prefix of IPv4 without bits behind its length"),
    ("IPv4(dst='10.0.0.0/33')", 9, "a prefix of IPv4"),
    ("IPv6(dst='fd00::/129')", 9, "a prefix of IPv6"),
    ("IPv4(dst='10.0.0.1') / []", 23, "at least one"),
    ("IPv4(dst='10.0.0.1') / [b'a', 1]", 30, "expected bytes"),
    ("IPv4(dst='10.0.0.1') / [b'a'] / b'b'", 23, "expected a header"),
    ("ICMPv4.time_exceeded(quoting=IPv4(dst='10.0.0.1', ttl=[1, 2]))", 54, "the packet itself"),
    ("IPv4(dst='10.0.0.1') / Trailer(b'x', 5)", 23, "the number of a layer, 0 to 0"),
    ("ICMPv4.echo(id=range(70000))", 15, "got 69999"),
]


@pytest.mark.parametrize(("text", "position", "words"), WRONG)
def test_wrong_sweeps_are_one_clear_error_at_once(text: str, position: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_sweep(text)
    assert words in caught.value.reason
    assert caught.value.position == position


@pytest.mark.parametrize("text", ["TCP(dst_port=[1])", "TCP(dst_port=range(9))", "IPv4(dst='10.0.0.1') / [b'a']"])
def test_one_packet_is_no_sweep(text: str) -> None:
    with pytest.raises(ExpressionError, match="one is wanted here"):
        read_expression(text)


def test_sweeps_in_python_refuse_what_does_not_fit() -> None:
    for wrong in ([], [65536], range(0), range(70_000), "80", 80, None, "10.0.0.0/24"):
        with pytest.raises(FieldError) as caught:
            Sweep(SYN, (TCP, "dst_port", wrong))  # type: ignore[arg-type]
        assert (caught.value.header, caught.value.field) == ("TCP", "dst_port")
    with pytest.raises(LayerError):
        Sweep(SYN, (UDP, "dst_port", [1]))
    with pytest.raises(FieldError, match="list of at least one bytes"):
        Sweep(SYN, (2, "payload", ["text"]))
    assert [packet.payload for packet in Sweep(SYN, (2, "payload", [b"a", b""]))] == [b"a", b""]
    over = Sweep(SYN, (TCP, "dst_port", [7, 8])).based_on(SYN.replace(IPv4, ttl=9))
    assert [(packet[IPv4].ttl, packet[TCP].dst_port) for packet in over] == [(9, 7), (9, 8)]
    assert repr(over).startswith("Sweep(IPv4(ttl=9,")
