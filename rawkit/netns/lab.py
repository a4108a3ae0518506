"""A network in the machine: hosts, switches and routers, and the links between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, TypeVar

from rawkit.errors import FieldError, KernelError, kernel_error
from rawkit.layout import MAC
from rawkit.netns import _kernel
from rawkit.netns.impairment import Hold, Impairment, Nth, Swap
from rawkit.netns.namespace import Namespace, closed
from rawkit.netns.node import IPV6_MTU, Host, Hub, Middle, Node, Port, Router, Switch
from rawkit.netns.programs import Programs
from rawkit.netns.recording import Recording
from rawkit.netns.relay import relay
from rawkit.netns.routes import Segment
from rawkit.netns.worker import Worker

__all__ = ["Cable", "Lab", "cable_name"]

N = TypeVar("N", bound=Node)

_LEAST_MTU, _MOST_MTU = 68, 65_535  # ETH_MIN_MTU and ETH_MAX_MTU of <linux/if_ether.h>
_LAST_NODE = 0xFFFF  # nodes that the lab adds by itself are numbered downwards from here
_NAME = re.compile(r"[A-Za-z0-9_.]{1,32}")  # without a hyphen, which parts them in a link's name
_ETHERNET = 14  # bytes of its header
_PATIENCE = 5.0  # seconds that a relay may take to begin
_ADDRESSES = "addresses of hosts with prefix lengths, such as '10.0.0.1/24'"
_MOST_SEGMENTS = 9999  # the segment's number in decimal digits is one group of an IPv6 address


@dataclass(frozen=True, slots=True)
class Cable:
    """A link: its two ends, in the order in which its nodes were given."""

    a: Port
    b: Port
    name: str
    """Those of its nodes with a hyphen, `a-b`; of the second between the same two, `a-b-2`."""
    relay: Worker | None = None
    """The process in the middle of an impaired link."""
    longest: float = 0.0
    """Seconds that a frame may take from end to end."""

    @property
    def ends(self) -> tuple[Port, Port]:
        """Both of its ends."""
        return self.a, self.b


class Lab:
    """Network namespaces wired up as hosts, switches and routers; gone when the lab is, or its process.

        with Lab() as lab:
            a, b = lab.hosts("a", "b")
            lab.link(a, b)
            a.run(["ping", "-c", "1", str(b.address())])

    Everything is made through netlink and setns(2), without the `ip` program and without names under
    /run/netns: nothing is left behind, also after SIGKILL. Interface names, MAC and IP addresses follow from
    the order of the calls. A lab is used from one thread at a time; its hosts may be entered by many. Names of
    nodes have up to 32 letters, digits, `.` and `_`. Once it is closed, KernelError is raised by all that it is
    asked for, and by its hosts.

    Raises NotPermittedError without CAP_SYS_ADMIN and CAP_NET_ADMIN in the user namespace, which
    `reexec_in_user_namespace` gives to everyone.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._segments: list[Segment] = []
        self._middles: list[Middle] = []
        self._recordings: list[Recording] = []
        self._closed = False
        self.cables: list[Cable] = []
        """The links, in the order in which they were made."""
        self._programs = Programs()
        Namespace().close()  # fails here, rather than at the first host, where it is not permitted

    def host(self, name: str, *, untrusted: bool = False) -> Host:
        """Add an end system; with `untrusted`, one for programs that must not get out of it (`Confinement`)."""
        return self._add(Host, name, untrusted=untrusted)

    def hosts(self, *names: str) -> tuple[Host, ...]:
        """Add several end systems."""
        return tuple(self.host(name) for name in names)

    def router(self, name: str) -> Router:
        """Add a router. Hosts that share a network with it get it as their default gateway."""
        return self._add(Router, name)

    def switch(self, name: str) -> Switch:
        """Add a switch. What is linked to it, also through other switches, shares one subnet."""
        return self._add(Switch, name)

    def hub(self, name: str) -> Hub:
        """Add a hub: a switch that sends every frame to everybody."""
        return self._add(Hub, name)

    @property
    def nodes(self) -> dict[str, Node]:
        """Its hosts, routers, switches and hubs by their names, in the order in which they were added."""
        return dict(self._nodes)

    def link(
        self,
        a: Node,
        b: Node,
        *,
        addresses: tuple[str | Sequence[str], str | Sequence[str]] | None = None,
        macs: tuple[MAC | str | None, MAC | str | None] = (None, None),
        mtu: int = 1500,
        offload: bool = True,
        delay: float = 0.0,
        jitter: float = 0.0,
        loss: float = 0.0,
        reorder: float = 0.0,
        duplicate: float = 0.0,
        corrupt: float = 0.0,
        rate: float = 0.0,
        drop: Nth | Sequence[Nth] = (),
        instructions: Swap | Hold | Sequence[Swap | Hold] = (),
        seed: int | str = 0,
        backend: Literal["relay", "netem"] = "relay",
    ) -> Cable:
        """Run a cable from `a` to `b`, up and usable when this returns.

        Each end is the next interface of its node: eth0, eth1, ... The n-th subnet of the lab has 10.0.n.0/24
        and fd00:n::/64, and its stations .1, .2, ... .254 in the order in which they are linked. `addresses` gives
        each end its own instead, with prefix lengths: ("192.0.2.1/24", []). Switches that are linked share one
        subnet; if each has stations already, with addresses that the lab gave, they cannot be linked any more.

        With `offload`, which is the kernel's default, the hosts' own stacks leave checksums unfinished and
        segments uncut on the link, as a capture on a real sender shows them. Without, every frame is as it
        would be on a real wire.

        `mtu` is 68 to 65535 bytes; below 1280, which is the least that IPv6 needs, a link has IPv4 only.

        From `delay` on, the arguments are those of `Impairment`: what the link does to frames, by chance that is
        the same for everyone with the same `seed`, or exactly as told:

            lab.link(a, b, delay=0.02, loss=0.01, drop=nth(3, where="tcp and dst port 80"),
                     instructions=[swap(4, 5), hold(7, for_ms=200)])

        A relay process does it, with a packet socket at each end, and tells in a recording what it did to which
        frame. Such a link has no offload. `backend="netem"` has the kernel do it instead (tc-netem(8)), where it
        can; that follows no `seed`, takes no `drop` and `instructions`, and does not tell.

        Raises FieldError for an argument that does not fit, FilterError, KernelError. After an error the lab is as
        before.
        """
        self._check_open("link two nodes")
        impairment = Impairment(
            delay=delay,
            jitter=jitter,
            loss=loss,
            reorder=reorder,
            duplicate=duplicate,
            corrupt=corrupt,
            rate=rate,
            drop=drop,
            instructions=instructions,
            seed=seed,
        )
        if backend not in ("relay", "netem"):
            raise FieldError("Lab.link", "backend", backend, "'relay' or 'netem'")
        if backend == "netem" and impairment.exactly:
            raise FieldError(
                "Lab.link", "backend", backend, "'relay' for drop and instructions: netem has only chance"
            )
        for node in (a, b):
            if not isinstance(node, Node) or self._nodes.get(node.name) is not node:
                raise FieldError("Lab.link", "node", node, "a host, router, switch or hub of the lab")
        for order in impairment.exactly:
            if order.sent_by not in (None, a.name, b.name):
                raise FieldError("Lab.link", "sent_by", order.sent_by, f"one of its ends, {a.name} or {b.name}")
        if not isinstance(mtu, int) or not _LEAST_MTU <= mtu <= _MOST_MTU:
            raise FieldError("Lab.link", "mtu", mtu, f"{_LEAST_MTU} to {_MOST_MTU} bytes")
        for name, pair in (("addresses", addresses), ("macs", macs or ())):
            if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2):
                raise FieldError("Lab.link", name, pair, "those of the first end, and those of the second")
        given = (None, None) if addresses is None else tuple(_interfaces(texts, mtu) for texts in addresses)
        if macs[0] is not None and macs[0] == macs[1]:
            raise FieldError("Lab.link", "macs", macs, "two different addresses")
        ends = _end(a, len(a.ports), macs[0], given[0]), _end(b, len(b.ports) + (a is b), macs[1], given[1])
        plug_in = self._plug_in_direct if backend == "netem" or impairment.is_nothing() else self._plug_in_relayed
        # Where netlink is spoken, so that its many questions wait for no other thread.
        cable = self._programs.in_thread(plug_in, ends, mtu, offload, impairment)
        self.cables.append(cable)
        self._join(a, b)
        for host in self._concerned(a, b):
            host.add_routes()
        return cable

    def record(self) -> Recording:
        """Record what crosses every link that there is by now, from before this returns. Raises KernelError.

        It ends with the lab at the latest; what is to be had of it is what was asked for before.
        """
        self._check_open("record what crosses the links")
        for cable in self.cables:
            if cable.relay is not None and cable.relay.poll() is not None:
                raise KernelError(0, f"record what crosses {cable.name}", "its relay was killed; make another lab")
        recording = Recording(self.cables)
        self._recordings.append(recording)
        return recording

    def _concerned(self, a: Node, b: Node) -> Iterator[Host]:
        """The hosts whose routes may change by a link: its own, and those that can see a router behind it."""
        whole = any(isinstance(node, Router) for node in (a, b)) or all(
            isinstance(node, Switch) for node in (a, b)
        )
        for node in self._nodes.values():
            if isinstance(node, Router) or (isinstance(node, Host) and (whole or node in (a, b))):
                yield node

    def _plug_in_direct(self, ends: tuple[_End, _End], mtu: int, offload: bool, impairment: Impairment) -> Cable:
        """The cable between two ends, carrying; if that fails, nothing of it is left."""
        a, b = ends
        with ExitStack() as undo:
            segment = self._segment(a.node, b.node, undo)
            _put_back(undo, segment, a.node, b.node)
            a.node.netlink.add_veth(a.name, a.mac, b.name, b.mac, b.node.namespace, mtu)
            undo.callback(a.node.netlink.remove, a.name)
            first, second = (end.node.plug(end.name, end.mac, mtu, offload, segment, end.given) for end in ends)
            _synchronize(first, second)
            if not impairment.is_nothing():
                for port in (first, second):
                    port.node.netlink.add_netem(port.index, impairment)
            undo.pop_all()
        return Cable(first, second, self._name_of(a.node.name, b.node.name))

    def _plug_in_relayed(self, ends: tuple[_End, _End], mtu: int, _offload: bool, impairment: Impairment) -> Cable:
        """Two cables that meet in a node of their own, where a process relays."""
        a, b = ends
        with ExitStack() as undo:
            middle = Middle("relay", _LAST_NODE - len(self._middles), self._programs)
            undo.callback(middle.close)
            segment = self._segment(a.node, b.node, undo)
            _put_back(undo, segment, a.node, b.node)
            plugged = []
            for end in (a, b):
                other = _end(middle, len(middle.ports), None, None)
                end.node.netlink.add_veth(end.name, end.mac, other.name, other.mac, middle.namespace, mtu)
                undo.callback(end.node.netlink.remove, end.name)
                plugged.append(end.node.plug(end.name, end.mac, mtu, False, segment, end.given))
                _synchronize(plugged[-1], middle.plug(other.name, other.mac, mtu, False, segment, None))
            names = (a.node.name, b.node.name)
            worker = middle.spawn(lambda worker: relay(worker, names, impairment))
            undo.callback(worker.close)
            if worker.cues.take(_PATIENCE) != "ready":
                worker.join(_PATIENCE)  # raises what it ended of
            undo.pop_all()
        longest = impairment.longest(mtu + _ETHERNET)
        self._middles.append(middle)
        return Cable(plugged[0], plugged[1], self._name_of(a.node.name, b.node.name), worker, longest)

    def _name_of(self, a: str, b: str) -> str:
        return cable_name(a, b, [(cable.a.node.name, cable.b.node.name) for cable in self.cables])

    def close(self) -> None:
        """Let go of the namespaces, and end all that is in them. Closing twice is no error."""
        self._closed = True
        with ExitStack() as stack:
            stack.callback(self._programs.close)
            if nodes := [*self._nodes.values(), *self._middles]:
                # All in one call, as many calls of another thread would take longer.
                stack.callback(self._programs.in_thread, _close, nodes)
            for recording in self._recordings:
                stack.callback(recording.close)
            self._nodes, self._middles, self._recordings, self.cables = {}, [], [], []

    def _add(self, kind: type[N], name: str, **options: bool) -> N:
        self._check_open("add a node to a lab")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise FieldError("Lab", "name", name, "a node's name of up to 32 letters, digits, . and _")
        if name in self._nodes:
            raise FieldError("Lab", "name", name, "a name that no other node of the lab has")
        node = self._programs.in_thread(lambda: kind(name, len(self._nodes) + 1, self._programs, **options))
        self._nodes[name] = node
        return node

    def _check_open(self, doing: str) -> None:
        if self._closed:
            raise closed(doing)

    def _segment(self, a: Node, b: Node, undo: ExitStack) -> Segment:
        """The broadcast domain that a link between the two belongs to; switches that it joins will share one."""
        switches = [node for node in (a, b) if isinstance(node, Switch)]
        known = [switch.segment for switch in switches if switch.segment]
        if len(known) == len(switches) == 2:
            known[0].check_joins(known[1])
        segment = known[0] if known else None
        if segment is None:
            if len(self._segments) == _MOST_SEGMENTS:
                raise FieldError("Lab", "link", len(self._segments) + 1, f"at most {_MOST_SEGMENTS} subnets")
            segment = Segment(len(self._segments) + 1)
            self._segments.append(segment)
            undo.callback(self._segments.pop)
        for switch in switches:
            if switch.segment is None:
                undo.callback(setattr, switch, "segment", None)
                switch.segment = segment
        return segment

    def _join(self, a: Node, b: Node) -> None:
        """Have what is plugged into two switches, and into those linked to them, be in one broadcast domain."""
        if not isinstance(a, Switch) or not isinstance(b, Switch):
            return
        kept, gone = a.segment, b.segment
        if kept is not None and gone is not None and kept is not gone:
            kept.absorb(gone)
            for node in self._nodes.values():
                if isinstance(node, Switch) and node.segment is gone:
                    node.segment = kept

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def cable_name(a: str, b: str, before: Iterable[tuple[str, str]]) -> str:
    """The name of a link between two nodes, after links between those: `a-b`, then `a-b-2`."""
    parallel = sum({a, b} == {*ends} for ends in before)
    return f"{a}-{b}" + (f"-{parallel + 1}" if parallel else "")


