"""How labs are shown at the terminal: exercises, verdicts, ladders, and the bytes behind a verdict."""

from __future__ import annotations

import csv
import io
import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rawkit.cli.output import count_of
from rawkit.lab import Exercise, Finding, Result, Values, Verdict, Wire
from rawkit.lab.grade import Graded
from rawkit.lab.records import crossing, fates
from rawkit.lab.seed import Seed
from rawkit.netns import Transit
from rawkit.views.hexdump import dump_bytes
from rawkit.views.ladder import Ladder
from rawkit.views.palette import PROBLEM, QUIET, TITLE, paint
from rawkit.views.tree import tree

__all__ = ["as_object", "behind", "ladder_of", "objects", "prepared", "row", "sheet", "table", "verdict_lines"]

WIDTH = 100
GOOD = "32"

MANY, AROUND = 60, 5
"""Frames of which only those around marked ones are shown, and how many on either side."""


def sheet(exercise: Exercise, values: Values, student: str, *, colour: bool) -> Iterator[str]:
    """The sheet of an exercise: what to do, with that student's values."""
    yield (
        paint(f"{exercise.number}. {exercise.title}", TITLE, colour) + f"  (level {exercise.level}, for {student})"
    )
    yield exercise.told(exercise.learnt, values)
    yield ""
    yield from exercise.topology_of(values).drawing()
    yield ""
    for line in _wrapped(exercise.told(exercise.task, values)):
        yield re.sub(r"\*\*(.+?)\*\*", lambda bold: paint(bold[1], TITLE, colour), line)
    yield paint("In your command's environment:", QUIET, colour)
    for name, value in values.environment().items():
        yield f"  {name}={value}"
    yield ""
    yield from _wrapped(f"Predict first: {exercise.told(exercise.prediction.question, values)}")
    yield f"  rawkit lab predict {exercise.handle} ANSWER"
    yield f"  rawkit lab check {exercise.handle} -- COMMAND..."


def _wrapped(markdown: str) -> Iterator[str]:
    """Paragraphs and items of lists in lines of at most 100 columns; what is indented stays as it is."""
    for paragraph in markdown.strip().split("\n\n"):
        if paragraph.startswith("    "):
            yield from paragraph.splitlines()
        else:
            for item in re.split(r"\n(?=- |\d+\. )", paragraph):
                indent = "  " if item.startswith("- ") else "   " if item[0].isdecimal() else ""
                words = " ".join(item.split())
                yield from textwrap.wrap(
                    words, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
                )
        yield ""


def verdict_lines(verdict: Verdict, *, colour: bool) -> Iterator[str]:
    """What each check found, and the verdict."""
    width = max(len(result.check) for result in verdict.results)
    for result in verdict.results:
        holds = result.passed
        mark = (
            paint("ok  ", GOOD, colour) if holds else paint("????" if result.broken else "FAIL", PROBLEM, colour)
        )
        yield f"{mark}  {result.check:<{width}}  {result.words}" + (
            f" ({place})" if holds and (place := result.finding.place()) else ""
        )
        if not holds:
            yield from _failure(result, " " * (width + 8))
    if verdict.stopped:
        yield f"Not to its end: {verdict.stopped}. A command has to end by itself, and within its bounds."
    defended = ", with the defence on" if verdict.defended else ""
    if verdict.broken:
        yield "The exercise is broken, not your solution: tell its author."
    outcome = "passed" if verdict.passed else "cannot be judged" if verdict.broken else "not yet"
    held = f"{verdict.held} of {len(verdict.results)} checks hold{defended}"
    yield paint(f"{verdict.exercise}: {outcome}, {held}", TITLE, colour)


def _failure(result: Result, indent: str) -> Iterator[str]:
    found = result.finding
    if result.broken:
        yield f"{indent}{found.seen}"
        return
    place = found.place()
    yield f"{indent}expected: {found.expected}"
    yield f"{indent}seen:     {found.seen}" + (f" ({place})" if place else "")
    if result.source:
        yield f"{indent}source:   {result.source}"


def ladder_of(transits: Sequence[Transit], *, marked: Sequence[int] = ()) -> Iterator[str]:
    """A ladder of what crossed the links; frames of these numbers have an asterisk, those that were lost an x.

    Of many, with some that are marked, those around them.
    """
    if not transits:
        yield "Nothing crossed the wire."
        return
    names = dict.fromkeys(end for one in transits for end in (one.sender, one.receiver))
    drawn = Ladder([*names], width=WIDTH, began_ns=transits[0].frame.time_ns)
    shown: Sequence[int] = range(1, len(transits) + 1)
    if marked and len(transits) > MANY:
        shown = sorted(
            {near for one in marked[:MANY] for near in range(one - AROUND, one + AROUND + 1)} & {*shown}
        )
    yield drawn.heading()
    before = 0
    for number in shown:
        if number > before + 1:
            yield f"  ... {number - before - 1} frames"
        before, one = number, transits[number - 1]
        yield drawn.line(crossing(one, "*" if number in marked else ""))
    if before < len(transits):
        yield f"  ... {len(transits) - before} frames"
    yield from fates(transits, shown)


