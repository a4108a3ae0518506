"""What the blocks of pcapng mean: sections, interfaces and packets (draft-ietf-opsawg-pcapng, section 4).

Blocks of other types are passed over; `blocks.read_blocks` gives them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from struct import Struct
from typing import NamedTuple

from .._version import __version__
from ..errors import FieldError
from ..wire.link_type import LinkType
from .blocks import SECTION_MAGIC, SECTION_TYPE, Block, Option, pack_block, read_blocks, read_options
from .record import Interface, Record
from .source import MAXIMUM_BLOCK, Source

__all__ = ["MAXIMUM_INTERFACES", "PcapngEncoder", "PcapngReader"]

MAXIMUM_INTERFACES = 65_536
"""Most interfaces in a section; their blocks may take `MAXIMUM_BLOCK` bytes together. More mean damage."""

_INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6  # block types
_COMMENT, _SHB_USERAPPL, _IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL, _IF_TSOFFSET = (
    1,
    4,
    2,
    3,
    9,
    14,
)  # option codes

_SECTIONS = {order: Struct(order + "4sHHq") for order in "<>"}  # magic, major, minor, section length
_INTERFACES = {order: Struct(order + "HHI") for order in "<>"}  # link type, reserved, snaplen
_ENHANCEDS = {
    order: Struct(order + "5I") for order in "<>"
}  # interface, time (high, low), captured, on the wire
_PACKETS = {order: Struct(order + "HH4I") for order in "<>"}  # interface, drops, then the same
_SIMPLES = {order: Struct(order + "I") for order in "<>"}  # on the wire
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
        return cls(
            interface, interface.link_type, multiplier, divisor, interface.offset_seconds * _NANOSECONDS
        )


class PcapngReader:
    """The records of a pcapng file, one after another, over all its sections."""

    format = "pcapng"
    magics = frozenset([SECTION_MAGIC])

    def __init__(self, source: Source) -> None:
        """Reads the header of the first section. Raises `CaptureError`."""
        self._source = source
        self._blocks = read_blocks(source)
        self._number = 0
        self._open_section(next(self._blocks))

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces of the current section, as far as it was read."""
        return tuple(clock.interface for clock in self._clocks)

    def __iter__(self) -> Iterator[Record]:
        """Raises `CaptureError` where the file is damaged, after the last record before the damage."""
        for block in self._blocks:
            if block.type == _ENHANCED:
                yield self._enhanced(block)
            elif block.type == _SIMPLE:
                yield self._simple(block)
            elif block.type == _PACKET:
                yield self._obsolete(block)
            elif block.type == _INTERFACE:
                self._add_interface(block)
            elif block.type == SECTION_TYPE:
                self._open_section(block)

    def _open_section(self, block: Block) -> None:
        """Section header block (4.1): interfaces count anew. Its length is not used: all is read."""
        fields = _SECTIONS[block.order]
        self._need(block, fields)
        magic, major, minor, _ = fields.unpack_from(block.body)
        if major != 1 or minor not in (0, 2):  # some wrote 2, and meant 0
            raise self._source.damage(
                block.body_offset + len(magic), "version 1.0", f"version {major}.{minor}"
            )
        self._clocks: list[_Clock] = []
        self._interface_bytes = 0

    def _add_interface(self, block: Block) -> None:
        """Interface description block (4.2)."""
        fields = _INTERFACES[block.order]
        self._need(block, fields)
        self._interface_bytes += len(block.body)
        if len(self._clocks) == MAXIMUM_INTERFACES or self._interface_bytes > MAXIMUM_BLOCK:
            expected = (
                f"at most {MAXIMUM_INTERFACES} interfaces, of {MAXIMUM_BLOCK} bytes together, in a section"
            )
            raise self._source.damage(block.offset, expected, "one more")
        link_type, _, snaplen = fields.unpack_from(block.body)
        name = description = ""
        ticks_per_second, offset_seconds = 1_000_000, 0
        for option in read_options(self._source, block, fields.size):
            if option.code == _IF_NAME:
                name = _text(option)
            elif option.code == _IF_DESCRIPTION:
                description = _text(option)
            elif option.code == _IF_TSRESOL:
                exponent = self._number_in(option, Struct("B"))
                power = 2 ** (exponent - _POWERS_OF_TWO) if exponent >= _POWERS_OF_TWO else 10**exponent
                ticks_per_second = int(power)
            elif option.code == _IF_TSOFFSET:
                offset_seconds = self._number_in(option, _OFFSETS[block.order])
        index = len(self._clocks)
        interface = Interface(
            index, LinkType(link_type), snaplen, name, description, ticks_per_second, offset_seconds
        )
        self._clocks.append(_Clock.of(interface))

    def _enhanced(self, block: Block) -> Record:
        """Enhanced packet block (4.3)."""
        fields = _ENHANCEDS[block.order]
        self._need(block, fields)
        index, high, low, captured, wire_length = fields.unpack_from(block.body)
        return self._record(block, fields.size, index, high * _WORD + low, captured, wire_length)

    def _obsolete(self, block: Block) -> Record:
        """Packet block (appendix A), which enhanced packet blocks have replaced."""
        fields = _PACKETS[block.order]
        self._need(block, fields)
        index, _, high, low, captured, wire_length = fields.unpack_from(block.body)
        return self._record(block, fields.size, index, high * _WORD + low, captured, wire_length)

    def _simple(self, block: Block) -> Record:
        """Simple packet block (4.4): no time, no options, interface 0, cut to the snaplen of that."""
        fields = _SIMPLES[block.order]
        self._need(block, fields)
        (wire_length,) = fields.unpack_from(block.body)
        snaplen = self._clock(block, 0).interface.snaplen
        captured = min(wire_length, snaplen or wire_length)
        return self._record(block, fields.size, 0, None, captured, wire_length)

    def _record(
        self, block: Block, start: int, index: int, ticks: int | None, captured: int, wire_length: int
    ) -> Record:
        """The record of a packet block whose packet begins `start` bytes into the body."""
        body, stop = block.body, start + captured
        interface, link_type, multiplier, divisor, summand = self._clock(block, index)
        if stop > len(body):
            expected = f"at most the {len(body) - start} bytes of packet that the block has room for"
            raise self._source.damage(block.body_offset, expected, f"a captured length of {captured}")
        time_ns = 0 if ticks is None else ticks * multiplier // divisor + summand
        comments = self._comments(block, stop) if stop + 3 < len(body) else ()  # more than padding
        self._number += 1
        return _new_record(
            Record, (self._number, time_ns, body[start:stop], wire_length, link_type, interface, comments)
        )

    def _comments(self, block: Block, start: int) -> tuple[str, ...]:
        options = read_options(self._source, block, start)
        return tuple([_text(option) for option in options if option.code == _COMMENT])

    def _clock(self, block: Block, index: int) -> _Clock:
        if index >= len(self._clocks):
            expected = f"one of the {len(self._clocks)} interfaces that this section has described"
            raise self._source.damage(block.body_offset, expected, f"interface {index}")
        return self._clocks[index]

    def _need(self, block: Block, fields: Struct) -> None:
        if len(block.body) < fields.size:
            expected = f"at least {fields.size} bytes in a block of type {block.type}"
            raise self._source.damage(block.body_offset, expected, str(len(block.body)))

    def _number_in(self, option: Option, fields: Struct) -> int:
        if len(option.value) != fields.size:
            expected = f"a value of {fields.size} bytes for option {option.code}"
            raise self._source.damage(option.offset, expected, f"one of {len(option.value)}")
        number: int = fields.unpack(option.value)[0]
        return number


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
            raise FieldError(
                "Record", "time_ns", time_ns, "a time from 1970 to 2554, in nanoseconds since 1970"
            )
        name, description = (interface.name, interface.description) if interface else ("", "")
        key = (link_type, name, description)
        index = self._indices.get(key, len(self._indices))
        fixed = _ENHANCEDS["<"].pack(index, *divmod(time_ns, _WORD), len(data), wire_length)
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
