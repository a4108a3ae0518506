"""A row and an entry of the table of names; see the package for what they mean."""

from __future__ import annotations

from typing import Any, NamedTuple

from rawkit.layout import Record
from rawkit.wire import notation

__all__ = ["Name", "Names", "Table", "named"]


class Name(NamedTuple):
    """What the others call one of our fields."""

    field: str
    scapy: str
    wireshark: str
    notation: notation.Notation


class Names(NamedTuple):
    """What scapy calls a record (or several, by which it goes there), and the names of its fields."""

    scapy: tuple[str, ...]
    fields: tuple[Name, ...]


def named(scapy: str, *rows: tuple[Any, ...]) -> Names:
    """One entry; a row without a notation is `plain`."""
    return Names(tuple(scapy.split()), tuple([Name(*row, *(notation.plain,) * (4 - len(row))) for row in rows]))


Table = dict[type[Record], Names]
