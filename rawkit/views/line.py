"""A packet in one line: its number, its time, what it is, and the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

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

    Times are seconds since `origin_ns`, or UTC where that is None. A problem follows its mark `!`.
    """
    time = time_text(record.time_ns, origin_ns)
    text = f"{record.number:>5} {paint(time, QUIET, True) if colour else time} {packet.summary()}"
    if not packet.problems:
        return text
    first, *others = packet.problems
    more = f" (and {len(others)} more)" if others else ""
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
