"""Packets that others captured, of the link types that rawkit reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from programs import give_up

from rawkit.errors import CaptureError
from rawkit.pcap import Record, open_capture
from rawkit.wire import LinkType
from rawkit.wire.spaces import LINK_LAYERS

TCPDUMP = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "tcpdump"
LINK_TYPES = tuple(number for number in LinkType if number in LINK_LAYERS)
LONGEST = 65535


def packets_of_others(each: int) -> Iterator[tuple[str, Record]]:
    """The first `each` packets of every file, with the file's name; times are left out, some being impossible."""
    if not TCPDUMP.is_dir():
        give_up("the tcpdump project's captures are missing")
    for path in sorted(TCPDUMP.iterdir()):
        try:
            with open_capture(path) as capture:
                records = [record for _, record in zip(range(each), capture, strict=False)]
        except CaptureError:
            continue
        for record in records:
            if record.link_type in LINK_TYPES and len(record.data) < LONGEST:
                yield path.name, record._replace(time_ns=0, interface=None, comments=())
