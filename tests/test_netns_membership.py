"""What a kernel says of its groups and its interfaces, read without a problem."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from rawkit.link import PacketSocket, RawIPv4Socket, RawIPv6Socket
from rawkit.netns import Lab
from rawkit.wire import (
    GroupRecord,
    ICMPProbe,
    ICMPv4ExtendedEcho,
    ICMPv4ExtendedEchoReply,
    ICMPv6ExtendedEcho,
    ICMPv6ExtendedEchoReply,
    IGMPv3Report,
    InterfaceByName,
    IPv4,
    IPv6,
    MLDv2Report,
    MulticastAddressRecord,
)

pytestmark = pytest.mark.root

JOIN = """
import socket, struct
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
address = socket.inet_aton
four.setsockopt(socket.IPPROTO_IP, 39, address("239.1.2.3") + address("10.0.1.2") + address("10.0.1.1"))
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
index = socket.if_nametoindex("eth0")
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::abc")
    + struct.pack("@I", index))
"""
"""39 is IP_ADD_SOURCE_MEMBERSHIP (ip(7)), which Python's socket module has no name for before 3.12."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def test_the_reports_of_a_kernel_that_joins_groups(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    with a.open(PacketSocket, "eth0", filter="igmp or ip6 multicast") as tap:
        b.run([sys.executable, "-c", JOIN], check=True)
        records: list[GroupRecord | MulticastAddressRecord] = []
        while {type(record) for record in records} != {GroupRecord, MulticastAddressRecord}:
            packet = tap.receive(timeout=20).packet()
            assert packet.problems == ()
            records += [record for report in packet.all(IGMPv3Report) for record in report.records]
            wanted = [record for report in packet.all(MLDv2Report) for record in report.records]
            records += [record for record in wanted if str(record.address) == "ff02::abc"]
    told = next(record for record in records if isinstance(record, GroupRecord))
    assert (str(told.group), [str(source) for source in told.sources]) == ("239.1.2.3", ["10.0.1.1"])
    assert told.record_type in (5, 6)  # joined, or left already: a report may be about both


@pytest.mark.parametrize("version", [4, 6])
def test_a_kernel_answers_an_extended_echo(lab: Lab, version: int) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    b.set_sysctls({"ipv4/icmp_echo_enable_probe": 1})
    probe = ICMPProbe(objects=(InterfaceByName(name=b"eth0"),))
    with a.open(PacketSocket, "eth0", filter="icmp[icmptype] == 43 or (ip6 and ip6[40] == 161)") as tap:
        if version == 4:
            with a.open(RawIPv4Socket) as raw:
                raw.send(IPv4(src=a.address(), dst=b.address()) / ICMPv4ExtendedEcho(id=7, seq=1) / probe)
        else:
            with a.open(RawIPv6Socket) as raw:
                raw.send(IPv6(src=a.address(6), dst=b.address(6)) / ICMPv6ExtendedEcho(id=7, seq=1) / probe)
        packet = tap.receive(timeout=20).packet()
    assert packet.problems == ()
    reply = packet[ICMPv4ExtendedEchoReply if version == 4 else ICMPv6ExtendedEchoReply]
    assert (reply.id, reply.seq, reply.code) == (7, 1, 0)
    assert (reply.active, reply.ipv4, reply.ipv6) == (True, True, True)
    assert packet.payload == bytes(probe)
