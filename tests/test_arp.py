"""Who has an address: ARP and neighbour discovery, against what arping and the kernels' own tables say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from commands import fields_of, frames_in, rawkit, refused, rules, told
from programs import require

from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab
from rawkit.wire import ARP, Ethernet

pytestmark = pytest.mark.root

MACS = {"a": "02:00:00:00:02:00", "b": "02:00:00:00:03:00", "c": "02:00:00:00:04:00"}
TWICE = {4: "10.0.1.50", 6: "fd00:1::50"}


class Net(NamedTuple):
    a: Host
    b: Host
    c: Host


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    """Three hosts on a switch, of which b and c have an address in common."""
    require("ip")
    with Lab() as lab:
        switch = lab.switch("switch")
        net = Net(*lab.hosts("a", "b", "c"))
        for host in net:
            lab.link(host, switch)
        for host in (net.b, net.c):
            ip(host, "addr", "add", f"{TWICE[4]}/24", "dev", "eth0")
            ip(host, "-6", "addr", "add", f"{TWICE[6]}/64", "dev", "eth0", "nodad")
        assert {name: str(host.mac()) for name, host in zip(MACS, net, strict=True)} == MACS
        yield net


def ip(host: Host, *arguments: str) -> Any:
    done = host.run(["ip", "-j", *arguments], capture_output=True, check=True)
    return json.loads(done.stdout or "[]")


def neighbours(host: Host) -> dict[str, str | None]:
    return {each["dst"]: each.get("lladdr") for each in ip(host, "neigh", "show")}


def test_request_agrees_with_arping(net: Net) -> None:
    require("arping")
    theirs = net.a.run(["arping", "-c", "1", "-I", "eth0", "10.0.1.2"], capture_output=True, text=True).stdout
    (mac,) = re.findall(r"\[([0-9A-F:]+)\]", theirs)
    (ours,) = told(net.a, "arp", "10.0.1.2")
    assert (ours["address"], ours["mac"], ours["repeated"]) == ("10.0.1.2", mac.lower(), False)
    assert ours["rtt_ns"] > 0
    assert f"10.0.1.2        is at {mac.lower()}  " in rawkit(net.a, "arp", "10.0.1.2").stdout


def test_what_is_asked_is_what_arping_asks(net: Net, tmp_path: Any) -> None:
    require("arping", "tshark")
    asked = []
    for command in ("arping -c 1 -I eth0 10.0.1.2", "arping -D -c 1 -I eth0 10.0.1.2"):
        with net.b.open(PacketSocket, "eth0", filter="arp") as tap:
            net.a.run(command.split(), capture_output=True)
            asked.append(frames_in(tap)[0])
    for options in ((), ("-D",)):
        with net.b.open(PacketSocket, "eth0", filter="arp") as tap:
            rawkit(net.a, "arp", *options, "10.0.1.2", code=1 if options else 0)
            asked.append(frames_in(tap)[0])
    names = ("eth.dst", "eth.src", "arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.proto_ipv4")
    rows = fields_of(asked, tmp_path, *names)
    assert rows[:2] == rows[2:]
    assert rows[0][2:5] == ["1", MACS["a"], "10.0.1.1"]
    assert rows[1][4] == "0.0.0.0"


@pytest.mark.parametrize("address", ["fd00:1::2", "fe80::ff:fe00:300%eth0"])
def test_neighbour_discovery(net: Net, address: str) -> None:
    (found,) = told(net.a, "arp", address)
    assert (found["address"], found["mac"]) == (address.partition("%")[0], MACS["b"])
    ip(net.a, "neigh", "flush", "dev", "eth0")
    net.a.run(["ping", "-n", "-c", "1", address], capture_output=True, check=True)
    assert neighbours(net.a)[address.partition("%")[0]] == MACS["b"]


def test_sweep_finds_who_is_there_and_nobody_else(net: Net) -> None:
    found = told(net.a, "arp", "10.0.1.0/29", "--timeout", "0.2")
    assert {each["address"]: each["mac"] for each in found} == {
        **dict.fromkeys((f"10.0.1.{n}" for n in range(1, 7)), None),
        "10.0.1.2": MACS["b"],
        "10.0.1.3": MACS["c"],
    }
    shown = rawkit(net.a, "arp", "fd00:1::/125", "--timeout", "0.2").stdout.splitlines()
    assert sorted(line.split()[0] for line in shown[:-1]) == ["fd00:1::2", "fd00:1::3"]
    assert shown[-1] == "2 of 7 addresses asked for are there"


def test_a_large_sweep_asks_for_every_address_once(net: Net) -> None:
    with net.b.open(PacketSocket, "eth0", filter="arp[7] == 1", buffer_size=1 << 24) as tap:
        rawkit(net.a, "arp", "10.0.1.0/24", "--rate", "100000", "-c", "1", "--timeout", "0.2")
        asked = [str(frame.packet()[ARP].target_ip) for frame in frames_in(tap)]
    assert [address for address in asked if address != "10.0.1.1"] == [f"10.0.1.{n}" for n in range(2, 255)]


@pytest.mark.parametrize("version", [4, 6])
def test_an_address_that_two_hosts_have(net: Net, version: int) -> None:
    found = told(net.a, "arp", TWICE[version], "--linger", "0.3")
    assert {each["mac"] for each in found} == {MACS["b"], MACS["c"]}
    assert [each["repeated"] for each in found] == [False, True]
    shown = rawkit(net.a, "arp", TWICE[version], "--linger", "0.3").stdout
    assert shown.splitlines()[1].endswith("also! the address is in use twice")


@pytest.mark.parametrize("version", [4, 6])
def test_detection_of_duplicates(net: Net, version: int) -> None:
    taken = {4: "10.0.1.3", 6: "fd00:1::3"}[version]
    assert rawkit(net.a, "arp", "-D", taken, code=1).stdout == f"{taken} is in use, by {MACS['c']}\n"
    assert told(net.a, "arp", "-D", taken, code=1) == [{"address": taken, "mac": MACS["c"]}]
    if version == 4:
        require("arping")
        arping = ["arping", "-D", "-c", "1", "-I", "eth0", taken]
        assert net.a.run(arping, capture_output=True).returncode == 1


@pytest.mark.parametrize("free", ["10.0.1.99", "fd00:1::99"])
def test_an_address_that_nobody_has_is_probed_three_times_without_claiming_it(net: Net, free: str) -> None:
    with net.b.open(PacketSocket, "eth0", filter="arp or icmp6[0] == 135") as tap:
        assert rawkit(net.a, "arp", "-D", free).stdout == f"{free} is free: nobody says that it is theirs\n"
        frames = [frame.packet() for frame in frames_in(tap)]
    assert len(frames) == 3  # RFC 5227, section 1.1: PROBE_NUM
    assert {str(packet[Ethernet].src) for packet in frames} == {MACS["a"]}
    assert free not in neighbours(net.b)


def test_announcement_changes_what_others_know(net: Net) -> None:
    ip(net.b, "neigh", "replace", "10.0.1.1", "lladdr", "02:00:00:00:99:99", "dev", "eth0", "nud", "stale")
    ip(net.b, "-6", "neigh", "replace", "fd00:1::1", "lladdr", "02:00:00:00:99:99", "dev", "eth0", "nud", "stale")
    said = rawkit(net.a, "arp", "-U", "-c", "1", "10.0.1.1").stdout
    assert said == f"told everybody on eth0, 1 time: 10.0.1.1 is at {MACS['a']}\n"
    (said_in_json,) = told(net.a, "arp", "--announce", "-c", "1", "-i", "eth0", "fd00:1::1")
    assert said_in_json == {"address": "fd00:1::1", "mac": MACS["a"], "interface": "eth0", "count": 1}
    known = neighbours(net.b)
    assert (known["10.0.1.1"], known["fd00:1::1"]) == (MACS["a"], MACS["a"])


def test_a_host_that_keeps_silent_is_not_there(net: Net) -> None:
    assert rawkit(net.a, "arp", "--timeout", "0.1", "10.0.1.77", code=1).stdout == (
        "10.0.1.77 is not there: nobody answers\n"
    )
    with rules(net.c, "input", "icmpv6 type nd-neighbor-solicit drop"):
        (found,) = told(net.a, "arp", "--timeout", "0.1", "fd00:1::3", code=1)
    assert found == {"address": "fd00:1::3", "mac": None, "rtt_ns": None, "repeated": False}


def test_nothing_is_asked_on_the_wire_for_what_is_elsewhere(net: Net) -> None:
    assert "no route" in rawkit(net.a, "arp", "192.0.2.1", code=3).stderr
    assert "`rawkit interfaces`" in rawkit(net.a, "arp", "-i", "nosuch0", "10.0.1.2", code=3).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["10.0.1.1"], "this host's own address"),
        (["-D", "-U", "10.0.1.2"], "exclude each other"),
        (["-D", "10.0.1.0/24"], "one address"),
        (["10.0.0.0/8"], "at most 65536 addresses"),
        (["fd00::/64"], "at most 65536 addresses"),
        (["10.0.1.0/99"], "a prefix such as"),
        (["-S", "fd00:1::1", "10.0.1.2"], "an IPv4 address"),
        (["-c", "0", "10.0.1.2"], "count"),
        (["--rate", "0", "10.0.1.2"], "rate"),
        (["nosuch.invalid"], "nosuch.invalid"),
    ],
)
def test_wrong_arguments_get_one_line(net: Net, arguments: list[str], words: str) -> None:
    assert words in refused(net.a, "arp", *arguments)
