"""Questions about what crossed the wire, that explain their answers.

A question is built from conditions, each of which narrows the frames further:

    assert wire.tcp(flags="S").sent_by("a").once()
    wire.icmp(type=8).sent_by("you").ip(dst="10.0.1.2").payload(b"hello").saw()

Where the answer is no, the frame that fulfils the most conditions is named, with the first that it fails and the
bytes in question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from copy import copy
from enum import IntEnum, IntFlag
from functools import cached_property
from typing import Any, NamedTuple, Self

from rawkit.errors import FieldError, KernelError, LayerError
from rawkit.lab.finding import Finding
from rawkit.layout import FieldInfo, Severity
from rawkit.netns import Transit
from rawkit.pcap.filter import compile_filter
from rawkit.views.ladder import label
from rawkit.wire import ARP, TCP, UDP, Ethernet, Header, ICMPv4, ICMPv6, IPv4, IPv6, LinkType, Packet
from rawkit.wire.packet import name_of

__all__ = ["Seen", "Wire"]


class Seen:
    """A frame on a link, numbered, and dissected when it is first looked at."""

    def __init__(self, number: int, transit: Transit) -> None:
        self.number = number
        """From 1, over all links, in the order in which frames were sent."""
        self.transit = transit

    @cached_property
    def packet(self) -> Packet:
        """What the frame says."""
        return self.transit.frame.packet()

    def __repr__(self) -> str:
        return f"<frame {self.number}: {self.transit.sender} > {self.transit.receiver} {label(self.packet)}>"


class _Miss(NamedTuple):
    """Why a frame does not fulfil a condition, and how near it is."""

    seen: str
    start: int | None = None
    stop: int | None = None
    nearness: float = 0.0
    """From 0 to 1: the share of what the condition asks that is right."""


class _Condition(NamedTuple):
    words: str
    test: Callable[[Seen], _Miss | None]
    """None where it is fulfilled."""


class Wire:
    """Frames that crossed the links of a lab, and the conditions on them so far; a question ends with a verb.

    A frame that a switch or a router passes on is there once for each link that it crosses: `sent_by` and
    `received_by` say which one is meant. Frames that a link lost are there too, and `arrived` leaves them out.

    With `nodes` and `links`, the names of those that there are, a question about another one raises FieldError,
    as one does about a value that its field cannot have: else a slip of the pen would be a frame that never came.

    With `missing`, in words, there were other frames of which nothing is known. A question whose answer may depend
    on them raises KernelError with these words.
    """

    def __init__(
        self,
        transits: Iterable[Transit],
        *,
        nodes: Collection[str] = (),
        links: Collection[str] = (),
        missing: str = "",
    ) -> None:
        self._frames = tuple(Seen(number, transit) for number, transit in enumerate(transits, 1))
        self._conditions: tuple[_Condition, ...] = ()
        self._nodes, self._links = nodes, links
        self._missing = missing

    @property
    def links(self) -> Collection[str]:
        """The names of the links that there are; none where they were not told."""
        return self._links

    # ------------------------------------------------------------------ who and where

    def sent_by(self, node: str) -> Self:
        """Sent by that node: by a switch or router, if that passed it on."""
        _among(self._nodes, "node", node)
        return self._if(
            f"sent by {node}",
            lambda one: None if one.transit.sender == node else _Miss(f"sent by {one.transit.sender}"),
        )

    def received_by(self, node: str) -> Self:
        """On its way into that node."""
        _among(self._nodes, "node", node)
        return self._if(
            f"towards {node}",
            lambda one: None if one.transit.receiver == node else _Miss(f"it goes to {one.transit.receiver}"),
        )

    def on(self, link: str) -> Self:
        """On the link of that name, such as `a-b`."""
        _among(self._links, "link", link)
        return self._if(
            f"on {link}", lambda one: None if one.transit.link == link else _Miss(f"it is on {one.transit.link}")
        )

    def arrived(self) -> Self:
        """Not lost on an impaired link."""
        return self._if(
            "that arrived", lambda one: None if one.transit.arrived else _Miss(f"it was {one.transit.fate}")
        )

    def after(self, frame: Seen | None) -> Self:
        """Later than that frame; than none, if it is None."""
        return self._ordered("after", frame, lambda one, other: one > other)

    def before(self, frame: Seen | None) -> Self:
        """Earlier than that frame; than none, if it is None."""
        return self._ordered("before", frame, lambda one, other: one < other)

    # ------------------------------------------------------------------ what

    def has(self, header: type[Header], **fields: Any) -> Self:
        """With such a header, whose fields have these values: `has(TCP, dst_port=80, flags="S")`.

        Headers that an ICMP error quotes do not count. Raises FieldError for a field that the header does not
        have, and for a value that the field cannot have.
        """
        _check_fields(header, fields)
        wanted = _Wanted(header, fields)
        return self._if(_words_for(header, fields), lambda one: wanted.miss(one.packet, quoted=False))

    def quoting(self, header: type[Header], **fields: Any) -> Self:
        """With such a header in what an ICMP error quotes."""
        _check_fields(header, fields)
        words = f"quoting {_words_for(header, fields)}"
        wanted = _Wanted(header, fields)
        return self._if(words, lambda one: wanted.miss(one.packet, quoted=True))

    def ether(self, **fields: Any) -> Self:
        """With an Ethernet header with these fields."""
        return self.has(Ethernet, **fields)

    def arp(self, **fields: Any) -> Self:
        """ARP with these fields: `operation`, `sender_mac`, `sender_ip`, `target_mac`, `target_ip`."""
        return self.has(ARP, **fields)

    def ip(self, **fields: Any) -> Self:
        """With an IPv4 header with these fields."""
        return self.has(IPv4, **fields)

    def ip6(self, **fields: Any) -> Self:
        """With an IPv6 header with these fields."""
        return self.has(IPv6, **fields)

    def icmp(self, **fields: Any) -> Self:
        """With an ICMPv4 message with these fields, those of its kind included: `icmp(type=8, id=7)`."""
        return self.has(ICMPv4, **fields)

    def icmp6(self, **fields: Any) -> Self:
        """With an ICMPv6 message with these fields."""
        return self.has(ICMPv6, **fields)

    def tcp(self, **fields: Any) -> Self:
        """With a TCP segment with these fields; `flags="S"` are these and no others."""
        return self.has(TCP, **fields)

    def udp(self, **fields: Any) -> Self:
        """With a UDP datagram with these fields."""
        return self.has(UDP, **fields)

    def payload(self, data: bytes | str) -> Self:
        """Whose innermost header carries exactly these bytes."""
        wanted = data.encode() if isinstance(data, str) else data
        return self._if(f"carrying {_brief(wanted)}", lambda one: _compare(one.packet, wanted))

    def carrying(self, data: bytes | str) -> Self:
        """Whose innermost header carries these bytes, perhaps among others."""
        wanted = data.encode() if isinstance(data, str) else data

        def test(one: Seen) -> _Miss | None:
            found = one.packet.payload
            return None if wanted in found else _Miss(f"it carries {_brief(found)}", *_payload_of(one.packet))

        return self._if(f"carrying {_brief(wanted)} somewhere", test)

    def sound(self) -> Self:
        """With nothing wrong in it: lengths agree, checksums are right."""
        return self._if("without an error in it", lambda one: _problem_in(one.packet))

    def matching(self, filter: str) -> Self:
        """That a filter in tcpdump's language matches (pcap-filter(7)). Raises FilterError."""
        program = compile_filter(filter, LinkType.ETHERNET)

        def test(one: Seen) -> _Miss | None:
            frame = one.transit.frame
            return None if program.run(frame.data, frame.wire_length) else _Miss("it does not match")

        return self._if(f"matching {filter!r}", test)

    def where(self, words: str, holds: Callable[[Packet], bool]) -> Self:
        """Of which a function of the packet says yes; `words` say what it asks. A missing header is a no."""

        def test(one: Seen) -> _Miss | None:
            try:
                return None if holds(one.packet) else _Miss(f"it is not {words}")
            except LayerError as error:
                return _Miss(f"it has no {error.header}")

        return self._if(words, test)

    # ------------------------------------------------------------------ verbs

    def saw(self, header: type[Header] | None = None, **fields: Any) -> Finding:
        """Whether there was one at least; `saw(UDP, dst_port=9)` is short for `has(UDP, dst_port=9).saw()`."""
        return (self if header is None else self.has(header, **fields)).at_least(1)

    def once(self) -> Finding:
        """Whether there was exactly one."""
        return self.times(1)

    def never(self) -> Finding:
        """Whether there was none."""
        return self.times(0)

    def at_least(self, count: int) -> Finding:
        """Whether there were so many, or more."""
        found = self.all()
        if len(found) < count:
            self._check_complete()
        return self._finding(len(found) >= count, f"at least {count}", found)

    def at_most(self, count: int) -> Finding:
        """Whether there were no more than so many."""
        found = self.all()
        if len(found) <= count:
            self._check_complete()
        return self._finding(len(found) <= count, f"at most {count}", found)

    def times(self, count: int) -> Finding:
        """Whether there were exactly so many."""
        found = self.all()
        if len(found) <= count:
            self._check_complete()
        words = "none" if count == 0 else "exactly one" if count == 1 else f"exactly {count}"
        return self._finding(len(found) == count, words, found)

    def all(self) -> list[Seen]:
        """The frames that fulfil the conditions, in order."""
        return [one for one in self._frames if all(condition.test(one) is None for condition in self._conditions)]

    def first(self) -> Seen | None:
        """The first of them; None if there is none."""
        return next(iter(self), None)

    def last(self) -> Seen | None:
        """The last of them; None if there is none."""
        found = self.all()
        return found[-1] if found else None

    def frame(self, number: int) -> Seen:
        """The frame of that number, whatever the conditions. Raises FieldError if there is none."""
        if not 1 <= number <= len(self._frames):
            raise FieldError("Wire", "frame", number, f"1 to {len(self._frames)}")
        return self._frames[number - 1]

    def __iter__(self) -> Iterator[Seen]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __bool__(self) -> bool:
        raise TypeError("a Wire is a question that is not finished; end it with a verb such as .saw() or .once()")

    @property
    def words(self) -> str:
        """The conditions, in words."""
        return ", ".join(["a frame", *(condition.words for condition in self._conditions)])

    # ------------------------------------------------------------------ how

    def _if(self, words: str, test: Callable[[Seen], _Miss | None]) -> Self:
        narrowed = copy(self)
        narrowed._conditions = (*self._conditions, _Condition(words, test))
        return narrowed

    def _check_complete(self) -> None:
        """Raise KernelError where frames are missing: the answer may depend on them."""
        if self._missing:
            raise KernelError(0, f"say whether there was {self.words}", self._missing)

    def _ordered(self, words: str, frame: Seen | None, holds: Callable[[int, int], bool]) -> Self:
        if frame is None:
            return self._if(f"{words} another that is missing", lambda _: _Miss("that one never came"))
        number = frame.number
        return self._if(
            f"{words} frame {number}",
            lambda one: None if holds(one.number, number) else _Miss(f"it is not {words} frame {number}"),
        )

    def _finding(self, passed: bool, count: str, found: list[Seen]) -> Finding:
        expected = self.words if count == "at least 1" else f"{count} of: {self.words}"
        numbers = tuple(one.number for one in found)
        if passed:
            return Finding(True, expected, "there it is" if found else "there is none", numbers)
        if found:
            return Finding(False, expected, f"{len(found)} of them", numbers)
        nearest = self._nearest()
        if nearest is None:
            return Finding(False, expected, "none at all")
        one, miss = nearest
        return Finding(False, expected, miss.seen, (one.number,), miss.start, miss.stop)

    def _nearest(self) -> tuple[Seen, _Miss] | None:
        """The frame that fulfils the most conditions before it fails one, the latest of them; and why it fails."""
        best: tuple[float, float, Seen, _Miss] | None = None
        for one in self._frames:
            misses = (condition.test(one) for condition in self._conditions)
            failed, miss = next(((at, miss) for at, miss in enumerate(misses) if miss is not None), (0, None))
            if miss is None:
                continue
            depth = failed + miss.nearness
            if depth > 0 and (best is None or depth >= best[0]):
                rest = sum(1 if other is None else other.nearness for other in misses)
                if best is None or (depth, rest) >= best[:2]:
                    best = (depth, rest, one, miss)
        return None if best is None else best[2:]


