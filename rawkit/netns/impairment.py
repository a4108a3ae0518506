"""What a link does to frames: by chance, the same for everyone with the same seed, or to exactly those named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from random import Random
from typing import Any, Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.pcap.filter import compile_filter
from rawkit.wire import LinkType

__all__ = ["Fate", "Hold", "Impairment", "Instruction", "Nth", "Swap", "hold", "nth", "swap"]

LONGEST: Final = 10.0
"""Seconds that a frame can be held back at the most."""

QUEUE: Final = 1000
"""Frames that may wait in each direction; more are dropped, as netem's default limit has it (tc-netem(8))."""


class Nth(NamedTuple):
    """The frames of these numbers, from 1, among those that `where` matches; made by `nth`."""

    numbers: tuple[int, ...]
    where: str | None
    sent_by: str | None


class Swap(NamedTuple):
    """Two frames trade places; made by `swap`."""

    numbers: tuple[int, int]
    where: str | None
    sent_by: str | None


class Hold(NamedTuple):
    """A frame waits so many milliseconds while others pass; made by `hold`."""

    number: int
    for_ms: float
    where: str | None
    sent_by: str | None

    @property
    def numbers(self) -> tuple[int, ...]:
        """Its number, as `Nth` and `Swap` have theirs."""
        return (self.number,)


Instruction = Nth | Swap | Hold


def nth(*numbers: int, where: str | None = None, sent_by: str | None = None) -> Nth:
    """The frames of these numbers, from 1: `drop=nth(3, where="tcp and dst port 80")`.

    They are counted among those that cross the link, or only those that `where` (a filter in tcpdump's language)
    matches and that the node of that name sends. Frames that ask for link addresses (ARP, IPv6 neighbour
    discovery) are counted only where the filter names them, since when they are asked is nobody's choice.
    """
    return Nth(numbers, where, sent_by)


def swap(first: int, second: int, *, where: str | None = None, sent_by: str | None = None) -> Swap:
    """Have two frames, counted as by `nth`, trade places. Those between them stay, and wait for the second.

    If the second has not come within a second, all go on as they came.
    """
    return Swap((first, second), where, sent_by)


def hold(number: int, *, for_ms: float, where: str | None = None, sent_by: str | None = None) -> Hold:
    """Hold a frame, counted as by `nth`, back for so many milliseconds, in which others pass it."""
    return Hold(number, for_ms, where, sent_by)


