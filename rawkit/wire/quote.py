"""The packet that an ICMP error quotes."""

from __future__ import annotations

from rawkit.wire.dissect import dissect
from rawkit.wire.ip import IP
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header, Packet

__all__ = ["quoting"]


def quoting(error: Header, packet: Packet | None, limit: int) -> Packet:
    """The error message that quotes the first `limit` bytes of `packet`, from its IP header on."""
    if packet is None:
        return Packet((error,))
    first = next((at for at, layer in enumerate(packet.layers) if isinstance(layer, IP)), 0)
    built = packet.built()
    data = bytes(Packet(built.layers[first:], built.payload))
    return error / dissect(data[:limit], LinkType.RAW)
