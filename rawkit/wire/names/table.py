"""A row and an entry of the table of names; see the package for what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rawkit.layout import Record
from rawkit.wire import notation
from rawkit.wire.names.limits import Limit

__all__ = ["Name", "Names", "Table", "named"]


class Name(NamedTuple):
    """What the others call one of our fields."""

    field: str
    scapy: str
    wireshark: str
    notation: notation.Notation


class Names(NamedTuple):
    """What scapy calls a record (or several, by which it goes there), and the names of its fields.

    `limit` is for headers that Wireshark gives up on when a length in them is impossible: of such a record (in a
    packet, at a position) it gives the rows that Wireshark still shows, by their Wireshark names, and None of
    any other record.
    `needed` is for headers that are cut: a row with this Wireshark name is shown only if this field of ours is
    there too; the empty name stands for all other rows.
    """

    scapy: tuple[str, ...]
    fields: tuple[Name, ...]
    limit: Limit | None = None
    needed: Mapping[str, str] = {}


def named(
    scapy: str,
    *rows: tuple[Any, ...],
    limit: Limit | None = None,
    needed: Mapping[str, str] = {},
) -> Names:
    """One entry; a row without a notation is `plain`."""
    names = tuple([Name(*row, *(notation.plain,) * (4 - len(row))) for row in rows])
    return Names(tuple(scapy.split()), names, limit, needed)


Table = dict[type[Record], Names]
