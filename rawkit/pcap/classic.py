"""Classic capture files: pcap-savefile(5), draft-ietf-opsawg-pcap.

A file header of 24 bytes, then records: a header of 16 bytes and the packet. The magic number tells the byte
order, and whether the second half of each time stamp counts microseconds or nanoseconds.
"""

from __future__ import annotations

from collections.abc import Generator
from struct import Struct
from struct import error as StructError

from rawkit.errors import CaptureError, FieldError
from rawkit.pcap.changes import changed_record
from rawkit.pcap.parts import Part
from rawkit.pcap.record import CapturedPackets, Counts, Interface, Record
from rawkit.pcap.salvage import Damage, OnDamage, next_record
from rawkit.pcap.source import MAXIMUM_BLOCK, Source
from rawkit.pcap.variants import FILE_HEADER, MAGICS, MAXIMUM_SNAPLEN, VERSIONS, FileHeader, Variant, fitting
from rawkit.wire.link_type import LinkType

__all__ = ["MAXIMUM_SNAPLEN", "ClassicEncoder", "ClassicReader"]

_RECORD_HEADER = "IIII"  # seconds, fraction, captured length, length on the wire

_OUR_MAGICS = {1_000_000: b"\xd4\xc3\xb2\xa1", 1_000_000_000: b"\x4d\x3c\xb2\xa1"}  # in little endian

_new_record = tuple.__new__


