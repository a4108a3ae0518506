"""The variants of classic capture files: what each magic number opens, and which record headers follow.

The variants beside the standard one are those of wiretap/libpcap.c: patched libpcaps wrote longer record headers,
some under the standard magic number, so which it is shows only in the first records.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from rawkit.errors import FieldError
from rawkit.pcap.source import ByteOrder
from rawkit.wire.link_type import LinkType

__all__ = ["FILE_HEADER", "MAGICS", "MAXIMUM_SNAPLEN", "STANDARD", "VERSIONS", "FileHeader", "Variant", "fitting"]

MAXIMUM_SNAPLEN = 262_144
"""libpcap's longest packet, in bytes. A record may be longer only where the file header's snaplen says so."""

VERSIONS = ((2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (543, 0))
"""Of the format, as libpcap; the last is DG/UX's."""

# magic, major, minor, time zone and accuracy (nearly always 0), snaplen, link type
FILE_HEADER = "4sHHiIII"

_MICROSECONDS, _NANOSECONDS = 1_000_000, 1_000_000_000
_PROBED, _PROOF = 8, 3  # records
_LONGEST_ON_WIRE = 128 * 1024 * 1024  # more than any link carries, so a larger one is no length


class Variant(NamedTuple):
    """One way to write the records of a file."""

    name: str
    header: str
    """The record header, as `struct` writes it: seconds, fraction, captured length, length on the wire."""

    @property
    def size(self) -> int:
        """Bytes of a record header."""
        return Struct("<" + self.header).size


STANDARD = Variant("pcap", "IIII")
RED_HAT = Variant("Red Hat 6.1 (ss990417)", "IIII8x")  # interface index, protocol, packet type
NOKIA = Variant("Nokia", "IIII4x")
KUZNETZOV = Variant("modified (ss991029)", "IIII8x")  # interface index, protocol, packet type
SUSE = Variant("SuSE 6.3 (ss990915)", "IIII12x")  # these, and two processors
AIX = Variant("AIX", "IIII")
IXIA = Variant("Ixia lcap", "IIII")


class Magic(NamedTuple):
    """What a magic number tells."""

    order: ByteOrder
    ticks: int
    """Of the clock, in a second."""
    variants: tuple[Variant, ...]
    """Those that were written under this magic number, the likeliest first."""
    extra: int = 0
    """Bytes between the file header and the first record."""


_KINDS = {
    0xA1B2C3D4: (_MICROSECONDS, (STANDARD, RED_HAT, NOKIA), 0),
    0xA1B23C4D: (_NANOSECONDS, (STANDARD,), 0),
    0xA1B2CD34: (_MICROSECONDS, (KUZNETZOV, SUSE), 0),
    0x1C0001AC: (_MICROSECONDS, (IXIA,), 4),  # from hardware
    0x1C0001AB: (_MICROSECONDS, (IXIA,), 4),  # from software
}
_ORDERS: tuple[ByteOrder, ByteOrder] = ("<", ">")
MAGICS: dict[bytes, Magic] = {
    Struct(order + "I").pack(number): Magic(order, *kind) for number, kind in _KINDS.items() for order in _ORDERS
}

_AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}  # to them from the interface types of RFC 1573
_LINK_TYPES = 0x10000  # the link type is the low half of its field
_FCS_TOLD = 0x04000000  # bit P: the length of frame check sequences is told
_FCS_UNIT = 0x10000000  # by the four highest bits, in words of two bytes
_FCS_LENGTHS = range(0, 32, 2)


