"""Filters in the tcpdump language, compiled by libpcap (through cypcap), for packets that were captured.

The libpcap is the one that cypcap brings along, which may be newer than the system's. From 1.10.5 on it corrects
`ip multicast`, which in older ones also lets 240.0.0.0/4 pass: there, and only there, tcpdump may select more.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rawkit.errors import FilterError
from rawkit.pcap.bpf import Program
from rawkit.pcap.record import Record
from rawkit.wire.link_type import LinkType

if TYPE_CHECKING:
    from rawkit.pcap.follow import FollowedCapture
    from rawkit.pcap.reader import Capture

__all__ = ["LONGEST_FILTER", "CaptureFilter", "compile_filter", "compile_with"]

SNAPLEN: Final = 262144

LONGEST_FILTER: Final = 8192
"""Characters of a filter: libpcap's time grows with the square of it, to some ten seconds at this length."""

OPTIMIZED: Final = 6000
"""Instructions of which libpcap's optimizer, whose time grows with their cube, gets rid in some three seconds."""

SEARCHED: Final = 400
"""Characters of a filter in which the place of a syntax error is searched, by compiling some of its beginnings."""

WORD: Final = re.compile(r"\\?\w[\w.:-]*|&&|\|\||<<|>>|[<>=!]=|\S")

NO_WORD: Final = "::999.999.999.999"
"""What libpcap's scanner takes for an IPv6 address and then refuses, in words that speak of no syntax."""

Compiler: TypeAlias = Callable[[str, bool], Iterable[tuple[int, int, int, int]]]
"""What cypcap makes of a filter: its instructions, optimized or not."""

_NO_PACKETS: Final = struct.Struct("=IHHiIII")  # the header of a classic file (draft-ietf-opsawg-pcap, section 4)

LIKELY: Final = (LinkType.ETHERNET, LinkType.IEEE802_11_RADIOTAP, LinkType.RAW)


def compile_with(compile: Compiler, text: str) -> Program:
    """The program of a filter. Raises FilterError, with libpcap's words and, for a syntax error, the place."""
    if "\0" in text:
        raise FilterError(text, "a null character, at which libpcap would stop reading", text.index("\0"))
    if len(text) > LONGEST_FILTER:
        raise FilterError(text, f"{len(text)} characters; at most {LONGEST_FILTER} compile in bearable time")
    try:
        instructions = _compiled(compile, text, False)
        if len(instructions) <= OPTIMIZED:
            instructions = _compiled(compile, text, True)
    except _Refused as refused:
        raise FilterError(text, refused.reason, _place(compile, text, refused.reason)) from None
    return Program(instructions)


NO_NETMASK: Final = 0
"""What tcpdump says of packets from files: then `ip broadcast` means 255.255.255.255 and 0.0.0.0 alone."""


def compile_filter(text: str, link_type: LinkType) -> Program:
    """The program of a filter for packets from files, of one link type. Raises FilterError.

    libpcap compiles it on a file, an empty one, since for those it knows things better than for a link type
    alone: AF_INET6 of every BSD, and that nobody can be asked which way a frame went. A host that is named is
    looked up by the system's resolver, which may ask the network: libpcap does that.
    """
    cypcap: Any = import_module("cypcap")  # loads libpcap, which only filters need
    with NamedTemporaryFile(suffix=".pcap") as file:
        file.write(_NO_PACKETS.pack(0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, link_type))
        file.flush()
        pcap = cypcap.open_offline(file.name)
    try:
        return compile_with(lambda text, optimize: pcap.compile(text, optimize, NO_NETMASK), text)
    finally:
        pcap.close()


class CaptureFilter:
    """A filter, see pcap-filter(7), for records of any link type, each with a program of its own.

    What no link type can mean is found when it is made. Raises FilterError then, or at the first record with
    a link type for which the filter has no meaning.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._programs: dict[LinkType, Program] = {}
        refused = []
        for link_type in LIKELY:
            try:
                self._program(link_type)
                break  # compiling a large filter takes seconds, and one link type that takes it will do
            except FilterError as error:
                refused.append(error)
                if error.position is not None:  # a syntax error, whatever the link type
                    raise
        else:
            if not any(self._takes(link_type) for link_type in LinkType):
                raise refused[0]

    def _takes(self, link_type: LinkType) -> bool:
        """Whether the filter means something for a link type."""
        try:
            self._program(link_type)
        except FilterError:
            return False
        return True

    def matches(self, record: Record) -> bool:
        """Whether the filter lets the record pass, as tcpdump would."""
        program = self._programs.get(record.link_type) or self._program(record.link_type)
        return program.run(record.data, record.wire_length) != 0

    def select(
        self, capture: Capture | FollowedCapture, left_out: Callable[[LinkType, FilterError], None]
    ) -> Iterator[Record]:
        """The records that pass, of a file that may have several link types (which tcpdump refuses to read).

        The filter must mean something for one of them. Records of the others cannot be asked and do not pass,
        whatever the filter: `left_out` is called once for each such link type, as soon as another was met for
        which the filter has a meaning. Raises FilterError when there is none: at the first record of a classic
        file, which has one link type, and at the end of a pcapng file.
        """
        runs: dict[LinkType, Callable[[bytes, int], int]] = {}
        refused: dict[LinkType, FilterError] = {}
        told: set[LinkType] = set()
        for record in capture:
            if record.link_type not in runs:
                try:
                    runs[record.link_type] = self._program(record.link_type).run
                except FilterError as error:
                    if capture.format == "pcap":
                        raise
                    refused[record.link_type] = error
                    runs[record.link_type] = _refuse
                if len(runs) > len(refused):
                    for link_type in refused.keys() - told:
                        left_out(link_type, refused[link_type])
                    told = set(refused)
            if runs[record.link_type](record.data, record.wire_length):
                yield record
        if refused and len(runs) == len(refused):
            raise next(iter(refused.values()))

    def _program(self, link_type: LinkType) -> Program:
        program = self._programs[link_type] = compile_filter(self.text, link_type)
        return program


def _refuse(_data: bytes, _wire_length: int) -> int:
    return 0


class _Refused(Exception):
    """What libpcap says of a text."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def _compiled(compile: Compiler, text: str, optimize: bool) -> Any:
    cypcap: Any = import_module("cypcap")
    try:
        return [tuple(instruction) for instruction in compile(text, optimize)]
    except (cypcap.Error, ValueError) as error:
        raise _Refused(str(error.args[-1] if error.args else error)) from None


def _place(compile: Compiler, text: str, reason: str) -> int | None:
    """Where the first word stands that libpcap's grammar does not take there; None where that is not known.

    libpcap tells no place. But its parser finds a mistake at the first word that cannot follow, before it looks
    at any behind it: so what comes behind a beginning that is sound is complained of in place of the syntax.
    """
    if "syntax error" not in reason or len(text) > SEARCHED:
        return None
    words = [*WORD.finditer(text)]

    def is_wrong(end: int) -> bool:
        try:
            _compiled(compile, f"{text[:end]} {NO_WORD}", False)
        except _Refused as refused:
            return "syntax error" in refused.reason
        return False

    at = bisect_left(words, True, key=lambda word: is_wrong(word.end()))
    return words[at].start() if at < len(words) else len(text)
