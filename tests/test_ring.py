"""The receive ring against the packet socket, tcpdump's captures and the kernel's own counters."""

from __future__ import annotations

import errno
import io
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from other_readers import output
from programs import require
from scapy.utils import RawPcapReader
from unprivileged import run_as_nobody, script

from rawkit.errors import FieldError, FilterError, InterfaceError, KernelError, TimedOut
from rawkit.link import Direction, Frame, PacketRing, PacketSocket, Receiver
from rawkit.netns import Host, Lab
from rawkit.pcap import CapturedPacket, CaptureWriter, Interface
from rawkit.pcap.filter import compile_filter
from rawkit.wire import LinkType

pytestmark = pytest.mark.root

PATIENCE = 30
OURS = "ether proto 0x88b5"
A, B = bytes.fromhex("020000000100"), bytes.fromhex("020000000200")
TYPE = b"\x88\xb5"  # for experiments (IEEE 802)
QUIET = "not ip6"  # which hosts send by themselves
AGAIN = B + A + TYPE + b"again"
SMALL = 256 * 1024  # two blocks, where the snaplen is small


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        yield a, b


def send(host: Host, *frames: bytes) -> None:
    with host.open(PacketSocket, "eth0", protocol=0) as link:
        link.send_many(frames)


def drain(ring: PacketRing) -> list[Frame]:
    """All that came, when nothing more is let in."""
    ring.stop()
    frames: list[Frame] = []
    while True:
        try:
            frames += ring.receive_many(0)
        except TimedOut:
            return frames


def captured(ring: PacketRing) -> Iterator[CapturedPacket]:
    """All that came, when nothing more is let in."""
    with suppress(TimedOut):
        while True:
            yield from ring.capture(0)


def numbered(count: int, size: int = 100) -> list[bytes]:
    return [B + A + TYPE + number.to_bytes(4) + bytes(size) for number in range(count)]


