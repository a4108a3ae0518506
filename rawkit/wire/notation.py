"""How Wireshark writes the values of fields, for the table in `names.py`.

Each function takes a field's value (or a record) and gives what `tshark -T fields` prints: one text, several, or
None where tshark has no such field in this packet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from rawkit.layout import MAC, Record
from rawkit.wire.arp import OtherARP
from rawkit.wire.icmp_extensions import InterfaceInformation
from rawkit.wire.icmpv4 import ICMPv4, ICMPv4Unreachable
from rawkit.wire.icmpv6 import RouterAdvertisement
from rawkit.wire.igmp import IGMPLeave, IGMPQuery, IGMPReport
from rawkit.wire.ipv4 import IPv4, LooseSourceRoute, RecordRoute, StrictSourceRoute
from rawkit.wire.mld import MLDv2Query
from rawkit.wire.nd_options import NAT64Prefix, PrefixInformation, RouteInformation
from rawkit.wire.packet import Packet
from rawkit.wire.tcp import FastOpen, TCPEndOfOptions, TCPExperiment, TCPFlags

Shown = str | Sequence[str] | None
Notation = Callable[..., Shown]


class Placed:
    """A notation that depends on what is around the layer: `show(*values, packet, position)`."""

    def __init__(self, show: Notation) -> None:
        self.show = show

    def __call__(self, *values: Any) -> Shown:
        raise TypeError("this notation needs the packet: use show(*values, packet, position)")


def plain(value: Any) -> str | Sequence[str]:
    """Integers in decimal, flags as 1 or 0, bytes in hex, addresses as text; of a tuple, each element."""
    if isinstance(value, tuple):
        return [str(element) for element in value]
    if isinstance(value, bool):
        return str(int(value))
    return value.hex() if type(value) is bytes else str(value)


def hexadecimal(digits: int) -> Notation:
    return lambda value: f"0x{value:0{digits}x}"


hex2, hex4, hex6, hex8 = map(hexadecimal, (2, 4, 6, 8))


def if_mac(hardware_type: int, address: MAC) -> str | None:
    return str(address) if hardware_type in ETHERNETS else None


def if_no_mac(hardware_type: int, address: MAC) -> str | None:
    return None if hardware_type in ETHERNETS else bytes(address).hex()


def if_ipv4(protocol_type: int, address: IPv4Address) -> str | None:
    return str(address) if protocol_type == IPV4_TYPE else None


def if_no_ipv4(protocol_type: int, address: IPv4Address) -> str | None:
    return None if protocol_type == IPV4_TYPE else address.packed.hex()


ETHERNETS = (1, 6)
"""ARP's hardware types whose addresses of 6 bytes Wireshark takes for MAC addresses: Ethernet and IEEE 802."""

IPV4_TYPE = 0x0800
MAC_SIZE, IPV4_SIZE = 6, 4


def arp_hardware(which: int, mac: bool) -> Notation:
    """A hardware address of an ARP packet, as a MAC address or as other bytes, whichever it is."""

    def show(arp: OtherARP, packet: Packet, position: int) -> str | None:
        address = arp.addresses(packet.payload)[which]
        is_mac = arp.hardware_type in ETHERNETS and arp.hardware_length == MAC_SIZE
        if is_mac is not mac or not address:
            return None
        return str(MAC(address)) if mac else address.hex()

    return show


def arp_protocol(which: int, ipv4: bool) -> Notation:
    """A protocol address of an ARP packet, as an IPv4 address or as other bytes, whichever it is."""

    def show(arp: OtherARP, packet: Packet, position: int) -> str | None:
        address = arp.addresses(packet.payload)[which]
        is_ipv4 = arp.protocol_type == IPV4_TYPE and arp.protocol_length == IPV4_SIZE
        if is_ipv4 is not ipv4 or not address:
            return None
        return str(IPv4Address(address)) if ipv4 else address.hex()

    return show


def in_bytes(unit: int, plus: int = 0) -> Notation:
    """A length that counts units."""
    return lambda value: str((value + plus) * unit)


def first_byte(value: bytes) -> str | None:
    """The length of an option that leads outside of its header, which Wireshark shows all the same."""
    return str(value[0]) if value else None


