"""Filters in the tcpdump language for packets that were captured, compiled and run by libpcap (through cypcap)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from rawkit.errors import FilterError
from rawkit.pcap.record import Record
from rawkit.wire import LinkType

__all__ = ["CaptureFilter"]

SNAPLEN: Final = 262144

DATA_LINKS: Final = {
    LinkType(100): 11,
    LinkType(101): 12,
    LinkType(102): 15,
    LinkType(103): 16,
    LinkType(106): 19,
}
"""The DLT_ number for which libpcap compiles, where on Linux it is not the LINKTYPE_ number (pcap-common.c)."""

LIKELY: Final = (LinkType.ETHERNET, LinkType.IEEE802_11_RADIOTAP, LinkType.RAW)


class CaptureFilter:
    """A filter, see pcap-filter(7), for records of any link type.

    What no link type can mean is found when it is made. Raises FilterError then, or at the first record with
    a link type for which the filter has no meaning.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._cypcap: Any = import_module("cypcap")  # loads libpcap, which only filters need
        self._programs: dict[LinkType, Callable[[Any, bytes], bool]] = {}
        refused = []
        for link_type in LIKELY:
            try:
                self._compile(link_type)
                break  # compiling a large filter takes seconds, and one link type that takes it will do
            except FilterError as error:
                refused.append(error)
        else:
            raise refused[0]

    def matches(self, record: Record) -> bool:
        """Whether the filter lets the record pass, as tcpdump would."""
        program = self._programs.get(record.link_type) or self._compile(record.link_type)
        header = self._cypcap.Pkthdr(caplen=len(record.data), len=record.wire_length)
        return program(header, record.data)

    def _compile(self, link_type: LinkType) -> Callable[[Any, bytes], bool]:
        cypcap = self._cypcap
        number = DATA_LINKS.get(link_type, int(link_type))
        try:
            data_link: Any = cypcap.DatalinkType(number)
        except ValueError:
            data_link = number
        try:
            program = cypcap.compile(data_link, SNAPLEN, self.text, True, cypcap.NETMASK_UNKNOWN)
        except (cypcap.Error, ValueError) as error:
            raise FilterError(self.text, str(error.args[-1] if error.args else error)) from None
        self._programs[link_type] = program.offline_filter
        return program.offline_filter  # type: ignore[no-any-return]
