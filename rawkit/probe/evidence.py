"""Why a question has no answer: what is known, from the surest evidence down."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from rawkit.link.counters import EXPLANATIONS, kernel_counters, moved
from rawkit.probe.matching import Key, differing_field, partial_keys
from rawkit.probe.outcome import Reason
from rawkit.wire import IPv4, IPv6, Packet

__all__ = ["Evidence", "Finding", "describe_error"]

REMEMBERED: Final = 4096
"""Partial keys of packets that answered nothing, of which so many are kept at the most."""

COUNTERS_GOOD_FOR: Final = 0.05
"""Seconds for which counters that were read are good: a thousand misses at once read them once."""

Finding = tuple[Reason, str, Packet | None]


class Evidence:
    """What happened while questions were open. `dropped` is the receiving sockets' drop counter at the start."""

    def __init__(self, dropped: int) -> None:
        self._dropped = dropped
        self._before = kernel_counters()
        self._moved: dict[str, int] = {}
        self._read_at = 0.0
        self._unmatched: dict[Key, Packet] = {}

    def note(self, keys: Iterable[Key], packet: Packet) -> None:
        """Remember a packet that answered no question."""
        for key in keys:
            for partial in partial_keys(key):
                self._unmatched[partial] = packet
        while len(self._unmatched) > REMEMBERED:
            del self._unmatched[next(iter(self._unmatched))]

    def about(self, keys: Iterable[Key], dropped: int) -> Finding:
        """The best reason why none of these keys came, if `dropped` is the drop counter now."""
        for key in keys if self._unmatched else ():
            for partial in partial_keys(key):
                if (packet := self._unmatched.get(partial)) is not None:
                    return Reason.NEARLY, _near(differing_field(partial), packet), packet
        if (lost := dropped - self._dropped) > 0:
            text = f"the receiving socket dropped {lost} packets meanwhile, maybe the answer too; ask more slowly"
            return Reason.DROPPED, text, None
        if told := self._counters():
            return Reason.COUNTED, told, None
        return Reason.SILENCE, "nothing came back, and this host's counters tell of nothing discarded", None

    def _counters(self) -> str:
        now = time.monotonic()
        if now - self._read_at > COUNTERS_GOOD_FOR:
            self._moved, self._read_at = moved(self._before, kernel_counters()), now
        told = [
            f"{name} rose by {count}: {EXPLANATIONS[name]}"
            for name, count in self._moved.items()
            if name in EXPLANATIONS
        ]
        return f"this host's kernel discarded packets meanwhile ({'; '.join(told)})" if told else ""


def describe_error(packet: Packet) -> str:
    """An ICMP error in words: who sent it, and what it says."""
    sender = next((layer.src for layer in packet.layers if isinstance(layer, IPv4 | IPv6)), None)
    error = next((layer for layer in packet.layers if getattr(layer, "quotes", lambda: False)()), None)
    return f"{sender} says: {error.describe() if error is not None else packet.summary()}"


def _near(field: str, packet: Packet) -> str:
    inner = Packet(packet.layers[1:], packet.payload) if len(packet.layers) > 1 else packet
    return f"a packet came that answers but for its {field}: {inner.summary()}"
