"""Internet Protocol, version 6 (RFC 8200), its extension headers, and their options."""

from __future__ import annotations

from ipaddress import IPv6Address

from rawkit.errors import PacketError
from rawkit.layout import (
    U2,
    U4,
    U8,
    U13,
    U16,
    U32,
    X8,
    X20,
    X32,
    FieldInfo,
    Flag,
    HeaderLength,
    IPv6Addr,
    IPv6Addrs,
    Items,
    Length,
    NextProtocol,
    Record,
    Rest,
    Unspecified,
    View,
    address_text,
    auto,
    expected,
)
from rawkit.wire.ip import IP
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import (
    ETHER_TYPES,
    IP_PROTOCOLS,
    LINK_LAYERS,
    LOOP_FAMILIES,
    MPLS_PAYLOADS,
    NULL_FAMILIES,
    PPP_BYTES,
)

__all__ = [
    "DestinationOptions",
    "Fragment",
    "HomeAddress",
    "HopByHop",
    "IPv6",
    "IPv6MalformedOptions",
    "IPv6Option",
    "IPv6RouterAlert",
    "IPv6UnknownOption",
    "JumboPayload",
    "Pad1",
    "PadN",
    "Routing",
    "RoutingType0",
    "RoutingType2",
    "UnknownRouting",
]


class PayloadLength(Length):
    """The payload length: zero where a hop-by-hop option has the jumbo payload's length (RFC 2675, section 3).

    Zero without that option is what a sender captures of segments that its network card is going to cut. Nothing
    tells that from a wrong length, so no payload is read, as Wireshark does.
    """

    knows_zero = True

    def compute(self, field: FieldInfo) -> str:
        return "0 if jumbo_option(following) else len(body)"

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:
        return {"jumbo_option": _jumbo_option}

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        no_option = "(self.next_header or not jumbo_option(*layers[index + 1 : index + 2]))"
        return f"{super().sound(owner, field)} and {no_option}"

    def limit_at_zero(self, record: Record, data: bytes, stop: int, end: int) -> int:
        if getattr(record, "next_header", None) != HOP_BY_HOP:
            return stop
        try:
            options, _, _, _ = HopByHop._parse(data, stop, end, False)
        except PacketError:
            return stop
        option = _jumbo_option(options)
        return stop if option is None else min(stop + option.jumbo_length, end)

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        says, following = getattr(record, field.name), view.layers[view.position + 1 : view.position + 2]
        option = _jumbo_option(following[0]) if following else None
        if option is None:
            behind = view.end - view.stop
            is_last = getattr(record, "next_header", None) == IP_PROTOCOLS.nothing
            if behind and not (says or is_last or view.quoted):
                return f"zero without a jumbo payload option, but {behind} bytes follow: {UNCUT}"
            return super().check(view, record, field)
        if says:
            return f"says {says}, but a jumbo payload option says {option.jumbo_length}"
        if option.jumbo_length <= LARGEST_PAYLOAD:
            return f"zero for a jumbo payload of {option.jumbo_length} bytes, which needs none"
        if view.stop + option.jumbo_length > view.room and not view.quoted:
            return (
                f"the jumbo payload option says {option.jumbo_length} bytes, but {view.end - view.stop} are there"
            )
        return ""


HOP_BY_HOP, LARGEST_PAYLOAD = 0, 65535
UNCUT = "perhaps a large segment that the network card is to cut"


def _jumbo_option(following: object = None) -> JumboPayload | None:
    """The option for a jumbo payload, if what follows IPv6's header has one."""
    if not isinstance(following, HopByHop):
        return None
    return next((option for option in following.options if isinstance(option, JumboPayload)), None)


class IPv6(
    IP,
    values=(6,),
    pseudo_header=("src", "dst"),
    numbers={
        ETHER_TYPES: 0x86DD,
        IP_PROTOCOLS: 41,
        LINK_LAYERS: (LinkType.RAW, LinkType.IPV6),
        LOOP_FAMILIES: (24, 28, 30),
        MPLS_PAYLOADS: tuple(range(0x60, 0x70)),
        NULL_FAMILIES: (0x18000000, 0x1C000000, 0x1E000000, 24, 28, 30),
        PPP_BYTES: 0x0057,
    },
):
    """The header of RFC 8200, section 3. `src` is filled by whoever sends the packet, and else `::`."""

    checksum_required = True

    version: U4 = expected(6, decisive=True)
    traffic_class: X8 = 0
    flow_label: X20 = 0
    payload_length: U16 = auto(PayloadLength())
    next_header: U8 = auto(NextProtocol(IP_PROTOCOLS))
    hop_limit: U8 = 64
    src: IPv6Addr = auto(Unspecified("::"))
    dst: IPv6Addr

    def describe(self) -> str:
        return f"IPv6 {address_text(self.src)} > {address_text(self.dst)}"


