"""What the kernel fills in and changes on a raw socket, as a packet socket at the far end sees it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from rawkit.errors import FieldError, InterfaceError, KernelError, TimedOut
from rawkit.link import PacketSocket, RawIPv4Socket, RawIPv6Socket
from rawkit.netns import Host, Lab
from rawkit.wire import IPv6 as HandmadeIPv6
from rawkit.wire.link_type import LinkType

pytestmark = pytest.mark.root

PATIENCE = 30
PROTOCOL = 253  # for experiments (RFC 3692)


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        lab.link(a, b)
        yield a, b


def through_ipv4(hosts: tuple[Host, ...], packet: bytes) -> bytes:
    """What comes out on the link when `packet` is sent to the other host's address."""
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter="ether proto 0x0800") as wire, a.open(RawIPv4Socket) as raw:
        raw.send(packet, "10.0.1.2")
        return wire.receive(PATIENCE).data[14:]


def through_ipv6(hosts: tuple[Host, ...], packet: bytes) -> bytes:
    a, b = hosts
    wanted = "ether proto 0x86dd and ip6[6] = 253"
    with b.open(PacketSocket, "eth0", filter=wanted) as wire, a.open(RawIPv6Socket) as raw:
        raw.send(packet, "fd00:1::2")
        return wire.receive(PATIENCE).data[14:]


def test_ipv4_total_length_and_checksum_are_always_filled_in(hosts: tuple[Host, ...]) -> None:
    packet = IP(src="10.0.1.1", dst="10.0.1.2", proto=PROTOCOL, id=7, len=9999, chksum=0xBEEF) / b"hello"
    right = bytes(IP(src="10.0.1.1", dst="10.0.1.2", proto=PROTOCOL, id=7) / b"hello")
    assert through_ipv4(hosts, bytes(packet)) == right


def test_ipv4_source_and_identification_are_filled_in_when_zero(hosts: tuple[Host, ...]) -> None:
    zeros = IP(src="0.0.0.0", dst="10.0.1.2", proto=PROTOCOL, id=0) / b"hello"
    got = IP(through_ipv4(hosts, bytes(zeros)))
    assert got.src == "10.0.1.1"
    assert got.id != 0


def test_ipv4_everything_else_stays(hosts: tuple[Host, ...]) -> None:
    odd = {
        "src": "203.0.113.9",
        "dst": "198.51.100.1",
        "version": 7,
        "tos": 0xFF,
        "id": 7,
        "ttl": 0,
        "flags": 6,
        "frag": 0,
    }
    packet = IP(**odd, proto=17, options=[]) / UDP(sport=1, dport=2, len=3, chksum=4) / b"hello"
    right = bytes(packet)
    assert through_ipv4(hosts, right) == right


def test_ipv4_header_length_below_5_is_refused_or_not_touched(hosts: tuple[Host, ...]) -> None:
    packet = bytes(IP(ihl=4, src="0.0.0.0", dst="10.0.1.2", proto=PROTOCOL, id=0, len=1, chksum=2) / b"hello")
    outcome: bytes | int | None
    try:
        outcome = through_ipv4(hosts, packet)  # older kernels
    except KernelError as error:
        outcome = error.errno
    assert outcome in (packet, errno.EINVAL)


def test_ipv4_header_length_beyond_the_packet_is_refused(hosts: tuple[Host, ...]) -> None:
    with hosts[0].open(RawIPv4Socket) as raw, pytest.raises(KernelError) as caught:
        raw.send(bytes(IP(ihl=15, dst="10.0.1.2")), "10.0.1.2")
    assert caught.value.errno == errno.EINVAL


