"""A packet as a tree: layers, fields with their values and bytes, options within, problems where they belong."""

from __future__ import annotations

from collections.abc import Iterator

from rawkit.layout import ItemList, Problem, Severity
from rawkit.views.outline import Placed, Section, fields_of, items_of, sections
from rawkit.views.palette import PROBLEM, QUIET, TITLE, paint
from rawkit.wire import CutHeader, ForeignLayer, Packet

__all__ = ["tree"]

INDENT = "    "
MAX_COLUMN = 24
"""Widest column of values; longer ones stand out of it."""

MAX_VALUE = 64
"""Longest value that is shown as a whole, in characters."""


def tree(packet: Packet, *, colour: bool = False) -> Iterator[str]:
    """The lines of the tree. `[14:16]` are bytes 14 and 15 of the packet, as Python slices.

    Raises BuildError if a field cannot be computed.
    """
    data, pending = bytes(packet), list(packet.problems)
    for section in sections(packet):
        mine = [problem for problem in pending if _belongs(problem, section)]
        pending = [problem for problem in pending if problem not in mine]
        what = f", cut after {section.stop - section.start} bytes" if isinstance(section.layer, CutHeader) else ""
        yield f"{paint(section.name, TITLE, colour)}{what}  {_place(section.start, section.stop, colour)}"
        if section.layer is None:
            yield f"{INDENT}{_brief(_preview(data[section.start : section.stop]))}"
        if isinstance(section.layer, ForeignLayer):
            yield from _foreign(section.layer, INDENT, colour)
        yield from _fields(fields_of(section), mine, INDENT, colour)
        yield from _problems([problem for problem in mine if not problem.field], INDENT, colour)
    for problem in pending:
        yield _problem(problem, problem.layer, colour)


def _belongs(problem: Problem, section: Section) -> bool:
    if section.layer is None:
        return not problem.field and section.start <= problem.start < section.stop
    return problem.layer == section.name and section.start <= problem.start < section.stop


def _fields(fields: tuple[Placed, ...], problems: list[Problem], indent: str, colour: bool) -> Iterator[str]:
    width = max([len(field.info.name) for field in fields], default=0)
    values = [_value(field) for field in fields]
    value_width = min(max(map(len, values), default=0), MAX_COLUMN)
    for field, value in zip(fields, values, strict=True):
        items = list(items_of(field))
        place = _place(field.first_byte, field.last_byte, colour)
        yield f"{indent}{field.info.name:<{width}}  {value:<{value_width}}  {place}"
        for item, inner in items:
            bounds = _place(inner[0].first_byte, inner[-1].last_byte, colour) if inner else ""
            yield f"{indent}{INDENT}{paint(type(item).__name__, TITLE, colour)}  {bounds}"
            yield from _fields(inner, [], indent + 2 * INDENT, colour)
        yield from _problems([problem for problem in problems if problem.field == field.info.name], indent, colour)


def _foreign(layer: ForeignLayer, indent: str, colour: bool) -> Iterator[str]:
    """The fields of a layer that scapy read, with their places where they are known, and the records within."""
    width = max([len(field.name) for field in layer.fields], default=0)
    values = ["" if field.layers else _brief(field.value) for field in layer.fields]
    value_width = min(max(map(len, values), default=0), MAX_COLUMN)
    for field, value in zip(layer.fields, values, strict=True):
        known = field.start is not None and field.stop is not None
        place = _place(field.start or 0, field.stop or 0, colour) if known else ""
        yield f"{indent}{field.name:<{width}}  {value:<{value_width}}  {place}".rstrip()
        for within in field.layers:
            yield f"{indent}{INDENT}{paint(within.name, TITLE, colour)}"
            yield from _foreign(within, indent + 2 * INDENT, colour)


def _problems(problems: list[Problem], indent: str, colour: bool) -> Iterator[str]:
    for problem in problems:
        yield f"{indent}{_problem(problem, problem.field, colour)}"


def _problem(problem: Problem, name: str, colour: bool) -> str:
    """A problem behind its mark; how bad it is stands there if it is no error."""
    severity = "" if problem.severity is Severity.ERROR else f"{problem.severity}: "
    about = f"{name}: " if name else ""
    if problem.severity is Severity.NOTE:
        return paint(f"{severity}{about}{problem.text}", QUIET, colour)
    return paint(f"! {severity}{about}{problem.text}", PROBLEM, colour)


def _place(start: int, stop: int, colour: bool) -> str:
    return paint(f"[{start}:{stop}]", QUIET, colour)


def _preview(data: bytes) -> str:
    return f"{len(data)} bytes: {data[:MAX_VALUE]!r}"


def _value(field: Placed) -> str:
    return "" if isinstance(field.info.kind, ItemList) else _brief(field.info.show(field.value))


def _brief(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 3]}..."