def _among(names: Collection[str], what: str, name: str) -> None:
    if names and name not in names:
        raise FieldError("Wire", what, name, f"one of {', '.join(sorted(names))}")


def _check_fields(header: type[Header], fields: dict[str, Any]) -> None:
    own = [field for kind in (header, *_members(header)) for field in kind.fields()]
    for name, value in fields.items():
        having = [field for field in own if field.name == name]
        if not having:
            raise FieldError(header.__name__, name, value, f"a field of {header.__name__}")
        if not any(_can_be(field, value) for field in having):
            raise FieldError(header.__name__, name, value, having[0].kind.expected)


def _can_be(field: FieldInfo, value: Any) -> bool:
    try:
        field.kind.convert(value)
    except (ValueError, TypeError):
        return False
    return True


def _members(header: type[Header]) -> Iterator[type[Header]]:
    for kind in header.__subclasses__():
        yield kind
        yield from _members(kind)


def _words_for(header: type[Header], fields: dict[str, Any]) -> str:
    values = " ".join(
        f"{name}={value if isinstance(value, str) else _brief(value)}" for name, value in fields.items()
    )
    return f"{header.__name__} {values}".rstrip()


_NO_FIELD, _NO_VALUE = object(), object()
"""In place of a field that a header does not have, and of a value that a field cannot have."""


