"""Labs, by the words of `ip` and `ping` inside them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from programs import require
from remains import Namespaces

from rawkit.errors import FieldError, KernelError
from rawkit.netns import Host, Lab, check_machine, hold, nth

pytestmark = pytest.mark.root


def where() -> int:
    """The number of the network namespace that this thread is in."""
    return Path("/proc/thread-self/ns/net").stat().st_ino


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def ip(host: Host, *arguments: str) -> list[dict[str, Any]]:
    shown = host.run(["ip", "-j", *arguments], capture_output=True, check=True)
    told: list[dict[str, Any]] = json.loads(shown.stdout or b"[]")
    return told


def ping(host: Host, target: object) -> subprocess.CompletedProcess[str]:
    return host.run(["ping", "-n", "-c", "1", "-W", "10", str(target)], capture_output=True, text=True)


def test_addresses_and_macs_are_those_that_ip_shows_and_usable_at_once(lab: Lab) -> None:
    require("ip")
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    for host, number in ((a, 1), (b, 2)):
        lo, eth0 = ip(host, "addr")
        assert {entry["local"] for entry in lo["addr_info"]} == {"127.0.0.1", "::1"}
        assert (eth0["operstate"], eth0["mtu"]) == ("UP", 1500)
        assert eth0["address"] == f"02:00:00:00:0{number}:00" == str(host.mac())
        shown = {f"{entry['local']}/{entry['prefixlen']}" for entry in eth0["addr_info"]}
        assert shown == {f"10.0.1.{number}/24", f"fd00:1::{number}/64", f"fe80::ff:fe00:{number}00/64"}
        assert not any(entry.get("tentative") for entry in eth0["addr_info"])
        assert [str(host.address(version)) for version in (4, 6)] == [f"10.0.1.{number}", f"fd00:1::{number}"]


@pytest.mark.parametrize("version", [4, 6])
def test_ping_over_a_cable_and_to_oneself(lab: Lab, version: int) -> None:
    require("ping")
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    for target in (b.address(version), a.address(version), "127.0.0.1"):
        done = ping(a, target)
        assert done.returncode == 0, done


def test_ping_through_switches_and_routers(lab: Lab) -> None:
    require("ping")
    a, b, c = lab.hosts("a", "b", "c")
    left, right = lab.switch("left"), lab.switch("right")
    near, far = lab.router("near"), lab.router("far")
    lab.link(left, right)
    lab.link(a, left)
    lab.link(b, right)
    lab.link(right, near)
    lab.link(near, far)
    lab.link(c, far)
    for version in (4, 6):
        for target, hops in ((b, 0), (c, 2)):
            done = ping(a, target.address(version))
            assert f"ttl={64 - hops}" in done.stdout, done
        assert ping(c, b.address(version)).returncode == 0


def test_switches_that_are_joined_late_share_a_subnet(lab: Lab) -> None:
    require("ping")
    a, b, r = lab.host("a"), lab.host("b"), lab.router("r")
    one, two, three, four = (lab.switch(f"s{number}") for number in range(4))
    lab.link(one, two)
    lab.link(three, four)
    lab.link(b, four)
    lab.link(r, three)
    lab.link(two, three)
    lab.link(a, one)
    assert [str(node.address()) for node in (b, r, a)] == ["10.0.2.1", "10.0.2.2", "10.0.2.3"]
    for version in (4, 6):
        assert ping(a, b.address(version)).returncode == 0
    assert ip(a, "route", "show", "default")[0]["gateway"] == "10.0.2.2"


def test_hosts_with_addresses_of_their_own_may_be_there_before_their_switches_are_joined(lab: Lab) -> None:
    require("ping")
    a, b, r = lab.host("a"), lab.host("b"), lab.router("r")
    left, right = lab.switch("left"), lab.switch("right")
    lab.link(a, left, addresses=("192.0.2.1/24", []))
    lab.link(b, right, addresses=("192.0.2.2/24", []))
    lab.link(r, right, addresses=("192.0.2.3/24", []))
    assert ip(a, "route", "show", "default") == []
    lab.link(left, right)
    assert ping(a, b.address()).returncode == 0
    assert ip(a, "route", "show", "default")[0]["gateway"] == "192.0.2.3"


def test_two_subnets_are_not_joined(lab: Lab) -> None:
    hosts, switches = lab.hosts("a", "b"), (lab.switch("s"), lab.switch("t"))
    for host, switch in zip(hosts, switches, strict=True):
        lab.link(host, switch)
    with pytest.raises(FieldError, match="link switches before hosts"):
        lab.link(*switches)
    assert [switch.interfaces for switch in switches] == [("eth0",), ("eth0",)]
    twice = lab.hosts("c", "d")
    others = lab.switch("u"), lab.switch("v")
    for host, switch in zip(twice, others, strict=True):
        lab.link(host, switch, addresses=("192.0.2.1/24", []))
    with pytest.raises(FieldError, match="no two have one address"):
        lab.link(*others)


def test_a_switch_has_more_ports_than_a_byte_counts(lab: Lab) -> None:
    node = lab.switch("s")
    assert [str(node.mac_of(port)) for port in (255, 256)] == ["02:00:00:00:01:ff", "02:00:01:00:01:00"]


def test_options_of_a_link(lab: Lab) -> None:
    require("ip")
    a, b = lab.hosts("a", "b")
    given = ["192.0.2.1/30", "2001:db8::1/126"], ["192.0.2.2/30"]
    cable = lab.link(a, b, addresses=given, macs=("02:aa:00:00:00:01", None), mtu=9000)
    eth0 = ip(a, "addr", "show", "eth0")[0]
    shown = {f"{entry['local']}/{entry['prefixlen']}" for entry in eth0["addr_info"] if entry["scope"] == "global"}
    assert shown == set(given[0])
    assert (eth0["address"], eth0["mtu"], eth0["ifindex"]) == ("02:aa:00:00:00:01", 9000, cable.a.index)
    assert [str(cable.b.mac), str(cable.b.address())] == ["02:00:00:00:02:00", "192.0.2.2"]
    with pytest.raises(FieldError, match="IP version"):
        cable.b.address(6)


def test_more_links_get_more_interfaces_and_subnets(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    lab.link(b, a)
    assert a.interfaces == b.interfaces == ("eth0", "eth1")
    assert (str(a.address(4, "eth1")), str(b.address(6, "eth1"))) == ("10.0.2.2", "fd00:2::1")
    assert str(a.mac("eth1")) == "02:00:00:00:01:01"
    with pytest.raises(FieldError, match="eth0, eth1"):
        a.mac("eth2")


def test_a_host_linked_to_itself(lab: Lab) -> None:
    a = lab.host("a")
    cable = lab.link(a, a)
    assert (cable.a.name, cable.b.name) == a.interfaces == ("eth0", "eth1")
    assert cable.a.mac != cable.b.mac


@pytest.mark.parametrize("name", ["", "b-c", "a\x1b[2J", "a b", "a" * 33, None, 5, ["a"]])
def test_names_that_no_node_has(lab: Lab, name: Any) -> None:
    with pytest.raises(FieldError, match=r"Lab\.name: expected a node's name of up to 32 letters, digits"):
        lab.host(name)


def test_names_of_links_are_their_own(lab: Lab) -> None:
    a, b, c = lab.hosts("a", "b", "b.2")
    assert [lab.link(*ends).name for ends in ((a, b), (a, c), (a, b))] == ["a-b", "a-b.2", "a-b-2"]


def test_a_node_of_another_lab_is_refused(lab: Lab) -> None:
    a = lab.host("a")
    with Lab() as other:
        for stranger in (other.host("b"), other.host("a")):
            with pytest.raises(
                FieldError, match=r"Lab\.link\.node: expected a host, router, switch or hub of the lab"
            ):
                lab.link(a, stranger)
    assert a.interfaces == ()


def test_what_cannot_be(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    with pytest.raises(FieldError, match="no other node"):
        lab.switch("a")
    for ruleset in (5, None, b"table ip n { }"):
        with pytest.raises(FieldError, match=r"a\.rules: expected text"):
            a.add_rules(ruleset)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match=r"a\.neighbor"):
        a.set_neighbor("10.0.0.1", 5)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="prefix"):
        lab.link(a, b, addresses=(["10.0.0.300/24"], []))


ONES = "ff:ff:ff:ff:ff:ff"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mtu": 67}, "Lab.link.mtu: expected 68 to 65535 bytes, got 67"),
        ({"mtu": -1}, "Lab.link.mtu: expected 68 to 65535 bytes, got -1"),
        ({"mtu": 65_536}, "Lab.link.mtu: expected 68 to 65535 bytes, got 65536"),
        ({"mtu": 1279, "addresses": ([], ["fd00::1/64"])}, "at least 1280 bytes for a link with IPv6"),
        ({"macs": (ONES, None)}, "Lab.link.macs: expected the MAC address of one station"),
        ({"macs": (None, "00:00:00:00:00:00")}, "Lab.link.macs: expected the MAC address of one station"),
        ({"macs": ("zz", None)}, "Lab.link.macs: expected the MAC address of one station"),
        ({"macs": ("", None)}, "Lab.link.macs: expected the MAC address of one station"),
        ({"addresses": (["10.0.0.300/24"], [])}, "addresses of hosts with prefix lengths"),
        ({"addresses": ("10.0.0.1", [])}, "addresses of hosts with prefix lengths"),
        ({"addresses": ("10.0.0.0/24", [])}, "addresses of hosts with prefix lengths"),
        ({"addresses": ("224.0.0.1/24", [])}, "addresses of hosts with prefix lengths"),
        ({"addresses": ("10.0.0.1/24", "10.0.0.1/24")}, "none for s, which is a switch"),
        ({"addresses": (["10.0.0.1/24"],)}, "those of the first end"),
        ({"addresses": (None, None)}, "addresses of hosts with prefix lengths"),
        ({"addresses": 5}, "those of the first end"),
        ({"macs": 5}, "Lab.link.macs: expected those of the first end"),
        ({"macs": None}, "Lab.link.macs: expected those of the first end"),
        ({"macs": (5, None)}, "Lab.link.macs: expected the MAC address of one station"),
        ({"macs": ("02:00:00:00:00:01", "02:00:00:00:00:01")}, "Lab.link.macs"),
        ({"mtu": 1500.5}, "68 to 65535 bytes"),
        ({"delay": "20ms"}, "Impairment.delay: expected a number"),
        ({"drop": 3}, "expected nth(...), or several"),
        ({"drop": hold(1, for_ms=3)}, "expected nth(...), or several"),
        ({"instructions": [nth(1)]}, "expected swap(...), hold(...), or several"),
        ({"instructions": hold(1, for_ms="3")}, "a number of milliseconds"),
        ({"drop": nth(1, sent_by="nobody")}, "one of its ends, a or s"),
    ],
)
def test_options_that_no_link_has_are_refused_and_change_nothing(
    lab: Lab, options: dict[str, Any], words: str
) -> None:
    a, s = lab.host("a"), lab.switch("s")
    with pytest.raises(FieldError) as caught:
        lab.link(a, s, **options)
    assert words in str(caught.value)
    lab.link(a, s)
    assert str(a.address()) == "10.0.1.1"


def test_a_router_has_a_network_on_one_link_only(lab: Lab) -> None:
    a, b, r = lab.host("a"), lab.host("b"), lab.router("r")
    lab.link(a, r, addresses=("10.0.0.1/24", "10.0.0.2/24"))
    with pytest.raises(FieldError, match="another network than r has"):
        lab.link(b, r, addresses=("10.0.0.3/24", "10.0.0.4/24"))
    with pytest.raises(FieldError, match="another address than that of b"):
        lab.link(b, r, addresses=("10.0.1.1/24", "10.0.1.1/24"))
    lab.link(b, r, addresses=("10.0.1.1/24", ["10.0.1.2/24", "fe80::1/64"]))
    assert "1 received" in a.run(["ping", "-c", "1", "10.0.1.1"], capture_output=True, text=True).stdout


def test_a_route_of_one_s_own(lab: Lab) -> None:
    """Two routers beside each other; by the wiring, the first is everybody's way, and `via` makes it the other."""
    a, b = lab.hosts("a", "b")
    s = lab.switch("s")
    first, second = lab.router("r1"), lab.router("r2")
    for node in (a, first, second):
        lab.link(node, s)
    for router in (first, second):
        lab.link(router, b)
    target = str(b.address())
    there = ["ip", "-o", "route", "get", target]
    assert f"via {first.address()} " in a.run(there, capture_output=True, text=True).stdout
    a.set_route("10.0.2.0/24", str(second.address()))
    assert f"via {second.address()} " in a.run(there, capture_output=True, text=True).stdout
    a.set_route("default", str(second.address()))
    assert f"via {second.address()} " in a.run([*there[:-1], "192.0.2.1"], capture_output=True, text=True).stdout
    a.set_route("10.0.2.0/24", None)
    assert "Invalid argument" in a.run(there, capture_output=True, text=True).stderr  # ip-route(8), blackhole
    for network, via in (("10.0.2.1/24", None), ("10.0.2.0/24", "10.0.1"), ("10.0.2.0/24", "fd00::1")):
        with pytest.raises(FieldError, match=r"a\.route"):
            a.set_route(network, via)
    with pytest.raises(KernelError, match="set the route"):
        a.set_route("10.0.9.0/24", "203.0.113.1")


