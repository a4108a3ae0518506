"""What trails the bodies of layers, and what it is where a layer knows: extensions behind an ICMP error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rawkit.errors import PacketError
from rawkit.wire.packet import Header, Packet, Trailer

__all__ = ["Trailing", "read_trailer", "trailing"]


class Trailing(NamedTuple):
    """A trailer that starts at byte `start` of the packet; `record` is what it says, or None for plain bytes."""

    trailer: Trailer
    start: int
    record: Header | None

    @property
    def stop(self) -> int:
        """The byte after its last one."""
        return self.start + len(self.trailer.data)


def trailing(packet: Packet) -> Iterator[Trailing]:
    """The trailers in the order in which they stand, those of the innermost layer first."""
    if not packet.trailers:
        return
    bounds = packet.bounds()
    at = (bounds[-1][1] if bounds else 0) + len(packet.payload)
    for trailer in sorted(packet.trailers, key=lambda trailer: -trailer.layer):
        yield Trailing(trailer, at, read_trailer(packet, trailer))
        at += len(trailer.data)


def read_trailer(packet: Packet, trailer: Trailer) -> Header | None:
    """What the layer says that its trailer is, if it says so and the bytes can be that."""
    layer = packet.layers[trailer.layer]
    if layer._trailed_by is None:
        return None
    try:
        record, _, _, _ = layer._trailed_by._parse(trailer.data, 0, len(trailer.data), False)
    except PacketError:
        return None
    return record  # type: ignore[no-any-return]
