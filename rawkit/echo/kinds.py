"""The kinds of sockets that echo, in the order in which they are taught."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Final

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

    def load(self) -> ModuleType:
        """Its module, which has the classes `Client` and `Server` (`rawkit.echo.endpoint`)."""
        assert self.module is not None, f"{self.name} is yet to come"
        return import_module(f"rawkit.echo.{self.module}")


_KINDS: Final = (
    Kind("tcp", "tcp", "AF_INET, SOCK_STREAM", False, "a stream: order and arrival kept, boundaries not"),
    Kind("udp", "udp", "AF_INET, SOCK_DGRAM", False, "datagrams: boundaries kept, arrival not"),
    Kind("unix-stream", "unix_stream", "AF_UNIX, SOCK_STREAM", False, "a stream within one machine"),
    Kind("unix-dgram", "unix_dgram", "AF_UNIX, SOCK_DGRAM", False, "datagrams within one machine, none lost"),
    Kind("unix-seqpacket", "unix_seqpacket", "AF_UNIX, SOCK_SEQPACKET", False, "a connection with boundaries"),
    Kind(
        "websocket",
        "websocket",
        "AF_INET, SOCK_STREAM",
        False,
        "messages over a stream, as browsers do (RFC 6455)",
    ),
    Kind("raw-udp", "raw_udp", "AF_INET, SOCK_RAW", True, "UDP made by hand, to and from ordinary sockets"),
    Kind("icmp", "icmp", "AF_INET, SOCK_RAW", True, "echo requests made by hand, which the kernel answers", True),
    Kind(
        "raw-ip", "raw_ip", "AF_INET, SOCK_RAW", True, "an IP protocol of its own: 253, for experiments (RFC 3692)"
    ),
    Kind(
        "ether",
        "ether",
        "AF_PACKET, SOCK_RAW",
        True,
        "an EtherType of its own: 0x88b5, for experiments (IEEE 802)",
    ),
    Kind("raw-tcp", None, "AF_INET, SOCK_RAW", True, "TCP made by hand; yet to come"),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _KINDS}
"""By name."""
