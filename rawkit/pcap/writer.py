"""Writing capture files: a stream that grows record by record, or a finished collection at once."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from struct import error as StructError
from types import TracebackType
from typing import BinaryIO, Literal, SupportsBytes, cast

from rawkit.errors import FieldError, FileError
from rawkit.pcap.classic import ClassicEncoder
from rawkit.pcap.compressed import compressing, uncompressed
from rawkit.pcap.files import Target, is_replaceable, open_output, path_of, replacing, write_all
from rawkit.pcap.pcapng_encoder import PcapngEncoder
from rawkit.pcap.record import CapturedPackets, Counts, Interface, Record
from rawkit.pcap.source import MAXIMUM_BLOCK
from rawkit.wire.link_type import LinkType

__all__ = ["CLASSIC_SUFFIXES", "CaptureWriter", "Format", "write_capture"]

Format = Literal["pcap", "pcapng"]

CLASSIC_SUFFIXES = frozenset({".pcap", ".cap", ".dmp"})
_BULK = 256 * 1024  # bytes, after which even a patient writer hands over
_LINK_TYPES = 2**16
_LENGTHS = 2**32


class CaptureWriter:
    """A capture file that grows: for live captures, pipes and standard output.

        with CaptureWriter("x.pcapng") as writer:
            writer.write(packet, time_ns=now)

    `target` is a path, `-` for standard output, or a binary file object (which stays open). `format` is by
    default `pcap` for names that end in .pcap, .cap or .dmp, and `pcapng` for all else. A further .gz, .zst, .lz4,
    .xz or .bz2 has the file compressed; xz and bzip2 hand over whole blocks only. The other arguments:

    - `link_type`: what the first header of every packet is, also of one that tells another; without it, each
      packet has to tell its own. Records keep theirs. A classic file has one for all; when it is given here,
      the file is valid from the start, else from the first record.
    - `interfaces`: those that a pcapng file begins with, whether packets of them come or not; the link type of
      the first is that of a classic file.
    - `snaplen`: bytes to keep of each packet; longer ones are cut, and keep their `wire_length`. 0 keeps all.
    - `nanosecond`: whether a classic file counts nanoseconds, or microseconds (rounded down) for older
      programs.
    - `flush_every`: hand over to the kernel after so many records, or 256 KiB. 1, the default, is for live
      captures: only whole records are handed over, so the file is valid at every moment, and what `write`
      returned from is readable also after SIGKILL. A large number suits bulk writing; `flush` hands over
      early.

    A file is opened under its final name, so that others can watch it grow, and emptied if it exists. A
    symbolic link, or a file with several hard links, is refused. Raises `FileError`, `FieldError`, and
    `TypeError` for a target that is neither a path nor a binary file.
    """

    def __init__(
        self,
        target: Target,
        *,
        format: Format | None = None,
        link_type: LinkType | None = None,
        interfaces: Sequence[Interface] = (),
        snaplen: int = 0,
        nanosecond: bool = True,
        flush_every: int = 1,
    ) -> None:
        if not isinstance(snaplen, int) or not 0 <= snaplen <= MAXIMUM_BLOCK:
            raise FieldError("CaptureWriter", "snaplen", snaplen, f"0 to {MAXIMUM_BLOCK} bytes")
        link_type = None if link_type is None else _checked_link_type("CaptureWriter", link_type)
        self._encoder = _encoder(format or _format_of(target), link_type, interfaces, snaplen, nanosecond)
        self._link_type = link_type
        self._snaplen = snaplen
        self._flush_every = flush_every
        self._waiting = 0
        self._closed = False
        file, self.name, self._owned = open_output(target)
        self._file = compressing(file, self.name) if self._owned else file
        self.count = 0
        """Records written so far."""
        self.size = 0
        """Bytes handed over so far, before they are compressed."""
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
        comments: str | Iterable[str] | None = None,
    ) -> None:
        """Write a record, a packet, bytes, or anything else that has `__bytes__`.

        `time_ns` and `comments` (or one comment) stand in for the record's own; a packet without gets 0 and
        none. A classic file leaves comments out. Raises `FieldError` for what the format cannot hold (nothing
        of it is then written), `TypeError` for what is no packet, `FileError` where the file cannot be
        written.
        """
        if self._closed:
            raise self._closed_error()
        record = item if isinstance(item, Record) else self._record(item)
        if time_ns is not None:
            record = record._replace(time_ns=time_ns)
        if comments is not None:
            record = record._replace(comments=(comments,) if isinstance(comments, str) else tuple(comments))
        self._pending += self._encoder.encode(_checked(record, self._snaplen))
        self.count += 1
        self._waiting += 1
        if self._waiting >= self._flush_every or len(self._pending) >= _BULK:
            self.flush()

    def write_many(self, packets: CapturedPackets, interface: Interface) -> None:
        """Write packets of one interface, as `write` does one after another, at a fraction of the cost.

        Raises what `write` raises, for the first that does not fit; those before it are then written.
        """
        if self._closed:
            raise self._closed_error()
        self._pending += self._encoder.introduce(interface)
        try:
            if self._snaplen:
                raise StructError("each is to be cut")
            self._pending += self._encoder.encode_many(packets, interface)
        except StructError:
            for number, (time_ns, data, wire_length) in enumerate(packets, self.count + 1):
                self.write(Record(number, time_ns, data, wire_length, interface.link_type, interface))
            return
        self.count += len(packets)
        self._waiting += len(packets)
        if self._waiting >= self._flush_every or len(self._pending) >= _BULK:
            self.flush()

    def write_statistics(self, interface: Interface, counts: Counts) -> None:
        """Write what was counted on an interface; a classic file leaves it out. Raises `FileError`."""
        if self._closed:
            raise self._closed_error()
        self._pending += self._encoder.introduce(interface) + self._encoder.statistics(interface, counts)

    def flush(self) -> None:
        """Hand all that was written over to the kernel. Raises `FileError`."""
        if self._closed:
            raise self._closed_error()
        size = len(self._pending)
        write_all(self._file, self._pending, self.name)
        self.size += size
        self._waiting = 0

    def close(self) -> None:
        """Complete the file, and close it if it was opened here. Raises `FileError`."""
        if self._closed:
            return
        try:
            self._pending += self._encoder.finish()
            self.flush()
        finally:
            self._closed = True
            self._release()

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _closed_error(self) -> FileError:
        return FileError(errno.EBADF, f"write {self.name}", "this writer is closed; make another")

    def _release(self) -> None:
        if self._owned:
            self._file.close()

    def _record(self, packet: SupportsBytes) -> Record:
        if not hasattr(packet, "__bytes__") and not isinstance(packet, bytearray | memoryview):
            raise TypeError(f"expected a Record, a packet or bytes, got {type(packet).__name__}")
        link_type: LinkType | None = self._link_type
        if link_type is None:
            link_type = getattr(packet, "link_type", None)
        if link_type is None:
            expected = "a link type, which this packet does not tell; give link_type=LinkType.ETHERNET or another"
            raise FieldError("Record", "link_type", None, expected)
        data = bytes(packet)
        return Record(self.count + 1, 0, data, len(data), link_type)


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
    itself be what `items` come from, and its mode is kept, as are its owner and group where this is permitted;
    a new file gets the mode that the umask leaves. A pipe, a device, `-` or a file object is written to
    directly, as by `CaptureWriter`, and a symbolic link is refused. Raises what `CaptureWriter` raises, and
    whatever `items` raises.
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

    name = path_of(target)
    if name is not None and is_replaceable(name):
        with replacing(name) as file, closing(compressing(file, name)) as inner:
            return write(cast("BinaryIO", inner))
    return write(target)


def _format_of(target: Target) -> Format:
    name = path_of(target)
    return "pcap" if name is not None and Path(uncompressed(name)).suffix.lower() in CLASSIC_SUFFIXES else "pcapng"


def _encoder(
    format: Format,
    link_type: LinkType | None,
    interfaces: Sequence[Interface],
    snaplen: int,
    nanosecond: bool,
) -> ClassicEncoder | PcapngEncoder:
    if format == "pcap":
        if interfaces and link_type is None:
            link_type = interfaces[0].link_type
        return ClassicEncoder(link_type, snaplen, nanosecond)
    if format == "pcapng":
        return PcapngEncoder(link_type, snaplen, interfaces)
    raise FieldError("CaptureWriter", "format", format, "'pcap' or 'pcapng'")


def _checked(record: Record, snaplen: int) -> Record:
    """The record, cut to `snaplen`.

    Raises `FieldError` for values that no format holds; what only one cannot hold, its encoder refuses.
    """
    _, time_ns, data, wire_length, link_type, _, comments, _ = record
    if not hasattr(time_ns, "__index__"):  # so numpy's whole numbers are fine
        raise FieldError("Record", "time_ns", time_ns, "a whole number of nanoseconds since 1970")
    if not hasattr(wire_length, "__index__") or not 0 <= wire_length < _LENGTHS:
        raise FieldError("Record", "wire_length", wire_length, f"0 to {_LENGTHS - 1} bytes")
    if type(link_type) is not LinkType:
        _checked_link_type("Record", link_type)
    if comments and (isinstance(comments, str) or not all(isinstance(comment, str) for comment in comments)):
        raise FieldError("Record", "comments", comments, "a tuple of str")
    return record._replace(data=data[:snaplen]) if 0 < snaplen < len(data) else record


def _checked_link_type(header: str, link_type: int) -> LinkType:
    if not isinstance(link_type, int) or not 0 <= link_type < _LINK_TYPES:
        raise FieldError(header, "link_type", link_type, f"a LinkType, from 0 to {_LINK_TYPES - 1}")
    return LinkType(link_type)
