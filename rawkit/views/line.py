"""A packet in one line: its number, its time, what it is, and the worst thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Protocol

from rawkit.layout import Severity
from rawkit.views.palette import PROBLEM, QUIET, paint
from rawkit.wire import LinkType, Packet

__all__ = ["Captured", "comment_lines", "line", "time_text"]

SECOND = 1_000_000_000
LAST_SECOND = 253_402_300_799
"""The last second of the year 9999; what lies beyond is shown as a plain number of seconds."""


class Captured(Protocol):
    """What the views ask of a record from a capture: `rawkit.pcap.Record` is one."""

    @property
    def number(self) -> int: ...
    @property
    def time_ns(self) -> int: ...
    @property
    def data(self) -> bytes: ...
    @property
    def wire_length(self) -> int: ...
    @property
    def link_type(self) -> LinkType: ...
    @property
    def comments(self) -> tuple[str, ...]: ...


def line(record: Captured, packet: Packet, *, origin_ns: int | None = None, colour: bool = False) -> str:
    """One line about `packet`, which was read from `record`.

    Times are seconds since `origin_ns`, or UTC where that is None. The worst problem follows its mark `!`; notes
    are none, since what is not read here has its name in the summary.
    """
    time = time_text(record.time_ns, origin_ns)
    text = f"{record.number:>5} {paint(time, QUIET, True) if colour else time} {packet.summary()}"
    faults = [problem for problem in packet.problems if problem.severity > Severity.NOTE]
    if not faults:
        return text
    first = max(faults, key=attrgetter("severity"))  # of several that are as bad, the outermost
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    name = f"{first.layer}.{first.field}" if first.field else first.layer
    return f"{text} {paint(f'! {name}: {first.text}{more}', PROBLEM, colour)}"


def time_text(time_ns: int, origin_ns: int | None = None) -> str:
    """A time to the microsecond: seconds since `origin_ns`, or date and time (UTC) where that is None."""
    if origin_ns is not None:
        seconds, microseconds = divmod(abs(time_ns - origin_ns) // 1000, 1_000_000)
        return f"{seconds:>3}.{microseconds:06}" if time_ns >= origin_ns else f"-{seconds}.{microseconds:06}"
    seconds, fraction = divmod(time_ns, SECOND)
    if not 0 <= seconds <= LAST_SECOND:
        return f"{seconds}.{fraction // 1000:06}"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction // 1000:06}"


def comment_lines(record: Captured, *, colour: bool = False) -> Iterator[str]:
    """What people wrote about the packet, a line a comment; what a terminal would obey is shown as its escape."""
    for comment in record.comments:
        shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in comment)
        yield f"{paint('comment', QUIET, colour)}  {shown}"
