"""Packets that repeat one before them, found in bounded memory."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b

from rawkit.errors import FieldError
from rawkit.pcap.record import Record

__all__ = ["MOST_REMEMBERED", "Repeats"]

MOST_REMEMBERED = 100_000
"""Most packets that are looked back at."""

_DIGEST_SIZE = 16  # bytes: to find two packets that only look the same takes 2**64 of them


class Repeats:
    """Tells of each packet whether one shortly before it had the same bytes and link type.

    Either `packets` says how many packets before it are looked at, or `nanoseconds` how much earlier they may
    be, which are `MOST_REMEMBERED` at the most. Repeats count among the packets before. Interface and length on
    the wire may differ, so a packet that passed two interfaces is found. Raises `FieldError` for a window that
    has no such bounds.
    """

    def __init__(self, packets: int | None = None, nanoseconds: int | None = None) -> None:
        if (packets is None) == (nanoseconds is None):
            raise FieldError("Repeats", "packets", packets, "either packets or nanoseconds")
        if packets is not None and not 1 <= packets <= MOST_REMEMBERED:
            raise FieldError("Repeats", "packets", packets, f"1 to {MOST_REMEMBERED} packets")
        if nanoseconds is not None and nanoseconds < 0:
            raise FieldError("Repeats", "nanoseconds", nanoseconds, "0 or more")
        self._most = packets or MOST_REMEMBERED
        self._nanoseconds = nanoseconds
        self._window: deque[tuple[bytes, int]] = deque()  # digest and time of the packets before, oldest first
        self._latest: dict[bytes, int] = {}  # the position of the last packet with each digest
        self._position = 0

    def holds(self, record: Record) -> bool:
        """Whether the record repeats one in the window, into which it then goes."""
        link_type = int(record.link_type).to_bytes(4, "little")
        digest = blake2b(record.data, digest_size=_DIGEST_SIZE, salt=link_type).digest()
        window = self._window
        while window and self._is_over(window[0][1], record.time_ns):
            self._forget()
        repeated = digest in self._latest
        window.append((digest, record.time_ns))
        self._latest[digest] = self._position
        self._position += 1
        if len(window) > self._most:
            self._forget()
        return repeated

    def _is_over(self, earlier_ns: int, time_ns: int) -> bool:
        return self._nanoseconds is not None and time_ns - earlier_ns > self._nanoseconds

    def _forget(self) -> None:
        """Take the oldest packet out of the window."""
        position = self._position - len(self._window)
        digest, _ = self._window.popleft()
        if self._latest[digest] == position:
            del self._latest[digest]
