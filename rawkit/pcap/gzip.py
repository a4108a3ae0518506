"""One member of a gzip stream (RFC 1952), taken apart here so that a bad check sum loses nothing.

zlib's own reader of gzip checks before it gives the last bytes, and keeps them when the check fails; here the
check comes after they were given. Where the deflated data itself is damaged, all before the damage is given.
"""

from __future__ import annotations

import zlib
from struct import Struct

__all__ = ["GzipDecompressor"]

_HEADER = Struct("<3sB4xBB")  # magic and method, flags, time, extra flags, operating system
_EXTRA_LENGTH = Struct("<H")
_TRAILER = Struct("<II")  # CRC-32 of the data, length modulo 2**32
_LONGEST_HEADER = 128 * 1024  # names and comments have no limit of their own; a longer header is damage
_HEADER_CHECK, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16  # flags


class GzipDecompressor:
    """Like bz2.BZ2Decompressor, but for one member of a gzip stream. Raises `zlib.error`."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._waiting = b""
        self._in_body = False
        self._check, self._size = 0, 0
        self._damage: zlib.error | None = None

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Some of what the member holds."""
        if self._damage is not None:
            raise self._damage
        self._waiting += data
        self.needs_input = True
        if not self._in_body and not self._skip_header():
            return b""
        part = b""
        if not self._inflate.eof:
            part = self._inflated(max_length)
            self._check, self._size = zlib.crc32(part, self._check), self._size + len(part)
        if not part and self._inflate.eof:
            self._finish()
        else:
            self.needs_input = not self._waiting and len(part) < max_length and not self._inflate.eof
        return part

    def _skip_header(self) -> bool:
        """Whether the header is there, and has been passed over (RFC 1952, section 2.3)."""
        size = _header_size(self._waiting)
        if size is None:
            if len(self._waiting) > _LONGEST_HEADER:
                raise zlib.error(f"a header of more than {_LONGEST_HEADER} bytes")
            return False
        self._waiting, self._in_body = self._waiting[size:], True
        return True

    def _inflated(self, max_length: int) -> bytes:
        before = self._inflate.copy()
        try:
            part = self._inflate.decompress(self._waiting, max_length)
        except zlib.error as error:
            self._damage = error
            return _longest(before, self._waiting, max_length)
        self._waiting = self._inflate.unused_data or self._inflate.unconsumed_tail
        return part

    def _finish(self) -> None:
        """Check what was given against the trailer (RFC 1952, section 2.3.1), once that is there."""
        if len(self._waiting) < _TRAILER.size:
            return
        check, size = _TRAILER.unpack_from(self._waiting)
        if check != self._check:
            raise zlib.error(f"the check sum is {check:#010x}, should be {self._check:#010x}")
        if size != self._size % 2**32:
            raise zlib.error(f"the length is {size}, should be {self._size % 2**32}")
        self.unused_data, self._waiting = self._waiting[_TRAILER.size :], b""
        self.eof = True


def _header_size(data: bytes) -> int | None:
    """Bytes of the header at the start of `data`; None while some are missing."""
    if len(data) < _HEADER.size:
        return None
    _, flags, _, _ = _HEADER.unpack_from(data)
    size = _HEADER.size
    if flags // _EXTRA % 2:
        if len(data) < size + _EXTRA_LENGTH.size:
            return None
        size += _EXTRA_LENGTH.size + _EXTRA_LENGTH.unpack_from(data, size)[0]
    for flag in (_NAME, _COMMENT):
        if flags // flag % 2:
            end = data.find(b"\0", size)
            if end < 0:
                return None
            size = end + 1
    size += _EXTRA_LENGTH.size * (flags // _HEADER_CHECK % 2)
    return size if size <= len(data) else None


def _longest(inflate: zlib._Decompress, data: bytes, most: int) -> bytes:
    """As much as can be inflated before the damage."""
    part, fine, bad = b"", 0, most
    while bad - fine > 1:
        middle = (fine + bad) // 2
        try:
            part = inflate.copy().decompress(data, middle)
        except zlib.error:
            bad = middle
        else:
            fine = middle
    return part
