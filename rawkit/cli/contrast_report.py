"""What `rawkit contrast` prints for people: what each kind did, call by call and frame by frame, and a table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Final

from rawkit.cli.output import count_of
from rawkit.echo.contrast import ECHO, Contrast, Filled, Run, Scene, filled, first_with_data, notes, side_by_side
from rawkit.echo.contrast.ladder import rungs, tally
from rawkit.echo.contrast.records import expression_of
from rawkit.views import Crossing, ladder
from rawkit.views.palette import QUIET, TITLE, paint

__all__ = ["chapter", "table"]

WIDTH: Final = 100
HALF: Final = WIDTH // 2 - 1

MOST: Final = 30
"""Calls, or frames, that are all shown; of more, the first and the last."""

LAST: Final = 4

MARKS: Final = {"dropped": "x", "held back": "~"}

COLUMNS: Final = {
    "kind": 14,
    "frames": 6,
    "bytes": 5,
    "ratio": 5,
    "cold ms": 7,
    "warm ms": 7,
    "checksums": 9,
    "order": 6,
    "resends": 7,
    "boundaries": 10,
    "privilege": 11,
}
"""The table's columns, and how wide they are."""

NUMBERS: Final = ("frames", "bytes", "ratio", "cold ms", "warm ms")


def chapter(contrast: Contrast, *, colour: bool) -> Iterator[str]:
    """The lines about one kind: its plain echo, then the scenes that were asked for."""
    kind = contrast.kind
    yield from ("", paint(f"{kind.name}: {kind.summary}", TITLE, colour))
    yield paint(f"socket({kind.socket})", QUIET, colour)
    yield from _scene(ECHO, contrast.echo, colour)
    for scene, run in contrast.scenes:
        yield from ("", paint(f"{kind.name}, {scene.name}: {scene.title}", TITLE, colour))
        yield from _scene(scene, run, colour)


def _scene(scene: Scene, run: Run, colour: bool) -> Iterator[str]:
    yield ""
    yield paint(f"  {'client':<{HALF}}server", QUIET, colour)
    yield from chain(*_shortened([*_calls(run)], "call"))
    yield ""
    yield from _frames(run, colour)
    for packet in run.packets if scene is ECHO else ():
        yield from _wrapped(f"made by hand: {expression_of(packet)}")
    for packet in run.answers if scene is ECHO else ():
        yield from _wrapped(f"answer made by hand: {expression_of(packet)}")
    if scene is ECHO:
        yield from _fields(run)
    yield from _wrapped(scene.explain(run))


def _calls(run: Run) -> Iterator[list[str]]:
    """The lines of each call, in the column of its end."""
    for call in run.calls:
        indent = 2 if call.end == "client" else 2 + HALF
        yield [f"{'':<{indent}}{line}" for line in call.lines(HALF - 2)]


def _frames(run: Run, colour: bool) -> Iterator[str]:
    if not run.frames:
        yield "  no frame on any interface"
        return
    crossings = [
        Crossing(
            each.frame.time_ns,
            packet,
            each.source,
            "server" if each.source == "client" else "client",
            MARKS.get(each.fate, ""),
        )
        for each, packet in rungs(run)
    ]
    heading, *lines = ladder(crossings, hosts=("client", "server"), width=WIDTH)
    yield paint(heading, QUIET, colour)
    yield from chain(*_shortened([[line] for line in lines], "frame"))
    fates = {each.fate for each in run.frames if each.fate in MARKS}
    yield from (f"  {MARKS[fate]} {fate} on the way" for fate in sorted(fates))
    yield f"  {tally(run)}"


def _fields(run: Run) -> Iterator[str]:
    """Who filled the fields of the first frame with data, by header."""
    found = first_with_data(run)
    if found is None:
        return
    number, frame = found
    yield f"  who filled frame {number}, which carries the data:"
    for header, fields in groupby(filled(run, frame), key=lambda each: each.header):
        text = f"{header:<11}{_by_whom([*fields])}"
        yield from textwrap.wrap(text, WIDTH - 4, initial_indent="    ", subsequent_indent=" " * 15)


def _by_whom(fields: Sequence[Filled]) -> str:
    told: dict[str, list[str]] = {}
    for each in fields:
        told.setdefault(f"{each.who} by {each.by}()" if each.by else each.who, []).append(each.field)
    return "; ".join(f"{who}: {', '.join(names)}" if all(names) else who for who, names in told.items())


def table(contrasts: Sequence[Contrast]) -> Iterator[str]:
    """What happened in each scene, kind by kind; then the table of all kinds, and what its columns mean."""
    for scene, runs in side_by_side(contrasts):
        yield from ("", f"{scene.name}: {scene.title}")
        for kind, run in runs:
            lead = f"  {kind.name:<14} {len(run.frames):>3} frames  "
            yield from textwrap.wrap(
                scene.explain(run), WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)
            )
    yield ""
    yield _row(list(COLUMNS))
    for contrast in contrasts:
        row = contrast.row()
        yield _row([row[name] for name in COLUMNS])
    yield ""
    for note in notes(contrasts):
        yield from _wrapped(note)


def _row(cells: Iterable[str]) -> str:
    padded = [
        f"{cell:>{width}}" if name in NUMBERS else f"{cell:<{width}}"
        for cell, (name, width) in zip(cells, COLUMNS.items(), strict=True)
    ]
    return " ".join(padded).rstrip()


def _shortened(entries: list[list[str]], noun: str) -> list[list[str]]:
    if len(entries) <= MOST:
        return entries
    left_out = count_of(len(entries) - MOST + 1, f"more {noun}")
    return [*entries[: MOST - LAST - 1], [f"  ... {left_out} ..."], *entries[-LAST:]]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
