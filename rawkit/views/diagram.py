"""A packet drawn as RFCs draw it: 32 bits a row, a box a field, with this packet's values in the boxes.

A row is a list of 32 cells, each holding the number of the box that has this bit. Walls and floors follow from
that alone: there is one wherever two neighbouring cells belong to different boxes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from rawkit.layout import FlagSet
from rawkit.layout.tails import Array
from rawkit.views.outline import Placed, Section, fields_of, items_of, sections
from rawkit.views.palette import TITLE, paint
from rawkit.wire import CutHeader, Packet

__all__ = ["RULER", "diagram"]

BITS = 32
"""Bits in a row."""

MAX_ROWS = 5
"""Rows of one box at the most; a longer one is drawn with `~` at its sides, and not to scale."""

RULER = (
    "".join(f" {bit // 10 if bit % 10 == 0 else ' '}" for bit in range(BITS)).rstrip(),
    "".join(f" {bit % 10}" for bit in range(BITS)),
)
"""The two lines that count the bits."""

Row = list[int | None]


class Box(NamedTuple):
    """A field (or one flag, or one element) to draw. `note` stands beside the row in which the box starts."""

    name: str
    value: str
    bits: int
    note: str = ""

    @property
    def elided(self) -> bool:
        """Whether there is more of it than is drawn."""
        return self.bits > MAX_ROWS * BITS

    @property
    def drawn_bits(self) -> int:
        """How many bits are drawn: all, or as many less whole rows as make it fit."""
        return self.bits if not self.elided else (MAX_ROWS - 2) * BITS + self.bits % BITS


class Label(NamedTuple):
    """Where a box's name and value go: in its widest part, columns `left` up to `right` of a row."""

    name: str
    value: str
    left: int
    right: int

    @property
    def width(self) -> int:
        """Columns between the walls."""
        return self.right - self.left


def diagram(packet: Packet, *, colour: bool = False) -> Iterator[str]:
    """The lines of the drawing, header by header, then the payload and what trails it.

    Raises BuildError if a field cannot be computed.
    """
    data = bytes(packet)
    for section in sections(packet):
        if section.start == section.stop:
            continue
        cut = f", cut after {section.stop - section.start} bytes" if isinstance(section.layer, CutHeader) else ""
        yield f"{paint(section.name, TITLE, colour)}{cut}, bytes {section.start} to {section.stop}"
        if section.layer is not None:
            yield from RULER
        yield from draw(list(_section_boxes(section, data)))


def draw(boxes: list[Box]) -> Iterator[str]:
    """The boxes in one frame, without the ruler, and a line that explains the names that were shortened."""
    rows, labels, notes = _lay_out(boxes)
    above: Row = [None] * BITS
    for number, row in enumerate(rows):
        note = ", ".join(notes.get(number, []))
        yield _floor(above, row)
        first, *more = _texts(row, labels.get(number, []), [box.elided for box in boxes])
        yield f"{first}  {note}" if note else first
        yield from more
        above = row
    yield _floor(above, [None] * BITS)
    shortened = {
        f"{short} = {label.name}": None
        for row_labels in labels.values()
        for label in row_labels
        if (short := _shorten(label.name, label.width)) != label.name.replace("_", " ")
    }
    yield from textwrap.wrap(", ".join(shortened), 2 * BITS, initial_indent=" ", subsequent_indent=" ")


