"""Editing capture files: choosing packets, changing them, and all else as it was, byte for byte.

What is asked for is done in one order, whatever order it was asked in: captures are merged; packets are chosen by
number, by time and by filter; those that repeat another are left out; the format is converted; times are
shifted; packets are cut; comments are added; the result is split. Numbers and times are those before any of this
but the merging, and filters and repeats look at whole packets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from rawkit.errors import FieldError
from rawkit.pcap.block_types import SECTION, SIMPLE, describe
from rawkit.pcap.compressed import uncompressed
from rawkit.pcap.converting import ToClassic, ToPcapng, changed_packet
from rawkit.pcap.copying import CaptureCopy
from rawkit.pcap.files import Target, is_replaceable, path_of
from rawkit.pcap.filter import CaptureFilter
from rawkit.pcap.merging import Merged
from rawkit.pcap.options import DEFAULT_TICKS, make_option
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture, open_capture
from rawkit.pcap.record import Record
from rawkit.pcap.repeats import Repeats
from rawkit.pcap.salvage import OnDamage
from rawkit.pcap.shifting import ShiftedStatistics, check_shift
from rawkit.pcap.splitting import SplitCopy, Splitting
from rawkit.pcap.writer import CLASSIC_SUFFIXES, Format
from rawkit.wire.link_type import LinkType

__all__ = ["Edit", "Moment", "Outcome", "edit_capture"]

_PCAPNG_SUFFIXES = frozenset({".pcapng", ".ntar"})

Changed = Callable[[Part, Record], Part]
"""Puts another record into a part."""


class Moment(NamedTuple):
    """A point in time."""

    nanoseconds: int
    from_first: bool = False
    """Whether they count from the first packet; else from 1970."""


@dataclass(frozen=True)
class Edit:
    """What is to be done with a capture; by default nothing."""

    numbers: Sequence[tuple[int, int | None]] = ()
    """Keep the packets with these numbers, from 1: first and last of each range, None for no end. Empty: all."""
    since: Moment | None = None
    """Keep packets of this time or later. Packets without a time are then left out."""
    before: Moment | None = None
    """Keep packets earlier than this."""
    filter: CaptureFilter | None = None
    """Keep packets that it lets pass."""
    repeats: Repeats | None = None
    """Leave out packets that it finds to be repeats. It remembers packets, so it serves one capture."""
    comments: Mapping[int, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Comments to add to the packets with these numbers."""
    file_comments: Sequence[str] = ()
    """Comments to add to the (first) section."""
    shift_ns: int = 0
    """Nanoseconds to add to every time; what a clock of the file cannot tell is an error, nothing is rounded."""
    snaplen: int | None = None
    """Keep so many bytes of each packet at the most; its length on the wire stays."""


class Outcome(NamedTuple):
    """What came of it."""

    read: int
    """Packets."""
    written: int
    files: int
    lost: Counter[str]
    """How many of what the other format has no place for, by what it is in words."""


