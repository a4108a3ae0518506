"""Where scapy is known to be wrong: the one place, to be reviewed.

Each entry tells which differences it explains and why scapy is the one that is wrong. Such differences are still
listed, with the reason; only those without one make a comparison fail. Found with scapy 2.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rawkit.layout import Record
from rawkit.verify.difference import Difference
from rawkit.verify.peer import ABSENT
from rawkit.wire import IP, Header, IPv4Timestamp, IPv4TimestampWithAddresses, Packet

__all__ = ["KNOWN", "Known", "reason_for"]


class Known(NamedTuple):
    """Differences that `explains` says yes to, and why scapy is wrong there."""

    explains: Callable[[Difference, Packet], bool]
    reason: str


def _rebuilt_without_padding(difference: Difference, packet: Packet) -> bool:
    return difference.field == "bytes" and any(getattr(item, "padding", b"") for item in _items(packet))


def _malformed(difference: Difference, packet: Packet) -> bool:
    return difference.field == "bytes" and any(item.malformed for item in _items(packet))


def _rebuilt_with_trailer_outside(difference: Difference, packet: Packet) -> bool:
    first_ip = next((at for at, layer in enumerate(packet.layers) if isinstance(layer, IP)), len(packet.layers))
    return difference.field == "bytes" and any(trailer.layer > first_ip for trailer in packet.trailers)


def _short_header_length(difference: Difference, packet: Packet) -> bool:
    return any(problem.field in ("ihl", "data_offset") for problem in packet.problems)


def _wrong_version(difference: Difference, packet: Packet) -> bool:
    return any(problem.field == "version" for problem in packet.problems)


def _unknown_icmpv6_type(difference: Difference, packet: Packet) -> bool:
    return difference.layer == "ICMPv6" and not difference.field and difference.theirs is ABSENT


def _raises_on_hostile_bytes(difference: Difference, packet: Packet) -> bool:
    return bool(packet.problems) and str(difference.theirs).startswith("raises ")


def _several_timestamps(difference: Difference, packet: Packet) -> bool:
    return difference.layer == "IPv4" and any(
        len(getattr(item, "timestamps", ())) + len(getattr(item, "entries", ())) != 1
        for item in _items(packet)
        if isinstance(item, IPv4Timestamp | IPv4TimestampWithAddresses)
    )


def _items(packet: Packet) -> Iterator[Record]:
    """The options of all headers."""
    for layer in packet.layers:
        if isinstance(layer, Header):
            yield from getattr(layer, "options", ())


KNOWN = (
    Known(
        _short_header_length,
        "a header length below the fixed fields' is impossible (RFC 791, 3.1; RFC 9293, 3.1); scapy follows it",
    ),
    Known(
        _wrong_version,
        "what announced the header says IPv4 or IPv6; scapy goes by the version alone, all but 6 being IPv4",
    ),
    Known(
        _malformed,
        "scapy drops options that it cannot read, and builds the header without them",
    ),
    Known(
        _rebuilt_without_padding,
        "scapy keeps none of the bytes after the end of the option list, and builds a shorter header",
    ),
    Known(
        _rebuilt_with_trailer_outside,
        "bytes behind a UDP datagram but inside the IP packet belong to it; scapy moves them behind it",
    ),
    Known(
        _several_timestamps,
        "scapy's timestamp option has room for exactly one entry; RFC 791, 3.1 has up to nine",
    ),
    Known(
        _unknown_icmpv6_type,
        "scapy has no ICMPv6 header for types that it does not know, and leaves the message as plain bytes",
    ),
    Known(
        _raises_on_hostile_bytes,
        "scapy raises an exception on damaged bytes instead of reading as far as they go",
    ),
)
"""Every case, with its reason."""


def reason_for(difference: Difference, packet: Packet) -> str:
    """Why scapy is wrong about this; empty where it is not known to be."""
    return next((known.reason for known in KNOWN if known.explains(difference, packet)), "")
