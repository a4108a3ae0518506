"""What the kernel of a host knows, as data: neighbours, routes, sockets, connections, interfaces, counters."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from rawkit.layout import MAC
from rawkit.link import kernel_counters

if TYPE_CHECKING:
    from rawkit.netns.node import Node

__all__ = [
    "TCP_STATES",
    "Connection",
    "Endpoint",
    "InterfaceEntry",
    "NeighborEntry",
    "PacketSocketEntry",
    "RouteEntry",
    "SocketEntry",
    "State",
    "state_of",
]

Address = IPv4Address | IPv6Address

MOST: Final = 10_000
"""Entries of a table that are read: a flood may have filled it."""

TCP_STATES: Final = (
    "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
)  # fmt: skip
"""By their number in <net/tcp_states.h>, which begins with 1."""

_NEIGHBOR_STATES: Final = {
    0x01: "INCOMPLETE",
    0x02: "REACHABLE",
    0x04: "STALE",
    0x08: "DELAY",
    0x10: "PROBE",
    0x20: "FAILED",
    0x40: "NOARP",
    0x80: "PERMANENT",
}
"""NUD_ of <linux/neighbour.h>."""

_MAIN, _MULTICAST_NEIGHBOR = 254, "NOARP"

_ROUTES: Final = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
"""RTN_ of <linux/rtnetlink.h>: those that are to others, or that refuse them."""

_LEARNT = 0x200
"""RTM_F_CLONED of <linux/rtnetlink.h>: a cached exception, such as a path MTU, and no route of the table."""


class NeighborEntry(NamedTuple):
    """An entry of the neighbour table (ARP, neighbour discovery)."""

    address: Address
    mac: MAC | None
    """None while nobody has answered."""
    interface: str
    state: str
    """Such as `REACHABLE`, `STALE`, `PERMANENT`."""


class RouteEntry(NamedTuple):
    """A route to others, of the main table."""

    network: str
    """Such as `10.0.1.0/24`; the default route is `0.0.0.0/0` or `::/0`."""
    gateway: Address | None
    interface: str
    """Empty where there is none: a `blackhole` of IPv4."""
    kind: str = "unicast"
    """Or `blackhole`, `unreachable`, `prohibit`: what is for that network goes nowhere."""


class Endpoint(NamedTuple):
    """An address and a port; of a raw socket, its protocol."""

    address: Address
    port: int


class SocketEntry(NamedTuple):
    """A socket that is bound or connected."""

    protocol: str
    """`tcp`, `tcp6`, `udp`, `udp6`, `raw`, `raw6`."""
    local: Endpoint
    remote: Endpoint
    state: str
    """Of TCP's: `LISTEN`, `ESTABLISHED`, `SYN_RECV`, ...; empty for others."""


class PacketSocketEntry(NamedTuple):
    """A packet socket (packet(7))."""

    kind: str
    """`raw`, with link headers, or `dgram`."""
    protocol: int
    """EtherType of what it gets; 3 for all, 0 for nothing."""
    interface: str
    """Empty for all of them."""


class InterfaceEntry(NamedTuple):
    """An interface, and what has passed it."""

    name: str
    rx_packets: int
    rx_bytes: int
    rx_dropped: int
    tx_packets: int
    tx_bytes: int
    tx_dropped: int


class Connection(NamedTuple):
    """A connection that the kernel tracks for a firewall or NAT: what it saw, and what it expects in return."""

    protocol: str
    state: str
    source: Endpoint
    destination: Endpoint
    reply_source: Endpoint
    reply_destination: Endpoint
    icmp_type: int | None = None
    """Of the message that began it, where it is one of ICMP; ports are 0 then."""
    icmp_id: int | None = None


