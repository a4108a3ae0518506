"""What a lab's hosts know, as `ip`, `ss` and the kernel's own files tell it; firewalls and NAT; hubs."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator

import pytest
from programs import require

from rawkit.errors import FieldError
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab, State
from rawkit.wire import UDP, ICMPv4Echo

pytestmark = pytest.mark.root


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def told(host: Host, *command: str) -> str:
    require(command[0])
    return str(host.run(command, capture_output=True, text=True, check=True).stdout)


def ping(host: Host, address: object) -> bool:
    require("ping")
    return host.run(["ping", "-c", "1", "-W", "1", str(address)], capture_output=True).returncode == 0


def test_neighbors_and_routes_are_those_that_ip_shows(lab: Lab) -> None:
    a, r, b = lab.host("a"), lab.router("r"), lab.host("b")
    lab.link(a, r)
    lab.link(r, b)
    assert ping(a, b.address())
    assert ping(a, b.address(6))
    state = r.state()
    neighbors = {
        (each["dst"], each.get("lladdr"), each["dev"]) for each in json.loads(told(r, "ip", "-j", "neigh"))
    }
    assert {(str(each.address), str(each.mac), each.interface) for each in state.neighbors} == neighbors
    for host, default in ((a, "10.0.1.2"), (b, "10.0.2.1")):
        routes = {
            (each["dst"], each.get("gateway"), each["dev"])
            for family in ("-4", "-6")
            for each in json.loads(told(host, "ip", "-j", family, "route"))
        }
        ours = {
            (each.network.replace("0.0.0.0/0", "default").replace("::/0", "default"), each.gateway, each.interface)
            for each in host.state().routes
        }
        assert {
            (network, None if gateway is None else str(gateway), name) for network, gateway, name in ours
        } == routes
        assert ("default", default, "eth0") in routes


def test_routes_that_lead_nowhere_are_there_and_what_was_learnt_of_paths_is_not(lab: Lab) -> None:
    require("ip", "ping")
    a, r, b = lab.host("a"), lab.router("r"), lab.host("b")
    lab.link(a, r)
    lab.link(r, b, mtu=1300)
    a.set_route("203.0.113.0/24", None)
    a.set_route("2001:db8::/32", None)
    for version in (4, 6):  # the first finds out, the second is cut in pieces that fit
        for _ in range(2):
            a.run(["ping", "-c", "1", "-W", "5", "-s", "1400", str(b.address(version))], capture_output=True)
        assert "mtu 1300" in told(a, "ip", "route", "get", str(b.address(version)))
    shown = [
        (each.get("type", "unicast"), each["dst"], each.get("dev", ""))
        for family in ("-4", "-6")
        for each in json.loads(told(a, "ip", "-j", family, "route"))
    ]
    ours = [
        (each.kind, each.network.replace("0.0.0.0/0", "default").replace("::/0", "default"), each.interface)
        for each in a.state().routes
    ]
    assert sorted(ours) == sorted(shown)
    assert [each[1] for each in ours if each[0] == "blackhole"] == ["203.0.113.0/24", "2001:db8::/32"]


def test_packet_sockets_are_those_that_ss_shows(lab: Lab) -> None:
    require("ss")
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    assert a.state().packet_sockets == ()
    with (
        a.open(PacketSocket, "eth0"),
        a.open(socket.socket, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x88B5)),
    ):
        shown = [line.split() for line in told(a, "ss", "-0", "-a", "-n", "-H").splitlines()]
        ours = a.state().packet_sockets
        theirs = sorted(
            (kind.removeprefix("p_").replace("dgr", "dgram"), local) for kind, _, _, _, local, *_ in shown
        )
        protocols = {3: "*", 0x88B5: "[34997]"}
        assert (
            sorted((each.kind, f"{protocols[each.protocol]}:{each.interface or '*'}") for each in ours) == theirs
        )


def test_what_passed_an_interface_is_what_ip_counts(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    for host in (a, b):
        host.set_sysctls({"ipv6/conf/all/disable_ipv6": 1})  # which else speaks when it likes
    before = {each.name: each for each in a.state().interfaces}
    assert ping(a, b.address())
    after = {each.name: each for each in a.state().interfaces}
    assert after["eth0"].tx_packets - before["eth0"].tx_packets == 2  # a question for the address, the ping
    for each in json.loads(told(a, "ip", "-j", "-s", "link")):
        stats = [each["stats64"][way][what] for way in ("rx", "tx") for what in ("packets", "bytes", "dropped")]
        assert list(after[each["ifname"]]) == [each["ifname"], *stats]


def test_sockets_are_those_that_ss_shows(lab: Lab) -> None:
    require("socat", "ss")
    host = lab.host("a")
    with host.popen(["socat", "TCP-LISTEN:7007,fork,reuseaddr", "PIPE"]) as server:
        while not host.state().sockets:
            assert server.poll() is None
        with host.popen(["socat", "TCP:127.0.0.1:7007", "EXEC:sleep 100"]) as client:
            while "ESTAB" not in told(host, "ss", "-tnH"):
                assert client.poll() is None
            theirs = sorted(
                (state.replace("ESTAB", "ESTABLISHED"), int(local.rpartition(":")[2]))
                for state, _, _, local, *_ in map(str.split, told(host, "ss", "-tanH").splitlines())
            )
            ours = sorted((each.state, each.local.port) for each in host.state().sockets if each.protocol == "tcp")
            assert ours == theirs
            client.kill()
        server.kill()


def test_counters_are_the_kernel_s(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    before = b.state().counters
    assert ping(a, b.address())
    after = b.state().counters
    assert after["Icmp.InEchos"] - before["Icmp.InEchos"] == 1
    lines = [line.split() for line in told(b, "cat", "/proc/net/snmp").splitlines() if line.startswith("Icmp:")]
    assert after["Icmp.OutEchoReps"] == int(dict(zip(*lines, strict=True))["OutEchoReps"])


def test_a_state_survives_json(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    assert ping(a, b.address())
    state = a.state()
    assert State.from_object(json.loads(json.dumps(state.as_object()))) == state


def test_a_permanent_neighbor_is_one_to_ip(lab: Lab) -> None:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    a.set_neighbor(str(b.address()), "02:00:00:00:00:99")
    (shown,) = json.loads(told(a, "ip", "-j", "neigh"))
    assert (shown["dst"], shown["lladdr"], shown["state"]) == (
        str(b.address()),
        "02:00:00:00:00:99",
        ["PERMANENT"],
    )


def test_a_firewall_is_in_force(lab: Lab) -> None:
    require("nft")
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    assert ping(a, b.address())
    b.add_rules("table ip f { chain i { type filter hook input priority 0; icmp type echo-request drop; }; }")
    assert not ping(a, b.address())
    with pytest.raises(FieldError, match="syntax error"):
        b.add_rules("no such language")


def test_nat_translates_what_leaves_and_forwards_what_is_named(lab: Lab) -> None:
    require("nft", "nc")
    inside, router, outside = lab.host("inside"), lab.router("router"), lab.host("outside")
    lab.link(inside, router)
    lab.link(router, outside)
    router.translate("eth1", {("udp", 5353): (str(inside.address()), 53)})
    with lab.record() as recording:
        assert ping(inside, outside.address())
        outside.run(["nc", "-u", "-w1", str(router.address(4, "eth1")), "5353"], input=b"hi", capture_output=True)
        found = [each for each in recording.finish() if each.receiver in ("outside", "inside")]
    sources = [
        str(packet.layers[1].src)
        for each in found
        if ICMPv4Echo in (packet := each.frame.packet()) and packet[ICMPv4Echo].type == 8
    ]  # type: ignore[union-attr]
    assert sources == [str(router.address(4, "eth1"))]
    packets = [each.frame.packet() for each in found]
    assert 53 in [packet[UDP].dst_port for packet in packets if UDP in packet]
    (pinged,) = [each for each in router.state().connections if each.protocol == "icmp"]
    assert re.search(
        rf"src=10\.0\.1\.1 dst=10\.0\.2\.2 type={pinged.icmp_type} code=0 id={pinged.icmp_id} ",
        told(router, "cat", "/proc/net/nf_conntrack"),
    )
    assert pinged.icmp_type == 8
    (tracked,) = [each for each in router.state().connections if each.protocol == "udp"]
    assert (tracked.destination.port, tracked.reply_source.port) == (5353, 53)
    with pytest.raises(FieldError, match=r"router\.forward: expected .*'tcp' or 'udp'.* got \{\('icmp', 1\)"):
        router.translate("eth1", {("icmp", 1): ("10.0.1.1", 1)})
    for wrong in ({("tcp", 0): ("10.0.1.1", 1)}, {("tcp", 1): ("fd00::1", 1)}, {("tcp", 1): "10.0.1.1"}, {5: 5}):
        with pytest.raises(FieldError, match=r"router\.forward"):
            router.translate("eth1", wrong)  # type: ignore[arg-type]
    assert re.search(r"dst=10\.0\.2\.1 sport=\d+ dport=5353", told(router, "cat", "/proc/net/nf_conntrack"))


def test_what_was_said_of_a_nat_before_is_replaced(lab: Lab) -> None:
    require("nft")
    router = lab.router("router")
    lab.link(lab.host("a"), router)
    for port in (80, 81):
        router.translate("eth0", {("tcp", port): ("10.0.1.1", 80)})
    rules = told(router, "nft", "list", "ruleset")
    assert re.findall(r"dport (\d+)", rules) == ["81"]
    assert rules.count("masquerade") == 1


def test_everybody_on_a_hub_gets_every_frame(lab: Lab) -> None:
    for middle, heard in ((lab.hub("hub"), 2), (lab.switch("switch"), 0)):
        a, b, c = lab.hosts(*(f"{name}_{middle.name}" for name in "abc"))
        for host in (a, b, c):
            lab.link(host, middle)
        assert ping(a, b.address())
        with lab.record() as recording:
            assert ping(a, b.address())
            pings = [
                each
                for each in recording.finish()
                if ICMPv4Echo in each.frame.packet() and each.receiver == c.name
            ]
        assert len(pings) == heard