class _Wanted:
    """Wanted values of a header's fields, in any form that its constructor takes."""

    def __init__(self, header: type[Header], fields: dict[str, Any]) -> None:
        self._header, self._fields = header, fields
        self._converted: dict[tuple[type, str], Any] = {}

    def miss(self, packet: Packet, *, quoted: bool) -> _Miss | None:
        """None where a header of the packet, or of what it quotes, is of that class and has these values."""
        best: _Miss | None = None
        within = False
        for layer, (start, _) in zip(packet.layers, packet.bounds(), strict=True):
            if isinstance(layer, self._header) and within == quoted:
                miss = self._differs(layer, start)
                if miss is None:
                    return None
                best = miss if best is None or miss.nearness > best.nearness else best
            within = within or (isinstance(layer, Header) and layer.quotes())
        return best or _Miss(f"it is {' / '.join(name_of(layer) for layer in packet.layers) or 'no packet'}")

    def _differs(self, layer: Header, start: int) -> _Miss | None:
        """The first field that has another value, and where it stands."""
        wrong = [name for name in self._fields if self._as_field(layer, name) != getattr(layer, name, _NO_FIELD)]
        if not wrong:
            return None
        nearness = 0.5 + 0.5 * (1 - len(wrong) / len(self._fields))
        name = wrong[0]
        if not hasattr(layer, name):
            return _Miss(f"it is {layer.describe()}", nearness=nearness)
        spans = {span: (start * 8 + offset, bits) for span, offset, bits in layer.spans()}
        offset, bits = spans.get(name, (start * 8, 8))
        words = f"{name} is {_shown(getattr(layer, name))}"
        return _Miss(words, offset // 8, (offset + bits + 7) // 8, nearness)

    def _as_field(self, layer: Header, name: str) -> Any:
        """The value as a header of that class would have it; what nothing is equal to, if it cannot have it."""
        key = type(layer), name
        if key not in self._converted:
            try:
                self._converted[key] = getattr(layer.replace(**{name: self._fields[name]}), name)
            except FieldError:
                self._converted[key] = _NO_VALUE
        return self._converted[key]


def _compare(packet: Packet, wanted: bytes) -> _Miss | None:
    found = packet.payload
    if found == wanted:
        return None
    start, _ = _payload_of(packet)
    same = next(
        (at for at, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]),
        min(len(found), len(wanted)),
    )
    nearness = same / max(len(found), len(wanted))
    return _Miss(f"it carries {_brief(found)}", start + same, start + max(len(found), same + 1), nearness * 0.9)


def _payload_of(packet: Packet) -> tuple[int, int]:
    """Where the payload begins and ends."""
    start = packet.bounds()[-1][1] if packet.layers else 0
    return start, start + len(packet.payload)


def _problem_in(packet: Packet) -> _Miss | None:
    for problem in packet.problems:
        if problem.severity is Severity.ERROR:
            name = f"{problem.layer}.{problem.field}" if problem.field else problem.layer
            cause = f": {problem.causes[0]}" if problem.causes else ""
            return _Miss(f"{name}: {problem.message}{cause}", problem.start, problem.stop)
    return None


def _shown(value: Any) -> str:
    return str(value.name or int(value)) if isinstance(value, IntEnum | IntFlag) else _brief(value)


def _brief(value: Any) -> str:
    text = repr(value) if type(value) in (bytes, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
