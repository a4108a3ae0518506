"""The interfaces of the calling thread's network namespace, as netifaces and the kernel tell them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)
from typing import Any

from rawkit.errors import kernel_error
from rawkit.layout import MAC
from rawkit.link import _kernel

__all__ = ["Interface", "interfaces"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface. `mtu` is in bytes, link-layer header not counted."""

    name: str
    index: int
    mac: MAC | None
    """The link-layer address; None where the link layer has none (tun)."""
    mtu: int
    state: str
    """"up"; "no carrier": switched on, and nothing at the other end; "down"."""
    flags: int
    """The kernel's IFF_ bits (netdevice(7))."""
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    """With their prefix lengths, IPv4 first; a link-local one carries the interface as its scope."""
    gateways: tuple[IPv4Address | IPv6Address, ...]
    """The default gateways that are reached through this interface."""


def interfaces() -> tuple[Interface, ...]:
    """Every interface, in the kernel's order. Addresses and gateways come from netifaces.

    MTU and state are asked of the kernel by ioctl(2) (netdevice(7)), not read from /sys/class/net, which goes
    on showing the namespace that it was mounted in. An interface that vanishes meanwhile is left out.
    Raises KernelError.
    """
    import netifaces

    gateways = netifaces.gateways()
    found = []
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for name in netifaces.interfaces():
                try:
                    found.append(_interface(name, netifaces.ifaddresses(name), gateways, control.fileno()))
                except (
                    ValueError,
                    OSError,
                ):  # netifaces' word, and the kernel's, for an interface that is gone
                    if name in netifaces.interfaces():
                        raise
    except OSError as error:
        raise kernel_error(error, "list the interfaces") from error
    return tuple(sorted(found, key=lambda interface: interface.index))


def _interface(
    name: str, told: dict[int, list[dict[str, str]]], gateways: dict[Any, Any], control: int
) -> Interface:
    flags = _kernel.interface_flags(control, name)
    link_layer = told.get(socket.AF_PACKET, [])
    return Interface(
        name,
        _kernel.interface_index(control, name),
        next((MAC(entry["addr"]) for entry in link_layer if entry.get("addr")), None),
        _kernel.interface_mtu(control, name),
        _state(flags),
        flags,
        tuple(_address(entry) for family in (socket.AF_INET, socket.AF_INET6) for entry in told.get(family, [])),
        tuple(
            ip_address(entry[0].partition("%")[0])
            for family in (socket.AF_INET, socket.AF_INET6)
            for entry in gateways.get(family, [])
            if entry[1] == name
        ),
    )


def _address(entry: dict[str, str]) -> IPv4Interface | IPv6Interface:
    # An IPv6 netmask comes as "ffff:ffff::/32", an IPv4 one as "255.255.0.0".
    return ip_interface(f"{entry['addr']}/{entry['netmask'].rpartition('/')[2]}")


def _state(flags: int) -> str:
    if not flags & _kernel.IFF_UP:
        return "down"
    return "up" if flags & _kernel.IFF_RUNNING else "no carrier"
