"""Bytes from a file, standard input or a pipe, in constant memory and as soon as they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rawkit.errors import CaptureError, file_error

__all__ = ["MAXIMUM_BLOCK", "ByteOrder", "Source"]

ByteOrder = Literal["<", ">"]
"""Little endian or big endian, as `struct` writes it."""

MAXIMUM_BLOCK = 16 * 1024 * 1024
"""Longest block or record that is read or written, in bytes: a longer one is taken for damage.

libpcap stops at 262144 bytes of packet for nearly every link type (MAXIMUM_SNAPLEN) and at 16 MiB of pcapng
block; this is the latter. It bounds the memory that reading takes: see `open_capture`.
"""

_CHUNK = 128 * 1024


class Source:
    """A window on a stream: `data[position:]` is what was read and not yet used.

    `data` begins `origin` bytes after the start of the stream.

    `read(n)` gives 1 to n bytes, as soon as there are any, and `b""` at the end. Whoever parses looks at
    `data` directly and moves `position`; only `ensure` reads, and only what it must, so that a record from a
    pipe is there before the next one is.
    """

    __slots__ = ("_ended", "_read", "data", "name", "origin", "position")

    def __init__(self, read: Callable[[int], bytes], name: str) -> None:
        self._read = read
        self._ended = False
        self.origin = 0
        self.name = name
        self.data = b""
        self.position = 0

    @property
    def offset(self) -> int:
        """Bytes from the start of the stream to `position`."""
        return self.origin + self.position

    @property
    def available(self) -> int:
        """Bytes that can be used without reading."""
        return len(self.data) - self.position

    def ensure(self, count: int) -> bool:
        """Have at least `count` bytes available; False where the stream ends before. May move `data`.

        Memory grows with what arrives, never with what was asked for. Raises `FileError`.
        """
        missing = count - self.available
        if missing <= 0:
            return True
        if self._ended:
            return False
        parts = [self.data[self.position :]]
        try:
            while missing > 0 and not self._ended:
                part = self._read(_CHUNK)
                self._ended = not part
                parts.append(part)
                missing -= len(part)
        except OSError as error:
            raise file_error(error, f"read {self.name}") from error
        finally:
            self.data = b"".join(parts)
            self.origin += self.position
            self.position = 0
        return missing <= 0

    def damage(self, offset: int, expected: str, found: str) -> CaptureError:
        """The error for what was found at `offset` bytes from the start of the stream."""
        return CaptureError(self.name, offset, expected, found)

    def ended(self, expected: str) -> CaptureError:
        """The error for a stream that ends inside what starts at `position`."""
        found = f"the end of the file after {self.available}" if self.available else "the end of the file"
        return self.damage(self.offset, expected, found)
