"""Arista's timestamps in Ethernet frames (EtherType 0xD28B), of 64 or of 48 bits.

The byte `format` is the format of the time and, in its low half, the hardware: 0 for the series R and R2, 1 for R3
(Arista's "Overview of Arista Timestamps", and tcpdump's print-arista.c, which is Arista's own). Those of R3 are
left as payload, as they are in Wireshark, beside which every field here has to stand.
"""

from rawkit.layout import U16, U32, X8, X16, NextProtocol, auto
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES

__all__ = ["AristaTimestamp", "AristaTimestamp48", "AristaTimestamp64"]


class AristaTimestamp(Header, by="format", numbers={ETHER_TYPES: 0xD28B}):
    """What the field is about (1 is a timestamp), the clock (0 is TAI, 1 UTC), and the format of the time."""

    subtype: U16 = 1
    clock: X8 = 0
    format: X8


class AristaTimestamp64(AristaTimestamp):
    """Seconds and nanoseconds, then the EtherType of what follows."""

    format: X8 = 0x10
    seconds: U32 = 0
    nanoseconds: U32 = 0
    type: X16 = auto(NextProtocol(ETHER_TYPES))


class AristaTimestamp48(AristaTimestamp):
    """The seconds' low 16 bits and nanoseconds, then the EtherType of what follows."""

    format: X8 = 0x20
    seconds: U16 = 0
    nanoseconds: U32 = 0
    type: X16 = auto(NextProtocol(ETHER_TYPES))
