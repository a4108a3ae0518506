"""One capture written as several files, each of which can be read by itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import NamedTuple, Self

from rawkit.errors import FieldError
from rawkit.pcap.block_types import INTERFACE, NAMES, SECRETS, SECTION, SIMPLE
from rawkit.pcap.compressed import uncompressed
from rawkit.pcap.copying import CaptureCopy
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture
from rawkit.pcap.record import Record

__all__ = ["SplitCopy", "Splitting"]

_REPEATED = frozenset({INTERFACE, NAMES, SECRETS})
"""Blocks without which later packets of their section cannot be understood."""

_IN_MEMORY = 1024 * 1024  # bytes of these blocks; more go to a temporary file
_CHUNK = 256 * 1024


class Splitting(NamedTuple):
    """Where one file ends and the next begins: `packets` in each, or spans of `nanoseconds`, one of the two.

    The spans are counted from the first packet; those without a packet get no file.
    """

    packets: int | None = None
    nanoseconds: int | None = None


class SplitCopy:
    """Files named as `name` is, with `-00001` and so on before its ending, that parts of a capture are copied to.

    Each begins with the file header, or with the section header and the interfaces, names and secrets that the
    section had until there. Other blocks stand behind the packet that they stood behind. A file appears when it
    is complete; after an error those that are complete stay. The rest is as with `CaptureCopy`.
    """

    def __init__(self, name: str, splitting: Splitting, capture: Capture | None = None) -> None:
        packets, nanoseconds = splitting
        if (packets or 0) + (nanoseconds or 0) < 1 or None not in splitting:
            raise FieldError("SplitCopy", "splitting", tuple(splitting), "1 packet or nanosecond, or more")
        self._name, self._splitting, self._capture = name, splitting, capture
        self._header: Part | None = None  # of the file, or of the current section
        self._span = 0  # which one, from the first packet on
        self._first_ns: int | None = None
        self.count = 0
        """Packets written so far, to all files."""
        self.files = 0
        """Files begun so far."""
        self._copy = self._begin()
        self._repeated = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the copy

    def write(self, part: Part) -> None:
        """Write a part as it is, to the next file if this one is full. Raises `FileError`."""
        if part.record is not None:
            if self._is_next(part.record, part):
                self._copy.close()
                self._copy = self._begin()
                self._write_repeated()
            self.count += 1
        self._copy.write(part)
        if part.record is None:
            self._note(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._repeated.close()
        self._copy.__exit__(kind, error, trace)

    def _begin(self) -> CaptureCopy:
        self.files += 1
        stem = uncompressed(self._name)
        path = Path(stem)
        compression = self._name[len(stem) :]
        return CaptureCopy(path.with_name(f"{path.stem}-{self.files:05}{path.suffix}{compression}"), self._capture)

    def _is_next(self, record: Record, part: Part) -> bool:
        """Whether this packet is the first of another file."""
        packets, nanoseconds = self._splitting
        if packets is not None:
            return self.count > 0 and self.count % packets == 0
        if nanoseconds is None or (part.block is not None and part.block.type == SIMPLE):
            return False
        if self._first_ns is None:
            self._first_ns = record.time_ns
        span = (record.time_ns - self._first_ns) // nanoseconds
        before, self._span = self._span, max(span, self._span)
        return self._span > before and self.count > 0

    def _note(self, part: Part) -> None:
        """Keep what the next file has to begin with."""
        if part.block is None or part.block.type == SECTION:
            self._header = part
            self._repeated.seek(0)
            self._repeated.truncate()
        elif part.block.type in _REPEATED:
            self._repeated.write(part.raw)

    def _write_repeated(self) -> None:
        if self._header is not None:
            self._copy.write(self._header)
        self._repeated.seek(0)
        while chunk := self._repeated.read(_CHUNK):
            self._copy.write(Part(chunk, 0))