class _End(NamedTuple):
    """Where a cable is going to be plugged in."""

    node: Node
    name: str
    mac: MAC
    given: tuple[IPv4Interface | IPv6Interface, ...] | None


def _close(nodes: Iterable[Node]) -> None:
    with ExitStack() as stack:
        for node in nodes:
            stack.callback(node.close)


def _end(node: Node, number: int, mac: MAC | str | None, given: Any) -> _End:
    """Interface number `number` of the node."""
    return _End(node, f"eth{number}", _station(mac, node.mac_of(number)), given)


def _interfaces(texts: str | Sequence[str], mtu: int) -> tuple[IPv4Interface | IPv6Interface, ...]:
    try:
        several = [texts] if isinstance(texts, str) else [*map(str, texts)]
        found = tuple(ip_interface(text) for text in several)
    except (ValueError, TypeError) as error:
        raise FieldError("Lab.link", "addresses", texts, _ADDRESSES) from error
    for text, interface in zip(several, found, strict=True):
        ip, network = interface.ip, interface.network
        ends = (network.network_address, network.broadcast_address) if network.num_addresses > 2 else ()
        nobody = ip.is_multicast or ip.is_unspecified or ip.is_loopback or (ip.version == 4 and ip in ends)
        if "/" not in text or nobody:
            raise FieldError("Lab.link", "addresses", text, _ADDRESSES)
    if mtu < IPV6_MTU and any(interface.version == 6 for interface in found):
        raise FieldError("Lab.link", "mtu", mtu, f"at least {IPV6_MTU} bytes for a link with IPv6 addresses")
    return found


