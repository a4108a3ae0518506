"""Why a checksum is wrong: the mistakes that give exactly the value found, each proved by making it again.

One value in 65,536 fits a mistake by accident, so what is told is nearly always so; several that fit stand in the
order in which they are likely. Nothing is told that was not computed from the packet's own bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Any, NamedTuple

from rawkit.layout import Checksum, ItemList, Record, enclosing_network, field_ruled_by
from rawkit.layout.checksum import Sums, checksum_of
from rawkit.wire.ipv4 import IPv4

__all__ = ["UNFINISHED", "Placed", "diagnose"]

UNFINISHED = "only the pseudo-header's sum is there, for the network card to finish"
"""No mistake, but what a machine sees of the packets that it sends to itself (checksum offload)."""

MOST_ADDRESSES = 1000
"""How many addresses of a packet are tried; a list of sources can hold sixteen times as many."""

Mistake = tuple[int, str]
"""The checksum that it gives, and what it is."""


@dataclass(frozen=True)
class Placed:
    """The layers of a packet as they stand in `data`: where each header stops, and where its body ends."""

    data: bytes
    layers: tuple[Record, ...]
    stops: Sequence[int]
    limits: Sequence[int]

    @cached_property
    def sums(self) -> Sums:
        """The sums of any part of the bytes."""
        return Sums(self.data)

    @cached_property
    def addresses(self) -> dict[tuple[type, int], list[Any]]:
        """Every address in the packet, also in options and in quoted packets, by its kind and its remainder."""
        found: dict[tuple[type, int], list[Any]] = {}
        for address in dict.fromkeys(islice(_addresses(self.layers), MOST_ADDRESSES)):
            found.setdefault((type(address), int(address) % 65535), []).append(address)
        return found


class Sum(NamedTuple):
    """What goes into a checksum, as remainders modulo 65535 (RFC 1071)."""

    words: int
    """Of what it covers, the checksum itself being zero."""
    length: int
    """How many bytes those are."""
    found: int
    """The checksum that is there."""
    network: Any
    """The header of whose addresses the pseudo-header is; None where there is no pseudo-header."""
    addresses: int
    """Of the pseudo-header, as is the protocol number."""
    protocol: int
    start: int
    """Where the header stands in the packet, and where it stops, and where its body ends."""
    stop: int
    limit: int

    @property
    def constant(self) -> int:
        """What of the pseudo-header is no length."""
        return self.addresses + self.protocol

    @property
    def pseudo_header(self) -> int:
        """The pseudo-header as a whole."""
        return self.constant + self.length if self.network is not None else 0

    @property
    def total(self) -> int:
        """All of which the right checksum is the complement."""
        return self.words + self.pseudo_header

    @property
    def missing(self) -> int:
        """By how much the sum was larger when the checksum was right."""
        return (-self.found - self.total) % 65535


def diagnose(packet: Placed, index: int) -> tuple[str, ...]:
    """The mistakes by which the wrong checksum of layer `index` has the value that it has; the likeliest first."""
    summed = _sum(packet, index)
    if summed is None:
        return ()
    mistakes = [
        *_of_computing(packet, summed),
        *_of_length(packet, index, summed),
        *_of_changing(packet, index, summed),
    ]
    found = [text for value, text in mistakes if value % 65535 == summed.found % 65535]
    return tuple(dict.fromkeys(found))


def _sum(packet: Placed, index: int) -> Sum | None:
    """What goes into the Internet checksum of a layer; None if it has none."""
    record = packet.layers[index]
    field = field_ruled_by(type(record), Checksum)
    if field is None or getattr(record, field.name) is None:
        return None
    rule: Any = field.rule
    start, stop, limit = packet.stops[index - 1] if index else 0, packet.stops[index], packet.limits[index]
    place = field if field.tail is None else next(span for span in record.spans() if span.name == field.name)
    at, size = start + place.offset // 8, place.bits // 8
    end = limit if rule.covers_body else stop
    words = packet.sums.words(start, at) + packet.sums.words(at + size, end)
    network, addresses, protocol = None, 0, 0
    if rule.pseudo_header is not None:
        network, addresses = enclosing_network(packet.layers, index)
        protocol = rule.pseudo_header.number_of(type(record)) or 0
    found = getattr(record, field.name)
    return Sum(words, end - start, found, network, addresses, protocol, start, stop, limit)


def _of_computing(packet: Placed, summed: Sum) -> Iterator[Mistake]:
    """Mistakes in the arithmetic."""
    total, last = summed.total, packet.data[summed.start + summed.length - 1]
    right = checksum_of(total)
    if summed.network is not None:
        yield summed.pseudo_header, UNFINISHED
        yield checksum_of(summed.words), "the pseudo-header was left out"
    yield total, "the complement was not taken"
    yield int.from_bytes(right.to_bytes(2), "little"), "its two bytes are swapped"
    if summed.length % 2:
        yield checksum_of(total - last * 256 + last), "the odd last byte was padded on the wrong side"
    if summed.found == 0:
        yield 0, "it was not filled in"
    yield checksum_of(total + right), "it was computed with the old checksum still in place"


def _of_length(packet: Placed, index: int, summed: Sum) -> Iterator[Mistake]:
    """Another length that the packet has was taken for the right one."""
    if summed.network is None:
        return
    header, length = summed.stop - summed.start, summed.length
    alone = summed.words - packet.sums.words(summed.stop, summed.start + length)
    yield checksum_of(alone + summed.constant + header), "it was computed without the payload"
    yield checksum_of(alone + summed.pseudo_header), "the payload was left out of the sum"
    around = next(at for at in range(index) if packet.layers[at] is summed.network)
    lengths = {
        length - header: "the payload's length was taken, which is without the header",
        header: "the header's length was taken, which is without the payload",
        summed.limit - (packet.stops[around - 1] if around else 0): "the length of the whole datagram was taken",
        0: "the pseudo-header's length was left out",
    }
    for other, text in lengths.items():
        if other != length:
            yield checksum_of(summed.words + summed.constant + other), text
    if behind := len(packet.data) - summed.limit:
        words = packet.sums.words(summed.limit, len(packet.data))
        more = summed.words + summed.constant + (words * 256 if length % 2 else words)
        text = f"the {behind} bytes behind the datagram were summed too"
        yield checksum_of(more + length + behind), text
        yield checksum_of(more + length), text


def _of_changing(packet: Placed, index: int, summed: Sum) -> Iterator[Mistake]:
    """Something was changed on the way, as routers and NAT do, and the checksum was not made again."""
    record: Any = packet.layers[index]
    network = summed.network or (record if record._has_pseudo_header else None)
    if isinstance(record, IPv4):
        hops, rest = divmod(summed.missing, 256)
        if not rest and 0 < hops <= 255 - record.ttl:
            yield summed.found, f"it was computed before the TTL went from {record.ttl + hops} to {record.ttl}"
        before = checksum_of(summed.total + 256)
        yield (
            checksum_of(summed.total + before),
            f"it was computed with the checksum of TTL {record.ttl + 1} still in place",
        )
    if network is None:
        return
    other = index + 1 if network is record else index - 1
    if other < len(packet.layers) and (beside := _sum(packet, other)) and 0 < summed.missing == beside.missing:
        yield summed.found, "it was computed before an address changed: the other checksum is wrong by the same"
    straight = sum(int(getattr(network, name)) for name in network._pseudo_header)
    further = (summed.addresses - straight) % 65535 if summed.network is not None else 0
    if further:
        yield checksum_of(summed.total - further), "it was computed with dst, and not with the final destination"
        return
    for name in network._pseudo_header:
        there = getattr(network, name)
        for address in packet.addresses.get((type(there), (summed.missing + int(there)) % 65535), ()):
            if address != there:
                yield summed.found, f"it was computed while {name} was {address}"


def _addresses(layers: Sequence[Record]) -> Iterator[Any]:
    """Every address in the layers, also in options and in quoted packets."""
    for layer in layers:
        for field in layer.fields():
            value = getattr(layer, field.name)
            if isinstance(field.kind, ItemList):
                yield from _addresses(value)
            else:
                for element in value if isinstance(value, tuple) else (value,):
                    if isinstance(element, IPv4Address | IPv6Address):
                        yield element