def _section_boxes(section: Section, data: bytes) -> Iterator[Box]:
    at = 8 * section.start
    for field in fields_of(section):
        yield from _boxes(field)
        at = field.stop
    rest = data[at // 8 : section.stop]
    if rest:
        name = "data" if section.layer is None else "rest"
        yield Box(name, f"{len(rest)} bytes: {rest[:32]!r}", 8 * section.stop - at)


def _boxes(field: Placed) -> Iterator[Box]:
    kind, name, bits = field.info.kind, field.info.name, field.stop - field.start
    items = list(items_of(field))
    if items:
        for item, inner in items:
            boxes = [box for part in inner for box in _boxes(part)]
            if boxes:  # an item can be of no bytes
                yield boxes[0]._replace(note=" ".join([type(item).__name__, boxes[0].note]).rstrip())
                yield from boxes[1:]
    elif isinstance(kind, FlagSet):
        for bit in range(kind.bits - 1, -1, -1):
            yield Box(kind.type(1 << bit).name or str(bit), str(int(field.value) >> bit & 1), 1)
    elif isinstance(kind, Array):
        for number, element in enumerate(field.value):
            yield Box(f"{name}[{number}]", kind.kind.show(element), kind.kind.bits)
    else:
        yield Box(name, str(int(field.value)) if bits == 1 else field.info.show(field.value), bits)


def _lay_out(boxes: list[Box]) -> tuple[list[Row], dict[int, list[Label]], dict[int, list[str]]]:
    """The rows of cells, and for each row the labels and the notes that stand in it."""
    rows: list[Row] = []
    labels: dict[int, list[Label]] = {}
    notes: dict[int, list[str]] = {}
    at = 0
    for number, box in enumerate(boxes):
        stop = at + box.drawn_bits
        while len(rows) * BITS < stop:
            rows.append([None] * BITS)
        for bit in range(at, stop):
            rows[bit // BITS][bit % BITS] = number
        if box.note:
            notes.setdefault(at // BITS, []).append(box.note)
        row, left, right = max(_parts(at, stop), key=lambda part: part[2] - part[1])
        labels.setdefault(row, []).append(Label(box.name, box.value, 2 * left + 1, 2 * right))
        at = stop
    return rows, labels, notes


def _parts(start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """The row and the bits, from and to, of each row that bits `start` to `stop` touch."""
    while start < stop:
        end = min(stop, (start // BITS + 1) * BITS)
        yield start // BITS, start % BITS, end - start // BITS * BITS
        start = end


def _floor(above: Row, below: Row) -> str:
    """The line between two rows: a floor wherever a box ends and another starts."""
    edges = [False, *[one != other for one, other in zip(above, below, strict=True)], False]
    walls = [_is_wall(above, at) or _is_wall(below, at) for at in range(BITS + 1)]
    line = []
    for at in range(BITS + 1):
        outer = at in (0, BITS) and walls[at]
        line.append("+" if edges[at] or edges[at + 1] or outer else " ")
        line.append("-" if at < BITS and edges[at + 1] else " ")
    return "".join(line).rstrip()


def _is_wall(row: Row, at: int) -> bool:
    """Whether there is a wall on the left of cell number `at`."""
    left = row[at - 1] if at > 0 else None
    right = row[at] if at < BITS else None
    return left != right


def _texts(row: Row, labels: list[Label], elided: list[bool]) -> list[str]:
    """The one or two lines of text of a row: names and values side by side if all fit, else on top."""
    blank = [" "] * (2 * BITS + 1)
    for at in range(BITS + 1):
        if _is_wall(row, at):
            blank[2 * at] = "|"
    if row[0] is not None and row[0] == row[-1] and elided[row[0]]:
        blank[0] = blank[-1] = "~"
    one_line = [f"{label.name.replace('_', ' ')} = {label.value}" for label in labels]
    if all(len(text) <= label.width for text, label in zip(one_line, labels, strict=True)):
        return [_filled(blank, labels, one_line)]
    names = [_shorten(label.name, label.width) for label in labels]
    return [_filled(blank, labels, names), _filled(blank, labels, [_clip(label) for label in labels])]


def _filled(blank: list[str], labels: list[Label], texts: list[str]) -> str:
    line = blank.copy()
    for label, text in zip(labels, texts, strict=True):
        line[label.left : label.right] = text.center(label.width)
    return "".join(line).rstrip()


def _clip(label: Label) -> str:
    return label.value if len(label.value) <= label.width else f"{label.value[: label.width - 2]}.."


def _shorten(name: str, width: int) -> str:
    """A name that fits: in full, else with each word cut alike, else its initials, else its beginning."""
    words = name.split("_")
    longest = max(map(len, words))
    for letters in range(longest, 1, -1):
        short = " ".join([word[:letters] for word in words])
        if len(short) <= width:
            return short
    return "".join([word[0] for word in words if word]).upper()[:width]
