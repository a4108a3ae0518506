"""Batches of mutations: made, decoded, and told about. What a batch does depends on its seed and numbers only."""

from __future__ import annotations

import gzip
import lzma
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from fuzz.decode import decode_file, decode_packet
from fuzz.mutate import mutated

from rawkit.errors import CaptureError
from rawkit.pcap import Record, open_capture
from rawkit.wire import LinkType
from rawkit.wire.spaces import LINK_LAYERS

__all__ = [
    "MOST_MEMORY",
    "Failure",
    "Outcome",
    "TooSlow",
    "decode_whole",
    "mutate_and_decode",
    "seeds",
    "time_limit",
]

PROJECT = Path(__file__).resolve().parents[2]
CORPUS = PROJECT.parent / "shared" / "corpus"
CAPTURES = PROJECT / "captures"

MOST_MEMORY = 100 * 1024 * 1024
"""Bytes that a process may come to take."""

MOST_SECONDS = 10
"""How long one mutation may take, on a machine that has other work too."""

FILE_EACH = 10
"""One mutation in so many is of a whole file, the others are of single packets."""

FILE_SIZE = 32 * 1024
"""How much of the beginning of a file is mutated; mutations of whole large ones would take all of the time."""

COMPRESSED = 1 / 8
"""Of how many of these files what is mutated in the end is compressed."""

PACKETS_EACH = 12
"""How many packets of each file are mutated on their own."""

READ = tuple(link_type for link_type in LinkType if LINK_LAYERS.header_of(link_type) is not None)
"""The link types that are read; a packet of another, which would be all payload, is read as one of these."""


class TooSlow(Exception):
    """A mutation took longer than it may."""


class Failure(NamedTuple):
    """A mutation on which something went wrong: its number, the file it was made of, and what happened."""

    number: int
    name: str
    trace: str
    data: bytes


class Outcome(NamedTuple):
    """What came of a batch: how many were decoded, the most memory that the process ever had, what failed."""

    count: int
    memory: int
    failures: list[Failure]


@contextmanager
def time_limit(seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Raise TooSlow within what takes longer."""

    def give_up(*_: object) -> None:
        raise TooSlow(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@cache
def seeds() -> tuple[Path, ...]:
    """The capture files that mutations are made of."""
    paths = [path for path in CORPUS.rglob("*") if path.suffix not in (".txt", ".md") and path.is_file()]
    return tuple(sorted([*paths, *CAPTURES.glob("*.pcapng")]))


@cache
def packets_of(path: Path) -> tuple[Record, ...]:
    """The first packets of a file; none, if it is damaged from the start."""
    records: list[Record] = []
    with suppress(CaptureError), open_capture(path) as capture:
        records.extend(islice(capture, PACKETS_EACH))
    return tuple(records)


def mutate_and_decode(seed: int, first: int, count: int) -> Outcome:
    """The mutations `first` to `first + count` of a seed."""
    failures = [
        failure for number in range(first, first + count) if (failure := attempt(seed, number)) is not None
    ]
    return Outcome(count, memory(), failures)


def attempt(seed: int, number: int) -> Failure | None:
    """One mutation, made from the seed and its number alone."""
    random = Random(f"{seed}/{number}")
    path, other = random.choice(seeds()), random.choice(seeds())
    if number % FILE_EACH == 0:
        data = mutated(beginning(path), beginning(other), random)
        if random.random() < COMPRESSED:
            data = mutated(random.choice((gzip.compress, partial(lzma.compress, preset=0)))(data), b"", random)
        return failing(number, path, data, lambda: decode_file(data))
    records, others = packets_of(path), packets_of(other)
    record = random.choice(records) if records else None
    frame, link_type = (record.data[:FILE_SIZE], record.link_type) if record else (b"", LinkType.ETHERNET)
    if random.random() < (1 / 16 if link_type in READ else 15 / 16):
        link_type = random.choice(READ)
    data = mutated(frame, random.choice(others).data[:FILE_SIZE] if others else b"", random)
    return failing(number, path, data, lambda: decode_packet(data, link_type, number))


def decode_whole(path: Path) -> Outcome:
    """A file as it is, every packet of it."""
    failure = failing(-1, path, b"", lambda: decode_file(path.read_bytes()))
    return Outcome(1, memory(), [failure] if failure else [])


def failing(number: int, path: Path, data: bytes, decode: Callable[[], object]) -> Failure | None:
    try:
        with time_limit():
            decode()
    except Exception:  # noqa: BLE001 - whatever was raised is what is looked for
        return Failure(number, path.name, traceback.format_exc(), data)
    return None


def beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_SIZE)


def memory() -> int:
    """The most that this process has ever had, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
