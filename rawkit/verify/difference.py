"""One difference between two readings of a packet."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Difference"]


class Difference(NamedTuple):
    """Where scapy reads or builds a packet otherwise.

    `position` counts layers from the outermost, 0. `field` is ours, with an item's place in its list and its class
    (`options[1] WindowScale.shift`); it is empty where a layer as a whole is seen by one side only, and `bytes`
    where the packet that scapy builds from the same fields has other bytes. `reason` says why scapy is known to
    be wrong (or that there are no bytes), and is empty where it is not.
    """

    position: int
    layer: str
    field: str
    ours: object
    theirs: object
    reason: str = ""

    def __str__(self) -> str:
        name = f"{self.layer}.{self.field}" if self.field else self.layer
        because = f" ({self.reason})" if self.reason else ""
        return f"{name}: {shown(self.ours)}, scapy {shown(self.theirs)}{because}"


def shown(value: object) -> str:
    """A value as text, short enough for a table."""
    text = value.hex() if type(value) is bytes else str(value)
    return text if len(text) <= 48 else text[:45] + "..."
