"""One capture file, read by rawkit and by tshark, and where they differ."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from agree.peer import SEPARATOR, Refused, tshark_rows

from rawkit.errors import CaptureError
from rawkit.pcap import Record, open_capture
from rawkit.views.fields import WiresharkFields, wireshark_fields

__all__ = ["Comparison", "Difference", "compare_file"]

FIELDS = wireshark_fields()


class Difference(NamedTuple):
    """A field of one packet in which the two differ: what each prints, empty where it has no such field."""

    file: str
    packet: int
    field: str
    ours: str
    theirs: str
    protocols: str
    """tshark's list of what it found in the packet, from the outside in."""


class Comparison(NamedTuple):
    """What became of one file. A value is a field of a packet that at least one of the two has."""

    file: str
    packets: int
    values: int
    differences: list[Difference]
    refused: str = ""
    """Why tshark does not read the file; then nothing was compared."""


def compare_file(path: Path) -> Comparison:
    """Compare every field that rawkit knows in every packet of the file."""
    name = f"{path.parent.name}/{path.name}"
    columns = WiresharkFields(FIELDS)
    try:
        rows = list(tshark_rows(path, FIELDS))
    except Refused as refused:
        return Comparison(name, 0, 0, [], str(refused))
    records = _records(path)
    values, differences = 0, []
    for number, (record, row) in enumerate(zip_longest(records, rows), 1):
        if record is None or row is None:
            reader = "rawkit" if record is None else "tshark"
            differences.append(Difference(name, number, "packet", "", f"only {reader} has it", ""))
            values += 1
            continue
        protocols, theirs = row
        ours = columns.read(record.packet())
        for field, mine, text in zip(FIELDS, ours, theirs, strict=True):
            if mine or text:
                values += 1
                if (joined := SEPARATOR.join(mine)) != text:
                    differences.append(
                        Difference(name, number, field, readable(joined), readable(text), protocols)
                    )
    return Comparison(name, len(rows), values, differences)


def _records(path: Path) -> list[Record]:
    """What rawkit reads of the file, up to where it is damaged."""
    records = []
    try:
        with open_capture(path) as capture:
            for record in capture:
                records.append(record)
    except CaptureError:
        pass  # tshark ends there as well, or the count differs
    return records


def readable(text: str) -> str:
    """The values of a field as both print them by default, commas between them."""
    return text.replace(SEPARATOR, ",")
