"""What a capture file holds: records, and the interfaces that they were seen on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from rawkit.wire.dissect import dissect
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Packet

if TYPE_CHECKING:
    from rawkit.pcap.blocks import Option

__all__ = [
    "CHECKSUM_UNFINISHED",
    "CapturedPacket",
    "CapturedPackets",
    "Counts",
    "Interface",
    "PacketRun",
    "Record",
]

CHECKSUM_UNFINISHED: Final = "checksum left to the card"
"""The comment on a packet whose transport checksum is not finished, as a sender's own kernel sees it."""

_ENHANCED = 6  # the type of block; the older packet block has the same options
_DIRECTIONS = ("", "inbound", "outbound", "")
_FCS_UNIT, _FCS_LENGTHS = 32, 16  # the length of the frame check sequence is in bits 5 to 8 of epb_flags


CapturedPacket = tuple[int, bytes, int]
"""The least that is known of a packet: nanoseconds since 1970, the bytes captured, the length on the wire."""


class PacketRun(ABC):
    """Captured packets of one size, which can be written at once (`rawkit.columnar`)."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many bytes of each packet were captured."""

    @abstractmethod
    def rows(self, *parts: bytes | str) -> memoryview:
        """For each packet these parts in turn: bytes that are the same for all, or by its name a column.

        Columns are `time_high` and `time_low` (nanoseconds since 1970 in two words of 32 bits), `length` on the
        wire, all three in little endian, and `data`.
        """

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[CapturedPacket]: ...

    @abstractmethod
    def __getitem__(self, which: slice) -> Self: ...


CapturedPackets = Sequence[CapturedPacket] | PacketRun
"""Several of them."""


class Counts(NamedTuple):
    """What was counted on an interface while it was captured (pcapng draft, section 4.6)."""

    received: int
    """Packets that passed the filter, among them those that were dropped."""
    dropped: int
    """Packets that there was no room for."""
    start_ns: int
    """When the capture began, in nanoseconds since 1970."""
    stop_ns: int
    """When it was counted."""


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
    fcs_length: int | None = None
    """Bytes of frame check sequence at the end of each packet; None where the file does not say."""


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
    options: tuple[Option, ...] = ()
    """What else its pcapng block says (`epb_flags`, `epb_dropcount`, ...); `option` reads one."""

    def option(self, name: str) -> Any:
        """The value of the option of that name, such as `epb_queue`; None if there is none."""
        from rawkit.pcap.options import code_of, value_of  # here, since few files have any

        code = code_of(name)
        return next((value_of(_ENHANCED, option) for option in self.options if option.code == code), None)

    @property
    def fcs_length(self) -> int:
        """Bytes of frame check sequence at the end of the packet on the wire; 0 where the file does not tell."""
        told = self._flags // _FCS_UNIT % _FCS_LENGTHS
        return told or (self.interface.fcs_length or 0 if self.interface else 0)

    @property
    def checksum_unfinished(self) -> bool:
        """Whether a comment says that the transport checksum was left to the network card: no option has it."""
        return CHECKSUM_UNFINISHED in self.comments

    @property
    def direction(self) -> str:
        """`inbound` or `outbound`; empty where the file does not say (pcapng draft, section 4.3.1)."""
        return _DIRECTIONS[self._flags % len(_DIRECTIONS)]

    @property
    def _flags(self) -> int:
        flags = self.option("epb_flags") if self.options else None
        return flags if isinstance(flags, int) else 0  # bytes, where its length is not that of a number

    def packet(self) -> Packet:
        """`data` taken apart: never raises on its content (see `rawkit.wire.dissect`)."""
        interface = self.interface
        if self.options or self.comments or (interface is not None and interface.fcs_length):
            return dissect(
                self.data,
                self.link_type,
                wire_length=self.wire_length,
                checksum_unfinished=self.checksum_unfinished,
                fcs_length=self.fcs_length,
            )
        return dissect(self.data, self.link_type, wire_length=self.wire_length)
