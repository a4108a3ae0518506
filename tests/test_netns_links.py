"""Links that do things to frames, and recordings of them: as ping, tcpdump and the kernels saw it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from programs import require

from rawkit.errors import FieldError, FilterError, KernelError
from rawkit.netns import Host, Lab, Transit, hold, nth, swap
from rawkit.netns.listening import NOISE
from rawkit.pcap import open_capture
from rawkit.wire import UDP, ICMPv4Echo

pytestmark = pytest.mark.root

REQUESTS = "icmp[icmptype] == icmp-echo"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def ping(host: Host, to: Host, count: int, *options: str, seconds: int = 1) -> str:
    """What ping says. It goes on for so long, and beyond `count`, unless so many are answered."""
    require("ping")
    arguments = ["ping", "-n", "-c", str(count), "-i", "0.02", "-w", str(seconds), *options, str(to.address())]
    return str(host.run(arguments, capture_output=True, text=True, timeout=60).stdout)


def answered(said: str, count: int) -> list[int]:
    """Which of the first so many were answered, in the order in which the answers came."""
    numbers = [int(number) for number in re.findall(r"icmp_seq=(\d+)", said)]
    return [number for number in numbers if number <= count]


def requests(transits: list[Transit], count: int) -> list[tuple[int, str]]:
    """Sequence number and fate of the first so many echo requests."""
    packets = [(transit, transit.frame.packet()) for transit in transits]
    return [
        (packet[ICMPv4Echo].seq, transit.fate)
        for transit, packet in packets
        if ICMPv4Echo in packet and packet[ICMPv4Echo].type == 8 and packet[ICMPv4Echo].seq <= count
    ]


def impaired(lab: Lab, **what: object) -> tuple[Host, Host]:
    a, b = lab.hosts("a", "b")
    lab.link(a, b, **what)  # type: ignore[arg-type]
    return a, b


def test_a_link_of_a_lab_that_was_made_in_a_thread_which_has_ended() -> None:
    made: list[tuple[Lab, Host, Host]] = []

    def make() -> None:
        lab = Lab()
        made.append((lab, *impaired(lab, delay=0.001)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    ((lab, a, b),) = made
    with lab:
        assert answered(ping(a, b, 1, seconds=10), 1) == [1]


def test_a_link_whose_relay_was_killed_cannot_be_recorded(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    relay = lab.link(a, b, delay=0.001).relay
    assert relay is not None
    os.kill(relay.pid, signal.SIGKILL)
    relay.wait(60)
    with pytest.raises(KernelError, match="record what crosses a-b: its relay was killed"):
        lab.record()


def test_exactly_the_frame_that_was_named_is_dropped(lab: Lab) -> None:
    a, b = impaired(lab, drop=nth(2, where=REQUESTS))
    with lab.record() as recording:
        assert answered(ping(a, b, 4), 4) == [1, 3, 4]
        dropped = f"dropped, as number 2 of {REQUESTS!r}"
        assert requests(recording.finish(), 4) == [(1, ""), (2, dropped), (3, ""), (4, "")]


def test_two_frames_trade_places(lab: Lab) -> None:
    a, b = impaired(lab, instructions=[swap(2, 4, where=REQUESTS)])
    with lab.record() as recording:
        assert answered(ping(a, b, 5), 5) == [1, 4, 3, 2, 5]
        assert [number for number, fate in requests(recording.finish(), 5) if fate] == [2, 3, 4]


def test_one_between_two_that_trade_places_may_be_dropped(lab: Lab) -> None:
    a, b = impaired(lab, instructions=[swap(2, 4, where=REQUESTS)], drop=nth(3, where=REQUESTS))
    assert answered(ping(a, b, 5), 5) == [1, 4, 2, 5]


def test_frames_whose_partner_never_comes_go_on(lab: Lab) -> None:
    a, b = impaired(lab, instructions=[swap(2, 4, where=f"{REQUESTS} and icmp[7] < 4")])
    assert sorted(answered(ping(a, b, 3, seconds=3), 3)) == [1, 2, 3]


def test_a_frame_that_is_held_is_overtaken(lab: Lab) -> None:
    a, b = impaired(lab, instructions=[hold(1, for_ms=300, where=REQUESTS)])
    assert answered(ping(a, b, 30), 3) == [2, 3, 1]


def test_frames_that_one_end_sends_are_counted_alone(lab: Lab) -> None:
    a, b = impaired(lab, drop=[nth(1, sent_by="b"), nth(3, sent_by="a")])
    assert answered(ping(a, b, 4), 4) == [2, 4]


def test_loss_is_the_same_for_the_same_seed() -> None:
    lost = [lost_of_thirty(seed) for seed in (4, 4, 8)]  # with which the first question for an address is not lost
    assert lost[0] == lost[1] != lost[2]
    assert 0 < len(lost[0]) < 30


def lost_of_thirty(seed: int) -> set[int]:
    with Lab() as lab:
        a, b = impaired(lab, loss=0.2, seed=seed)
        with lab.record() as recording:
            back = answered(ping(a, b, 30, seconds=2), 30)
            sent = requests(recording.finish(), 30)
    lost = {number for number, fate in sent if fate == "lost"}
    assert len(sent) == 30
    assert not lost & set(back)
    return lost


def test_delay_is_on_either_way(lab: Lab) -> None:
    a, b = impaired(lab, delay=0.05)
    times = re.findall(r"time=([\d.]+) ms", ping(a, b, 3))
    assert len(times) >= 3
    assert all(float(time) >= 100 for time in times)


def test_doubled_frames_come_twice(lab: Lab) -> None:
    a, b = impaired(lab, duplicate=1.0)
    said = ping(a, b, 2)
    assert "DUP!" in said


def test_every_frame_is_corrupted(lab: Lab) -> None:
    a, b = impaired(lab, corrupt=1.0)
    with lab.record() as recording:
        ping(a, b, 1)
        assert all("corrupted" in transit.fate for transit in recording.finish())


def test_a_recording_waits_for_what_a_slow_link_has(lab: Lab) -> None:
    """Longer than anything else in a lab takes."""
    a, b = impaired(lab, delay=2.5)
    a.set_neighbor(str(b.address()), b.mac())
    with lab.record() as recording:
        with a.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"slow", (str(b.address()), 9))
        packets = [transit.frame.packet() for transit in recording.finish()]
    assert any(UDP in packet and packet.payload == b"slow" for packet in packets)
    assert b.state().counters["Udp.NoPorts"] == 1  # it has arrived


def test_a_relay_that_was_killed_is_told(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    cable = lab.link(a, b, delay=0.001)
    assert cable.relay is not None
    with lab.record() as recording:
        os.kill(cable.relay.pid, signal.SIGKILL)
        with pytest.raises(KernelError, match="a process of the lab was killed"):
            recording.settle()


def test_a_rate_is_not_exceeded(lab: Lab) -> None:
    a, b = impaired(lab, rate=1_000_000)
    times = [float(time) for time in re.findall(r"time=([\d.]+) ms", ping(a, b, 2, "-s", "1400", seconds=3))]
    least = 2 * (1400 + 8 + 20 + 14) * 8 / 1_000_000 * 1000
    assert len(times) >= 2
    assert min(times) >= least


def test_a_recording_has_what_tcpdump_has(lab: Lab, tmp_path) -> None:  # type: ignore[no-untyped-def]
    require("tcpdump")
    a, b, s = *lab.hosts("a", "b"), lab.switch("s")
    lab.link(a, s)
    lab.link(b, s, delay=0.001)
    file = tmp_path / "tcpdump.pcap"
    with lab.record() as recording:
        tcpdump = a.popen(
            ["tcpdump", "-i", "eth0", "-U", "--immediate-mode", "-w", str(file), f"not ({NOISE})"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tcpdump.stderr is not None
        with tcpdump.stderr as said:
            next(line for line in said if "listening" in line)
            ping(a, b, 3)
            transits = [transit for transit in recording.finish() if transit.link == "a-s"]
            tcpdump.terminate()
            tcpdump.wait(30)
    with open_capture(file) as capture:
        theirs = [record.data for record in capture]
    ours = [transit.frame.data for transit in transits]
    at = ours.index(theirs[0])  # what came before tcpdump listened
    marks = [data for data in theirs if data[12:14] == b"\x88\xb6"]
    assert ours[at:] == [data for data in theirs if data not in marks][: len(ours) - at]
    assert {transit.sender for transit in transits} == {"a", "s"}


def test_unfinished_checksums_are_told(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    with lab.record() as recording:
        a.run(["sh", "-c", f"echo hi > /dev/udp/{b.address()}/9"], executable="/bin/bash", capture_output=True)
        a.run(["bash", "-c", f"echo hi > /dev/udp/{b.address()}/9"], capture_output=True)
        sent = [transit.frame for transit in recording.finish() if b"hi\n" in transit.frame.data]
    assert sent[0].checksum_unfinished
    assert sent[0].packet().problems == ()


def test_netem_does_it_or_says_that_it_is_missing(lab: Lab) -> None:
    require("tc")
    a, b = lab.hosts("a", "b")
    known = a.run(["tc", "qdisc", "add", "dev", "lo", "root", "netem"], capture_output=True).returncode == 0
    with nullcontext() if known else pytest.raises(KernelError, match="no netem; leave backend='netem' out"):
        lab.link(a, b, loss=0.1, backend="netem")
    shown = a.run(["tc", "qdisc", "show", "dev", "eth0"], capture_output=True, text=True).stdout
    assert ("netem" in shown) == known


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"loss": 1.5}, FieldError),
        ({"delay": -1}, FieldError),
        ({"delay": float("nan")}, FieldError),
        ({"rate": -5}, FieldError),
        ({"reorder": 0.5}, FieldError),
        ({"drop": nth()}, FieldError),
        ({"drop": nth(0)}, FieldError),
        ({"drop": nth(1, where="no such thing")}, FilterError),
        ({"instructions": [swap(5, 4)]}, FieldError),
        ({"instructions": [swap(2, 4), swap(3, 5)]}, FieldError),
        ({"instructions": [swap(2, 4), hold(3, for_ms=1)]}, FieldError),
        ({"instructions": swap(4, 5), "drop": nth(5)}, FieldError),
        ({"instructions": [hold(1, for_ms=0)]}, FieldError),
        ({"drop": nth(1), "backend": "netem"}, FieldError),
        ({"backend": "magic"}, FieldError),
    ],
)
def test_what_cannot_be_is_refused(lab: Lab, what: dict[str, object], error: type[Exception]) -> None:
    a, b = lab.hosts("a", "b")
    with pytest.raises(error):
        lab.link(a, b, **what)  # type: ignore[arg-type]
    assert a.interfaces == ()
    lab.link(a, b)
    assert answered(ping(a, b, 1), 1) == [1]
