"""The exchange against kernels, routers, filters and NAT, in network namespaces."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest
from programs import require

from rawkit import ARP, TCP, UDP, Ethernet, ICMPv4, ICMPv6, IPv4, IPv6, LinkType
from rawkit.errors import InterfaceError, TimedOut
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.probe import Answer, Clock, Exchange, KernelPort, Miss, Reason
from rawkit.probe.witness import Witness
from rawkit.wire import ICMPv4Echo, ICMPv4TimeExceeded, ICMPv6Echo

pytestmark = pytest.mark.root

PATIENCE = 30.0
SOON = 0.3
"""Seconds after which a lab that has not answered is taken for silent; it answers within a hundredth of that."""


class Path(NamedTuple):
    """a - r - s - b, the link in the middle with a smaller MTU."""

    lab: Lab
    a: Host
    r: Router
    s: Router
    b: Host


@pytest.fixture
def path() -> Iterator[Path]:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        r, s = lab.router("r"), lab.router("s")
        lab.link(a, r, offload=False)
        lab.link(r, s, offload=False, mtu=1400)
        lab.link(s, b, offload=False)
        yield Path(lab, a, r, s, b)


def nft(host: Host, *rules: str) -> None:
    """Add rules to chains of host: `input`, `output`, `forward`."""
    require("nft")
    chains = "".join(f"chain {hook} {{ type filter hook {hook} priority 0; }}\n" for hook in HOOKS)
    host.run(["nft", "-f", "-"], input=f"table inet t {{ {chains} }}\n{''.join(rules)}", text=True, check=True)


HOOKS = ("input", "output", "forward")


@contextmanager
def asking(host: Host, **options: object) -> Iterator[Exchange]:
    with host, KernelPort(**options) as port, Exchange(port) as exchange:  # type: ignore[arg-type]
        yield exchange


def test_kernels_answer_over_two_routers_and_the_times_are_the_kernels(path: Path) -> None:
    with asking(path.a) as exchange:
        four = exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(id=7, seq=1) / b"hello", timeout=PATIENCE)
        six = exchange.ask(IPv6(dst=path.b.address(6)) / ICMPv6.echo(id=7, seq=1), timeout=PATIENCE)
        reset = exchange.ask(IPv4(dst=path.b.address()) / TCP(dst_port=9, flags="S"), timeout=PATIENCE)
    for outcome, header in ((four, ICMPv4Echo), (six, ICMPv6Echo), (reset, TCP)):
        assert isinstance(outcome, Answer)
        assert header in outcome.packet
        assert (outcome.clock, outcome.interface) == (Clock.KERNEL, "eth0")
        assert outcome.round_trip_ns is not None
        assert outcome.round_trip_ns > 0


def test_times_are_those_that_tcpdump_tells(path: Path) -> None:
    require("tcpdump")
    arguments = ["tcpdump", "-i", "eth0", "-n", "-tt", "--nano", "-l", "-c", "2", "icmp"]
    with path.a.popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        while "listening on" not in program.stderr.readline():
            pass
        with asking(path.a) as exchange:
            outcome = exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(id=7), timeout=PATIENCE)
        out, _ = program.communicate(timeout=PATIENCE)
    seen = [line.split()[0] for line in out.splitlines()]
    ours = [f"{ns // 10**9}.{ns % 10**9:09}" for ns in (outcome.sent_ns, outcome.received_ns)]
    assert seen == ours


def test_a_router_that_gives_up_on_the_packet_is_quoted(path: Path) -> None:
    with asking(path.a) as exchange:
        outcome = exchange.ask(IPv4(dst=path.b.address(), ttl=2) / UDP(dst_port=33434), timeout=PATIENCE)
    assert isinstance(outcome, Miss)
    assert outcome.reason is Reason.ERROR
    assert outcome.text == f"{path.s.address()} says: ICMPv4 time exceeded in transit"
    assert outcome.packet is not None
    assert ICMPv4TimeExceeded in outcome.packet


def test_too_large_for_a_link_on_the_way_and_for_the_own_one(path: Path) -> None:
    ip = IPv4(dst=path.b.address(), dont_fragment=True)
    with asking(path.a) as exchange:
        far = exchange.ask(ip / ICMPv4.echo() / bytes(1400), timeout=PATIENCE)
        near = exchange.ask(ip / ICMPv4.echo() / bytes(1500), timeout=PATIENCE)
    assert isinstance(far, Miss)
    assert far.text == f"{path.r.address()} says: ICMPv4 fragmentation needed mtu=1400"
    assert isinstance(near, Miss)
    assert near.reason is Reason.REFUSED
    assert "MTU" in near.text


def test_no_route_and_no_neighbor(path: Path) -> None:
    subprocess_free = path.a.run(["ip", "route", "del", "default"], check=True)
    assert subprocess_free.returncode == 0
    with asking(path.a) as exchange:
        nowhere = exchange.ask(IPv4(dst="192.0.2.1") / ICMPv4.echo(), timeout=PATIENCE)
        four = exchange.ask(IPv4(dst="10.0.1.99") / ICMPv4.echo(), timeout=0.1)
        six = exchange.ask(IPv6(dst="fd00:1::99") / ICMPv6.echo(), timeout=0.1)
    assert isinstance(nowhere, Miss)
    assert (nowhere.reason, nowhere.sends) == (Reason.NO_ROUTE, 0)
    for outcome, protocol in ((four, "ARP"), (six, "neighbour discovery")):
        assert isinstance(outcome, Miss)
        assert outcome.reason is Reason.NO_NEIGHBOR
        assert f"does not answer {protocol} (3 requests)" in outcome.text


def test_many_that_wait_for_one_neighbor_are_all_sent_once_it_answers(path: Path) -> None:
    with asking(path.a) as exchange, path.r.open(PacketSocket, "eth0", filter="arp[6:2] = 1") as tap:
        packets = [IPv4(dst=path.b.address()) / ICMPv4.echo(id=7, seq=n) for n in range(100)]
        outcomes = list(exchange.ask_all(packets, timeout=PATIENCE))
        requests = []
        try:
            while True:
                requests.append(tap.receive(0).packet()[ARP])
        except TimedOut:
            pass
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert len([request for request in requests if request.sender_ip == path.a.address()]) == 1


def test_dropped_rejected_and_reset_by_filters(path: Path) -> None:
    nft(
        path.b,
        "add rule inet t input tcp dport 1 drop\n",
        "add rule inet t input tcp dport 2 reject with icmp type admin-prohibited\n",
        "add rule inet t input tcp dport 3 reject with tcp reset\n",
    )
    with asking(path.a, guard=False) as exchange:
        ip = IPv4(dst=path.b.address())
        outcomes = {
            outcome.number: outcome
            for outcome in exchange.ask_all(
                (ip / TCP(src_port=2000, dst_port=port, flags="S") for port in (1, 2, 3)), timeout=SOON
            )
        }
    dropped, rejected, reset = (outcomes[number] for number in range(3))
    assert isinstance(dropped, Miss)
    assert dropped.reason is Reason.SILENCE
    assert isinstance(rejected, Miss)
    assert rejected.text == f"{path.b.address()} says: ICMPv4 communication prohibited"
    assert isinstance(reset, Answer)


def test_behind_nat_the_answer_comes_back_and_so_does_the_error(path: Path) -> None:
    require("nft")
    rules = "table ip n { chain p { type nat hook postrouting priority 100; oifname eth1 masquerade\n}\n}\n"
    path.s.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    with asking(path.a) as exchange:
        answer = exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(id=7), timeout=PATIENCE)
        error = exchange.ask(IPv4(dst=path.b.address()) / UDP(src_port=3000, dst_port=9), timeout=PATIENCE)
    assert isinstance(answer, Answer)
    assert isinstance(error, Miss)
    assert error.reason is Reason.ERROR


def test_packets_that_the_kernel_discards_meanwhile_are_told(path: Path) -> None:
    path.a.set_sysctls({"ipv4/conf/all/rp_filter": 1})
    path.a.run(["ip", "route", "del", "default"], check=True)
    nft(path.r, "add rule inet t input udp dport 9 drop\n")
    stray = IPv4(src="192.0.2.9", dst=path.a.address()) / UDP(dst_port=9)  # whose way back is another one, or none

    def disturb(socket: PacketSocket) -> None:
        while UDP not in socket.receive(PATIENCE).packet():
            pass
        socket.send(Ethernet(dst=path.a.mac(), src=path.r.mac()) / stray)

    with asking(path.a) as exchange, path.r.open(PacketSocket, "eth0") as other:
        disturber = threading.Thread(target=disturb, args=(other,))
        disturber.start()
        outcome = exchange.ask(IPv4(dst=path.r.address()) / UDP(dst_port=9), timeout=SOON)
        disturber.join()
    assert isinstance(outcome, Miss)
    assert outcome.reason is Reason.COUNTED
    assert "TcpExt.IPReversePathFilter rose by 1: " in outcome.text


def test_an_answer_from_another_address_is_told(path: Path) -> None:
    def answer_from_elsewhere(socket: PacketSocket) -> None:
        while True:
            packet = socket.receive(PATIENCE).packet()
            if ICMPv4Echo in packet and packet[ICMPv4Echo].type == 8:
                asked = packet[ICMPv4Echo]
                reply = IPv4(src="10.0.1.77", dst=packet[IPv4].src) / ICMPv4.echo_reply(id=asked.id, seq=asked.seq)
                socket.send(Ethernet(dst=path.a.mac(), src=path.r.mac()) / reply)
                return

    nft(path.r, "add rule inet t input icmp type echo-request drop\n")
    with asking(path.a) as exchange, path.r.open(PacketSocket, "eth0") as other:
        server = threading.Thread(target=answer_from_elsewhere, args=(other,))
        server.start()
        outcome = exchange.ask(IPv4(dst=path.r.address()) / ICMPv4.echo(id=3), timeout=SOON)
        server.join()
    assert isinstance(outcome, Miss)
    assert outcome.reason is Reason.NEARLY
    assert "but for its source address: IPv4 10.0.1.77 >" in outcome.text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "own", "own6"])
def test_this_host_itself_answers(path: Path, address: str) -> None:
    there = {"own": str(path.a.address()), "own6": str(path.a.address(6))}.get(address, address)
    packet = IPv6(dst=there) / ICMPv6.echo(id=7) if ":" in there else IPv4(dst=there) / ICMPv4.echo(id=7)
    with asking(path.a) as exchange:
        outcome = exchange.ask(packet, timeout=PATIENCE)
    assert isinstance(outcome, Answer)
    assert (outcome.clock, outcome.interface) == (Clock.KERNEL, "lo")


def test_a_frame_leaves_as_it_is_with_the_addresses_of_the_interface(path: Path) -> None:
    with asking(path.a, interface="eth0") as exchange:
        outcome = exchange.ask(
            Ethernet(dst="ff:ff:ff:ff:ff:ff") / ARP(target_ip=path.r.address()), timeout=PATIENCE
        )
    assert isinstance(outcome, Answer)
    assert outcome.packet[ARP].sender_mac == path.r.mac()
    assert outcome.question[ARP].sender_ip == path.a.address()
    assert outcome.question.link_type is LinkType.ETHERNET


def test_this_hosts_kernel_is_kept_out_of_the_conversation(path: Path) -> None:
    require("nft")
    announced = []
    with ExitStack() as stack:
        listener = stack.enter_context(path.b.open(socket.socket))
        listener.bind(("", 80))
        listener.listen()
        tap = stack.enter_context(path.b.open(PacketSocket, "eth0", filter="tcp[tcpflags] & tcp-rst != 0"))
        exchange = stack.enter_context(asking(path.a, on_guard=announced.append))
        outcome = exchange.ask(
            IPv4(dst=path.b.address()) / TCP(src_port=2000, dst_port=80, flags="S"), timeout=PATIENCE
        )
        assert isinstance(outcome, Answer)
        ping = exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(), timeout=PATIENCE)
        assert isinstance(ping, Answer)  # what the kernel would have sent has arrived before
        with pytest.raises(TimedOut):
            tap.receive(0)
    assert [str(flow) for flow in announced] == [f"TCP {path.a.address()}:2000 > {path.b.address()}:80"]
    assert path.a.run(["nft", "list", "ruleset"], capture_output=True, text=True).stdout == ""


def test_an_interface_that_goes_away_in_the_middle_is_one_error(path: Path) -> None:
    with asking(path.a) as exchange:
        assert isinstance(exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(), timeout=PATIENCE), Answer)
        path.a.run(["ip", "link", "set", "eth0", "down"], check=True)
        with pytest.raises(InterfaceError):
            exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(seq=2), timeout=PATIENCE)


def test_five_thousand_questions_through_the_ring_and_from_asyncio(path: Path) -> None:
    packets = [IPv4(dst=path.b.address()) / ICMPv4.echo(id=8, seq=n) for n in range(5000)]

    async def main(exchange: Exchange) -> int:
        return len([o async for o in exchange.ask_all_async(packets, timeout=PATIENCE) if isinstance(o, Answer)])

    with asking(path.a, bulk=True) as exchange:
        answered = [each for each in exchange.ask_all(packets, timeout=PATIENCE) if isinstance(each, Answer)]
        assert len(answered) == 5000
        assert all(each.clock is Clock.KERNEL for each in answered)
        assert asyncio.run(main(exchange)) == 5000
        assert exchange.port.drops() == 0


def test_where_a_lost_question_was_last_seen(path: Path) -> None:
    nft(path.s, "add rule inet t forward icmp type echo-request drop\n")
    nft(path.b, "add rule inet t input udp dport 9 drop\n")
    with Witness([path.a, path.r, path.s, path.b]) as witness, path.a, Exchange(witness=witness) as exchange:
        in_the_router = exchange.ask(IPv4(dst=path.b.address()) / ICMPv4.echo(), timeout=SOON)
        at_the_host = exchange.ask(IPv4(dst=path.b.address()) / UDP(dst_port=9), timeout=SOON)
    assert isinstance(in_the_router, Miss)
    assert in_the_router.text.endswith("; it was last seen at s, entering by eth0")
    assert isinstance(at_the_host, Miss)
    assert at_the_host.text.endswith("; it was last seen at b, entering by eth0")
