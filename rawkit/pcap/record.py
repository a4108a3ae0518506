"""What a capture file holds: records, and the interfaces that they were seen on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rawkit.wire.dissect import dissect
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Packet

__all__ = ["Interface", "Record"]


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as a capture file describes it (pcapng draft, section 4.2); a classic file has one."""

    index: int
    """Which of its section it is, from 0: the number that the file's packet blocks give."""
    link_type: LinkType
    """What the first header of its packets is."""
    snaplen: int = 0
    """Longest packet that was kept, in bytes; 0 for no limit."""
    name: str = ""
    """Such as `eth0`; empty where the file does not say."""
    description: str = ""
    """In words; empty where the file does not say."""
    ticks_per_second: int = 1_000_000_000
    """Resolution of the time stamps in the file."""
    offset_seconds: int = 0
    """What the file wants added to each time stamp; `Record.time_ns` has it already."""


class Record(NamedTuple):
    """One captured packet, as bytes.

    A tuple, since a tuple is what Python makes fastest; read it by its names.
    """

    number: int
    """From 1, counted over the whole file, as Wireshark's `frame.number`."""
    time_ns: int
    """Nanoseconds since 1970-01-01 UTC; 0 where the file has no time (simple packet blocks)."""
    data: bytes
    """The bytes that were captured, from the first of the header that `link_type` names."""
    wire_length: int
    """Length on the wire, in bytes; more than `len(data)` where the capture cut the packet."""
    link_type: LinkType
    """What the first header of `data` is."""
    interface: Interface | None = None
    """Where it was seen; None only in records that were made by hand."""
    comments: tuple[str, ...] = ()
    """What people wrote about it; bytes that are not UTF-8 stand as `\\xff`."""

    def packet(self) -> Packet:
        """`data` taken apart: never raises on its content (see `rawkit.wire.dissect`)."""
        return dissect(self.data, self.link_type, wire_length=self.wire_length)
