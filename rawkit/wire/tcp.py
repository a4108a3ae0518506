"""Transmission Control Protocol (RFC 9293) and the options that every stack speaks."""

from __future__ import annotations

from enum import IntFlag
from typing import Annotated

from rawkit.layout import (
    U3,
    U4,
    U8,
    U15,
    U16,
    U32,
    X16,
    Bytes16,
    Checksum,
    Convertible,
    Flag,
    FlagSet,
    HeaderLength,
    Items,
    Often,
    Record,
    Rest,
    auto,
    default,
)
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = [
    "SACK",
    "TCP",
    "FastOpen",
    "MD5Signature",
    "MaximumSegmentSize",
    "SACKBlock",
    "SACKPermitted",
    "TCPAuthentication",
    "TCPEndOfOptions",
    "TCPExperiment",
    "TCPFlags",
    "TCPMalformedOptions",
    "TCPNoOperation",
    "TCPOption",
    "TCPUnknownOption",
    "Timestamps",
    "UserTimeout",
    "WindowScale",
]


class TCPFlags(IntFlag):
    """The control bits (RFC 9293, section 3.1; AE is RFC 9768), in tcpdump's letters `FSRPAUECN`."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32
    ECE = 64
    CWR = 128
    AE = 256


FLAGS = FlagSet(9, TCPFlags, "FSRPAUECN")
TCPFlagSet = Annotated[Convertible[TCPFlags, str | int], FLAGS]


class TCPOption(Record, by="kind"):
    """Any option of a TCP header (RFC 9293, section 3.2)."""

    kind: U8


class TCPEndOfOptions(TCPOption):
    """End of option list; the rest of the header is padding."""

    kind: U8 = 0
    padding: Rest = b""


class TCPNoOperation(TCPOption):
    """No operation, which aligns the option that follows."""

    kind: U8 = 1


class MaximumSegmentSize(TCPOption):
    """The largest segment that the sender of this SYN wants to receive, without headers."""

    kind: U8 = 2
    length: U8 = auto(HeaderLength())
    mss: U16 = 1460


class WindowScale(TCPOption):
    """By how many bits windows are shifted (RFC 7323, section 2.2)."""

    kind: U8 = 3
    length: U8 = auto(HeaderLength())
    shift: U8 = 0


class SACKPermitted(TCPOption):
    """Selective acknowledgements may be sent (RFC 2018, section 2)."""

    kind: U8 = 4
    length: U8 = auto(HeaderLength())


class SACKBlock(Record):
    """A range of sequence numbers that was received: from `left` up to, but without, `right`."""

    left: U32
    right: U32


class SACK(TCPOption):
    """What was received beyond the acknowledgement number (RFC 2018, section 3)."""

    kind: U8 = 5
    length: U8 = auto(HeaderLength())
    blocks: Items[SACKBlock] = ()


class Timestamps(TCPOption):
    """The sender's clock, and the last value that it received (RFC 7323, section 3.2)."""

    kind: U8 = 8
    length: U8 = auto(HeaderLength())
    value: U32 = 0
    echo_reply: U32 = 0


class MD5Signature(TCPOption):
    """A digest over segment and key, which keeps BGP's sessions from being spoofed (RFC 2385, section 3.0)."""

    kind: U8 = 19
    length: U8 = auto(HeaderLength())
    digest: Bytes16 = bytes(16)


class UserTimeout(TCPOption):
    """How long the sender keeps data that nobody acknowledges (RFC 5482, section 3).

    In seconds, or in minutes where `in_minutes` (the granularity bit) is set.
    """

    kind: U8 = 28
    length: U8 = auto(HeaderLength())
    in_minutes: Flag = False
    timeout: U15 = 0


class TCPAuthentication(TCPOption):
    """TCP-AO: a message authentication code, and which keys made it and are to make the next (RFC 5925, 2.2)."""

    kind: U8 = 29
    length: U8 = auto(HeaderLength())
    key_id: U8 = 0
    receive_next_key_id: U8 = 0
    mac: Rest = b""


class FastOpen(TCPOption):
    """The cookie with which a SYN may bring data (RFC 7413, section 2); an empty one asks for a cookie."""

    kind: U8 = 34
    length: U8 = auto(HeaderLength())
    cookie: Rest = b""


class TCPExperiment(TCPOption, values=(254,)):
    """An experiment, which tells by a number what it is (RFC 6994, section 3.1): 0xF989 was Fast Open."""

    kind: U8 = 253
    length: U8 = auto(HeaderLength())
    experiment_id: X16
    data: Rest = b""


class TCPUnknownOption(TCPOption, fallback=True):
    """An option that is not declared here, or whose length is not that of its kind."""

    length: U8 = auto(HeaderLength())
    data: Rest = b""


class TCPMalformedOptions(TCPOption, fallback=True):
    """The rest of the options, from one on whose length leads outside of the header."""

    malformed = True
    data: Rest = b""


TCPOptions = Annotated[
    Items[TCPOption],
    Often(TCPNoOperation, TCPNoOperation, Timestamps),
    Often(MaximumSegmentSize, SACKPermitted, Timestamps, TCPNoOperation, WindowScale),
]
"""Any list; what RFC 7323, appendix A, recommends for segments, and what Linux puts in a SYN, is read fastest."""


class TCP(Header, numbers={IP_PROTOCOLS: 6}):
    """The header of RFC 9293, section 3.1. The defaults are those of a connection's first segment."""

    src_port: U16 = 49152
    dst_port: U16
    seq: U32 = 0
    ack: U32 = 0
    data_offset: U4 = auto(HeaderLength(unit=4))
    reserved: U3 = 0
    flags: TCPFlagSet = default("S")
    window: U16 = 64240
    checksum: X16 = auto(Checksum(pseudo_header=IP_PROTOCOLS))
    urgent_pointer: U16 = 0
    options: TCPOptions = ()

    def describe(self) -> str:
        letters = FLAGS.show(self.flags)
        ack = f" ack={self.ack}" if "A" in letters else ""
        return f"TCP {self.src_port} > {self.dst_port} [{letters or 'none'}] seq={self.seq}{ack} win={self.window}"