def test_ipv4_receives_its_protocol_only_and_whole_packets(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    packet = IP(src="10.0.1.1", dst="10.0.1.2", proto=PROTOCOL, id=7) / b"hello"
    other = IP(src="10.0.1.1", dst="10.0.1.2", proto=PROTOCOL + 1, id=8) / b"other"
    with (
        a.open(RawIPv4Socket) as sender,
        b.open(RawIPv4Socket, PROTOCOL) as receiver,
        b.open(RawIPv4Socket) as deaf,
    ):
        sender.send(other, "10.0.1.2")
        sender.send(packet, "10.0.1.2")
        frame = receiver.receive(PATIENCE)
        assert frame.data == bytes(packet)
        assert frame.link_type is LinkType.IPV4
        assert (frame.interface, frame.source) == ("eth0", IPv4Address("10.0.1.1"))
        with pytest.raises(TimedOut):
            deaf.receive(0)


def test_ipv4_fragments_are_received_as_one_packet(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    head = {"src": "10.0.1.1", "dst": "10.0.1.2", "proto": PROTOCOL, "id": 7}
    with a.open(RawIPv4Socket) as sender, b.open(RawIPv4Socket, PROTOCOL) as receiver:
        sender.send(IP(**head, flags="MF") / bytes(8), "10.0.1.2")
        sender.send(IP(**head, frag=1) / b"tail", "10.0.1.2")
        assert receiver.receive(PATIENCE).data[20:] == bytes(8) + b"tail"


def test_ipv6_nothing_is_changed(hosts: tuple[Host, ...]) -> None:
    packet = IPv6(src="::", dst="2001:db8::1", version=5, tc=255, fl=0xFFFFF, plen=999, nh=253, hlim=0) / b"hello"
    assert through_ipv6(hosts, bytes(packet)) == bytes(packet)


def test_ipv6_fewer_than_40_bytes_are_refused(hosts: tuple[Host, ...]) -> None:
    with hosts[0].open(RawIPv6Socket) as raw, pytest.raises(KernelError) as caught:
        raw.send(bytes(39), "fd00:1::2")
    assert caught.value.errno == errno.EINVAL


def test_ipv6_receives_the_payload_without_the_header(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    packet = IPv6(src="fd00:1::1", dst="fd00:1::2", nh=PROTOCOL) / b"hello"
    with (
        a.open(RawIPv6Socket) as sender,
        b.open(RawIPv6Socket, PROTOCOL) as receiver,
        b.open(RawIPv6Socket) as deaf,
    ):
        sender.send(packet, "fd00:1::2")
        frame = receiver.receive(PATIENCE)
        assert frame.data == b"hello"
        assert frame.link_type is None
        assert (frame.interface, frame.source) == ("eth0", IPv6Address("fd00:1::1"))
        with pytest.raises(TimedOut):
            deaf.receive(0)


def test_ipv6_drops_icmp_of_wrong_checksum_and_checks_no_other_protocol(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    ends = {"src": "fd00:1::1", "dst": "fd00:1::2"}
    with (
        a.open(RawIPv6Socket) as sender,
        b.open(RawIPv6Socket, 58, interface="eth0") as icmp,
        b.open(RawIPv6Socket, 17) as udp,
    ):
        sender.send(IPv6(**ends) / ICMPv6EchoRequest(id=1, cksum=1), "fd00:1::2")
        sender.send(IPv6(**ends) / ICMPv6EchoRequest(id=2), "fd00:1::2")
        sender.send(IPv6(**ends) / UDP(sport=1, dport=2, chksum=3), "fd00:1::2")
        assert udp.receive(PATIENCE).data == bytes.fromhex("0001 0002 0008 0003")
        echo = icmp.receive(PATIENCE).data
        while echo[0] != 128:  # neighbours are discovered meanwhile
            echo = icmp.receive(PATIENCE).data
        assert echo[4:6] == b"\0\2"


def test_ipv6_link_local_takes_the_interface_from_the_scope(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    near, far = "fe80::ff:fe00:101", "fe80::ff:fe00:201"
    with a.open(RawIPv6Socket) as sender, b.open(RawIPv6Socket, PROTOCOL) as receiver:
        sender.send(IPv6(src=near, dst=far, nh=PROTOCOL) / b"hello", f"{far}%eth1")
        frame = receiver.receive(PATIENCE)
    assert (frame.interface, frame.source) == ("eth1", IPv6Address(near))


@pytest.mark.parametrize("version", [4, 6])
def test_a_socket_on_one_interface_hears_no_other(hosts: tuple[Host, ...], version: int) -> None:
    a, b = hosts
    kind = RawIPv4Socket if version == 4 else RawIPv6Socket
    with a.open(kind) as sender, b.open(kind, PROTOCOL, interface="eth1") as receiver:
        for port in (0, 1):
            src, dst = (str(host.ports[port].address(version)) for host in (a, b))
            head = IP(src=src, dst=dst, proto=PROTOCOL) if version == 4 else IPv6(src=src, dst=dst, nh=PROTOCOL)
            sender.send(head / b"hello", dst)
        assert receiver.receive(PATIENCE).interface == "eth1"
        with pytest.raises(TimedOut):
            receiver.receive(0)


@pytest.mark.parametrize(("kind", "target"), [(RawIPv4Socket, "203.0.113.1"), (RawIPv6Socket, "2001:db8::1")])
def test_no_route(hosts: tuple[Host, ...], kind: type[RawIPv4Socket | RawIPv6Socket], target: str) -> None:
    packet = IP(dst=target) if kind is RawIPv4Socket else IPv6(src="fd00:1::1", dst=target)
    with hosts[0].open(kind) as raw, pytest.raises(KernelError, match="add a route") as caught:
        raw.send(packet, target)
    assert caught.value.errno == errno.ENETUNREACH


@pytest.mark.parametrize(("kind", "target"), [(RawIPv4Socket, "10.0.1.2"), (RawIPv6Socket, "fd00:1::2")])
def test_larger_than_the_mtu(
    hosts: tuple[Host, ...], kind: type[RawIPv4Socket | RawIPv6Socket], target: str
) -> None:
    packet = IP(dst=target) if kind is RawIPv4Socket else IPv6(src="fd00:1::1", dst=target)
    with hosts[0].open(kind) as raw, pytest.raises(KernelError, match="MTU") as caught:
        raw.send(packet / bytes(1501 - len(packet)), target)
    assert caught.value.errno == errno.EMSGSIZE


@pytest.mark.parametrize("kind", [RawIPv4Socket, RawIPv6Socket])
def test_what_is_no_address_and_what_is_no_interface(
    hosts: tuple[Host, ...], kind: type[RawIPv4Socket | RawIPv6Socket]
) -> None:
    with hosts[0].open(kind) as raw, pytest.raises(FieldError, match="destination"):
        raw.send(bytes(60), "localhost")
    with pytest.raises(InterfaceError, match="rawkit interfaces"):
        hosts[0].open(kind, interface="nosuch0")
    with hosts[0].open(RawIPv6Socket) as raw, pytest.raises(InterfaceError):
        raw.send(bytes(60), "fe80::1%nosuch0")


@pytest.mark.parametrize("kind", [RawIPv4Socket, RawIPv6Socket])
@pytest.mark.parametrize("protocol", [-1, 256, 70_000])
def test_a_protocol_that_no_header_has_is_refused(kind: type[RawIPv4Socket], protocol: int) -> None:
    with pytest.raises(FieldError, match=f"{kind.__name__}.protocol: expected a protocol number: 0 to 255"):
        kind(protocol)


@pytest.mark.parametrize("kind", [RawIPv4Socket, RawIPv6Socket])
def test_nothing_to_send_has_no_destination(hosts: tuple[Host, ...], kind: type[RawIPv4Socket]) -> None:
    version = kind.__name__.removeprefix("Raw").removesuffix("Socket")
    with hosts[0].open(kind) as raw, pytest.raises(FieldError) as caught:
        raw.send(b"")
    assert str(caught.value) == (
        f"{kind.__name__}.send.destination: "
        f"expected an address (what is sent has no {version} header to take it from), got None"
    )


def test_ipv6_link_local_without_an_interface_says_to_name_it(hosts: tuple[Host, ...]) -> None:
    packet = HandmadeIPv6(dst="fe80::1", next_header=59) / b"hello"  # whose source depends on the link
    with hosts[0], RawIPv6Socket() as raw:
        with pytest.raises(KernelError, match="name the interface: interface='eth0'") as caught:
            raw.send(packet)
        assert caught.value.errno == errno.EINVAL
        raw.send(packet, "fe80::1%eth0")
        raw.send(packet, f"fe80::1%{hosts[0].port().index}")
    with hosts[0], RawIPv6Socket(interface="eth0") as raw:
        raw.send(packet)
