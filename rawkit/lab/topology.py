"""The network of an exercise as data: what is linked to what, and with which addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import Any

from rawkit.errors import FieldError
from rawkit.netns import Host, Lab, Node
from rawkit.netns.lab import cable_name

__all__ = ["STUDENT", "Link", "Topology"]

STUDENT = "you"
"""The name of the student's host."""

_NO_IPV6 = {"ipv6/conf/all/disable_ipv6": 1, "ipv6/conf/default/disable_ipv6": 1}


@dataclass(frozen=True)
class Link:
    """A link between two nodes, by their names."""

    a: str
    b: str
    addresses: tuple[str | Sequence[str], str | Sequence[str]] = ((), ())
    """Of each end, with prefix lengths: ("10.0.0.1/24", "10.0.0.2/24"); none for a switch."""
    macs: tuple[str | None, str | None] = (None, None)
    mtu: int = 1500
    impaired: dict[str, Any] = field(default_factory=dict)
    """Arguments of `Lab.link` from `delay` on: what the link does to frames."""
    drawn_in_full: bool = True
    """Whether the drawing tells its addresses, its MTU, and what it does to frames."""


@dataclass(frozen=True)
class Topology:
    """Hosts, switches, routers and the links between them.

    The student's host is `you`. Links have no offload, so that every frame is as on a real wire.
    """

    links: Sequence[Link]
    routers: Sequence[str] = ()
    switches: Sequence[str] = ()
    hubs: Sequence[str] = ()
    """Switches that send every frame to everybody."""
    routes: Sequence[tuple[str, str, str | None]] = ()
    """Beside those that follow from the links: whose, to which network, and through which address, or None."""

    def __post_init__(self) -> None:
        ends = [name for link in self.links for name in (link.a, link.b)]
        for name in (*ends, *self.routers, *self.switches, *self.hubs, *(route[0] for route in self.routes)):
            if name not in ends:
                raise FieldError("Topology", "name", name, f"a node with a link, one of {', '.join(ends)}")

    @property
    def nodes(self) -> list[str]:
        """The names of its nodes, in the order in which links name them."""
        return list(dict.fromkeys(name for link in self.links for name in (link.a, link.b)))

    @property
    def link_names(self) -> list[str]:
        """The names of its links, as `Lab.link` gives them."""
        ends = [(link.a, link.b) for link in self.links]
        return [cable_name(*pair, ends[:at]) for at, pair in enumerate(ends)]

    def build(self, lab: Lab) -> dict[str, Node]:
        """Build it there: its nodes by their names. Raises FieldError, KernelError."""
        nodes = {name: self._make(lab, name) for name in self.nodes}
        if not any(":" in text for link in self.links for end in link.addresses for text in _texts(end)):
            for node in nodes.values():
                node.set_sysctls(_NO_IPV6)  # so that nobody sends what belongs to it
        for link in self.links:
            first, second = (_texts(end) for end in link.addresses)
            lab.link(
                nodes[link.a],
                nodes[link.b],
                addresses=(first, second),
                macs=link.macs,
                mtu=link.mtu,
                offload=False,
                **link.impaired,
            )
        for name, network, via in self.routes:
            node = nodes[name]
            if not isinstance(node, Host):
                raise FieldError("Topology", "routes", name, "the name of a host or router")
            node.set_route(network, via)
        return nodes

    def _make(self, lab: Lab, name: str) -> Node:
        for names, make in ((self.switches, lab.switch), (self.hubs, lab.hub), (self.routers, lab.router)):
            if name in names:
                return make(name)
        return lab.host(name, untrusted=name == STUDENT)

    def drawing(self) -> Iterator[str]:
        """Lines that show it: links, those with only a router between them in one line; switches with theirs."""
        for chain in self._chains():
            drawn = self._end(chain[0], 0)
            for link, after in zip(chain, [*chain[1:], None], strict=True):
                drawn += f" ──{self._remarks(link)}── "
                drawn += self._end(link, 1) if after is None else self._between(link, after)
            yield drawn
        for switch in (*self.switches, *self.hubs):
            yield f"{switch} ({'switch' if switch in self.switches else 'hub: everybody gets every frame'})"
            plugged = [link for link in self.links if switch in (link.a, link.b)]
            for link in plugged:
                other = 1 if link.a == switch else 0
                branch = "└" if link is plugged[-1] else "├"
                yield f"{branch}──{self._remarks(link)}── {self._end(link, other)}"

    def _chains(self) -> list[list[Link]]:
        """The links between hosts and routers; those that only a router lies between are together."""
        ends = [name for link in self.links for name in (link.a, link.b)]
        chains: list[list[Link]] = []
        for link in self.links:
            if {link.a, link.b} & {*self.switches, *self.hubs}:
                continue
            if chains and chains[-1][-1].b == link.a and link.a in self.routers and ends.count(link.a) == 2:
                chains[-1].append(link)
            else:
                chains.append([link])
        return chains

    def _end(self, link: Link, end: int) -> str:
        name = (link.a, link.b)[end]
        return " ".join(filter(None, [self._titled(name), *_addressed(link, end)]))

    def _between(self, left: Link, right: Link) -> str:
        return " ".join(filter(None, [*_addressed(left, 1), self._titled(right.a), *_addressed(right, 0)]))

    def _titled(self, name: str) -> str:
        return f"{name} (router)" if name in self.routers and name != "router" else name

    def _remarks(self, link: Link) -> str:
        words = [f"MTU {link.mtu}"] if link.mtu != 1500 else []
        words += [f"{name} {value}" for name, value in link.impaired.items() if isinstance(value, (int, float))]
        return f" {', '.join(words)} " if words and link.drawn_in_full else ""


def _addressed(link: Link, end: int) -> list[str | None]:
    addresses = ", ".join(str(ip_interface(text)) for text in _texts(link.addresses[end]))
    return [addresses, link.macs[end]] if link.drawn_in_full else []


def _texts(end: str | Sequence[str]) -> list[str]:
    return [end] if isinstance(end, str) else list(end)
