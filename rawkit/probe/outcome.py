"""What becomes of a question: an answer, or a miss that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rawkit.wire import Packet

__all__ = ["Answer", "Clock", "Miss", "Outcome", "Reason"]


class Clock(StrEnum):
    """Who took the times of an outcome."""

    KERNEL = "kernel"
    """The kernel, of the question and the answer alike: the round trip is the wire's."""
    USER = "user"
    """The question's time is this process's own, taken just before it was sent: the round trip has its delays."""


class Reason(StrEnum):
    """Why there is no answer, from the surest evidence to none."""

    NO_ROUTE = "no route"
    """The kernel knows no way to the destination, or refuses to send there."""
    NO_NEIGHBOR = "no neighbor"
    """The next hop did not answer ARP or neighbour discovery."""
    REFUSED = "refused"
    """The kernel did not take the packet: too large for the interface, or not one that it sends."""
    ERROR = "error"
    """An ICMP error quotes the question."""
    NEARLY = "nearly"
    """A packet came that would be the answer, were it not for one field."""
    DROPPED = "dropped"
    """The receiving socket had no room for some packets, and the answer may be among them."""
    COUNTED = "counted"
    """A counter of the local kernel moved that tells of discarded packets."""
    SILENCE = "silence"
    """Nothing came, and nothing tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question."""

    number: int
    """Which question it was, counted from 0."""
    question: Packet
    """The packet as it was sent, nothing left AUTO."""
    sends: int = 1
    """How often it was sent; with more than once, it is not known which sending was answered."""
    sent_ns: int = 0
    """When it was sent last, in nanoseconds since 1970."""
    received_ns: int = 0
    """When what came back arrived, in nanoseconds since 1970; 0 if nothing did."""
    clock: Clock = Clock.USER
    interface: str = ""
    """Where it was sent; empty if it was not."""

    @property
    def round_trip_ns(self) -> int | None:
        """Nanoseconds from the question to what came back; None if nothing did."""
        return self.received_ns - self.sent_ns if self.received_ns else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Outcome):
    """The packet that answers a question."""

    packet: Packet
    repeated: bool = False
    """Whether an answer to the same question came before, or the time for it was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss(Outcome):
    """A question without an answer."""

    reason: Reason
    text: str
    """The evidence in words, one sentence or more."""
    packet: Packet | None = None
    """The ICMP error, or the packet that nearly answered."""
    repeated: bool = False
    """Whether an answer or error came for the same question before."""
