"""The frame of pcapng: blocks, and the options in them (draft-ietf-opsawg-pcapng, sections 3.1 and 3.5).

A block is a type, a total length, a body and the total length again. A section header block opens a section
and sets the byte order of all that follows. Nothing here knows what a body means; `block_types` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import NamedTuple

from rawkit.errors import CaptureError, FieldError
from rawkit.pcap.source import MAXIMUM_BLOCK, ByteOrder, Source

__all__ = [
    "HEAD_SIZE",
    "MAXIMUM_OPTIONS",
    "SECTION_MAGIC",
    "SECTION_TYPE",
    "SMALLEST",
    "TAIL_SIZE",
    "WORD_SIZE",
    "Block",
    "Option",
    "frame_block",
    "pack_block",
    "pack_options",
    "read_blocks",
    "read_options",
]

MAXIMUM_OPTIONS = 65_536
"""Most options in a block; more mean damage."""

SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"
"""The type of a section header block, the same in both byte orders: so opens every pcapng file."""

SECTION_TYPE = 0x0A0D0D0A

_BYTE_ORDERS: dict[bytes, ByteOrder] = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}

_HEADS = {order: Struct(order + "II") for order in "<>"}  # type, total length
_TAILS = {order: Struct(order + "I") for order in "<>"}  # total length
_OPTIONS = {order: Struct(order + "HH") for order in "<>"}  # code, length
HEAD_SIZE = _HEADS["<"].size
TAIL_SIZE = _TAILS["<"].size
SMALLEST = HEAD_SIZE + TAIL_SIZE
WORD_SIZE = 4  # everything is padded to words of this many bytes
_OPTION_LIMIT = 0xFFFF

_new_block = tuple.__new__


class Block(NamedTuple):
    """One block as it stands in the file; `block_types.describe` tells what it means."""

    type: int
    """Block type code (pcapng draft, section 11.1)."""
    raw: bytes
    """All of it, from its type to the second total length."""
    order: ByteOrder
    """The byte order of its section."""
    offset: int = 0
    """Bytes from the start of the file to the block's type; 0 in blocks to be written."""

    @property
    def body(self) -> bytes:
        """All between the two total lengths: fixed fields, options and padding."""
        return self.raw[HEAD_SIZE:-TAIL_SIZE]


class Option(NamedTuple):
    """One option of a block (pcapng draft, section 3.5)."""

    code: int
    value: bytes
    """Without its padding."""
    offset: int = 0
    """Bytes from the start of the file to the option's code; 0 in options to be written."""
    order: ByteOrder = "<"
    """The byte order of numbers in the value."""


def read_blocks(source: Source, order: ByteOrder = "<") -> Iterator[Block]:
    """Every block of every section, known or not, in the order of the file.

    `order` is that of the section in whose midst `source` may stand. Raises `CaptureError` where the frame is
    damaged, after the last block before the damage, with `position` at the damaged block.
    """
    head, tail = _HEADS[order].unpack_from, _TAILS[order].unpack_from
    while source.ensure(SMALLEST):
        data, start, stop, origin = source.data, source.position, len(source.data), source.origin
        while start + SMALLEST <= stop:
            block_type, length = head(data, start)
            if block_type == SECTION_TYPE:
                source.position = start
                order = _byte_order(source)
                head, tail = _HEADS[order].unpack_from, _TAILS[order].unpack_from
                block_type, length = head(data, start)
            end = start + length
            if end > stop or length % WORD_SIZE or length < SMALLEST:
                source.position = start
                _fetch(source, length)
                break
            if (again := tail(data, end - TAIL_SIZE)[0]) != length:
                source.position = start
                expected = f"the block length {length} again at the end of the block"
                raise source.damage(origin + end - TAIL_SIZE, expected, str(again))
            raw, offset = data[start:end], origin + start
            start = end
            yield _new_block(Block, (block_type, raw, order, offset))
        else:
            source.position = start
    if source.available:
        raise source.ended(f"a block of at least {SMALLEST} bytes")


