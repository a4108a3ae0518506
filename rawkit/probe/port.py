"""Where questions leave and answers come in: the kernel's interfaces, or a link in memory.

A port completes a question (source, link-layer header), sends it, and receives whatever comes. What it cannot
complete before a neighbour told its MAC address comes back as a `Resolution`, a question of its own.
"""

from __future__ import annotations

import errno
import select
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple, Protocol, Self

from rawkit.errors import KernelError, TimedOut, kernel_error
from rawkit.layout import AUTO, MAC
from rawkit.link import (
    Flow,
    FlowGuard,
    Frame,
    Interface,
    Link,
    PacketRing,
    PacketSocket,
    RawIPv4Socket,
    RawIPv6Socket,
    RawLink,
    Receiver,
    Route,
    find_neighbor,
    find_route,
    interfaces,
    own_namespace,
    with_own_addresses,
)
from rawkit.pcap.bpf import Program
from rawkit.pcap.filter import compile_filter
from rawkit.probe.matching import parts_of
from rawkit.wire import (
    ARP,
    TCP,
    UDP,
    Ethernet,
    ICMPv6,
    IPv4,
    IPv6,
    LinkType,
    Packet,
    TCPFlags,
    dissect,
    group_mac,
    solicited_node,
)

__all__ = ["Channel", "KernelPort", "MemoryPort", "Port", "Ready", "Resolution"]

BROADCAST: Final = MAC("ff:ff:ff:ff:ff:ff")

RECEIVE_BUFFER: Final = 1024 * 1024
RING_SIZE: Final = 16 * 1024 * 1024
"""Bytes that may wait in a receiving socket, and in a ring for many answers."""

RETIRE_MS: Final = 8
"""How long a ring keeps frames at the most; so much later the last answers are known."""

MOST_AT_ONCE: Final = 4096
"""Frames that are received before what they answer is told."""

REMEMBERED: Final = 65_536
"""Routes and neighbours that a port remembers at the most."""

AnyAddress = IPv4Address | IPv6Address


class Ready(NamedTuple):
    """A question that can be sent: complete, as bytes, and on which channel."""

    packet: Packet
    data: bytes
    channel: Channel


class Resolution(NamedTuple):
    """A question to be answered first: who has the next hop's address on that interface?"""

    ready: Ready
    address: AnyAddress
    interface: str


class Channel(Protocol):
    """One way out and in."""

    name: str
    """Of its interface."""
    hears_itself: bool
    """Whether it receives what it sent, with the kernel's time."""

    def send_frames(self, frames: Sequence[bytes]) -> None:
        """Send them in order, complete as they are. Raises KernelError."""
        ...


class Port(Protocol):
    """What an exchange needs of the world."""

    def prepare(self, packet: Packet) -> Ready | Resolution:
        """Complete a question. Raises KernelError where there is no way to its destination."""
        ...

    def learn(self, address: AnyAddress, interface: str, mac: MAC) -> None:
        """Remember what a `Resolution` gave."""
        ...

    def receive(self) -> list[Frame]:
        """What is there by now. Raises InterfaceError."""
        ...

    def fileno(self) -> int:
        """A descriptor that is readable while there is something to receive."""
        ...

    def drops(self) -> int:
        """Frames that the receiving sockets had no room for, so far."""
        ...

    def close(self) -> None:
        """Let go of everything. Closing twice is no error."""
        ...


