"""The machines of a lab: hosts, routers and switches, each in a network namespace of its own."""

from __future__ import annotations

import errno
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_network
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from rawkit.errors import FieldError, MissingError, kernel_error
from rawkit.layout import MAC
from rawkit.netns import _kernel
from rawkit.netns._netlink import Netlink
from rawkit.netns.namespace import Namespace
from rawkit.netns.programs import Programs
from rawkit.netns.routes import DEFAULTS, Network, Segment, Station, routes_of
from rawkit.netns.state import State, state_of
from rawkit.netns.worker import Worker

__all__ = ["IPV6_MTU", "Host", "Hub", "Middle", "Node", "Port", "Router", "Switch"]

P = ParamSpec("P")
T = TypeVar("T")

IPV6_MTU = 1280
"""The least that IPv6 needs, in bytes (RFC 8200, section 5); the kernel has no IPv6 on a link with less."""

_BRIDGE = "br0"
_NAT = "rawkit_nat"

# Addresses are there at once, and nothing is sent that nobody asked for, but for reports of IPv6 groups: the
# kernel cannot be kept from those, and a recording leaves them out.
_QUIET = {
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/router_solicitations": 0,
}
_SYSCTL_REMEDIES = {
    errno.ENOENT: "no such setting; `ls /proc/sys/net` lists those that exist",
    errno.EISDIR: "a group of settings; name one in it",
    errno.EINVAL: "not a value that this setting takes",
}
_FORWARDING = {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1}
_NO_ADDRESSES = {"ipv6/conf/default/disable_ipv6": 1}


@dataclass(frozen=True, slots=True)
class Port:
    """One end of a cable: an interface of a node. `mtu` is in bytes."""

    node: Node
    name: str
    index: int
    mac: MAC
    mtu: int
    addresses: tuple[IPv4Interface | IPv6Interface, ...]

    def address(self, version: int = 4) -> IPv4Address | IPv6Address:
        """Its first address of IP version 4 or 6. Raises FieldError if it has none."""
        for interface in self.addresses:
            if interface.version == version:
                return interface.ip
        raise FieldError(f"{self.node.name}.{self.name}", "address", version, "an IP version that it has")


