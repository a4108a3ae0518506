"""The differences between rawkit and tshark that are accepted: the one place, to be reviewed.

Each entry says which differences it explains, no more than it must, and why an expert would accept them. Found
with Wireshark 4.0.17, each packet read by itself (the preferences are in `peer.py`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agree.comparison import Difference

__all__ = ["ACCEPTED", "Accepted", "in_application", "reason_for"]


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
        theirs="[0-35-9]|1[0-5]",
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
        "a link type that rawkit does not read: the packet is payload, and a Problem tells so",
        protocols=r"(juniper|radiotap|wlan|wpan|clip|slip|llc|.*atm.*):.*",
        ours="",
    ),
    Accepted(
        r"eth\..*|llc\..*",
        "behind a frame relay address without the control byte of an unnumbered frame Wireshark guesses Ethernet; "
        "the packets are made to crash a program, and rawkit leaves what they carry as payload",
        protocols=r"fr:eth:.*",
        files=r"tcpdump/q933-heapoverflow-2\.pcap",
        ours="",
    ),
    Accepted(
        r"llc\.cisco_pid",
        "behind the 26 bytes of Cisco's ISL, Wireshark reads the identifier of the frame within",
        protocols="eth:eth:.*",
        files=r"tcpdump/DTP\.pcap",
    ),
    Accepted(
        r"icmp\.ext\.(class|ctype|length)",
        "an extended echo has exactly one object (RFC 8335, section 2); Wireshark takes data behind it for more",
        files=r"tcpdump/(icmp6?-rfc8335(-missing-bytes)?|icmp_ext_oob_poc)\.pcap",
        deeper=True,
    ),
    Accepted(
        r"icmp\.int_info\.name",
        "an interface's name may fill all of its 63 bytes (RFC 5837, section 4.3); Wireshark then shows none",
        files=r"tcpdump/icmp(-rfc5837|_inft_name_length_zero)\.pcap",
        theirs="",
    ),
    Accepted(
        r"icmpv6\.reserved",
        "router renumbering (RFC 2894) and RPL (RFC 6550) have types that are not known: all is payload",
        files=r"tcpdump/(icmpv6-RFC2894-RR|rpl-.*)\.pcap",
        ours="",
    ),
    Accepted(
        r"icmp\.int_info\..*",
        "the object is behind the one that an extended echo has (RFC 8335, section 2), and Wireshark reads it too",
        files=r"tcpdump/icmp_ext_oob_poc\.pcap",
        ours="",
    ),
    Accepted(
        r"arp\..*",
        "reverse ARP (RFC 903) has the header of ARP under another EtherType, which rawkit does not read",
        files=r"tcpdump/getname_2_read4_asan\.pcap",
        ours="",
    ),
    Accepted(
        r"icmp\.(type|code|checksum)",
        "of a source quench that the snaplen cuts after 6 of its 8 bytes (RFC 792), Wireshark shows the first "
        "fields; of other messages so short it shows none, and rawkit does so for all",
        files=r"tcpdump/extract_read2_asan\.pcap",
        ours="",
    ),
    Accepted(
        r"gre\.(checksum|offset)",
        "a source route of RFC 1701, which RFC 2784 (section 2.3) has receivers discard: rawkit reads the flags "
        "and the protocol, and leaves the rest as payload",
        protocols=".*:gre",
        files=r"tcpdump/gre-heapoverflow-2\.pcap",
        ours="",
    ),
    Accepted(
        r"igmp\.maddr",
        "multicast traceroute, a protocol of its own behind IGMP's types 0x1e and 0x1f "
        "(draft-ietf-idmr-traceroute-ipm), which is left as payload behind type and checksum",
        protocols=".*:igmp:igmp",
        files=r"tcpdump/mtrace\.pcap",
        ours="",
    ),
    Accepted(
        r"ip\.version|ipv6\.version",
        "IPv4 in a capture of link type IPV6 is not read, and a Problem tells it; Wireshark shows the version",
        files=r"tcpdump/LINKTYPE_IPV6_invalid\.pcap",
        ours="",
        theirs="4",
    ),
    Accepted(
        r"ah\.icv",
        "the snaplen cuts the integrity check value: rawkit shows the bytes that were captured, Wireshark none",
        files=r"tcpdump/heapoverflow-ip_demux_print\.pcap",
        ours="3030",
        theirs="",
    ),
    Accepted(
        r"icmp\.ext\.checksum",
        "the snaplen cuts the extensions behind their checksum: Wireshark computes it over all of them before it "
        "shows it, and gives up; rawkit shows what was captured",
        files=r"tcpdump/icmp_inft_name_length_zero\.pcap",
        ours="0xc4e4",
        theirs="",
    ),
    Accepted(
        r"ipv6\.opt\.(length|type)",
        "a CALIPSO option whose length is below that of its fixed fields (RFC 5570, section 5.1): Wireshark reads "
        "on behind its end, raises an exception and so misses the next option",
        files=r"tcpdump/ipv6-too-long-jumbo\.pcap",
        ours=r".*,(60|0xf1)",
    ),
)


def reason_for(difference: Difference) -> str | None:
    """Why the difference is accepted; None if it is not."""
    return next((accepted.reason for accepted in ACCEPTED if accepted.explains(difference)), None)


def in_application(difference: Difference) -> bool:
    """Whether it is about a frame that Wireshark found in the payload of sFlow or OpenFlow.

    What an application's protocol holds is left to scapy, so such a field is no field of the packet's own headers.
    """
    return IN_APPLICATION.explains(difference)


IN_APPLICATION = Accepted(
    r".*",
    "sFlow samples and OpenFlow's messages carry frames in an application's protocol, which is left to scapy",
    protocols=r".*:(udp:sflow|tcp:openflow):.*",
    deeper=True,
)
