"""The path MTU that is found, against what this kernel, ping and tracepath find."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from commands import rawkit, refused, rules, told
from programs import require

from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.wire import ICMPv4Echo, IPv4

pytestmark = pytest.mark.root

NARROW = {4: 1300, 6: 1300}
ENDS = {4: "10.0.3.2", 6: "fd00:3::2"}
NARROW_ROUTER = {4: "10.0.2.2", 6: "fd00:2::2"}
FIRST_ROUTER = {4: "10.0.1.2", 6: "fd00:1::2"}
ERROR = {4: "icmp type destination-unreachable icmp code frag-needed drop", 6: "icmpv6 type packet-too-big drop"}
"""What a router sends when a packet is too large, lost on its way out: a black hole (RFC 2923)."""


class Way(NamedTuple):
    a: Host
    r: Router
    s: Router
    b: Host


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    """a - r - s - b, each link narrower than the one before."""
    with Lab() as lab:
        way = Way(lab.host("a"), lab.router("r"), lab.router("s"), lab.host("b"))
        lab.link(way.a, way.r)
        lab.link(way.r, way.s, mtu=1450)
        lab.link(way.s, way.b, mtu=1300)
        for node in (way.r, way.s, way.b):
            node.set_sysctls({"ipv4/icmp_ratelimit": 0, "ipv6/icmp/ratelimit": 0})
        yield way


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("options", [(), ("-p", "33434")], ids=["icmp", "udp"])
def test_each_router_tells_of_its_narrower_link(way: Way, version: int, options: tuple[str, ...]) -> None:
    *steps, result = told(way.a, "pmtu", *options, ENDS[version])
    assert [(step["size"], step["result"], step["address"], step["mtu"]) for step in steps] == [
        (1500, "too large", FIRST_ROUTER[version], 1450),
        (1450, "too large", NARROW_ROUTER[version], 1300),
        (1300, "passed", ENDS[version], None),
    ]
    assert {key: result[key] for key in ("destination", "mtu", "limited_by", "black_hole", "vanish_behind")} == {
        "destination": ENDS[version],
        "mtu": 1300,
        "limited_by": NARROW_ROUTER[version],
        "black_hole": False,
        "vanish_behind": None,
    }
    shown = rawkit(way.a, "pmtu", *options, ENDS[version]).stdout.splitlines()
    assert shown[-1] == f"path MTU to {ENDS[version]}: 1300 bytes; {NARROW_ROUTER[version]} says so"


@pytest.mark.parametrize("version", [4, 6])
def test_the_kernel_finds_the_same(way: Way, version: int) -> None:
    family = {4: socket.AF_INET, 6: socket.AF_INET6}[version]
    level, option, do = {4: (socket.IPPROTO_IP, 10, 2), 6: (socket.IPPROTO_IPV6, 23, 2)}[version]  # MTU_DISCOVER
    mtu = {4: 14, 6: 24}[version]  # IP_MTU, IPV6_MTU
    with way.a.open(socket.socket, family, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(level, option, do)
        asking.connect((ENDS[version], 9))
        found = asking.getsockopt(level, mtu)
        for _ in range(10):
            if found <= 1300:
                break
            with way.a.open(PacketSocket, "eth0", filter="icmp or icmp6") as tap:
                try:
                    asking.send(bytes(found - (28 if version == 4 else 48)))
                except OSError:  # the error about the one before
                    continue
                tap.receive(10)
            found = asking.getsockopt(level, mtu)
    assert told(way.a, "pmtu", ENDS[version])[-1]["mtu"] == found
    shown = way.a.run(["ip", "-j", "route", "get", ENDS[version]], capture_output=True, check=True).stdout
    assert json.loads(shown)[0]["metrics"][0]["mtu"] == found
    way.a.run(["ip", f"-{version}", "route", "flush", "cache"], check=True)


@pytest.mark.parametrize("version", [4, 6])
def test_ping_gets_through_with_that_size_and_no_byte_more(way: Way, version: int) -> None:
    require("ping")
    size = told(way.a, "pmtu", ENDS[version])[-1]["mtu"] - {4: 28, 6: 48}[version]
    for more, code in ((0, 0), (1, 1)):
        ping = ["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", str(size + more), ENDS[version]]
        assert way.a.run(ping, capture_output=True).returncode == code
        way.a.run(["ip", f"-{version}", "route", "flush", "cache"], check=True)


@pytest.mark.parametrize("version", [4, 6])
def test_tracepath_finds_the_same(way: Way, version: int) -> None:
    require("tracepath")
    shown = way.a.run(["tracepath", "-n", f"-{version}", ENDS[version]], capture_output=True, text=True).stdout
    assert f"Resume: pmtu {told(way.a, 'pmtu', ENDS[version])[-1]['mtu']} " in shown
    way.a.run(["ip", f"-{version}", "route", "flush", "cache"], check=True)


@pytest.mark.parametrize("options", [(), ("-p", "33434")], ids=["icmp", "udp"])
@pytest.mark.parametrize("version", [4, 6])
def test_a_black_hole_is_found_with_the_router_behind_which_packets_vanish(
    way: Way, version: int, options: tuple[str, ...]
) -> None:
    with rules(way.s, "output", ERROR[version]):
        *steps, result = told(way.a, "pmtu", "--timeout", "0.05", "-q", "2", *options, ENDS[version])
    assert (result["mtu"], result["black_hole"], result["vanish_behind"]) == (1300, True, NARROW_ROUTER[version])
    assert "lost" in {step["result"] for step in steps}
    # Down to one byte: what passes and what vanishes are neighbours.
    sizes = {step["size"]: step["result"] for step in steps}
    assert (sizes[1300], sizes[1301]) == ("passed", "lost")


def test_a_black_hole_is_told_in_words(way: Way) -> None:
    with rules(way.s, "output", ERROR[4]):
        shown = rawkit(way.a, "pmtu", "-l", "1310", "--timeout", "0.05", "-q", "2", ENDS[4]).stdout
    last = shown.splitlines()[-1]
    assert last.startswith(f"path MTU to {ENDS[4]}: 1300 bytes; black hole: ")
    assert last.endswith(f"vanish behind {NARROW_ROUTER[4]}, without an error")


def test_routers_that_are_told_the_size_but_do_not_pass_it_on(way: Way) -> None:
    """A router discards packets that are larger than what the next one told: found all the same."""
    with rules(way.s, "forward", "ip length > 1100 drop"):
        *_, result = told(way.a, "pmtu", "--timeout", "0.05", "-q", "2", ENDS[4])
    assert (result["mtu"], result["black_hole"]) == (1100, True)


@pytest.mark.parametrize(
    ("lie", "next_"),
    [
        (0, 1006),  # nothing, as old routers (RFC 1191, section 5): a plateau is tried
        (20, 758),  # less than any link carries: halfway from 68
        (9000, 758),  # more than what it just refused
        (576, 576),  # less than it is: that there is more is not tried
    ],
)
def test_routers_that_tell_a_wrong_size(way: Way, lie: int, next_: int) -> None:
    with rules(way.s, "output", f"icmp type destination-unreachable icmp code frag-needed icmp mtu set {lie}"):
        *steps, result = told(way.a, "pmtu", ENDS[4])
    assert [step["size"] for step in steps][:3] == [1500, 1450, next_]
    assert {step["mtu"] for step in steps if step["address"] == NARROW_ROUTER[4]} == {lie}
    assert (result["mtu"], result["limited_by"]) == (576 if lie == 576 else 1300, NARROW_ROUTER[4])


def test_packets_are_as_large_as_said_and_may_not_be_fragmented(way: Way) -> None:
    with way.a.open(PacketSocket, "eth0", filter="icmp[0] == 8") as tap:
        rawkit(way.a, "pmtu", "-l", "1400", ENDS[4])
        first, second = tap.receive(5).packet(), tap.receive(5).packet()
    assert [(len(bytes(packet)) - 14, packet[IPv4].dont_fragment) for packet in (first, second)] == [
        (1400, True),
        (1300, True),
    ]
    assert first[ICMPv4Echo].id == second[ICMPv4Echo].id


@pytest.mark.parametrize("version", [4, 6])
def test_the_own_link_is_the_limit_where_nobody_else_is(way: Way, version: int) -> None:
    neighbour = FIRST_ROUTER[version]
    shown = rawkit(way.a, "pmtu", neighbour).stdout.splitlines()
    assert shown[-1] == f"path MTU to {neighbour}: 1500 bytes, that of the own link"
    assert len(shown) == 2


def test_a_host_that_does_not_answer(way: Way) -> None:
    with rules(way.b, "input", "meta l4proto icmp drop"):
        done = rawkit(way.a, "pmtu", "--timeout", "0.05", "-q", "1", ENDS[4], code=1)
    assert "does not answer" in done.stdout.splitlines()[-1]
    with rules(way.b, "input", "meta l4proto icmp drop"):
        assert told(way.a, "pmtu", "-p", "33434", "--timeout", "1", ENDS[4])[-1]["mtu"] == 1300


def test_a_neighbour_that_is_not_there(way: Way) -> None:
    assert "does not answer ARP" in rawkit(way.a, "pmtu", "--timeout", "0.1", "10.0.1.77", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-6", "10.0.3.2"], "an IPv6 address"),
        (["-l", "67", "10.0.3.2"], "68"),
        (["-l", "1000", "fd00:3::2"], "1280 to 65535 bytes"),
        (["-p", "0", "10.0.3.2"], "port"),
        (["-4", "-6", "10.0.3.2"], "exclude each other"),
        (["-q", "0", "10.0.3.2"], "tries"),
    ],
)
def test_wrong_arguments_get_one_line(way: Way, arguments: list[str], words: str) -> None:
    assert words in refused(way.a, "pmtu", *arguments)
