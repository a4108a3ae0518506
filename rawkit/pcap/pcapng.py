"""What the blocks of pcapng mean: sections, interfaces and packets (draft-ietf-opsawg-pcapng, section 4).

Blocks of other types are passed over; `blocks.read_blocks` gives them all.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain
from math import gcd
from struct import Struct
from typing import Any, NamedTuple

from rawkit.errors import CaptureError, FieldError
from rawkit.pcap.block_types import (
    ENHANCED,
    INTERFACE,
    OBSOLETE,
    PACKETS,
    SECTION,
    SIMPLE,
    BlockView,
    section_header,
)
from rawkit.pcap.blocks import (
    HEAD_SIZE,
    SECTION_MAGIC,
    TAIL_SIZE,
    Block,
    Option,
    read_blocks,
    read_options,
)
from rawkit.pcap.changes import changed_block
from rawkit.pcap.options import DEFAULT_TICKS, ticks_per_second
from rawkit.pcap.parts import Part
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.salvage import Damage, OnDamage, salvaged_blocks
from rawkit.pcap.source import ByteOrder, Source
from rawkit.wire.link_type import LinkType

__all__ = ["MAXIMUM_INTERFACES", "MAXIMUM_TEXT", "PcapngReader"]

MAXIMUM_INTERFACES = 65_536
"""Most interfaces in a section; more mean damage."""

MAXIMUM_TEXT = 1024 * 1024
"""Most bytes of comments on a packet, and of names and descriptions in a section; more mean damage.

In memory a byte of text may take 16, where it is not UTF-8.
"""

_COMMENT = 1  # an option of every block
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL, _IF_FCSLEN, _IF_TSOFFSET = 2, 3, 9, 13, 14  # options of interfaces

# The fixed fields of blocks, which begin behind type and total length (8x)
_SECTIONS = {order: Struct(order + "8x4sHHq") for order in "<>"}  # magic, major, minor, section length
_INTERFACES = {order: Struct(order + "8xHHI") for order in "<>"}  # link type, reserved, snaplen
# packet blocks with a time: interface, time (high half, low half), captured length, length on the wire
_TIMED_FIELDS = {ENHANCED: "8x5I", OBSOLETE: "8xH2x4I"}  # 2x: the drops of the obsolete packet block (appendix A)
_TIMED = {(kind, order): Struct(order + fields) for kind, fields in _TIMED_FIELDS.items() for order in "<>"}
_SIMPLES = {order: Struct(order + "8xI") for order in "<>"}  # on the wire
_OFFSETS = {order: Struct(order + "q") for order in "<>"}  # if_tsoffset

_NANOSECONDS = 1_000_000_000  # in a second
_WORD = 2**32

_UNKNOWN_LINK_TYPE = 0xFFFF

_new_record = tuple.__new__


class _Clock(NamedTuple):
    """How an interface tells the time: nanoseconds are ticks * multiplier // divisor + summand."""

    interface: Interface
    link_type: LinkType
    multiplier: int
    divisor: int
    summand: int

    @classmethod
    def of(cls, interface: Interface) -> _Clock:
        common = gcd(_NANOSECONDS, interface.ticks_per_second)
        multiplier, divisor = _NANOSECONDS // common, interface.ticks_per_second // common
        return cls(interface, interface.link_type, multiplier, divisor, interface.offset_seconds * _NANOSECONDS)