class MemoryPort:
    """A port that is one end of a `MemoryLink`, or any other link: questions go out as they are."""

    hears_itself = False

    def __init__(self, link: Link | RawLink) -> None:
        self._link = link
        self.name = getattr(link, "interface", "")

    def prepare(self, packet: Packet) -> Ready:
        return _ready(packet, self)

    def learn(self, address: AnyAddress, interface: str, mac: MAC) -> None:
        """Nothing: whoever asks gives the whole frame."""

    def send_frames(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._link.send(frame)

    def receive(self) -> list[Frame]:
        return _waiting(self._link)

    def fileno(self) -> int:
        return self._link.fileno()

    def drops(self) -> int:
        return 0

    def close(self) -> None:
        self._link.close()


class KernelPort:
    """A port that is this host's interfaces, in the calling thread's network namespace.

    A question that begins with Ethernet leaves on `interface` exactly as it is. One that begins with IPv4 or IPv6
    takes the kernel's route and gets the link-layer header that the kernel would give it; the next hop's MAC
    address is the kernel's, or asked for. To this host itself it goes through a raw socket, of which
    `RawIPv4Socket` says what the kernel fills in.

    Sockets are opened, their filters in force, before the first packet leaves: at the first question to each
    interface, or by `open`, after which privileges can be dropped. `filter` is in tcpdump's language. With `bulk`
    frames are received through a ring, which keeps up with more of them and hands them over a little later. With
    `guard` this host's kernel is kept from answering for handmade TCP and UDP packets that carry its own
    address; `on_guard` is told of each flow.

    Raises NotPermittedError, InterfaceError, FilterError.
    """

    def __init__(
        self,
        interface: str | None = None,
        *,
        filter: str | None = None,
        bulk: bool = False,
        guard: bool = True,
        on_guard: Callable[[Flow], None] | None = None,
    ) -> None:
        self.interface = interface
        self._filter, self._bulk = filter, bulk
        self._guards, self._on_guard = guard, on_guard
        self._guard: FlowGuard | None = None
        self._flows: set[Flow] = set()
        self._routes: dict[AnyAddress, Route] = {}
        self._macs: dict[tuple[AnyAddress, str], MAC] = {}
        self._channels: dict[tuple[str, int], _Wire | _Local] = {}
        self._interfaces: dict[str, Interface] = {}
        self._homes: dict[AnyAddress, str | None] = {}
        self._namespace = own_namespace()
        self._stack = ExitStack()
        self._poll = select.epoll()
        self._stack.callback(self._poll.close)

    def open(self, packet: Packet) -> None:
        """Open what it takes to send such a packet, its guard included. Raises KernelError."""
        self.prepare(packet)

    def reach(self, addresses: Iterable[AnyAddress]) -> None:
        """Open what it takes to send to each of these; those to which there is no way are left out.

        Raises NotPermittedError, InterfaceError, FilterError.
        """
        for address in addresses:
            try:
                route = self.route(address)
            except KernelError:
                continue
            if route.kind == "local":
                self._local(address.version)
            else:
                self._wire(route.interface)

    def prepare(self, packet: Packet) -> Ready | Resolution:
        first = packet.layers[0] if packet.layers else None
        if isinstance(first, IPv4 | IPv6):
            return self._prepare_ip(packet, first)
        if not isinstance(first, Ethernet) or self.interface is None:
            remedy = "a question begins with IPv4 or IPv6, or with Ethernet if the interface is given too"
            raise KernelError(errno.EINVAL, "send", remedy)
        channel = self._wire(self.interface)
        ready = _ready(with_own_addresses(packet, self._own(self.interface)), channel)
        self._keep_quiet(ready.packet)
        return ready

    def learn(self, address: AnyAddress, interface: str, mac: MAC) -> None:
        _remember(self._macs, (address, interface), mac)

    def receive(self) -> list[Frame]:
        frames: list[Frame] = []
        for channel in list(self._channels.values()):
            frames += channel.receive()
        return frames

    def fileno(self) -> int:
        return self._poll.fileno()

    def drops(self) -> int:
        return sum(channel.drops() for channel in self._channels.values())

    def close(self) -> None:
        self._stack.close()
        self._channels.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ the way of an IP packet

    def _prepare_ip(self, packet: Packet, ip: IPv4 | IPv6) -> Ready | Resolution:
        route = self.route(ip.dst)
        if ip.src is AUTO:
            if route.source is None:
                raise kernel_error(OSError(errno.EADDRNOTAVAIL, ""), f"find an address to ask {ip.dst} from")
            packet = packet.replace(type(ip), src=route.source)
        elif (home := self._home_of(ip.src)) not in (None, route.interface):
            self._wire(home)  # where answers to that address are likely to come in
        self._keep_quiet(packet)
        if route.kind == "local":
            return _ready(packet, self._local(ip.version))
        channel = self._wire(route.interface)
        if channel.link_type is not LinkType.ETHERNET:
            return _ready(packet, channel)
        own = self._own(route.interface).mac or MAC(bytes(6))
        hop = route.gateway or ip.dst
        mac = self._mac(hop, route)
        if mac is None:
            source = route.source or IPv4Address(0) if hop.version == 4 else route.source or IPv6Address(0)
            return Resolution(_ready(_who_has(hop, own, source), channel), hop, route.interface)
        return _ready(Ethernet(dst=mac, src=own) / packet, channel)

    def route(self, destination: AnyAddress) -> Route:
        """The kernel's way to an address, remembered. Raises KernelError (ENETUNREACH, EHOSTUNREACH)."""
        route = self._routes.get(destination)
        if route is None:
            self._refuse_elsewhere()
            route = find_route(destination, interface=self.interface)
            _remember(self._routes, destination, route)
        return route

    def link_mtu(self, destination: AnyAddress) -> int:
        """The largest packet in bytes that leaves this host towards an address, whatever is known of the path."""
        return self._own(self.route(destination).interface).mtu

    def _mac(self, hop: AnyAddress, route: Route) -> MAC | None:
        if hop.is_multicast:
            return group_mac(hop)
        if route.kind == "broadcast":
            return BROADCAST
        key = (hop, route.interface)
        if key not in self._macs:
            neighbor = find_neighbor(hop, route.interface)
            if neighbor is None or neighbor.mac is None:
                return None
            self.learn(hop, route.interface, neighbor.mac)
        return self._macs[key]

    def _home_of(self, address: AnyAddress) -> str | None:
        """The interface that has this address, if one of this host's has."""
        if address not in self._homes:
            having = (each.name for each in interfaces() if any(own.ip == address for own in each.addresses))
            _remember(self._homes, address, next(having, None))
        return self._homes[address]

    def _own(self, name: str) -> Interface:
        if name not in self._interfaces:
            self._interfaces = {interface.name: interface for interface in interfaces()}
        if name not in self._interfaces:
            raise kernel_error(OSError(errno.ENODEV, ""), f"send on {name}")
        return self._interfaces[name]

    # ------------------------------------------------------------------ sockets

    def _wire(self, name: str) -> _Wire:
        channel = self._channels.get((name, 0))
        if channel is None:
            self._refuse_elsewhere()
            channel = _Wire(name, self._program, self._bulk)
            self._add(channel, (name, 0))
        assert isinstance(channel, _Wire)
        return channel

    def _local(self, version: int) -> _Local:
        channel = self._channels.get(("lo", version))
        if channel is None:
            channel = _Local(version, self._program)
            self._add(channel, ("lo", version))
        assert isinstance(channel, _Local)
        return channel

    def _refuse_elsewhere(self) -> None:
        """Raise KernelError in another network namespace than the port was made in, where packets would leave."""
        if own_namespace() != self._namespace:
            remedy = (
                "this port was made in another network namespace than it is used in; "
                "enter the host around both: with host, Exchange() as exchange: ..."
            )
            raise KernelError(errno.EXDEV, "send", remedy)

    def _add(self, channel: _Wire | _Local, key: tuple[str, int]) -> None:
        self._stack.callback(channel.close)
        self._channels[key] = channel
        self._poll.register(channel.receiver.fileno(), select.EPOLLIN)

    def _program(self, link_type: LinkType) -> Program | None:
        return None if self._filter is None else compile_filter(self._filter, link_type)

    # ------------------------------------------------------------------ quiet

    def _keep_quiet(self, packet: Packet) -> None:
        """Keep this host's kernel out of the conversation that a packet begins, if it would take part."""
        flow = flow_of(packet) if self._guards else None
        if flow is None or flow in self._flows or not self._is_own(flow.src):
            return
        if self._guard is None:
            self._guard = self._stack.enter_context(FlowGuard())
        self._guard.add(flow)
        self._flows.add(flow)
        if self._on_guard is not None:
            self._on_guard(flow)

    def _is_own(self, address: AnyAddress) -> bool:
        try:
            return find_route(address).kind == "local"
        except KernelError:
            return False


class _Wire:
    """An interface: frames out through one packet socket, and in through another or a ring."""

    hears_itself = True

    def __init__(self, name: str, program_for: Callable[[LinkType], Program | None], bulk: bool) -> None:
        self.name = name
        with ExitStack() as stack:
            self.sender = stack.enter_context(PacketSocket(name, protocol=0))
            self.link_type = self.sender.link_type
            program = program_for(self.link_type)
            self.receiver: PacketSocket | PacketRing
            if bulk:
                self.receiver = PacketRing(name, program=program, size=RING_SIZE, retire_ms=RETIRE_MS)
            else:
                self.receiver = PacketSocket(name, program=program, buffer_size=RECEIVE_BUFFER)
            stack.enter_context(self.receiver)
            self._stack = stack.pop_all()

    def send_frames(self, frames: Sequence[bytes]) -> None:
        self.sender.send_many(frames)

    def receive(self) -> list[Frame]:
        return _waiting(self.receiver)

    def drops(self) -> int:
        return self.receiver.statistics().drops

    def close(self) -> None:
        self._stack.close()


class _Local:
    """This host itself: packets out through a raw socket, and in as they cross the loopback interface."""

    name = "lo"
    hears_itself = True

    def __init__(self, version: int, program_for: Callable[[LinkType], Program | None]) -> None:
        with ExitStack() as stack:
            self._raw: RawLink = RawIPv4Socket() if version == 4 else RawIPv6Socket()
            stack.callback(self._raw.close)
            self.receiver = stack.enter_context(
                PacketSocket("lo", program=program_for(LinkType.ETHERNET), buffer_size=RECEIVE_BUFFER)
            )
            self._stack = stack.pop_all()

    def send_frames(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._raw.send(frame)

    def receive(self) -> list[Frame]:
        return _waiting(self.receiver)

    def drops(self) -> int:
        return self.receiver.statistics().drops

    def close(self) -> None:
        self._stack.close()


def _ready(packet: Packet, channel: Channel) -> Ready:
    """The question as its receiver reads it, and its bytes."""
    data, link_type = bytes(packet), packet.link_type
    return Ready(packet.built() if link_type is None else dissect(data, link_type), data, channel)


def flow_of(packet: Packet) -> Flow | None:
    """The conversation that a TCP or UDP packet begins, and that a kernel would say it knows nothing of."""
    ip, upper, _ = parts_of(packet)
    if isinstance(upper, TCP) and not upper.flags & TCPFlags.RST:
        return Flow(ip.src, ip.dst, upper.src_port, upper.dst_port, "tcp") if ip is not None else None
    if isinstance(upper, UDP) and ip is not None:
        return Flow(ip.src, ip.dst, upper.src_port, upper.dst_port, "udp")
    return None


def _who_has(hop: AnyAddress, mac: MAC, source: AnyAddress) -> Packet:
    """The question for the MAC address of a neighbour (RFC 826; RFC 4861, section 7.2.2)."""
    if isinstance(hop, IPv4Address):
        return Ethernet(dst=BROADCAST, src=mac) / ARP(sender_mac=mac, sender_ip=str(source), target_ip=hop)
    group = solicited_node(hop)
    ip = IPv6(src=str(source), dst=group, hop_limit=255)
    return Ethernet(dst=group_mac(group), src=mac) / ip / ICMPv6.neighbor_solicitation(hop, mac=mac)


def _waiting(receiver: Receiver) -> list[Frame]:
    """Whatever can be received without waiting."""
    frames: list[Frame] = []
    try:
        if isinstance(receiver, PacketRing):
            return receiver.receive_many(0)
        while len(frames) < MOST_AT_ONCE:
            frames.append(receiver.receive(0))
    except TimedOut:
        pass
    return frames


def _remember(memory: dict[Any, Any], key: object, value: object) -> None:
    if len(memory) >= REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value
