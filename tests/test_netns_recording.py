"""Recordings: that they have all, or say what they lack; and what a relay says it did, beside what a host got."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Interface
from pathlib import Path

import pytest

from rawkit.errors import KernelError
from rawkit.lab import Wire
from rawkit.lab.live import RecordedLab
from rawkit.lab.records import records
from rawkit.layout import Severity
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab, Transit, nth, recording, swap
from rawkit.pcap import open_capture, write_capture
from rawkit.wire import UDP, ICMPv6, MLDv2Report

pytestmark = pytest.mark.root

PATIENCE = 30


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def pair(lab: Lab, **what: object) -> tuple[Host, Host]:
    """Two hosts on a link that know each other's link addresses."""
    a, b = lab.hosts("a", "b")
    lab.link(a, b, **what)  # type: ignore[arg-type]
    acquaint(a, b)
    return a, b


def acquaint(a: Host, b: Host) -> None:
    for one, other in ((a, b), (b, a)):
        for version in (4, 6):
            one.set_neighbor(str(other.address(version)), other.mac())


def send(a: Host, b: Host, payloads: Sequence[bytes], port: int = 9, version: int = 4) -> None:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with a.open(socket.socket, family, socket.SOCK_DGRAM) as sender:
        for payload in payloads:
            sender.sendto(payload, (str(b.address(version)), port))


def sent(transits: Sequence[Transit], link: str = "a-b") -> list[tuple[bytes, str]]:
    """Payloads and fates of the datagrams: not of those that an ICMP error quotes."""
    found = [(each, each.frame.packet()) for each in transits if each.link == link]
    return [(packet.payload, each.fate) for each, packet in found if isinstance(packet.layers[2], UDP)]


def arrived(b: Host) -> int:
    """How many datagrams came to where nobody was, as the kernel counts them."""
    counters = b.state().counters
    return counters["Udp.NoPorts"] + counters.get("Udp6.NoPorts", 0)


# ---------------------------------------------------------------------- all of it, or what is missing


@pytest.mark.parametrize("what", [{}, {"delay": 0.001}, {"drop": nth(3, where="tcp")}])
def test_a_burst_is_recorded_whole(lab: Lab, what: dict[str, object]) -> None:
    a, b = pair(lab, **what)
    count = 12_000 if not what else 6_000
    with lab.record() as recorded:
        with b.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("", 9))
            send(a, b, [bytes(1000)] * count)
        found = recorded.finish()
    lost = [fate for _, fate in sent(found) if fate.startswith("lost")]
    assert not recorded.missing
    assert len(sent(found)) == count
    counters = b.state().counters
    assert counters["Ip.InReceives"] == count - len(lost)


@pytest.mark.parametrize("what", [{}, {"drop": nth(3, where="tcp")}])
def test_what_is_missing_is_counted_and_no_question_depends_on_it(lab: Lab, what: dict[str, object]) -> None:
    a, b = pair(lab, **what)
    with lab.record() as recorded:
        send(a, b, [b"x"] * 21_000)
        send(a, b, [b"last"], port=99)
        found = recorded.finish()
    kept = len(sent(found))
    assert kept < 21_001 <= kept + recorded.missing.unheard
    wire = Wire(found, missing=recorded.missing.words)
    with pytest.raises(KernelError, match=r"dst_port=99: \d+ frames that crossed were not recorded"):
        wire.udp(dst_port=99).never()
    assert wire.udp(dst_port=9).at_least(kept - 1)


def test_what_the_kernel_had_no_room_for_is_counted(lab: Lab) -> None:
    a, b = pair(lab, mtu=65_535)
    with lab.record() as recorded:
        (recorder,) = [source.worker for source in recorded._sources]
        os.kill(recorder.pid, signal.SIGSTOP)
        send(a, b, [bytes(60_000)] * 1500)
        os.kill(recorder.pid, signal.SIGCONT)
        found = recorded.finish()
    assert len(sent(found)) + recorded.missing.unheard >= 1500
    assert arrived(b) == 1500
    assert recorded.missing.busy == ()