class PcapngReader:
    """The records of a pcapng file, one after another, over all its sections."""

    format = "pcapng"
    magics = frozenset([SECTION_MAGIC])

    def __init__(self, source: Source, on_damage: OnDamage | None = None, order: ByteOrder = "<") -> None:
        """Reads the header of the first section, or one stands in for it where damage is gone over.

        `order` is that of the section in whose midst `source` may stand then. Raises `CaptureError`.
        """
        self._source = source
        self._on_damage = on_damage
        blocks = iter(read_blocks(source) if on_damage is None else salvaged_blocks(source, on_damage, order))
        first = next(blocks, None)
        if first is None:  # all is damage
            raise source.damage(0, "a section header block", "none that can be read")
        heads = [first]
        try:
            if first.type != SECTION:
                raise source.damage(first.offset, "a section header block", f"a block of type {first.type}")
            self._open_section(first)
        except CaptureError:
            if on_damage is None:
                raise
            heads = [section_header(first.order), first]
            self._open_section(heads[0])
        self._blocks: Iterator[Block] = chain(heads, blocks)

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces of the current section, as far as it was read."""
        return tuple(clock.interface for clock in self._clocks)

    def __iter__(self) -> Generator[Record, None, None]:
        """Raises `CaptureError` where the file is damaged, after the last record before the damage."""
        if self._on_damage is None:
            return self._records(self._blocks)
        return (part.record for part in self.parts() if part.record is not None)

    def parts(self) -> Generator[Part, None, None]:
        """Every block, with the record of those that hold a packet. Raises what iterating raises."""
        number = 0
        current: list[Block] = []
        records = self._records(iter(current.pop, None))
        for block in self._blocks:
            try:
                if block.type in PACKETS:
                    current.append(block)
                    part = Part(block.raw, block.offset, next(records), block)
                    number += 1
                else:
                    self._describe(block)
                    part = Part(block.raw, block.offset, None, block)
            except CaptureError as error:
                if self._on_damage is None:
                    raise
                self._on_damage(Damage(error.name, block.offset, len(block.raw), error.expected, error.found))
                if (stand_in := self._stand_in(block)) is not None:
                    yield Part.of(stand_in)
                records = self._records(iter(current.pop, None), number)
            else:
                yield part

    def _stand_in(self, block: Block) -> Block | None:
        """An interface in the place of one that cannot be read, so that those after it keep their numbers."""
        if block.type != INTERFACE or len(self._clocks) == MAXIMUM_INTERFACES:
            return None
        fields = _INTERFACES[block.order]
        known = len(block.raw) >= fields.size + TAIL_SIZE
        link_type, _, snaplen = fields.unpack_from(block.raw) if known else (_UNKNOWN_LINK_TYPE, 0, 0)
        described = {"link_type": link_type, "reserved": 0, "snaplen": snaplen}
        stand_in = BlockView(INTERFACE, block.order, described, b"").block
        self._add_interface(stand_in)
        return stand_in

    def changed(self, part: Part, record: Record) -> Part:
        """The part with another record in it (see `Capture.changed`)."""
        if part.record is None or part.block is None:
            raise FieldError("Part", "record", record, "none, since this part holds no packet")
        block = changed_block(part.block, part.record, record)
        return part._replace(raw=block.raw, record=record, block=block)

    def _records(self, blocks: Iterator[Block], number: int = 0) -> Generator[Record, None, None]:
        for block in blocks:
            block_type, raw, order, _ = block
            if (fields := _TIMED.get((block_type, order))) is not None:
                if len(raw) < fields.size + TAIL_SIZE:
                    raise self._short(block, fields)
                index, high, low, captured, wire_length = fields.unpack_from(raw)
            elif block_type == SIMPLE:
                fields = _SIMPLES[order]
                captured, wire_length = self._simple_lengths(block, fields)
                index = high = low = 0
            else:
                self._describe(block)
                continue
            start = fields.size
            stop = start + captured
            room = len(raw) - TAIL_SIZE
            if index >= len(self._clocks) or stop > room:
                raise self._misfit(block, index, captured, room - start)
            interface, link_type, multiplier, divisor, summand = self._clocks[index]
            if block_type == SIMPLE:
                summand = 0  # not a time, but the want of one
            time_ns = (high * _WORD + low) * multiplier // divisor + summand
            comments: tuple[str, ...] = ()
            options: tuple[Option, ...] = ()
            if stop + 3 < room:  # more than padding
                comments, options = self._options(block, stop)
            number += 1
            packet = raw[start:stop]
            yield _new_record(
                Record, (number, time_ns, packet, wire_length, link_type, interface, comments, options)
            )

    def _describe(self, block: Block) -> None:
        """Take in a block that is about other blocks; pass over the rest."""
        if block.type == SECTION:
            self._open_section(block)
        elif block.type == INTERFACE:
            self._add_interface(block)

    def _open_section(self, block: Block) -> None:
        """Section header block (4.1): interfaces count anew. Its length is not used: all is read."""
        fields = _SECTIONS[block.order]
        magic, major, minor, _ = self._unpack(block, fields)
        if major != 1 or minor not in (0, 2):  # some wrote 2, and meant 0
            raise self._source.damage(
                block.offset + HEAD_SIZE + len(magic), "version 1.0", f"version {major}.{minor}"
            )
        self._clocks: list[_Clock] = []
        self._text_bytes = 0  # of names and descriptions

    def _add_interface(self, block: Block) -> None:
        """Interface description block (4.2)."""
        fields = _INTERFACES[block.order]
        if len(self._clocks) == MAXIMUM_INTERFACES:
            expected = f"at most {MAXIMUM_INTERFACES} interfaces in a section"
            raise self._source.damage(block.offset, expected, "one more")
        link_type, _, snaplen = self._unpack(block, fields)
        name = description = ""
        ticks, offset_seconds, fcs_length = DEFAULT_TICKS, 0, None
        for option in read_options(block, fields.size, self._source.name):
            if option.code in (_IF_NAME, _IF_DESCRIPTION):
                self._text_bytes = self._more_text(self._text_bytes, option, "names and descriptions in a section")
            if option.code == _IF_NAME:
                name = _text(option)
            elif option.code == _IF_DESCRIPTION:
                description = _text(option)
            elif option.code == _IF_TSRESOL and len(option.value) == 1:  # of another length, no option counts
                ticks = ticks_per_second(option.value[0])
            elif option.code == _IF_TSOFFSET and len(option.value) == _OFFSETS[block.order].size:
                (offset_seconds,) = _OFFSETS[block.order].unpack(option.value)
            elif option.code == _IF_FCSLEN and len(option.value) == 1:
                fcs_length = option.value[0] // (8 if option.value[0] >= 8 else 1)  # the draft's bits, or bytes
        index = len(self._clocks)
        interface = Interface(
            index,
            LinkType(link_type),
            snaplen,
            name,
            description,
            ticks,
            offset_seconds,
            fcs_length,
        )
        self._clocks.append(_Clock.of(interface))

    def _simple_lengths(self, block: Block, fields: Struct) -> tuple[int, int]:
        """Captured and wire length of a simple packet block (4.4), which is cut to interface 0's snaplen."""
        (wire_length,) = self._unpack(block, fields)
        snaplen = self._clocks[0].interface.snaplen if self._clocks else 0
        return min(wire_length, snaplen or wire_length), wire_length

    def _options(self, block: Block, start: int) -> tuple[tuple[str, ...], tuple[Option, ...]]:
        """The comments on a packet, and all its options but these."""
        comments, others, size = [], [], 0
        for option in read_options(block, start, self._source.name):
            if option.code == _COMMENT:
                size = self._more_text(size, option, "comments on a packet")
                comments.append(_text(option))
            else:
                others.append(option)
        return tuple(comments), tuple(others)

    def _more_text(self, size: int, option: Option, what: str) -> int:
        """`size` bytes of text and the option's, within `MAXIMUM_TEXT`."""
        size += len(option.value)
        if size > MAXIMUM_TEXT:
            raise self._source.damage(option.offset, f"at most {MAXIMUM_TEXT} bytes of {what}", str(size))
        return size

    def _unpack(self, block: Block, fields: Struct) -> tuple[Any, ...]:
        """The fixed fields at the start of a block."""
        if len(block.raw) < fields.size + TAIL_SIZE:
            raise self._short(block, fields)
        return fields.unpack_from(block.raw)

    def _short(self, block: Block, fields: Struct) -> CaptureError:
        expected = f"at least {fields.size - HEAD_SIZE} bytes in the body of a block of type {block.type:#x}"
        return self._source.damage(block.offset + HEAD_SIZE, expected, str(len(block.body)))

    def _misfit(self, block: Block, index: int, captured: int, room: int) -> CaptureError:
        if index >= len(self._clocks):
            expected = f"one of the {len(self._clocks)} interfaces that this section has described"
            return self._source.damage(block.offset + HEAD_SIZE, expected, f"interface {index}")
        expected = f"at most the {room} bytes of packet that the block has room for"
        return self._source.damage(block.offset + HEAD_SIZE, expected, f"a captured length of {captured}")


def _text(option: Option) -> str:
    return option.value.decode(errors="backslashreplace")
