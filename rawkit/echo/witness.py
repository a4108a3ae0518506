"""Who is told what happens at a server. A server without a witness formats nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rawkit.wire import Packet

__all__ = ["Witness"]


class Witness:
    """Hears of everything, and makes nothing of it; subclasses tell it."""

    def connected(self, who: Any) -> None:
        """A client has connected."""

    def received(self, who: Any, data: bytes, truncated: bool, files: Sequence[int] = ()) -> None:
        """A client sent data, and open files, which are going back to it.

        `truncated`: the rest of the message did not fit into the buffer, and is lost.
        """

    def unanswered(self, who: Any, error: Exception) -> None:
        """A datagram could not be answered."""

    def made(self, question: Packet, answer: Packet) -> None:
        """A packet that came was answered by one that was made by hand: what was told as received before."""

    def closed(self, who: Any, error: OSError | None) -> None:
        """A connection has ended: with an error, or since the client or this server wanted it."""

    def full(self, clients: int) -> None:
        """There is no room for more clients, of whom there are so many; new ones wait."""

    def pause(self) -> None:
        """Nothing happens for the moment."""
