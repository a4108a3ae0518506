"""The Internet checksum (RFC 1071), as a remainder; and CRC32c, which SCTP has in its place.

The one's complement sum of 16-bit words is the remainder modulo 65535 of the bytes read as one big-endian
integer, since 65536 leaves 1. Zero and 65535 are the same remainder: a sum over anything but zeros is never
zero in one's complement arithmetic, and the functions here keep to that.
"""

from __future__ import annotations

import struct
from functools import cache

__all__ = ["as_words", "checksum_of", "crc32c", "internet_checksum", "verifies"]


def as_words(data: bytes) -> int:
    """The bytes as one integer of whole 16-bit words, an odd last byte being padded with zero on its right."""
    return int.from_bytes(data) << 8 if len(data) & 1 else int.from_bytes(data)


def checksum_of(total: int) -> int:
    """The 16-bit checksum for words whose integer is (or adds up to) `total`."""
    return -total % 65535 if total else 65535


def verifies(total: int) -> bool:
    """Whether words that include their own checksum add up to all ones."""
    return total % 65535 == 0 and total != 0


def internet_checksum(data: bytes) -> int:
    """The RFC 1071 checksum of `data`, in which the checksum field itself is zero."""
    return checksum_of(as_words(data))


CASTAGNOLI = 0x82F63B78
"""The polynomial of CRC32c (RFC 9260, appendix A), its highest power in the lowest bit."""


@cache
def _tables() -> tuple[tuple[int, ...], ...]:
    """What each byte does to the register when zero to seven more bytes follow it."""
    first = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (CASTAGNOLI if byte & 1 else 0)
        first.append(byte)
    tables = [first]
    for _ in range(7):
        tables.append([crc >> 8 ^ first[crc & 255] for crc in tables[-1]])
    return tuple([tuple(table) for table in tables])


def crc32c(data: bytes) -> int:
    """CRC32c of `data` as SCTP sends it, so that the four bytes stand in the order of RFC 9260, appendix A.

    Eight bytes at a time ("slicing by 8"), about 9 bytes a microsecond.
    """
    t0, t1, t2, t3, t4, t5, t6, t7 = _tables()
    crc, whole = 0xFFFFFFFF, len(data) & ~7
    for word in struct.unpack(f"<{whole // 8}Q", data[:whole]):
        word ^= crc
        crc = (
            t7[word & 255]
            ^ t6[word >> 8 & 255]
            ^ t5[word >> 16 & 255]
            ^ t4[word >> 24 & 255]
            ^ t3[word >> 32 & 255]
            ^ t2[word >> 40 & 255]
            ^ t1[word >> 48 & 255]
            ^ t0[word >> 56]
        )
    for byte in data[whole:]:
        crc = crc >> 8 ^ t0[(crc ^ byte) & 255]
    return int.from_bytes((crc ^ 0xFFFFFFFF).to_bytes(4, "little"))