class State(NamedTuple):
    """All of it, at one moment."""

    neighbors: tuple[NeighborEntry, ...]
    routes: tuple[RouteEntry, ...]
    sockets: tuple[SocketEntry, ...]
    connections: tuple[Connection, ...]
    packet_sockets: tuple[PacketSocketEntry, ...]
    interfaces: tuple[InterfaceEntry, ...]
    counters: dict[str, int]
    """Such as `Ip.ReasmOKs`, `TcpExt.ListenDrops` (/proc/net/snmp, netstat and snmp6)."""

    def as_object(self) -> dict[str, Any]:
        """It as what JSON has."""
        tables = {name: [_plain(entry) for entry in getattr(self, name)] for name in self._fields[:-1]}
        return {**tables, "counters": self.counters}

    @classmethod
    def from_object(cls, found: dict[str, Any]) -> Self:
        """It back from what `as_object` made. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            tuple(
                NeighborEntry(ip_address(address), None if mac is None else MAC(mac), str(interface), str(state))
                for address, mac, interface, state in found["neighbors"]
            ),
            tuple(
                RouteEntry(
                    str(network), None if gateway is None else ip_address(gateway), str(interface), str(kind)
                )
                for network, gateway, interface, kind in found["routes"]
            ),
            tuple(
                SocketEntry(str(protocol), _endpoint(local), _endpoint(remote), str(state))
                for protocol, local, remote, state in found["sockets"]
            ),
            tuple(
                Connection(
                    *(str(protocol), str(state)),
                    *(_endpoint(source), _endpoint(destination), _endpoint(back), _endpoint(there)),
                    *(_number(icmp_type), _number(icmp_id)),
                )
                for protocol, state, source, destination, back, there, icmp_type, icmp_id in found["connections"]
            ),
            tuple(
                PacketSocketEntry(str(kind), int(protocol), str(interface))
                for kind, protocol, interface in found["packet_sockets"]
            ),
            tuple(InterfaceEntry(str(name), *map(int, counts)) for name, *counts in found["interfaces"]),
            {str(name): int(value) for name, value in found["counters"].items()},
        )


def state_of(node: Node) -> State:
    """What the kernel of a node knows now. Raises KernelError."""
    with node:
        names = dict(socket.if_nameindex())
        sockets = tuple(
            entry for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6") for entry in _sockets(protocol)
        )
        connections = tuple(_connections())
        packet_sockets = tuple(_packet_sockets(names))
        interfaces = tuple(_interfaces())
        counters = kernel_counters()
    neighbors = tuple(_neighbors(node.netlink.neighbors(), names))
    routes = tuple(_routes(node.netlink.routes(), names))
    return State(neighbors, routes, sockets, connections, packet_sockets, interfaces, counters)


def _neighbors(messages: Iterator[Any], names: dict[int, str]) -> Iterator[NeighborEntry]:
    for _, message in zip(range(MOST), messages, strict=False):
        state = _NEIGHBOR_STATES.get(message["state"], "NONE")
        if state != _MULTICAST_NEIGHBOR:
            mac = message.get("lladdr")
            yield NeighborEntry(
                ip_address(message.get("dst")),
                None if mac is None else MAC(mac),
                names.get(message["ifindex"], "?"),
                state,
            )


def _routes(messages: Iterator[Any], names: dict[int, str]) -> Iterator[RouteEntry]:
    for _, message in zip(range(MOST), messages, strict=False):
        kind = _ROUTES.get(message["type"])
        if kind is None or message.get("table") != _MAIN or message["flags"] & _LEARNT:
            continue
        anywhere = "::" if message["family"] == socket.AF_INET6 else "0.0.0.0"
        gateway = message.get("gateway")
        yield RouteEntry(
            f"{message.get('dst') or anywhere}/{message['dst_len']}",
            None if gateway is None else ip_address(gateway),
            _name(message.get("oif"), names),
            kind,
        )


def _sockets(protocol: str) -> Iterator[SocketEntry]:
    for words in _table(protocol):
        state = TCP_STATES[int(words[3], 16) - 1] if protocol.startswith("tcp") else ""
        yield SocketEntry(protocol, _hexadecimal(words[1]), _hexadecimal(words[2]), state)


def _packet_sockets(names: dict[int, str]) -> Iterator[PacketSocketEntry]:
    for words in _table("packet"):
        kind = "raw" if int(words[2]) == socket.SOCK_RAW else "dgram"
        yield PacketSocketEntry(kind, int(words[3], 16), _name(int(words[4]), names))


def _interfaces() -> Iterator[InterfaceEntry]:
    """From /proc/net/dev: bytes, packets, errors, drops and four more, of what came and of what went."""
    for name, *words in _table("dev", heading=2):
        rx_bytes, rx_packets, _, rx_dropped, *_ = map(int, words[:8])
        tx_bytes, tx_packets, _, tx_dropped, *_ = map(int, words[8:])
        yield InterfaceEntry(
            name.removesuffix(":"), rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped
        )


def _connections() -> Iterator[Connection]:
    """From /proc/net/nf_conntrack: each line has the protocol, perhaps a state, and both directions."""
    for words in _table("nf_conntrack", heading=0):
        protocol = words[2]
        pairs = [word.partition("=")[::2] for word in words if "=" in word]
        ends = [Endpoint(ip_address(value), 0) for key, value in pairs if key in ("src", "dst")][:4]
        ports = [int(value) for key, value in pairs if key in ("sport", "dport")][:4] or [0] * 4
        if len(ends) == len(ports) == 4:
            source, destination, back, there = (
                end._replace(port=port) for end, port in zip(ends, ports, strict=True)
            )
            state = words[5] if "=" not in words[5] else ""
            icmp = [next((int(value) for key, value in pairs if key == name), None) for name in ("type", "id")]
            yield Connection(protocol, state, source, destination, back, there, *icmp)


def _table(name: str, heading: int = 1) -> Iterator[list[str]]:
    """The lines of a file of /proc/net of the calling thread's namespace, as words; none if it is not there."""
    try:
        with Path("/proc/thread-self/net", name).open() as lines:
            for number, line in zip(range(MOST), lines, strict=False):
                if number >= heading:
                    yield line.split()
    except (FileNotFoundError, PermissionError):  # this kernel has none, or shows it to real root only
        return


def _hexadecimal(text: str) -> Endpoint:
    """An endpoint as /proc/net has it: words of the address in the machine's byte order, and the port."""
    address, _, port = text.partition(":")
    words = [int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8)]
    return Endpoint(ip_address(b"".join(words)), int(port, 16))


def _endpoint(found: Any) -> Endpoint:
    address, port = found
    return Endpoint(ip_address(address), int(port))


def _name(index: int | None, names: dict[int, str]) -> str:
    return names.get(index, "?") if index else ""


def _number(found: Any) -> int | None:
    return None if found is None else int(found)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, int) else str(value)
