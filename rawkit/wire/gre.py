"""Generic Routing Encapsulation (RFC 2784; key and sequence number: RFC 2890; version 1, of PPTP: RFC 2637)."""

from __future__ import annotations

from typing import Annotated

from rawkit.layout import (
    U3,
    U4,
    U16,
    X16,
    Checksum,
    Flag,
    Length,
    NextProtocol,
    OptionalU32,
    OptionalX16,
    OptionalX32,
    Presence,
    auto,
    expected,
)
from rawkit.wire.packet import Header
from rawkit.wire.spaces import GRE_PROTOCOLS, GRE_PROTOCOLS_UNNUMBERED, IP_PROTOCOLS

__all__ = ["GRE", "EnhancedGRE", "GREHeader"]


class GREHeader(Header, by="version", numbers={IP_PROTOCOLS: 47}):
    """What all versions have in common; of a version that is not known, and of a source route, no more is read.

    `packet[GREHeader]` finds any of them. The flags that RFC 2784 reserves are named as in RFC 1701.
    """

    checksum_present: Flag = False
    routing_present: Flag = False
    key_present: Flag = False
    sequence_present: Flag = False
    strict_source_route: Flag = False
    recursion_control: U3 = 0
    acknowledgment_present: Flag = False
    flags: U4 = 0
    version: U3
    protocol: X16 = 0

    def describe(self) -> str:
        return f"GRE version {self.version}{' with a source route' if self.routing_present else ''}"


class GRE(GREHeader):
    """Version 0. What is given of checksum, key and sequence number is there; `checksum=AUTO` computes it."""

    checksum_present: Flag = auto(Presence("checksum", "reserved"))
    routing_present: Flag = expected(0, decisive=True)
    key_present: Flag = auto(Presence("key"))
    sequence_present: Flag = auto(Presence("sequence"))
    version: U3 = 0
    protocol: X16 = auto(NextProtocol(GRE_PROTOCOLS, instead=("sequence_present", GRE_PROTOCOLS_UNNUMBERED)))
    checksum: Annotated[OptionalX16, Checksum()] = None
    reserved: OptionalX16 = None
    key: OptionalX32 = None
    sequence: OptionalU32 = None

    def describe(self) -> str:
        key = "" if self.key is None else f" key=0x{self.key:x}"
        sequence = "" if self.sequence is None else f" seq={self.sequence}"
        return f"GRE{key}{sequence}"


class EnhancedGRE(GREHeader):
    """Version 1: the key is the length of the payload and the call that it belongs to (RFC 2637, section 4.1)."""

    key_present: Flag = expected(1, decisive=True)
    sequence_present: Flag = auto(Presence("sequence"))
    acknowledgment_present: Flag = auto(Presence("acknowledgment"))
    version: U3 = 1
    protocol: X16 = auto(NextProtocol(GRE_PROTOCOLS))
    length: U16 = auto(Length())
    call_id: U16 = 0
    sequence: OptionalU32 = None
    acknowledgment: OptionalU32 = None

    def describe(self) -> str:
        sequence = "" if self.sequence is None else f" seq={self.sequence}"
        acknowledgment = "" if self.acknowledgment is None else f" ack={self.acknowledgment}"
        return f"GRE call {self.call_id}{sequence}{acknowledgment}"
