"""What is wrong with a dissected packet, as data."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rawkit.layout.checksum import Sums
    from rawkit.layout.record import Record

__all__ = ["Problem", "Severity", "View"]


class Severity(IntEnum):
    """How much a Problem says against the packet; the worse one is the greater."""

    NOTE = 0
    """Nothing: rawkit does not read what follows."""
    WARNING = 1
    """Something is odd or missing, or a limit was reached; the bytes may still be what was meant."""
    ERROR = 2
    """The bytes contradict themselves or what their protocol demands."""

    def __str__(self) -> str:
        return self.name.lower()


class Problem(NamedTuple):
    """One thing that is wrong: in which layer and field (may be empty), in which bytes, and why.

    `start` and `stop` are byte offsets into the packet as captured; for bytes that are missing they reach
    past its end. `causes` are the mistakes of which each would have led to just this, the likeliest first.
    A `severity` of NOTE is no fault: it only tells that something was not read.
    """

    layer: str
    field: str
    start: int
    stop: int
    message: str
    causes: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR

    @property
    def text(self) -> str:
        """The message, and what would explain it."""
        return f"{self.message}: {', or '.join(self.causes)}" if self.causes else self.message

    def __str__(self) -> str:
        name = f"{self.layer}.{self.field}" if self.field else self.layer
        return f"{name} (bytes {self.start} to {self.stop}): {self.text}"


class View(NamedTuple):
    """A header where it stands in the bytes that it was read from, for rules that check it.

    Its header is `data[start:stop]`, its body `data[stop:limit]`, and its parent's body ends at `end`.
    `whole` is false where the body is known to be incomplete (cut by the snaplen, a fragment, a quote), `quoted`
    is true where what is around it was cut on purpose (a quote, a fragment), so that lengths say nothing, and
    `unfinished` is true where the transport checksum was left to the network card. `sums` are those of `data`.
    """

    data: bytes
    layers: tuple[Record, ...]
    position: int
    start: int
    stop: int
    limit: int
    end: int
    wire_end: int
    whole: bool
    quoted: bool
    unfinished: bool
    sums: Sums

    @property
    def room(self) -> int:
        """How far its body can reach: to its parent's end, or to the packet's on the wire if that was cut."""
        return self.end if self.end < len(self.data) else max(self.end, self.wire_end)
