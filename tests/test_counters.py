"""The kernel's counters: read as nstat reads them, and moved by what they are said to count."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from pair import HERE, HERE6, MARK, THERE, THERE6, Pair, processed
from programs import require

from rawkit.link import EXPLANATIONS, Flow, FlowGuard, PacketSocket, kernel_counters, moved
from rawkit.netns import Host, Lab
from rawkit.wire import TCP, UDP, Ethernet, ICMPv4, ICMPv6, IPv4, IPv6, Packet

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        here, there = lab.hosts("here", "there")
        lab.link(here, there)
        here.set_sysctls({"ipv4/conf/all/rp_filter": 1})
        yield Pair(here, there)


def counters(host: Host) -> dict[str, int]:
    with host:
        return kernel_counters()


def send(sender: Host, receiver: Host, packet: Packet) -> None:
    with sender.open(PacketSocket, "eth0", protocol=0) as link:
        link.send(Ethernet(dst=receiver.mac(), src=sender.mac()) / packet)


def counted(pair: Pair, packet: Packet) -> set[str]:
    """The explained counters here that a packet from there moves."""
    before = counters(pair.here)
    send(pair.there, pair.here, packet)
    processed(pair.there, pair.here)
    return set(moved(before, counters(pair.here))) & set(EXPLANATIONS)


IN4, IN6 = IPv4(src=THERE, dst=HERE), IPv6(src=THERE6, dst=HERE6)

BAD = [
    ({"Ip.InHdrErrors", "IpExt.InCsumErrors"}, IN4.replace(checksum=1) / UDP(src_port=1, dst_port=2)),
    ({"Ip.InAddrErrors"}, IN4.replace(dst="10.0.1.77") / UDP(src_port=1, dst_port=2)),
    ({"IpExt.InTruncatedPkts"}, IN4.replace(total_length=1000) / UDP(src_port=1, dst_port=2)),
    ({"TcpExt.IPReversePathFilter"}, IN4.replace(src="203.0.113.5") / UDP(src_port=1, dst_port=2)),
    ({"Tcp.InCsumErrors", "Tcp.InErrs"}, IN4 / TCP(src_port=1, dst_port=2, checksum=1)),
    ({"Udp.InCsumErrors"}, IN4 / UDP(src_port=1, dst_port=MARK, checksum=1)),
    ({"Icmp.InCsumErrors"}, IN4 / ICMPv4.echo(id=7).replace(checksum=1)),
    ({"Ip6.InHdrErrors"}, IN6.replace(version=5) / UDP(src_port=1, dst_port=2)),
    ({"Ip6.InAddrErrors"}, IN6.replace(dst="fd00:1::77") / UDP(src_port=1, dst_port=2)),
    ({"Ip6.InTruncatedPkts"}, IN6.replace(payload_length=1000) / UDP(src_port=1, dst_port=2)),
    ({"Tcp.InCsumErrors", "Tcp.InErrs"}, IN6 / TCP(src_port=1, dst_port=2, checksum=1)),
    ({"Udp6.InCsumErrors"}, IN6 / UDP(src_port=1, dst_port=MARK, checksum=1)),
    ({"Icmp6.InCsumErrors"}, IN6 / ICMPv6.echo(id=7).replace(checksum=1)),
]


@pytest.mark.parametrize(("names", "packet"), BAD, ids=[f"{'+'.join(sorted(names))}" for names, _ in BAD])
def test_a_bad_packet_moves_the_counter_that_tells_of_it(pair: Pair, names: set[str], packet: Packet) -> None:
    assert counted(pair, packet) == names


def test_no_route_is_counted(pair: Pair) -> None:
    before = counters(pair.here)
    for family, destination in ((socket.AF_INET, "203.0.113.9"), (socket.AF_INET6, "2001:db8::9")):
        with (
            pair.here.open(socket.socket, family, socket.SOCK_DGRAM) as udp,
            pytest.raises(OSError, match="unreach"),
        ):
            udp.sendto(b"", (destination, 9))
    after = moved(before, counters(pair.here))
    assert (after["Ip.OutNoRoutes"], after["Ip6.OutNoRoutes"]) == (1, 1)


OUT4, OUT6 = IPv4(src=HERE, dst=THERE), IPv6(src=HERE6, dst=THERE6)


@pytest.mark.parametrize(
    "question",
    [
        OUT4 / TCP(src_port=1025, dst_port=80, flags="S"),
        OUT6 / TCP(src_port=1025, dst_port=80, flags="S"),
        OUT4 / TCP(src_port=1025, dst_port=81, flags="S"),
        OUT6 / TCP(src_port=1025, dst_port=81, flags="S"),
        OUT4 / UDP(src_port=1025, dst_port=81),
        OUT6 / UDP(src_port=1025, dst_port=81),
        OUT4.replace(protocol=253) / b"none",
        OUT6.replace(next_header=253) / b"none",
        OUT4 / ICMPv4.echo(id=7),
        OUT6 / ICMPv6.echo(id=7),
    ],
    ids=str,
)
def test_a_handmade_question_and_its_answer_are_no_evidence(pair: Pair, question: Packet) -> None:
    here, there = pair
    servers = [(THERE, socket.AF_INET), (THERE6, socket.AF_INET6)]
    flows = [
        Flow(ip_address(src), ip_address(dst), None, None, protocol)
        for src, dst in ((HERE, THERE), (HERE6, THERE6))
        for protocol in ("tcp", "udp")
    ]
    listening = [there.open(socket.create_server, (host, 80), family=family) for host, family in servers]
    try:
        before = counters(here)
        with here.open(FlowGuard, flows):
            send(here, there, question)
            processed(here, there)
            processed(there, here)
            after = moved(before, counters(here))
    finally:
        for server in listening:
            server.close()
    assert not set(after) & set(EXPLANATIONS)
    heard = {"Tcp.InSegs", "Icmp.InMsgs", "Icmp6.InMsgs"} & set(after)
    assert heard, "no answer came"


def test_the_names_are_the_kernels(pair: Pair) -> None:
    assert set(EXPLANATIONS) <= set(counters(pair.here))


def test_the_values_are_those_that_nstat_shows(pair: Pair) -> None:
    require("nstat")
    shown = pair.here.run(["nstat", "--json", "-a", "-s", "-z"], capture_output=True, check=True)
    theirs = json.loads(shown.stdout)["kernel"]
    ours = {name.replace(".", ""): value for name, value in counters(pair.here).items()}
    assert len(theirs) > 100
    assert {name: ours[name] for name in theirs} == theirs


def test_every_namespace_has_its_own(pair: Pair) -> None:
    here = kernel_counters()
    processed(pair.there, pair.here)
    with pair.here:
        inside = kernel_counters()
    assert inside["Udp.InDatagrams"] > 0
    assert kernel_counters()["Udp.InDatagrams"] == here["Udp.InDatagrams"]


def test_what_moved() -> None:
    assert moved({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "c": 2, "d": 4}) == {"b": 3, "d": 4}