def _fetch(source: Source, length: int) -> None:
    """Have the block at `position`, which says that it has `length` bytes, in the window."""
    if not SMALLEST <= length <= MAXIMUM_BLOCK or length % WORD_SIZE:
        expected = f"a block length from {SMALLEST} to {MAXIMUM_BLOCK}, a multiple of {WORD_SIZE}"
        raise source.damage(source.offset + WORD_SIZE, expected, str(length))
    if not source.ensure(length):
        raise source.ended(f"a block of {length} bytes")


def _byte_order(source: Source) -> ByteOrder:
    """The byte order of the section that starts at `position` (pcapng draft, section 4.1)."""
    start = source.position + HEAD_SIZE
    magic = source.data[start : start + 4]
    if magic not in _BYTE_ORDERS:
        expected = "the byte-order magic 1a2b3c4d or 4d3c2b1a"
        raise source.damage(source.offset + HEAD_SIZE, expected, magic.hex())
    return _BYTE_ORDERS[magic]


def read_options(block: Block, start: int, name: str = "capture") -> Iterator[Option]:
    """The options of a block, which begin at `start` bytes into it; `name` is the file's, for messages.

    They end with opt_endofopt or with the block. Raises `CaptureError` for one that runs past the block, and
    for more than `MAXIMUM_OPTIONS`.
    """
    header, raw, order = _OPTIONS[block.order], block.raw, block.order
    stop = len(raw) - TAIL_SIZE
    start += -start % WORD_SIZE
    count = 0
    while start + header.size <= stop:
        code, length = header.unpack_from(raw, start)
        if code == 0:
            return
        offset = block.offset + start
        count += 1
        if count > MAXIMUM_OPTIONS:
            raise CaptureError(name, offset, f"at most {MAXIMUM_OPTIONS} options in a block", "one more")
        start += header.size
        if start + length > stop:
            expected = f"an option of at most {stop - start} bytes, which the block has left"
            raise CaptureError(name, offset, expected, f"one of {length}")
        yield Option(code, raw[start : start + length], offset, order)
        start += length + -length % WORD_SIZE


def pack_block(order: ByteOrder, block_type: int, fixed: bytes, options: Iterable[Option] = ()) -> bytes:
    """A whole block: `fixed` is padded, then come the options, closed by opt_endofopt if there are any.

    Raises `FieldError` for an option of more than 65535 bytes and for a block of more than `MAXIMUM_BLOCK`.
    """
    packed = pack_options(order, options)
    end = _OPTIONS[order].pack(0, 0) if packed else b""
    return frame_block(order, block_type, fixed + bytes(-len(fixed) % WORD_SIZE) + packed + end)


def pack_options(order: ByteOrder, options: Iterable[Option]) -> bytes:
    """Options, padded, without opt_endofopt. Raises `FieldError` for one of more than 65535 bytes."""
    parts: list[bytes] = []
    header = _OPTIONS[order]
    for option in options:
        if len(option.value) > _OPTION_LIMIT:
            found = f"{len(option.value)} bytes"
            raise FieldError("Option", "value", found, f"at most {_OPTION_LIMIT} bytes")
        parts += header.pack(option.code, len(option.value)), option.value
        parts.append(bytes(-len(option.value) % WORD_SIZE))
    return b"".join(parts)


def frame_block(order: ByteOrder, block_type: int, body: bytes) -> bytes:
    """A block with this body, whose length is a multiple of 4. Raises `FieldError` for one that is too long."""
    length = len(body) + SMALLEST
    if length > MAXIMUM_BLOCK:
        raise FieldError("Block", "body", f"{length} bytes", f"at most {MAXIMUM_BLOCK} bytes in all")
    return _HEADS[order].pack(block_type, length) + body + _TAILS[order].pack(length)