def test_it_receives_what_the_packet_socket_does(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    tagged = [B + A + tpid + b"\xa0\x05" + TYPE + b"payload" for tpid in (b"\x81\x00", b"\x88\xa8")]
    strangers = [other + A + TYPE for other in (b"\xff" * 6, bytes.fromhex("01005e000001"), b"\2" + b"\xff" * 5)]
    with (
        b.open(PacketSocket, "eth0", filter=QUIET) as peer,
        b.open(PacketRing, "eth0", filter=QUIET, retire_ms=1) as ring,
    ):
        send(a, *tagged, *strangers, B + A + TYPE + bytes(1500))
        send(b, A + B + TYPE)
        theirs = [peer.receive(PATIENCE) for _ in range(7)]
        assert [ring.receive(PATIENCE) for _ in range(7)] == theirs
    assert [frame.data for frame in theirs[:2]] == tagged
    assert theirs[-1].direction is Direction.OUTGOING


@pytest.mark.parametrize("offload", [True, False])
def test_unfinished_checksums_are_marked(offload: bool) -> None:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b, offload=offload)
        with (
            b.open(PacketRing, "eth0", filter="udp port 9", retire_ms=1) as ring,
            a.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            udp.sendto(b"hello", ("10.0.1.2", 9))
            assert ring.receive(PATIENCE).checksum_unfinished is offload


@pytest.mark.parametrize("snaplen", [16, 20, 64])
@pytest.mark.parametrize("tag", [b"", b"\x81\x00\x00\x05"])
def test_snaplen_cuts_what_is_kept_and_not_what_is_told(hosts: tuple[Host, ...], snaplen: int, tag: bytes) -> None:
    a, b = hosts
    frame = B + A + tag + TYPE + bytes(range(200))
    uncut = compile_filter(QUIET, LinkType.ETHERNET)
    # The kernel takes tags off before it gives frames to a socket for one EtherType.
    plain = {"filter": QUIET} if tag else {"protocol": 0x88B5}
    with (
        b.open(PacketRing, "eth0", snaplen=snaplen, retire_ms=1, **plain) as ring,
        b.open(PacketRing, "eth0", snaplen=snaplen, retire_ms=1, **plain) as captured,
        b.open(PacketRing, "eth0", snaplen=snaplen, retire_ms=1, program=uncut) as given,
        b.open(PacketRing, "eth0", snaplen=snaplen, retire_ms=1, filter=OURS if not tag else "vlan") as filtered,
    ):
        send(a, frame)
        for each in (ring, given, filtered):
            got = each.receive(PATIENCE)
            assert (got.data, got.wire_length) == (frame[:snaplen], len(frame))
        assert captured.capture(PATIENCE) == [(got.time_ns, frame[:snaplen], len(frame))]


def test_a_vlan_tag_of_a_program_and_of_a_filter(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    tagged = B + A + b"\x81\x00\x00\x05" + TYPE + b"payload"
    with (
        b.open(PacketRing, "eth0", filter="vlan 5", retire_ms=1) as ours,
        b.open(PacketRing, "eth0", filter="vlan 6", retire_ms=1) as other,
    ):
        send(a, tagged)
        assert ours.receive(PATIENCE).data == tagged
        assert drain(other) == []


def test_tcpdump_captures_the_same_bytes_at_the_same_time(hosts: tuple[Host, ...]) -> None:
    require("tcpdump")
    a, b = hosts
    sent = numbered(3000)
    command = ["tcpdump", "-Z", "root", "-i", "eth0", "--nano", "-U", "-w", "-", "-c", "3000", "-n", OURS]
    with b.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tcpdump:
        assert b"listening" in tcpdump.stderr.readline()
        with b.open(PacketRing, "eth0", filter=OURS) as ring:
            send(a, *sent)
            capture, _ = tcpdump.communicate(timeout=PATIENCE)
            ours = drain(ring)
    theirs = list(RawPcapReader(io.BytesIO(capture)))
    assert [frame.data for frame in ours] == [data for data, _ in theirs] == sent
    assert [frame.time_ns for frame in ours] == [at.sec * 10**9 + at.usec for _, at in theirs]


@pytest.mark.parametrize("sizes", [[100], [100, 101], [100] * 90 + [1400] * 90, [60] * 64 + [61]])
def test_packets_of_one_size_in_a_row_are_captured_as_others_are(
    hosts: tuple[Host, ...], sizes: list[int]
) -> None:
    a, b = hosts
    frames = [frame + bytes(sizes[index % len(sizes)]) for index, frame in enumerate(numbered(1000, 0))]
    with b.open(PacketRing, "eth0", filter=OURS) as ring, b.open(PacketRing, "eth0", filter=OURS) as other:
        send(a, *frames)
        ring.stop()
        other.stop()
        taken = list(captured(ring))
        assert [(frame.time_ns, frame.data, frame.wire_length) for frame in drain(other)] == taken
        assert ring.statistics() == (1000, 0)
    assert [data for _, data, _ in taken] == frames


def test_a_run_keeps_to_the_snaplen_and_leaves_tagged_frames_out(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    plain = numbered(100)
    tagged = [frame[:12] + b"\x81\x00\x00\x05" + frame[12:] for frame in plain]
    frames = plain + tagged + plain
    with b.open(PacketRing, "eth0", filter=QUIET, snaplen=50) as ring:
        send(a, *frames)
        ring.stop()
        assert [taken[1:] for taken in captured(ring)] == [(frame[:50], len(frame)) for frame in frames]


def test_a_run_outlives_its_ring(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketRing, "eth0", filter=OURS) as ring:
        send(a, *numbered(100))
        ring.stop()
        run = ring.capture(0)
        assert not isinstance(run, list)
    assert [data for _, data, _ in run] == numbered(100)


@pytest.mark.parametrize("ending", ["pcap", "pcapng"])
def test_a_run_is_written_as_its_packets_are(hosts: tuple[Host, ...], tmp_path: Path, ending: str) -> None:
    require("tcpdump")
    a, b = hosts
    paths = [tmp_path / f"{name}.{ending}" for name in ("run", "packets")]
    interface = Interface(0, LinkType.ETHERNET, 262_144, "eth0")
    with b.open(PacketRing, "eth0", filter=OURS) as ring:
        send(a, *numbered(100, 101))
        ring.stop()
        run = ring.capture(0)
        for path, packets in zip(paths, (run, list(run)), strict=True):
            with CaptureWriter(path, interfaces=[interface]) as writer:
                writer.write_many(packets, interface)
        assert len(run) == 100
    run_bytes, packet_bytes = (path.read_bytes() for path in paths)
    assert run_bytes == packet_bytes
    told = output("tcpdump", "-r", paths[0], "-tt", "--nano", "-q")
    assert [line.split()[0] for line in told] == [f"{at // 10**9}.{at % 10**9:09}" for at, _, _ in run]


def test_a_filter_is_in_force_before_the_first_frame(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    stop = threading.Event()
    program = compile_filter(OURS, LinkType.ETHERNET)
    with a.open(PacketSocket, "eth0", protocol=0) as sender:

        def flood() -> None:
            while not stop.is_set():
                sender.send_many([B + A + b"\x88\xb6" + b"noise", B + A + TYPE] * 10)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            for chosen in ({"filter": OURS}, {"program": program}) * 3:
                with b.open(PacketRing, "eth0", retire_ms=1, **chosen) as ring:
                    assert {frame.data for frame in ring.receive_many(PATIENCE)} == {B + A + TYPE}
        finally:
            stop.set()
            thread.join()


def test_outgoing_frames_on_request_only(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with (
        a.open(PacketRing, "eth0", filter=OURS, retire_ms=1) as both,
        a.open(PacketRing, "eth0", filter=OURS, retire_ms=1, outgoing=False) as incoming,
    ):
        send(a, B + A + TYPE + b"out")
        send(b, A + B + TYPE + b"in")
        assert [frame.direction for frame in drain(both)] == [Direction.OUTGOING, Direction.INCOMING]
        assert [frame.direction for frame in drain(incoming)] == [Direction.INCOMING]


def test_a_reader_that_stops_loses_frames_and_is_told_exactly_how_many(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketRing, "eth0", filter=OURS, snaplen=2000, size=SMALL, retire_ms=1000) as ring:
        sent = numbered(1000, size=1000)
        send(a, *sent)
        deadline = time.monotonic() + PATIENCE
        while ring.statistics().packets < len(sent):  # the kernel may deliver the last ones a little later
            assert time.monotonic() < deadline
        packets, drops = ring.statistics()
        assert packets == len(sent)
        assert drops > 0
        got = drain(ring)
        assert [frame.data for frame in got] == sent[: len(sent) - drops]
        assert ring.freezes > 0
    assert ring.statistics() == (packets, drops)  # also when it is closed


def test_frames_after_a_full_ring_are_received_again(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketRing, "eth0", filter=OURS, snaplen=2000, size=SMALL, retire_ms=1) as ring:
        send(a, *numbered(1000, size=1000))
        got: set[bytes] = set()
        while AGAIN not in got:
            got.update(frame.data for frame in ring.receive_many(PATIENCE))
            send(a, AGAIN)


def test_what_came_is_there_once_it_is_stopped_and_nothing_later(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketRing, "eth0", filter=OURS, retire_ms=500) as ring:
        sent = numbered(20)
        send(a, *sent)
        ring.stop()
        send(a, B + A + TYPE + b"late")
        assert [frame.data for frame in drain(ring)] == sent
        assert ring.statistics() == (20, 0)


def test_a_selector_sees_every_frame_that_can_be_received(hosts: tuple[Host, ...]) -> None:
    """One at a time out of a block of many: the descriptor stays readable to the last, and no longer."""
    a, b = hosts
    with b.open(PacketRing, "eth0", filter=OURS, retire_ms=1) as ring:
        receiver: Receiver = ring
        sent = numbered(50)
        send(a, *sent)
        got = []
        while len(got) < len(sent):
            assert select.select([receiver], [], [], PATIENCE)[0] == [receiver]
            got.append(receiver.receive(0).data)
        assert got == sent
        assert select.select([receiver], [], [], 0)[0] == []
        with pytest.raises(TimedOut):
            receiver.receive(0)


def test_no_such_interface_and_one_that_is_down(hosts: tuple[Host, ...]) -> None:
    require("ip")
    with pytest.raises(InterfaceError, match="rawkit interfaces"):
        hosts[0].open(PacketRing, "nosuch0")
    hosts[0].run(["ip", "link", "set", "eth0", "down"], check=True)
    with pytest.raises(InterfaceError, match="down") as caught:
        hosts[0].open(PacketRing, "eth0")
    assert caught.value.errno == errno.ENETDOWN


@pytest.mark.parametrize("how", [["ip", "link", "set", "eth0", "down"], ["ip", "link", "delete", "eth0"]])
def test_an_interface_that_goes_away_gives_what_came_before_and_then_an_error(
    hosts: tuple[Host, ...], how: list[str]
) -> None:
    require("ip")
    a, b = hosts
    with b.open(PacketRing, "eth0", filter=OURS, retire_ms=200) as ring:
        sent = numbered(5)
        send(a, *sent)
        b.run(how, check=True)
        assert [frame.data for frame in ring.receive_many(PATIENCE)] == sent
        with pytest.raises(InterfaceError, match="down or gone"):
            ring.receive_many(PATIENCE)
        with pytest.raises(TimedOut):  # it is told once
            ring.receive_many(0)
        assert ring.statistics() == (5, 0)


def test_loopback_and_a_filter_that_does_not_compile(hosts: tuple[Host, ...]) -> None:
    with hosts[0].open(PacketRing, "lo") as ring:
        assert ring.link_type is LinkType.ETHERNET
    with pytest.raises(FilterError, match="foo"):
        hosts[0].open(PacketRing, "eth0", filter="foo bar")


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": 65536},
        {"snaplen": 0},
        {"snaplen": 262145},
        {"size": 1000},
        {"size": 1 << 40},
        {"retire_ms": 0},
    ],
)
def test_an_argument_out_of_its_range_is_refused(options: dict[str, int]) -> None:
    ((field, value),) = options.items()
    with pytest.raises(FieldError, match=f"PacketRing.{field}: expected .*, got {value}"):
        PacketRing("lo", **options)


def test_a_closed_ring_leaves_no_descriptor_and_no_memory(hosts: tuple[Host, ...]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with hosts[0].open(PacketRing, "eth0") as ring:
        pass
    ring.close()
    for bad in ({"filter": "foo bar"}, {"snaplen": -1}, {"size": 0}):
        with pytest.raises((FilterError, FieldError)):
            hosts[0].open(PacketRing, "eth0", **bad)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert "packet" not in Path("/proc/self/maps").read_text().lower()
    for method in (ring.receive, ring.receive_many, ring.capture, ring.stop):
        with pytest.raises(KernelError, match="eth0: it is closed") as caught:
            method()
        assert caught.value.errno == errno.EBADF


ROOTLESS = f"""
from rawkit.link import PacketRing, PacketSocket
from rawkit.netns import Lab, reexec_in_user_namespace
reexec_in_user_namespace()
with Lab() as lab:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    with b.open(PacketRing, "eth0", filter={OURS!r}) as ring, a.open(PacketSocket, "eth0", protocol=0) as sender:
        sender.send({B + A + TYPE!r})
        print(ring.receive(30).data.hex())
"""


def test_rootless_in_a_user_namespace(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, ROOTLESS))
    assert done.stdout.strip() == (B + A + TYPE).hex(), done.stderr
