"""Reading capture files of every format through one door."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

from rawkit.errors import CaptureError, FileError
from rawkit.pcap.classic import ClassicReader
from rawkit.pcap.compression import MAGIC_SIZE, Decompressed, codec_of
from rawkit.pcap.files import Target, open_input, reading
from rawkit.pcap.parts import Part
from rawkit.pcap.pcapng import PcapngReader
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.salvage import Damage, OnDamage, find_start, is_file
from rawkit.pcap.source import Source
from rawkit.pcap.variants import FileHeader
from rawkit.wire.link_type import LinkType

__all__ = ["Capture", "open_capture"]

_MAGIC_SIZE = 4
_EXPECTED = "the magic number of a pcap or pcapng file"
_READERS: dict[bytes, type[ClassicReader] | type[PcapngReader]] = {
    magic: reader for reader in (ClassicReader, PcapngReader) for magic in reader.magics
}


def open_capture(
    source: Target, *, on_damage: OnDamage | None = None, link_type: LinkType | None = None
) -> Capture:
    """Open a capture file, classic pcap or pcapng: a path, `-` for standard input, or a binary file object.

    Use it as a context manager and iterate over it:

        with open_capture("x.pcapng") as capture:
            for record in capture:
                print(record.time_ns, len(record.data))

    A file that is compressed with gzip, zstd, xz, lz4 or bzip2 is read all the same, whatever it is called; what
    is cut short or damaged gives every record before, as any file does.

    It reads no more than it must, never seeks, and gives each record as soon as its bytes are there, so a
    pipe or FIFO that another program still writes to works too. Memory is constant: less than 1 MiB for usual
    packets (and what xz and zstd need, up to `compression.MAXIMUM_WINDOW`), five times the length of longer
    ones, and ten times `MAXIMUM_BLOCK` for the worst that a hostile file can do: options, comments and
    interfaces are limited too (`MAXIMUM_OPTIONS`, `MAXIMUM_TEXT` and `MAXIMUM_INTERFACES` in `blocks` and
    `pcapng`).

    Raises `FileError` if the file cannot be opened, `CaptureError` if it is no capture file, `TypeError` for
    what is neither a path nor a binary file. Iterating gives every record before a damage and then raises one
    `CaptureError` with the byte offset and what was expected there. A file object is read from where it
    stands, and stays open.

    With `on_damage`, reading goes on behind damage: with the next record or block that proves itself, which it
    finds in time that grows with the file and no faster. `on_damage` is called with a `Damage` for each stretch
    of bytes that was passed over. Where the header of a classic file is lost, its packets are of `link_type`,
    which has to be given then: nothing else tells it. Only damage of compressed data still ends it.
    """
    return Capture(source, on_damage, link_type)


class Capture:
    """An open capture file: an iterator over its records. Made by `open_capture`, which tells the rest."""

    def __init__(
        self, source: Target, on_damage: OnDamage | None = None, link_type: LinkType | None = None
    ) -> None:
        self._file, self.name, self._owned = open_input(source)
        try:
            window = _window(reading(self._file), self.name)
            self.compressed = window.name != self.name
            """Whether what is read was decompressed."""
            try:
                self._reader = _reader(window, on_damage)
            except CaptureError as error:
                if on_damage is None:
                    raise
                self._reader = _behind_damage(window, on_damage, link_type, error)
        except BaseException:
            self._release()
            raise
        self._records = iter(self._reader)
        self.parts_end = 0
        """Where the last part that `parts` gave ends, in bytes from the start of the file."""
        self._closed = False

    @property
    def format(self) -> str:
        """`pcap` or `pcapng`."""
        return self._reader.format

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces of the section that is being read, as far as they have been met."""
        return self._reader.interfaces

    def __iter__(self) -> Iterator[Record]:
        self._refuse_closed()
        return self._records

    def __next__(self) -> Record:
        self._refuse_closed()
        return next(self._records)

    def parts(self) -> Iterator[Part]:
        """The whole file in its parts, in place of its records: joined, their bytes are the file.

            with open_capture("x.pcapng") as capture:
                for part in capture.parts():
                    print(part.offset, len(part.raw), part.record or part.block)

        Iterate over either records or parts of a capture. Raises what iterating raises, after the last part
        before the damage.
        """
        self._refuse_closed()
        for part in self._reader.parts():
            self.parts_end = part.offset + len(part.raw)
            yield part

    def changed(self, part: Part, record: Record) -> Part:
        """A part of this capture with another record in it: another time, packet, wire length or comments.

        All else stays as it was: byte order, variant, interface, other options. Times are rounded down to the
        ticks of the file. A simple packet block becomes an enhanced one, which can hold what it could not.
        Raises `FieldError` for a value that the file cannot hold, and for a part without a packet.
        """
        return part if record == part.record else self._reader.changed(part, record)

    @property
    def header(self) -> FileHeader | None:
        """The file header of a classic file; None for pcapng."""
        return self._reader.header if isinstance(self._reader, ClassicReader) else None

    def close(self) -> None:
        """End the iteration; close the file, if it was opened here.

        A loop that is under way stops; to begin another raises `FileError`.
        """
        self._closed = True
        self._release()
        with suppress(ValueError):  # another thread waits for the next record, and finds the file closed
            self._records.close()

    def _release(self) -> None:
        if self._owned:
            self._file.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise FileError(errno.EBADF, f"read {self.name}", "this capture is closed; open it again")

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reader(window: Source, on_damage: OnDamage | None) -> ClassicReader | PcapngReader:
    """The reader of what begins at `position`."""
    magic = window.data[window.position : window.position + _MAGIC_SIZE]
    if magic not in _READERS:
        raise window.damage(window.offset, _EXPECTED, magic.hex(" "))
    if on_damage is not None and not is_file(window):
        raise window.damage(window.offset, "a sound section header or file header", magic.hex(" "))
    return _READERS[magic](window, on_damage)


def _behind_damage(
    window: Source, on_damage: OnDamage, link_type: LinkType | None, error: CaptureError
) -> ClassicReader | PcapngReader:
    """The reader of what follows a damaged beginning. Raises `error` if nothing does that proves itself."""
    begin = window.offset
    found, start = find_start(window)
    if not found:
        raise error
    if window.offset > begin:
        on_damage(Damage(window.name, begin, window.offset - begin, error.expected, error.found))
    if start is None:
        return _reader(window, on_damage)
    if not isinstance(start, FileHeader):
        return PcapngReader(window, on_damage, start)
    if link_type is None:
        expected = "the link type in a file header, which is lost; give it: --link-type ETHERNET (link_type=...)"
        raise window.damage(begin, expected, f"packets from byte {window.offset} on")
    return ClassicReader(window, on_damage, start._replace(link=link_type))


def _window(read: Callable[[int], bytes], name: str) -> Source:
    """The window on a capture, decompressed if need be, with its magic number in it."""
    window = Source(read, name)
    if not window.ensure(_MAGIC_SIZE):
        raise window.ended(_EXPECTED)
    if window.data[:_MAGIC_SIZE] in _READERS:
        return window
    window.ensure(MAGIC_SIZE)
    if (codec := codec_of(window.data)) is None:
        return window
    inside = Source(Decompressed(read, window.data, codec, name).read, f"{name}, decompressed")
    if not inside.ensure(_MAGIC_SIZE):
        raise inside.ended(_EXPECTED)
    return inside
