"""Multiprotocol Label Switching (RFC 3032, section 2.1; names: RFC 5462), and Ethernet pseudowires (RFC 4448)."""

from __future__ import annotations

from rawkit.layout import U3, U4, U8, U12, U16, U20, Flag, NextProtocol, Numbers, auto, expected
from rawkit.wire.ethernet import Ethernet
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, IP_PROTOCOLS, MPLS_BOTTOM, MPLS_PAYLOADS, PPP_PROTOCOLS, UDP_PORTS

__all__ = ["MPLS", "MPLSPayload", "PseudowireControlWord", "PseudowireFrame"]


class MPLS(
    Header,
    numbers={
        ETHER_TYPES: (0x8847, 0x8848),
        PPP_PROTOCOLS: (0x0281, 0x0283),
        IP_PROTOCOLS: 137,
        UDP_PORTS: 6635,
        MPLS_BOTTOM: 0,
    },
):
    """One entry of a label stack; the one at the bottom carries something else."""

    label: U20
    traffic_class: U3 = 0
    bottom: Flag = auto(NextProtocol(MPLS_BOTTOM))
    ttl: U8 = 64

    def describe(self) -> str:
        return f"MPLS {self.label}"


class MPLSPayload(Header, by=MPLS_PAYLOADS, numbers={MPLS_BOTTOM: 1}):
    """What a label stack carries, guessed from the first byte, since nothing tells it. Packets have one of these.

    4 and 6 in its first half are IP. With 0 it is Ethernet, behind a control word if there are 12 bits of zero.
    """


class PseudowireControlWord(Header, carries=Ethernet):
    """What may stand before a frame in an Ethernet pseudowire (RFC 4448, section 4.6)."""

    zero: U4 = expected(0, decisive=True)
    reserved: U12 = expected(0, decisive=True)
    sequence: U16 = 0

    def describe(self) -> str:
        return "Pseudowire"


class PseudowireFrame(
    Header,
    by=Numbers("pseudowire"),
    fallbacks=(PseudowireControlWord, Ethernet),
    numbers={MPLS_PAYLOADS: tuple(range(16))},
):
    """A frame behind a control word, or without one. Packets have one of these."""