class FileHeader(NamedTuple):
    """The header of a classic capture file, field by field (draft-ietf-opsawg-pcap, section 4)."""

    magic: bytes
    major: int
    minor: int
    time_zone: int
    """Seconds that were to be added to each time stamp; nobody does, nor does rawkit."""
    accuracy: int
    snaplen: int
    link: int
    """The whole word of the link type, with what it says about frame check sequences."""
    extra: bytes = b""
    """What stands between it and the first record (Ixia)."""

    @property
    def order(self) -> ByteOrder:
        """The byte order of the file."""
        return MAGICS[self.magic].order

    @property
    def is_aix(self) -> bool:
        """Whether the file is AIX's, which is told by version 2.2 and an RFC 1573 interface type."""
        return (self.major, self.minor) == (2, 2) and self.link in _AIX_LINK_TYPES

    @property
    def ticks(self) -> int:
        """Ticks of the file's clock in a second."""
        return _NANOSECONDS if self.is_aix else MAGICS[self.magic].ticks

    @property
    def link_type(self) -> LinkType:
        """What the first header of each packet is."""
        return LinkType(_AIX_LINK_TYPES[self.link] if self.is_aix else self.link % _LINK_TYPES)

    @property
    def fcs_length(self) -> int | None:
        """Bytes of frame check sequence behind each packet; None where the file does not say."""
        return self.link // _FCS_UNIT * 2 if self.link // _FCS_TOLD % 2 else None

    @staticmethod
    def link_word(link_type: int, fcs_length: int | None) -> int:
        """What `link` is for a link type, and a length of frame check sequences in bytes.

        None is not told, nor is a length that the field cannot hold.
        """
        if fcs_length is None or fcs_length not in _FCS_LENGTHS:
            return link_type
        return link_type + _FCS_TOLD + fcs_length // 2 * _FCS_UNIT

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Those that the records may be of, the likeliest first."""
        return (AIX,) if self.is_aix else MAGICS[self.magic].variants

    def pack(self) -> bytes:
        """The bytes of the header. Raises `FieldError` where a number does not fit."""
        *fields, extra = self
        try:
            return Struct(self.order + FILE_HEADER).pack(*fields) + extra
        except StructError as error:
            raise FieldError("FileHeader", "fields", fields, f"numbers that fit their fields ({error})") from error

    def unpacker(self, variant: Variant) -> Callable[[bytes, int], tuple[int, int, int, int]]:
        """A function that reads a record header: seconds, fraction, captured length, length on the wire.

        Before version 2.3 the lengths stood the other way round; in 2.3 itself either way (wiretap/libpcap.c).
        """
        unpack = Struct(self.order + variant.header).unpack_from
        version = self.major, self.minor

        def swapped(data: bytes, start: int) -> tuple[int, int, int, int]:
            seconds, fraction, one, other = unpack(data, start)
            if version == (2, 3) and one <= other:
                return seconds, fraction, one, other
            return seconds, fraction, other, one

        return swapped if version in _SWAPPED else unpack


_SWAPPED = ((2, 0), (2, 1), (2, 2), (2, 3), (543, 0))


def fitting(header: FileHeader, data: bytes, start: int) -> Variant:
    """The variant that the first records speak for, as far as they are in `data` from `start` on.

    The likeliest, unless its record headers make no sense, and those of another do for `_PROOF` whole records, or
    for all that there are.
    """
    likeliest, *others = header.variants
    if _sound_records(header, likeliest, data, start) is None:
        for variant in others:
            if (_sound_records(header, variant, data, start) or 0) >= _PROOF:
                return variant
    return likeliest


def _sound_records(header: FileHeader, variant: Variant, data: bytes, start: int) -> int | None:
    """How many records are whole and make sense if they are of this variant; None if a header makes none."""
    unpack = header.unpacker(variant)
    for count in range(_PROBED):
        if start == len(data) and count:
            return _PROBED
        if start + variant.size > len(data):
            return count - 1
        _, fraction, captured, wire_length = unpack(data, start)
        if fraction >= header.ticks or not captured <= wire_length <= _LONGEST_ON_WIRE:
            return None
        if captured > min(header.snaplen or MAXIMUM_SNAPLEN, MAXIMUM_SNAPLEN):
            return None
        start += variant.size + captured
    return _PROBED
