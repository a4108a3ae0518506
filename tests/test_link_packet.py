"""The packet socket against the kernel's own words and tcpdump's captures."""

from __future__ import annotations

import errno
import io
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import require
from scapy.layers.inet import IP, UDP
from scapy.utils import RawPcapReader

from rawkit.errors import FieldError, FilterError, InterfaceError, KernelError, TimedOut
from rawkit.link import Direction, Link, PacketSocket, _kernel
from rawkit.netns import Host, Lab
from rawkit.wire import Ethernet
from rawkit.wire.link_type import LinkType

pytestmark = pytest.mark.root

PATIENCE = 30
OURS = "ether proto 0x88b5"
A, B = bytes.fromhex("020000000100"), bytes.fromhex("020000000200")
TYPE = b"\x88\xb5"  # for experiments (IEEE 802)


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        yield a, b


def send(host: Host, *frames: bytes) -> None:
    with host.open(PacketSocket, "eth0", filter=OURS) as link:
        for frame in frames:
            link.send(frame)


def numbered(count: int, size: int = 0) -> list[bytes]:
    return [B + A + TYPE + number.to_bytes(4) + bytes(size) for number in range(count)]


def test_many_frames_in_order(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    frames = numbered(_kernel.MOST_MESSAGES * 2 + 88)
    with (
        a.open(PacketSocket, "eth0", protocol=0) as near,
        b.open(PacketSocket, "eth0", filter=OURS, buffer_size=1 << 22) as far,
    ):
        near.send_many(frames)
        near.send_many([])
        assert [far.receive(PATIENCE).data for _ in frames] == frames
        with pytest.raises(TimedOut):
            far.receive(0)


def test_many_frames_take_one_system_call(hosts: tuple[Host, ...]) -> None:
    with hosts[0].open(PacketSocket, "eth0", protocol=0) as near:
        frames = numbered(_kernel.MOST_MESSAGES)
        assert _kernel.send_many(near.fileno(), frames) == len(frames)


def test_many_frames_are_whatever_one_can_be(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    frame = B + A + TYPE + b"four"
    wide = memoryview(bytearray(frame)).cast("H")  # whose items are two bytes each
    packet = Ethernet(dst=B, src=A, type=0x88B5) / b"four"
    with (
        a.open(PacketSocket, "eth0", protocol=0) as near,
        b.open(PacketSocket, "eth0", filter=OURS) as far,
    ):
        near.send_many((frame, bytearray(frame), memoryview(frame), wide, packet))
        assert [far.receive(PATIENCE).data for _ in range(5)] == [frame] * 5


def test_of_many_frames_the_one_that_is_refused_is_named(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    frames = numbered(400)
    frames[300] += bytes(1600)
    with (
        a.open(PacketSocket, "eth0", protocol=0) as near,
        b.open(PacketSocket, "eth0", filter=OURS, buffer_size=1 << 22) as far,
    ):
        with pytest.raises(KernelError, match=r"frame 301 of 400 \(1618 bytes\) on eth0") as caught:
            near.send_many(frames)
        assert caught.value.errno == errno.EMSGSIZE
        assert [far.receive(PATIENCE).data for _ in range(300)] == frames[:300]
        with pytest.raises(TimedOut):
            far.receive(0)
        near.close()
        with pytest.raises(KernelError, match="closed"):
            near.send_many(frames)


@pytest.mark.parametrize("limit", ["4kb", "4mb"], ids=["queue full", "buffer full"])
def test_many_frames_wait_for_a_slow_link(hosts: tuple[Host, ...], limit: str) -> None:
    """A queue of 4 KB refuses frames (ENOBUFS); one of 4 MB keeps them until the socket is full (EAGAIN)."""
    require("tc")
    a, b = hosts
    shape = ["root", "tbf", "rate", "1mbit", "burst", "2kb", "limit", limit]
    a.run(["tc", "qdisc", "add", "dev", "eth0", *shape], check=True)
    frames = numbered(600)
    with (
        a.open(PacketSocket, "eth0", protocol=0) as near,
        b.open(PacketSocket, "eth0", filter=OURS, buffer_size=1 << 22) as far,
    ):
        near.send_many(frames)
        assert [far.receive(PATIENCE).data for _ in frames] == frames


def test_directions(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    group, stranger = bytes.fromhex("01005e000001"), bytes.fromhex("02ffffffffff")
    with a.open(PacketSocket, "eth0", filter=OURS) as near, b.open(PacketSocket, "eth0", filter=OURS) as far:
        send(a, *(destination + A + TYPE for destination in (B, b"\xff" * 6, group, stranger)))
        assert [far.receive(PATIENCE).direction for _ in range(4)] == [
            Direction.INCOMING,
            Direction.BROADCAST,
            Direction.MULTICAST,
            Direction.OTHER_HOST,
        ]
        assert {near.receive(PATIENCE).direction for _ in range(4)} == {Direction.OUTGOING}


def test_one_ether_type_means_incoming_only(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with (
        a.open(PacketSocket, "eth0", protocol=0x88B5) as near,
        b.open(PacketSocket, "eth0", protocol=0x88B5) as far,
    ):
        send(a, B + A + b"\x88\xb6", B + A + TYPE)
        assert far.receive(PATIENCE).data == B + A + TYPE
        with pytest.raises(TimedOut):
            near.receive(0)


@pytest.mark.parametrize("offload", [True, False])
def test_unfinished_checksums_are_marked(offload: bool) -> None:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b, offload=offload)
        with (
            b.open(PacketSocket, "eth0", filter="udp port 9") as link,
            a.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            udp.sendto(b"hello", ("10.0.1.2", 9))
            frame = link.receive(PATIENCE)
        assert frame.checksum_unfinished is offload
        captured = IP(frame.data[14:])
        again = captured.copy()
        del again[UDP].chksum
        assert (IP(bytes(again))[UDP].chksum == captured[UDP].chksum) is not offload


@pytest.mark.parametrize("tpid", [b"\x81\x00", b"\x88\xa8"])
def test_a_stripped_vlan_tag_is_put_back(hosts: tuple[Host, ...], tpid: bytes) -> None:
    a, b = hosts
    tagged = B + A + tpid + b"\xa0\x05" + TYPE + b"payload"
    with (
        b.open(PacketSocket, "eth0", filter="vlan 5") as link,
        b.open(PacketSocket, "eth0", filter="vlan 5", snaplen=16) as short,
        b.open(PacketSocket, "eth0", filter="vlan 6") as other,
    ):
        send(a, tagged)
        assert (link.receive(PATIENCE).data, short.receive(PATIENCE).data) == (tagged, tagged[:16])
        with pytest.raises(TimedOut):
            other.receive(0)


def test_a_vlan_tag_counts_in_the_length_on_the_wire(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    tagged = B + A + b"\x81\x00\x00\x05" + TYPE + bytes(1500)
    with b.open(PacketSocket, "eth0", filter="vlan", snaplen=64) as link:
        send(a, tagged)  # 4 bytes longer than without a tag
        frame = link.receive(PATIENCE)
    assert (frame.data, frame.wire_length) == (tagged[:64], len(tagged))


def test_snaplen_keeps_the_length_on_the_wire(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter=OURS, snaplen=20) as link:
        send(a, B + A + TYPE + bytes(500))
        frame = link.receive(PATIENCE)
    assert (frame.data, frame.wire_length) == (B + A + TYPE + bytes(6), 514)


def test_tcpdump_captures_the_same_bytes_at_the_same_time(hosts: tuple[Host, ...]) -> None:
    require("tcpdump")
    a, b = hosts
    command = f"exec tcpdump -Z root -i eth0 --nano --immediate-mode -U -w - -c 3 -n '{OURS}'"
    with b.popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tcpdump:
        assert tcpdump.stderr
        assert b"listening" in tcpdump.stderr.readline()
        with b.open(PacketSocket, "eth0", filter=OURS) as link:
            send(a, *(B + A + TYPE + bytes(size) for size in (0, 50, 1500)))
            ours = [link.receive(PATIENCE) for _ in range(3)]
        capture, _ = tcpdump.communicate(timeout=PATIENCE)
    theirs = list(RawPcapReader(io.BytesIO(capture)))
    assert [frame.data for frame in ours] == [data for data, _ in theirs]
    assert [frame.time_ns for frame in ours] == [at.sec * 10**9 + at.usec for _, at in theirs]


def test_a_filter_is_in_force_before_the_first_frame(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    stop = threading.Event()
    with a.open(PacketSocket, "eth0", filter=OURS) as sender:

        def flood() -> None:
            while not stop.is_set():
                sender.send(B + A + b"\x88\xb6" + b"noise")
                sender.send(B + A + TYPE)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            for _ in range(5):
                with b.open(PacketSocket, "eth0", filter=OURS) as link:
                    assert {link.receive(PATIENCE).data for _ in range(20)} == {B + A + TYPE}
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("filter", ["foo bar", "port 99999", "\0", "tcp\0nonsense"])
def test_a_filter_that_does_not_compile(hosts: tuple[Host, ...], filter: str) -> None:
    with pytest.raises(FilterError) as caught:
        hosts[0].open(PacketSocket, "eth0", filter=filter)
    assert caught.value.filter == filter
    assert caught.value.reason


def test_statistics_count_what_came_and_what_was_dropped(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter=OURS) as link:
        send(a, *[B + A + TYPE] * 10)
        assert link.statistics() == (10, 0)
        send(a, *[B + A + TYPE + bytes(1500)] * 990)
        packets, drops = link.statistics()
        assert packets == 1000
        assert drops > 0
        for _ in range(packets - drops):
            link.receive(0)
        with pytest.raises(TimedOut):
            link.receive(0)
        assert link.statistics() == (packets, drops)


def test_promiscuous_for_as_long_as_it_is_open(hosts: tuple[Host, ...]) -> None:
    require("ip")
    host = hosts[0]

    def promiscuity() -> int:
        shown = host.run(["ip", "-d", "-j", "link", "show", "eth0"], capture_output=True, check=True)
        return int(json.loads(shown.stdout)[0]["promiscuity"])

    with host.open(PacketSocket, "eth0", promiscuous=True):
        assert promiscuity() == 1
    with host.open(PacketSocket, "eth0"):
        assert promiscuity() == 0


def test_loopback_is_ethernet_and_a_tunnel_is_raw(hosts: tuple[Host, ...]) -> None:
    require("ip")
    host = hosts[0]
    with host.open(PacketSocket, "lo") as link:
        assert link.link_type is LinkType.ETHERNET
    if not Path("/dev/net/tun").exists():
        pytest.skip("no /dev/net/tun")
    host.run(["ip", "tuntap", "add", "tun0", "mode", "tun"], check=True)
    host.run(["ip", "link", "set", "tun0", "up"], check=True)
    with host.open(PacketSocket, "tun0") as link:
        assert link.link_type is LinkType.RAW


def test_no_such_interface_and_one_that_is_down(hosts: tuple[Host, ...]) -> None:
    require("ip")
    with pytest.raises(InterfaceError, match="rawkit interfaces"):
        hosts[0].open(PacketSocket, "nosuch0")
    hosts[0].run(["ip", "link", "set", "eth0", "down"], check=True)
    for filter in (None, "ip"):
        with pytest.raises(InterfaceError, match="down") as caught:
            hosts[0].open(PacketSocket, "eth0", filter=filter)
        assert caught.value.errno == errno.ENETDOWN


def test_an_interface_that_goes_away(hosts: tuple[Host, ...]) -> None:
    require("ip")
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter=OURS) as link:
        failed: list[InterfaceError] = []

        def receive() -> None:
            try:
                link.receive(PATIENCE)
            except InterfaceError as error:
                failed.append(error)

        thread = threading.Thread(target=receive)
        thread.start()
        a.run(["ip", "link", "delete", "eth0"], check=True)
        thread.join()
        assert len(failed) == 1
        with pytest.raises(InterfaceError):
            link.send(bytes(60))


def test_a_closed_socket_leaves_no_descriptor(hosts: tuple[Host, ...]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with hosts[0].open(PacketSocket, "eth0", filter="ip"):
        pass
    for bad in ({"filter": "foo bar"}, {"snaplen": -1}):
        with pytest.raises((FilterError, FieldError)):
            hosts[0].open(PacketSocket, "eth0", **bad)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_it_has_the_short_interface(hosts: tuple[Host, ...]) -> None:
    with hosts[0].open(PacketSocket, "eth0") as end:
        link: Link = end
        assert link.fileno() >= 0


@pytest.mark.parametrize("options", [{"protocol": 0x12345}, {"protocol": -1}, {"snaplen": 0}, {"snaplen": -5}])
def test_an_argument_out_of_its_range_is_refused(options: dict[str, Any]) -> None:
    ((field, value),) = options.items()
    with pytest.raises(FieldError, match=f"PacketSocket.{field}: expected .*, got {value}"):
        PacketSocket("lo", **options)


def test_statistics_of_a_closed_socket_say_so() -> None:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        socket = a.open(PacketSocket, "eth0")
        socket.close()
        with pytest.raises(KernelError, match="statistics of eth0: it is closed") as caught:
            socket.statistics()
        assert caught.value.errno == errno.EBADF
