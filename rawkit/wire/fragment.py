"""Fragments: `fragment` cuts a packet into them (RFC 791, section 3.2; RFC 8200, section 4.5).

The `Reassembler`, which puts them together again, stands in `reassemble.py`, and is to be had from here too.
"""

from __future__ import annotations

from collections.abc import Iterator

from rawkit.errors import FieldError, LayerError
from rawkit.layout import AUTO, NextProtocol, field_ruled_by
from rawkit.wire.ip import IP
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.ipv6 import Fragment
from rawkit.wire.overlap import Overlap
from rawkit.wire.packet import Header, Layer, Packet, layer_text
from rawkit.wire.reassemble import Datagram, FailedDatagram, Failure, Notice, Reassembled, Reassembler
from rawkit.wire.slices import UNIT, Parts, parts_at, read_again, size_of, with_lengths

__all__ = ["Datagram", "FailedDatagram", "Failure", "Notice", "Overlap", "Reassembled", "Reassembler", "fragment"]


def fragment(
    packet: Packet | Header, mtu: int, *, identification: int = 0, despite_dont_fragment: bool = False
) -> tuple[Packet, ...]:
    """The fragments of `packet`, none longer than `mtu` bytes from its IP header on; itself alone, if it fits.

    It is the outermost IP header that counts, and what stands before it (Ethernet) stands before each fragment;
    what trails behind the IP packet (Ethernet's padding) stays away. Lengths and header checksums are those of
    the fragments; what is within is cut from the packet as it is built, so its checksums are those of the whole.
    Any `mtu` with room for the headers and 8 bytes will do, also one below the 68 bytes of RFC 791 and the 1280
    of RFC 8200.

    IPv4: the fragments have the packet's own `identification`. The first keeps all options, the others those whose
    copied flag is set. A fragment can be fragmented again. Where the packet says `dont_fragment`, FieldError is
    raised, unless with `despite_dont_fragment`; the flag then stays set.

    IPv6: `identification` is for the fragment headers, unless the packet has one already: then it is that, and a
    fragment can be fragmented again. The fragment header comes behind the routing header, and else behind
    hop-by-hop options. That a first fragment has all headers up to the transport's (RFC 7112) is up to the `mtu`.

    Raises LayerError for a packet without IP, FieldError for an `mtu` that has no room, for a datagram that
    reaches beyond the offsets that fragments can have, and for what cannot be built.
    """
    packet = Packet((packet,)) if isinstance(packet, Header) else packet
    at = next((at for at, layer in enumerate(packet.layers) if isinstance(layer, IP)), None)
    if at is None:
        raise LayerError("IP", [layer_text(layer) for layer in packet.layers])
    whole = packet.built()
    parts = parts_at(whole, at)
    marker = () if parts.marker is None else (parts.marker,)
    if size_of((*parts.head, *marker)) + len(parts.body) <= mtu:
        return (whole,)
    if isinstance(parts.head[0], IPv4):
        if parts.head[0].dont_fragment and not despite_dont_fragment:
            expected = f"False in a packet that does not fit an MTU of {mtu} (or despite_dont_fragment=True)"
            raise FieldError("IPv4", "dont_fragment", True, expected)
        made = _ipv4_fragments(parts.head[0], parts.body, mtu)
    else:
        made = _ipv6_fragments(parts, mtu, identification)
    before = with_lengths(parts.before)
    return tuple(read_again(Packet((*before, *head), body), whole.link_type) for head, body in made)


def _ipv4_fragments(header: IPv4, body: bytes, mtu: int) -> Iterator[tuple[tuple[Layer, ...], bytes]]:
    first = header.replace(total_length=AUTO, checksum=AUTO)
    copied = [option for option in header.options if option.copied]
    further = first.replace(ihl=AUTO, options=copied)
    rooms = _room("IPv4", len(bytes(first)), mtu), _room("IPv4", len(bytes(further)), mtu)
    for start, stop in _cuts(len(body), *rooms):
        fields = {
            "fragment_offset": header.fragment_offset + start // UNIT,
            "more_fragments": header.more_fragments or stop < len(body),
        }
        yield ((further if start else first).replace(**fields),), body[start:stop]


def _ipv6_fragments(parts: Parts, mtu: int, identification: int) -> Iterator[tuple[tuple[Layer, ...], bytes]]:
    *outer, last = (parts.head[0].replace(payload_length=AUTO), *parts.head[1:])
    field = field_ruled_by(type(last), NextProtocol)
    assert field is not None
    header = parts.marker or Fragment(next_header=getattr(last, field.name), identification=identification)
    head = (*outer, last.replace(**{field.name: AUTO}) if parts.marker is None else last)
    room = _room("IPv6", size_of((*parts.head, header)), mtu)
    for start, stop in _cuts(len(parts.body), room, room):
        fields = {
            "fragment_offset": header.fragment_offset + start // UNIT,
            "more_fragments": header.more_fragments or stop < len(parts.body),
        }
        yield (*head, header.replace(**fields)), parts.body[start:stop]


def _room(version: str, headers: int, mtu: int) -> int:
    """How many bytes of the body a fragment with so many bytes of headers has room for."""
    if mtu < headers + UNIT:
        expected = f"at least {headers + UNIT}, for {headers} bytes of headers and {UNIT} of the {version} packet"
        raise FieldError("fragment", "mtu", mtu, expected)
    return mtu - headers


def _cuts(length: int, first: int, further: int) -> Iterator[tuple[int, int]]:
    """Where each fragment's bytes start and stop: all but the last have a whole number of units."""
    start, room = 0, first
    while length - start > room:
        stop = start + room // UNIT * UNIT
        yield start, stop
        start, room = stop, further
    yield start, length
