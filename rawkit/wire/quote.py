"""The packet that an ICMP error quotes."""

from __future__ import annotations

from rawkit.wire.dissect import dissect
from rawkit.wire.ip import IP
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header, Packet, Trailer

__all__ = ["quoting"]


def quoting(error: Header, packet: Packet | Header | None, limit: int) -> Packet:
    """The error message that quotes the first `limit` bytes of `packet`, from its IP header on, as they stand."""
    if packet is None:
        return Packet((error,))
    if isinstance(packet, Header):
        packet = Packet((packet,))
    first = next((at for at, layer in enumerate(packet.layers) if isinstance(layer, IP)), 0)
    within = tuple(Trailer(data, layer - first) for data, layer in packet.trailers if layer > first)
    data = bytes(Packet(packet.built().layers[first:], packet.payload, within))
    return error / dissect(data[:limit], LinkType.RAW)
