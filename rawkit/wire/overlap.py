"""The bytes of a datagram as its fragments bring them, and what becomes of those that come twice.

Systems have never agreed on that, which is how attacks pass a filter that reassembles otherwise than its host
does (Ptacek and Newsham, "Insertion, Evasion, and Denial of Service", 1998). The policies that favour one of two
fragments are those of J. Novak, "Target-Based Fragmentation Reassembly" (2005).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from enum import Enum
from operator import attrgetter
from typing import Final, NamedTuple

__all__ = ["Outcome", "Overlap", "Piece", "Pieces"]


class Overlap(Enum):
    """What to do when a fragment brings bytes that are there already."""

    LINUX = "linux"
    """Linux since 4.19, IPv4 and IPv6: a fragment within others that came in order counts as a duplicate and is
    ignored, whatever its bytes; any other overlap discards the datagram (`inet_frag_queue_insert`)."""
    DISCARD = "discard"
    """RFC 8200, section 4.5, and RFC 5722: an exact duplicate is ignored, any overlap discards the datagram."""
    FIRST = "first"
    """What came first stays: Mac OS, HP-UX 11."""
    LAST = "last"
    """What comes last counts: Cisco IOS."""
    BSD = "bsd"
    """What is there stays where its fragment begins at the same offset or before: FreeBSD, AIX, IRIX."""
    BSD_RIGHT = "bsd-right"
    """The reverse of `BSD`: HP JetDirect."""
    LINUX_2 = "linux-2"
    """What is there stays where its fragment begins before: Linux 2, OpenBSD."""
    WINDOWS = "windows"
    """What came first stays, unless the new fragment reaches beyond the old one on both sides."""
    SOLARIS = "solaris"
    """What came first stays, unless the new fragment begins before the old one and ends with it or behind."""


class Outcome(Enum):
    """What became of a fragment."""

    ADDED = "added"
    DUPLICATE = "duplicate"
    """Nothing was added."""
    RESOLVED = "resolved"
    """It overlaps others, and the policy chose among the bytes."""
    REFUSED = "refused"
    """It overlaps others, for which the policy discards the datagram."""


class Piece(NamedTuple):
    """Bytes `start` up to `stop` of a datagram, from fragment `number`, which had bytes `begin` up to `end`.

    `run` is where the bytes start that came in order, fragment by fragment, up to this piece.
    """

    start: int
    stop: int
    data: bytes
    number: int
    begin: int
    end: int
    run: int

    def part(self, start: int, stop: int) -> Piece:
        """Some of its bytes."""
        if (start, stop) == (self.start, self.stop):
            return self
        data = self.data[start - self.start : stop - self.start]
        return self._replace(start=start, stop=stop, data=data)


STAYS: Final[dict[Overlap, Callable[[Piece, Piece], bool]]] = {
    Overlap.FIRST: lambda old, new: True,
    Overlap.LAST: lambda old, new: False,
    Overlap.BSD: lambda old, new: old.begin <= new.begin,
    Overlap.BSD_RIGHT: lambda old, new: old.begin > new.begin,
    Overlap.LINUX_2: lambda old, new: old.begin < new.begin,
    Overlap.WINDOWS: lambda old, new: not (new.begin < old.begin and new.end > old.end),
    Overlap.SOLARIS: lambda old, new: not (new.begin < old.begin and new.end >= old.end),
}
"""Whether the old bytes stay, for each policy that chooses."""

_start, _stop = attrgetter("start"), attrgetter("stop")


class Pieces:
    """The bytes that are there, as pieces in order that do not overlap; found by bisection."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self.size = 0
        """Bytes that are there."""

    def __len__(self) -> int:
        return len(self._pieces)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self._pieces)

    def add(self, start: int, data: bytes, number: int, policy: Overlap) -> Outcome:
        """Add what fragment `number` brings, at least one byte, as `policy` says."""
        pieces, stop = self._pieces, start + len(data)
        first = bisect_right(pieces, start, key=_stop)
        last = bisect_left(pieces, stop, lo=first, key=_start)
        old = pieces[first:last]
        if not old:
            in_order = bool(pieces) and pieces[-1].stop == start
            run = pieces[-1].run if in_order else start
            pieces.insert(first, Piece(start, stop, data, number, start, stop, run))
            self.size += len(data)
            return Outcome.ADDED
        if policy is Overlap.LINUX:
            within = old[0].start <= start and stop <= old[-1].stop and old[0].run == old[-1].run
            return Outcome.DUPLICATE if within else Outcome.REFUSED
        if len(old) == 1 and old[0][:3] == (start, stop, data):
            return Outcome.DUPLICATE
        if policy is Overlap.DISCARD:
            return Outcome.REFUSED
        pieces[first:last] = _resolved(old, Piece(start, stop, data, number, start, stop, start), STAYS[policy])
        self.size += max(stop, old[-1].stop) - min(start, old[0].start) - sum(len(piece.data) for piece in old)
        return Outcome.RESOLVED

    def holes(self, end: int | None) -> Iterator[tuple[int, int | None]]:
        """The bytes that are missing, as (start, stop); `end` is where the datagram ends, None if not known."""
        at = 0
        for piece in self._pieces:
            if piece.start > at:
                yield at, piece.start
            at = piece.stop
        if at != end:
            yield at, end

    def joined(self) -> bytes:
        """All bytes, one piece after the other."""
        return b"".join([piece.data for piece in self._pieces])


def _resolved(old: list[Piece], new: Piece, stays: Callable[[Piece, Piece], bool]) -> Iterator[Piece]:
    """The old pieces, all of which the new one touches, and the new one, each where the policy favours it."""
    at = new.start
    for piece in old:
        left, right = max(piece.start, new.start), min(piece.stop, new.stop)
        if at < left:
            yield new.part(at, left)
        if stays(piece, new):
            yield piece
        else:
            if piece.start < left:
                yield piece.part(piece.start, left)
            yield new.part(left, right)
            if right < piece.stop:
                yield piece.part(right, piece.stop)
        at = right
    if at < new.stop:
        yield new.part(at, new.stop)
