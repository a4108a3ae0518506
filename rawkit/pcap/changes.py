"""Parts of a capture file with another packet in them: all that the packet does not tell stays as it was."""

from __future__ import annotations

from struct import Struct
from struct import error as StructError

from rawkit.errors import FieldError
from rawkit.pcap.block_types import ENHANCED, SIMPLE, BlockView, describe
from rawkit.pcap.blocks import Block
from rawkit.pcap.options import code_of, make_option
from rawkit.pcap.record import Record
from rawkit.pcap.variants import FileHeader, Variant

__all__ = ["changed_block", "changed_record"]

_NANOSECONDS = 1_000_000_000  # in a second
_WORD = 2**32
_COMMENT = code_of("opt_comment")


def changed_record(raw: bytes, old: Record, new: Record, header: FileHeader, variant: Variant) -> bytes:
    """The record of a classic file that read as `old`, so that it reads as `new`.

    Time is rounded down to the file's ticks. Raises `FieldError` for a value that does not fit.
    """
    fields = Struct(header.order + "IIII")
    seconds, fraction, *lengths = fields.unpack_from(raw)
    if new.time_ns != old.time_ns:
        seconds, rest = divmod(new.time_ns, _NANOSECONDS)
        fraction = rest * header.ticks // _NANOSECONDS
    wanted = [len(new.data), new.wire_length]
    if lengths != [len(old.data), old.wire_length]:  # they stand the other way round
        wanted.reverse()
    try:
        packed = fields.pack(seconds, fraction, *wanted)
    except StructError as error:
        expected = "a time from 1970 to 2106 and lengths below 4 GiB"
        raise FieldError("Record", "time_ns", new.time_ns, expected) from error
    return packed + raw[fields.size : variant.size] + new.data


def changed_block(block: Block, old: Record, new: Record) -> Block:
    """The packet block that read as `old`, so that it reads as `new`; other options stay.

    Time is rounded down to the ticks of the interface. A simple packet block, which holds neither time nor
    comment nor a cut packet, becomes an enhanced one. Raises `FieldError` for a value that does not fit.
    """
    view = describe(block)
    ticks = _WORD * view.fields.get("timestamp_high", 0) + view.fields.get("timestamp_low", 0)
    per_second = old.interface.ticks_per_second if old.interface else _NANOSECONDS
    if block.type == SIMPLE:
        offset_ns = old.interface.offset_seconds * _NANOSECONDS if old.interface and new.time_ns else 0
        ticks = (new.time_ns - offset_ns) * per_second // _NANOSECONDS
        view = BlockView(ENHANCED, block.order, {"interface_id": 0}, b"")
    else:
        ticks += (new.time_ns - old.time_ns) * per_second // _NANOSECONDS
    if not 0 <= ticks < _WORD * _WORD:
        longest = _WORD * _WORD // per_second
        expected = f"a time that the interface's clock can tell, up to {longest} s after 1970 (or if_tsoffset)"
        raise FieldError("Record", "time_ns", new.time_ns, expected)
    high, low = divmod(ticks, _WORD)
    fields = view.fields | {
        "timestamp_high": high,
        "timestamp_low": low,
        "captured_length": len(new.data),
        "original_length": new.wire_length,
    }
    options = view.options
    if (old.comments, old.options) != (new.comments, new.options):
        comments = [make_option(block.type, "opt_comment", text, block.order) for text in new.comments]
        options = (*comments, *new.options)
    closed = view.closed if view.options else bool(options)
    return BlockView(view.type, view.order, fields, new.data, options, closed).block
