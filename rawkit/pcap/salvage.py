"""Going on behind damage: finding the next record or block of a capture file that proves itself.

Each byte is looked at a bounded number of times, so the time that it takes grows with the file and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

from rawkit.errors import CaptureError
from rawkit.pcap.block_types import ENHANCED, INTERFACE, KNOWN_TYPES
from rawkit.pcap.blocks import SECTION_MAGIC, SMALLEST, TAIL_SIZE, WORD_SIZE, Block, read_blocks
from rawkit.pcap.source import MAXIMUM_BLOCK, ByteOrder, Source
from rawkit.pcap.variants import FILE_HEADER, MAGICS, MAXIMUM_SNAPLEN, STANDARD, VERSIONS, FileHeader, Variant

__all__ = ["Damage", "OnDamage", "find_start", "is_file", "next_record", "salvaged_blocks"]


class Damage(NamedTuple):
    """Bytes of a capture file that hold nothing that can be read."""

    name: str
    """Of the file."""
    offset: int
    """Of the first of them, in bytes from the start of the file (as it is when decompressed)."""
    size: int
    """How many there are."""
    expected: str
    """What was expected where the damage was noticed, in words."""
    found: str

    def __str__(self) -> str:
        found = f"expected {self.expected}, found {self.found}"
        return f"{self.name}: skipped {self.size} bytes from byte {self.offset} on: {found}"


OnDamage = Callable[[Damage], None]
"""What is told of each damage."""

_PROOF = 3  # records in a row prove that the first is one, or fewer that end with the file
_LONGEST_PAUSE = 24 * 3600  # seconds between two records of a proof, at the most
_INTERFACE_SIZE, _ENHANCED_SIZE = 20, 32  # bytes of the shortest block
_LONGEST_GAP = 366 * 24 * 3600  # seconds between the last record before a damage and the first behind it

# A record header in little and big endian, by the bytes that tell most: a fraction below 2**30, a captured length
# that is not 0, and both lengths below 2**27.
_RECORD_PATTERNS: dict[ByteOrder, re.Pattern[bytes]] = {
    "<": re.compile(rb"(?s)(?=.{7}[\0-\x3b](?!\0\0\0\0).{3}[\0-\x07].{3}[\0-\x07])"),
    ">": re.compile(rb"(?s)(?=.{4}[\0-\x3b].{3}(?!\0\0\0\0)[\0-\x07].{3}[\0-\x07])"),
}


def next_record(source: Source, header: FileHeader, variant: Variant, limit: int, before: int | None) -> bool:
    """Move `position` on to the next record that proves itself; to the end and False if there is none.

    `limit` is the longest length, and `before` the second of the last record that was sound. (The fields of a
    record make sense four bytes off, too, until time and length on the wire are looked at.)

    Raises `FileError` and, where a compressed file is damaged, `CaptureError`.
    """

    def proves_itself() -> bool:
        return _is_record(source, header, variant, limit, before)

    return _search(source, _RECORD_PATTERNS[header.order], variant.size, proves_itself)


def _is_record(
    source: Source, header: FileHeader, variant: Variant, limit: int, before: int | None = None
) -> bool:
    """Whether the record at `position`, and those after it, make sense."""
    unpack = header.unpacker(variant)
    at, last, pause = 0, before, _LONGEST_GAP
    for count in range(_PROOF):
        if not source.ensure(at + variant.size):
            return count > 0 and source.available == at
        seconds, fraction, captured, wire_length = unpack(source.data, source.position + at)
        if fraction >= header.ticks or not 0 < captured <= wire_length <= limit:
            return False
        if last is not None and abs(seconds - last) > pause:
            return False
        at, last, pause = at + variant.size + captured, seconds, _LONGEST_PAUSE
    return source.ensure(at)


Start = ByteOrder | FileHeader | None
"""What was found behind a damaged beginning: blocks in a byte order, records of a file header, or a whole file."""


def find_start(source: Source) -> tuple[bool, Start]:
    """Move `position` to the first thing that proves itself, in a file that does not begin as it should.

    That is a section header, a file header, a block or a record, in either byte order; the latter two stand for
    themselves, and the file header that records would have is told, but for the link type. False at the end.
    """
    start: Start = None

    def proves_itself() -> bool:
        nonlocal start
        if is_file(source):
            return True
        for order in _ORDERS:
            if _BLOCK_PATTERNS[order].match(source.data, source.position) and _is_described(source, order):
                start = order
                return True
        for header in _STAND_INS:
            fits = _RECORD_PATTERNS[header.order].match(source.data, source.position)
            if fits and _is_record(source, header, STANDARD, MAXIMUM_SNAPLEN):
                start = header
                return True
        return False

    if source.ensure(STANDARD.size) and proves_itself():  # a file of which the header was cut off
        return True, start
    return _search(source, _START_PATTERN, STANDARD.size, proves_itself), start


def is_file(source: Source) -> bool:
    """Whether a section header, or the header of a classic file, stands at `position`."""
    if not source.ensure(SMALLEST):
        return False
    if source.data.startswith(SECTION_MAGIC, source.position):
        return _is_section(source)
    magic = MAGICS.get(source.data[source.position : source.position + WORD_SIZE])
    if magic is None or not source.ensure(Struct(FILE_HEADER).size):
        return False
    return Struct(magic.order + "HH").unpack_from(source.data, source.position + WORD_SIZE) in VERSIONS


def _is_described(source: Source, order: ByteOrder) -> bool:
    """Whether the interface block at `position`, or the packet in an enhanced one, makes sense in this order.

    Lengths alone do not tell: three bytes before a block, among zeros, they are the same in the other order.
    """
    if not _is_known_block(source, order):
        return False
    fields = Struct(order + "II").unpack_from(source.data, source.position)
    if fields[0] == INTERFACE and fields[1] >= _INTERFACE_SIZE:
        return Struct(order + "8x2xH").unpack_from(source.data, source.position) == (0,)  # reserved
    if fields[0] == ENHANCED and fields[1] >= _ENHANCED_SIZE:
        (captured,) = Struct(order + "20xI").unpack_from(source.data, source.position)
        return bool(captured <= fields[1] - _ENHANCED_SIZE)
    return fields[0] not in (INTERFACE, ENHANCED)


def _is_known_block(source: Source, order: ByteOrder) -> bool:
    lengths = Struct(order + "I")
    (length,) = lengths.unpack_from(source.data, source.position + WORD_SIZE)
    return _is_block(source, length, lengths)


def salvaged_blocks(source: Source, report: OnDamage, order: ByteOrder = "<") -> Iterator[Block]:
    """Every block that can be read, in the order of the file; `report` is told what lies between them.

    `order` is that of a section in whose midst `source` may stand.
    """
    while True:
        try:
            for block in read_blocks(source, order):
                order = block.order
                yield block
            return
        except CaptureError as error:
            start = source.offset
            found = _next_block(source, order)
            report(Damage(source.name, start, source.offset - start, error.expected, error.found))
            if not found:
                return


def _next_block(source: Source, order: ByteOrder) -> bool:
    """Move `position` to the next block that proves itself: of a known type, its length the same at both ends."""

    def proves_itself() -> bool:
        if not source.ensure(SMALLEST):
            return False
        if source.data.startswith(SECTION_MAGIC, source.position):
            return _is_section(source)
        return _is_known_block(source, order)

    return _search(source, _BLOCK_PATTERNS[order], SMALLEST, proves_itself)


def _is_section(source: Source) -> bool:
    for order, magic in (("<", b"\x4d\x3c\x2b\x1a"), (">", b"\x1a\x2b\x3c\x4d")):
        lengths = Struct(order + "I")
        (length,) = lengths.unpack_from(source.data, source.position + WORD_SIZE)
        if source.data.startswith(magic, source.position + 2 * WORD_SIZE):
            return _is_block(source, length, lengths)
    return False


def _is_block(source: Source, length: int, lengths: Struct) -> bool:
    if not SMALLEST <= length <= MAXIMUM_BLOCK or length % WORD_SIZE or not source.ensure(length):
        return False
    return lengths.unpack_from(source.data, source.position + length - TAIL_SIZE) == (length,)


def _block_pattern(order: ByteOrder) -> re.Pattern[bytes]:
    """A block of a known type, of less than 32 MiB."""
    types = b"|".join(re.escape(Struct(order + "I").pack(number)) for number in sorted(KNOWN_TYPES))
    length = rb".{3}[\0-\x01]" if order == "<" else rb"[\0-\x01].{3}"
    return re.compile(rb"(?s)(?=(?:" + types + rb")" + length + rb"|" + re.escape(SECTION_MAGIC) + rb")")


_BLOCK_PATTERNS: dict[ByteOrder, re.Pattern[bytes]] = {"<": _block_pattern("<"), ">": _block_pattern(">")}

_ORDERS: tuple[ByteOrder, ByteOrder] = ("<", ">")
_STAND_INS = [
    FileHeader(magic, 2, 4, 0, 0, MAXIMUM_SNAPLEN, 0)
    for magic, told in MAGICS.items()
    if told.variants[0] is STANDARD
]
_START_PATTERN = re.compile(
    b"|".join(
        [
            *(re.escape(magic) for magic in MAGICS),
            *(pattern.pattern for pattern in (*_BLOCK_PATTERNS.values(), *_RECORD_PATTERNS.values())),
        ]
    ).replace(b"(?s)", b""),
    re.DOTALL,
)


def _search(source: Source, pattern: re.Pattern[bytes], size: int, proves_itself: Callable[[], bool]) -> bool:
    """Move `position` on to where the pattern fits and the proof holds; to the end and False if it nowhere does.

    `size` is how many bytes the pattern looks at.
    """
    source.position += 1
    while source.ensure(size):
        match = pattern.search(source.data, source.position)
        if match is None:
            source.position = len(source.data) - size + 1
            continue
        source.position = match.start()
        if proves_itself():
            return True
        source.position += 1
    source.position = len(source.data)
    return False
