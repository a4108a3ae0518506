"""Times, spans of time and numbers of packets as people write them, read exactly: no fraction is rounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from rawkit.pcap import Moment

__all__ = ["COMMENT", "COUNT_OR_SPAN", "PERIOD", "RANGES", "SPAN"]

NANOSECONDS: Final = 1_000_000_000
UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": NANOSECONDS,
    "m": 60 * NANOSECONDS,
    "h": 3_600 * NANOSECONDS,
    "d": 86_400 * NANOSECONDS,
}
LONGEST_NUMBER: Final = 18
"""Digits before or behind the point: more are no time, and would take their time."""

LONGEST_COMMENT: Final = 65535
"""Bytes: the length of a pcapng option has 16 bits (draft-ietf-opsawg-pcapng, section 3.5)."""

NUMBER = rf"(\d{{1,{LONGEST_NUMBER}}})(?:\.(\d{{1,{LONGEST_NUMBER}}}))?"
SPAN_TEXT: Final = re.compile(rf"([+-]?){NUMBER}({'|'.join(UNITS)})?", re.ASCII)
DATE_TEXT: Final = re.compile(r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d{1,9}))?Z?", re.ASCII)
RANGE_TEXT: Final = re.compile(rf"(\d{{1,{LONGEST_NUMBER}}})?(-(\d{{1,{LONGEST_NUMBER}}})?)?", re.ASCII)
COMMENT_TEXT: Final = re.compile(rf"(\d{{0,{LONGEST_NUMBER}}}):(.*)", re.ASCII | re.DOTALL)


def span_of(text: str) -> int:
    """Nanoseconds in a text such as `1.5h`, `-250ms` or `10` (seconds). Raises ValueError."""
    found = SPAN_TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span of time; such as 10s, 1.5h, 250ms or 0.5 are")
    sign, whole, fraction, unit = found.groups()
    digits = fraction or ""
    nanoseconds, rest = divmod(int(whole + digits) * UNITS[unit or "s"], int(10 ** len(digits)))
    if rest:
        raise ValueError(f"{text!r} is no whole number of nanoseconds")
    return -nanoseconds if sign == "-" else nanoseconds


def moment_of(text: str) -> Moment:
    """A date and time in UTC, seconds since 1970, or `+` and a span from the first packet. Raises ValueError."""
    if text.startswith("+"):
        return Moment(span_of(text), from_first=True)
    if text[:1] != "-" and (SPAN_TEXT.fullmatch(text) and text[-1:].isdigit()):
        return Moment(span_of(text))
    found = DATE_TEXT.fullmatch(text)
    if found is None:
        expected = "2026-01-31T12:00:00.5 (UTC), 1700000000.25 (since 1970) or +10s (from the first packet)"
        raise ValueError(f"{text!r} is no time; such as {expected} are")
    whole, fraction = found.groups()
    date = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return Moment(int(date.timestamp()) * NANOSECONDS + int((fraction or "").ljust(9, "0")))


def period_of(text: str) -> tuple[Moment | None, Moment | None]:
    """From when, and before when: `FROM..TO`, either of which may be left out. Raises ValueError."""
    since, dots, before = text.partition("..")
    if not dots or not (since or before):
        raise ValueError(f"{text!r} is no period; it is FROM..TO, FROM.. or ..TO, such as +10s..+20s")
    start, stop = moment_of(since) if since else None, moment_of(before) if before else None
    if start and stop and start.from_first == stop.from_first and stop.nanoseconds <= start.nanoseconds:
        raise ValueError(f"{text!r} has no packets; FROM is earlier than TO, which itself is left out")
    return start, stop


def ranges_of(text: str) -> tuple[tuple[int, int | None], ...]:
    """First and last number of each range in a text such as `5-10,20-`. Raises ValueError."""
    ranges: list[tuple[int, int | None]] = []
    for one in text.split(","):
        found = RANGE_TEXT.fullmatch(one.strip())
        if found is None or one.strip() in ("", "-"):
            raise ValueError(f"{one!r} is no range of packet numbers; such as 7, 5-10, -10 or 20- are")
        first, dash, last = found.groups()
        start = int(first or 1)
        stop = int(last) if last else None if dash else start
        if start < 1 or (stop is not None and stop < start):
            raise ValueError(f"{one!r} has no packets; numbers count from 1, and the lower comes first")
        ranges.append((start, stop))
    return tuple(ranges)


def count_or_span(text: str) -> tuple[int | None, int | None]:
    """A number of packets, or nanoseconds from a span with its unit. Raises ValueError."""
    if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER:
        count, span = int(text), None
    elif text[-1:].isdigit():
        raise ValueError(f"{text!r} is no number of packets; a span of time has its unit, such as {text}s")
    else:
        count, span = None, span_of(text)
    if (count or span or 0) < 1:
        raise ValueError(f"{text!r} is not more than 0")
    return count, span


def comment_of(text: str) -> tuple[int | None, str]:
    """A comment and its packet (None: the file) from `N:text`, `text` or `:text`. Raises ValueError."""
    found = COMMENT_TEXT.fullmatch(text)
    number, comment = found.groups() if found is not None else ("", text)
    if not comment:
        raise ValueError("the comment is empty")
    size = len(comment.encode("utf-8", "surrogateescape"))
    if size > LONGEST_COMMENT:
        raise ValueError(
            f"the comment has {size} bytes; at most {LONGEST_COMMENT} fit into one, so give it in parts"
        )
    if number and int(number) < 1:
        raise ValueError("packets are counted from 1")
    return int(number) if number else None, comment


if TYPE_CHECKING:
    AnyType = click.ParamType[Any]
else:
    AnyType = click.ParamType  # which older versions of click do not take in brackets


class Exact(AnyType):
    """An argument that a function reads, whose ValueError says what is wrong with it."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN: Final = Exact("span", span_of)
PERIOD: Final = Exact("period", period_of)
RANGES: Final = Exact("ranges", ranges_of)
COUNT_OR_SPAN: Final = Exact("count or span", count_or_span)
COMMENT: Final = Exact("comment", comment_of)
