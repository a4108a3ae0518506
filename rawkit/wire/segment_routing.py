"""Segment routing header of IPv6 (RFC 8754, section 2), a routing header of type 4, and its TLVs."""

from __future__ import annotations

from ipaddress import IPv6Address

from rawkit.layout import U8, U15, X8, X16, X32, Count, Flag, HeaderLength, IPv6Addrs, Items, Record, Rest, auto
from rawkit.wire.ipv6 import Routing

__all__ = [
    "SegmentHMAC",
    "SegmentMalformedTLVs",
    "SegmentPad1",
    "SegmentPadN",
    "SegmentRouting",
    "SegmentTLV",
    "SegmentUnknownTLV",
]


class SegmentTLV(Record, by="type"):
    """Any TLV of a segment routing header (section 2.1)."""

    type: U8

    @classmethod
    def fill_bytes(cls, count: int) -> bytes:
        return bytes(SegmentPad1()) if count == 1 else bytes(SegmentPadN(padding=bytes(count - 2)))


class SegmentPad1(SegmentTLV):
    """One byte of padding (section 2.1.1.1)."""

    type: U8 = 0


class SegmentPadN(SegmentTLV):
    """Two or more bytes of padding (section 2.1.1.2)."""

    type: U8 = 4
    length: U8 = auto(HeaderLength(minus=2))
    padding: Rest = b""


class SegmentHMAC(SegmentTLV):
    """Keyed proof that the segments are as they were sent (section 2.1.2); with `d`, dst is not part of it."""

    type: U8 = 5
    length: U8 = auto(HeaderLength(minus=2))
    d: Flag = False
    reserved: U15 = 0
    key_id: X32 = 0
    hmac: Rest = bytes(32)


class SegmentUnknownTLV(SegmentTLV, fallback=True):
    """A TLV that is not declared here, or that is too short for its type."""

    length: U8 = auto(HeaderLength(minus=2))
    value: Rest = b""


class SegmentMalformedTLVs(SegmentTLV, fallback=True):
    """The rest of the TLVs, from one on whose length leads outside of the header."""

    malformed = True
    value: Rest = b""


class SegmentRouting(Routing):
    """The segments to visit, the last one first: `segments[segments_left]` is where the packet goes now."""

    routing_type: U8 = 4
    last_entry: U8 = auto(Count("segments", minus=1))
    flags: X8 = 0
    tag: X16 = 0
    segments: IPv6Addrs
    tlvs: Items[SegmentTLV] = ()

    def final_destination(self) -> IPv6Address | None:
        return self.segments[0] if self.segments_left and self.segments else None

    def describe(self) -> str:
        return f"SegmentRouting {self.segments_left} left of {len(self.segments)}"
