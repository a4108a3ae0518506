"""What a vector is: a packet and the bytes that someone else computed for it."""

from __future__ import annotations

from typing import NamedTuple

from rawkit.wire import LinkType, Packet

__all__ = ["Vector"]


class Vector(NamedTuple):
    """A packet as rawkit expresses it, and its bytes in hex as `source` has them."""

    name: str
    packet: Packet
    hex: str
    link_type: LinkType
    source: str

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.hex)