def test_a_link_that_is_slower_than_anybody_waits_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pair(lab, delay=1.0)
    with lab.record() as recorded:
        send(a, b, [b"slow"])
        with monkeypatch.context() as patched:
            patched.setattr(recording, "PATIENCE", 0.0)
            patched.setattr(recording, "LONGEST", 0.1)
            recorded.settle()
            assert arrived(b) == 0
            assert recorded.missing.words == "frames were still on their way on a-b"
        recorded.settle()
        assert not recorded.missing
    assert arrived(b) == 1


def test_it_waits_for_what_goes_through_several_slow_links(lab: Lab) -> None:
    a, b, s, t = *lab.hosts("a", "b"), lab.switch("s"), lab.switch("t")
    for ends, delay in (((t, b), 0.3), ((s, t), 0.05), ((a, s), 0.2)):  # not in the order of the way
        lab.link(*ends, delay=delay)
    acquaint(a, b)
    with lab.record() as recorded:
        send(a, b, [b"far"])
        found = recorded.finish()
    assert [sent(found, link) for link in ("a-s", "s-t", "t-b")] == [[(b"far", "")]] * 3
    assert arrived(b) == 1


def test_it_waits_for_what_a_narrow_link_has(lab: Lab) -> None:
    a, b = pair(lab, rate=20_000)
    with lab.record() as recorded:
        send(a, b, [bytes(1200)] * 5)
        recorded.settle()
        assert arrived(b) == 5


def test_the_fixture_waits_for_slow_links_too() -> None:
    with RecordedLab() as lab:
        a, b, s = *lab.hosts("a", "b"), lab.switch("s")
        lab.link(s, b, delay=0.2)
        lab.link(a, s, delay=0.2)
        acquaint(a, b)
        send(a, b, [b"far"])
        assert lab.wire.udp(dst_port=9).received_by("b").once()
        assert lab.wire.udp(dst_port=9).times(2)


def test_each_recording_has_all(lab: Lab) -> None:
    a, b = pair(lab, delay=0.001)
    with lab.record() as one, lab.record() as other:
        send(a, b, [b"1", b"2"])
        assert sent(other.finish()) == [(b"1", ""), (b"2", "")]
        send(a, b, [b"3"])
        assert sent(one.finish()) == [(b"1", ""), (b"2", ""), (b"3", "")]


def test_one_process_records_all_plain_links() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with RecordedLab() as lab:
        s = lab.switch("s")
        hosts = lab.hosts(*"abcd")
        lab.link(s, hosts[0])
        before = len(children.read_text().split())
        for host in hosts[1:]:
            lab.link(s, host)
        assert len(children.read_text().split()) == before


# ---------------------------------------------------------------------- what a relay does, and says


def test_loss_is_the_same_whatever_else_hosts_say() -> None:
    """Questions for link addresses have the EtherType of the IPv6 datagrams between which they come."""
    payloads = [bytes([number]) for number in range(12)]
    lost = []
    for asks in (False, True):
        with Lab() as lab:
            a, b = pair(lab, loss=0.4, seed=1)
            with lab.record() as recorded:
                send(a, b, payloads[:6], version=6)
                if asks:
                    a.run(["ping", "-6", "-c", "1", "-W", "1", "fd00:1::99"], capture_output=True)
                send(a, b, payloads[6:], version=6)
                found = recorded.finish()
            assert any(ICMPv6 in each.frame.packet() for each in found) or not asks
            lost.append([payload for payload, fate in sent(found) if fate == "lost"])
            assert arrived(b) == 12 - len(lost[-1])
    assert lost[0] == lost[1] != []