class ClassicReader:
    """The records of a classic capture file, one after another."""

    format = "pcap"
    magics = frozenset(MAGICS)

    def __init__(
        self, source: Source, on_damage: OnDamage | None = None, header: FileHeader | None = None
    ) -> None:
        """Reads the file header, unless one is given that stands in for it. Raises `CaptureError`."""
        self.header = self._read_header(source) if header is None else header
        """The file header."""
        self._raw_header = self.header.pack()
        self._source = source
        self._on_damage = on_damage
        self._variant: Variant | None = None
        self._limit = min(max(self.header.snaplen, MAXIMUM_SNAPLEN), MAXIMUM_BLOCK)
        self._interface = Interface(
            0,
            self.header.link_type,
            self.header.snaplen,
            ticks_per_second=self.header.ticks,
            fcs_length=self.header.fcs_length,
        )

    @staticmethod
    def _read_header(source: Source) -> FileHeader:
        start = source.offset
        magic = MAGICS[source.data[source.position : source.position + 4]]
        fields = Struct(magic.order + FILE_HEADER)
        size = fields.size + magic.extra
        if not source.ensure(size):
            raise source.ended(f"a file header of {size} bytes")
        raw = source.data[source.position : source.position + size]
        header = FileHeader._make((*fields.unpack_from(raw), raw[fields.size :]))
        version = header.major, header.minor
        if version not in VERSIONS:
            raise source.damage(start + 4, "version 2.4", "version {}.{}".format(*version))
        source.position += size
        return header

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The one interface of the file, which its header describes."""
        return (self._interface,)

    def parts(self) -> Generator[Part, None, None]:
        """The file header, then every record. Raises what iterating raises."""
        source = self._source
        yield Part(self._raw_header, max(source.offset - len(self._raw_header), 0))
        if self._on_damage is not None:
            yield from self._salvaged(self._on_damage)
        size = self._probed().size
        for record in self._records():
            start = source.position - len(record.data) - size
            raw = source.data[start : source.position]
            yield Part(raw, source.origin + start, record)

    def changed(self, part: Part, record: Record) -> Part:
        """The part with another record in it (see `Capture.changed`)."""
        if part.record is None:
            raise FieldError("Part", "record", record, "none, since this part holds no packet")
        raw = changed_record(part.raw, part.record, record, self.header, self._probed())
        return part._replace(raw=raw, record=record)

    def __iter__(self) -> Generator[Record, None, None]:
        """Raises `CaptureError` where the file is damaged, after the last record before the damage."""
        if self._on_damage is None:
            return self._records()
        return (part.record for part in self._salvaged(self._on_damage) if part.record is not None)

    def _records(self, number: int = 0) -> Generator[Record, None, None]:
        source, interface, limit = self._source, self._interface, self._limit
        link_type = interface.link_type
        nanoseconds = 1_000_000_000 // interface.ticks_per_second
        variant = self._probed()
        size, unpack = variant.size, self.header.unpacker(variant)
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
                source.position = start = end
                yield _new_record(Record, (number, time_ns, packet, wire_length, link_type, interface, (), ()))
            else:
                source.position = start
        if source.available:
            raise source.ended(f"a record header of {size} bytes")

    def _probed(self) -> Variant:
        """The variant of the records, which the first of them tell."""
        if self._variant is None:
            self._source.ensure(max(variant.size for variant in self.header.variants))
            self._variant = fitting(self.header, self._source.data, self._source.position)
        return self._variant

    def _salvaged(self, report: OnDamage) -> Generator[Part, None, None]:
        """The records that prove themselves: sound, whole, and followed by a sound header or the end."""
        source, variant, number = self._source, self._probed(), 0
        second: int | None = None
        while source.ensure(1):
            start = end = source.offset
            part, error = None, self._fault()
            if error is None:
                record = next(self._records(number))
                end = source.offset
                source.position -= end - start
                part = Part(source.data[source.position : source.position + end - start], start, record)
                error = self._header_fault(end - start)
                if error is None:
                    source.position += end - start
                    second = record.time_ns // 1_000_000_000
            if error is not None:
                found = next_record(source, self.header, variant, self._limit, second)
                if found and source.offset < end:
                    part = None  # others begin in the midst of it
                first = start if part is None else end
                report(Damage(source.name, first, source.offset - first, error.expected, error.found))
            if part is not None:
                number += 1
                yield part

    def _fault(self) -> CaptureError | None:
        """What is wrong with the record at `position`."""
        source, size = self._source, self._probed().size
        if not source.ensure(size):
            return source.ended(f"a record header of {size} bytes")
        if error := self._header_fault(0):
            return error
        captured = self.header.unpacker(self._probed())(source.data, source.position)[2]
        return None if source.ensure(size + captured) else source.ended(f"a record of {size + captured} bytes")

    def _header_fault(self, at: int) -> CaptureError | None:
        """What is wrong with the record header `at` bytes behind `position`, if there is one."""
        source, variant = self._source, self._probed()
        if not source.ensure(at + variant.size):
            return None
        fields = self.header.unpacker(variant)(source.data, source.position + at)
        if fields[2] > self._limit:
            expected = f"a captured length of at most {self._limit} bytes"
            return source.damage(source.offset + at + 8, expected, str(fields[2]))
        zeros = bytes(2 * variant.size)  # one header of zeros is odd, two are a hole
        if any(fields) or not source.ensure(at + len(zeros)):
            return None
        is_hole = source.data.startswith(zeros, source.position + at)
        return source.damage(source.offset + at, "a record header", "zeros") if is_hole else None

    def _fetch(self, captured: int) -> None:
        """Have the record at `position` in the window, header and all."""
        source, size = self._source, self._probed().size
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

    def introduce(self, interface: Interface) -> bytes:
        """What stands before the first packet: the file header, if it was waiting for the link type."""
        if self._link_type is not None:
            return b""
        self._link_type = interface.link_type
        return self._file_header(self._link_type)

    def encode_many(self, packets: CapturedPackets, interface: Interface) -> bytes:
        """Packets of one interface, which was introduced. Raises `struct.error` where one does not fit."""
        if interface.link_type != self._link_type:
            raise StructError("of another link type")
        nanoseconds, pack, limit = 1_000_000_000 // self._ticks, self._record_header.pack, self._limit
        parts: list[bytes] = []
        for time_ns, data, wire_length in packets:
            if len(data) > limit:
                raise StructError("longer than the file header says")
            seconds, fraction = divmod(time_ns, 1_000_000_000)
            parts += pack(seconds, fraction // nanoseconds, len(data), wire_length), data
        return b"".join(parts)

    def statistics(self, interface: Interface, counts: Counts) -> bytes:
        """Nothing: this format has no place for them."""
        return b""

    def _file_header(self, link_type: LinkType) -> bytes:
        magic = _OUR_MAGICS[self._ticks]
        return FileHeader(magic, 2, 4, 0, 0, self._limit, link_type).pack()