def octets(count: int) -> Notation:
    """An integer that Wireshark shows as bytes."""
    return lambda value: int(value).to_bytes(count).hex()


def bytes_or_none(value: bytes) -> str:
    """tshark prints something for no bytes."""
    return value.hex() or "<none>"


def bytes_or_nothing(value: bytes) -> str | None:
    return value.hex() or None


def beside(digits: int, *names: str) -> Notation:
    """Fields that Wireshark shows as one number, the first of them its highest bits."""

    def number(record: Record) -> str:
        whole = 0
        for name in names:
            whole = whole * 2 ** record.field(name).bits + int(getattr(record, name))
        return f"0x{whole % 16**digits:0{digits}x}"

    return number


def each_zero(end: TCPEndOfOptions) -> Sequence[str]:
    """Wireshark takes every zero that pads a TCP header for one more end of options."""
    return ["0"] * (1 + len(end.padding) - len(end.padding.lstrip(b"\0")))


def little_endian(value: int) -> str:
    return str(int.from_bytes(value.to_bytes(2), "little"))


def unused(first: bytes, length: int, rest: bytes) -> Sequence[str]:
    """The unused bytes around the length of a quote, which is one of them where it is zero."""
    parts = [first, rest] if length else [first + bytes(1) + rest]
    return [part.hex() for part in parts if part]


def unused_in_unreachable(error: ICMPv4Unreachable) -> Sequence[str]:
    rest = b"" if error.code == FRAGMENTATION_NEEDED else error.next_hop_mtu.to_bytes(2)
    return unused(error.unused.to_bytes(1), error.length, rest)


def next_hop_mtu(error: ICMPv4Unreachable) -> str | None:
    return str(error.next_hop_mtu) if error.code == FRAGMENTATION_NEEDED else None


FRAGMENTATION_NEEDED = 4


def where_used(length: int) -> str | None:
    """The length of a quote, which is there only where extensions follow it (RFC 4884)."""
    return str(length) if length else None


def quoted_bytes(words: int) -> str | None:
    return str(4 * words) if words else None


def characters(value: bytes) -> str:
    return value.decode("ascii", "replace")


def flag(member: TCPFlags) -> Notation:
    return lambda flags: str(int(member in flags))


def flag_letters(reserved: int, flags: TCPFlags) -> str:
    bits = f"{reserved:03b}{int(flags):09b}"
    return "".join(
        letter if bit == "1" else "\N{MIDDLE DOT}" for letter, bit in zip("RRRACEUAPRSF", bits, strict=True)
    )


def cookie(option: FastOpen | TCPExperiment) -> str | None:
    """Fast Open's cookie, in the option of its own or in the experiment that it was."""
    if isinstance(option, FastOpen):
        return option.cookie.hex() or None
    return option.data.hex() if option.data and option.experiment_id == FAST_OPEN else None


def cookie_request(option: FastOpen | TCPExperiment) -> str | None:
    """Wireshark shows a 1 where the cookie is empty."""
    if isinstance(option, FastOpen):
        return None if option.cookie else "1"
    return "1" if not option.data and option.experiment_id == FAST_OPEN else None


def experiment_data(option: TCPExperiment) -> str | None:
    """The data of an experiment that Wireshark does not know."""
    known = option.experiment_id in (FAST_OPEN, ACCURATE_ECN)
    return None if known or not option.data else option.data.hex()


FAST_OPEN = 0xF989
ACCURATE_ECN = 0xACC0


def multiplier(shift: int) -> str:
    """2 to the `shift`, which counts as 14 at the most (RFC 7323, section 2.3)."""
    return str(2 ** min(shift, 14))


def ether_type(value: int) -> str | None:
    """Below 0x0600 it is the length of an 802.3 frame."""
    return hex4(value) if value >= 0x0600 else None  # type: ignore[return-value]


def ether_length(value: int) -> str | None:
    return str(value) if value < 0x0600 else None


def total_length(value: int, packet: Packet, position: int) -> str:
    """Zero is what a segment has that the network card is to cut up: Wireshark shows what there is instead."""
    return str(value or packet.length_from(position))


