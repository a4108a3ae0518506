"""From bytes to a packet: one header after the other, as deep as the bytes allow.

Reading never fails on content, and checks nothing: the headers keep what was on the wire, so `problems.py` can
find what is wrong with it when `packet.problems` is asked for.
"""

from __future__ import annotations

from rawkit.errors import PacketError, TruncatedError
from rawkit.layout import Record
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import CutHeader, Layer, Packet, Trailer, make_packet
from rawkit.wire.spaces import LINK_LAYERS

__all__ = ["MAX_LAYERS", "dissect"]

MAX_LAYERS = 32
"""How deep layers nest at the most when reading; what lies deeper stays payload, with a Problem."""

_link_layer = LINK_LAYERS.header_of


def dissect(
    data: bytes | bytearray | memoryview,
    link_type: LinkType = LinkType.ETHERNET,
    *,
    wire_length: int | None = None,
    checksum_unfinished: bool = False,
) -> Packet:
    """Read the bytes of a packet whose first header is what `link_type` says.

    Never raises on content: what no header can hold stays payload, and `packet.problems` tells why.
    `wire_length` is how long the packet was when it was captured, if that is more than `data`. With
    `checksum_unfinished` its transport checksum was left to the network card, and is no problem.
    """
    if type(data) is not bytes:
        data = bytes(memoryview(data))
    if link_type.__class__ is not LinkType:
        link_type = LinkType(link_type)
    following = _link_layer(link_type)
    start, end = 0, len(data)
    layers: list[Layer] = []
    stops: list[int] = []
    trailers: tuple[Trailer, ...] = ()
    stopped: PacketError | type[Record] | None = None
    wire_end = end if wire_length is None or wire_length < end else wire_length
    for _ in range(MAX_LAYERS):
        if following is None:
            break
        if start == end:
            stopped = following
            break
        try:
            layer, start, limit, following = following._parse(data, start, end, False)
        except TruncatedError as error:
            layer, start, limit, following = CutHeader(error.record, data[start:end]), end, end, None
            stopped = error
        except PacketError as error:
            stopped = error
            break
        if limit != end:
            trailers = (Trailer(data[limit:end], len(layers)), *trailers)
            end = limit
        layers.append(layer)
        stops.append(start)
    else:
        stopped = following
    return make_packet(
        tuple(layers),
        data[start:end],
        trailers,
        (data, link_type, wire_end, stopped, stops, checksum_unfinished),
        link_type,
    )
