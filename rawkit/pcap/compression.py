"""Compressed capture files, known by how they begin: gzip, bzip2, xz, zstd and lz4, as streams in constant memory.

A stream may be several members one after another, as `cat a.gz b.gz` makes it. All that can be had of one that is
cut short or damaged is given before the error.
"""

from __future__ import annotations

import bz2
import lzma
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from rawkit.errors import CaptureError, MissingError
from rawkit.pcap.gzip import GzipDecompressor

__all__ = ["MAGIC_SIZE", "Codec", "Decompressed", "codec_of", "library", "zstd_module"]

MAXIMUM_WINDOW = 128 * 1024 * 1024
"""Most bytes that xz and zstd may remember of what they gave; no program asks for more unless told to."""

_INPUT = 16 * 1024  # bytes that are read at a time
_STEP = 4096  # bytes that are made at a time
_CHECK = 64  # bytes at the end of what was read that are handed over one by one
_SMALL_STEP = 256  # for libraries that find an error in the midst of data, and keep what they made in that step
_LARGE_STEP = 64 * 1024  # for those that keep nothing


class Decompressor(Protocol):
    """What the libraries' decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Codec(NamedTuple):
    """One way to compress."""

    name: str
    magic: bytes
    """How their contents begin."""
    decompressor: Callable[[], Decompressor]
    step: int = _STEP


def _xz() -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAXIMUM_WINDOW)


def _zstd() -> Decompressor:
    zstd = zstd_module()
    window: int = MAXIMUM_WINDOW.bit_length() - 1
    decompressor: Decompressor = zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: window}
    )
    return decompressor


def _lz4() -> Decompressor:
    decompressor: Decompressor = library("lz4.frame", "lz4").LZ4FrameDecompressor()
    return decompressor


def zstd_module() -> Any:
    """Python's own from 3.14 on, which is the same as the package for older ones."""
    if sys.version_info >= (3, 14):
        return import_module("compression.zstd")
    return library("backports.zstd", "backports.zstd")


def library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingError(package, f"install it with: pip install {package}") from error


_CODECS = (
    Codec("gzip", b"\x1f\x8b\x08", GzipDecompressor, _LARGE_STEP),
    Codec("zstd", b"\x28\xb5\x2f\xfd", _zstd),
    Codec("xz", b"\xfd7zXZ\0", _xz, _SMALL_STEP),
    Codec("lz4", b"\x04\x22\x4d\x18", _lz4),
    Codec("bzip2", b"BZh", bz2.BZ2Decompressor, _SMALL_STEP),
)
MAGIC_SIZE = max(len(codec.magic) for codec in _CODECS)


def codec_of(start: bytes) -> Codec | None:
    """How a file is compressed that begins so; None if it is not."""
    return next((codec for codec in _CODECS if start.startswith(codec.magic)), None)


class Decompressed:
    """What a compressed stream holds; `read` is used as that of a file."""

    def __init__(self, read: Callable[[int], bytes], start: bytes, codec: Codec, name: str) -> None:
        """`start` was read already, by whoever looked how the stream begins."""
        self._read = read
        self._input = start
        self._codec, self._name = codec, name
        self._taken = len(start)
        self._decompressor: Decompressor | None = codec.decompressor()
        self._error: CaptureError | None = None

    def read(self, count: int) -> bytes:
        """At most `count` bytes, as soon as there are any; b"" at the end.

        Raises `CaptureError` where the stream is cut or damaged, after all that stands before.
        """
        parts: list[bytes] = []
        size = 0
        while size < count and self._error is None:
            try:
                part = self._step(min(self._codec.step, count - size), wait=not parts)
            except CaptureError as error:
                self._error = error
                break
            if not part:
                break
            parts.append(part)
            size += len(part)
        if self._error is not None and not parts:
            raise self._error
        return b"".join(parts)

    def _step(self, count: int, wait: bool) -> bytes:
        """Some bytes; none at the end, or where input would have to be waited for and must not be."""
        while True:
            decompressor = self._decompressor
            if decompressor is None:
                if not (self._input or wait) or not self._begin_member():
                    return b""
                continue
            data = b""
            if decompressor.needs_input:
                if not (self._input or wait):
                    return b""
                data = self._next_input()
            try:
                part = decompressor.decompress(data, count)
            except Exception as error:  # each library has errors of its own, down to RuntimeError
                raise self._damage(f"sound {self._codec.name} data", str(error) or "damage") from error
            if decompressor.eof:
                self._input = (decompressor.unused_data or b"") + self._input  # lz4 has None for nothing
                self._decompressor = None
            if part:
                return part

    def _next_input(self) -> bytes:
        """Compressed bytes for the decompressor: single ones where a check sum may stand.

        So all is had before the check, and a check that fails takes nothing with it.
        """
        if not self._input:
            self._more()
        if not self._input:
            raise self._damage(f"the rest of the {self._codec.name} data", "the end of the file")
        size = max(len(self._input) - _CHECK, 1)
        data, self._input = self._input[:size], self._input[size:]
        return data

    def _begin_member(self) -> bool:
        """Whether another member follows; zeros between members and at the end are padding."""
        while True:
            self._input = self._input.lstrip(b"\0")
            if len(self._input) >= len(self._codec.magic):
                break
            before = len(self._input)
            self._more()
            if len(self._input) == before:
                break
        if not self._input:
            return False
        if not self._input.startswith(self._codec.magic):
            expected = f"{self._codec.name} data again, or the end of the file"
            raise self._damage(expected, self._input[: len(self._codec.magic)].hex(" "))
        self._decompressor = self._codec.decompressor()
        return True

    def _more(self) -> None:
        part = self._read(_INPUT)
        self._taken += len(part)
        self._input += part

    def _damage(self, expected: str, found: str) -> CaptureError:
        """The error, where the compressed stream was read up to."""
        return CaptureError(self._name, self._taken - len(self._input), expected, found)
