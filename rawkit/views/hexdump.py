"""The bytes of a packet in hexadecimal and ASCII, laid out as `hexdump -C` does, coloured by field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rawkit.layout import Severity
from rawkit.views.outline import Section, fields_of, sections
from rawkit.views.palette import PROBLEM, QUIET, TITLE, layer_style, paint
from rawkit.wire import Packet

__all__ = ["dump_bytes", "hexdump"]

WIDTH = 16
HALF = WIDTH // 2


def hexdump(packet: Packet, *, colour: bool = False) -> Iterator[str]:
    """The lines of the packet's dump; with `colour`, one a layer follows that tells which colour is what.

    Fields with a problem that is more than a note are red. Raises BuildError if a field cannot be computed.
    """
    data = bytes(packet)
    if not colour:
        yield from dump_bytes(data)
        return
    found = sections(packet)
    styles = [""] * len(data)
    for number, section in enumerate(found):
        _fill(styles, section, number)
    for problem in packet.problems:
        if problem.field and problem.severity > Severity.NOTE:
            styles[problem.start : problem.stop] = [PROBLEM] * len(styles[problem.start : problem.stop])
    yield from dump_bytes(data, styles)
    for number, section in enumerate(found):
        yield _legend(section, number)


def dump_bytes(data: bytes, styles: list[str] | None = None) -> Iterator[str]:
    """The lines of a dump: offset, sixteen bytes in two groups, and the same as ASCII."""
    for at in range(0, len(data), WIDTH):
        row = data[at : at + WIDTH]
        shown = [f"{byte:02x} " for byte in row]
        text = [chr(byte) if 32 <= byte < 127 else "." for byte in row]
        if len(row) > HALF:
            shown[HALF - 1] += " "
        blank = " " * (3 * WIDTH + 1 - sum(map(len, shown)))
        if styles is not None:
            shown, text = _painted(shown, styles[at:]), _painted(text, styles[at:])
        yield f"{at:08x}  {''.join(shown)}{blank} |{''.join(text)}|"


def _painted(cells: list[str], styles: list[str]) -> list[str]:
    """The cells, neighbours of one style painted together."""
    runs = groupby(zip(cells, styles, strict=False), key=lambda pair: pair[1])
    return [paint("".join([cell for cell, _ in run]), style, True) for style, run in runs]


def _fill(styles: list[str], section: Section, number: int) -> None:
    """The styles of one section's bytes; one that several fields share takes that of the first."""
    styles[section.start : section.stop] = [_style(section, number, 0)] * (section.stop - section.start)
    for index, field in reversed([*enumerate(fields_of(section))]):
        count = field.last_byte - field.first_byte
        styles[field.first_byte : field.last_byte] = [_style(section, number, index)] * count


def _style(section: Section, number: int, field: int) -> str:
    return layer_style(number, field) if section.layer is not None else QUIET


def _legend(section: Section, number: int) -> str:
    names = [
        paint(field.info.name, _style(section, number, index), True)
        for index, field in enumerate(fields_of(section))
    ]
    place = f"{section.start}-{section.stop - 1}"
    return " ".join([paint(section.name, TITLE, True), paint(place, QUIET, True), *names])
