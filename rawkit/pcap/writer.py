"""Writing capture files: a stream that grows record by record, or a finished collection at once."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, SupportsBytes

from rawkit.errors import FieldError, file_error
from rawkit.pcap.classic import ClassicEncoder
from rawkit.pcap.files import Target, is_replaceable, open_output, replacing, write_all
from rawkit.pcap.pcapng import PcapngEncoder
from rawkit.pcap.record import Record
from rawkit.pcap.source import MAXIMUM_BLOCK
from rawkit.wire.link_type import LinkType

__all__ = ["CaptureWriter", "Format", "write_capture"]

Format = Literal["pcap", "pcapng"]

_CLASSIC_SUFFIXES = frozenset({".pcap", ".cap", ".dmp"})
_BULK = 256 * 1024  # bytes, after which even a patient writer hands over


class CaptureWriter:
    """A capture file that grows: for live captures, pipes and standard output.

        with CaptureWriter("x.pcapng") as writer:
            writer.write(packet, time_ns=now)

    `target` is a path, `-` for standard output, or a binary file object (which stays open). `format` is by
    default `pcap` for names that end in .pcap, .cap or .dmp, and `pcapng` for all else. The other arguments:

    - `link_type`: of packets, whatever they tell themselves; records keep their own. A classic file has one for
      all; when it is given here, the file is valid from the start, else from the first record.
    - `snaplen`: bytes to keep of each packet; longer ones are cut, and keep their `wire_length`. 0 keeps all.
    - `nanosecond`: whether a classic file counts nanoseconds, or microseconds (rounded down) for older
      programs.
    - `flush_every`: hand over to the kernel after so many records, or 256 KiB. 1, the default, is for live
      captures: only whole records are handed over, so the file is valid at every moment, and what `write`
      returned from is readable also after SIGKILL. A large number suits bulk writing; `flush` hands over
      early.

    A file is opened under its final name, so that others can watch it grow, and emptied if it exists. A
    symbolic link, or a file with several hard links, is refused. Raises `FileError`.
    """

    def __init__(
        self,
        target: Target,
        *,
        format: Format | None = None,
        link_type: LinkType | None = None,
        snaplen: int = 0,
        nanosecond: bool = True,
        flush_every: int = 1,
    ) -> None:
        if not 0 <= snaplen <= MAXIMUM_BLOCK:
            raise FieldError("CaptureWriter", "snaplen", snaplen, f"0 to {MAXIMUM_BLOCK} bytes")
        self._encoder = _encoder(format or _format_of(target), link_type, snaplen, nanosecond)
        self._link_type = link_type
        self._snaplen = snaplen
        self._flush_every = flush_every
        self._waiting = 0
        self._closed = False
        self._file, self.name, self._owned = open_output(target)
        self.count = 0
        """Records written so far."""
        self._pending = bytearray(self._encoder.begin())
        try:
            self.flush()
        except BaseException:
            self._release()
            raise

    def write(
        self,
        item: Record | SupportsBytes,
        *,
        time_ns: int | None = None,
        comments: Iterable[str] | None = None,
    ) -> None:
        """Write a record, a packet, or anything else whose `bytes()` is a packet.

        `time_ns` and `comments` stand in for the record's own; a packet without gets 0 and none. A classic
        file leaves comments out. Raises `FieldError` for what the format cannot hold (nothing of it is then
        written), `FileError` where the file cannot be written.
        """
        if self._closed:
            raise file_error(OSError(errno.EBADF, ""), f"write {self.name}")
        record = self._cut(item if isinstance(item, Record) else self._record(item))
        if time_ns is not None:
            record = record._replace(time_ns=time_ns)
        if comments is not None:
            record = record._replace(comments=(comments,) if isinstance(comments, str) else tuple(comments))
        self._pending += self._encoder.encode(record)
        self.count += 1
        self._waiting += 1
        if self._waiting >= self._flush_every or len(self._pending) >= _BULK:
            self.flush()

    def flush(self) -> None:
        """Hand all that was written over to the kernel. Raises `FileError`."""
        write_all(self._file, self._pending, self.name)
        self._waiting = 0

    def close(self) -> None:
        """Complete the file, and close it if it was opened here. Raises `FileError`."""
        if self._closed:
            return
        self._closed = True
        try:
            self._pending += self._encoder.finish()
            self.flush()
        finally:
            self._release()

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _release(self) -> None:
        if self._owned:
            self._file.close()

    def _record(self, packet: SupportsBytes) -> Record:
        if isinstance(packet, int | str) or not hasattr(packet, "__bytes__"):
            raise TypeError(f"expected a record, a packet or bytes, got {type(packet).__name__}")
        own: LinkType | None = getattr(packet, "link_type", None)
        link_type = own if self._link_type is None else self._link_type
        if link_type is None:
            expected = "a link type, which this packet does not tell; give link_type=LinkType.ETHERNET or another"
            raise FieldError("Record", "link_type", None, expected)
        data = bytes(packet)
        return Record(self.count + 1, 0, data, len(data), link_type)

    def _cut(self, record: Record) -> Record:
        """The record within `snaplen`."""
        if not isinstance(record.wire_length, int) or not 0 <= record.wire_length < 2**32:
            raise FieldError("Record", "wire_length", record.wire_length, "0 to 4294967295 bytes")
        if not isinstance(record.time_ns, int):
            raise FieldError("Record", "time_ns", record.time_ns, "an integer, nanoseconds since 1970")
        if not isinstance(record.link_type, int) or not 0 <= record.link_type <= 0xFFFF:
            raise FieldError("Record", "link_type", record.link_type, "a LinkType, 0 to 65535")
        if 0 < self._snaplen < len(record.data):
            return record._replace(data=record.data[: self._snaplen])
        return record


def write_capture(
    target: Target,
    items: Iterable[Record | SupportsBytes],
    *,
    format: Format | None = None,
    link_type: LinkType | None = None,
    snaplen: int = 0,
    nanosecond: bool = True,
) -> int:
    """Write records or packets to a capture file; returns how many. Arguments are those of `CaptureWriter`.

    The file appears under its name when it is finished, in place of an older one; until then it grows beside
    it under a name that starts with `.rawkit-`, and after an error nothing is left. So the older file may
    itself be what `items` come from. A pipe, a device, `-` or a file object is written to directly, as by
    `CaptureWriter`, and a symbolic link is refused. Raises `FieldError`, `FileError`, and whatever `items`
    raises.
    """
    format = format or _format_of(target)

    def write(file: Target) -> int:
        with CaptureWriter(
            file,
            format=format,
            link_type=link_type,
            snaplen=snaplen,
            nanosecond=nanosecond,
            flush_every=_BULK,
        ) as writer:
            for item in items:
                writer.write(item)
        return writer.count

    if isinstance(target, str | os.PathLike) and is_replaceable(os.fspath(target)):
        with replacing(os.fspath(target)) as file:
            return write(file)
    return write(target)


def _format_of(target: Target) -> Format:
    if isinstance(target, str | os.PathLike) and Path(target).suffix.lower() in _CLASSIC_SUFFIXES:
        return "pcap"
    return "pcapng"


def _encoder(
    format: Format, link_type: LinkType | None, snaplen: int, nanosecond: bool
) -> ClassicEncoder | PcapngEncoder:
    if format == "pcap":
        return ClassicEncoder(link_type, snaplen, nanosecond)
    if format == "pcapng":
        return PcapngEncoder(link_type, snaplen)
    raise FieldError("CaptureWriter", "format", format, "'pcap' or 'pcapng'")
