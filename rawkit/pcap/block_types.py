"""What the blocks of pcapng are called and hold (draft-ietf-opsawg-pcapng, sections 4 and 11.1).

`describe` takes a block apart into its fixed fields, its content and its options; the view that it gives can
`replace` any of these, or the byte order of all, and is a block again. Blocks of types that are not known here
have their whole body as content, and keep it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from struct import Struct
from struct import error as StructError
from typing import Any, NamedTuple

from rawkit.errors import CaptureError, FieldError
from rawkit.pcap.blocks import (
    HEAD_SIZE,
    SECTION_TYPE,
    TAIL_SIZE,
    WORD_SIZE,
    Block,
    Option,
    frame_block,
    pack_options,
    read_options,
)
from rawkit.pcap.options import in_order, name_of, value_of
from rawkit.pcap.source import ByteOrder

__all__ = [
    "CUSTOM",
    "CUSTOM_NOT_COPIED",
    "ENHANCED",
    "INTERFACE",
    "JOURNAL",
    "KNOWN_TYPES",
    "NAMES",
    "OBSOLETE",
    "PACKETS",
    "SECRETS",
    "SECTION",
    "SIMPLE",
    "STATISTICS",
    "BlockView",
    "NameRecord",
    "describe",
    "name_of_type",
    "section_header",
]

SECTION = SECTION_TYPE
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_LENGTH_UNKNOWN = -1  # of a section
INTERFACE, OBSOLETE, SIMPLE, NAMES, STATISTICS, ENHANCED = 1, 2, 3, 4, 5, 6
JOURNAL, SECRETS = 9, 10
CUSTOM, CUSTOM_NOT_COPIED = 0x00000BAD, 0x40000BAD

PACKETS = frozenset({OBSOLETE, SIMPLE, ENHANCED})
"""The types of block that hold a packet."""


class Shape(NamedTuple):
    """How blocks of one type are made up."""

    name: str
    fields: tuple[str, ...] = ()
    format: str = ""
    """The fixed fields, as `struct` writes them, without the byte order."""
    length_field: str = ""
    """The field that tells how long the content is, without its padding."""
    has_content: bool = True
    """Whether anything stands between the fixed fields and the options."""
    has_options: bool = True


_TIMED = ("timestamp_high", "timestamp_low", "captured_length", "original_length")
_SHAPES = {
    SECTION: Shape(
        "Section Header",
        ("byte_order_magic", "major_version", "minor_version", "section_length"),
        "IHHq",
        has_content=False,
    ),
    INTERFACE: Shape("Interface Description", ("link_type", "reserved", "snaplen"), "HHI", has_content=False),
    OBSOLETE: Shape("Packet", ("interface_id", "drops_count", *_TIMED), "HH4I", "captured_length"),
    SIMPLE: Shape("Simple Packet", ("original_length",), "I", has_options=False),
    NAMES: Shape("Name Resolution"),
    STATISTICS: Shape(
        "Interface Statistics", ("interface_id", "timestamp_high", "timestamp_low"), "3I", has_content=False
    ),
    ENHANCED: Shape("Enhanced Packet", ("interface_id", *_TIMED), "5I", "captured_length"),
    JOURNAL: Shape("systemd Journal Export", has_options=False),
    SECRETS: Shape("Decryption Secrets", ("secrets_type", "secrets_length"), "II", "secrets_length"),
    CUSTOM: Shape("Custom", ("private_enterprise_number",), "I", has_options=False),
    CUSTOM_NOT_COPIED: Shape("Custom, not copied", ("private_enterprise_number",), "I", has_options=False),
}
_UNKNOWN = Shape("", has_options=False)

KNOWN_TYPES = frozenset(_SHAPES)
"""The types of block that are known here."""

_RECORDS = {order: Struct(order + "HH") for order in "<>"}  # type, length: of a name resolution record


class NameRecord(NamedTuple):
    """One record of a name resolution block (pcapng draft, section 4.5)."""

    type: int
    """1 IPv4, 2 IPv6, 3 EUI-48, 4 EUI-64."""
    value: bytes
    """An address, and names that each end with a zero byte (for types 1 to 4)."""

    @property
    def address(self) -> bytes:
        """The address; empty where the type is not known."""
        return self.value[: _ADDRESS_SIZES.get(self.type, 0)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names; none where the type is not known."""
        if self.type not in _ADDRESS_SIZES:
            return ()
        names = self.value[_ADDRESS_SIZES[self.type] :].split(b"\0")
        return tuple(name.decode(errors="backslashreplace") for name in names if name)


_ADDRESS_SIZES = {1: 4, 2: 16, 3: 6, 4: 8}


