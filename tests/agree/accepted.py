"""The differences between rawkit and tshark that are accepted: the one place, to be reviewed.

Each entry says which differences it explains, no more than it must, and why an expert would accept them. Found
with Wireshark 4.0.17, each packet read by itself (the preferences are in `peer.py`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agree.comparison import Difference

__all__ = ["ACCEPTED", "Accepted", "reason_for"]


class Accepted(NamedTuple):
    """Differences in fields, files and packets whose protocols match these expressions as a whole, and why."""

    fields: str
    reason: str
    protocols: str = ".*"
    files: str = ".*"
    ours: str = ".*"
    theirs: str = ".*"

    def explains(self, difference: Difference) -> bool:
        """Whether it is about this difference."""
        return all(
            re.fullmatch(pattern, text) is not None
            for pattern, text in (
                (self.fields, difference.field),
                (self.protocols, difference.protocols),
                (self.files, difference.file),
                (self.ours, difference.ours),
                (self.theirs, difference.theirs),
            )
        )


ACCEPTED: tuple[Accepted, ...] = (
    Accepted(
        r"tcp\.flags\.(ae|cwr|ece|str)",
        "where accurate ECN was negotiated, Wireshark takes the three flags for one counter; that is known from "
        "the handshake alone, which is in other packets",
        files=r"tcpdump/accecn_handshake\.pcap",
    ),
)


def reason_for(difference: Difference) -> str | None:
    """Why the difference is accepted; None if it is not."""
    return next((accepted.reason for accepted in ACCEPTED if accepted.explains(difference)), None)
