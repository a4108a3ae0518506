"""Making pcapng files of one's own (draft-ietf-opsawg-pcapng, section 4)."""

from __future__ import annotations

from struct import Struct

from rawkit._version import __version__
from rawkit.errors import FieldError
from rawkit.pcap.block_types import ENHANCED, INTERFACE, SECTION
from rawkit.pcap.blocks import pack_block
from rawkit.pcap.options import in_order, make_option
from rawkit.pcap.record import Record
from rawkit.wire.link_type import LinkType

__all__ = ["PcapngEncoder"]

_SECTION = Struct("<4sHHq")  # magic, major, minor, section length
_INTERFACE = Struct("<HHI")  # link type, reserved, snaplen
_PACKET = Struct("<5I")  # interface, time (high half, low half), captured length, length on the wire

_WORD = 2**32
_LENGTH_UNKNOWN = -1  # of a section
_LITTLE_ENDIAN_MAGIC = b"\x4d\x3c\x2b\x1a"


class PcapngEncoder:
    """Makes the bytes of a pcapng file: one section in little endian, nanoseconds, enhanced packet blocks.

    Each pair of link type and interface name gets an interface of its own, described before its first packet.
    """

    def __init__(self, link_type: LinkType | None, snaplen: int) -> None:
        self._link_type = link_type
        self._snaplen = snaplen
        self._indices: dict[tuple[LinkType, str, str, int | None], int] = {}

    def begin(self) -> bytes:
        """The section header, and the interface of the link type if that is known. Comes first, once."""
        fixed = _SECTION.pack(_LITTLE_ENDIAN_MAGIC, 1, 0, _LENGTH_UNKNOWN)
        section = pack_block("<", SECTION, fixed, [make_option(SECTION, "shb_userappl", f"rawkit {__version__}")])
        return section if self._link_type is None else section + self._describe(self._link_type, "", "", None)

    def finish(self) -> bytes:
        """What comes after the last packet: nothing yet; interface statistics (4.6) have their place here."""
        return b""

    def encode(self, record: Record) -> bytes:
        """The record's bytes. Raises `FieldError` where it does not fit into this format."""
        _, time_ns, data, wire_length, link_type, interface, comments, others = record
        if not 0 <= time_ns < _WORD * _WORD:
            raise FieldError("Record", "time_ns", time_ns, "a time from 1970 to 2554, in nanoseconds since 1970")
        if interface:
            key = (link_type, interface.name, interface.description, interface.fcs_length)
        else:
            key = (link_type, "", "", None)
        index = self._indices.get(key, len(self._indices))
        fixed = _PACKET.pack(index, *divmod(time_ns, _WORD), len(data), wire_length)
        options = [make_option(ENHANCED, "opt_comment", comment) for comment in comments]
        options += [in_order(ENHANCED, option, "<") for option in others]
        packet = pack_block("<", ENHANCED, fixed + data, options)
        return packet if key in self._indices else self._describe(*key) + packet

    def _describe(self, link_type: LinkType, name: str, description: str, fcs_length: int | None) -> bytes:
        options = [make_option(INTERFACE, "if_tsresol", 9)]
        if name:
            options.append(make_option(INTERFACE, "if_name", name))
        if description:
            options.append(make_option(INTERFACE, "if_description", description))
        if fcs_length is not None:
            options.append(make_option(INTERFACE, "if_fcslen", fcs_length * 8))
        block = pack_block("<", INTERFACE, _INTERFACE.pack(link_type, 0, self._snaplen), options)
        self._indices[link_type, name, description, fcs_length] = len(self._indices)
        return block
