"""What a fragment is a slice of: the parts of an IP packet as fragmentation sees them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from itertools import takewhile
from typing import Final, NamedTuple

from rawkit.layout import AUTO, Length, field_ruled_by
from rawkit.wire.dissect import dissect
from rawkit.wire.ip import IP
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.ipv6 import DestinationOptions, Fragment, HopByHop, IPv6, Routing
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header, Layer, Packet, Trailer

__all__ = [
    "ECN_VALUES",
    "EXTENSIONS",
    "UNIT",
    "Datagram",
    "Parts",
    "Slice",
    "layers_of_fragment",
    "length_of",
    "parts_at",
    "read_again",
    "size_of",
    "slice_of",
    "with_lengths",
]

UNIT: Final = 8
"""What a fragment offset counts, in bytes."""

EXTENSIONS = (HopByHop, DestinationOptions, Routing)
"""What may stand between an IPv6 header and the fragment header."""


ECN_VALUES: Final = 4
"""How many values the ECN field has, which stands at the end of the traffic class (RFC 3168, section 5)."""


class Datagram(NamedTuple):
    """What fragments of one datagram have in common; IPv6 does not ask for the `protocol`, which is None there."""

    src: IPv4Address | IPv6Address
    dst: IPv4Address | IPv6Address
    identification: int
    protocol: int | None

    def __str__(self) -> str:
        protocol = "" if self.protocol is None else f" protocol {self.protocol}"
        return f"{self.src} > {self.dst} identification {self.identification:#06x}{protocol}"


class Parts(NamedTuple):
    """A packet as fragmentation sees it, nothing being AUTO.

    `before` is what stands before IP, `head` what each fragment repeats (the IPv4 header; the IPv6 header and the
    extension headers for the nodes on the way), `marker` the fragment header of IPv6, if there is one, and
    `body` what is cut into fragments.
    """

    before: tuple[Layer, ...]
    head: tuple[Header, ...]
    marker: Fragment | None
    body: bytes


class Slice(NamedTuple):
    """One fragment: what of which datagram it brings."""

    datagram: Datagram
    parts: Parts
    link_type: LinkType | None
    start: int
    more: bool
    ecn: int
    says: int
    """How long its data is by the header's length field."""


def parts_at(packet: Packet, network: int) -> Parts:
    """The parts of a packet that is built, whose IP header is layer number `network`."""
    before, after = packet.layers[:network], packet.layers[network:]
    head: list[Header] = [after[0]]  # type: ignore[list-item]
    if isinstance(after[0], IPv6):
        chain = [*takewhile(lambda layer: isinstance(layer, EXTENSIONS), after[1:])]
        header = after[len(chain) + 1] if len(chain) + 1 < len(after) else None
        if isinstance(header, Fragment):
            head += chain  # type: ignore[arg-type]
            return Parts(before, tuple(head), header, body_behind(packet, network, len(head) + 1))
        routing = [number for number, layer in enumerate(chain, 1) if isinstance(layer, Routing)]
        count = routing[-1] if routing else int(bool(chain) and isinstance(chain[0], HopByHop))
        head += chain[:count]  # type: ignore[arg-type]
    return Parts(before, tuple(head), None, body_behind(packet, network, len(head)))


def body_behind(packet: Packet, network: int, headers: int) -> bytes:
    """What stands behind `headers` headers from layer `network` on, up to the end of that layer's own body."""
    within = tuple(Trailer(data, layer - network) for data, layer in packet.trailers if layer > network)
    if not within and len(packet.layers) == network + headers:
        return packet.payload
    data = bytes(Packet(packet.layers[network:], packet.payload, within))
    return data[size_of(packet.layers[network : network + headers]) :]


def size_of(layers: tuple[Layer, ...]) -> int:
    """How many bytes these headers have."""
    return sum(len(bytes(layer)) for layer in layers)


def with_lengths(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers before IP, with the length of what follows (IEEE 802.3, PPPoE) left AUTO."""
    return tuple(
        layer.replace(**{field.name: AUTO})
        if isinstance(layer, Header) and (field := field_ruled_by(type(layer), Length)) is not None
        else layer
        for layer in layers
    )


def read_again(packet: Packet, link_type: LinkType | None) -> Packet:
    """The packet as it is read from its bytes; one of no link type, which cannot be read, is only built."""
    return packet.built() if link_type is None else dissect(bytes(packet), link_type)


def slice_of(packet: Packet) -> Slice | None:
    """What the packet is a fragment of, at its outermost header that is one; None if there is no such header."""
    network, _ = _place_of(packet)
    if network is None:
        return None
    packet = packet.built()
    parts, link_type = parts_at(packet, network), packet.link_type
    if any(isinstance(layer, IP) for layer in parts.before):  # a tunnel, whose headers are each fragment's own
        parts, link_type = parts._replace(before=()), None
    return _ipv6_slice(parts, link_type) if parts.marker is not None else _ipv4_slice(parts, link_type)


def layers_of_fragment(packet: Packet) -> int:
    """How many layers stand before what a fragment holds; 0 for a packet that is no fragment."""
    return _place_of(packet)[1]


def _place_of(packet: Packet) -> tuple[int | None, int]:
    """The number of the IP layer that the outermost fragment belongs to, and how many layers reach to its data."""
    network = None
    for at, layer in enumerate(packet.layers):
        if not isinstance(layer, Header) or layer.quotes():
            break
        if isinstance(layer, IP):
            network = at
            if layer.is_fragment():
                return network, at + 1
        elif isinstance(layer, Fragment) and network is not None:
            between = packet.layers[network + 1 : at]
            if isinstance(packet.layers[network], IPv6) and all(isinstance(each, EXTENSIONS) for each in between):
                return network, at + 1
    return None, 0


def _ipv4_slice(parts: Parts, link_type: LinkType | None) -> Slice:
    header = parts.head[0]
    assert isinstance(header, IPv4)
    return Slice(
        Datagram(header.src, header.dst, header.identification, header.protocol),
        parts,
        link_type,
        header.fragment_offset * UNIT,
        header.more_fragments,
        header.ecn,
        header.total_length - length_of(parts),
    )


def _ipv6_slice(parts: Parts, link_type: LinkType | None) -> Slice:
    header, marker = parts.head[0], parts.marker
    assert isinstance(header, IPv6)
    assert marker is not None
    return Slice(
        Datagram(header.src, header.dst, marker.identification, None),
        parts,
        link_type,
        marker.fragment_offset * UNIT,
        marker.more_fragments,
        header.traffic_class % ECN_VALUES,
        header.payload_length - length_of(parts) - len(bytes(marker)),
    )


def length_of(parts: Parts) -> int:
    """How many bytes of the headers count in the packet's length field, the fragment header being left out."""
    counted = parts.head if parts.marker is None else parts.head[1:]
    return size_of(counted)
