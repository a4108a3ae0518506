"""Frames on links as records of a capture file, and back, and as rungs of a ladder.

In a record, comments say who sent a frame, what became of it, and that its checksum was left to the card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rawkit.link import Frame
from rawkit.netns import Transit
from rawkit.pcap import Interface, Record
from rawkit.pcap.record import CHECKSUM_UNFINISHED
from rawkit.views.ladder import Crossing
from rawkit.wire import LinkType

__all__ = ["crossing", "fates", "records", "transit_in"]

_COMMENT: Final = re.compile(r"(\d{1,9}): ([\w.-]{1,64}) > ([\w.-]{1,64})(?:; ([ -~]{1,200}))?", re.ASCII)
"""What is written about each frame: its number, both ends, and what became of it."""


def records(transits: Iterable[Transit], link: str | None = None) -> Iterator[Record]:
    """The frames as records, with an interface for each link; only those of one link, if it is given."""
    interfaces: dict[str, Interface] = {}
    for number, transit in enumerate(transits, 1):
        if link not in (None, transit.link):
            continue
        interface = interfaces.setdefault(
            transit.link, Interface(len(interfaces), LinkType.ETHERNET, name=transit.link)
        )
        fate = f"; {transit.fate}" if transit.fate else ""
        said = f"{number}: {transit.sender} > {transit.receiver}{fate}"
        comments = (said, CHECKSUM_UNFINISHED) if transit.frame.checksum_unfinished else (said,)
        frame = transit.frame
        yield Record(number, frame.time_ns, frame.data, frame.wire_length, LinkType.ETHERNET, interface, comments)


def crossing(transit: Transit, mark: str = "") -> Crossing:
    """A frame on a link as a ladder draws it; one that was lost has an x, unless there is another mark."""
    lost = "" if transit.arrived else "x"
    return Crossing(transit.frame.time_ns, transit.frame.packet(), transit.sender, transit.receiver, mark or lost)


def fates(transits: Sequence[Transit], numbers: Iterable[int] | None = None) -> Iterator[str]:
    """What links did to frames, in words, a line for each such frame; of those of these numbers, if given."""
    for number in range(1, len(transits) + 1) if numbers is None else numbers:
        if transits[number - 1].fate:
            yield f"frame {number}: {transits[number - 1].fate}"


def transit_in(record: Record, link: str) -> tuple[int, Transit]:
    """The number and the frame of such a record. Raises ValueError for one that does not say them."""
    said = _COMMENT.fullmatch(record.comments[0]) if record.comments else None
    if said is None:
        raise ValueError(f"link {link}: a frame without its number")
    unfinished = record.checksum_unfinished
    frame = Frame(
        record.data, record.time_ns, record.wire_length, record.link_type, link, checksum_unfinished=unfinished
    )
    return int(said[1]), Transit(link, said[2], said[3], frame, said[4] or "")
