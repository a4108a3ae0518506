"""Routes as a function of the wiring, without a kernel."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network

import pytest

from rawkit.errors import FieldError
from rawkit.netns.routes import Segment, Station, routes_of


def wire(*pairs: tuple[Station, ...]) -> None:
    for number, stations in enumerate(pairs, 1):
        segment = Segment(number)
        for station in stations:
            segment.plug(station, segment.next_addresses())


def routes(station: Station) -> dict[str, str]:
    return {str(network): str(gateway) for network, gateway in routes_of(station).items()}


def test_addresses_of_a_segment() -> None:
    segment = Segment(258)
    segment.next_addresses()
    assert [str(address) for address in segment.next_addresses()] == ["10.1.2.2/24", "fd00:258::2/64"]


def test_a_subnet_has_no_more_addresses_than_hosts_can_have() -> None:
    segment = Segment(1)
    given = [segment.next_addresses()[0] for _ in range(254)]
    assert given == [IPv4Interface(f"{host}/24") for host in IPv4Network("10.0.1.0/24").hosts()]
    with pytest.raises(FieldError, match=r"addresses of your own: the 254 of 10\.0\.1\.0/24 are all given"):
        segment.next_addresses()


def test_without_a_router_there_is_no_route() -> None:
    a, b = Station("a", False), Station("b", False)
    wire((a, b))
    assert routes(a) == {}


def test_a_host_takes_the_first_router_that_it_meets() -> None:
    a, r, q = Station("a", False), Station("r", True), Station("q", True)
    wire((a, r, q))
    assert routes(a) == {"0.0.0.0/0": "10.0.1.2", "::/0": "fd00:1::2"}


def test_routers_know_the_networks_behind_others_by_the_shortest_way() -> None:
    r, q, s = (Station(name, True) for name in "rqs")
    a = Station("a", False)
    wire((r, q), (q, s), (s, a), (s, r))  # a ring of three, and a host behind s
    assert routes(r) == {
        "10.0.2.0/24": "10.0.1.2",
        "fd00:2::/64": "fd00:1::2",
        "10.0.3.0/24": "10.0.4.1",
        "fd00:3::/64": "fd00:4::1",
    }
    assert routes(q)["10.0.3.0/24"] == "10.0.2.2"


def test_a_router_on_another_subnet_of_the_same_switch_is_no_gateway() -> None:
    a, r = Station("a", False), Station("r", True)
    segment = Segment(1)
    segment.plug(a, segment.next_addresses())
    segment.plug(r, [IPv4Interface("192.0.2.1/24")])
    assert routes(a) == {}
