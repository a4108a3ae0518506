"""Fragments beside Linux: what its kernel puts together of ours, and how it cuts its own."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from programs import require

from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab
from rawkit.wire import (
    UDP,
    Ethernet,
    Fragment,
    ICMPv4,
    ICMPv4Echo,
    ICMPv6,
    ICMPv6Echo,
    IPv4,
    IPv6,
    Overlap,
    Packet,
    Reassembler,
    fragment,
)

pytestmark = pytest.mark.root

PATIENCE = 30
PROTOCOL = 253  # for experiments (RFC 3692)
MARK = b"the end of this trial"


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        yield a, b


@contextmanager
def one_processor() -> Iterator[None]:
    """Keep this thread on one processor: packets sent from several may overtake each other in the kernel."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# ---------------------------------------------------------------------- overlaps and other oddities


Cut = tuple[int, bytes, bool, int]
"""A fragment: where it starts, in units of 8 bytes; its bytes; whether more follow; its ECN."""


class Trial:
    """Fragments of one datagram, in the order in which they come."""

    def __init__(self, identification: int, fragments: list[Cut]) -> None:
        self.identification, self.fragments = identification, fragments

    def packets(self, version: int) -> Iterator[Packet]:
        for start, data, more, ecn in self.fragments:
            if version == 4:
                yield (
                    IPv4(
                        src="10.0.1.1",
                        dst="10.0.1.2",
                        identification=self.identification,
                        protocol=PROTOCOL,
                        fragment_offset=start,
                        more_fragments=more,
                        ecn=ecn,
                    )
                    / data
                )
            else:
                header = Fragment(
                    next_header=PROTOCOL,
                    identification=self.identification,
                    fragment_offset=start,
                    more_fragments=more,
                )
                yield IPv6(src="fd00:1::1", dst="fd00:1::2", traffic_class=ecn) / header / data


def wild(rng: random.Random, units: int, ecn: list[int]) -> Iterator[Cut]:
    """Fragments that have nothing to do with each other."""
    for _ in range(rng.randint(2, 7)):
        start = rng.randint(0, units - 1)
        stop = rng.randint(start + 1, units)
        length = 8 * (stop - start) - (rng.randint(1, 8) if rng.random() < 0.1 else 0)
        more = stop < units if rng.random() < 0.9 else rng.random() < 0.5
        yield start, rng.randbytes(length), more, rng.choice(ecn)


def tame(rng: random.Random, units: int, ecn: list[int]) -> list[Cut]:
    """All fragments of a datagram, perhaps in disorder, perhaps with one that others hold already."""
    bounds = sorted({0, units, *(rng.randint(1, units - 1) for _ in range(rng.randint(1, 4)))})
    data = rng.randbytes(8 * units - rng.randint(0, 7))

    def cut(low: int, high: int) -> Cut:
        start, stop = bounds[low], bounds[high]
        return start, data[8 * start : 8 * stop], stop < units, rng.choice(ecn)

    fragments = [cut(at, at + 1) for at in range(len(bounds) - 1)]
    if rng.random() < 0.7:
        rng.shuffle(fragments)
    if rng.random() < 0.5:
        low = rng.randrange(len(bounds) - 1)
        fragments.insert(rng.randint(1, len(fragments)), cut(low, rng.randint(low + 1, len(bounds) - 1)))
    return fragments


def drawn(seed: int) -> Trial:
    rng = random.Random(seed)
    ecn = rng.choice([[0], [1, 2], [2, 3], [1], [0, 2]]) if rng.random() < 0.4 else [0]
    fragments = [*rng.choice([wild, tame])(rng, rng.randint(2, 6), ecn)]
    return Trial(seed, fragments)


def whole(version: int, data: bytes) -> Packet:
    if version == 4:
        return IPv4(src="10.0.1.1", dst="10.0.1.2", protocol=PROTOCOL) / data
    return IPv6(src="fd00:1::1", dst="fd00:1::2", next_header=PROTOCOL) / data


def delivered_by_linux(hosts: tuple[Host, ...], version: int, trials: list[Trial]) -> list[list[bytes]]:
    """For each trial, what a raw socket of the receiving host gets (in IPv4 with type of service before it)."""
    a, b = hosts
    link = Ethernet(src=a.mac(), dst=b.mac())
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    outcomes: list[list[bytes]] = []
    with (
        one_processor(),
        a.open(PacketSocket, "eth0", protocol=0) as wire,
        b.open(socket.socket, family, socket.SOCK_RAW, PROTOCOL) as raw,
    ):
        raw.settimeout(PATIENCE)
        for trial in trials:
            for packet in trial.packets(version):
                wire.send(link / packet)
            wire.send(link / whole(version, MARK))
            got: list[bytes] = []
            while not (data := raw.recv(70_000)).endswith(MARK):
                got.append(data[1:2] + data[20:] if version == 4 else data)
            outcomes.append(got)
    return outcomes


def delivered_by_rawkit(version: int, trials: list[Trial], overlap: Overlap) -> list[list[bytes]]:
    outcomes: list[list[bytes]] = []
    reassembler = Reassembler(overlap=overlap)
    for trial in trials:
        got: list[bytes] = []
        for packet in trial.packets(version):
            if done := reassembler.push(packet):
                tos = bytes([done.packet[IPv4].ecn]) if version == 4 else b""
                got.append(tos + done.packet.payload)
        outcomes.append(got)
    return outcomes


versions = pytest.mark.parametrize("version", [4, 6])