def behind(finding: Finding, wire: Wire, *, colour: bool) -> Iterator[str]:
    """The frames that a finding is about: the first with its bytes and fields, the others by their number."""
    for at, number in enumerate(finding.frames[:3]):
        one = wire.frame(number)
        frame = one.transit.frame
        fate = f" ({one.transit.fate})" if one.transit.fate else ""
        yield ""
        yield paint(
            f"frame {number}: {one.transit.sender} > {one.transit.receiver}, on {one.transit.link}{fate}",
            TITLE,
            colour,
        )
        if at == 0:
            yield from _marked(frame.data, finding.start, finding.stop, colour=colour)
        yield from tree(one.packet, colour=colour)


def _marked(data: bytes, start: int | None, stop: int | None, *, colour: bool) -> Iterator[str]:
    """The bytes in hexadecimal; those in question in red, or with carets below them."""
    wanted = range(start or 0, stop or 0)
    if colour:
        yield from dump_bytes(data, [PROBLEM if at in wanted else "" for at in range(len(data))])
        return
    for row, line in enumerate(dump_bytes(data)):
        yield line
        places = [at % 16 for at in wanted if at // 16 == row and at < len(data)]
        if places:
            carets = [" "] * 62
            for place in places:
                column = 10 + 3 * place + (place >= 8)
                carets[column : column + 2] = "^^"
            yield "".join(carets).rstrip()


def objects(verdict: Verdict) -> Iterator[str]:
    """The verdict as JSON lines: one for each check, and the last for all."""
    for result in verdict.results:
        yield json.dumps(result.as_object())
    yield json.dumps(verdict.as_object() | {"seed": Seed(verdict.exercise, verdict.student).text})


def prepared(predicted: str, hints: int) -> str:
    """What a student did before trying, in words: `predicted wrong, 2 hints`; empty for nothing."""
    words = [f"predicted {predicted}"] if predicted else []
    return ", ".join([*words, *([count_of(hints, "hint")] if hints else [])])


def as_object(one: Graded) -> dict[str, Any]:
    """What came of a bundle, as JSON has it."""
    found = {name: value for name, value in one._asdict().items() if name != "verdict"}
    return found | (one.verdict.as_object() if one.verdict is not None else {"passed": False})


def row(one: Graded) -> str:
    """What came of a bundle, in a line."""
    file = one.file if one.file.isprintable() else ascii(one.file)  # whoever hands in a file chooses its name
    if one.verdict is None:
        return f"refused  {file}: {one.refused}"
    verdict = one.verdict
    failed = ", ".join(result.check for result in verdict.failed)
    broken = [f"{result.check}: {result.message()}" for result in verdict.broken]
    why = filter(None, [*broken, f"fails {failed}" if failed else "", verdict.stopped])
    outcome = "passed" if verdict.passed else "broken" if verdict.broken else "failed"
    told = "; ".join(filter(None, [one.seal, prepared(one.predicted, one.hints), *why]))
    held = f"{verdict.held}/{len(verdict.results)}"
    return f"{outcome:8} {verdict.student:16} {verdict.exercise:22} {held:>5}  {file}: {told}"


def table(graded: Sequence[Graded]) -> bytes:
    """What came of all, as CSV."""
    text = io.StringIO()
    columns = ["passed", "held", "checks", "failed", "broken", "stopped"]
    head = ["file", "student", "exercise", *columns, "refused", "seal", "predicted", "hints"]
    writer = csv.DictWriter(text, head, lineterminator="\n")
    writer.writeheader()
    for one in graded:
        found: dict[str, Any] = {"passed": "no"}
        if (verdict := one.verdict) is not None:
            names = [" ".join(each.check for each in results) for results in (verdict.failed, verdict.broken)]
            passed = "yes" if verdict.passed else "no"
            judged = [passed, verdict.held, len(verdict.results), *names, verdict.stopped]
            found = dict(zip(columns, judged, strict=True))
        told = {name: value for name, value in as_object(one).items() if name in head and name not in columns}
        writer.writerow(found | told)
    return text.getvalue().encode()
