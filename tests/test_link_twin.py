"""One list of cases through the in-memory link and the real sockets: the twin tells the truth."""

from __future__ import annotations

import errno
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.packet import Raw

from rawkit.errors import FieldError, KernelError, TimedOut
from rawkit.link import Direction, MemoryLink, PacketSocket, RawIPv4Socket
from rawkit.netns import Lab
from rawkit.wire.link_type import LinkType

MTU = 1500
PATIENCE = 30  # seconds for what comes at once, on however slow a machine


@dataclass
class Pair:
    """Two ends, how to send from the first, and how to make a packet of a length that passes unchanged."""

    a: Any
    b: Any
    send: Callable[[Any], None]
    make: Callable[[int], bytes]
    link_type: LinkType
    shortest: int
    longest: int


def ethernet(length: int) -> bytes:
    head = bytes.fromhex("020000000200 020000000100 88b5")
    return head + bytes(index % 251 for index in range(length - len(head)))


def ipv4(length: int) -> bytes:
    return bytes(IP(src="10.0.1.1", dst="10.0.1.2", proto=253, id=7) / bytes(length - 20))


@pytest.fixture(
    params=[
        "memory ethernet",
        "memory ipv4",
        pytest.param("packet socket", marks=pytest.mark.root),
        pytest.param("raw socket", marks=pytest.mark.root),
    ]
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param.startswith("memory"):
        link_type = LinkType.ETHERNET if "ethernet" in request.param else LinkType.IPV4
        with MemoryLink(link_type, mtu=MTU) as link:
            a, b = link.ends("eth0", "eth0")
            if link_type is LinkType.ETHERNET:
                yield Pair(a, b, a.send, ethernet, link_type, 14, MTU + 14)
            else:
                yield Pair(a, b, lambda data: a.send(data, "10.0.1.2"), ipv4, link_type, 20, MTU)
        return
    with Lab() as lab:
        left, right = lab.hosts("a", "b")
        lab.link(left, right, mtu=MTU)
        if request.param == "packet socket":
            with (
                left.open(PacketSocket, "eth0", filter="ether proto 0x88b5") as a,
                right.open(PacketSocket, "eth0", filter="ether proto 0x88b5") as b,
            ):
                yield Pair(a, b, a.send, ethernet, LinkType.ETHERNET, 14, MTU + 14)
        else:
            with left.open(RawIPv4Socket, 253) as a, right.open(RawIPv4Socket, 253) as b:
                yield Pair(a, b, lambda data: a.send(data, "10.0.1.2"), ipv4, LinkType.IPV4, 20, MTU)


def test_a_frame_arrives_unchanged_with_what_is_known_about_it(pair: Pair) -> None:
    sent = pair.make(100)
    before = time.time_ns()
    pair.send(sent)
    frame = pair.b.receive(PATIENCE)
    assert frame.data == sent
    assert (frame.wire_length, frame.link_type, frame.interface) == (100, pair.link_type, "eth0")
    assert frame.direction is Direction.INCOMING
    assert not frame.checksum_unfinished
    assert before <= frame.time_ns <= time.time_ns()


def test_frames_arrive_in_order(pair: Pair) -> None:
    sent = [pair.make(60 + number) for number in range(50)]
    for data in sent:
        pair.send(data)
    assert [pair.b.receive(PATIENCE).data for _ in sent] == sent


def test_an_end_does_not_receive_what_it_sent(pair: Pair) -> None:
    pair.send(pair.make(60))
    pair.b.receive(PATIENCE)
    with pytest.raises(TimedOut):
        pair.a.receive(0)


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_nothing_comes_in_time(pair: Pair, seconds: float) -> None:
    with pytest.raises(TimedOut) as caught:
        pair.b.receive(seconds)
    assert caught.value.seconds == seconds


def test_a_waiting_receiver_is_woken(pair: Pair) -> None:
    received = []
    thread = threading.Thread(target=lambda: received.append(pair.b.receive(PATIENCE).data))
    thread.start()
    pair.send(pair.make(60))
    thread.join()
    assert received == [pair.make(60)]


def test_a_selector_says_when_there_is_something(pair: Pair) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pair.b, selectors.EVENT_READ)
        assert selector.select(0) == []
        pair.send(pair.make(60))
        pair.send(pair.make(61))
        assert selector.select(PATIENCE)
        pair.b.receive(0)
        assert selector.select(PATIENCE)
        pair.b.receive(PATIENCE)
        assert selector.select(0) == []


@pytest.mark.parametrize("kind", [bytearray, memoryview, Raw])
def test_whatever_becomes_bytes_can_be_sent(pair: Pair, kind: Callable[[bytes], Any]) -> None:
    sent = pair.make(60)
    pair.send(kind(sent))
    assert pair.b.receive(PATIENCE).data == sent


def test_the_shortest_and_the_longest_pass(pair: Pair) -> None:
    for length in (pair.shortest, pair.longest):
        pair.send(pair.make(length))
        assert pair.b.receive(PATIENCE).data == pair.make(length)


def test_longer_than_the_mtu_is_refused(pair: Pair) -> None:
    with pytest.raises(KernelError, match="MTU") as caught:
        pair.send(pair.make(pair.longest + 1))
    assert caught.value.errno == errno.EMSGSIZE


def test_shorter_than_the_header_is_refused(pair: Pair) -> None:
    with pytest.raises(KernelError) as caught:
        pair.send(pair.make(60)[: pair.shortest - 1])
    assert caught.value.errno == errno.EINVAL


def test_a_closed_end_says_so(pair: Pair) -> None:
    pair.a.close()
    pair.a.close()
    assert pair.a.fileno() == -1
    for use in (lambda: pair.send(pair.make(60)), lambda: pair.a.receive(0)):
        with pytest.raises(KernelError, match="closed") as caught:
            use()
        assert caught.value.errno == errno.EBADF


def test_a_timeout_that_is_no_number_is_refused(pair: Pair) -> None:
    with pytest.raises(FieldError, match=r"timeout: expected a number of seconds, .* got nan"):
        pair.a.receive(float("nan"))


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_a_timeout_can_be_as_long_as_one_likes(pair: Pair, seconds: float) -> None:
    threading.Timer(0.01, pair.send, [pair.make(60)]).start()
    assert pair.b.receive(seconds).data == pair.make(60)


def test_a_negative_timeout_is_over_at_once(pair: Pair) -> None:
    with pytest.raises(TimedOut):
        pair.b.receive(-1)
