"""A ladder: a column for each host, and an arrow for each packet that crossed the wire between two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rawkit.views.line import time_text
from rawkit.views.outline import headers
from rawkit.wire import Packet

__all__ = ["Crossing", "Ladder", "crossings", "label", "ladder"]

TIME = 11
"""Columns of the relative time."""
MARGIN = 8
"""Columns on either side of the outer hosts, for half of their names."""
NARROWEST = 12
WIDEST = 72
"""Columns from one host to the next, at the least and at the most."""
OTHERS = "others"


class Crossing(NamedTuple):
    """A packet on its way from one host to another; an empty name is a host that nobody knows.

    `mark` is one character beside the time, for whatever the reader is told that it means.
    """

    time_ns: int
    packet: Packet
    source: str
    destination: str
    mark: str = ""


def crossings(packets: Iterable[tuple[int, Packet]]) -> list[Crossing]:
    """Times and packets as crossings between the addresses that they carry, the innermost not quoted."""
    found = []
    for time_ns, packet in packets:
        source = destination = ""
        for header in headers(packet):
            values: Any = header.values()
            if "src" in values and "dst" in values:
                source, destination = str(values["src"]), str(values["dst"])
        found.append(Crossing(time_ns, packet, source, destination))
    return found


class Ladder:
    """A ladder whose hosts are known before its packets are: its `heading`, then a `line` for each packet.

    `width` columns at the most; times are seconds since `began_ns`, or else since the first packet.
    """

    def __init__(self, hosts: Sequence[str], *, width: int = 100, began_ns: int | None = None) -> None:
        most = _most_columns(width)
        names = [*hosts] if len(hosts) <= most else [*hosts[: most - 1], OTHERS]
        gap = min(WIDEST, (width - TIME - 2 * MARGIN - 1) // max(len(names) - 1, 1))
        self._width, self._gap = width, gap
        self._places = {name: TIME + MARGIN + gap * number for number, name in enumerate(names)}
        self._began_ns = began_ns

    def heading(self) -> str:
        """The names of the hosts, each above its rail."""
        heading = [" "] * self._width
        for name, place in self._places.items():
            text = (name or "?")[: min(self._gap - 1, 2 * MARGIN - 1)]
            left = place - len(text) // 2
            heading[left : left + len(text)] = text
        return "".join(heading).rstrip()

    def line(self, event: Crossing) -> str:
        """A packet on its way; that of a host without a column is drawn at `others`, or else at the first."""
        if self._began_ns is None:
            self._began_ns = event.time_ns
        start, stop = (
            self._places.get(name, self._places.get(OTHERS, 0)) for name in (event.source, event.destination)
        )
        line = [" "] * self._width
        for place in self._places.values():
            line[place] = "|"
        _draw(line, start, stop, event.packet)
        time = f"{time_text(event.time_ns, self._began_ns)} {event.mark}"
        line[: len(time)] = time
        return "".join(line[: self._width]).rstrip()


def ladder(events: Sequence[Crossing], *, hosts: Sequence[str] = (), width: int = 100) -> Iterator[str]:
    """The lines of the ladder, `width` columns at the most; times are seconds since the first event.

    `hosts` come first, in that order, then the others as they appear. Where there are too many, the rarest
    share the last column.
    """
    if not events:
        return
    drawn = Ladder(_columns(events, hosts, _most_columns(width)), width=width)
    yield drawn.heading()
    for event in events:
        yield drawn.line(event)


def _most_columns(width: int) -> int:
    return (width - TIME - 2 * MARGIN) // NARROWEST + 1


def _columns(events: Sequence[Crossing], hosts: Sequence[str], most: int) -> list[str]:
    seen = Counter(dict.fromkeys(hosts, len(events)))
    for event in events:
        seen.update([event.source, event.destination])
    if len(seen) <= most:
        return list(seen)
    kept = {name for name, _ in seen.most_common(most - 1)}
    return [*[name for name in seen if name in kept], OTHERS]


def _draw(line: list[str], start: int, stop: int, packet: Packet) -> None:
    words, size = _words(packet), _size(packet)
    if start == stop:
        text = words + size
        line[start] = "*"
        line[start + 2 : start + 2 + len(text)] = text
        return
    left, right = min(start, stop) + 1, max(start, stop)
    room = right - left - 6 - len(size)
    text = (words if len(words) <= room else f"{words[: room - 2]}..") + size
    shaft = f"- {text} -".center(right - left - 2, "-")
    line[left:right] = f"-{shaft}>" if start < stop else f"<{shaft}-"


def label(packet: Packet) -> str:
    """The innermost header that is not quoted, in its own words, and how much it carries."""
    return _words(packet) + _size(packet)


def _words(packet: Packet) -> str:
    words = ""
    for header in headers(packet):
        words = header.describe()
    return words


def _size(packet: Packet) -> str:
    return f", {len(packet.payload)} bytes" if packet.payload else ""