def test_a_link_that_the_kernel_refuses_halfway_is_taken_back(lab: Lab) -> None:
    a, b, s = lab.host("a"), lab.host("b"), lab.switch("s")
    refused = ["192.0.2.2/24", "fd00::2/64"]
    for node in (a, b):
        node.set_sysctls({"ipv6/conf/default/disable_ipv6": 1})
    for far in (b, a):
        with pytest.raises(KernelError, match="add address"):
            lab.link(a, far, addresses=(["192.0.2.1/24"], refused))
    with pytest.raises(KernelError, match="add address"):
        lab.link(s, b, addresses=([], refused))
    for node in (a, b):
        node.set_sysctls({"ipv6/conf/default/disable_ipv6": 0})
    assert a.interfaces == b.interfaces == s.interfaces == ()
    lab.link(a, s)
    lab.link(b, s)
    assert [str(host.address(version)) for host in (a, b) for version in (4, 6)] == [
        "10.0.1.1",
        "fd00:1::1",
        "10.0.1.2",
        "fd00:1::2",
    ]
    assert a.interfaces == b.interfaces == ("eth0",)


def test_the_least_mtu_and_that_of_ipv6(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    for mtu, addresses in ((68, 1), (1279, 1), (1280, 2), (65_535, 2)):
        cable = lab.link(a, b, mtu=mtu)
        assert [len(port.addresses) for port in cable.ends] == [addresses] * 2


def test_a_host_without_a_link_says_so(lab: Lab) -> None:
    with pytest.raises(FieldError, match=r"a\.interface: expected an interface \(it has none before Lab.link\)"):
        lab.host("a").address()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ipv4/nosuch", 1, "set net/ipv4/nosuch to 1: no such setting; `ls /proc/sys/net` lists"),
        ("ipv4", 1, "set net/ipv4 to 1: a group of settings"),
        ("ipv4/ip_default_ttl", 9999, "set net/ipv4/ip_default_ttl to 9999: not a value that this setting takes"),
    ],
)
def test_a_setting_that_cannot_be_set(lab: Lab, name: str, value: int, words: str) -> None:
    with pytest.raises(KernelError) as caught:
        lab.host("a").set_sysctls({name: value})
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["../nonexistent", "ipv4/../../nonexistent", "/nonexistent/name", "", 5])
def test_a_setting_that_is_not_the_host_s_own(lab: Lab, name: Any) -> None:
    with pytest.raises(FieldError, match=r"a\.sysctl: expected a name under /proc/sys/net"):
        lab.host("a").set_sysctls({name: 1})


