"""Making pcapng files of one's own (draft-ietf-opsawg-pcapng, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct

from rawkit._version import __version__
from rawkit.errors import FieldError
from rawkit.pcap.block_types import ENHANCED, INTERFACE, SECTION, STATISTICS
from rawkit.pcap.blocks import SMALLEST, WORD_SIZE, pack_block
from rawkit.pcap.options import in_order, make_option
from rawkit.pcap.record import CapturedPackets, Counts, Interface, PacketRun, Record
from rawkit.wire.link_type import LinkType

__all__ = ["PcapngEncoder"]

_SECTION = Struct("<4sHHq")  # magic, major, minor, section length
_INTERFACE = Struct("<HHI")  # link type, reserved, snaplen
_PACKET = Struct("<5I")  # interface, time (high half, low half), captured length, length on the wire

_STATISTICS = Struct("<3I")  # interface, time (high half, low half)

_MOST_SHAPES = 4096
"""Lengths of packets for which the layout of a whole block is remembered."""

_WORD = 2**32
_WORD_BITS, _LOW_WORD = 32, 2**32 - 1
_LENGTH_UNKNOWN = -1  # of a section
_LITTLE_ENDIAN_MAGIC = b"\x4d\x3c\x2b\x1a"


_Key = tuple[LinkType, str, str, int | None]
"""What makes an interface another: link type, name, description, length of the frame check sequence."""


class PcapngEncoder:
    """Makes the bytes of a pcapng file: one section in little endian, nanoseconds, enhanced packet blocks.

    Each pair of link type and interface name gets an interface of its own, described before its first packet.
    """

    def __init__(self, link_type: LinkType | None, snaplen: int, interfaces: Sequence[Interface] = ()) -> None:
        self._link_type = link_type
        self._snaplen = snaplen
        self._interfaces = interfaces
        self._indices: dict[_Key, int] = {}
        self._shapes: dict[int, tuple[Callable[..., bytes], int]] = {}

    def begin(self) -> bytes:
        """The section header, and the interfaces that are known. Comes first, once."""
        fixed = _SECTION.pack(_LITTLE_ENDIAN_MAGIC, 1, 0, _LENGTH_UNKNOWN)
        section = pack_block("<", SECTION, fixed, [make_option(SECTION, "shb_userappl", f"rawkit {__version__}")])
        for interface in self._interfaces:
            section += self._describe(_key_of(interface), interface.snaplen)
        if self._link_type is not None and not self._interfaces:
            section += self._describe((self._link_type, "", "", None), self._snaplen)
        return section

    def finish(self) -> bytes:
        """What comes after the last packet: nothing."""
        return b""

    def introduce(self, interface: Interface) -> bytes:
        """What stands before the first packet of an interface: its description; nothing if it is described."""
        key = _key_of(interface)
        return b"" if key in self._indices else self._describe(key, interface.snaplen)

    def encode_many(self, packets: CapturedPackets, interface: Interface) -> bytes | memoryview:
        """Packets of one interface, which was introduced. Raises `struct.error` where one does not fit."""
        index, shapes = self._indices[_key_of(interface)], self._shapes
        if isinstance(packets, PacketRun):
            return _encode_run(packets, index)
        blocks: list[bytes] = []
        append = blocks.append
        for time_ns, data, wire_length in packets:
            size = len(data)
            try:
                pack, length = shapes[size]
            except KeyError:
                pack, length = self._shape(size)
            # Shifted and masked, which takes half of the time that divmod takes.
            high, low = time_ns >> _WORD_BITS, time_ns & _LOW_WORD
            append(pack(ENHANCED, length, index, high, low, size, wire_length, data, length))
        return b"".join(blocks)

    def statistics(self, interface: Interface, counts: Counts) -> bytes:
        """What was counted on an interface, which was introduced, as a block (4.6)."""
        options = [
            make_option(STATISTICS, "isb_starttime", counts.start_ns),
            make_option(STATISTICS, "isb_endtime", counts.stop_ns),
            make_option(STATISTICS, "isb_ifrecv", counts.received),
            make_option(STATISTICS, "isb_ifdrop", counts.dropped),
        ]
        fixed = _STATISTICS.pack(self._indices[_key_of(interface)], *divmod(counts.stop_ns, _WORD))
        return pack_block("<", STATISTICS, fixed, options)

    def encode(self, record: Record) -> bytes:
        """The record's bytes. Raises `FieldError` where it does not fit into this format."""
        _, time_ns, data, wire_length, link_type, interface, comments, others = record
        if not 0 <= time_ns < _WORD * _WORD:
            raise FieldError("Record", "time_ns", time_ns, "a time from 1970 to 2554, in nanoseconds since 1970")
        key = _key_of(interface, link_type) if interface else (link_type, "", "", None)
        index = self._indices.get(key, len(self._indices))
        fixed = _PACKET.pack(index, *divmod(time_ns, _WORD), len(data), wire_length)
        options = [make_option(ENHANCED, "opt_comment", comment) for comment in comments]
        options += [in_order(ENHANCED, option, "<") for option in others]
        packet = pack_block("<", ENHANCED, fixed + data, options)
        return packet if key in self._indices else self._describe(key, self._snaplen) + packet

    def _describe(self, key: _Key, snaplen: int) -> bytes:
        link_type, name, description, fcs_length = key
        options = [make_option(INTERFACE, "if_tsresol", 9)]
        if name:
            options.append(make_option(INTERFACE, "if_name", name))
        if description:
            options.append(make_option(INTERFACE, "if_description", description))
        if fcs_length is not None:
            options.append(make_option(INTERFACE, "if_fcslen", fcs_length * 8))
        block = pack_block("<", INTERFACE, _INTERFACE.pack(link_type, 0, snaplen), options)
        self._indices[key] = len(self._indices)
        return block

    def _shape(self, size: int) -> tuple[Callable[..., bytes], int]:
        """How a packet of so many bytes is packed into a block without options, and how long that is."""
        padding = -size % WORD_SIZE
        length = SMALLEST + _PACKET.size + size + padding
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        # type and total length, the fixed fields, the packet and its padding, the total length again
        shape = self._shapes[size] = Struct(f"<2I5I{size}s{padding}xI").pack, length
        return shape


def _encode_run(packets: PacketRun, index: int) -> memoryview:
    padding = -packets.size % WORD_SIZE
    length = SMALLEST + _PACKET.size + packets.size + padding
    start, size = Struct("<3I").pack(ENHANCED, length, index), Struct("<I").pack(packets.size)
    end = bytes(padding) + Struct("<I").pack(length)
    return packets.rows(start, "time_high", "time_low", size, "length", "data", end)


def _key_of(interface: Interface, link_type: LinkType | None = None) -> _Key:
    return (
        interface.link_type if link_type is None else link_type,
        interface.name,
        interface.description,
        interface.fcs_length,
    )
