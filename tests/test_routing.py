"""Routes and neighbours, against what `ip` is told by the same kernel."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

import pytest
from programs import require

from rawkit.errors import FieldError, InterfaceError, KernelError, NotPermittedError
from rawkit.layout import MAC
from rawkit.link import Neighbor, NeighborState, Route, find_neighbor, find_route, source_towards
from rawkit.netns import Host, Lab, Router

pytestmark = pytest.mark.root

PATIENCE = 30


class Net(NamedTuple):
    a: Host
    r: Router
    b: Host


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    """a - r - b, of which the second link is narrower."""
    require("ip")
    with Lab() as lab:
        a, r, b = lab.host("a"), lab.router("r"), lab.host("b")
        lab.link(a, r)
        lab.link(r, b, mtu=1300)
        for command in (
            *(f"route add {kind} 203.0.113.{n}" for n, kind in enumerate(REFUSALS, 1)),
            *(f"-6 route add {kind} 2001:db8::{n}" for n, kind in enumerate(REFUSALS, 1)),
            "route add 198.51.100.0/24 via 10.0.1.2 mtu 900 src 10.0.1.1",
            "-6 route add 2001:db8:5::/48 via fd00:1::2 mtu 1290",
            "route add 192.0.2.0/24 via inet6 fd00:1::2",
            "addr add 10.9.9.9/32 dev lo",
        ):
            ip(a, command)
        yield Net(a, r, b)


REFUSALS = {
    "blackhole": errno.EINVAL,
    "prohibit": errno.EACCES,
    "unreachable": errno.EHOSTUNREACH,
    "throw": errno.ENETUNREACH,
}


def ip(host: Host, command: str) -> Any:
    done = host.run(["ip", "-j", *command.split()], capture_output=True, check=True)
    return json.loads(done.stdout or "null")


def route(host: Host, destination: str, **options: Any) -> Route:
    with host:
        return find_route(ip_address(destination), **options)


DESTINATIONS = [
    "10.0.1.2",
    "10.0.2.2",
    "10.0.1.1",
    "10.0.1.255",
    "255.255.255.255",
    "224.0.0.1",
    "127.0.0.1",
    "10.9.9.9",
    "192.0.2.1",
    "198.51.100.1",
    "fd00:1::2",
    "fd00:2::2",
    "fd00:1::1",
    "::1",
    "2001:db8:5::1",
    "ff05::1",
    "fe80::1%eth0",
    "ff02::1%eth0",
]


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_the_way_is_the_one_that_ip_shows(net: Net, destination: str) -> None:
    address, _, scope = destination.partition("%")
    (told,) = ip(net.a, f"route get {address}" + (f" oif {scope}" if scope else ""))
    found = route(net.a, destination)
    via = told.get("gateway") or told.get("via", {}).get("host")
    assert (found.interface, str(found.source), found.gateway and str(found.gateway), found.kind) == (
        told["dev"],
        told["prefsrc"],
        via,
        told.get("type", "unicast"),
    )
    (link,) = ip(net.a, f"link show {told['dev']}")
    metrics = told.get("metrics", [{}])[0]
    assert (found.index, found.mtu) == (link["ifindex"], metrics.get("mtu", link["mtu"]))
    assert str(found.destination) == destination


@pytest.mark.parametrize("prefix", ["203.0.113.", "2001:db8::"])
@pytest.mark.parametrize(("number", "kind"), list(enumerate(REFUSALS, 1)))
def test_routes_that_lead_nowhere(net: Net, prefix: str, number: int, kind: str) -> None:
    with pytest.raises(KernelError) as caught:
        route(net.a, f"{prefix}{number}")
    assert caught.value.errno == REFUSALS[kind]
    assert not isinstance(caught.value, NotPermittedError)
    assert "route" in caught.value.remedy


def test_no_route(net: Net) -> None:
    for destination in ("8.8.8.8", "2001:db8:9::1"):
        with pytest.raises(KernelError) as caught:
            route(net.r, destination)
        assert caught.value.errno == errno.ENETUNREACH
        assert str(caught.value).startswith(f"find the way to {destination}: no route")


def test_through_an_interface(net: Net) -> None:
    assert route(net.r, "10.0.2.2").interface == "eth1"
    through = route(net.r, "10.0.2.2", interface="eth0")
    assert (through.interface, through.gateway) == ("eth0", None)  # the kernel takes it to be on the link then
    with pytest.raises(InterfaceError, match="rawkit interfaces") as caught:
        route(net.a, "10.0.2.2", interface="eth7")
    assert caught.value.errno == errno.ENODEV


@pytest.mark.parametrize("interface", ["", "eth0\0", "eth0" * 10, "verylongnamexxxyz"])
def test_a_name_that_no_interface_can_have(net: Net, interface: str) -> None:
    ip(net.b, "link add verylongnamexxx type veth peer other")  # which that one is when cut to what fits
    for destination in ("10.0.1.1", "fd00:1::1"):
        with pytest.raises(InterfaceError) as caught:
            route(net.b, destination, interface=interface)
        assert caught.value.errno == errno.ENODEV
    ip(net.b, "link delete verylongnamexxx")


def test_an_interface_that_is_down(net: Net) -> None:
    ip(net.b, "link add down0 type veth peer down1")
    for interface in ("down0", str(ip(net.b, "link show down0")[0]["ifindex"])):
        with pytest.raises(InterfaceError, match="bring it up") as caught:
            route(net.b, "10.0.1.1", interface=interface)
        assert caught.value.errno == errno.ENETDOWN


@pytest.mark.parametrize("destination", ["fe80::1", "ff02::1", "ff01::1"])
def test_an_address_that_every_link_has_needs_an_interface(net: Net, destination: str) -> None:
    with pytest.raises(KernelError, match="name the interface") as caught:
        route(net.a, destination)
    assert caught.value.errno == errno.EINVAL
    with net.a:
        index = socket.if_nametoindex("eth0")
    ways = [
        route(net.a, destination, interface="eth0"),
        route(net.a, f"{destination}%eth0"),
        route(net.a, f"{destination}%{index}"),
    ]
    assert {(way.interface, str(way.source)) for way in ways} == {("eth0", "fe80::ff:fe00:100")}


@pytest.mark.parametrize("scope", ["eth7", "77", "0", "4294967297", "9" * 40, "²"])
def test_a_scope_that_is_no_interface(net: Net, scope: str) -> None:
    with pytest.raises(InterfaceError):
        route(net.a, f"fe80::1%{scope}")


def test_from_an_address(net: Net) -> None:
    for source, destination in (("10.9.9.9", "10.0.2.2"), ("fd00:1::1", "fd00:2::2")):
        (told,) = ip(net.a, f"route get {destination} from {source}")
        found = route(net.a, destination, source=ip_address(source))
        assert (str(found.source), str(found.gateway)) == (source, told["gateway"])
    with pytest.raises(KernelError, match=r"the way to 10\.0\.2\.2 from 192\.0\.2\.77"):
        route(net.a, "10.0.2.2", source=IPv4Address("192.0.2.77"))
    with pytest.raises(FieldError, match="expected an IPv4 address"):
        route(net.a, "10.0.2.2", source=IPv6Address("fd00:1::1"))


def test_the_path_mtu_that_an_error_told_counts(net: Net) -> None:
    for family, destination in ((socket.AF_INET, "10.0.2.2"), (socket.AF_INET6, "fd00:2::2")):
        assert route(net.a, destination).mtu == 1500
        with net.a.open(socket.socket, family, socket.SOCK_DGRAM) as udp:
            level, option, do = (
                (socket.IPPROTO_IP, 10, 2) if family == socket.AF_INET else (socket.IPPROTO_IPV6, 23, 2)
            )  # IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: IP_PMTUDISC_DO
            udp.setsockopt(level, option, do)
            udp.settimeout(PATIENCE)
            udp.connect((destination, 9))
            udp.setsockopt(level, 11 if family == socket.AF_INET else 25, 1)  # IP_RECVERR, IPV6_RECVERR
            udp.send(bytes(1400))
            with pytest.raises(OSError, match="Message too long"):
                udp.recv(1)  # the router's error wakes it
        assert route(net.a, destination).mtu == 1300


def test_ipv6_can_have_an_mtu_of_its_own(net: Net) -> None:
    net.b.set_sysctls({"ipv6/conf/eth0/mtu": 1280})
    assert (route(net.b, "fd00:1::1").mtu, route(net.b, "10.0.1.1").mtu) == (1280, 1300)


def test_a_host_without_an_address(net: Net) -> None:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b, addresses=([], []))
        ip(a, "route add default dev eth0")
        assert route(a, "192.0.2.1").source is None
        with a, pytest.raises(KernelError) as caught:
            source_towards(IPv4Address("192.0.2.1"))
        assert caught.value.errno == errno.EADDRNOTAVAIL


def test_neighbors_are_those_that_ip_shows(net: Net) -> None:
    require("ping")
    for address in ("10.0.1.2", "fd00:1::2"):
        net.a.run(["ping", "-n", "-c", "1", "-W", "10", address], check=True, stdout=-3)
        with net.a:
            found = find_neighbor(ip_address(address), "eth0")
        (told,) = ip(net.a, f"neigh show {address}")
        assert found is not None
        assert (str(found.mac), [found.state.name]) == (told["lladdr"], told["state"])


def test_a_neighbor_that_does_not_answer_has_no_mac(net: Net) -> None:
    address = IPv4Address("10.0.1.77")
    with net.a:
        assert find_neighbor(address, "eth0") is None
    ip(net.a, f"neigh add {address} dev eth0 nud failed")
    with net.a:
        assert find_neighbor(address, "eth0") == Neighbor(address, None, NeighborState.FAILED)
    ip(net.a, f"neigh replace {address} dev eth0 lladdr 02:00:00:00:00:77 nud permanent")
    with net.a:
        permanent = Neighbor(address, MAC("02:00:00:00:00:77"), NeighborState.PERMANENT)
        assert find_neighbor(address, "eth0") == permanent
        assert find_neighbor(address, "lo") is None
        with pytest.raises(InterfaceError):
            find_neighbor(address, "eth7")
