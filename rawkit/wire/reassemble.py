"""Putting fragments together (RFC 791, section 3.2; RFC 8200, section 4.5).

Where the RFCs leave a choice it is made as Linux makes it (net/ipv4/ip_fragment.c, net/ipv6/reassembly.c and
net/ipv4/inet_fragment.c); the one that matters most, overlapping fragments, is a parameter.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from enum import Enum
from itertools import islice
from typing import Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.layout import AUTO, NextProtocol, field_ruled_by
from rawkit.wire.ip import IP
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.link_type import LinkType
from rawkit.wire.overlap import Outcome, Overlap, Pieces
from rawkit.wire.packet import Header, Packet
from rawkit.wire.slices import (
    ECN_VALUES,
    EXTENSIONS,
    UNIT,
    Datagram,
    Parts,
    Slice,
    length_of,
    read_again,
    size_of,
    slice_of,
    with_lengths,
)

__all__ = ["Datagram", "FailedDatagram", "Failure", "Notice", "Reassembled", "Reassembler"]

LONGEST: Final = 65_535
"""The most that IPv4's total length and IPv6's payload length can say."""

SHORTEST_IPV4_HEADER: Final = 20

NOT_CAPABLE, CONGESTION = 0, 3
"""Not-ECT and CE of the ECN field (RFC 3168, section 5)."""

PIECE_COST, HEADER_COST, SET_COST = 400, 100, 4000
"""What it takes to keep a piece, a byte of the first fragment's headers (options of two bytes are objects), and a
set of fragments, beside the bytes of the datagram; not less than what Python uses."""

MOST_HOLES, MOST_NUMBERS = 8, 32
"""What is kept of a datagram that was given up, at most."""


class Failure(Enum):
    """Why a datagram was not put together; the value says it in words."""

    TIMEOUT = "not complete in time"
    INCOMPLETE = "not complete when no more came"
    EVICTED = "made room for newer ones"
    OVERLAP = "fragments overlap"
    INCONSISTENT_END = "fragments disagree about where it ends"
    TOO_LONG = "longer than an IP packet can be (ping of death)"
    EMPTY = "a fragment without data"
    ECN = "fragments with and without ECN (RFC 3168, section 5.3)"


class Notice(Enum):
    """What is odd about fragments, but no reason to give up; the value says it in words."""

    DUPLICATE = "a duplicate was ignored"
    OVERLAP = "fragments overlap"
    TINY = "the first fragment ends within the headers (RFC 1858, RFC 7112)"
    TRIMMED = "a fragment that is not the last was no multiple of 8 bytes long, and was cut to one"
    NOT_MULTIPLE_OF_8 = "a fragment that is not the last was no multiple of 8 bytes long, and was ignored"
    TOO_LONG = "a fragment reached beyond what an IP packet can hold, and was ignored"
    CUT = "a fragment was shorter or longer than its header says, and was ignored"


class Reassembled(NamedTuple):
    """A datagram that is complete."""

    packet: Packet
    """What stood before IP in the first fragment, the IP packet with its lengths and checksum as of the whole, and
    what is in it, as `dissect` reads it, with its Problems."""
    datagram: Datagram
    numbers: tuple[int, ...]
    """The fragments that its bytes are from, by the numbers they were pushed with, sorted."""
    upper: int
    """How many layers of `packet` stood in each fragment: behind them is what was put together."""
    notices: tuple[Notice, ...]
    first_ns: int
    """When its first fragment came."""


class FailedDatagram(NamedTuple):
    """A datagram that was given up."""

    datagram: Datagram
    failure: Failure
    fragments: int
    """How many fragments it has bytes from."""
    numbers: tuple[int, ...]
    """Those by the numbers they were pushed with, sorted; at most the first 32."""
    received: int
    """How many bytes were there, without headers."""
    missing: tuple[tuple[int, int | None], ...]
    """Which were not, as (start, stop); stop is None where nobody knows. At most the first eight holes."""
    notices: tuple[Notice, ...]
    first_ns: int
    """When its first fragment came."""

    def __str__(self) -> str:
        """Why it failed, and what is missing where that is why."""
        words = [self.failure.value]
        if self.failure in (Failure.TIMEOUT, Failure.INCOMPLETE, Failure.EVICTED):
            holes = [f"{start} to {'its end' if stop is None else stop}" for start, stop in self.missing]
            start = "the first fragment is missing, " if self.missing and self.missing[0][0] == 0 else ""
            words.append(f"{start}bytes {', '.join(holes)} are not there" if holes else "all bytes are there")
        words += [notice.value for notice in self.notices]
        return f"{self.datagram}: {'; '.join(words)}"


class Reassembler:
    """Puts fragments of IPv4 and IPv6 together: `push` each packet as it comes, and say when that was.

    Fragments belong together by source, destination and identification, in IPv4 also by protocol, and whatever
    link, VLAN or tunnel they came by. Of a tunnel, the outermost header that is a fragment counts; what is put
    together may itself be, or hold, a fragment: push it again. Checksums are not looked at: leave out what
    `packet.problems` disqualifies.

    - `overlap` says whose bytes count where fragments overlap, by default as Linux does, in IPv4 and IPv6.
    - A datagram that is not complete after `ipv4_timeout_ns` or `ipv6_timeout_ns` since its first fragment came is
      given up (Linux: 30 s and 60 s, as here).
    - At most `max_bytes` of memory are used (Linux: 4 MiB, as here), and at most `max_datagrams` are under way;
      for a newer one the oldest makes room.

    Each that is given up is told with its reason by `take_failures`; `failed` counts all by reason. A first
    fragment without all headers is taken and told (`Notice.TINY`), where Linux refuses it in IPv6.

    Raises FieldError for limits below 1.
    """

    def __init__(
        self,
        *,
        overlap: Overlap = Overlap.LINUX,
        ipv4_timeout_ns: int = 30_000_000_000,
        ipv6_timeout_ns: int = 60_000_000_000,
        max_bytes: int = 4_194_304,
        max_datagrams: int = 4096,
    ) -> None:
        for name, value in (("max_bytes", max_bytes), ("max_datagrams", max_datagrams)):
            if value < 1:
                raise FieldError("Reassembler", name, value, "at least 1")
        self.overlap = overlap
        self.max_bytes, self.max_datagrams = max_bytes, max_datagrams
        self.used_bytes = 0
        """Memory that the datagrams under way are taken to use: their bytes, and what it takes to keep them."""
        self.failed: Counter[Failure] = Counter()
        self._failures: deque[FailedDatagram] = deque(maxlen=2 * max_datagrams)
        # By IP version, since each has its own timeout; the oldest stands first.
        self._sets: dict[int, OrderedDict[Datagram, _FragmentSet]] = {4: OrderedDict(), 6: OrderedDict()}
        self._timeouts = {4: ipv4_timeout_ns, 6: ipv6_timeout_ns}
        self._pushed = self._begun = 0

    def __len__(self) -> int:
        """How many datagrams are under way."""
        return sum(map(len, self._sets.values()))

    def push(self, packet: Packet, time_ns: int = 0, number: int | None = None) -> Reassembled | None:
        """Take a packet that came at `time_ns`; the datagram, if this was the last fragment that it lacked.

        None for a packet that is no fragment, too: nothing becomes of it. An atomic fragment, the only one of its
        datagram (RFC 6946), is complete at once. `number` is what the fragment is called in the results, by
        default how many were pushed.
        """
        self._pushed += 1
        self.expire(time_ns)
        part = slice_of(packet)
        if part is None:
            return None
        number = self._pushed if number is None else number
        if part.parts.marker is not None and not part.start and not part.more:
            return _complete(part, part.parts.body, (number,), (), time_ns, len(part.parts.body))
        version = 4 if part.parts.marker is None else 6
        under_way = self._sets[version]
        fragments = under_way.get(part.datagram)
        if fragments is not None and time_ns - fragments.first_ns >= self._timeouts[version]:
            self._give_up(version, part.datagram, Failure.TIMEOUT)  # times ran backwards, so it is not the oldest
            fragments = None
        if fragments is None:
            self._begun += 1
            fragments = under_way[part.datagram] = _FragmentSet(part, time_ns, self._begun)
            self.used_bytes += SET_COST
        used = fragments.cost
        failure = fragments.add(part, number, self.overlap)
        self.used_bytes += fragments.cost - used
        if failure is not None:
            self._give_up(version, part.datagram, failure)
        elif fragments.complete:
            self._forget(version, part.datagram)
            return fragments.whole()
        else:
            self._make_room()
        return None

    def expire(self, time_ns: int) -> None:
        """Give up what is not complete in time, `time_ns` being now. `push` does this first."""
        for version, under_way in self._sets.items():
            while under_way:
                datagram, oldest = next(iter(under_way.items()))
                if time_ns - oldest.first_ns < self._timeouts[version]:
                    break
                self._give_up(version, datagram, Failure.TIMEOUT)

    def finish(self) -> None:
        """Give up all that is under way: no more will come."""
        for version, under_way in self._sets.items():
            for datagram in [*under_way]:
                self._give_up(version, datagram, Failure.INCOMPLETE)

    def take_failures(self) -> tuple[FailedDatagram, ...]:
        """The datagrams that were given up since this was last asked for, in the order in which they were.

        Whoever asks after each `push` and after `finish` gets them all; of others, the last twice `max_datagrams`
        are kept.
        """
        failures = tuple(self._failures)
        self._failures.clear()
        return failures

    def _make_room(self) -> None:
        while self.used_bytes > self.max_bytes or len(self) > self.max_datagrams:
            oldest = [(next(iter(sets.values())).begun, version) for version, sets in self._sets.items() if sets]
            version = min(oldest)[1]
            self._give_up(version, next(iter(self._sets[version])), Failure.EVICTED)

    def _give_up(self, version: int, datagram: Datagram, failure: Failure) -> None:
        fragments = self._forget(version, datagram)
        self.failed[failure] += 1
        self._failures.append(fragments.given_up(failure))

    def _forget(self, version: int, datagram: Datagram) -> _FragmentSet:
        fragments = self._sets[version].pop(datagram)
        self.used_bytes -= SET_COST + fragments.cost
        return fragments


class _FragmentSet:
    """The fragments of one datagram so far. `end` is the highest byte seen, `ended` whether it is the last."""

    __slots__ = (
        "_head",
        "_head_cost",
        "_notices",
        "_pieces",
        "begun",
        "complete",
        "cost",
        "datagram",
        "ecn",
        "end",
        "ended",
        "first_ns",
    )

    def __init__(self, part: Slice, first_ns: int, begun: int) -> None:
        self.datagram, self.first_ns, self.begun = part.datagram, first_ns, begun
        self.complete, self.ended, self.end, self.cost = False, False, 0, 0
        self.ecn: set[int] = set()
        self._pieces = Pieces()
        self._head: Slice | None = None
        self._head_cost = 0
        self._notices: dict[Notice, None] = {}

    def add(self, part: Slice, number: int, overlap: Overlap) -> Failure | None:
        """Take one more fragment; why the datagram is to be given up, if it is."""
        data = self._checked(part)
        if data is None:
            return None
        start, stop = part.start, part.start + len(data)
        if self.ended and (stop > self.end or (not part.more and stop != self.end)):
            return Failure.INCONSISTENT_END
        if not part.more and stop < self.end:
            return Failure.INCONSISTENT_END
        self.end, self.ended = max(self.end, stop), self.ended or not part.more
        if not data:
            return Failure.EMPTY
        if part.parts.marker is None and stop + SHORTEST_IPV4_HEADER > LONGEST:
            return Failure.TOO_LONG
        outcome = self._pieces.add(start, data, number, overlap)
        if outcome is Outcome.REFUSED:
            return Failure.OVERLAP
        if outcome is Outcome.DUPLICATE:
            self._notices[Notice.DUPLICATE] = None
            return None
        if outcome is Outcome.RESOLVED:
            self._notices[Notice.OVERLAP] = None
        self.ecn.add(part.ecn)
        if start == 0 and (self._head is None or next(iter(self._pieces)).number == number):
            self._keep_head(part)
        self.cost = self._head_cost + self._pieces.size + PIECE_COST * len(self._pieces)
        self.complete = self.ended and self._pieces.size == self.end
        return self._flaw() if self.complete else None

    def whole(self) -> Reassembled:
        """The datagram, which is complete."""
        assert self._head is not None
        head = _with_ecn(self._head) if CONGESTION in self.ecn else self._head
        first = next(iter(self._pieces))
        return _complete(head, self._pieces.joined(), self._numbers(), self._notices, self.first_ns, first.end)

    def given_up(self, failure: Failure) -> FailedDatagram:
        """What there is to tell of a datagram that was given up."""
        holes = tuple(islice(self._pieces.holes(self.end if self.ended else None), MOST_HOLES))
        numbers, size = self._numbers(), self._pieces.size
        told = tuple(self._notices), self.first_ns
        return FailedDatagram(self.datagram, failure, len(numbers), numbers[:MOST_NUMBERS], size, holes, *told)

    def _numbers(self) -> tuple[int, ...]:
        return tuple(sorted({piece.number for piece in self._pieces}))

    def _flaw(self) -> Failure | None:
        """Why a datagram that has all its bytes is none."""
        assert self._head is not None
        if NOT_CAPABLE in self.ecn and len(self.ecn) > 1:
            return Failure.ECN
        return Failure.TOO_LONG if length_of(self._head.parts) + self.end > LONGEST else None

    def _keep_head(self, part: Slice) -> None:
        self._head = part._replace(parts=part.parts._replace(body=b""))
        self._head_cost = HEADER_COST * size_of((*part.parts.before, *part.parts.head))

    def _checked(self, part: Slice) -> bytes | None:
        """The data of a fragment; None if it is to be ignored."""
        data: bytes | None = part.parts.body
        stop, is_ipv6 = part.start + len(part.parts.body), part.parts.marker is not None
        notice: Notice | None = None
        if part.says != len(part.parts.body):
            notice, data = Notice.CUT, None
        elif is_ipv6 and length_of(part.parts) + stop > LONGEST:
            notice, data = Notice.TOO_LONG, None
        elif part.more and stop % UNIT and is_ipv6:
            notice, data = Notice.NOT_MULTIPLE_OF_8, None
        elif part.more and stop % UNIT:
            notice, data = Notice.TRIMMED, part.parts.body[: -(stop % UNIT)]
        if notice is not None:
            self._notices[notice] = None
        return data


def _with_ecn(part: Slice) -> Slice:
    """The first fragment as if it had met congestion (RFC 3168, section 5.3: one that did speaks for all)."""
    header, *others = part.parts.head
    if isinstance(header, IPv4):
        header = header.replace(ecn=CONGESTION)
    elif isinstance(header, IPv6):
        header = header.replace(traffic_class=header.traffic_class // ECN_VALUES * ECN_VALUES + CONGESTION)
    return part._replace(parts=part.parts._replace(head=(header, *others)))


def _complete(
    first: Slice, body: bytes, numbers: tuple[int, ...], notices: Iterable[Notice], first_ns: int, first_end: int
) -> Reassembled:
    """The datagram with that `body`, of which its first fragment, `first`, had the first `first_end` bytes."""
    packet, upper = _read(first, _whole_head(first.parts), body)
    if _headers_end(packet, upper) > first_end:
        notices = (*notices, Notice.TINY)
    return Reassembled(packet, first.datagram, numbers, upper, tuple(notices), first_ns)


def _whole_head(parts: Parts) -> tuple[Header, ...]:
    """The headers of the whole: not those of a fragment any more, their lengths and checksum AUTO."""
    header, *others = parts.head
    if parts.marker is None:
        fields = {"more_fragments": False, "fragment_offset": 0, "total_length": AUTO, "checksum": AUTO}
        return (header.replace(**fields),)
    *outer, last = header.replace(payload_length=AUTO), *others
    field = field_ruled_by(type(last), NextProtocol)
    assert field is not None
    return *outer, last.replace(**{field.name: parts.marker.next_header})


def _read(first: Slice, head: tuple[Header, ...], body: bytes) -> tuple[Packet, int]:
    """The packet, and how many layers of it are not the body.

    Where the link layer cannot hold so much (IEEE 802.3), or is a tunnel, the packet begins with IP.
    """
    before = with_lengths(first.parts.before)
    if first.link_type is not None:
        try:
            packet = read_again(Packet((*before, *head), body), first.link_type)
        except FieldError:
            packet = Packet()
        if packet.layers[len(before) : len(before) + 1] and isinstance(packet.layers[len(before)], IP):
            return packet, len(before) + len(head)
    link_type = LinkType.IPV4 if first.parts.marker is None else LinkType.IPV6
    return read_again(Packet(head, body), link_type), len(head)


def _headers_end(packet: Packet, upper: int) -> int:
    """Where the transport's header ends in the body, which is what follows layer number `upper` - 1."""
    bounds = packet.bounds()
    for layer, (_, stop) in [*zip(packet.layers, bounds, strict=True)][upper:]:
        if not isinstance(layer, EXTENSIONS):
            return stop - bounds[upper - 1][1]
    return 0