def quoted_seq(value: int, packet: Packet, position: int) -> str | None:
    """Wireshark has no such field right behind the quoted IPv4 header of an ICMP error."""
    around = packet.layers[max(position - 2, 0) : position]
    quoted = len(around) == 2 and isinstance(around[0], ICMPv4) and isinstance(around[1], IPv4)
    return None if quoted else str(value)


def destination(ip: IPv4) -> str:
    """Where the packet goes in the end: Wireshark takes it from a source route that is not used up."""
    return str(ip.final_destination() or ip.dst)


def next_hop(ip: IPv4) -> str | None:
    return str(ip.dst) if ip.final_destination() else None


def recorded(option: RecordRoute | LooseSourceRoute | StrictSourceRoute) -> Sequence[str]:
    return [str(address) for address in option.visited()]


def ahead(option: RecordRoute | LooseSourceRoute | StrictSourceRoute) -> Sequence[str]:
    return [str(address) for address in option.route[len(option.visited()) :]]


def on_the_way(option: LooseSourceRoute | StrictSourceRoute) -> Sequence[str]:
    """Those still ahead but for the last one, which Wireshark shows as the packet's destination."""
    return ahead(option)[:-1]


def signed(value: int) -> str:
    return str(int.from_bytes(value.to_bytes(4), signed=True))


def words(values: Sequence[int]) -> str | None:
    """Words of 4 bytes as one run of bytes."""
    return b"".join([value.to_bytes(4) for value in values]).hex() or None


def beginning_of_ipv6(prefix: bytes) -> str:
    """The address that begins with these bytes."""
    return str(IPv6Address(prefix.ljust(16, b"\0")[:16]))


def padded_text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")


def _flags(*flags: bool) -> int:
    """The number that flags are, the first being its highest bit."""
    return int("".join(str(int(flag)) for flag in flags), 2)


def prefix_flags(option: PrefixInformation) -> str | Sequence[str] | None:
    return hex2(32 * _flags(option.on_link, option.autonomous, option.router_address) + option.reserved)


def route_flags(option: RouteInformation) -> str | Sequence[str] | None:
    return hex2(32 * option.reserved + 8 * option.preference + option.reserved_end)


def router_flags(message: RouterAdvertisement) -> str | Sequence[str] | None:
    high = 32 * _flags(message.managed, message.other, message.home_agent)
    return hex2(high + 8 * message.preference + 4 * message.proxy + message.reserved)


def mld_flags(query: MLDv2Query) -> str | Sequence[str] | None:
    return hex2(16 * query.reserved_bits + 8 * query.suppress + query.robustness)


def interface_type(item: InterfaceInformation) -> str:
    there = _flags(item.has_index, item.has_address, item.has_name, item.has_mtu)
    return str(64 * item.role + 16 * item.reserved + there)


IGMPShort = IGMPQuery | IGMPReport | IGMPLeave
FIRST_REPORT = 0x12


def igmp_version(message: IGMPShort) -> str:
    """A query without a time is version 1's, and so is its report."""
    if isinstance(message, IGMPQuery):
        return "2" if message.max_resp_time else "1"
    return "1" if message.type == FIRST_REPORT else "2"


def igmp_time(message: IGMPShort) -> str | None:
    return str(message.max_resp_time) if igmp_version(message) == "2" else None


def igmp_unused(message: IGMPShort) -> str | None:
    return f"{message.max_resp_time:02x}" if igmp_version(message) == "1" else None


MTRACE = (0x1E, 0x1F)
"""Types of other protocols that Wireshark reads as messages of IGMP; those of the rest it does not."""


def igmp_code(code: int) -> str:
    """The time that a code stands for: from 128 on, a number of 4 bits behind a one, and an exponent."""
    if code < 128:
        return str(code)
    exponent, mantissa = divmod(code - 128, 16)
    return str((mantissa + 16) * 2 ** (exponent + 3))


def nat64_prefix(option: NAT64Prefix) -> str | None:
    """The prefix, if its length's code is one of the six that RFC 8781, section 4 has."""
    return beginning_of_ipv6(option.prefix) if option.prefix_length_code < 6 else None
