"""A seeded mutator: what comes out depends on the seed and on what went in, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

__all__ = ["mutated"]

HOW_MANY = (1, 1, 1, 2, 3, 6)
"""How many changes one mutation makes: mostly few, since what is changed a lot is not read any deeper."""

LONGEST_RANGE = 256
"""How many bytes are inserted, deleted, repeated or exchanged at once at the most, mostly far fewer."""

INTERESTING = (0, 1, 2, 3, 4, 5, 7, 8, 16, 20, 28, 40, 41, 60, 64, 127, 128, 255, 256, 1500, 4095, 4096, 32767)
INTERESTING += (32768, 65534, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
"""Numbers at which lengths, counts and types go wrong."""

Change = Callable[[bytearray, bytes, Random], None]


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """`data` with one or several changes, some of which take parts of `other`."""
    changed = bytearray(data)
    for _ in range(random.choice(HOW_MANY)):
        random.choice(CHANGES)(changed, other, random)
    return bytes(changed)


def _place(data: bytearray, random: Random) -> int:
    """An offset, near the start as often as anywhere: that is where headers are."""
    return random.randrange(min(len(data), random.choice((48, 128, len(data)))) + 1)


def _range(data: bytearray, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, min(start + random.choice((1, 2, 4, 8, random.randint(1, LONGEST_RANGE))), len(data))


def flip_bit(data: bytearray, other: bytes, random: Random) -> None:
    at = _place(data, random)
    data[at : at + 1] = bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1])


def set_byte(data: bytearray, other: bytes, random: Random) -> None:
    at = _place(data, random)
    if at < len(data):
        data[at] = random.randrange(256)


def set_number(data: bytearray, other: bytes, random: Random) -> None:
    """An interesting number of 1, 2 or 4 bytes in either order, or the one that is there, give or take one."""
    size, order = random.choice((1, 2, 4)), random.choice(("big", "little"))
    at = _place(data, random)
    if at + size <= len(data):
        there = int.from_bytes(data[at : at + size], order)
        number = random.choice((*INTERESTING, there + 1, there - 1, len(data), len(data) - at))
        data[at : at + size] = (number % (1 << 8 * size)).to_bytes(size, order)


def insert(data: bytearray, other: bytes, random: Random) -> None:
    at, count = _place(data, random), random.choice((1, 2, 4, random.randint(1, LONGEST_RANGE)))
    data[at:at] = random.choice((bytes(count), b"\xff" * count, random.randbytes(count)))


def delete(data: bytearray, other: bytes, random: Random) -> None:
    start, stop = _range(data, random)
    del data[start:stop]


def repeat(data: bytearray, other: bytes, random: Random) -> None:
    """A range again, behind itself or elsewhere, up to a few dozen times: headers in headers, lists of options."""
    start, stop = _range(data, random)
    at = random.choice((stop, _place(data, random)))
    data[at:at] = data[start:stop] * random.choice((1, 1, 2, 40))


def exchange(data: bytearray, other: bytes, random: Random) -> None:
    """Two ranges in each other's place."""
    start, stop, last, end = sorted((*_range(data, random), *_range(data, random)))
    data[start:end] = data[last:end] + data[stop:last] + data[start:stop]


def truncate(data: bytearray, other: bytes, random: Random) -> None:
    del data[random.randrange(len(data) + 1) :]


def splice(data: bytearray, other: bytes, random: Random) -> None:
    """From some place on, the rest of the other one."""
    data[_place(data, random) :] = other[random.randrange(len(other) + 1) :]


def take_over(data: bytearray, other: bytes, random: Random) -> None:
    """A range of the other one, over what is there."""
    start, stop = _range(bytearray(other), random)
    at = _place(data, random)
    data[at : at + stop - start] = other[start:stop]


CHANGES: tuple[Change, ...] = (
    flip_bit,
    set_byte,
    set_number,
    set_number,
    set_number,
    insert,
    delete,
    repeat,
    exchange,
    truncate,
    splice,
    take_over,
)
