"""Logical Link Control (IEEE 802.2) and its subnetwork access protocol (IEEE 802, section 9.5)."""

from rawkit.layout import U7, X8, X16, X24, Flag, NextProtocol, auto
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, LENGTHS_AND_ETHER_TYPES, LLC_SAPS, PPP_BYTES, SLL_PROTOCOLS

__all__ = ["LLC", "SNAP", "LLCNumbered", "SNAPBridged"]

LENGTHS = tuple(range(1, 1501))
NUMBERED_FORMATS = tuple(code for code in range(256) if code % 4 != 3)
"""The two low bits of control tell an unnumbered format, both being set."""


class LLC(
    Header,
    by="control",
    numbers={LENGTHS_AND_ETHER_TYPES: LENGTHS, SLL_PROTOCOLS: 4, PPP_BYTES: 0x4B},
):
    """Service access points and the control byte of an unnumbered format (IEEE 802.2, section 5.4)."""

    dsap: X8 = auto(NextProtocol(LLC_SAPS))
    ssap: X8 = 0xAA
    control: X8 = 3

    def describe(self) -> str:
        return f"{type(self).__name__} 0x{self.ssap:02x} > {self.field('dsap').show(self.dsap)}"


class LLCNumbered(LLC, values=NUMBERED_FORMATS):
    """An information or supervisory format: `control` holds what is sent, then comes what was received."""

    control: X8 = 0
    receive_number: U7 = 0
    poll_final: Flag = False


class SNAP(Header, by="oui", numbers={LLC_SAPS: 0xAA}):
    """Whose protocol identifiers are used (`oui`; 0 has EtherTypes), and one of them."""

    oui: X24 = 0
    protocol: X16 = auto(NextProtocol(ETHER_TYPES, unless="oui"))

    def describe(self) -> str:
        return f"SNAP 0x{self.oui:06x}" if self.oui else "SNAP"


class SNAPBridged(SNAP, values=(0x0000F8,)):
    """What a bridge makes of an Ethernet frame on a link that has lengths: its EtherType again (IEEE 802.1H)."""

    oui: X24 = 0x0000F8
    protocol: X16 = auto(NextProtocol(ETHER_TYPES))
