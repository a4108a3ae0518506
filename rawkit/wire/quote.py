"""The packet that an ICMP error quotes."""

from __future__ import annotations

from rawkit.layout import Length, field_ruled_by
from rawkit.wire.dissect import dissect
from rawkit.wire.icmp_extensions import QUOTED_AT_LEAST, ICMPExtensionObject, ICMPExtensions
from rawkit.wire.ip import IP
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header, Packet, Trailer

__all__ = ["quoting"]


def quoting(
    error: Header, packet: Packet | Header | None, limit: int, extensions: tuple[ICMPExtensionObject, ...] = ()
) -> Packet:
    """The error message that quotes the first `limit` bytes of `packet`, from its IP header on, as they stand.

    With `extensions` the quote is padded with zeros (RFC 4884, section 3), and they trail it within the limit.
    """
    if packet is None:
        return Packet((error,))
    if isinstance(packet, Header):
        packet = Packet((packet,))
    first = next((at for at, layer in enumerate(packet.layers) if isinstance(layer, IP)), 0)
    within = tuple(Trailer(data, layer - first) for data, layer in packet.trailers if layer > first)
    data = bytes(Packet(packet.built().layers[first:], packet.payload, within))
    if not extensions:
        return error / dissect(data[:limit], LinkType.RAW)
    structure = bytes(ICMPExtensions(objects=extensions))
    quote = _padded(data[: max(limit - len(structure), QUOTED_AT_LEAST)], _unit(error))
    return error / dissect(quote, LinkType.RAW) / Trailer(structure, 0)


def _unit(error: Header) -> int:
    """What the error's length of the quote counts, in bytes."""
    field = field_ruled_by(type(error), Length)
    return field.rule.unit if field is not None else 1  # type: ignore[union-attr]


def _padded(quote: bytes, unit: int) -> bytes:
    return quote.ljust(max(len(quote) + -len(quote) % unit, QUOTED_AT_LEAST), b"\0")
