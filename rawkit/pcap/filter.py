"""Filters in the tcpdump language, compiled by libpcap (through cypcap), for packets that were captured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, Final, TypeAlias

from rawkit.errors import FilterError
from rawkit.pcap.bpf import Program
from rawkit.pcap.record import Interface, Record
from rawkit.wire import LinkType

__all__ = ["LONGEST_FILTER", "CaptureFilter", "compile_filter", "compile_with"]

SNAPLEN: Final = 262144

LONGEST_FILTER: Final = 8192
"""Characters of a filter: libpcap's time grows with the square of it, to some ten seconds at this length."""

OPTIMIZED: Final = 6000
"""Instructions of which libpcap's optimizer, whose time grows with their cube, gets rid in some three seconds."""

SEARCHED: Final = 400
"""Characters of a filter in which the place of a syntax error is searched, by compiling its beginnings."""

Compiler: TypeAlias = Callable[[str, bool], Iterable[tuple[int, int, int, int]]]
"""What cypcap makes of a filter: its instructions, optimized or not."""

DATA_LINKS: Final = {
    LinkType(100): 11,
    LinkType(101): 12,
    LinkType(102): 15,
    LinkType(103): 16,
    LinkType(106): 19,
}
"""The DLT_ number for which libpcap compiles, where on Linux it is not the LINKTYPE_ number (pcap-common.c)."""

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


def compile_filter(text: str, link_type: LinkType) -> Program:
    """The program of a filter for packets from files, of one link type. Raises FilterError.

    A host that is named is looked up by the system's resolver, which may ask the network: libpcap does that.
    """
    cypcap: Any = import_module("cypcap")  # loads libpcap, which only filters need
    number = DATA_LINKS.get(link_type, int(link_type))
    try:
        data_link: Any = cypcap.DatalinkType(number)
    except ValueError:
        data_link = number

    def compile(text: str, optimize: bool) -> Iterable[tuple[int, int, int, int]]:
        program: Any = cypcap.compile(data_link, SNAPLEN, text, optimize, cypcap.NETMASK_UNKNOWN)
        return program  # type: ignore[no-any-return]

    program = compile_with(compile, text)
    if program.ancillary:  # libpcap compiles `inbound` so for Ethernet, and refuses it where it reads a file
        raise FilterError(text, "asks the kernel for what is not in the packet, and files do not have it")
    return program


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
        else:
            raise refused[0]

    def matches(self, record: Record) -> bool:
        """Whether the filter lets the record pass, as tcpdump would."""
        program = self._programs.get(record.link_type) or self._program(record.link_type)
        return program.run(record.data, record.wire_length) != 0

    def select(
        self,
        records: Iterable[Record],
        interfaces: Callable[[], Iterable[Interface]],
        left_out: Callable[[LinkType, FilterError], None],
    ) -> Iterator[Record]:
        """The records that pass, of a file that may have several link types (which tcpdump refuses to read).

        The filter must mean something for one of them: the link types of `interfaces()`, as the file has told
        them when the question comes up. Records of the others cannot be asked and do not pass, whatever the
        filter: `left_out` is called at the first of each such link type. Raises FilterError.
        """
        refused: set[LinkType] = set()
        for record in records:
            try:
                if record.link_type not in refused and self.matches(record):
                    yield record
            except FilterError as error:
                if not any(self._fits(interface.link_type) for interface in interfaces()):
                    raise
                refused.add(record.link_type)
                left_out(record.link_type, error)

    def _fits(self, link_type: LinkType) -> bool:
        try:
            return bool(self._programs.get(link_type) or self._program(link_type))
        except FilterError:
            return False

    def _program(self, link_type: LinkType) -> Program:
        program = self._programs[link_type] = compile_filter(self.text, link_type)
        return program


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
    """Where the longest beginning of the text that is a filter ends; libpcap tells no place. None: not known."""
    if "syntax error" not in reason or len(text) > SEARCHED:
        return None
    for word in [*re.finditer(r"\S+", text)][::-1]:
        try:
            _compiled(compile, text[: word.start()], False)
        except _Refused as refused:
            if "syntax error" not in refused.reason:
                return None
        else:
            return word.start()
    return None
