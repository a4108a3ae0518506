"""The routers on the way, as traceroute finds them, and what it takes to find them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import fields_of, frames_in, rawkit, refused, rules, told
from programs import require

from rawkit.errors import TimedOut
from rawkit.link import Direction, PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.wire import (
    Ethernet,
    ICMPv4,
    IPv4,
    MPLSLabel,
    MPLSLabelStack,
    Packet,
)

pytestmark = pytest.mark.root

UNLIMITED = {"ipv4/icmp_ratelimit": 0, "ipv6/icmp/ratelimit": 0, "ipv4/icmp_msgs_burst": 10_000}
"""A router that answers every packet, however many traces there were before."""


class Way(NamedTuple):
    a: Host
    r: Router
    s: Router
    b: Host


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    """a - r - s - b."""
    with Lab() as lab:
        way = Way(lab.host("a"), lab.router("r"), lab.router("s"), lab.host("b"))
        lab.link(way.a, way.r)
        lab.link(way.r, way.s)
        lab.link(way.s, way.b)
        for node in (way.r, way.s, way.b):
            node.set_sysctls(UNLIMITED)
        yield way


METHODS = {"udp": "-U", "icmp": "-I", "tcp": "-T"}
ENDS = {4: "10.0.3.2", 6: "fd00:3::2"}


# ---------------------------------------------------------------------- agreement


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("method", METHODS)
def test_the_hops_are_those_of_traceroute(way: Way, method: str, version: int) -> None:
    require("traceroute")
    letter = METHODS[method]
    theirs = way.a.run(
        ["traceroute", "-n", f"-{version}", letter, ENDS[version]], capture_output=True, text=True, check=True
    ).stdout
    ours = rawkit(way.a, "trace", letter, ENDS[version]).stdout
    assert _addresses(ours) == _addresses(theirs) != []
    assert ours.splitlines()[-1].startswith(f" 3  {ENDS[version]}  ")
    assert ours.splitlines()[-1].count(" ms") == 3


def _addresses(table: str) -> list[list[str]]:
    """The words of each hop that are not times."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return [[word for word in row if word != "ms" and not word.replace(".", "", 1).isdigit()] for row in rows]


def test_json_has_the_documented_keys(way: Way) -> None:
    hops = told(way.a, "trace", "-q", "2", ENDS[4])
    assert [(hop["ttl"], hop["address"], hop["reached"]) for hop in hops] == [
        (1, "10.0.1.2", False),
        (2, "10.0.2.2", False),
        (3, "10.0.3.2", True),
    ]
    for hop in hops:
        assert hop["rtt_ns"] == hop["replies"][0]["rtt_ns"] > 0
        assert [reply["address"] for reply in hop["replies"]] == [hop["address"]] * 2
        assert "names" not in hop


def test_first_and_last_hop(way: Way) -> None:
    assert [hop["ttl"] for hop in told(way.a, "trace", "-f", "2", ENDS[4])] == [2, 3]
    assert [hop["ttl"] for hop in told(way.a, "trace", "-m", "2", ENDS[4], code=1)] == [1, 2]


def test_this_host_is_one_hop_away(way: Way) -> None:
    for address in ("10.0.1.1", "127.0.0.1", "::1"):
        (hop,) = told(way.a, "trace", address)
        assert (hop["ttl"], hop["address"], hop["reached"]) == (1, address, True)


# ---------------------------------------------------------------------- on the wire


PARIS = {
    ("udp", 4): ("ip.src", "ip.dst", "ip.proto", "ip.dsfield", "udp.srcport", "udp.dstport"),
    ("tcp", 4): ("ip.src", "ip.dst", "ip.proto", "ip.dsfield", "tcp.srcport", "tcp.dstport"),
    ("icmp", 4): (
        "ip.src",
        "ip.dst",
        "ip.proto",
        "ip.dsfield",
        "icmp.type",
        "icmp.code",
        "icmp.checksum",
        "icmp.ident",
    ),
    ("udp", 6): ("ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.flow", "udp.srcport", "udp.dstport"),
    ("tcp", 6): ("ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.flow", "tcp.srcport", "tcp.dstport"),
    ("icmp", 6): (
        "ipv6.src",
        "ipv6.dst",
        "ipv6.nxt",
        "ipv6.flow",
        "icmpv6.type",
        "icmpv6.code",
        "icmpv6.checksum",
    ),
}
"""What load balancers look at (Augustin et al., "Avoiding traceroute anomalies with Paris traceroute", 2006)."""

