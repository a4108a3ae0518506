"""Two echo servers and one datagram whose source is forged: they would answer each other for ever (RFC 862)."""

from __future__ import annotations

import time
from typing import Any, Final

__all__ = ["LOOP", "Loops"]

MANY: Final = 65_536
"""Answers to one peer after which one is left out: a loop ends with that, and anybody else has lost a datagram."""

SLOW: Final = 1000
"""Answers to one peer in a second that are no loop yet."""

PEERS: Final = 4096
"""Peers whose answers are counted; those of more are counted anew, since a loop has but one."""

LOOP: Final = (
    f"{MANY} answers went there in a row and fast, as between two servers; one is left out, which ends that"
)


class Loops(dict[Any, int]):
    """How many answers each peer got since the counting began."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.monotonic()

    def suspects(self, peer: Any) -> bool:
        """Count an answer; whether it had better not be given."""
        count = self[peer] = self.get(peer, 0) + 1
        if count < MANY and len(self) <= PEERS:
            return False
        taken, self._since = time.monotonic() - self._since, time.monotonic()
        self.clear()
        return count >= MANY and count > SLOW * taken
