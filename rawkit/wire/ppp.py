"""Point-to-Point Protocol (RFC 1661, section 2), and its framing as in HDLC (RFC 1662, section 3.1)."""

from rawkit.layout import X8, X16, NextProtocol, auto, expected
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import GRE_PROTOCOLS, LINK_LAYERS, PPP_BYTES, PPP_FRAMES, PPP_PROTOCOLS, PPPOE_CODES

__all__ = ["HDLC", "PPP", "CompressedPPP", "PPPFrame"]

ALL_STATIONS = 0xFF
TWO_BYTES = tuple(range(0, 256, 2))
ONE_BYTE = tuple(byte for byte in range(1, 255, 2) if byte not in (0x0F, 0x8F))
"""First bytes of a protocol: an odd one is the last, too. The two left out begin Cisco's framing of HDLC."""


class PPPFrame(
    Header,
    by=PPP_FRAMES,
    numbers={LINK_LAYERS: (LinkType.PPP, LinkType.PPP_HDLC), PPPOE_CODES: 0, GRE_PROTOCOLS: 0x880B},
):
    """A frame that begins with HDLC's address, or a protocol of two bytes or one. Packets have one of these."""


class HDLC(
    Header,
    numbers={LINK_LAYERS: (LinkType.PPP_HDLC, LinkType.PPP), PPP_FRAMES: ALL_STATIONS, GRE_PROTOCOLS: 0x880B},
    carries=PPPFrame,
):
    """The address of all stations, and the control byte of unnumbered information."""

    address: X8 = expected(ALL_STATIONS)
    control: X8 = expected(3)


class PPP(
    Header,
    numbers={LINK_LAYERS: LinkType.PPP, PPP_FRAMES: TWO_BYTES, PPPOE_CODES: 0, GRE_PROTOCOLS: 0x880B},
):
    """The protocol of what follows."""

    protocol: X16 = auto(NextProtocol(PPP_PROTOCOLS))

    def describe(self) -> str:
        return f"{type(self).__name__} {self.field('protocol').show(self.protocol)}"


class CompressedPPP(
    Header,
    numbers={LINK_LAYERS: LinkType.PPP, PPP_FRAMES: ONE_BYTE, PPPOE_CODES: 0, GRE_PROTOCOLS: 0x880B},
):
    """The protocol in one byte, where both sides agreed to that (RFC 1661, section 6.5)."""

    protocol: X8 = auto(NextProtocol(PPP_BYTES))

    def describe(self) -> str:
        return f"PPP {self.field('protocol').show(self.protocol)}"
