"""Stream Control Transmission Protocol (RFC 9260): the common header, and its chunks as bytes."""

from __future__ import annotations

from rawkit.layout import U8, U16, X8, X32, CRC32c, FillUp, HeaderLength, Items, Record, Rest, auto
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = ["SCTP", "SCTPAnyChunk", "SCTPChunk", "SCTPMalformedChunks"]


class SCTPAnyChunk(Record, by="type"):
    """What stands in a list of chunks."""

    type: U8


class SCTPChunk(SCTPAnyChunk, fallback=True):
    """A chunk of any type (section 3.2). Its length does not count what pads it to four bytes."""

    flags: X8 = 0
    length: U16 = auto(HeaderLength())
    data: Rest = b""
    padding: Rest = auto(FillUp(4))


class SCTPMalformedChunks(SCTPAnyChunk, fallback=True):
    """The rest of the chunks, from one on whose length leads out of the packet, or is less than its header's."""

    malformed = True
    data: Rest = b""


class SCTP(Header, numbers={IP_PROTOCOLS: 132}, body=False):
    """The common header (section 3.1) with the chunks that follow it, to the end of the packet."""

    src_port: U16 = 49152
    dst_port: U16
    verification_tag: X32 = 0
    checksum: X32 = auto(CRC32c())
    chunks: Items[SCTPAnyChunk] = ()

    def describe(self) -> str:
        chunks = " ".join([CHUNKS.get(chunk.type, f"chunk {chunk.type}") for chunk in self.chunks])
        return f"SCTP {self.src_port} > {self.dst_port} [{chunks or 'no chunks'}]"


CHUNKS = {
    0: "DATA",
    1: "INIT",
    2: "INIT ACK",
    3: "SACK",
    4: "HEARTBEAT",
    5: "HEARTBEAT ACK",
    6: "ABORT",
    7: "SHUTDOWN",
    8: "SHUTDOWN ACK",
    9: "ERROR",
    10: "COOKIE ECHO",
    11: "COOKIE ACK",
    12: "ECNE",
    13: "CWR",
    14: "SHUTDOWN COMPLETE",
    15: "AUTH",
    64: "I-DATA",
    128: "ASCONF ACK",
    130: "RE-CONFIG",
    132: "PAD",
    192: "FORWARD TSN",
    193: "ASCONF",
    194: "I-FORWARD TSN",
}
"""https://www.iana.org/assignments/sctp-parameters"""
