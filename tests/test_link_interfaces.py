"""What `interfaces` tells, against what `ip` tells."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any

import pytest
from programs import require

from rawkit.link import Interface, interfaces
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root


def ip(host: Host, *arguments: str) -> list[dict[str, Any]]:
    shown = host.run(["ip", "-j", *arguments], capture_output=True, check=True)
    told: list[dict[str, Any]] = json.loads(shown.stdout or b"[]")
    return told


def test_interfaces_are_what_ip_tells() -> None:
    require("ip")
    with Lab() as lab:
        host, router = lab.host("h"), lab.router("r")
        lab.link(host, router, mtu=1400)
        lab.link(host, lab.host("other"), addresses=(["192.0.2.7/27", "192.0.2.8/32"], []))
        found = host.open(interfaces)
        told = ip(host, "addr")
        assert [(each.name, each.index, each.mtu) for each in found] == [
            (each["ifname"], each["ifindex"], each["mtu"]) for each in told
        ]
        assert [str(each.mac) for each in found] == [each["address"] for each in told]
        assert [addresses(each) for each in found] == [
            {f"{entry['local']}/{entry['prefixlen']}" for entry in each["addr_info"]} for each in told
        ]
        gateways = {ip(host, version, "route", "show", "default")[0]["gateway"] for version in ("-4", "-6")}
        assert set(found[1].gateways) == {ip_address(gateway) for gateway in gateways}
        assert found[2].gateways == ()


def addresses(interface: Interface) -> set[str]:
    return {str(address).replace(f"%{interface.name}", "") for address in interface.addresses}


def test_states() -> None:
    require("ip")
    with Lab() as lab:
        a, b, c = lab.hosts("a", "b", "c")
        for _ in range(2):
            lab.link(a, b)
        lab.link(a, c)
        a.run(["ip", "link", "set", "eth1", "down"], check=True)
        c.run(["ip", "link", "set", "eth0", "down"], check=True)
        a.run(["ip", "link", "show", "eth2"], check=True)  # has the kernel act on the carrier that went
        states = {each.name: each.state for each in a.open(interfaces)}
        assert states == {"lo": "up", "eth0": "up", "eth1": "down", "eth2": "no carrier"}