@dataclass(frozen=True)
class BlockView:
    """A block taken apart. Made by `describe`."""

    type: int
    order: ByteOrder
    fields: dict[str, int]
    """The fixed fields, by the draft's names."""
    content: bytes
    """What stands between the fixed fields and the options, without padding: the packet, the name records up to
    and with their end, the secrets. All that follows the fixed fields in blocks whose options cannot be told
    from it (custom and unknown ones)."""
    options: tuple[Option, ...] = ()
    closed: bool = False
    """Whether opt_endofopt stands behind the options."""

    @property
    def name(self) -> str:
        """The draft's name of this type of block."""
        return name_of_type(self.type)

    @property
    def named_options(self) -> tuple[tuple[str, Any], ...]:
        """Each option's name and value (see `options.value_of`)."""
        return tuple((name_of(self.type, one.code), value_of(self.type, one)) for one in self.options)

    def option(self, name: str) -> Any:
        """The value of the first option of that name; None if there is none."""
        return next((value for one, value in self.named_options if one == name), None)

    @property
    def records(self) -> tuple[NameRecord, ...]:
        """The records of a name resolution block; none in others."""
        return tuple(_walk_names(self.content, self.order)[0]) if self.type == NAMES else ()

    @property
    def block(self) -> Block:
        """The block that this view shows, made anew. Raises `FieldError` where a value does not fit."""
        shape = _SHAPES.get(self.type, _UNKNOWN)
        fields = dict(self.fields)
        if shape.length_field:
            fields[shape.length_field] = len(self.content)
        try:
            fixed = Struct(self.order + shape.format).pack(*fields.values())
        except StructError as error:
            raise FieldError(self.name, "fields", fields, f"numbers that fit their fields ({error})") from error
        body = fixed + self.content + bytes(-len(self.content) % WORD_SIZE)
        body += pack_options(self.order, [in_order(self.type, one, self.order) for one in self.options])
        body += bytes(WORD_SIZE) if self.closed else b""
        return Block(self.type, frame_block(self.order, self.type, body), self.order)

    def replace(
        self,
        *,
        order: ByteOrder | None = None,
        content: bytes | None = None,
        options: tuple[Option, ...] | None = None,
        **fields: int,
    ) -> BlockView:
        """The same with other fields, content or options, or in another byte order.

        The captured length follows the content. What a custom or unknown block holds stays as it is in another
        byte order, nobody here knowing where its numbers are. Raises `FieldError` for a field that is not there.
        """
        for field in fields.keys() - self.fields.keys():
            raise FieldError(self.name, field, fields[field], f"one of the fields {', '.join(self.fields)}")
        options = self.options if options is None else options
        content = self.content if content is None else content
        if order not in (None, self.order) and self.type == NAMES:
            content = _reordered(content, self.order, order or self.order)
        return replace(
            self,
            order=order or self.order,
            fields=self.fields | fields,
            content=content,
            options=options,
            closed=self.closed or bool(options and not self.options),
        )


def name_of_type(block_type: int) -> str:
    """The draft's name of a type of block, such as `Enhanced Packet`; `type 0x77` for one not known here."""
    return _SHAPES.get(block_type, _UNKNOWN).name or f"type {block_type:#x}"


def describe(block: Block, name: str = "capture") -> BlockView:
    """Take a block apart; `name` is the file's, for messages.

    Raises `CaptureError` for a block that is too short for its fixed fields or for what they say, and for an
    option that runs past it.
    """
    shape = _SHAPES.get(block.type, _UNKNOWN)
    fixed = Struct(block.order + shape.format)
    if len(block.raw) < HEAD_SIZE + fixed.size + TAIL_SIZE:
        expected = f"at least {fixed.size} bytes in the body of a block of type {block.type:#x}"
        raise CaptureError(name, block.offset + HEAD_SIZE, expected, str(len(block.body)))
    fields = dict(zip(shape.fields, fixed.unpack_from(block.raw, HEAD_SIZE), strict=True))
    start = HEAD_SIZE + fixed.size
    stop = _content_end(block, shape, fields, start)
    if stop > len(block.raw) - TAIL_SIZE:
        room = len(block.raw) - TAIL_SIZE - start
        expected = f"at most the {room} bytes that the block has room for"
        raise CaptureError(name, block.offset + HEAD_SIZE, expected, f"a {shape.length_field} of {stop - start}")
    content = block.raw[start:stop]
    if not shape.has_options:
        return BlockView(block.type, block.order, fields, content)
    options = tuple(read_options(block, stop, name))
    used = stop + -stop % WORD_SIZE + len(pack_options(block.order, options))
    closed = used + WORD_SIZE <= len(block.raw) - TAIL_SIZE
    return BlockView(block.type, block.order, fields, content, options, closed)


def _content_end(block: Block, shape: Shape, fields: dict[str, int], start: int) -> int:
    """Where the content that begins at `start` bytes into the block ends; the options follow its padding."""
    if shape.length_field:
        return start + fields[shape.length_field]
    if not shape.has_options:
        return len(block.raw) - TAIL_SIZE
    return start + (_walk_names(block.raw[start:-TAIL_SIZE], block.order)[1] if block.type == NAMES else 0)


def _walk_names(content: bytes, order: ByteOrder) -> tuple[list[NameRecord], int]:
    """The records of a name resolution block, and where they end: behind their end record.

    Where one runs past the block, all of it is taken for records.
    """
    header, start = _RECORDS[order], 0
    records: list[NameRecord] = []
    while start + header.size <= len(content):
        kind, length = header.unpack_from(content, start)
        start += header.size
        if kind == 0:
            return records, start
        if start + length > len(content):
            break
        records.append(NameRecord(kind, content[start : start + length]))
        start += length + -length % WORD_SIZE
    return records, len(content)


def _reordered(content: bytes, old: ByteOrder, new: ByteOrder) -> bytes:
    """Name records in another byte order."""
    parts: list[bytes] = []
    for kind, value in _walk_names(content, old)[0]:
        parts += _RECORDS[new].pack(kind, len(value)), value, bytes(-len(value) % WORD_SIZE)
    return b"".join(parts) + bytes(WORD_SIZE)


def section_header(order: ByteOrder) -> Block:
    """A section header (4.1) that says no more than its byte order."""
    fields = {
        "byte_order_magic": _BYTE_ORDER_MAGIC,
        "major_version": 1,
        "minor_version": 0,
        "section_length": _LENGTH_UNKNOWN,
    }
    return BlockView(SECTION, order, fields, b"").block
