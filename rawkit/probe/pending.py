"""Questions that are not answered yet, and how they are found."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from rawkit.probe.matching import Key
from rawkit.probe.outcome import Clock
from rawkit.wire import Packet

if TYPE_CHECKING:
    from rawkit.probe.exchange import Run

__all__ = ["Hop", "Pending", "Table"]

Hop = tuple[Any, str]
"""The address of a next hop, and the interface that it is reached through."""


class Table:
    """Questions by their keys; those with the same key in the order in which they were added."""

    def __init__(self) -> None:
        self._filed: dict[Hashable, dict[Pending, None]] = {}

    def add(self, pending: Pending, keys: Iterable[Hashable]) -> None:
        for key in keys:
            filed = self._filed.get(key)
            if filed is None:
                self._filed[key] = {pending: None}
            else:
                filed[pending] = None

    def remove(self, pending: Pending, keys: Iterable[Hashable]) -> None:
        for key in keys:
            filed = self._filed.get(key)
            if filed is not None and filed.pop(pending, pending) is None and not filed:
                del self._filed[key]

    def first(self, key: Hashable) -> Pending | None:
        """The oldest question under that key."""
        filed = self._filed.get(key)
        return next(iter(filed)) if filed else None

    def only(self, key: Hashable) -> Pending | None:
        """The question under that key, if there is no other."""
        filed = self._filed.get(key)
        return next(iter(filed)) if filed and len(filed) == 1 else None


class Pending:
    """A question that is not answered yet."""

    __slots__ = (
        "clock",
        "hop",
        "is_done",
        "keys",
        "number",
        "packet",
        "ready",
        "run",
        "sends",
        "sent_ns",
    )

    def __init__(self, run: Run, number: int, packet: Packet) -> None:
        self.run, self.number, self.packet = run, number, packet
        self.ready: Any = None
        self.keys: tuple[Key, ...] = ()
        self.hop: Hop | None = None
        """The neighbour whose address it asks for, of a question that the exchange asks on its own account."""
        self.sends = 0
        self.sent_ns = 0
        self.clock = Clock.USER
        self.is_done = False
