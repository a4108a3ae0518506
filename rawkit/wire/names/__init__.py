"""What scapy and Wireshark call each field: one table for comparing with the one and printing like the other.

A row is (our field, scapy's field, Wireshark's field, notation); empty where there is no counterpart. The name
that comes with each record is scapy's layer; of several, scapy's class is one.

- Our field may be several, with blanks between them: then the notation takes all their values (`ip.flags` is
  three of ours). It may be empty: then the row is about the whole record.
- Scapy's field may be a run of bits in a larger one, `tos[7:2]`, or several beside each other,
  `copy_flag:1 optclass:2 option:5`. TCP options are (name, value) pairs there: `kind` is the name's number,
  `[0]` the first part of the value, `[]` all of it, `value[15:15]` bits of it, any other a field within it.
  The options of neighbour discovery and the chunks of SCTP are layers there, which follow the header.
- The notation is how `tshark -T fields` prints the value: `plain` unless given. One that gives None means that
  tshark has no such field in this packet. One that is `Placed` also takes the packet and the layer's position.

Wireshark's fields that depend on other packets (`tcp.seq`, which is relative to the first one seen) are not
here; `tcp.seq_raw` is.
"""

from __future__ import annotations

from rawkit.wire.names.encapsulations import ENCAPSULATIONS
from rawkit.wire.names.icmp_extensions import ICMP_EXTENSIONS
from rawkit.wire.names.icmpv4 import ICMP_VERSION_4
from rawkit.wire.names.icmpv6 import ICMP_VERSION_6
from rawkit.wire.names.ipsec import IPSEC
from rawkit.wire.names.ipv4 import IP_VERSION_4
from rawkit.wire.names.ipv6 import IP_VERSION_6
from rawkit.wire.names.link import LINK
from rawkit.wire.names.membership import MEMBERSHIP
from rawkit.wire.names.mptcp import MULTIPATH
from rawkit.wire.names.nd_options import ND_OPTIONS
from rawkit.wire.names.table import Name, Names, Table
from rawkit.wire.names.transport import TRANSPORT
from rawkit.wire.names.tunnels import TUNNELS

__all__ = ["NAMES", "Name", "Names"]

NAMES: Table = {
    **LINK,
    **ENCAPSULATIONS,
    **IP_VERSION_4,
    **IP_VERSION_6,
    **ICMP_VERSION_4,
    **ICMP_VERSION_6,
    **ND_OPTIONS,
    **ICMP_EXTENSIONS,
    **MEMBERSHIP,
    **IPSEC,
    **TRANSPORT,
    **TUNNELS,
    **MULTIPATH,
}
"""What others call each record and its fields."""
