"""What a capture file holds: counted in one pass, in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rawkit.errors import CaptureError
from rawkit.pcap.block_types import INTERFACE, OBSOLETE, SECTION, SIMPLE, STATISTICS, BlockView, describe
from rawkit.pcap.blocks import Block
from rawkit.pcap.files import Target
from rawkit.pcap.options import DEFAULT_TICKS, ticks_per_second
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture, open_capture
from rawkit.pcap.record import Record
from rawkit.pcap.source import ByteOrder
from rawkit.wire.link_type import LinkType

__all__ = ["InterfaceSummary", "SectionSummary", "Summary", "summarize"]

MOST_LISTED = 1_000
"""Sections, interfaces and damages that are listed one by one; those beyond are only counted."""

_LONGEST_TEXT = 1_000  # characters of an option that are listed
_MOST_TEXT = 1024 * 1024  # characters of all options that are listed
_MOST_TYPES = 256  # of blocks; those beyond are counted together
_NANOSECONDS = 1_000_000_000  # in a second
_DROPS_UNKNOWN = 0xFFFF  # in obsolete packet blocks (pcapng draft, appendix A)

Told = tuple[tuple[str, str], ...]
"""Names and values of options."""


@dataclass
class SectionSummary:
    """A section of a pcapng file."""

    order: ByteOrder
    version: str
    options: Told


@dataclass
class InterfaceSummary:
    """An interface, and what was seen on it. A classic file has one."""

    section: int
    """From 0."""
    index: int
    """In its section."""
    link_type: LinkType
    snaplen: int
    ticks_per_second: int
    options: Told = ()
    packets: int = 0
    captured_bytes: int = 0
    wire_bytes: int = 0
    statistics: dict[str, int] = field(default_factory=dict)
    """The counters of its last statistics block, such as `isb_ifrecv`: each counts from the capture's start."""
    dropped_between: int | None = None
    """Sum of what its packets say was dropped before each; None if none says."""

    @property
    def drops(self) -> int | None:
        """Packets dropped, as its statistics say, or its packets where these do not; None if neither does."""
        told = [self.statistics[name] for name in ("isb_ifdrop", "isb_osdrop") if name in self.statistics]
        return sum(told) if told else self.dropped_between


@dataclass
class Summary:
    """What a capture file holds."""

    name: str = ""
    format: str = ""
    """`pcap` or `pcapng`."""
    snaplen: int = 0
    """What a classic file's header says is kept of each packet at the most, in bytes; 0 for no limit."""
    size: int = 0
    """Bytes of the file, as it is when decompressed, up to the end or the damage."""
    compressed: bool = False
    packets: int = 0
    captured_bytes: int = 0
    wire_bytes: int = 0
    start_ns: int | None = None
    """The earliest time of a packet, in nanoseconds since 1970; None if none has one."""
    stop_ns: int | None = None
    """The latest."""
    untimed: int = 0
    """Packets in simple packet blocks, which have no time."""
    steps_back: int = 0
    """Packets that are earlier than the packet before them."""
    first_step_back: int | None = None
    """The number of the first of them."""
    longest_step_back_ns: int = 0
    cut: int = 0
    """Packets of which fewer bytes were captured than were on the wire."""
    shortest_cut: int = 0
    """The fewest bytes that were kept of one of them."""
    longest_cut: int = 0
    comments: int = 0
    """Of packets."""
    packet_options: int = 0
    """Other options of packets."""
    link_types: Counter[LinkType] = field(default_factory=Counter)
    """Packets of each link type; also of those that only an interface has."""
    blocks: Counter[str] = field(default_factory=Counter)
    """Of a pcapng file, by the draft's names."""
    sections: list[SectionSummary] = field(default_factory=list)
    interfaces: list[InterfaceSummary] = field(default_factory=list)
    interface_count: int = 0
    drops: int = 0
    """Packets that the file says were dropped."""
    drops_recorded: bool = False
    """Whether the file says anything about drops."""
    damages: list[str] = field(default_factory=list)
    """What cannot be read, in words."""
    damage_count: int = 0

    @property
    def duration_ns(self) -> int | None:
        """From the earliest to the latest packet."""
        return None if self.start_ns is None or self.stop_ns is None else self.stop_ns - self.start_ns

    @property
    def byte_rate(self) -> float | None:
        """Bytes on the wire in a second; None if that takes no time."""
        return self.wire_bytes * _NANOSECONDS / self.duration_ns if self.duration_ns else None

    @property
    def packet_rate(self) -> float | None:
        """Packets in a second; None if they take no time."""
        return self.packets * _NANOSECONDS / self.duration_ns if self.duration_ns else None

    @property
    def mean_length(self) -> float | None:
        """Bytes on the wire of a packet; None if there is none."""
        return self.wire_bytes / self.packets if self.packets else None

    def add_damage(self, damage: object) -> None:
        """Note what cannot be read."""
        self.damage_count += 1
        if len(self.damages) < MOST_LISTED:
            self.damages.append(str(damage))


