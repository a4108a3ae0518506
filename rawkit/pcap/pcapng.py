"""What the blocks of pcapng mean: sections, interfaces and packets (draft-ietf-opsawg-pcapng, section 4).

Blocks of other types are passed over; `blocks.read_blocks` gives them all.
"""

from __future__ import annotations

from collections.abc import Generator
from math import gcd
from struct import Struct
from typing import Any, NamedTuple

from rawkit._version import __version__
from rawkit.errors import CaptureError, FieldError
from rawkit.pcap.blocks import SECTION_MAGIC, SECTION_TYPE, Block, Option, pack_block, read_blocks, read_options
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.source import Source
from rawkit.wire.link_type import LinkType

__all__ = ["MAXIMUM_INTERFACES", "MAXIMUM_TEXT", "PcapngEncoder", "PcapngReader"]

MAXIMUM_INTERFACES = 65_536
"""Most interfaces in a section; more mean damage."""

MAXIMUM_TEXT = 1024 * 1024
"""Most bytes of comments on a packet, and of names and descriptions in a section; more mean damage.

In memory a byte of text may take 16, where it is not UTF-8.
"""

_INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6  # block types

_COMMENT = 1  # an option of every block
_SHB_USERAPPL = 4  # an option of section headers
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL, _IF_TSOFFSET = 2, 3, 9, 14  # options of interfaces

_SECTIONS = {order: Struct(order + "4sHHq") for order in "<>"}  # magic, major, minor, section length
_INTERFACES = {order: Struct(order + "HHI") for order in "<>"}  # link type, reserved, snaplen
# packet blocks with a time: interface, time (high half, low half), captured length, length on the wire
_TIMED_FIELDS = {_ENHANCED: "5I", _PACKET: "H2x4I"}  # 2x: the drops of the obsolete packet block (appendix A)
_TIMED = {(kind, order): Struct(order + fields) for kind, fields in _TIMED_FIELDS.items() for order in "<>"}
_SIMPLES = {order: Struct(order + "I") for order in "<>"}  # on the wire
_RESOLUTION = Struct("B")  # if_tsresol
_OFFSETS = {order: Struct(order + "q") for order in "<>"}  # if_tsoffset

_NANOSECONDS = 1_000_000_000  # in a second
_WORD = 2**32
_POWERS_OF_TWO = 128  # if_tsresol from here on means a power of two
_LENGTH_UNKNOWN = -1  # of a section
_LITTLE_ENDIAN_MAGIC = b"\x4d\x3c\x2b\x1a"

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

    def __init__(self, source: Source) -> None:
        """Reads the header of the first section. Raises `CaptureError`."""
        self._source = source
        self._blocks = read_blocks(source)
        self._open_section(next(self._blocks))

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces of the current section, as far as it was read."""
        return tuple(clock.interface for clock in self._clocks)

    def __iter__(self) -> Generator[Record, None, None]:
        """Raises `CaptureError` where the file is damaged, after the last record before the damage."""
        number = 0
        for block in self._blocks:
            block_type, body, order, _ = block
            if (fields := _TIMED.get((block_type, order))) is not None:
                if len(body) < fields.size:
                    raise self._short(block, fields)
                index, high, low, captured, wire_length = fields.unpack_from(body)
            elif block_type == _SIMPLE:
                fields = _SIMPLES[order]
                captured, wire_length = self._simple_lengths(block, fields)
                index = high = low = 0
            else:
                self._describe(block)
                continue
            start = fields.size
            stop = start + captured
            if index >= len(self._clocks) or stop > len(body):
                raise self._misfit(block, index, captured, len(body) - start)
            interface, link_type, multiplier, divisor, summand = self._clocks[index]
            if block_type == _SIMPLE:
                summand = 0  # not a time, but the want of one
            time_ns = (high * _WORD + low) * multiplier // divisor + summand
            comments = self._comments(block, stop) if stop + 3 < len(body) else ()  # more than padding
            number += 1
            packet = body[start:stop]
            yield _new_record(Record, (number, time_ns, packet, wire_length, link_type, interface, comments))

    def _describe(self, block: Block) -> None:
        """Take in a block that is about other blocks; pass over the rest."""
        if block.type == SECTION_TYPE:
            self._open_section(block)
        elif block.type == _INTERFACE:
            self._add_interface(block)

    def _open_section(self, block: Block) -> None:
        """Section header block (4.1): interfaces count anew. Its length is not used: all is read."""
        fields = _SECTIONS[block.order]
        magic, major, minor, _ = self._unpack(block, fields)
        if major != 1 or minor not in (0, 2):  # some wrote 2, and meant 0
            raise self._source.damage(block.body_offset + len(magic), "version 1.0", f"version {major}.{minor}")
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
        ticks_per_second, offset_seconds = 1_000_000, 0
        for option in read_options(self._source, block, fields.size):
            if option.code in (_IF_NAME, _IF_DESCRIPTION):
                self._text_bytes = self._more_text(self._text_bytes, option, "names and descriptions in a section")
            if option.code == _IF_NAME:
                name = _text(option)
            elif option.code == _IF_DESCRIPTION:
                description = _text(option)
            elif option.code == _IF_TSRESOL:
                exponent = self._integer(option, _RESOLUTION)
                power = 2 ** (exponent - _POWERS_OF_TWO) if exponent >= _POWERS_OF_TWO else 10**exponent
                ticks_per_second = int(power)
            elif option.code == _IF_TSOFFSET:
                offset_seconds = self._integer(option, _OFFSETS[block.order])
        index = len(self._clocks)
        interface = Interface(
            index, LinkType(link_type), snaplen, name, description, ticks_per_second, offset_seconds
        )
        self._clocks.append(_Clock.of(interface))

    def _simple_lengths(self, block: Block, fields: Struct) -> tuple[int, int]:
        """Captured and wire length of a simple packet block (4.4), which is cut to interface 0's snaplen."""
        (wire_length,) = self._unpack(block, fields)
        snaplen = self._clocks[0].interface.snaplen if self._clocks else 0
        return min(wire_length, snaplen or wire_length), wire_length

    def _comments(self, block: Block, start: int) -> tuple[str, ...]:
        comments, size = [], 0
        for option in read_options(self._source, block, start):
            if option.code == _COMMENT:
                size = self._more_text(size, option, "comments on a packet")
                comments.append(_text(option))
        return tuple(comments)

    def _more_text(self, size: int, option: Option, what: str) -> int:
        """`size` bytes of text and the option's, within `MAXIMUM_TEXT`."""
        size += len(option.value)
        if size > MAXIMUM_TEXT:
            raise self._source.damage(option.offset, f"at most {MAXIMUM_TEXT} bytes of {what}", str(size))
        return size

    def _unpack(self, block: Block, fields: Struct) -> tuple[Any, ...]:
        """The fixed fields at the start of a block."""
        if len(block.body) < fields.size:
            raise self._short(block, fields)
        return fields.unpack_from(block.body)

    def _short(self, block: Block, fields: Struct) -> CaptureError:
        expected = f"at least {fields.size} bytes in the body of a block of type {block.type:#x}"
        return self._source.damage(block.body_offset, expected, str(len(block.body)))

    def _misfit(self, block: Block, index: int, captured: int, room: int) -> CaptureError:
        if index >= len(self._clocks):
            expected = f"one of the {len(self._clocks)} interfaces that this section has described"
            return self._source.damage(block.body_offset, expected, f"interface {index}")
        expected = f"at most the {room} bytes of packet that the block has room for"
        return self._source.damage(block.body_offset, expected, f"a captured length of {captured}")

    def _integer(self, option: Option, field: Struct) -> int:
        """The value of an option that is one number."""
        if len(option.value) != field.size:
            expected = f"a value of {field.size} bytes for option {option.code}"
            raise self._source.damage(option.offset, expected, f"one of {len(option.value)}")
        (number,) = field.unpack(option.value)
        return int(number)