def test_entering_nests_and_returns_also_after_an_error(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    outside = where()
    with a:
        inside = where()

        def fail() -> None:
            with b:
                assert where() not in (inside, outside)
                with a:
                    assert where() == inside
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert where() == inside
    assert where() == outside


def test_threads_enter_without_disturbing_each_other(lab: Lab) -> None:
    hosts = lab.hosts("a", "b")
    outside = where()
    both_in = threading.Barrier(3, timeout=30)
    seen: dict[str, tuple[int, int]] = {}

    def visit(host: Host) -> None:
        with host:
            both_in.wait()
            inside = where()
            both_in.wait()
        seen[host.name] = inside, where()

    threads = [threading.Thread(target=visit, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    both_in.wait()
    assert where() == outside
    both_in.wait()
    for thread in threads:
        thread.join()
    assert len({inside for inside, _ in seen.values()}) == 2
    assert {after for _, after in seen.values()} == {outside}


def test_a_thread_of_its_own_asks_the_host_and_not_the_machine(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(a.state).result().routes == a.state().routes
        thread.submit(a.set_route, "203.0.113.0/24", "10.0.1.2").result()
        thread.submit(lab.link, a, b).result()
    assert [route["gateway"] for route in ip(a, "route", "show", "203.0.113.0/24")] == ["10.0.1.2"]
    assert [link["ifname"] for link in ip(b, "link")] == ["lo", "eth0", "eth1"]


def test_run_is_like_subprocess_run(lab: Lab) -> None:
    host = lab.host("a")
    done = host.run(["cat"], input="hello", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello", "")
    assert host.run("exit 3", shell=True).returncode == 3
    with pytest.raises(subprocess.CalledProcessError):
        host.run(["false"], check=True)
    with pytest.raises(subprocess.TimeoutExpired):
        host.run(["sleep", "1000"], timeout=0.01)
    with pytest.raises(FileNotFoundError):
        host.run(["/nonexistent"])
    assert host.run(["sh", "-c", "echo $$"], capture_output=True).stdout != b"1\n"


def test_nothing_is_left_when_a_lab_is_closed() -> None:
    before = descriptors(), children(), threading.active_count()
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, lab.switch("s"))
        lab.link(b, lab.router("r"))
        program = a.popen(["sleep", "1000"])
        a.run("setsid sleep 1000 >/dev/null 2>&1 &", shell=True, check=True)
        namespaces = Namespaces(os.getpid(), [node.fileno() for node in (a, b)])
    lab.close()
    assert program.returncode == -9
    assert namespaces.held() == set()
    namespaces.close()
    assert (descriptors(), children(), threading.active_count()) == before


def test_a_closed_lab_says_so() -> None:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        finished = lab.record()
        assert a.run(["true"]).returncode == 0
        ping(a, b.address())
        frames = finished.finish()
        recording = lab.record()
    asked: list[Callable[[], object]] = [
        lambda: lab.host("c"),
        lambda: lab.link(a, b),
        lab.record,
        lambda: a.run(["true"]),
        lambda: a.spawn(lambda worker: None),
        lambda: a.open(socket.socket),
        lambda: a.set_sysctls({"ipv4/ip_forward": 1}),
        lambda: a.set_route("default", None),
        lambda: a.set_neighbor("10.0.1.9", "02:00:00:00:00:09"),
        a.state,
        recording.finish,
        recording.settle,
        recording.transits,
    ]
    for ask in asked:
        with pytest.raises(KernelError, match="closed"):
            ask()
    assert frames
    assert finished.transits() == frames


def test_what_the_machine_allows(lab: Lab) -> None:
    results = {check.name: check for check in check_machine()}
    assert results["packet sockets"] == ("packet sockets", True, "works", "")
    assert results["namespaces as this user"].ok
    assert {"raw IPv4 sockets", "raw IPv6 sockets", "user namespaces", "program tcpdump"} <= set(results)
    assert results["library scapy"] == ("library scapy", True, "works", "")
    assert not any(check.remedy for check in results.values() if check.ok)


def test_what_only_some_uses_need_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    results = {check.name: check for check in check_machine()}
    nft, scapy = results["program nft"], results["library scapy"]
    assert (nft.ok, nft.detail) == (True, "missing; rawkit works without it (sudo apt install nftables)")
    assert (scapy.ok, scapy.remedy) == (True, "")
    assert scapy.detail == 'missing; only rawkit verify needs it (pip install "rawkit[verify]")'


def descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def children() -> list[str]:
    return sorted(
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    )
