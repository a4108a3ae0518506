"""A capture file without loss: its parts, which joined again are the file."""

from __future__ import annotations

from typing import NamedTuple

from rawkit.pcap.blocks import Block
from rawkit.pcap.record import Record

__all__ = ["Part"]


class Part(NamedTuple):
    """One part of a capture file, byte for byte: the file header or a record (pcap), or a block (pcapng)."""

    raw: bytes
    """Its bytes as they stand in the file, headers and padding and all."""
    offset: int
    """Where they stand, in bytes from the start of the file (as it is when decompressed)."""
    record: Record | None = None
    """The packet in it; None if it holds none."""
    block: Block | None = None
    """The same as a block; None in classic files, whose first part is the file header and all others packets."""

    @classmethod
    def of(cls, block: Block) -> Part:
        """A part that comes from no file: a block that was made or changed."""
        return cls(block.raw, block.offset, None, block)