def edit_capture(
    source: Target,
    target: Target,
    edit: Edit,
    *,
    merge: Sequence[Target] = (),
    split: Splitting | None = None,
    on_damage: OnDamage | None = None,
    link_type: LinkType | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Write an edited copy of a capture, in constant memory; `on_progress` is given the count of packets read.

    The target has the format that its name tells (.pcap, .cap, .dmp; .pcapng, .ntar; and compression as
    `CaptureCopy`), else that of the source. Parts that are not changed come out byte for byte if the format
    stays. A file appears under its name when it is complete, and may be one of the sources; with `split` see
    `SplitCopy`. Damage is an error, unless `on_damage` is given (see `open_capture`, also for `link_type`).

    Raises `CaptureError`, `FileError`, `FilterError`, and `FieldError` for what the target's format or clock
    cannot hold, and for a comment on a packet that is not written.
    """
    with ExitStack() as stack:
        captures = [
            stack.enter_context(open_capture(one, on_damage=on_damage, link_type=link_type))
            for one in (source, *merge)
        ]
        pipeline = _Pipeline(captures, _format_of(target, cast("Format", captures[0].format)), edit, on_progress)
        with _copy(target, split, pipeline.unchanged) as copy:
            for part in pipeline.parts():
                copy.write(part)
    files = copy.files if isinstance(copy, SplitCopy) else 1
    return Outcome(pipeline.read, copy.count, files, +pipeline.lost)


def _copy(target: Target, split: Splitting | None, unchanged: Capture | None) -> CaptureCopy | SplitCopy:
    if split is None:
        return CaptureCopy(target, unchanged)
    name = path_of(target)
    if name is None or not is_replaceable(name):
        raise FieldError(
            "edit_capture", "target", target, "the name of a file, from which the names of more are made"
        )
    return SplitCopy(name, split, unchanged)


def _format_of(target: Target, otherwise: Format) -> Format:
    """The format that a target's name tells."""
    name = path_of(target)
    suffix = "" if name is None else Path(uncompressed(name)).suffix.lower()
    if suffix in CLASSIC_SUFFIXES:
        return "pcap"
    return "pcapng" if suffix in _PCAPNG_SUFFIXES else otherwise


class _Pipeline:
    """The stages that the parts of the captures go through."""

    def __init__(
        self, captures: Sequence[Capture], target_format: Format, edit: Edit, on_progress: Callable[[int], None]
    ) -> None:
        first = captures[0]
        self._edit, self._on_progress = edit, on_progress
        self.read = 0
        """Packets read so far."""
        self._merged = Merged(captures) if len(captures) > 1 else None
        self._source: Capture | Merged = self._merged or first
        source_format = "pcapng" if self._merged is not None else first.format
        self._conversion: ToClassic | ToPcapng | None = None
        if source_format != target_format:
            self._conversion = ToClassic() if target_format == "pcap" else ToPcapng(first)
        self.unchanged = first if self._merged is None and self._conversion is None else None
        """The capture whose parts are written as they are, where they are not changed."""
        if target_format == "pcap" and (edit.comments or edit.file_comments):
            expected = "none, since classic pcap files have no place for them (a name ending in .pcapng does)"
            raise FieldError("Edit", "comments", len(edit.comments) + len(edit.file_comments), expected)
        self._ticks = first.header.ticks if first.header is not None and self._merged is None else None

    @property
    def lost(self) -> Counter[str]:
        """How many of what was lost by conversion."""
        lost: Counter[str] = Counter()
        for stage in (self._merged, self._conversion):
            if stage is not None:
                lost += stage.lost
        return lost

    def parts(self) -> Iterator[Part]:
        """The parts to be written."""
        edit, changed = self._edit, self._changed
        parts = self._chosen(self._source.parts())
        if self._conversion is not None:
            parts = self._conversion.parts(parts)
        if edit.shift_ns:
            parts = self._shifted(parts, edit.shift_ns, changed)
        if edit.snaplen is not None:
            parts = _cut(parts, edit.snaplen, changed)
        if edit.comments or edit.file_comments:
            parts = _commented(parts, edit.comments, edit.file_comments)
        return parts

    def _changed(self, part: Part, record: Record) -> Part:
        if part.block is not None:
            return changed_packet(part, record)
        changer = self._conversion or self._source
        assert not isinstance(changer, Merged)
        return changer.changed(part, record)

    def _chosen(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts without the packets that are not wanted."""
        edit = self._edit
        wanted = _numbers(edit.numbers)
        period = _Period(edit.since, edit.before)
        for part in parts:
            record = part.record
            if record is not None:
                self.read += 1
                self._on_progress(self.read)
                in_period = period.holds(record, timed=part.block is None or part.block.type != SIMPLE)
                if not (wanted(record.number) and in_period):
                    continue
                if edit.filter is not None and not edit.filter.matches(record):
                    continue
                if edit.repeats is not None and edit.repeats.holds(record):
                    continue
            yield part

    def _shifted(self, parts: Iterable[Part], shift_ns: int, changed: Changed) -> Iterator[Part]:
        """The parts in another time. Packets without a time stay so."""
        statistics = ShiftedStatistics(shift_ns)
        if self._ticks is not None:
            check_shift(shift_ns, self._ticks)
        for part in parts:
            record = part.record
            if record is None:
                yield statistics.take(part)
            elif part.block is not None and part.block.type == SIMPLE:
                yield part
            else:
                if part.block is not None:
                    check_shift(shift_ns, record.interface.ticks_per_second if record.interface else DEFAULT_TICKS)
                yield _later(part, record, shift_ns, changed)


def _later(part: Part, record: Record, shift_ns: int, changed: Changed) -> Part:
    """The part in another time. Raises `FieldError` for one that the file cannot hold."""
    try:
        return changed(part, record._replace(time_ns=record.time_ns + shift_ns))
    except FieldError as error:
        expected = f"nanoseconds that leave packet {record.number} {error.expected}"
        raise FieldError("Edit", "shift_ns", shift_ns, expected) from error


def _cut(parts: Iterable[Part], snaplen: int, changed: Changed) -> Iterator[Part]:
    """The parts, with no more than so many bytes of each packet."""
    for part in parts:
        record = part.record
        if record is None or len(record.data) <= snaplen:
            yield part
        else:
            yield changed(part, record._replace(data=record.data[:snaplen]))


def _commented(
    parts: Iterable[Part], comments: Mapping[int, Sequence[str]], file_comments: Sequence[str]
) -> Iterator[Part]:
    """The parts with more comments. Raises `FieldError` at the end if a packet for one was not there."""
    waiting = dict(comments)
    for part in parts:
        block, record = part.block, part.record
        if record is not None and record.number in waiting:
            yield _with_comments(part, waiting.pop(record.number))
        elif block is not None and block.type == SECTION and file_comments:
            yield _with_comments(part, file_comments)
            file_comments = ()
        else:
            yield part
    if waiting:
        expected = "the number of a packet that is written"
        raise FieldError("Edit", "comments", min(waiting), expected)


def _with_comments(part: Part, texts: Sequence[str]) -> Part:
    """A block with more comments, behind the options that it has."""
    if part.record is not None and part.block is not None and part.block.type == SIMPLE:
        return changed_packet(part, part.record._replace(comments=tuple(texts)))
    assert part.block is not None
    view = describe(part.block)
    more = [make_option(view.type, "opt_comment", text, view.order) for text in texts]
    block = view.replace(options=(*view.options, *more)).block
    record = part.record
    if record is not None:
        record = record._replace(comments=(*record.comments, *texts))
    return part._replace(raw=block.raw, block=block, record=record)


def _numbers(ranges: Sequence[tuple[int, int | None]]) -> Callable[[int], bool]:
    """Whether a number is in one of the ranges; asked in ascending order, as packets come."""
    waiting = sorted(ranges, key=lambda one: one[0], reverse=True)
    last: int | None = 0 if ranges else None  # of the ranges that have begun; None for no end

    def wanted(number: int) -> bool:
        nonlocal last
        while waiting and waiting[-1][0] <= number:
            _, stop = waiting.pop()
            last = None if stop is None or last is None else max(last, stop)
        return last is None or number <= last

    return wanted


class _Period:
    """From one moment on, up to another; either may be left out."""

    def __init__(self, since: Moment | None, before: Moment | None) -> None:
        self._since, self._before = since, before
        self._first_ns: int | None = None

    def holds(self, record: Record, *, timed: bool) -> bool:
        """Whether the record, which has a time or has not, is in it."""
        if self._since is None and self._before is None:
            return True
        if not timed:
            return False
        if self._first_ns is None:
            self._first_ns = record.time_ns
        if self._since is not None and record.time_ns < self._absolute(self._since, self._first_ns):
            return False
        return self._before is None or record.time_ns < self._absolute(self._before, self._first_ns)

    @staticmethod
    def _absolute(moment: Moment, first_ns: int) -> int:
        return moment.nanoseconds + (first_ns if moment.from_first else 0)