class Node:
    """A machine of a lab. Nodes are made by `Lab`, and end with it.

    `with node:` moves the calling thread into its network namespace: sockets opened there belong to it, also
    after the thread left. Programs are started with `run` and `popen`, which see to it that they end with the
    lab. What they find in /sys/class/net is the outer machine's; /proc/net and netlink are the node's.
    """

    _SYSCTLS: dict[str, int] = _QUIET

    def __init__(self, name: str, number: int, programs: Programs, *, untrusted: bool = False) -> None:
        self.name = name
        self.number = number
        self.ports: list[Port] = []
        self._programs = programs
        self._namespace = Namespace(untrusted=untrusted)
        try:
            self.set_sysctls(self._SYSCTLS)
            self.netlink = Netlink(self._namespace, programs.in_thread)
        except BaseException:
            self._namespace.close()
            raise

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The names of its interfaces, in the order in which they were linked: eth0, eth1, ..."""
        return tuple(port.name for port in self.ports)

    def port(self, interface: str | None = None) -> Port:
        """The port of that name, or the first. Raises FieldError if there is none."""
        for port in self.ports:
            if interface in (None, port.name):
                return port
        linked = f"one of {', '.join(self.interfaces)}"
        raise FieldError(
            self.name,
            "interface",
            interface,
            linked if self.ports else "an interface (it has none before Lab.link)",
        )

    def address(self, version: int = 4, interface: str | None = None) -> IPv4Address | IPv6Address:
        """Its address of IP version 4 or 6, of its first interface unless another is named."""
        return self.port(interface).address(version)

    def mac(self, interface: str | None = None) -> MAC:
        """The MAC address of its first interface, or of the one named."""
        return self.port(interface).mac

    def open(self, opener: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `opener` inside: `host.open(PacketSocket, "eth0")` is a socket that belongs to the host."""
        with self:
            return opener(*args, **kwargs)

    def popen(self, arguments: str | Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program inside, as subprocess.Popen does, with its options and errors.

        It ends with the lab at the latest, killed, with everything that it started. It has process numbers
        of its own; the Popen object has the outer ones. The file system is the outer machine's, /proc
        included: the programs listed there (ps, /proc/1) are the machine's, by their outer numbers, and
        /proc/<its own number> is another program. /proc/net and /proc/sys/net are the host's. Its pipes are
        the caller's to close.
        """
        return self._programs.start(self._namespace, arguments, options)

    def run(
        self,
        arguments: str | Sequence[str | Path],
        *,
        input: Any = None,
        capture_output: bool = False,
        timeout: float | None = None,
        check: bool = False,
        **options: Any,
    ) -> subprocess.CompletedProcess[Any]:
        """Run a program inside to its end, as subprocess.run does, with its options and errors."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        if capture_output:
            options["stdout"] = options["stderr"] = subprocess.PIPE
        with self.popen(arguments, **options) as process:
            try:
                out, err = process.communicate(input, timeout)
            except BaseException:
                process.kill()
                raise
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        if check:
            done.check_returncode()
        return done

    def spawn(self, work: Callable[[Worker], object]) -> Worker:
        """Call a Python function inside, in a process of its own that `Worker` describes. Raises KernelError."""
        return self._programs.spawn(self._namespace, work)

    def set_sysctls(self, values: dict[str, int]) -> None:
        """Write settings under /proc/sys/net, such as {"ipv4/ip_forward": 1}. Raises FieldError, KernelError."""
        for name in values:
            if not _is_setting(name):
                raise FieldError(
                    self.name, "sysctl", name, "a name under /proc/sys/net, such as 'ipv4/ip_forward'"
                )
        with self:
            for name, value in values.items():
                try:
                    Path("/proc/sys/net", name).write_text(str(value))
                except OSError as error:
                    raise kernel_error(
                        error, f"set net/{name} to {value}", "CAP_NET_ADMIN", remedies=_SYSCTL_REMEDIES
                    ) from error

    def state(self) -> State:
        """What its kernel knows now: neighbours, routes, sockets, tracked connections, interfaces, counters."""
        return state_of(self)

    def set_neighbor(self, address: str, mac: MAC | str, interface: str | None = None) -> None:
        """Note for good that a neighbour is at that MAC address: what others say of it is not believed then."""
        try:
            self.netlink.set_neighbor(self.port(interface).index, ip_address(address), MAC(mac))
        except (ValueError, TypeError) as error:
            raise FieldError(
                self.name, "neighbor", (address, mac), f"an IP address and a MAC address ({error})"
            ) from error

    def add_rules(self, ruleset: str) -> None:
        """Have nftables do what a ruleset in nft's language says (nft(8)): firewalls, NAT, rate limits.

            router.add_rules("table ip n { chain c { type filter hook forward priority 0; ip ttl 1 drop; }; }")

        Raises MissingError without the program `nft`, FieldError with its words for a ruleset that it refuses.
        """
        if not isinstance(ruleset, str):
            raise FieldError(self.name, "rules", ruleset, "text in nft's language")
        try:
            done = self.run(["nft", "-f", "-"], input=ruleset, capture_output=True, text=True)
        except FileNotFoundError:
            raise MissingError("nft", "sudo apt install nftables") from None
        if done.returncode:
            raise FieldError(
                self.name, "rules", ruleset, f"what nft takes ({done.stderr.strip().partition(chr(10))[0]})"
            )

    def translate(
        self, outside: str, forward: Mapping[tuple[str, int], tuple[str, int]] = MappingProxyType({})
    ) -> None:
        """Be a NAT (RFC 3022): what leaves by the interface `outside` has its address; IPv4 and IPv6.

        `forward` names what comes in nonetheless: {("tcp", 8080): ("10.0.1.1", 80)} hands what comes to port
        8080 to port 80 of an IPv4 host inside. What was said before is replaced. Raises as `add_rules` does.
        """
        self.port(outside)
        lines = [f'iifname "{outside}" {self._forwarding(*each)};' for each in forward.items()]
        self.add_rules(
            # Adding a table that is there changes nothing; deleting one that is not is an error (nft(8)).
            f"add table inet {_NAT}\ndelete table inet {_NAT}\n"
            f"table inet {_NAT} {{\n"
            f"chain prerouting {{ type nat hook prerouting priority -100; {' '.join(lines)} }}\n"
            f'chain postrouting {{ type nat hook postrouting priority 100; oifname "{outside}" masquerade; }}\n'
            "}"
        )

    def _forwarding(self, outer: tuple[str, int], inner: tuple[str, int]) -> str:
        """The rule, but for the interface, by which what comes to a port goes to a host and port inside."""
        try:
            (protocol, port), (host, to) = outer, inner
            if protocol in ("tcp", "udp") and all(0 < int(each) < 65_536 for each in (port, to)):
                return f"{protocol} dport {int(port)} dnat ip to {IPv4Address(host)}:{int(to)}"
        except (ValueError, TypeError):
            pass
        what = "('tcp' or 'udp', port): (IPv4 address, port), such as ('tcp', 8080): ('10.0.1.1', 80)"
        raise FieldError(self.name, "forward", {outer: inner}, what)

    def fileno(self) -> int:
        """The descriptor that holds its network namespace."""
        return self._namespace.fileno()

    @property
    def namespace(self) -> Namespace:
        """The network namespace that it lives in."""
        return self._namespace

    def mac_of(self, port: int) -> MAC:
        """The MAC address for its port of that number.

        02:00, the high byte of the port, two bytes for the node, and the low byte of the port.
        """
        high, low = port.to_bytes(2)
        return MAC(bytes([2, 0, high, *self.number.to_bytes(2), low]))

    def plug(self, name: str, mac: MAC, mtu: int, offload: bool, segment: Segment, addresses: Addresses) -> Port:
        """Make a new interface of that name a port: plugged in, up, with its addresses."""
        with self:
            index = socket.if_nametoindex(name)
            if not offload:
                _kernel.switch_offloads_off(name)
        chosen = self._join(mtu, index, segment, addresses)
        self._raise(name)
        for address in chosen:
            self.netlink.add_address(index, address)
        port = Port(self, name, index, mac, mtu, chosen)
        self.ports.append(port)
        return port

    def _raise(self, interface: str) -> None:
        """Raise an interface."""
        with self._changing(f"raise {interface}"):
            _kernel.raise_interface(interface)

    @contextmanager
    def _changing(self, doing: str) -> Iterator[None]:
        """Within, ioctl(2) is for its network; that takes a fraction of what netlink does. Raises KernelError."""
        with self:
            try:
                yield
            except OSError as error:
                raise kernel_error(error, doing, "CAP_NET_ADMIN") from error

    def _join(
        self, mtu: int, index: int, segment: Segment, addresses: Addresses
    ) -> tuple[IPv4Interface | IPv6Interface, ...]:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the namespace."""
        self.netlink.close()
        self._namespace.close()

    def __enter__(self) -> Self:
        self._namespace.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._namespace.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def _is_setting(name: object) -> bool:
    """Whether it names something under /proc/sys/net: what leads out of there is the whole machine's."""
    return isinstance(name, str) and not name.startswith("/") and not {"..", ""} & {*name.split("/")}


Addresses = Sequence[IPv4Interface | IPv6Interface] | None
"""What a port is to have; None for the next free ones of its segment."""


class Host(Node):
    """An end system: IPv4 and IPv6, `lo` up, and a default route once it shares a network with a router."""

    _FORWARDS = False

    def __init__(self, name: str, number: int, programs: Programs, *, untrusted: bool = False) -> None:
        super().__init__(name, number, programs, untrusted=untrusted)
        self.station = Station(name, self._FORWARDS)
        self._routed: set[Network] = set()
        self._raise("lo")

    def add_routes(self) -> None:
        """Add the routes that the lab's wiring gives it by now, and that it does not have yet."""
        for network, gateway in routes_of(self.station).items():
            if network not in self._routed:
                self.netlink.set_route(network, gateway)
                self._routed.add(network)

    def set_route(self, network: str, via: str | None) -> None:
        """Send what is for a network through a neighbour, whatever the lab's wiring says; with None, nowhere.

        Such as `host.set_route("10.0.3.0/24", "10.0.2.2")`, or "default". Raises FieldError, KernelError.
        """
        try:
            gateway = None if via is None else ip_address(via)
            version = 6 if gateway is not None and gateway.version == 6 else 4
            to = DEFAULTS[version == 6] if network == "default" else ip_network(network)
        except ValueError as error:
            raise FieldError(
                self.name, "route", (network, via), f"a network, and an address in reach ({error})"
            ) from error
        if gateway is not None and gateway.version != to.version:
            raise FieldError(self.name, "route", (network, via), "a network and an address of one IP version")
        self.netlink.set_route(to, gateway)
        self._routed.add(to)

    def _join(
        self, mtu: int, index: int, segment: Segment, addresses: Addresses
    ) -> tuple[IPv4Interface | IPv6Interface, ...]:
        chosen: tuple[IPv4Interface | IPv6Interface, ...]
        if addresses is None:
            ipv4, ipv6 = segment.next_addresses()
            chosen = (ipv4, ipv6) if mtu >= IPV6_MTU else (ipv4,)
        else:
            chosen = tuple(addresses)
        segment.plug(self.station, chosen)
        return chosen


class Router(Host):
    """A host that forwards between its interfaces, and knows the way to every network of the lab."""

    _SYSCTLS = _QUIET | _FORWARDING
    _FORWARDS = True


class Switch(Node):
    """A bridge in a namespace of its own, without an address: it only forwards frames."""

    _SYSCTLS = _QUIET | _NO_ADDRESSES
    _FORGETFUL = False

    def __init__(self, name: str, number: int, programs: Programs) -> None:
        super().__init__(name, number, programs)
        self.segment: Segment | None = None
        self.netlink.add_bridge(_BRIDGE, forgetful=self._FORGETFUL)
        self._raise(_BRIDGE)

    def _join(
        self, mtu: int, index: int, segment: Segment, addresses: Addresses
    ) -> tuple[IPv4Interface | IPv6Interface, ...]:
        if addresses:
            raise FieldError(
                "Lab.link", "addresses", str(addresses[0]), f"none for {self.name}, which is a switch"
            )
        with self._changing(f"plug interface {index} into its switch"):
            _kernel.add_to_bridge(_BRIDGE, index)
        return ()


class Hub(Switch):
    """A switch that never learns who is where: everybody who is plugged in gets every frame."""

    _FORGETFUL = True


class Middle(Node):
    """The middle of an impaired link: two ports without an address, and the process between them."""

    _SYSCTLS = _QUIET | _NO_ADDRESSES

    def _join(
        self, mtu: int, index: int, segment: Segment, addresses: Addresses
    ) -> tuple[IPv4Interface | IPv6Interface, ...]:
        return ()
