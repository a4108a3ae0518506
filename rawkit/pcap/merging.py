"""Several captures as one pcapng section, in order of time.

Each interface of each section of each capture stays one of its own, and gets a new number. All blocks stay
between the packets of their capture between which they stood, and come out byte for byte, but for interface
numbers and, where their byte order is not that of the first capture, for numbers. The section header is that of
the first capture, told no length; what further section headers say stands on the first interface that is
described behind them: their comments as comments, and their other options as comments too, with the name of the
option, since a section has but one hardware, system and application.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from rawkit.errors import CaptureError, FieldError
from rawkit.pcap.block_types import ENHANCED, INTERFACE, OBSOLETE, SECTION, SIMPLE, STATISTICS, BlockView, describe
from rawkit.pcap.blocks import Block, Option
from rawkit.pcap.converting import ToPcapng
from rawkit.pcap.options import in_order, make_option
from rawkit.pcap.parts import Part
from rawkit.pcap.pcapng import MAXIMUM_INTERFACES
from rawkit.pcap.reader import Capture
from rawkit.pcap.record import Record
from rawkit.pcap.source import ByteOrder

__all__ = ["Merged"]

_NUMBERED = frozenset({ENHANCED, OBSOLETE, STATISTICS})
"""Types of block that name an interface."""

_ANYWHERE = frozenset({1, 2988, 2989, 19372, 19373})  # comments and custom options, which any block may have
_LENGTH_UNKNOWN = -1

_Heads = list[tuple[int, int, Part]]  # time, which capture, its next packet


class Merged:
    """The parts of several captures as those of one pcapng file. `lost` counts what has no place there.

    Of the next packets of all captures the earliest comes next; of several, that of the first capture. So
    packets that are out of order in their capture stay so.
    """

    def __init__(self, captures: Sequence[Capture]) -> None:
        self.lost: Counter[str] = Counter()
        """How many of what could not be kept, by what it is in words."""
        self._order: ByteOrder | None = None  # that of the first capture, once it is known
        self._interface_count = 0
        self._captures = captures

    def parts(self) -> Iterator[Part]:
        """The section header, then all other blocks; the records are numbered anew, from 1.

        Raises `CaptureError` where a capture is damaged, and `FieldError` for more interfaces than a section
        may have.
        """
        streams = [self._renumbered(capture) for capture in self._captures]
        heads: _Heads = []
        for index, stream in enumerate(streams):
            yield from _to_packet(stream, index, heads)
        number = 0
        while heads:
            _, index, part = heappop(heads)
            number += 1
            assert part.record is not None
            yield part._replace(record=part.record._replace(number=number))
            yield from _to_packet(streams[index], index, heads)

    def _renumbered(self, capture: Capture) -> Iterator[Part]:
        """The parts of one capture, as they stand in the merged section."""
        parts = capture.parts()
        if capture.header is not None:
            conversion = ToPcapng(capture)
            conversion.lost = self.lost  # one account of all
            parts = conversion.parts(parts)
        numbers: list[int] = []  # the new number of each interface of the current section
        pending: tuple[Option, ...] = ()
        for part in parts:
            block = part.block
            assert block is not None
            if block.type == SECTION:
                numbers = []
                self._count_lost(pending)
                pending = ()
                if self._order is None:
                    self._order = block.order
                    yield Part.of(describe(block, capture.name).replace(section_length=_LENGTH_UNKNOWN).block)
                else:
                    pending = _as_interface_options(describe(block, capture.name), self._order)
            elif block.type == INTERFACE:
                numbers.append(self._next_number())
                yield self._described(part, block, pending)
                pending = ()
            else:
                yield self._placed(part, block, numbers, capture.name)
        self._count_lost(pending)

    def _next_number(self) -> int:
        number, self._interface_count = self._interface_count, self._interface_count + 1
        if number == MAXIMUM_INTERFACES:
            raise FieldError("Merged", "interfaces", number + 1, f"at most {MAXIMUM_INTERFACES} in all captures")
        return number

    def _described(self, part: Part, block: Block, more: tuple[Option, ...]) -> Part:
        """An interface description, with more options."""
        if not more and block.order == self._order:
            return part
        view = describe(block)
        return Part.of(view.replace(order=self._order, options=(*view.options, *more)).block)

    def _placed(self, part: Part, block: Block, numbers: list[int], name: str) -> Part:
        """Any other block, with the new number of the interface that it names."""
        if block.type == SIMPLE:
            return self._with_interface(part, block, numbers[0])
        if block.type not in _NUMBERED:
            same = block.order == self._order
            return part if same else self._changed(part, describe(block, name).replace(order=self._order))
        view = describe(block, name)
        index = view.fields["interface_id"]
        if index >= len(numbers):
            expected = f"one of the {len(numbers)} interfaces that this section has described"
            raise CaptureError(name, block.offset, expected, f"interface {index}")
        if numbers[index] == index and block.order == self._order:
            return part
        return self._changed(part, view.replace(order=self._order, interface_id=numbers[index]))

    def _with_interface(self, part: Part, block: Block, number: int) -> Part:
        """A simple packet block, which is always about interface 0; an enhanced one, where that is another now."""
        record, order = part.record, self._order or block.order
        assert record is not None
        if number == 0:
            return part if block.order == order else self._changed(part, describe(block).replace(order=order))
        fields = {
            "interface_id": number,
            "timestamp_high": 0,
            "timestamp_low": 0,
            "captured_length": len(record.data),
            "original_length": record.wire_length,
        }
        return self._changed(part, BlockView(ENHANCED, order, fields, record.data))

    def _changed(self, part: Part, view: BlockView) -> Part:
        return Part.of(view.block)._replace(record=_in_order(part.record, view))

    def _count_lost(self, options: tuple[Option, ...]) -> None:
        if options:
            self.lost["section option"] += len(options)


def _to_packet(stream: Iterator[Part], index: int, heads: _Heads) -> Iterator[Part]:
    """The blocks before the next packet of a capture; the packet goes to the heads."""
    for part in stream:
        if part.record is not None:
            heappush(heads, (part.record.time_ns, index, part))
            return
        yield part


def _as_interface_options(section: BlockView, order: ByteOrder) -> tuple[Option, ...]:
    """What a section header says, for an interface description."""
    options = []
    for option, (name, value) in zip(section.options, section.named_options, strict=True):
        if option.code in _ANYWHERE:
            options.append(in_order(SECTION, option, order))
        else:
            options.append(make_option(INTERFACE, "opt_comment", f"{name}: {value}", order))
    return tuple(options)


def _in_order(record: Record | None, view: BlockView) -> Record | None:
    """The record with its options as they are in the block."""
    if record is None or not record.options:
        return record
    return record._replace(options=tuple(in_order(view.type, option, view.order) for option in record.options))