TTL = {4: "ip.ttl", 6: "ipv6.hlim"}


@pytest.fixture(scope="module")
def asked(way: Way, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What was sent by a trace of each kind, as tshark reads it."""
    require("tshark")
    with way.a.open(PacketSocket, "eth0", buffer_size=1 << 24) as tap:
        for method, version in PARIS:
            rawkit(way.a, "trace", METHODS[method], "--flows", "3", "-q", "2", ENDS[version])
        frames = [frame for frame in frames_in(tap) if frame.direction is Direction.OUTGOING]
    fields = list(dict.fromkeys([*TTL.values(), *(name for names in PARIS.values() for name in names)]))
    folder = tmp_path_factory.mktemp("asked")
    return [dict(zip(fields, row, strict=True)) for row in fields_of(frames, folder, *fields)]


@pytest.mark.parametrize(("method", "version"), PARIS)
def test_what_load_balancers_look_at_tells_flows_apart_and_nothing_else(
    asked: list[dict[str, str]], method: str, version: int
) -> None:
    names = PARIS[method, version]
    flows = defaultdict(list)
    for row in asked:
        flow, ttl = tuple(row[name] for name in names), row[TTL[version]]
        # (This host's kernel resets what the destination's SYN-ACK opens, in the same flow.)
        if all(flow) and int(ttl) <= 30:
            flows[flow].append(int(ttl))
    complete = [ttls for ttls in flows.values() if 1 in ttls]
    assert len(complete) == 3
    for ttls in complete:
        assert [ttls.count(ttl) for ttl in (1, 2, 3)] == [2, 2, 2]


def test_checksums_are_right_however_they_are_kept_the_same(way: Way, tmp_path: Path) -> None:
    require("tshark")
    with way.a.open(PacketSocket, "eth0", filter="icmp or icmp6") as tap:
        rawkit(way.a, "trace", "-I", "--flows", "4", ENDS[4])
        rawkit(way.a, "trace", "-I", "--flows", "4", ENDS[6])
        frames = frames_in(tap)
    rows = fields_of(frames, tmp_path, "icmp.checksum.status", "icmpv6.checksum.status")
    assert {status for row in rows for status in row} <= {"", "1", "1,1", "1,0", "1,2", "1,3"}
    assert len(rows) > 60


def test_all_hops_are_asked_before_any_of_them_is_given_up(way: Way) -> None:
    """Nobody answers: first every hop is asked, and then every hop once more."""
    with way.a.open(PacketSocket, "eth0", filter="icmp[0] == 8") as tap:
        with rules(way.r, "prerouting", "icmp type echo-request drop"):
            rawkit(way.a, "trace", "-I", "-m", "20", "-q", "1", "--timeout", "0.5", ENDS[4], code=1)
        frames = frames_in(tap)
    ttls = [frame.packet()[IPv4].ttl for frame in frames]
    assert ttls == [*range(1, 21), *range(1, 21)]
    burst = [frame.time_ns for frame in frames[:20]]
    assert burst[-1] - burst[0] < 500_000_000  # the time that one of them is waited for


def test_nothing_is_looked_up_unless_asked_for(way: Way) -> None:
    assert "localhost (127.0.0.1)" in rawkit(way.a, "trace", "--names", "127.0.0.1").stdout
    assert "localhost" not in rawkit(way.a, "trace", "127.0.0.1").stdout
    with way.a.open(PacketSocket, "eth0", filter="port 53") as tap, way.a.open(PacketSocket, "lo") as loopback:
        rawkit(way.a, "trace", "-I", ENDS[4])
        rawkit(way.a, "trace", "-I", ENDS[6])
        assert frames_in(tap) == frames_in(loopback) == []


# ---------------------------------------------------------------------- routers of all kinds


@pytest.mark.parametrize("version", [4, 6])
def test_a_router_that_says_nothing_is_a_star(way: Way, version: int) -> None:
    exceeded = {4: "icmp type time-exceeded drop", 6: "icmpv6 type time-exceeded drop"}
    with rules(way.r, "output", exceeded[version]):
        shown = rawkit(way.a, "trace", "--timeout", "0.3", ENDS[version]).stdout.splitlines()
        hops = told(way.a, "trace", "--timeout", "0.3", ENDS[version])
    assert shown[1].split() == ["1", "*", "*", "*"]
    assert shown[2].split()[1] == f"{'10.0.2.2' if version == 4 else 'fd00:2::2'}"
    assert [hop["address"] is None for hop in hops] == [True, False, False]
    assert hops[0]["rtt_ns"] is None


REFUSALS = {
    "icmp type host-unreachable": "!H",
    "icmp type net-unreachable": "!N",
    "icmp type prot-unreachable": "!P",
    "icmp type admin-prohibited": "!X",
    "icmpv6 type no-route": "!N",
    "icmpv6 type addr-unreachable": "!H",
    "icmpv6 type admin-prohibited": "!X",
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_router_that_refuses_ends_the_way_with_a_mark(way: Way, kind: str) -> None:
    require("traceroute")
    version = 6 if kind.startswith("icmpv6") else 4
    address = {4: f"ip daddr {ENDS[4]}", 6: f"ip6 daddr {ENDS[6]}"}[version]
    with rules(way.s, "forward", f"{address} reject with {kind}"):
        ours = rawkit(way.a, "trace", ENDS[version], code=1).stdout
        theirs = way.a.run(["traceroute", "-n", ENDS[version]], capture_output=True, text=True).stdout
    assert _addresses(ours) == _addresses(theirs)
    assert ours.splitlines()[-1].count(REFUSALS[kind]) == 3


def test_a_host_that_is_not_there_and_no_way_at_all(way: Way) -> None:
    way.s.set_sysctls({"ipv4/neigh/eth1/retrans_time_ms": 100})
    unreachable = told(way.a, "trace", "-m", "4", "--timeout", "4", "10.0.3.77", code=1)[-1]
    assert (unreachable["address"], unreachable["replies"][0]["mark"]) == ("10.0.2.2", "!H")
    assert "does not answer ARP" in rawkit(way.a, "trace", "--timeout", "0.2", "10.0.1.77", code=1).stderr
    assert "does not answer neighbour" in rawkit(way.a, "trace", "--timeout", "0.2", "fd00:1::77", code=1).stderr
    with Lab() as lab:
        assert "no route" in rawkit(lab.host("alone"), "trace", "192.0.2.1", code=3).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-f", "5", "-m", "3", "10.0.3.2"], "first hop <= last hop"),
        (["-q", "16", "--flows", "64", "10.0.3.2"], "1 to 256 packets a hop"),
        (["-s", "2000", "10.0.3.2"], "2 to 1400 bytes"),
        (["-4", "-6", "10.0.3.2"], "exclude each other"),
        (["-6", "10.0.3.2"], "an IPv6 address"),
        (["nosuch.invalid"], "nosuch.invalid"),
        (["--timeout", "0", "10.0.3.2"], "timeout"),
        (["-i", "", "10.0.3.2"], "the name of an interface is empty"),
        ([], "HOST"),
    ],
)
def test_wrong_arguments_get_one_line(way: Way, arguments: list[str], words: str) -> None:
    assert words in refused(way.a, "trace", *arguments)


def test_an_interface_that_is_not_there(way: Way) -> None:
    assert "nosuch0" in rawkit(way.a, "trace", "-i", "nosuch0", ENDS[4], code=3).stderr


# ---------------------------------------------------------------------- several ways


@pytest.mark.parametrize("version", [4, 6])
def test_several_flows_find_both_ways_of_a_load_balancer(version: int) -> None:
    """a - r, then either x or y, then b; r chooses by addresses and ports."""
    require("ip")
    with Lab() as lab:
        a, r, x, y, b = lab.host("a"), lab.router("r"), lab.router("x"), lab.router("y"), lab.router("b")
        for ends in ((a, r), (r, x), (r, y), (x, b), (y, b)):
            lab.link(*ends)
        for node in (r, x, y, b):
            node.set_sysctls(UNLIMITED)
        r.set_sysctls({"ipv4/fib_multipath_hash_policy": 1, "ipv6/fib_multipath_hash_policy": 1})
        if version == 4:
            ways, target, middle = ("10.0.2.2", "10.0.3.2"), "10.0.9.9", {"10.0.2.2", "10.0.3.2"}
        else:
            ways, target, middle = ("fd00:2::2", "fd00:3::2"), "fd00:9::9", {"fd00:2::2", "fd00:3::2"}
        next_hops = [word for via in ways for word in ("nexthop", "via", via)]
        _ip(b, version, "addr", "add", target, "dev", "lo")
        _ip(r, version, "route", "add", target, *next_hops)
        _ip(x, version, "route", "add", target, "via", "10.0.4.2" if version == 4 else "fd00:4::2")
        _ip(y, version, "route", "add", target, "via", "10.0.5.2" if version == 4 else "fd00:5::2")
        # One flow goes one way, however many its packets are.
        (second,) = [hop for hop in told(a, "trace", "-q", "8", target) if hop["ttl"] == 2]
        assert len({reply["address"] for reply in second["replies"]}) == 1
        # The odds that 32 flows all go the same way are those of a coin that falls so 31 times.
        hops = told(a, "trace", "--flows", "32", "-q", "2", target)
        assert [hop["ttl"] for hop in hops] == [1, 2, 3]
        assert {reply["address"] for reply in hops[1]["replies"]} == middle
        by_flow = defaultdict(set)
        for reply in hops[1]["replies"]:
            by_flow[reply["flow"]].add(reply["address"])
        assert {len(addresses) for addresses in by_flow.values()} == {1}
        assert hops[2]["reached"]


def _ip(host: Host, version: int, *arguments: str) -> None:
    host.run(["ip", f"-{version}", *arguments], check=True, capture_output=True)


# ---------------------------------------------------------------------- what routers tell


def test_mtu_of_the_link_that_is_too_narrow() -> None:
    with Lab() as lab:
        a, r, b = lab.host("a"), lab.router("r"), lab.host("b")
        lab.link(a, r)
        lab.link(r, b, mtu=1300)
        for destination in ("10.0.2.2", "fd00:2::2"):
            hops = told(a, "trace", "-F", "-s", "1350", "-q", "1", destination, code=1)
            assert hops[-1]["replies"][0]["mtu"] == 1300
            assert hops[-1]["replies"][0]["mark"] == "!F"
        assert "!F mtu=1300" in rawkit(a, "trace", "-F", "-s", "1350", "10.0.2.2", code=1).stdout


def test_mpls_labels_are_told_as_traceroute_tells_them() -> None:
    """A router made by hand answers with the label stack with which the packet came (RFC 4950)."""
    require("traceroute")
    with Lab() as lab:
        a, r = lab.hosts("a", "r")
        lab.link(a, r)
        _ip(a, 4, "route", "add", "192.0.2.0/24", "via", "10.0.1.2")
        with handmade_router(r):
            ours = rawkit(a, "trace", "-q", "1", "192.0.2.9").stdout
            hops = told(a, "trace", "-q", "1", "192.0.2.9")
            theirs = a.run(
                ["traceroute", "-n", "-e", "-q", "1", "192.0.2.9"], capture_output=True, text=True
            ).stdout
    assert "MPLS 16001/24" in ours
    assert hops[0]["replies"][0]["labels"] == [[16001, 24]]
    assert [hop["address"] for hop in hops] == ["10.0.1.2", "192.0.2.9"]
    assert "L=16001" in theirs
    assert "L=24" in theirs


@contextmanager
def handmade_router(host: Host) -> Iterator[None]:
    """Answers datagrams to 192.0.2.9 as a router with MPLS would, and behind it as their destination."""
    labels = (MPLSLabel(label=16001, bottom=False, ttl=1), MPLSLabel(label=24, ttl=1))
    stop = threading.Event()
    host.set_sysctls({"ipv4/conf/eth0/forwarding": 0})  # its kernel keeps out of it

    def answer(asked: Packet) -> Packet:
        quoting = Packet(asked.layers[1:], asked.payload)
        if asked[IPv4].ttl == 1:
            src: Any = "10.0.1.2"
            error = ICMPv4.time_exceeded(quoting=quoting, extensions=(MPLSLabelStack(labels=labels),))
        else:
            src, error = asked[IPv4].dst, ICMPv4.unreachable(code=3, quoting=quoting)
        to = Ethernet(dst=asked[Ethernet].src, src=asked[Ethernet].dst)
        return to / IPv4(src=src, dst=asked[IPv4].src) / error

    def serve(socket: PacketSocket) -> None:
        while not stop.is_set():
            try:
                socket.send(answer(socket.receive(0.05).packet()))
            except TimedOut:
                continue

    with host.open(PacketSocket, "eth0", filter="udp and dst host 192.0.2.9") as socket:
        thread = threading.Thread(target=serve, args=(socket,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