def summarize(
    source: Target,
    *,
    salvage: bool = False,
    link_type: LinkType | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Read a capture file to its end, and tell what it holds; `on_progress` is given the count of packets.

    Damage ends it, unless `salvage` has it go on behind (see `open_capture`, also for `link_type`); either way it
    stands in the summary. Raises `FileError`, and `CaptureError` for what is no capture file.
    """
    summary = Summary()
    with open_capture(source, on_damage=summary.add_damage if salvage else None, link_type=link_type) as capture:
        counting = _Counting(summary, capture)
        try:
            for part in capture.parts():
                counting.take(part)
                on_progress(summary.packets)
        except CaptureError as error:
            summary.add_damage(error)
        counting.close_section()
    return summary


class _Counting:
    """A summary that grows part by part."""

    def __init__(self, summary: Summary, capture: Capture) -> None:
        header = capture.header
        self.summary = summary
        summary.name, summary.format, summary.compressed = capture.name, capture.format, capture.compressed
        summary.snaplen = header.snaplen if header else 0
        self._section = -1 if header is None else 0
        self._current: list[InterfaceSummary] = []  # of the section that is being read
        self._previous_ns: int | None = None
        self._room = _MOST_TEXT
        if header is not None:
            (interface,) = capture.interfaces
            told = () if interface.fcs_length is None else (("if_fcslen", str(interface.fcs_length * 8)),)
            self._add_interface(interface.link_type, interface.snaplen, interface.ticks_per_second, told)

    def take(self, part: Part) -> None:
        """Count one more part."""
        block = part.block
        self.summary.size = max(self.summary.size, part.offset + len(part.raw))
        if block is not None:
            self._count_block(block)
        if part.record is not None:
            self._count_packet(part.record, block)

    def _count_packet(self, record: Record, block: Block | None) -> None:
        summary, captured = self.summary, len(record.data)
        summary.packets += 1
        summary.captured_bytes += captured
        summary.wire_bytes += record.wire_length
        summary.link_types[record.link_type] += 1
        if captured < record.wire_length:
            summary.shortest_cut = min(captured, summary.shortest_cut) if summary.cut else captured
            summary.longest_cut = max(captured, summary.longest_cut)
            summary.cut += 1
        if block is not None and block.type == SIMPLE:
            summary.untimed += 1
        else:
            self._count_time(record)
        interface = self._current[record.interface.index if record.interface is not None else 0]
        interface.packets += 1
        interface.captured_bytes += captured
        interface.wire_bytes += record.wire_length
        summary.comments += len(record.comments)
        if block is not None and (record.options or block.type == OBSOLETE):
            summary.packet_options += len(record.options)
            dropped = self._dropped_before(record, block)
            if dropped is not None:
                interface.dropped_between = (interface.dropped_between or 0) + dropped

    def _dropped_before(self, record: Record, block: Block) -> int | None:
        """How many packets were dropped before this one, if its block says so."""
        if block.type == OBSOLETE:
            dropped = describe(block).fields["drops_count"]
            return None if dropped == _DROPS_UNKNOWN else dropped
        dropped = record.option("epb_dropcount")
        return dropped if isinstance(dropped, int) else None

    def _count_time(self, record: Record) -> None:
        summary, time_ns = self.summary, record.time_ns
        if self._previous_ns is not None and time_ns < self._previous_ns:
            summary.steps_back += 1
            summary.first_step_back = summary.first_step_back or record.number
            summary.longest_step_back_ns = max(summary.longest_step_back_ns, self._previous_ns - time_ns)
        self._previous_ns = time_ns
        if summary.start_ns is None or time_ns < summary.start_ns:
            summary.start_ns = time_ns
        if summary.stop_ns is None or time_ns > summary.stop_ns:
            summary.stop_ns = time_ns

    def _count_block(self, block: Block) -> None:
        summary = self.summary
        name = BlockView(block.type, block.order, {}, b"").name
        if name not in summary.blocks and len(summary.blocks) == _MOST_TYPES:
            name = "further types"
        summary.blocks[name] += 1
        if block.type not in (SECTION, INTERFACE, STATISTICS):
            return
        try:
            view = describe(block, summary.name)
        except CaptureError as error:
            summary.add_damage(error)
            if block.type != SECTION:
                return
            view = BlockView(SECTION, block.order, {"major_version": 1, "minor_version": 0}, b"")
        if block.type == SECTION:
            self._open_section(view)
        elif block.type == INTERFACE:
            resolution = view.option("if_tsresol")
            ticks = ticks_per_second(resolution) if isinstance(resolution, int) else DEFAULT_TICKS
            link_type, snaplen = LinkType(view.fields["link_type"]), view.fields["snaplen"]
            self._add_interface(link_type, snaplen, ticks, self._told(view))
        elif view.fields["interface_id"] < len(self._current):
            counters = {name: value for name, value in view.named_options if isinstance(value, int)}
            self._current[view.fields["interface_id"]].statistics |= counters

    def _open_section(self, view: BlockView) -> None:
        self.close_section()
        self._section += 1
        version = f"{view.fields['major_version']}.{view.fields['minor_version']}"
        if len(self.summary.sections) < MOST_LISTED:
            self.summary.sections.append(SectionSummary(view.order, version, self._told(view)))

    def close_section(self) -> None:
        """Add up what was dropped: no more will be said about these interfaces."""
        for interface in self._current:
            if interface.drops is not None:
                self.summary.drops_recorded = True
                self.summary.drops += interface.drops
        self._current = []

    def _add_interface(self, link_type: LinkType, snaplen: int, ticks: int, told: Told) -> None:
        interface = InterfaceSummary(self._section, len(self._current), link_type, snaplen, ticks, told)
        self._current.append(interface)
        self.summary.interface_count += 1
        self.summary.link_types[link_type] += 0
        if len(self.summary.interfaces) < MOST_LISTED:
            self.summary.interfaces.append(interface)

    def _told(self, view: BlockView) -> Told:
        """The options of a block as text, as long as there is room for them."""
        told = []
        for name, value in view.named_options:
            text = str(value)[:_LONGEST_TEXT]
            self._room -= len(name) + len(text)
            if self._room < 0:
                break
            told.append((name, text))
        return tuple(told)
