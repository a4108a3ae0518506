"""Classic capture files: pcap-savefile(5), draft-ietf-opsawg-pcap.

A file header of 24 bytes, then records: a header of 16 bytes and the packet. The magic number tells the byte
order, and whether the second half of each time stamp counts microseconds or nanoseconds.
"""

from __future__ import annotations

from collections.abc import Generator
from struct import Struct

from rawkit.errors import FieldError
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.source import MAXIMUM_BLOCK, ByteOrder, Source
from rawkit.wire.link_type import LinkType

__all__ = ["MAXIMUM_SNAPLEN", "ClassicEncoder", "ClassicReader"]

MAXIMUM_SNAPLEN = 262_144
"""libpcap's longest packet, in bytes. A record may be longer only where the file header's snaplen says so."""

_MAGICS: dict[bytes, tuple[ByteOrder, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
_MAGIC_OF = {key: magic for magic, key in _MAGICS.items()}

# magic, major, minor, time zone and accuracy (both always 0), snaplen, link type
_FILE_HEADER = "4sHHiIII"
_LINK_TYPES = 0x10000  # the link type is the low half of its field; the high half tells of frame check sequences
# seconds, fraction, captured length, length on the wire
_RECORD_HEADER = "IIII"

_new_record = tuple.__new__


class ClassicReader:
    """The records of a classic capture file, one after another."""

    format = "pcap"
    magics = frozenset(_MAGICS)

    def __init__(self, source: Source) -> None:
        """Reads the file header. Raises `CaptureError`."""
        header = Struct("<" + _FILE_HEADER)
        start = source.offset
        if not source.ensure(header.size):
            raise source.ended(f"a file header of {header.size} bytes")
        order, ticks = _MAGICS[source.data[source.position : source.position + 4]]
        header = Struct(order + _FILE_HEADER)
        magic, major, minor, _, _, snaplen, link = header.unpack_from(source.data, source.position)
        if (major, minor) != (2, 4):
            raise source.damage(start + len(magic), "version 2.4", f"version {major}.{minor}")
        source.position += header.size
        self._source = source
        self._header = Struct(order + _RECORD_HEADER)
        self._limit = min(max(snaplen, MAXIMUM_SNAPLEN), MAXIMUM_BLOCK)
        self._interface = Interface(0, LinkType(link % _LINK_TYPES), snaplen, ticks_per_second=ticks)

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The one interface of the file, which its header describes."""
        return (self._interface,)

    def __iter__(self) -> Generator[Record, None, None]:
        """Raises `CaptureError` where the file is damaged, after the last record before the damage."""
        source, interface, limit = self._source, self._interface, self._limit
        link_type = interface.link_type
        nanoseconds = 1_000_000_000 // interface.ticks_per_second
        size, unpack = self._header.size, self._header.unpack_from
        number = 0
        while source.ensure(size):
            data, start, stop = source.data, source.position, len(source.data)
            while start + size <= stop:
                seconds, fraction, captured, wire_length = unpack(data, start)
                end = start + size + captured
                if captured > limit or end > stop:
                    source.position = start
                    self._fetch(captured)
                    break
                number += 1
                time_ns = seconds * 1_000_000_000 + fraction * nanoseconds
                packet = data[start + size : end]
                start = end
                yield _new_record(Record, (number, time_ns, packet, wire_length, link_type, interface, ()))
            else:
                source.position = start
        if source.available:
            raise source.ended(f"a record header of {size} bytes")

    def _fetch(self, captured: int) -> None:
        """Have the record at `position` in the window, header and all."""
        source, size = self._source, self._header.size
        if captured > self._limit:
            expected = f"a captured length of at most {self._limit} bytes"
            raise source.damage(source.offset + 8, expected, str(captured))
        if not source.ensure(size + captured):
            source.position += size
            raise source.ended(f"{captured} bytes of packet")


class ClassicEncoder:
    """Makes the bytes of a classic capture file, in little endian.

    The file header waits for the link type, which the first packet may be the one to tell. Comments and
    interfaces have no place in this format and are left out.
    """

    def __init__(self, link_type: LinkType | None, snaplen: int, nanosecond: bool) -> None:
        self._link_type = link_type
        self._limit = snaplen or MAXIMUM_SNAPLEN
        self._ticks = 1_000_000_000 if nanosecond else 1_000_000
        self._record_header = Struct("<" + _RECORD_HEADER)

    def begin(self) -> bytes:
        """The file header if the link type is known; else it comes with the first packet, or at the end."""
        return b"" if self._link_type is None else self._file_header(self._link_type)

    def finish(self) -> bytes:
        """What is still missing at the end: the header of a file without packets (for Ethernet)."""
        return self._file_header(LinkType.ETHERNET) if self._link_type is None else b""

    def encode(self, record: Record) -> bytes:
        """The record's bytes. Raises `FieldError` where it does not fit into this file."""
        _, time_ns, data, wire_length, link_type, *_ = record
        if self._link_type is not None and link_type != self._link_type:
            expected = (
                f"{self._link_type.name} like all of this classic pcap file "
                "(a name that ends in .pcapng makes a file that holds several)"
            )
            raise FieldError("Record", "link_type", LinkType(link_type).name, expected)
        if len(data) > self._limit:
            expected = f"at most {self._limit} bytes in this classic pcap file (give a larger snaplen)"
            raise FieldError("Record", "data", f"{len(data)} bytes", expected)
        seconds, fraction = divmod(time_ns, 1_000_000_000)
        if not 0 <= seconds < 2**32:
            raise FieldError("Record", "time_ns", time_ns, "a time from 1970 to 2106, in nanoseconds since 1970")
        fraction = fraction * self._ticks // 1_000_000_000
        packet = self._record_header.pack(seconds, fraction, len(data), wire_length) + data
        if self._link_type is None:
            self._link_type = LinkType(link_type)
            return self._file_header(self._link_type) + packet
        return packet

    def _file_header(self, link_type: LinkType) -> bytes:
        magic = _MAGIC_OF["<", self._ticks]
        return Struct("<" + _FILE_HEADER).pack(magic, 2, 4, 0, 0, self._limit, link_type)
