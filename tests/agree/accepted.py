"""The differences between rawkit and tshark that are accepted: the one place, to be reviewed.

Each entry says which differences it explains, no more than it must, and why an expert would accept them. Found
with Wireshark 4.0.17, each packet read by itself (the preferences are in `peer.py`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agree.comparison import Difference

__all__ = ["ACCEPTED", "Accepted", "reason_for"]


class Accepted(NamedTuple):
    """Differences in fields, files and packets whose protocols match these expressions as a whole, and why."""

    fields: str
    reason: str
    protocols: str = ".*"
    files: str = ".*"
    ours: str = ".*"
    theirs: str = ".*"
    deeper: bool = False
    """Whether tshark's values must be rawkit's and more of them: it reads on where rawkit stops."""

    def explains(self, difference: Difference) -> bool:
        """Whether it is about this difference."""
        if self.deeper and not f"{difference.theirs},".startswith(
            f"{difference.ours}," if difference.ours else ""
        ):
            return False
        return all(
            re.fullmatch(pattern, text) is not None
            for pattern, text in (
                (self.fields, difference.field),
                (self.protocols, difference.protocols),
                (self.files, difference.file),
                (self.ours, difference.ours),
                (self.theirs, difference.theirs),
            )
        )


ACCEPTED: tuple[Accepted, ...] = (
    Accepted(
        r"tcp\.flags\.(ae|cwr|ece|str)",
        "where accurate ECN was negotiated, Wireshark takes the three flags for one counter; that is known from "
        "the handshake alone, which is in other packets",
        files=r"tcpdump/accecn_handshake\.pcap",
    ),
    Accepted(
        r"ip\.version|ipv6\.version",
        "a version that is neither 4 nor 6, or not 6 where IPv6 was announced, belongs to no header that is read, "
        "and a Problem tells it; Wireshark shows the version and gives up",
        ours="",
        theirs="[0-57-9]|1[0-5]",
    ),
    Accepted(
        r"ip\.version",
        "IPv6 behind an EtherType of IPv4: Wireshark's reader for IPv4 shows the version before it hands the "
        "packet over, and that for IPv6 shows the same four bits again",
        protocols=".*:ip:ipv6.*",
        ours="6",
        theirs="6,6",
    ),
    Accepted(
        r"eth\.(addr|dst|len)",
        "the destination 01:00:0c:00:00 is that of Cisco's ISL, whose frame Wireshark looks into by the address "
        "alone; it is no Ethernet header, and rawkit shows what stands in the place of one",
        protocols="eth:eth:.*",
    ),
    Accepted(
        r"tcp\.option_kind",
        "Wireshark raises an exception at a multipath TCP option that is too short for its subtype, and so stops "
        "before the end of options that follows",
        files=r"tcpdump/mptcp-dss-oobr\.pcap",
        ours="2,4,8,30,0",
        theirs="2,4,8,30",
    ),
    Accepted(
        r"ip\.opt\.(flag|len|overflow|ptr|time_stamp|time_stamp_addr|type)",
        "a timestamp option whose length is not a whole number of entries (RFC 791, section 3.1) is kept as one "
        "that is not known; Wireshark shows as many entries as are whole",
        files=r"tcpdump/ip_ts_opts_asan\.pcap",
        ours="",
    ),
    Accepted(
        r".*",
        "Wireshark 4.0 does not know the hardware version 1 of Arista's timestamps, which tcpdump and rawkit read",
        protocols="eth:ethertype:avsp",
        theirs=r"|0xd28b|[0-9a-f:]{17}(,[0-9a-f:]{17})?",
    ),
    Accepted(
        r".*",
        "sFlow samples and OpenFlow's packet-in carry frames in an application's protocol, which is left to scapy",
        protocols=r".*:(udp:sflow|tcp:openflow):.*",
        deeper=True,
    ),
    Accepted(
        r".*",
        "a link type that rawkit does not read: the packet is payload, and a Problem tells so",
        protocols=r"(nflog|juniper|(user_dlt:)?pktap|radiotap|wlan|wpan|clip|slip|.*atm.*):.*",
        ours="",
    ),
    Accepted(
        r".*",
        "NHRP's errors and web cache redirection (WCCP) carry packets in protocols that rawkit does not read",
        protocols=r".*:gre:(nhrp:)?ip:.*",
        files=r"tcpdump/(nhrp-trace|wccp_redirect_gre)\.pcap",
        deeper=True,
    ),
    Accepted(
        r".*",
        "frame relay with bridged frames (RFC 2427, section 4.2), which rawkit leaves as payload",
        protocols=r"fr:eth:.*",
        ours="",
    ),
    Accepted(
        r".*",
        "MACsec may be encrypted, and the network service header (RFC 8300) has types of its own: rawkit reads "
        "neither, so what they carry is payload",
        protocols=r".*(ethertype:macsec|:nsh):.*",
        deeper=True,
    ),
)


def reason_for(difference: Difference) -> str | None:
    """Why the difference is accepted; None if it is not."""
    return next((accepted.reason for accepted in ACCEPTED if accepted.explains(difference)), None)
