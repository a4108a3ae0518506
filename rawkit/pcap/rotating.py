"""A capture that goes on in another file when one is full or its time is over."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.pcap.compressed import uncompressed
from rawkit.pcap.record import CapturedPacket, CapturedPackets, Interface
from rawkit.pcap.writer import CaptureWriter

__all__ = ["RotatingWriter", "Rotation"]

BLOCK_OVERHEAD: Final = 36
"""More bytes than either format adds to a packet: an enhanced packet block has 32, and up to 3 of padding."""

NANOSECONDS: Final = 1_000_000_000


class Rotation(NamedTuple):
    """When a file ends: before it is larger than `size` bytes, `nanoseconds` after it began; how many are kept."""

    size: int | None = None
    nanoseconds: int | None = None
    files: int | None = None
    """The latest so many; older ones are removed. None keeps all."""


class RotatingWriter:
    """Writes files named as `name` is, with a number and its first time before the ending, as dumpcap does.

    `x.pcapng` becomes `x_00001_20260131120000.pcapng` (local time) and so on. The first begins at `start_ns`, each
    further one with its first packet. Every file can be read by itself; one that is finished got its last words
    from `complete`. A single packet may make a file larger than its size. `options` are those of `CaptureWriter`.
    Raises what `CaptureWriter` raises.
    """

    def __init__(
        self,
        name: str,
        rotation: Rotation,
        start_ns: int,
        complete: Callable[[CaptureWriter], None] = lambda _: None,
        **options: Any,
    ) -> None:
        if min(value for value in (*rotation, 1) if value is not None) < 1:
            raise FieldError("RotatingWriter", "rotation", tuple(rotation), "1 byte, nanosecond and file, or more")
        self._name, self._rotation, self._complete, self._options = name, rotation, complete, options
        self._paths: deque[Path] = deque()
        self.files = 0
        """Files begun so far."""
        self._writer: CaptureWriter | None = None
        self._writer = self._begin(start_ns)

    def write_many(self, packets: CapturedPackets, interface: Interface) -> None:
        """Write packets of one interface, to the next file where this one ends."""
        packets, done = list(packets), 0
        while done < len(packets):
            time_ns = packets[done][0]
            self.expire(time_ns)
            if self._writer is None:
                self._writer = self._begin(time_ns)
            end = self._last_that_fits(packets, done)
            if end > done or self._writer.count == 0:
                end = max(end, done + 1)
                self._writer.write_many(packets[done:end], interface)
            if end < len(packets):
                self._finish()
            done = end

    def expire(self, now_ns: int) -> float | None:
        """Finish the file if its time is over by then; returns in how many seconds it will be, None for never."""
        span = self._rotation.nanoseconds
        if self._writer is None or span is None:
            return None
        left = self._began_ns + span - now_ns
        if left > 0:
            return left / NANOSECONDS
        self._finish()
        return None

    def close(self) -> None:
        """Finish the last file. Closing twice is no error."""
        self._finish()

    def _last_that_fits(self, packets: Sequence[CapturedPacket], start: int) -> int:
        """The index behind the last packet for this file."""
        size, span, _ = self._rotation
        assert self._writer is not None
        room = None if size is None else size - self._writer.size
        for index in range(start, len(packets)):
            time_ns, data, _ = packets[index]
            if span is not None and time_ns - self._began_ns >= span:
                return index
            if room is not None:
                room -= len(data) + BLOCK_OVERHEAD
                if room < 0:
                    return index
        return len(packets)

    def _begin(self, time_ns: int) -> CaptureWriter:
        self.files += 1
        self._began_ns = time_ns
        stem = uncompressed(self._name)
        path, compression = Path(stem), self._name[len(stem) :]
        moment = time.strftime("%Y%m%d%H%M%S", time.localtime(time_ns // NANOSECONDS))
        path = path.with_name(f"{path.stem}_{self.files:05}_{moment}{path.suffix}{compression}")
        writer = CaptureWriter(path, **self._options)
        self._paths.append(path)
        if self._rotation.files is not None and len(self._paths) > self._rotation.files:
            with suppress(FileNotFoundError):
                self._paths.popleft().unlink()
        return writer

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            self._complete(writer)
        finally:
            writer.close()
