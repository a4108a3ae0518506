"""Reading on in a capture file that still grows, or is replaced by a new one under its name, as `tail -F` does."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, cast

from rawkit.errors import CaptureError, file_error
from rawkit.pcap.files import Target, path_of
from rawkit.pcap.reader import Capture, open_capture
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.salvage import OnDamage
from rawkit.wire.link_type import LinkType

__all__ = ["FollowedCapture"]


class FollowedCapture:
    """The records of a capture file, each as soon as all of it is there; without end, unless `wait` raises.

        with FollowedCapture("x.pcapng", wait=lambda: time.sleep(0.25)) as capture:
            for record in capture:
                ...

    `wait` is called when there is nothing to read yet. It returns when it is time to look again, or raises what
    ends the following. The records of a file that takes the place of the first one (another inode under its
    name, or the same one cut shorter) follow those of the first, and are numbered on. A file that was replaced
    in the midst of a record is told of through `on_cut`; `on_damage` and `link_type` are those of `open_capture`.
    What is no regular file (a pipe, `-`, a file object) is read to its end.

    Raises `FileError` and `CaptureError` as `open_capture` does, when it is made or iterated over.
    """

    def __init__(
        self,
        source: Target,
        wait: Callable[[], None],
        *,
        on_cut: Callable[[CaptureError], None] | None = None,
        on_damage: OnDamage | None = None,
        link_type: LinkType | None = None,
    ) -> None:
        name = path_of(source)
        self._source, self._wait, self._on_cut, self._on_damage = source, wait, on_cut, on_damage
        self._link_type = link_type
        self._name = name if name is not None and name != "-" and _is_regular(name) else None
        self._capture: Capture | None = None
        self._records = self._all()

    @property
    def format(self) -> str:
        """`pcap` or `pcapng`; empty before the first record."""
        return "" if self._capture is None else self._capture.format

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those of the section that is being read."""
        return () if self._capture is None else self._capture.interfaces

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def __enter__(self) -> FollowedCapture:
        return self

    def __exit__(self, *_: object) -> None:
        self._records.close()

    def _all(self) -> Generator[Record, None, None]:
        if self._name is None:
            yield from self._records_of(self._source)
            return
        number = 0
        file = _open(self._name)
        while True:
            with file:
                growing = _Growing(file, self._name, self._wait)
                try:
                    for record in self._records_of(cast("BinaryIO", growing)):
                        number += 1
                        yield record._replace(number=number)
                except CaptureError as error:
                    if not growing.replaced:
                        raise
                    if self._on_cut is not None and growing.offset:  # nothing is lost with an empty file
                        self._on_cut(error)
            file = self._successor(self._name)

    def _successor(self, name: str) -> FileIO:
        """The file that has taken the place of the last, or will."""
        while True:
            try:
                return FileIO(name, "rb")
            except FileNotFoundError:
                self._wait()
            except OSError as error:
                raise file_error(error, f"open {name}") from error

    def _records_of(self, source: Target) -> Generator[Record, None, None]:
        with open_capture(source, on_damage=self._on_damage, link_type=self._link_type) as capture:
            self._capture = capture
            yield from capture


class _Growing:
    """A file that gives b"" only when another has taken its place, or it was cut shorter than what was read."""

    def __init__(self, file: FileIO, name: str, wait: Callable[[], None]) -> None:
        self.name = name
        self.replaced = False
        """Whether all was read that there will ever be."""
        self.offset = 0
        """How many bytes were read."""
        self._file, self._wait = file, wait

    def read(self, count: int) -> bytes:
        """At most `count` bytes, as soon as there are any."""
        while True:
            replaced = self._is_replaced()  # looked at before reading, so that the last bytes are not missed
            if part := self._file.read(count):
                self.offset += len(part)
                return part
            if replaced:
                self.replaced = True
                return b""
            self._wait()

    def _is_replaced(self) -> bool:
        here = os.fstat(self._file.fileno())
        if here.st_size < self.offset:
            return True
        try:
            there = Path(self.name).stat()
        except OSError:
            return False  # it was moved away, and its successor is yet to come
        return (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)


def _open(name: str) -> FileIO:
    try:
        return FileIO(name, "rb")
    except OSError as error:
        raise file_error(error, f"open {name}") from error


def _is_regular(name: str) -> bool:
    try:
        return stat.S_ISREG(Path(name).stat().st_mode)
    except OSError as error:
        raise file_error(error, f"open {name}") from error
