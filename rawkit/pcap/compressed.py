"""Writing compressed capture files."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from io import FileIO
from typing import BinaryIO

from rawkit.errors import file_error
from rawkit.pcap.compression import library, zstd_module

__all__ = ["Compressed", "compressing", "uncompressed"]


class Compressed:
    """A file whose bytes are compressed on their way into another; `close` completes that."""

    def __init__(
        self,
        file: BinaryIO | FileIO,
        name: str,
        compress: Callable[[bytes], bytes],
        flush: Callable[[], bytes],
        finish: Callable[[], bytes],
        start: bytes = b"",
    ) -> None:
        self._file, self.name = file, name
        self._compress, self._flush, self._finish = compress, flush, finish
        self._pending = start
        self.closed = False

    def write(self, data: bytes) -> int:
        """Take all of `data`."""
        self._pending += self._compress(data)
        return len(data)

    def flush(self) -> None:
        """Hand over to the kernel what was written, as far as the format allows (xz and bzip2: whole blocks)."""
        self._pending += self._flush()
        self._hand_over()

    def _hand_over(self) -> None:
        while self._pending:
            written = self._file.write(self._pending)
            self._pending = self._pending[written:]

    def close(self) -> None:
        """Complete the stream, and close the file below. Raises `FileError`."""
        if self.closed:
            return
        self.closed = True
        try:
            self._pending += self._finish()
            self._hand_over()
        except OSError as error:
            raise file_error(error, f"write {self.name}") from error
        finally:
            self._file.close()


def compressing(file: BinaryIO | FileIO, name: str) -> BinaryIO | FileIO | Compressed:
    """The file to write to for this name: itself, or one that compresses as the name's ending says.

    Raises `MissingError` where a library is not there.
    """
    suffix = name[len(uncompressed(name)) :].lower().removeprefix(".")
    return _WRITERS[suffix](file, name) if suffix else file


def uncompressed(name: str) -> str:
    """The name without the ending that asks for compression."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix.lower() in _WRITERS else name


def _gzip(file: BinaryIO | FileIO, name: str) -> Compressed:
    deflate = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS + _GZIP_FRAME)
    return Compressed(file, name, deflate.compress, lambda: deflate.flush(zlib.Z_SYNC_FLUSH), deflate.flush)


_GZIP_FRAME = 16  # added to the window's bits, it asks zlib for gzip's frame


def _nothing() -> bytes:
    return b""


def _bzip2(file: BinaryIO | FileIO, name: str) -> Compressed:
    compressor = bz2.BZ2Compressor()
    return Compressed(file, name, compressor.compress, _nothing, compressor.flush)


def _xz(file: BinaryIO | FileIO, name: str) -> Compressed:
    compressor = lzma.LZMACompressor(lzma.FORMAT_XZ)
    return Compressed(file, name, compressor.compress, _nothing, compressor.flush)


def _zstd(file: BinaryIO | FileIO, name: str) -> Compressed:
    zstd = zstd_module()
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: True})
    return Compressed(
        file, name, compressor.compress, lambda: compressor.flush(compressor.FLUSH_BLOCK), compressor.flush
    )


def _lz4(file: BinaryIO | FileIO, name: str) -> Compressed:
    compressor = library("lz4.frame", "lz4").LZ4FrameCompressor(auto_flush=True, content_checksum=True)
    return Compressed(file, name, compressor.compress, _nothing, compressor.flush, compressor.begin())


_WRITERS = {"gz": _gzip, "bz2": _bzip2, "xz": _xz, "zst": _zstd, "lz4": _lz4}