@versions
def test_whatever_fragments_come_linux_delivers_what_the_default_policy_does(
    hosts: tuple[Host, ...], version: int
) -> None:
    trials = [drawn(seed) for seed in range(1, 700)]
    # What begins at 0 and is the last is no fragment.
    trials = [trial for trial in trials if all(start or more for start, _, more, _ in trial.fragments)]
    theirs, ours = (
        delivered_by_linux(hosts, version, trials),
        delivered_by_rawkit(version, trials, Reassembler().overlap),
    )
    for trial, linux, rawkit in zip(trials, theirs, ours, strict=True):
        assert rawkit == linux, (trial.identification, trial.fragments)
    assert 100 < sum(map(len, theirs)) < len(trials)
    for overlap in set(Overlap) - {Overlap.LINUX}:  # the trials tell it from every other policy
        assert delivered_by_rawkit(version, trials, overlap) != theirs, overlap


STEP = 1448  # a multiple of 8 for which IPv6 has room in 1500 bytes


def in_pieces(data: bytes) -> list[Cut]:
    return [(at // 8, data[at : at + STEP], at + STEP < len(data), 0) for at in range(0, len(data), STEP)]


SIZES = {4: 65_515, 6: 65_535}
"""The most that a datagram can hold."""


@versions
def test_the_longest_datagram_and_one_byte_more(hosts: tuple[Host, ...], version: int) -> None:
    data = random.Random(0).randbytes(65_536)
    trials = [Trial(at, in_pieces(data[: SIZES[version] + at])) for at in (0, 1)]
    first, second = delivered_by_linux(hosts, version, trials)
    assert first[0].endswith(data[: SIZES[version]])
    assert second == []
    assert delivered_by_rawkit(version, trials, Overlap.LINUX) == [first, second]


@versions
def test_a_fragment_that_reaches_too_far_is_ignored_in_ipv6_and_ends_the_datagram_in_ipv4(
    hosts: tuple[Host, ...], version: int
) -> None:
    fragments = [(0, b"12345678", True, 0), (8191, bytes(16), True, 0), (1, b"90", False, 0)]
    got = delivered_by_linux(hosts, version, [Trial(7, fragments)])
    assert got == [[b"1234567890"]] if version == 6 else got == [[]]
    assert delivered_by_rawkit(version, [Trial(7, fragments)], Overlap.LINUX) == got


# ---------------------------------------------------------------------- ours put together, theirs cut


@versions
@pytest.mark.parametrize("mtu", [68, 576, 1400])
def test_linux_answers_an_echo_request_in_our_fragments(hosts: tuple[Host, ...], version: int, mtu: int) -> None:
    a, b = hosts
    data = random.Random(mtu).randbytes(2000)
    network = IPv4(src=a.address(), dst=b.address(), identification=mtu)
    request = Ethernet(src=a.mac(), dst=b.mac()) / network / ICMPv4.echo(id=7) / data
    if version == 6:
        network6 = IPv6(src=a.address(6), dst=b.address(6))
        request = Ethernet(src=a.mac(), dst=b.mac()) / network6 / ICMPv6.echo(id=7) / data
    reassembler = Reassembler()
    wanted = "ip src 10.0.1.2" if version == 4 else "ip6 src fd00:1::2 and ip6[6] == 44"
    with a.open(PacketSocket, "eth0", filter=wanted) as wire:
        for packet in reversed(fragment(request, mtu, identification=mtu)):
            wire.send(packet)
        done = None
        while done is None:
            done = reassembler.push(wire.receive(PATIENCE).packet())
    reply = done.packet
    assert not reply.problems
    assert (reply[ICMPv4Echo if version == 4 else ICMPv6Echo].id, reply.payload) == (7, data)


@versions
@pytest.mark.parametrize("size", [1473, 5000, 60_000])
def test_linux_cuts_its_own_packets_as_we_do(hosts: tuple[Host, ...], version: int, size: int) -> None:
    require("ping")
    a, b = hosts
    wanted = "ip proto 1 and ip src 10.0.1.1" if version == 4 else "ip6 src fd00:1::1 and ip6[6] == 44"
    frames, done, reassembler = [], None, Reassembler()
    with b.open(PacketSocket, "eth0", filter=wanted) as wire:
        a.run(["ping", "-n", "-c1", "-W1", "-s", str(size), str(b.address(version))], capture_output=True)
        while done is None:
            frame = wire.receive(PATIENCE)
            frames.append(frame.data)
            done = reassembler.push(frame.packet())
    assert not done.packet.problems
    assert len(done.packet.payload) == size
    identification = done.datagram.identification
    assert [bytes(each) for each in fragment(done.packet, 1500, identification=identification)] == frames


def test_linux_copies_the_options_that_we_do(hosts: tuple[Host, ...]) -> None:
    """Linux writes no-operation over the others, so that the header keeps its length; RFC 791 leaves them out."""
    a, b = hosts
    with (
        b.open(PacketSocket, "eth0", filter="udp or ip[6:2] & 0x1fff != 0") as wire,
        a.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        router_alert, record_route = b"\x94\4\0\0", b"\7\x0b\4" + bytes(8)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, router_alert + record_route + b"\1")
        sender.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER, IP_PMTUDISC_DONT
        sender.sendto(bytes(4000), ("10.0.1.2", 9))
        theirs = [wire.receive(PATIENCE).packet() for _ in range(3)]
    reassembler = Reassembler()
    [done] = [done for packet in theirs if (done := reassembler.push(packet))]
    assert done.packet[UDP].length == 4008
    ours = fragment(done.packet, 1500)
    for mine, linux in zip(ours, theirs, strict=True):
        left = [option for option in linux[IPv4].options if option.kind != 1]
        assert [option for option in mine[IPv4].options if option.kind != 1] == left
    assert ours[0] == theirs[0]
