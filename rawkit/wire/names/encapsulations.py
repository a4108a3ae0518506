"""Link layers and tunnels that rawkit reads for what is in them; scapy, as it comes, has none of them."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.arcnet import ARCnet, SimpleARCnet
from rawkit.wire.arista import AristaTimestamp48, AristaTimestamp64
from rawkit.wire.cisco_hdlc import CiscoHDLC
from rawkit.wire.cisco_metadata import CiscoMetadata
from rawkit.wire.frame_relay import FrameRelay, LongFrameRelay
from rawkit.wire.infiniband import IPoIB
from rawkit.wire.ipnet import IPNet
from rawkit.wire.ipsec import NATKeepalive, NonESPMarker
from rawkit.wire.juniper import JuniperEthernet
from rawkit.wire.macsec import MACsec, MACsecCheckValue, MACsecData, MACsecReadable
from rawkit.wire.names.table import Names, Table, named
from rawkit.wire.nflog import NFLOG, NFLOGAttribute, NFLOGPacket, NFLOGPadding
from rawkit.wire.nhrp import NHRP, NHRPIndication
from rawkit.wire.nsh import NSH, VXLANGPE
from rawkit.wire.packet import Header
from rawkit.wire.pim import PIM, PIMRegister
from rawkit.wire.pktap import PKTAP
from rawkit.wire.wccp import WCCPRedirect

__all__ = ["ENCAPSULATIONS"]


def unnamed(header: type[Header]) -> Names:
    """The fields without the names that others have for them."""
    return named("", *((field.name, "", "") for field in header.fields()))


UNNAMED: Table = {
    header: unnamed(header)
    for header in (
        FrameRelay,
        LongFrameRelay,
        SimpleARCnet,
        ARCnet,
        IPoIB,
        IPNet,
        CiscoHDLC,
        CiscoMetadata,
        AristaTimestamp48,
        AristaTimestamp64,
        PIM,
        PIMRegister,
        NonESPMarker,
        NATKeepalive,
        JuniperEthernet,
        MACsec,
        MACsecCheckValue,
        MACsecReadable,
        MACsecData,
        NFLOG,
        NFLOGAttribute,
        NFLOGPacket,
        NFLOGPadding,
        NHRP,
        NHRPIndication,
        NSH,
        PKTAP,
        WCCPRedirect,
    )
}

ENCAPSULATIONS: Table = {
    **UNNAMED,
    VXLANGPE: named(
        "",
        ("flags", "", "vxlan.flags", notation.hex2),
        ("reserved", "", ""),
        ("next_protocol", "", ""),
        ("vni", "", "vxlan.vni"),
        ("reserved_byte", "", "vxlan.reserved8"),
    ),
}
