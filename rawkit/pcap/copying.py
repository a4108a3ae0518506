"""Copying a capture file part by part: what is not changed comes out byte for byte."""

from __future__ import annotations

import os
from contextlib import ExitStack
from io import FileIO
from struct import Struct
from types import TracebackType
from typing import BinaryIO

from rawkit.errors import file_error
from rawkit.pcap.block_types import SECTION
from rawkit.pcap.compressed import compressing
from rawkit.pcap.files import Target, Writable, is_replaceable, open_output, path_of, replacing, write_all
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture
from rawkit.pcap.source import ByteOrder

__all__ = ["CaptureCopy"]

_BULK = 256 * 1024  # bytes, after which they are handed to the kernel
_LENGTHS: dict[ByteOrder, Struct] = {"<": Struct("<q"), ">": Struct(">q")}
_LENGTH_OFFSET = 16  # of the section length, in bytes from the start of a section header block
_LENGTH_UNKNOWN = -1


class CaptureCopy:
    """A file that parts of a capture are copied to.

        with open_capture("x.pcapng") as capture, CaptureCopy("y.pcapng", capture) as copy:
            for part in capture.parts():
                if part.record is None or len(part.record.data) > 60:
                    copy.write(part)

    Parts are written as they are, with the byte order, padding, options and unknown blocks of the file that
    they come from. Only one thing is put right: the length that a section header tells, when parts of its
    section were left out or changed. Where the output cannot be put right afterwards (all but a regular file
    that is given by its name and not compressed), such a length is written as "not known" from the start,
    unless `whole` promises that every part of `capture` will be written as it is.

    `target` is a path, `-` for standard output, or a binary file object. A regular file appears under its name
    when the copy is closed, in place of an older one, which may be the file that is read; when the block ends
    with an error nothing is left. Raises `FileError`.
    """

    def __init__(self, target: Target, capture: Capture | None = None, *, whole: bool = False) -> None:
        self._capture = capture
        self._whole = whole
        self._stack = ExitStack()
        self._pending = bytearray()
        self._written = 0  # bytes, those in `_pending` too
        self._section: _Section | None = None
        self._read = 0  # bytes of the input, up to the end of the last part
        self.count = 0
        """Packets written so far."""
        name = path_of(target)
        self._regular = name is not None and is_replaceable(name)
        self._file: Writable
        file: BinaryIO | FileIO
        if name is not None and self._regular:
            file, self.name, owned = self._stack.enter_context(replacing(name)), name, True
        else:
            file, self.name, owned = open_output(target)
        self._descriptor = file.fileno() if self._regular else -1
        self._file = compressing(file, self.name) if owned else file
        self._patchable = self._regular and self._file is file
        if owned:
            self._stack.callback(self._file.close)

    def write(self, part: Part) -> None:
        """Write a part as it is. Raises `FileError`."""
        if part.block is not None and part.block.type == SECTION:
            self._end_section(part.offset)
            self._section = _Section(self._written + len(part.raw), part.block.order, part.raw)
            raw = part.raw if self._patchable or self._whole else self._section.header(_LENGTH_UNKNOWN)
        else:
            raw = part.raw
            self._note(part.offset)
        self._read = part.offset + len(part.raw)
        self._pending += raw
        self._written += len(raw)
        self.count += part.record is not None
        if len(self._pending) >= _BULK:
            self.flush()

    def flush(self) -> None:
        """Hand all that was written over to the kernel. Raises `FileError`."""
        write_all(self._file, self._pending, self.name)

    def close(self) -> None:
        """Complete the file. Raises `FileError`."""
        self._end_section(self._read if self._capture is None else self._capture.parts_end)
        self.flush()
        self._stack.close()

    def __enter__(self) -> CaptureCopy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            if not self._regular:
                self.flush()
            self._stack.__exit__(kind, error, trace)

    def _note(self, offset: int) -> None:
        """Whether the next part, at `offset` in the input, follows the last one."""
        if self._section is not None and offset != self._read:
            self._section.whole = False

    def _end_section(self, offset: int) -> None:
        """Put the length right that the section's header tells, if the section is not what it was."""
        self._note(offset)
        section, self._section = self._section, None
        if section is None or section.whole or not self._patchable:
            return
        self.flush()
        header = section.header(self._written - section.start)
        try:
            os.pwrite(self._descriptor, header, section.start - len(header))
        except OSError as error:
            raise file_error(error, f"write {self.name}") from error


class _Section:
    """The section that is being written."""

    def __init__(self, start: int, order: ByteOrder, raw: bytes) -> None:
        self.start = start
        """Where the blocks after its header begin, in bytes from the start of the output."""
        self._length, self._raw = _LENGTHS[order], raw
        self.whole = True
        """Whether it is, up to now, what it was in the input."""

    def header(self, length: int) -> bytes:
        """Its header, telling that length if it tells any."""
        if self._length.unpack_from(self._raw, _LENGTH_OFFSET) == (_LENGTH_UNKNOWN,):
            return self._raw
        stop = _LENGTH_OFFSET + self._length.size
        return self._raw[:_LENGTH_OFFSET] + self._length.pack(length) + self._raw[stop:]
