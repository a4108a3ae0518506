"""Where Wireshark gives up on a header: of one whose lengths are impossible it shows the beginning alone.

Each function takes a layer, its packet and its position there, and gives the Wireshark names that are shown; None
where all of it is, and what follows too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rawkit.layout import AUTO
from rawkit.wire.arp import AddressResolution
from rawkit.wire.icmpv4 import ICMPv4
from rawkit.wire.ip import IP
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.packet import Packet
from rawkit.wire.tcp import TCP
from rawkit.wire.udp import UDP

__all__ = ["Limit", "of_arp", "of_icmpv4", "of_ipv4", "of_tcp", "of_udp"]

Limit = Callable[[Any, Packet, int], frozenset[str] | None]

NOTHING: frozenset[str] = frozenset()


def of_arp(arp: AddressResolution, packet: Packet, position: int) -> frozenset[str] | None:
    """For ATM addresses a packet has another layout (RFC 2225, section 8.4.2), with fields of its own."""
    return NOTHING if arp.hardware_type == ATM else None


ATM = 19


IPV4_UNTIL_HEADER_LENGTH = frozenset(["ip.version", "ip.hdr_len"])
IPV4_UNTIL_LENGTH = IPV4_UNTIL_HEADER_LENGTH | {"ip.dsfield", "ip.dsfield.dscp", "ip.dsfield.ecn", "ip.len"}
IPV4_UNTIL_OPTIONS = IPV4_UNTIL_LENGTH.union(
    ["ip.id", "ip.flags", "ip.flags.rb", "ip.flags.df", "ip.flags.mf", "ip.frag_offset"],
    ["ip.ttl", "ip.proto", "ip.checksum", "ip.src", "ip.dst", "ip.addr"],
)


def of_ipv4(ip: IPv4, packet: Packet, position: int) -> frozenset[str] | None:
    """The header's length is below 20, the packet's below the header's, or the options are not all there."""
    if ip.ihl is AUTO or ip.total_length is AUTO:
        return None
    if ip.ihl < SMALLEST_IHL:
        return IPV4_UNTIL_HEADER_LENGTH
    if 0 < ip.total_length < 4 * ip.ihl:
        return IPV4_UNTIL_LENGTH
    if ip.ihl > SMALLEST_IHL and _is_cut(ip, packet, position):
        return IPV4_UNTIL_OPTIONS
    return None


def _is_cut(ip: IPv4, packet: Packet, position: int) -> bool:
    start, stop = packet.bounds()[position]
    return start + 4 * ip.ihl > stop


SMALLEST_IHL = 5


TCP_UNTIL_DATA_OFFSET = frozenset(["tcp.srcport", "tcp.dstport", "tcp.port", "tcp.seq_raw", "tcp.hdr_len"])


def of_tcp(tcp: TCP, packet: Packet, position: int) -> frozenset[str] | None:
    """The header's length is below 20."""
    short = tcp.data_offset is not AUTO and tcp.data_offset < SMALLEST_DATA_OFFSET
    return TCP_UNTIL_DATA_OFFSET if short else None


SMALLEST_DATA_OFFSET = 5


UDP_UNTIL_LENGTH = frozenset(["udp.srcport", "udp.dstport", "udp.port", "udp.length"])


def of_udp(udp: UDP, packet: Packet, position: int) -> frozenset[str] | None:
    """The length is below 8. In IPv6, zero is that of a jumbogram (RFC 2675)."""
    if udp.length is AUTO or udp.length >= UDP._fixed_size:
        return None
    around = next((layer for layer in reversed(packet.layers[:position]) if isinstance(layer, IP)), None)
    return None if udp.length == 0 and isinstance(around, IPv6) else UDP_UNTIL_LENGTH


def of_icmpv4(message: ICMPv4, packet: Packet, position: int) -> frozenset[str] | None:
    """Whatever the type, Wireshark looks at the length of a quote first (RFC 4884), in byte 5."""
    there = len(packet.payload) if position == len(packet.layers) - 1 else LENGTH_OF_QUOTE
    return NOTHING if there < LENGTH_OF_QUOTE else None


LENGTH_OF_QUOTE = 2
