"""Runs: packets of one size that stand one after another in memory, each behind a header of the same shape."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from typing import Any, Final, Self, TypeAlias

import numpy as np

from rawkit.pcap.record import CapturedPacket, PacketRun

__all__ = ["Run", "read_run"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Fields: TypeAlias = dict[str, tuple[str, int]]
"""For each field what it is, in NumPy's letters, and where it begins."""

NANOSECONDS: Final = np.uint64(1_000_000_000)
WORD: Final = np.uint64(2**32)


class Run(PacketRun):
    """Packets of one size. `rows` has the fields `seconds` (since 1970), `nanoseconds`, `length` and `data`."""

    def __init__(self, rows: Array) -> None:
        self._rows = rows

    @property
    def size(self) -> int:
        return self._rows.dtype["data"].itemsize

    def rows(self, *parts: bytes | str) -> memoryview:
        columns = [np.void(part) if isinstance(part, bytes) else self._column(part) for part in parts]
        rows = np.empty(len(self), [(str(number), column.dtype) for number, column in enumerate(columns)])
        for number, column in enumerate(columns):
            rows[str(number)] = column
        return rows.view(np.uint8).data

    def _column(self, name: str) -> Array:
        if name in ("time_high", "time_low"):
            high, low = np.divmod(self._times(), WORD)
            return (high if name == "time_high" else low).astype("<u4")
        return self._rows["data"] if name == "data" else self._rows["length"].astype("<u4")

    def _times(self) -> Array:
        times: Array = self._rows["seconds"].astype(np.uint64) * NANOSECONDS + self._rows["nanoseconds"]
        return times

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[CapturedPacket]:
        columns = (self._times(), self._rows["data"], self._rows["length"])
        return zip(*[column.tolist() for column in columns], strict=True)

    def __getitem__(self, which: slice) -> Self:
        return type(self)(self._rows[which])


def read_run(memory: mmap, start: int, stop: int, most: int, header: Fields, unlike: int) -> tuple[Run, int]:
    """The packets from `start` on that are like the first, at most so many, none behind `stop`; and their end.

    `header` says of each field of a packet's header what it is and where, from the start of the header: those of
    a `Run`, `next` (where the next header is), `kept` (the packet's size), `offset` (where its bytes are), and
    `status`. Packets of one size and one offset are alike, with none of the bits `unlike` in their status. The run
    stays in that memory, and holds as long as that is not changed.
    """
    first: Any = np.ndarray((), _shape(header), memory, start)
    step, kept, offset = (int(first[name]) for name in ("next", "kept", "offset"))
    shape = _shape(header | {"data": (f"V{kept}", offset)}, max(step, offset + kept))
    rows: Array = np.frombuffer(memory, shape, min(most, (stop - start) // shape.itemsize), start)
    alike = (rows["kept"] == kept) & (rows["offset"] == offset) & (rows["status"] & unlike == 0)
    alike[1:] &= rows["next"][:-1] == step
    count = len(rows) if alike.all() else int(alike.argmin())
    return Run(rows[:count]), start + count * shape.itemsize


def _shape(fields: Fields, size: int | None = None) -> Any:
    """A row with these fields, each with its kind and where it is; of so many bytes, or as many as they need."""
    kinds, offsets = zip(*fields.values(), strict=True)
    shape: Any = {"names": list(fields), "formats": kinds, "offsets": offsets}
    return np.dtype(shape if size is None else shape | {"itemsize": size})