class IPv6Option(Record, by="type"):
    """Any option of a hop-by-hop or destination options header (RFC 8200, section 4.2)."""

    type: U8

    @classmethod
    def fill_bytes(cls, count: int) -> bytes:
        return bytes(Pad1()) if count == 1 else bytes(PadN(data=bytes(count - 2)))


class Pad1(IPv6Option):
    """One byte of padding."""

    type: U8 = 0


class PadN(IPv6Option):
    """Two or more bytes of padding."""

    type: U8 = 1
    length: U8 = auto(HeaderLength(minus=2))
    data: Rest = b""


class IPv6RouterAlert(IPv6Option):
    """Router alert (RFC 2711): 0 is MLD, 1 RSVP, 2 active networks."""

    type: U8 = 5
    length: U8 = auto(HeaderLength(minus=2))
    value: U16 = 0


class JumboPayload(IPv6Option):
    """The length of a payload of more than 65535 bytes, hop-by-hop options included (RFC 2675, section 2)."""

    type: U8 = 0xC2
    length: U8 = auto(HeaderLength(minus=2))
    jumbo_length: U32


class HomeAddress(IPv6Option):
    """The home address of a mobile node, which sends from another one (RFC 6275, section 6.3)."""

    type: U8 = 0xC9
    length: U8 = auto(HeaderLength(minus=2))
    address: IPv6Addr


class IPv6UnknownOption(IPv6Option, fallback=True):
    """An option that is not declared here, or whose length is not that of its type."""

    length: U8 = auto(HeaderLength(minus=2))
    data: Rest = b""


class IPv6MalformedOptions(IPv6Option, fallback=True):
    """The rest of the options, from one on whose length leads outside of the header."""

    malformed = True
    data: Rest = b""


class HopByHop(Header, numbers={IP_PROTOCOLS: 0}):
    """Hop-by-hop options, for every router on the way (RFC 8200, section 4.3)."""

    next_header: U8 = auto(NextProtocol(IP_PROTOCOLS))
    hdr_ext_len: U8 = auto(HeaderLength(unit=8, minus=1))
    options: Items[IPv6Option] = ()


class DestinationOptions(Header, numbers={IP_PROTOCOLS: 60}):
    """Options for the destination alone (RFC 8200, section 4.6)."""

    _has_original_source = True

    next_header: U8 = auto(NextProtocol(IP_PROTOCOLS))
    hdr_ext_len: U8 = auto(HeaderLength(unit=8, minus=1))
    options: Items[IPv6Option] = ()

    def original_source(self) -> IPv6Address | None:
        """Whom the packet is from, if not the address in IPv6's header (RFC 6275, section 6.3)."""
        return next((option.address for option in self.options if isinstance(option, HomeAddress)), None)


class Routing(Header, by="routing_type", numbers={IP_PROTOCOLS: 43}):
    """Nodes to be visited on the way (RFC 8200, section 4.4); each routing type has its own data."""

    _has_final_destination = True

    next_header: U8 = auto(NextProtocol(IP_PROTOCOLS))
    hdr_ext_len: U8 = auto(HeaderLength(unit=8, minus=1))
    routing_type: U8
    segments_left: U8 = 0

    def final_destination(self) -> IPv6Address | None:
        """Where the packet goes in the end, if this header knows and that is still ahead."""
        return None


class RoutingType0(Routing):
    """The loose source route of RFC 2460, section 4.4, which RFC 5095 forbids."""

    routing_type: U8 = 0
    reserved: X32 = 0
    addresses: IPv6Addrs = ()

    def final_destination(self) -> IPv6Address | None:
        return self.addresses[-1] if self.segments_left and self.addresses else None


class RoutingType2(Routing):
    """A mobile node's home address (RFC 6275, section 6.4)."""

    routing_type: U8 = 2
    reserved: X32 = 0
    addresses: IPv6Addrs = ()

    def final_destination(self) -> IPv6Address | None:
        return self.addresses[-1] if self.segments_left and self.addresses else None


class UnknownRouting(Routing, fallback=True):
    """A routing header of another type, or one whose addresses are not whole."""

    data: Rest = b""


class Fragment(Header, numbers={IP_PROTOCOLS: 44}):
    """A fragment of a packet (RFC 8200, section 4.5); `fragment_offset` counts units of 8 bytes."""

    next_header: U8 = auto(NextProtocol(IP_PROTOCOLS, unless="fragment_offset", partial="more_fragments"))
    reserved: X8 = 0
    fragment_offset: U13 = 0
    reserved_bits: U2 = 0
    more_fragments: Flag = False
    identification: X32 = 0

    def describe(self) -> str:
        return f"Fragment at {8 * self.fragment_offset}"
