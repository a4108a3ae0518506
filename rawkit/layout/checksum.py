"""The Internet checksum (RFC 1071), as a remainder.

The one's complement sum of 16-bit words is the remainder modulo 65535 of the bytes read as one big-endian
integer, since 65536 leaves 1. Zero and 65535 are the same remainder: a sum over anything but zeros is never
zero in one's complement arithmetic, and the functions here keep to that.
"""

from __future__ import annotations

__all__ = ["as_words", "checksum_of", "internet_checksum", "verifies"]


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