def _station(given: MAC | str | None, default: MAC) -> MAC:
    """The MAC address of one end, which an interface can have: neither a group's nor all zeros."""
    expected = "the MAC address of one station, such as '02:00:00:00:00:01'"
    try:
        mac = default if given is None else MAC(given)
    except (ValueError, TypeError) as error:
        raise FieldError("Lab.link", "macs", given, expected) from error
    if mac.is_multicast or not any(mac):
        raise FieldError("Lab.link", "macs", given, expected)
    return mac


def _put_back(undo: ExitStack, segment: Segment, *nodes: Node) -> None:
    """Let `undo` take back whatever plugging these nodes in is going to note."""
    undo.callback(setattr, segment, "stations", segment.stations)
    stations = [node.station for node in nodes if isinstance(node, Host)]
    undo.callback(setattr, segment, "hops", dict(segment.hops))
    noted: list[list[Any]] = [*(node.ports for node in nodes), *(each.segments for each in stations)]
    for notes in noted:
        undo.callback(notes.__setitem__, slice(None), notes[:])


def _synchronize(*ports: Port) -> None:
    """Have the carrier that came with both ends of a veth being up act at once."""
    for port in ports:
        with port.node:
            try:
                _kernel.synchronize_carrier(port.name)
            except OSError as error:
                raise kernel_error(error, f"raise {port.name} of {port.node.name}") from error
