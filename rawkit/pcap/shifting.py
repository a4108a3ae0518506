"""Capture files in another time: packets, and what statistics blocks say about when."""

from __future__ import annotations

from rawkit.errors import FieldError
from rawkit.pcap.block_types import INTERFACE, SECTION, STATISTICS, BlockView, describe
from rawkit.pcap.blocks import Block, Option
from rawkit.pcap.options import DEFAULT_TICKS, make_option, name_of, ticks_per_second, value_of
from rawkit.pcap.parts import Part

__all__ = ["ShiftedStatistics", "check_shift"]

_NANOSECONDS = 1_000_000_000  # in a second
_WORD = 2**32
_TIMES = ("isb_starttime", "isb_endtime")


def check_shift(shift_ns: int, ticks: int) -> None:
    """Raise `FieldError` if a clock of so many ticks a second cannot be shifted by that without rounding."""
    if shift_ns * ticks % _NANOSECONDS:
        expected = f"nanoseconds that are a multiple of 1/{ticks} s, since the file's clock tells no less"
        raise FieldError("Edit", "shift_ns", shift_ns, expected)


class ShiftedStatistics:
    """Shifts the times of statistics blocks, each by the clock of its interface.

    It is shown every block of the capture, and gives back those that it does not change as they are.
    """

    def __init__(self, shift_ns: int) -> None:
        self._shift_ns = shift_ns
        self._ticks: list[int] = []  # of each interface of the section

    def take(self, part: Part) -> Part:
        """The part, shifted if it is a statistics block. Raises `CaptureError` for a damaged one."""
        block = part.block
        if block is None:
            return part
        if block.type == SECTION:
            self._ticks = []
        elif block.type == INTERFACE:
            resolution = describe(block).option("if_tsresol")
            self._ticks.append(ticks_per_second(resolution) if isinstance(resolution, int) else DEFAULT_TICKS)
        elif block.type == STATISTICS:
            view = describe(block)
            index = view.fields["interface_id"]
            if index < len(self._ticks):
                return part._replace(block=(shifted := self._shifted(view, self._ticks[index])), raw=shifted.raw)
        return part

    def _shifted(self, view: BlockView, ticks_per_second: int) -> Block:
        check_shift(self._shift_ns, ticks_per_second)
        ticks = self._shift_ns * ticks_per_second // _NANOSECONDS
        time = view.fields["timestamp_high"] * _WORD + view.fields["timestamp_low"] + ticks
        high, low = divmod(_within(time), _WORD)
        options = tuple(_shifted_option(option, ticks) for option in view.options)
        return view.replace(timestamp_high=high, timestamp_low=low, options=options).block


def _shifted_option(option: Option, ticks: int) -> Option:
    name, value = name_of(STATISTICS, option.code), value_of(STATISTICS, option)
    if name not in _TIMES or not isinstance(value, int):
        return option
    return make_option(STATISTICS, name, _within(value + ticks), option.order)


def _within(ticks: int) -> int:
    if not 0 <= ticks < _WORD * _WORD:
        raise FieldError(
            "Edit",
            "shift_ns",
            ticks,
            "nanoseconds that leave statistics a time that the interface's clock can tell",
        )
    return ticks
