"""Where scapy is known to be wrong: the one place, to be reviewed.

Each entry tells which differences it explains and why scapy is the one that is wrong. Such differences are still
listed, with the reason; only those without one make a comparison fail. Found with scapy 2.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rawkit.layout import AUTO, Record
from rawkit.verify.difference import Difference
from rawkit.verify.peer import ABSENT
from rawkit.wire import (
    AH,
    ERSPAN3,
    GRE,
    IGMP,
    IP,
    PPP,
    UDP,
    VLAN,
    CompressedPPP,
    DestinationOptions,
    Ethernet,
    Fragment,
    HopByHop,
    ICMPv4,
    ICMPv6,
    IGMPv3Report,
    IPv4,
    IPv4RouterAlert,
    IPv4Timestamp,
    IPv4TimestampWithAddresses,
    IPv4UnknownOption,
    IPv6,
    IPv6RouterAlert,
    IPv6UnknownOption,
    JumboPayload,
    Layer,
    Loop,
    LooseSourceRoute,
    MLDv2Report,
    Null,
    Packet,
    Routing,
    SegmentHMAC,
    SegmentRouting,
    StrictSourceRoute,
)
from rawkit.wire.ethernet import LONGEST

__all__ = ["KNOWN", "Known", "reason_for"]


class Known(NamedTuple):
    """Differences that `explains` says yes to, and why scapy is wrong there."""

    explains: Callable[[Difference, Packet], bool]
    reason: str


def _rebuilt_without_padding(difference: Difference, packet: Packet) -> bool:
    return _resized(difference, packet, _holding(packet, lambda item: bool(getattr(item, "padding", b""))))


def _malformed(difference: Difference, packet: Packet) -> bool:
    return _resized(difference, packet, _holding(packet, lambda item: item.malformed))


def _rebuilt_with_trailer_outside(difference: Difference, packet: Packet) -> bool:
    inside = [trailer.layer for trailer in packet.trailers if trailer.layer > _first_ip(packet)]
    return _resized(difference, packet, inside)


def _udp_length_too_short(difference: Difference, packet: Packet) -> bool:
    short = [at for at, layer in enumerate(packet.layers) if isinstance(layer, UDP) and layer.length < UDP_SIZE]
    return _resized(difference, packet, short)


def _short_header_length(difference: Difference, packet: Packet) -> bool:
    return difference.position >= _first_problem(packet, "ihl", "data_offset")


def _wrong_version(difference: Difference, packet: Packet) -> bool:
    return difference.position >= _first_problem(packet, "version")


def _version_other_than_announced(difference: Difference, packet: Packet) -> bool:
    return difference.layer == "IPv6" and not difference.field and str(difference.theirs) == "IP"


def _arp_with_cut_addresses(difference: Difference, packet: Packet) -> bool:
    return difference.layer == "OtherARP" and not difference.field and difference.theirs is ABSENT


def _unknown_icmpv6_type(difference: Difference, packet: Packet) -> bool:
    unknown = difference.layer in ("ICMPv6", "ICMPv6ExtendedEcho", "ICMPv6ExtendedEchoReply")
    return unknown and not difference.field and difference.theirs is ABSENT


def _raises_on_hostile_bytes(difference: Difference, packet: Packet) -> bool:
    raised = not difference.field and str(difference.theirs).startswith("raises ")
    return raised and bool(packet.problems)


def _several_timestamps(difference: Difference, packet: Packet) -> bool:
    holding = _holding(packet, lambda item: isinstance(item, TIMESTAMPS) and _entries(item) != 1)
    return difference.position in holding and difference.field.startswith(("options", "bytes"))


def _source_route_at_its_end(difference: Difference, packet: Packet) -> bool:
    if difference.field != "bytes" or difference.layer not in ("TCP", "UDP"):
        return False
    around = next((one for one in reversed(packet.layers[: difference.position]) if isinstance(one, IP)), None)
    if not isinstance(around, IPv4) or around.final_destination() is not None:
        return False
    return any(isinstance(item, LooseSourceRoute | StrictSourceRoute) for item in around.options)


def _other_version_in_ip(difference: Difference, packet: Packet) -> bool:
    if difference.field or difference.theirs is not ABSENT or not 0 < difference.position < len(packet.layers):
        return False
    layer, around = packet.layers[difference.position], packet.layers[difference.position - 1]
    if isinstance(around, IPv4):
        return isinstance(layer, ICMPv6 | IPV6_EXTENSIONS)
    return isinstance(layer, ICMPv4) and isinstance(around, IPv6 | IPV6_EXTENSIONS)


def _router_alert_of_other_length(difference: Difference, packet: Packet) -> bool:
    if difference.position not in _holding(packet, _is_odd_router_alert):
        return False
    return difference.field == "options" and "Router" in str(difference.theirs)


def _padding_in_length(difference: Difference, packet: Packet) -> bool:
    return difference.field == "bytes" and any(
        trailer.layer <= difference.position
        and isinstance(layer := packet.layers[trailer.layer], Ethernet | VLAN)
        and layer.type <= LONGEST
        for trailer in packet.trailers
    )


def _address_family(difference: Difference, packet: Packet) -> bool:
    return not difference.field and isinstance(_around(difference, packet), Null | Loop)


def _mpls_elsewhere(difference: Difference, packet: Packet) -> bool:
    around = _around(difference, packet)
    is_multicast = isinstance(around, Ethernet | VLAN) and around.type == MPLS_MULTICAST
    return not difference.field and difference.layer == "MPLS" and (is_multicast or isinstance(around, PPP))


def _tag_behind_9100(difference: Difference, packet: Packet) -> bool:
    around = _around(difference, packet)
    return difference.layer == "VLAN" and isinstance(around, Ethernet | VLAN) and around.type == OLD_SERVICE_TAG


def _ethernet_in_ip(difference: Difference, packet: Packet) -> bool:
    within = difference.layer == "Ethernet" and difference.theirs is ABSENT
    return within and isinstance(_around(difference, packet), IP | IPV6_EXTENSIONS)


def _other_vxlan_port(difference: Difference, packet: Packet) -> bool:
    for last in packet.layers[-1:]:
        if isinstance(last, UDP) and difference.ours is ABSENT:
            return not OTHER_VXLAN_PORTS.isdisjoint((last.src_port, last.dst_port))
    return False


def _erspan_by_its_version(difference: Difference, packet: Packet) -> bool:
    is_erspan = not difference.field and str(difference.theirs).startswith("ERSPAN")
    return is_erspan and isinstance(_around(difference, packet), GRE)


def _erspan_3(difference: Difference, packet: Packet) -> bool:
    return difference.ours is ABSENT and any(isinstance(last, ERSPAN3) for last in packet.layers[-1:])


def _unframed_ppp(difference: Difference, packet: Packet) -> bool:
    is_hdlc = not difference.field and difference.theirs == "HDLC"
    return is_hdlc and any(isinstance(first, PPP | CompressedPPP) for first in packet.layers[:1])


def _option_by_its_number(difference: Difference, packet: Packet) -> bool:
    unread = difference.field.endswith(".kind") and difference.theirs is ABSENT
    return difference.layer == "IPv4" and unread


def _router_alert_of_igmp(difference: Difference, packet: Packet) -> bool:
    ip, *above = packet.layers[difference.position : difference.position + 2] or (None,)
    if not isinstance(ip, IPv4) or ip.options or not any(isinstance(layer, IGMP) for layer in above):
        return False
    if difference.field == "bytes":
        longer = bytes(ip.replace(ihl=AUTO, options=(IPv4RouterAlert(),)))
        return isinstance(difference.theirs, bytes) and difference.theirs[:1] == longer[:1]
    return difference.field == "options" and "Router" in str(difference.theirs)


def _behind_authentication(difference: Difference, packet: Packet) -> bool:
    at = [at for at, layer in enumerate(packet.layers) if isinstance(layer, AH)]
    unread = difference.theirs is ABSENT and not difference.field and bool(at) and at[0] < difference.position
    return unread or _resized(difference, packet, at)


def _jumbo_payload(difference: Difference, packet: Packet) -> bool:
    has_option = [any(isinstance(item, JumboPayload) for item in one.options) for one in packet.all(HopByHop)]
    return (difference.layer, difference.field) == ("IPv6", "bytes") and any(has_option)


def _extended_echo(difference: Difference, packet: Packet) -> bool:
    return difference.layer == "ICMPProbe" and difference.theirs is ABSENT and not difference.field


def _short_igmp(difference: Difference, packet: Packet) -> bool:
    if difference.layer != "IGMPUnknown" or difference.theirs is not ABSENT or difference.field:
        return False
    return len(bytes(packet.layers[difference.position])) + len(packet.payload) < IGMP_SIZE


def _hmac_of_segments(difference: Difference, packet: Packet) -> bool:
    if difference.field == "bytes":
        return _resized(difference, packet, _hmacs(packet))
    return difference.layer == "SegmentRouting" and difference.field.startswith("tlvs") and bool(_hmacs(packet))


def _hmacs(packet: Packet) -> list[int]:
    """The positions of the headers that have such a TLV."""
    tlvs = [layer.tlvs if isinstance(layer, SegmentRouting) else () for layer in packet.layers]
    return [at for at, found in enumerate(tlvs) if any(isinstance(one, SegmentHMAC) for one in found)]


def _esp_in_udp(difference: Difference, packet: Packet) -> bool:
    absent = difference.theirs is ABSENT and not difference.field
    return absent and difference.layer == "ESP" and isinstance(_around(difference, packet), UDP)


def _several_objects(difference: Difference, packet: Packet) -> bool:
    if (difference.layer, difference.field) != ("ICMPExtensions", "objects"):
        return False
    return "," in str(difference.ours) and "," not in str(difference.theirs)


def _auxiliary_data(difference: Difference, packet: Packet) -> bool:
    if difference.layer not in ("MLDv2Report", "IGMPv3Report") or not difference.field.startswith("records"):
        return False
    reports = [layer for layer in packet.layers if isinstance(layer, MLDv2Report | IGMPv3Report)]
    return any(record.auxiliary_data for report in reports for record in report.records)


def _home_address_among_others(difference: Difference, packet: Packet) -> bool:
    if difference.field != "bytes" or difference.layer not in ("TCP", "UDP", "ICMPv6"):
        return False
    around = packet.layers[: difference.position]
    return any(isinstance(layer, DestinationOptions) and layer.original_source() for layer in around)


# ---------------------------------------------------------------------- where a packet has what is explained


UDP_SIZE = 8
IGMP_SIZE = 8
OTHER_VXLAN_PORTS = {4790, 6633, 8472, 48879}
MPLS_MULTICAST = 0x8848
OLD_SERVICE_TAG = 0x9100
TIMESTAMPS = IPv4Timestamp | IPv4TimestampWithAddresses
IPV6_EXTENSIONS = HopByHop | DestinationOptions | Routing | Fragment


def _around(difference: Difference, packet: Packet) -> Layer | None:
    """The layer before the one that the difference is about."""
    return packet.layers[difference.position - 1] if 0 < difference.position <= len(packet.layers) else None


def _resized(difference: Difference, packet: Packet, at: Iterable[int]) -> bool:
    """Whether it is about other bytes in, or in an IP header around, a layer of these, which gets another size."""
    return difference.field == "bytes" and _first_ip(packet) <= difference.position <= max(at, default=-1)


def _holding(packet: Packet, is_meant: Callable[[Record], bool]) -> list[int]:
    """The positions of the headers that have such an option."""
    options = [(at, getattr(layer, "options", ())) for at, layer in enumerate(packet.layers)]
    return [at for at, items in options if any(is_meant(item) for item in items)]


def _first_ip(packet: Packet) -> int:
    return next((at for at, layer in enumerate(packet.layers) if isinstance(layer, IP)), len(packet.layers))


def _first_problem(packet: Packet, *fields: str) -> float:
    """The position of the first layer with a problem in one of these fields, or infinity."""
    starts = [problem.start for problem in packet.problems if problem.field in fields]
    if not starts:
        return float("inf")
    return sum(stop <= min(starts) for _, stop in packet.bounds())


def _entries(item: Record) -> int:
    return len(getattr(item, "timestamps", ())) + len(getattr(item, "entries", ()))


def _is_odd_router_alert(item: Record) -> bool:
    if isinstance(item, IPv4UnknownOption):
        return item.kind == IPv4RouterAlert().kind
    return isinstance(item, IPv6UnknownOption) and item.type == IPv6RouterAlert().type


KNOWN = (
    Known(
        _short_header_length,
        "a header length below the fixed fields' is impossible (RFC 791, 3.1; RFC 9293, 3.1); scapy follows it",
    ),
    Known(
        _wrong_version,
        "a version other than 4 and 6 is no header of either; scapy takes all but 6 for IPv4",
    ),
    Known(
        _version_other_than_announced,
        "the version tells which header it is, whatever announced it (RFC 8200, 3); scapy goes by the other",
    ),
    Known(
        _arp_with_cut_addresses,
        "the kinds, lengths and operation of an ARP packet are there even if an address is not; scapy drops them",
    ),
    Known(
        _malformed,
        "scapy drops options that it cannot read, and builds the header without them",
    ),
    Known(
        _rebuilt_without_padding,
        "scapy keeps none of the bytes after the end of the option list, and builds a shorter header",
    ),
    Known(
        _rebuilt_with_trailer_outside,
        "bytes behind a UDP datagram but inside the IP packet belong to it; scapy moves them behind it",
    ),
    Known(
        _several_timestamps,
        "scapy's timestamp option has room for exactly one entry; RFC 791, 3.1 has up to nine",
    ),
    Known(
        _unknown_icmpv6_type,
        "scapy has no ICMPv6 header for types that it does not know, and leaves the message as plain bytes",
    ),
    Known(
        _udp_length_too_short,
        "a UDP length below the header's 8 bytes is impossible (RFC 768); scapy counts back from the end by it",
    ),
    Known(
        _source_route_at_its_end,
        "a source route whose pointer is past its end leads to dst (RFC 791, 3.1); scapy sums its last address",
    ),
    Known(
        _other_version_in_ip,
        "protocol numbers are common to IPv4 and IPv6 (RFC 8200, 3); scapy has each header in one of them only",
    ),
    Known(
        _router_alert_of_other_length,
        "the length of an option counts (RFC 791, 3.1; RFC 8200, 4.2); scapy takes router alert's for granted",
    ),
    Known(
        _option_by_its_number,
        "scapy knows an option by the 5 bits of its number alone, and leaves it as bytes where they do not fit",
    ),
    Known(
        _padding_in_length,
        "the length of an 802.3 frame is that of its data, without padding (IEEE 802.3, 3.2.7); scapy adds it",
    ),
    Known(
        _address_family,
        "files hold the families of the systems that wrote them (2; 24, 28, 30), NULL in either byte order; scapy "
        "reads one order, and IPv6 by this machine's number",
    ),
    Known(
        _mpls_elsewhere,
        "MPLS is also EtherType 0x8848 and PPP protocol 0x0281 (RFC 3032, 4.3 and 5); scapy binds neither",
    ),
    Known(
        _tag_behind_9100,
        "0x9100 announces the outer of two VLAN tags, as tshark and tcpdump read it; scapy does not bind it",
    ),
    Known(
        _ethernet_in_ip,
        "IP carries Ethernet as protocol 143 (RFC 8986, 10.1), for which scapy has no binding",
    ),
    Known(
        _other_vxlan_port,
        "VXLAN's port is 4789 (RFC 7348, 8.1), and tshark reads no other either; scapy reads ports that some use",
    ),
    Known(
        _erspan_by_its_version,
        "without a sequence number GRE carries ERSPAN type I, which has no header; scapy looks at its first bits",
    ),
    Known(
        _erspan_3,
        "ERSPAN type III tells the type of the frame within; scapy takes any for Ethernet",
    ),
    Known(
        _unframed_ppp,
        "without HDLC's address 0xFF a frame begins with its protocol (RFC 1662, 3.2); scapy does not look",
    ),
    Known(
        _behind_authentication,
        "the authentication header tells what follows, and its length (RFC 4302, 2.1); scapy goes on only for IP",
    ),
    Known(
        _router_alert_of_igmp,
        "an IGMP message without a router alert is one all the same (RFC 3376, 9.2); scapy puts one in",
    ),
    Known(
        _short_igmp,
        "all that IGMP's messages have in common is 4 bytes (RFC 3376, 4); scapy wants 8 of any type",
    ),
    Known(
        _jumbo_payload,
        "with a jumbo payload option the payload length is zero (RFC 2675, 3); scapy fills it in",
    ),
    Known(
        _extended_echo,
        "an extended echo carries an extension structure (RFC 8335, 2); scapy leaves it as plain bytes",
    ),
    Known(
        _hmac_of_segments,
        "the length of a segment routing TLV is one byte (RFC 8754, 2.1); scapy reads two in that of the HMAC",
    ),
    Known(
        _esp_in_udp,
        "port 4500 carries ESP too, told from key exchange by its SPI (RFC 3948, 2.2); scapy reads key exchange",
    ),
    Known(
        _several_objects,
        "an extension structure has any number of objects (RFC 4884, 7); scapy reads the first one",
    ),
    Known(
        _auxiliary_data,
        "auxiliary data is counted in words (RFC 3810, 5.2.6; RFC 3376, 4.2.6); scapy takes bytes, or none",
    ),
    Known(
        _home_address_among_others,
        "a home address is the source to a checksum (RFC 6275, 11.3.1); scapy misses it among other options",
    ),
    Known(
        _raises_on_hostile_bytes,
        "scapy raises an exception on damaged bytes instead of reading as far as they go",
    ),
)
"""Every case, with its reason."""


def reason_for(difference: Difference, packet: Packet) -> str:
    """Why scapy is wrong about this; empty where it is not known to be."""
    return next((known.reason for known in KNOWN if known.explains(difference, packet)), "")
