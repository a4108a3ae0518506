"""What a lab asks of the kernel through netlink: links, addresses, routes (rtnetlink(7), by pyroute2)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from types import MappingProxyType
from typing import Any

from rawkit.errors import kernel_error
from rawkit.layout import MAC
from rawkit.netns.impairment import Impairment
from rawkit.netns.namespace import Namespace

__all__ = ["Netlink"]

InThread = Callable[[Callable[[], Any]], Any]

IFA_F_NODAD = 0x02  # <linux/if_addr.h>: no duplicate address detection, so usable at once


class Netlink:
    """A netlink socket in a namespace. Every method raises KernelError.

    All is done in one thread, which calls what `in_thread` is given: pyroute2 opens another socket for every other
    thread, in whatever network that is in, the machine's own mostly.
    """

    def __init__(self, namespace: Namespace, in_thread: InThread) -> None:
        from pyroute2.iproute.linux import IPRoute  # takes 0.2 s, which only labs need

        def opened() -> Any:
            with namespace:
                return IPRoute()

        self._in_thread = in_thread
        with _translated("open a netlink socket"):
            self._route: Any = in_thread(opened)

    def _ask(self, what: str, *arguments: Any, **options: Any) -> Any:
        return self._in_thread(lambda: getattr(self._route, what)(*arguments, **options))

    def add_bridge(self, name: str, *, forgetful: bool = False) -> None:
        """Create a bridge. It floods multicast, as a switch without snooping does; or everything, if forgetful."""
        options = {"br_ageing_time": 0} if forgetful else {}
        with _translated(f"create bridge {name}"):
            self._ask("link", "add", ifname=name, kind="bridge", br_mcast_snooping=0, **options)

    def add_veth(self, name: str, mac: MAC, peer: str, peer_mac: MAC, namespace: Namespace, mtu: int) -> None:
        """Create a cable from here to an interface `peer` in another namespace, both ends down (veth(4))."""
        far = {"ifname": peer, "address": str(peer_mac), "net_ns_fd": namespace.fileno(), "mtu": mtu}
        with _translated(f"create link {name}"):
            self._ask("link", "add", ifname=name, kind="veth", address=str(mac), mtu=mtu, peer=far)

    def remove(self, name: str) -> None:
        """Pull a cable out, by the name of its end here: both ends are gone."""
        with _translated(f"remove link {name}"):
            self._ask("link", "del", ifname=name)

    def add_address(self, index: int, address: IPv4Interface | IPv6Interface) -> None:
        """Give an interface an address, usable at once."""
        flags = IFA_F_NODAD if address.version == 6 else 0
        with _translated(f"add address {address}"):
            self._ask(
                "addr",
                "add",
                index=index,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                address=str(address.ip),
                prefixlen=address.network.prefixlen,
                flags=flags,
            )

    def set_route(self, network: IPv4Network | IPv6Network, gateway: IPv4Address | IPv6Address | None) -> None:
        """Route a network through a neighbour, in place of another route to it; without one, nowhere."""
        family = socket.AF_INET6 if network.version == 6 else socket.AF_INET
        way: dict[str, str] = {"type": "blackhole"} if gateway is None else {"gateway": str(gateway)}
        with _translated(f"set the route to {network} via {gateway}"):
            self._ask("route", "replace", family=family, dst=str(network), **way)

    def add_netem(self, index: int, impairment: Impairment) -> None:
        """Have the kernel impair what leaves by an interface (tc-netem(8))."""
        chances = {
            "loss": impairment.loss * 100,
            "reorder": impairment.reorder * 100,
            "duplicate": impairment.duplicate * 100,
            "prob_corrupt": impairment.corrupt * 100,
        }
        times = {"delay": impairment.delay, "jitter": impairment.jitter}
        options: dict[str, object] = {name: share for name, share in chances.items() if share}
        options |= {name: round(seconds * 1_000_000) for name, seconds in times.items() if seconds}
        if impairment.rate:
            options["rate"] = f"{round(impairment.rate)}bit"
        with _translated("impair a link by netem", {errno.ENOENT: _NO_NETEM, errno.EOPNOTSUPP: _NO_NETEM}):
            self._ask("tc", "add", "netem", index, **options)

    def set_neighbor(self, index: int, address: IPv4Address | IPv6Address, mac: MAC) -> None:
        """Enter a neighbour for good."""
        with _translated(f"note where {address} is"):
            self._ask("neigh", "replace", dst=str(address), lladdr=str(mac), ifindex=index, state="permanent")

    def neighbors(self) -> Iterator[Any]:
        """The messages of the neighbour table."""
        with _translated("read the neighbour table"):
            return iter(self._ask("get_neighbours"))

    def routes(self) -> Iterator[Any]:
        """The messages of the routing tables."""
        with _translated("read the routing tables"):
            return iter(self._ask("get_routes"))

    def close(self) -> None:
        """Give the socket back."""
        self._ask("close")


_NO_NETEM = "this kernel has no netem; leave backend='netem' out, and a relay does it"


@contextmanager
def _translated(doing: str, remedies: Mapping[int, str] = MappingProxyType({})) -> Iterator[None]:
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        yield
    except NetlinkError as error:
        raise kernel_error(OSError(error.code, str(error)), doing, "CAP_NET_ADMIN", remedies=remedies) from error
    except OSError as error:
        raise kernel_error(error, doing, "CAP_NET_ADMIN") from error
