"""What names an expression may use, and what somebody meant who wrote another."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum, IntFlag
from typing import Any, Final

from rawkit import wire
from rawkit.layout import Record
from rawkit.wire import Header, LinkType

__all__ = ["ENUMS", "RECORDS", "constructors", "near", "near_header"]

RECORDS: Final[dict[str, type[Record]]] = {
    name: value
    for name in wire.__all__
    if inspect.isclass(value := getattr(wire, name)) and issubclass(value, Record) and value.fields()
    if sum(field.bits for field in value.fields()) % 8 == 0  # not so IP, which either version completes
}
ENUMS: Final[dict[str, type[IntEnum] | type[IntFlag]]] = {
    name: value
    for name in wire.__all__
    if inspect.isclass(value := getattr(wire, name))
    and issubclass(value, IntEnum | IntFlag)
    and value is not LinkType
}
OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "802.1q": ("VLAN",),
    "chksum": ("checksum",),
    "dataofs": ("data_offset",),
    "dot1ad": ("ServiceVLAN",),
    "dot1q": ("VLAN",),
    "dport": ("dst_port",),
    "eol": ("TCPEndOfOptions", "IPv4EndOfOptions"),
    "ether": ("Ethernet",),
    "fl": ("flow_label",),
    "frag": ("fragment_offset",),
    "hlim": ("hop_limit",),
    "hwdst": ("target_mac",),
    "hwsrc": ("sender_mac",),
    "icmp": ("ICMPv4",),
    "id": ("identification",),
    "ip": ("IPv4",),
    "len": ("total_length", "payload_length", "length"),
    "mac": ("Ethernet",),
    "mss": ("MaximumSegmentSize",),
    "na": ("NeighborAdvertisement",),
    "pdst": ("target_ip",),
    "psrc": ("sender_ip",),
    "nh": ("next_header",),
    "nop": ("TCPNoOperation", "IPv4NoOperation"),
    "ns": ("NeighborSolicitation",),
    "ofs": ("data_offset",),
    "plen": ("payload_length",),
    "prio": ("priority",),
    "proto": ("protocol", "next_header"),
    "ra": ("RouterAdvertisement",),
    "rs": ("RouterSolicitation",),
    "sackok": ("SACKPermitted",),
    "sackperm": ("SACKPermitted",),
    "sport": ("src_port",),
    "tc": ("traffic_class",),
    "timestamp": ("Timestamps",),
    "tos": ("dscp", "traffic_class"),
    "ttl": ("hop_limit",),
    "urgptr": ("urgent_pointer",),
    "vlan": ("id",),
    "win": ("window",),
    "wscale": ("WindowScale",),
}
"""What scapy, Wireshark and everyday speech call headers, options and fields, in small letters."""

SHORT: Final = 3
"""Letters of a header's name that, with one of them wrong, is no longer like another: DNS is no misspelt DSS."""


def constructors(record: type[Record]) -> dict[str, Callable[..., Any]]:
    """The documented ways to make this record that are not fields: its own static and class methods."""
    names = {"cut"} if issubclass(record, Header) else set()
    for cls in record.__mro__:
        if cls in Header.__mro__:
            continue
        names |= {
            name
            for name, value in vars(cls).items()
            if isinstance(value, staticmethod | classmethod) and not name.startswith("_")
        }
    names -= set(dir(Header)) - {"cut"}
    return {name: getattr(record, name) for name in sorted(names)}


def near(name: str, known: Iterable[str], all_of: bool = False) -> str:
    """A hint at what was meant, for the end of an error message; with `all_of`, what there is to choose."""
    names = list(known)
    meant = _meant(name.lower(), names, 0.6 if all_of or len(name) > SHORT else 0.7)
    hint = f"; did you mean {meant}?" if meant else ""
    if all_of:
        hint += f"{'' if hint else ';'} it has {', '.join(names)}" if names else "; it has none"
    return hint


def _meant(name: str, names: Sequence[str], likeness: float) -> str | None:
    """The one of the names that somebody meant who wrote `name`, in small letters."""
    folded = {candidate.lower(): candidate for candidate in names}
    if name in folded:
        return folded[name]
    if others := [other for other in OTHER_NAMES.get(name, ()) if other in names]:
        return others[0]
    if swapped := [candidate for candidate in folded if sorted(candidate) == sorted(name)]:
        return folded[swapped[0]]
    close = difflib.get_close_matches(name, folded, 1, likeness)
    return folded[close[0]] if close else None


def near_header(name: str, known: Iterable[str]) -> str:
    """What was meant by an unknown header; where nothing is near, some that there are."""
    return near(name, known) or "; known are Ethernet, IPv4, TCP and others (`rawkit craft --help` has examples)"
