"""What comes out of a socket, and the short interface that every socket and its in-memory twin share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from types import TracebackType
from typing import NamedTuple, Protocol, Self, SupportsBytes

from rawkit.wire import LinkType, Packet, dissect

__all__ = ["Direction", "Frame", "Link", "RawLink", "Receiver", "Sendable"]

Sendable = bytes | bytearray | memoryview | SupportsBytes
"""What can be sent: bytes, or whatever builds into bytes, such as a packet."""


class Direction(IntEnum):
    """Whom a frame was for, and which way it went (sll_pkttype in packet(7), with its numbers)."""

    INCOMING = 0
    """Addressed to this host."""
    BROADCAST = 1
    """Incoming, to everyone on the link."""
    MULTICAST = 2
    """Incoming, to a group."""
    OTHER_HOST = 3
    """Incoming, to another host; seen in promiscuous mode."""
    OUTGOING = 4
    """Sent by this host."""


class Frame(NamedTuple):
    """One received packet, and what the kernel says about it."""

    data: bytes
    """The bytes, from the header that `link_type` names, at most `snaplen` of them."""
    time_ns: int
    """When the kernel had it, in nanoseconds since 1970."""
    wire_length: int
    """Its length in bytes on the wire, of which `data` may hold fewer."""
    link_type: LinkType | None
    """What the first byte of `data` belongs to; None from a raw IPv6 socket, which gives no header."""
    interface: str
    """The name of the interface."""
    direction: Direction = Direction.INCOMING
    checksum_unfinished: bool = False
    """The transport checksum was left to the network card (TP_STATUS_CSUMNOTREADY), so it is wrong here."""
    source: IPv4Address | IPv6Address | None = None
    """The sender, as raw sockets tell it; None where only the headers do."""

    def packet(self) -> Packet:
        """The frame dissected; the payload alone where its link type is not known."""
        if self.link_type is None:
            return Packet(payload=self.data)
        return dissect(
            self.data,
            self.link_type,
            wire_length=self.wire_length,
            checksum_unfinished=self.checksum_unfinished,
        )


class Receiver(Protocol):
    """What every end of a link does: receive, be waited for by a selector, and be closed."""

    def receive(self, timeout: float | None = None) -> Frame:
        """The next frame, after at most `timeout` seconds (None: for ever, 0: only if it is there already).

        Raises TimedOut, InterfaceError, KernelError.
        """
        ...

    def fileno(self) -> int:
        """The file descriptor that is readable when a frame can be received; -1 when closed."""
        ...

    def close(self) -> None:
        """Give the descriptor back. Closing twice is no error."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Link(Receiver, Protocol):
    """An end that takes whole frames: `PacketSocket`, and `MemoryEnd` in its place."""

    def send(self, data: Sendable) -> None:
        """Put one frame on the link. Raises KernelError (EMSGSIZE, EINVAL, ENETDOWN, ...)."""
        ...

    def send_many(self, frames: Sequence[Sendable]) -> None:
        """Put frames on the link, in order. Raises as `send` does, for the first that is refused."""
        ...


class RawLink(Receiver, Protocol):
    """An end that takes IP packets and is told where to: the raw sockets, and `MemoryEnd` in their place."""

    def send(self, data: Sendable, destination: str | IPv4Address | IPv6Address | None = None) -> None:
        """Send one packet towards `destination`, or where its header says. Raises KernelError."""
        ...