class PcapngEncoder:
    """Makes the bytes of a pcapng file: one section in little endian, nanoseconds, enhanced packet blocks.

    Each pair of link type and interface name gets an interface of its own, described before its first packet.
    """

    def __init__(self, link_type: LinkType | None, snaplen: int) -> None:
        self._link_type = link_type
        self._snaplen = snaplen
        self._indices: dict[tuple[LinkType, str, str], int] = {}

    def begin(self) -> bytes:
        """The section header, and the interface of the link type if that is known. Comes first, once."""
        fixed = _SECTIONS["<"].pack(_LITTLE_ENDIAN_MAGIC, 1, 0, _LENGTH_UNKNOWN)
        section = pack_block("<", SECTION_TYPE, fixed, [_text_option(_SHB_USERAPPL, f"rawkit {__version__}")])
        return section if self._link_type is None else section + self._describe(self._link_type, "", "")

    def finish(self) -> bytes:
        """What comes after the last packet: nothing yet; interface statistics (4.6) have their place here."""
        return b""

    def encode(self, record: Record) -> bytes:
        """The record's bytes. Raises `FieldError` where it does not fit into this format."""
        _, time_ns, data, wire_length, link_type, interface, comments = record
        if not 0 <= time_ns < _WORD * _WORD:
            raise FieldError("Record", "time_ns", time_ns, "a time from 1970 to 2554, in nanoseconds since 1970")
        name, description = (interface.name, interface.description) if interface else ("", "")
        key = (link_type, name, description)
        index = self._indices.get(key, len(self._indices))
        fixed = _TIMED[_ENHANCED, "<"].pack(index, *divmod(time_ns, _WORD), len(data), wire_length)
        options = [_text_option(_COMMENT, comment) for comment in comments]
        packet = pack_block("<", _ENHANCED, fixed + data, options)
        return packet if key in self._indices else self._describe(*key) + packet

    def _describe(self, link_type: LinkType, name: str, description: str) -> bytes:
        options = [Option(_IF_TSRESOL, b"\x09")]
        if name:
            options.append(_text_option(_IF_NAME, name))
        if description:
            options.append(_text_option(_IF_DESCRIPTION, description))
        block = pack_block("<", _INTERFACE, _INTERFACES["<"].pack(link_type, 0, self._snaplen), options)
        self._indices[link_type, name, description] = len(self._indices)
        return block


def _text(option: Option) -> str:
    return option.value.decode(errors="backslashreplace")


def _text_option(code: int, text: str) -> Option:
    return Option(code, text.encode(errors="backslashreplace"))
