"""From one format of capture files to the other, part by part, with an account of what is lost.

A classic file becomes one section of pcapng with one interface, whose clock and frame check sequences are those
that the file header tells, and loses nothing but what patched libpcaps wrote into longer record headers. A
pcapng file becomes a classic one that counts nanoseconds, and loses all that this format has no place for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rawkit.errors import FieldError
from rawkit.pcap.block_types import (
    ENHANCED,
    INTERFACE,
    PACKETS,
    SECTION,
    SIMPLE,
    BlockView,
    describe,
    section_header,
)
from rawkit.pcap.blocks import Block
from rawkit.pcap.changes import changed_block, changed_record
from rawkit.pcap.classic import ClassicEncoder
from rawkit.pcap.options import make_option
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.variants import MAXIMUM_SNAPLEN, STANDARD, FileHeader

__all__ = ["ToClassic", "ToPcapng", "changed_packet"]

_NANOSECONDS = 1_000_000_000  # in a second
_MAGIC = b"\x4d\x3c\xb2\xa1"  # of files that count nanoseconds, in little endian
_WORD = 2**32
_RECORD_HEADER = 16  # bytes, in a classic file


def changed_packet(part: Part, record: Record) -> Part:
    """A part of a pcapng file with another record in it (see `Capture.changed`)."""
    if part.record is None or part.block is None:
        raise FieldError("Part", "record", record, "none, since this part holds no packet")
    if record == part.record:
        return part
    block = changed_block(part.block, part.record, record)
    return part._replace(raw=block.raw, record=record, block=block)


class ToPcapng:
    """Makes the parts of a classic capture those of a pcapng file. `lost` counts what has no place there."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self.lost: Counter[str] = Counter()
        """How many of what could not be kept, by what it is in words."""

    def parts(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts, converted: a section header, an interface, and an enhanced packet block a record."""
        header = self._capture.header
        assert header is not None
        if header.time_zone or header.accuracy or header.extra:
            self.lost["file header detail"] += 1
        for part in parts:
            if part.record is None:
                yield Part.of(section_header(header.order))
                yield self._interface(header)
            else:
                if len(part.raw) - len(part.record.data) > _RECORD_HEADER:
                    self.lost["record header extension"] += 1
                yield self._packet(part.record, header)

    def changed(self, part: Part, record: Record) -> Part:
        """A converted part with another record in it."""
        return changed_packet(part, record)

    def _interface(self, header: FileHeader) -> Part:
        (interface,) = self._capture.interfaces
        resolution = len(str(interface.ticks_per_second)) - 1
        options = [make_option(INTERFACE, "if_tsresol", resolution, header.order)]
        if interface.fcs_length is not None:
            options.append(make_option(INTERFACE, "if_fcslen", interface.fcs_length * 8, header.order))
        fields = {"link_type": int(header.link_type), "reserved": 0, "snaplen": interface.snaplen}
        return Part.of(BlockView(INTERFACE, header.order, fields, b"", tuple(options), True).block)

    def _packet(self, record: Record, header: FileHeader) -> Part:
        high, low = divmod(record.time_ns * header.ticks // _NANOSECONDS, _WORD)
        fields = {
            "interface_id": 0,
            "timestamp_high": high,
            "timestamp_low": low,
            "captured_length": len(record.data),
            "original_length": record.wire_length,
        }
        block = BlockView(ENHANCED, header.order, fields, record.data).block
        return Part(block.raw, 0, record, block)


class ToClassic:
    """Makes the parts of a pcapng file those of a classic one. `lost` counts what has no place there."""

    def __init__(self) -> None:
        self._header: FileHeader | None = None
        self._encoder: ClassicEncoder | None = None
        self._described: Part | None = None  # the first interface
        self.lost: Counter[str] = Counter()
        """How many of what could not be kept, by what it is in words."""

    def parts(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts, converted: a file header, and the records.

        Raises `FieldError` for a packet with another link type than the first, and for what is too long or too
        old for a classic file.
        """
        for part in parts:
            if part.record is not None and part.block is not None:
                if self._encoder is None:
                    yield self._begin(part.record)
                yield self._packet(part.record, part.block)
            elif part.block is not None:
                self._note(part.block)
        if self._encoder is None:
            yield self._begin(None)

    def changed(self, part: Part, record: Record) -> Part:
        """A converted part with another record in it."""
        if part.record is None or self._header is None:
            raise FieldError("Part", "record", record, "none, since this part holds no packet")
        return part._replace(
            raw=changed_record(part.raw, part.record, record, self._header, STANDARD), record=record
        )

    def _begin(self, first: Record | None) -> Part:
        """The file header, which has the link type of the first packet."""
        interface = None if first is None else first.interface
        fields = {"link_type": 1, "snaplen": 0}
        if self._described is not None and self._described.block is not None:
            fields = describe(self._described.block).fields
        link_type = first.link_type if first is not None else fields["link_type"]
        snaplen = (interface.snaplen if interface is not None else fields["snaplen"]) or MAXIMUM_SNAPLEN
        fcs_length = None if interface is None else interface.fcs_length
        link = FileHeader.link_word(link_type, fcs_length)
        self._header = FileHeader(_MAGIC, 2, 4, 0, 0, snaplen, link)
        self._encoder = ClassicEncoder(self._header.link_type, max(snaplen, MAXIMUM_SNAPLEN), True)
        return Part(self._header.pack(), 0)

    def _packet(self, record: Record, block: Block) -> Part:
        assert self._encoder is not None
        assert self._header is not None
        self.lost["comment"] += len(record.comments)
        self.lost["packet option"] += len(record.options)
        interface = record.interface
        if interface is not None and block.type != SIMPLE:
            self.lost["fraction of a nanosecond"] += _is_finer(block, interface)
            self.lost["frame check length"] += interface.fcs_length != self._header.fcs_length
        return Part(self._encoder.encode(record), 0, record)

    def _note(self, block: Block) -> None:
        """Count what a block that holds no packet says."""
        if block.type in (SECTION, INTERFACE):
            if block.type == INTERFACE and self._described is None:
                self._described = Part.of(block)
            options = [name for name, _ in describe(block).named_options if name not in _KEPT]
            self.lost["section or interface option"] += len(options)
        elif block.type not in PACKETS:
            self.lost[f"{BlockView(block.type, block.order, {}, b'').name} block"] += 1


_KEPT = ("if_tsresol", "if_tsoffset", "if_fcslen")  # in another form


def _is_finer(block: Block, interface: Interface) -> bool:
    """Whether the time of a packet is no whole number of nanoseconds."""
    if _NANOSECONDS % interface.ticks_per_second == 0:
        return False
    fields = describe(block).fields
    ticks = fields["timestamp_high"] * _WORD + fields["timestamp_low"]
    return ticks * _NANOSECONDS % interface.ticks_per_second != 0