@pytest.mark.parametrize(
    ("what", "count", "order", "fates"),
    [
        ({"instructions": swap(1, 2)}, 2, [2, 1], ["trades places, as number 1", "trades places, as number 2"]),
        (
            {"instructions": swap(1, 3)},
            3,
            [3, 2, 1],
            ["trades places, as number 1", "waited for those that trade places", "trades places, as number 3"],
        ),
        (
            {"instructions": swap(1, 4)},
            2,
            [1, 2],
            [
                "waited to trade places, as number 1; number 4 did not come for it",
                "waited for those that trade places",
            ],
        ),
        (
            {"instructions": swap(1, 2, where="udp"), "drop": nth(2)},
            3,
            [1, 3],
            [
                "waited to trade places, as number 1 of 'udp'; number 2 did not come for it",
                "dropped, as number 2",
                "",
            ],
        ),
    ],
)
def test_what_trades_places_is_told_when_it_is_known(
    lab: Lab, what: dict[str, object], count: int, order: list[int], fates: list[str]
) -> None:
    a, b = pair(lab, **what)
    with b.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as receiver, lab.record() as recorded:
        receiver.bind(("", 9))
        receiver.settimeout(PATIENCE)
        for number in range(1, count + 1):
            send(a, b, [bytes([number])])
            recorded.settle()  # to ask changes nothing
            assert len(sent(recorded.transits())) == number
        assert [fate for _, fate in sent(recorded.finish())] == fates
        assert [receiver.recv(9)[0] for _ in order] == order


@pytest.mark.parametrize(("what", "usual"), [({"delay": 0.05, "jitter": 0.05}, 50), ({"rate": 200_000}, 0)])
def test_a_delay_that_is_not_the_link_s_own_is_told(lab: Lab, what: dict[str, object], usual: int) -> None:
    a, b = pair(lab, **what)
    payloads = [bytes([number]) * 1000 for number in range(8)]
    with b.open(PacketSocket, "eth0", filter="udp dst port 9") as receiver, lab.record() as recorded:
        send(a, b, payloads)
        found = {each.frame.packet().payload: each for each in recorded.finish() if sent([each])}
        frames = [receiver.receive(PATIENCE) for _ in payloads]
    for frame in frames:
        transit = found[frame.packet().payload]
        told = int(transit.fate.removeprefix("delayed by ").removesuffix(" ms")) if transit.fate else usual
        assert frame.time_ns - transit.frame.time_ns >= (told - 1) * 1_000_000
    assert sum(found[payload].fate.startswith("delayed by") for payload in payloads) >= 6


# ---------------------------------------------------------------------- what is in it


def reported(transits: Sequence[Transit]) -> list[list[str]]:
    """The groups in each report."""
    packets = [transit.frame.packet() for transit in transits]
    reports = [packet[MLDv2Report] for packet in packets if MLDv2Report in packet]
    return [[str(record.address) for record in report.records] for report in reports]


def test_only_groups_that_somebody_joined_are_reported(lab: Lab) -> None:
    a, _ = pair(lab)
    with lab.record() as recorded, a.open(socket.socket, socket.AF_INET6, socket.SOCK_DGRAM) as member:
        index = a.port().index
        a.netlink.add_address(index, IPv6Interface("fd00:9::9/64"))
        group = socket.inet_pton(socket.AF_INET6, "ff15::1234") + index.to_bytes(4, "little")
        member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        deadline = time.monotonic() + PATIENCE
        while not (reports := reported(recorded.transits())):
            assert time.monotonic() < deadline
            recorded.settle()
        assert all(groups[0] == "ff15::1234" for groups in reports)


def test_a_capture_knows_of_checksums_that_were_left_to_the_card(lab: Lab, tmp_path: Path) -> None:
    a, b = pair(lab)
    with lab.record() as recorded:
        send(a, b, [b"unfinished"])
        found = recorded.finish()
    file = tmp_path / "lab.pcapng"
    write_capture(str(file), records(found))
    with open_capture(file) as capture:
        (record,) = [record for record in capture if b"unfinished" in record.data[42:52]]
    assert record.packet().problems == ()
    problems = record._replace(comments=record.comments[:1]).packet().problems
    assert [(problem.layer, problem.severity) for problem in problems] == [("UDP", Severity.ERROR)]