class Fate(NamedTuple):
    """What chance decides about one frame."""

    lost: bool
    duplicated: bool
    reordered: bool
    """It skips the delay, and so overtakes those before it (tc-netem(8))."""
    corrupted_bit: int | None
    """Which bit is turned, from the first of the frame."""
    delay: float
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What a link does to what crosses it, in either direction. Shares are from 0 to 1, as of tc-netem(8).

    Chance is a function of `seed`, the direction, the frame's EtherType and its number among those: it is the same
    for everybody, whenever the frames come. Those that ask for link addresses or report groups, when they please,
    are counted apart. Raises FieldError, and FilterError for a `where` that is no filter.
    """

    delay: float = 0.0
    """Seconds that every frame takes."""
    jitter: float = 0.0
    """Seconds by which `delay` varies either way, evenly; frames may so overtake each other."""
    loss: float = 0.0
    """Share of frames that are dropped."""
    reorder: float = 0.0
    """Share of frames that skip the delay, and so overtake those before them."""
    duplicate: float = 0.0
    """Share of frames that come twice."""
    corrupt: float = 0.0
    """Share of frames of which one bit is turned, anywhere behind the Ethernet header."""
    rate: float = 0.0
    """Bits per second in each direction; 0 for no limit. Up to 1000 frames wait, further ones are dropped."""
    drop: Nth | Sequence[Nth] = ()
    """Exactly these frames are dropped."""
    instructions: Swap | Hold | Sequence[Swap | Hold] = ()
    """Exactly these trade places, or wait. Of instructions that count alike, no two are about the same frames."""
    seed: int | str = 0

    def __post_init__(self) -> None:
        for name in ("delay", "jitter", "loss", "reorder", "duplicate", "corrupt", "rate"):
            if not isinstance(getattr(self, name), int | float):
                raise FieldError("Impairment", name, getattr(self, name), "a number")
        for name in ("loss", "reorder", "duplicate", "corrupt"):
            if not 0 <= getattr(self, name) <= 1:
                raise FieldError("Impairment", name, getattr(self, name), "a share from 0 to 1, such as 0.01")
        for name in ("delay", "jitter"):
            if not 0 <= getattr(self, name) <= LONGEST:
                raise FieldError("Impairment", name, getattr(self, name), f"0 to {LONGEST:g} seconds")
        if not 0 <= self.rate < float("inf"):
            raise FieldError("Impairment", "rate", self.rate, "bits per second, or 0 for no limit")
        if self.reorder and not self.delay:
            raise FieldError("Impairment", "reorder", self.reorder, "0 without a delay that frames can skip")
        for instruction in self.exactly:
            _check(instruction)
        for one, other in combinations(self.exactly, 2):
            if _overlap(one, other):
                raise FieldError("Impairment", "instructions", (one, other), "those about different frames")

    @property
    def exactly(self) -> tuple[Instruction, ...]:
        """All that is said of particular frames."""
        drops = _listed("drop", self.drop, Nth, "nth(...), or several of them")
        others = _listed(
            "instructions", self.instructions, (Swap, Hold), "swap(...), hold(...), or several of them"
        )
        return (*drops, *others)

    def longest(self, length: int) -> float:
        """Seconds that a frame may take, where frames have up to so many bytes."""
        held = max((order.for_ms / 1000 for order in self.exactly if isinstance(order, Hold)), default=0.0)
        queued = QUEUE * length * 8 / self.rate if self.rate else 0.0
        return self.delay + self.jitter + held + queued

    def is_nothing(self) -> bool:
        """Whether frames cross as on a plain link."""
        return all(getattr(self, field.name) == field.default for field in fields(self) if field.name != "seed")

    def fate(self, sender: str, stream: str, number: int, length: int) -> Fate:
        """What happens to frame `number` of those that `sender` sends in that stream, of `length` bytes."""
        if not (self.loss or self.duplicate or self.corrupt or self.reorder or self.jitter):
            return Fate(False, False, False, None, self.delay)
        chance = Random(f"{self.seed}/{sender}/{stream}/{number}")
        lost, duplicated, corrupted, reordered = (chance.random() for _ in range(4))
        bit = chance.randrange(_ETHERNET * 8, length * 8) if length > _ETHERNET else None
        delay = self.delay + (chance.uniform(-self.jitter, self.jitter) if self.jitter else 0)
        return Fate(
            lost < self.loss,
            duplicated < self.duplicate,
            reordered < self.reorder,
            bit if corrupted < self.corrupt else None,
            max(delay, 0),
        )


_ETHERNET = 14  # bytes of its header, which are left alone: else the frame would be for nobody


def _listed(name: str, given: Any, kinds: type | tuple[type, ...], expected: str) -> tuple[Instruction, ...]:
    """One instruction or several, as several."""
    several = (given,) if isinstance(given, Nth | Swap | Hold) else given
    if not isinstance(several, list | tuple) or any(not isinstance(each, kinds) for each in several):
        raise FieldError("Impairment", name, given, expected)
    return tuple(several)


def _overlap(one: Instruction, other: Instruction) -> bool:
    """Whether both are about one frame, or about one that waits for others; as far as they count alike."""
    if (one.where, one.sent_by) != (other.where, other.sent_by):
        return False
    if isinstance(one, Nth) and isinstance(other, Nth):
        return False  # a frame that is dropped twice is dropped
    return _concerns(one, other) or _concerns(other, one)


def _concerns(one: Instruction, other: Instruction) -> bool:
    """Whether one does something to a frame of the other; between two that trade places, one may be dropped."""
    if isinstance(one, Swap) and not isinstance(other, Nth):
        return any(one.numbers[0] <= number <= one.numbers[1] for number in other.numbers)
    return not {*one.numbers}.isdisjoint(other.numbers)


def _check(instruction: Instruction) -> None:
    name = type(instruction).__name__.lower()
    numbers = instruction.numbers
    if not numbers or any(not isinstance(number, int) or number < 1 for number in numbers):
        raise FieldError("Impairment", name, numbers, "numbers of frames, the first being 1")
    if isinstance(instruction, Swap) and numbers[0] >= numbers[1]:
        raise FieldError("Impairment", name, numbers, "two numbers, the smaller one first")
    if isinstance(instruction, Hold) and not isinstance(instruction.for_ms, int | float):
        raise FieldError("Impairment", "for_ms", instruction.for_ms, "a number of milliseconds")
    if isinstance(instruction, Hold) and not 0 < instruction.for_ms <= LONGEST * 1000:
        raise FieldError("Impairment", "for_ms", instruction.for_ms, f"up to {LONGEST * 1000:g} milliseconds")
    if instruction.where is not None:
        compile_filter(instruction.where, LinkType.ETHERNET)
