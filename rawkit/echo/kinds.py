"""The kinds of sockets that echo, in the order in which they are taught."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from rawkit.echo.endpoint import Client, Server

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to send bytes and get them back. What it is known by are facts of the socket, not of one run."""

    name: str
    module: str | None
    """The module of `rawkit.echo` that has its `Client` and `Server`; None for one that is yet to come."""
    socket: str
    """What socket(2) is asked for."""
    by_hand: bool
    """Whether its headers are built here rather than by the kernel."""
    summary: str
    addressed_by: Literal["host", "port", "station", "path"] = "port"
    """What an address is: a host, a host with a port, a MAC address and an interface, or a path (or @name)."""
    boundaries: bool = True
    """Whether what is sent in one piece is received in one."""
    kernel_answers: bool = False
    """Whether the kernel at the other end answers by itself."""

    @property
    def within_machine(self) -> bool:
        """Whether both ends are on one machine, and nothing crosses a wire."""
        return self.socket.startswith("AF_UNIX")

    @property
    def connected(self) -> bool:
        """Whether there is a connection to set up before anything is sent."""
        return self.socket.endswith(("SOCK_STREAM", "SOCK_SEQPACKET"))

    def client(self, address: Any, **options: Any) -> Client:
        """Its client, which asks `address`: (host, port), a path, or what its `Client` says, as of the options."""
        made: Client = self.load().Client(address, **options)
        return made

    def server(self, *address: Any, **options: Any) -> Server:
        """Its server at `address`, which most kinds have a default for."""
        made: Server = self.load().Server(*address, **options)
        return made

    def load(self) -> ModuleType:
        """Its module, which has the classes `Client` and `Server` (`rawkit.echo.endpoint`)."""
        assert self.module is not None, f"{self.name} is yet to come"
        return import_module(f"rawkit.echo.{self.module}")


_INET, _UNIX = "AF_INET, SOCK_", "AF_UNIX, SOCK_"

_KINDS: Final = (
    Kind(
        "tcp", "tcp", _INET + "STREAM", False, "a stream: order and arrival kept, boundaries not", boundaries=False
    ),
    Kind("udp", "udp", _INET + "DGRAM", False, "datagrams: boundaries kept, arrival not"),
    Kind("unix-stream", "unix_stream", _UNIX + "STREAM", False, "a stream within one machine", "path", False),
    Kind(
        "unix-dgram", "unix_dgram", _UNIX + "DGRAM", False, "datagrams within one machine, in their order", "path"
    ),
    Kind("unix-seqpacket", "unix_seqpacket", _UNIX + "SEQPACKET", False, "a connection with boundaries", "path"),
    Kind("websocket", "websocket", _INET + "STREAM", False, "messages over a stream, as browsers do (RFC 6455)"),
    Kind("raw-udp", "raw_udp", _INET + "RAW", True, "UDP made by hand, to and from ordinary sockets"),
    Kind(
        *("icmp", "icmp", _INET + "RAW", True, "echo requests made by hand, which the kernel answers", "host"),
        kernel_answers=True,
    ),
    Kind("raw-ip", "raw_ip", _INET + "RAW", True, "IP protocol 253, for experiments (RFC 3692)", "host"),
    Kind("ether", "ether", "AF_PACKET, SOCK_RAW", True, "EtherType 0x88b5, for experiments (IEEE 802)", "station"),
    Kind("raw-tcp", None, _INET + "RAW", True, "TCP made by hand; yet to come"),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _KINDS}
"""By name."""
