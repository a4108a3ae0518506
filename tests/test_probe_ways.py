"""Hosts with several ways out: sockets for all are open before privileges go; answers come in by any."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest
from commands import PATIENCE, rawkit, told

from rawkit.errors import KernelError, TimedOut
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.probe import Answer, Exchange, KernelPort
from rawkit.wire import Ethernet, ICMPv4, ICMPv4Echo, IPv4, Packet

pytestmark = pytest.mark.root


class Net(NamedTuple):
    a: Host
    r: Router
    b: Host
    n: Host


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    """a has two links to r (10.0.1.1 and 10.0.2.1), behind which is b (10.0.3.2), and one to n (10.0.4.2)."""
    with Lab() as lab:
        net = Net(lab.host("a"), lab.router("r"), lab.host("b"), lab.host("n"))
        lab.link(net.a, net.r)
        lab.link(net.a, net.r)
        lab.link(net.r, net.b)
        lab.link(net.a, net.n)
        yield net


def test_a_scan_reaches_hosts_on_every_link_and_this_one(net: Net) -> None:
    hosts = ["10.0.4.1", "10.0.4.2", "10.0.3.2", "fd00:4::2", "fd00:3::2"]
    for options in ([], ["-Pn"]):
        lines = told(net.a, "scan", *options, "-p", "80", "--timeout", "0.5", *hosts, code=1)
        assert {line["address"]: line["state"] for line in lines} == dict.fromkeys(hosts, "closed")
    assert rawkit(net.a, "scan", "-sn", *hosts).stdout.splitlines()[-1] == "5 of 5 hosts there"


def test_a_prefix_that_begins_with_this_host_is_scanned_to_its_end(net: Net) -> None:
    done = rawkit(net.a, "scan", "-p", "80", "--timeout", "0.2", "10.0.4.0/30", code=1)
    assert done.stdout.splitlines()[-1] == "2 of 2 hosts there"


def test_an_answer_that_comes_in_by_another_interface_is_heard(net: Net) -> None:
    asked = "IPv4(src='10.0.2.1', dst='10.0.3.2') / ICMPv4.echo(id=7, seq=1)"
    with net.a.open(PacketSocket, "eth0", filter="icmp") as out, net.a.open(PacketSocket, "eth1") as back:
        done = rawkit(net.a, "ask", asked)
        assert out.receive(PATIENCE).packet()[ICMPv4Echo].type == 8
        with pytest.raises(TimedOut):
            out.receive(0)
        replies = []
        with suppress(TimedOut):
            while True:
                replies.append(back.receive(0).packet())
    assert any(ICMPv4Echo in packet and packet[ICMPv4Echo].type == 0 for packet in replies)
    assert "<- IPv4 10.0.3.2 > 10.0.2.1 / ICMPv4 echo reply id=7 seq=1" in done.stdout


def test_a_port_sends_nothing_from_another_namespace_than_its_own(net: Net) -> None:
    question = IPv4(dst="10.0.3.2") / ICMPv4.echo(id=7)
    with Exchange(net.a.open(KernelPort)) as exchange, pytest.raises(KernelError, match="with host, Exchange"):
        exchange.complete(question)
    with net.a, Exchange() as exchange:
        assert isinstance(exchange.ask(question), Answer)


@contextmanager
def answering_the_one_before(host: Host) -> Iterator[None]:
    """A host that answers each echo request when the next one comes."""
    host.set_sysctls({"ipv4/icmp_echo_ignore_all": 1})
    stop = threading.Event()

    def answer(link: PacketSocket) -> None:
        before: Packet | None = None
        while not stop.is_set():
            with suppress(TimedOut):
                asked = link.receive(0.05).packet()
                if before is not None:
                    link.send(bytes(before))
                ether, ip, echo = asked[Ethernet], asked[IPv4], asked[ICMPv4Echo]
                reply = ICMPv4.echo_reply(id=echo.id, seq=echo.seq)
                before = (
                    Ethernet(dst=ether.src, src=ether.dst) / IPv4(src=ip.dst, dst=ip.src) / reply / asked.payload
                )

    with host.open(PacketSocket, "eth0", filter="icmp[0] == 8") as link:
        thread = threading.Thread(target=answer, args=(link,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            host.set_sysctls({"ipv4/icmp_echo_ignore_all": 0})


def test_late_answers_are_answers(net: Net) -> None:
    with answering_the_one_before(net.n):
        done = rawkit(net.a, "ping", "-c", "3", "-i", "0.6", "-W", "0.1", "10.0.4.2")
    assert done.stdout.count("(late)") == 2
    assert "3 packets transmitted, 2 received, 33.33% packet loss" in done.stdout
    assert "rtt min/avg/max/mdev = " in done.stdout
