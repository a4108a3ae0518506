"""Generic Network Virtualization Encapsulation (RFC 8926, section 3)."""

from __future__ import annotations

from rawkit.layout import (
    U2,
    U3,
    U5,
    U6,
    U24,
    X8,
    X16,
    Flag,
    HeaderLength,
    Items,
    NextProtocol,
    Numbers,
    Record,
    Rest,
    auto,
    expected,
)
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, UDP_PORTS

__all__ = ["Geneve", "GeneveMalformedOptions", "GeneveOption", "GeneveOptions"]


class GeneveOptions(Record, by=Numbers("Geneve option")):
    """What a Geneve header lists: options, and bytes that are none."""


class GeneveOption(GeneveOptions, fallback=True):
    """An option (RFC 8926, section 3.5): whose it is, its type, and data in whole words of 4 bytes."""

    option_class: X16
    type: X8 = 0
    reserved: U3 = 0
    length: U5 = auto(HeaderLength(unit=4, minus=1))
    data: Rest = b""


class GeneveMalformedOptions(GeneveOptions, fallback=True):
    """The rest of the options, from one on whose length leads outside of the header."""

    malformed = True
    data: Rest = b""


class Geneve(Header, numbers={UDP_PORTS: 6081}):
    """The network that the packet within belongs to, the EtherType of that packet, and options."""

    version: U2 = expected(0)
    options_length: U6 = auto(HeaderLength(unit=4, minus=2))
    control: Flag = False
    critical: Flag = False
    reserved: U6 = 0
    protocol: X16 = auto(NextProtocol(ETHER_TYPES))
    vni: U24 = 0
    reserved_byte: X8 = 0
    options: Items[GeneveOptions] = ()

    def describe(self) -> str:
        return f"Geneve {self.vni}"
