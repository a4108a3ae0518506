"""The Internet checksum (RFC 1071), as a remainder; CRC32c, which SCTP has in its place; and CRC-32 of Ethernet.

The one's complement sum of 16-bit words is the remainder modulo 65535 of the bytes read as one big-endian
integer, since 65536 leaves 1. Zero and 65535 are the same remainder: a sum over anything but zeros is never
zero in one's complement arithmetic, and the functions here keep to that.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from functools import cache
from zlib import crc32

__all__ = [
    "Sums",
    "as_words",
    "checksum_of",
    "crc32c",
    "frame_check_sequence",
    "internet_checksum",
    "verifies",
]


def as_words(data: bytes) -> int:
    """The bytes as one integer of whole 16-bit words, an odd last byte being padded with zero on its right."""
    return int.from_bytes(data) << 8 if len(data) & 1 else int.from_bytes(data)


def checksum_of(total: int) -> int:
    """The 16-bit checksum for words whose integer is (or adds up to) `total`."""
    return -total % 65535 if total else 65535


def verifies(total: int) -> bool:
    """Whether words that include their own checksum add up to all ones."""
    return total % 65535 == 0 and total != 0


class Sums:
    """The sums of the words of any parts of `data`, each byte of which is read about once.

    Headers within headers all cover the same bytes, so each sum is the difference of two: of all that is before
    its end, and of all that is before its start. Those are remembered, as remainders.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places, self._before = [0], [0]

    def words(self, start: int, stop: int) -> int:
        """`as_words` of a part, as a remainder from 1 to 65535, or 0 if there is nothing but zeros."""
        if start >= stop:
            return 0
        number = self._up_to(stop) - _shifted(self._up_to(start), stop - start)
        remainder = _shifted(number, stop - start) % 65535
        return remainder or (65535 if self._data[start:stop].strip(b"\0") else 0)

    def _up_to(self, stop: int) -> int:
        """The remainder of all bytes before `stop`, from the nearest place where it is known."""
        places, before = self._places, self._before
        at = bisect_left(places, stop)
        if at < len(places) and places[at] == stop:
            return before[at]
        low, piece = places[at - 1], self._data[places[at - 1] : stop]
        if at < len(places) and places[at] - stop < stop - low:
            piece = self._data[stop : places[at]]
            remainder = _shifted(before[at] - int.from_bytes(piece), len(piece)) % 65535
        else:
            remainder = (_shifted(before[at - 1], len(piece)) + int.from_bytes(piece)) % 65535
        places.insert(at, stop)
        before.insert(at, remainder)
        return remainder


def _shifted(number: int, count: int) -> int:
    """The number moved by `count` bytes to the left, or as well to the right: two make 65536, which is 1."""
    return number << 8 if count & 1 else number


def internet_checksum(data: bytes) -> int:
    """The RFC 1071 checksum of `data`, in which the checksum field itself is zero."""
    return checksum_of(as_words(data))


def frame_check_sequence(frame: bytes) -> bytes:
    """The four bytes behind an Ethernet frame (IEEE 802.3, section 3.2.9): its CRC-32, the lowest byte first."""
    return crc32(frame).to_bytes(4, "little")


CASTAGNOLI = 0x82F63B78
"""The polynomial of CRC32c (RFC 9260, appendix A), its highest power in the lowest bit."""

SHORT = 128
"""Fewer bytes than these go through the register one by one."""


def crc32c(data: bytes) -> int:
    """CRC32c of `data` as SCTP sends it, so that the four bytes stand in the order of RFC 9260, appendix A.

    Up to about 90 bytes a microsecond: see `_register_by_lanes`.
    """
    crc = 0xFFFFFFFF
    if len(data) < SHORT:
        (table, *_) = _shift_tables(1)
        for byte in data:
            crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    else:
        begun = int.from_bytes(data[:4], "little") ^ crc  # a full register is none, and these bytes inverted
        crc = _register_by_lanes(begun.to_bytes(4, "little") + data[4:])
    return int.from_bytes((crc ^ 0xFFFFFFFF).to_bytes(4, "little"))


def _register_by_lanes(data: bytes) -> int:
    """The register after `data`, having been zero before: many equal pieces go through as many registers at once.

    The registers are four byte strings, one for each byte of theirs from the lowest up. A step takes the next byte
    of every piece: `translate` looks all of them up, and integers of many bytes add what it finds. Zeros in front
    make the pieces equal; they leave a register of zero as it is.
    """
    length = 1 << (len(data).bit_length() - 1) // 2
    data = bytes(-len(data) % length) + data
    lanes = len(data) // length
    look0, look1, look2, look3 = _byte_tables()
    whole = int.from_bytes
    low = second = third = high = 0
    for at in range(length):
        index = (whole(data[at::length], "little") ^ low).to_bytes(lanes, "little")
        low = second ^ whole(index.translate(look0), "little")
        second = third ^ whole(index.translate(look1), "little")
        third = high ^ whole(index.translate(look2), "little")
        high = whole(index.translate(look3), "little")
    registers = bytearray(4 * lanes)
    for byte, plane in enumerate((low, second, third, high)):
        registers[byte::4] = plane.to_bytes(lanes, "little")
    shift0, shift1, shift2, shift3 = _shift_tables(length)
    crc = 0
    for register in struct.unpack(f"<{lanes}I", registers):
        crc = shift0[crc & 255] ^ shift1[crc >> 8 & 255] ^ shift2[crc >> 16 & 255] ^ shift3[crc >> 24] ^ register
    return crc


@cache
def _shift_tables(length: int) -> tuple[tuple[int, ...], ...]:
    """What each byte of the register, from the lowest up, becomes when `length` zeros follow, a power of two."""
    if length > 1:
        t0, t1, t2, t3 = half = _shift_tables(length // 2)
        return tuple(
            tuple([t0[crc & 255] ^ t1[crc >> 8 & 255] ^ t2[crc >> 16 & 255] ^ t3[crc >> 24] for crc in table])
            for table in half
        )
    lowest = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (CASTAGNOLI if byte & 1 else 0)
        lowest.append(byte)
    return tuple(lowest), *(tuple(range(0, 256 << place, 1 << place)) for place in (0, 8, 16))


@cache
def _byte_tables() -> tuple[bytes, ...]:
    """The table for a lowest byte, each byte of its values by itself, from the lowest up."""
    values = struct.pack("<256I", *_shift_tables(1)[0])
    return tuple(values[byte::4] for byte in range(4))
