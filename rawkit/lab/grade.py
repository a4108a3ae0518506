"""Grading: bundles that were handed in, judged again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rawkit.errors import CaptureError, FileError, RawkitError
from rawkit.lab.bundle import SEALED, Heading, read_bundle, read_heading
from rawkit.lab.catalogue import catalogue, find_exercise
from rawkit.lab.exercise import Exercise
from rawkit.lab.verdict import Verdict, judge

__all__ = ["BETWEEN", "Graded", "grade", "named_in"]

BETWEEN = "--"
"""Stands between the exercise and the student in a bundle's name: `ping--alice.zip`."""


class Graded(NamedTuple):
    """A bundle that was judged again, or refused."""

    file: str
    verdict: Verdict | None
    """None where it was refused."""
    refused: str
    """Why; empty if it was judged."""
    exercise: str
    student: str
    """About what it is, and whose, as it says, or else its name; empty where neither does."""
    seal: str = ""
    """Whether it is sealed, in words; empty where it could not be read."""
    predicted: str = ""
    """`right` or `wrong`: the student's first answer to the exercise's question; empty if there was none."""
    hints: int = 0
    """How many hints the student took."""


def grade(
    files: Sequence[str], *, student: str | None = None, key: bytes = b"", exercises: Iterable[str] = ()
) -> Iterator[Graded]:
    """Judge bundles, without privileges. Refused are those that were altered, or are not the student's own.

    Whose they have to be, and about what, the name of each says: `ping--alice.zip`; or else whose, `student`. With
    `key`, those that were not sealed with it are refused. Of what is left, two of different students with the same
    recording are refused, and a second copy of the same. `exercises` are files with exercises of one's own: only
    those are run, whatever a bundle says that it is about.

    Each is read twice, so that no more than one is held at a time: what it is about first, for comparing them all.
    """
    known = catalogue() | {exercise.name: exercise for exercise in map(find_exercise, exercises)}
    read = {file: _heading(file, student, key, known) for file in files}
    bundles = {file: found for file, found in read.items() if isinstance(found, Heading)}
    for file, found in read.items():
        refused = found.found if isinstance(found, _Refusal) else _copied(file, found, bundles)
        heading = found.heading if isinstance(found, _Refusal) else found
        if heading is None:
            yield Graded(file, None, refused, *(named_in(file) or ("", "")))
        elif refused:
            yield Graded(file, None, refused, heading.exercise, heading.student, heading.seal)
        else:
            yield _judged(file, heading, known[heading.exercise], key)


def named_in(file: str) -> tuple[str, str] | None:
    """The exercise and the student that a bundle's name names; None if it names none."""
    exercise, between, student = Path(file).stem.rpartition(BETWEEN)
    return (exercise, student) if between and exercise else None


class _Refusal(NamedTuple):
    """Why a bundle is refused for itself, and what it is about, if it can be read."""

    found: str
    heading: Heading | None = None


def _heading(file: str, student: str | None, key: bytes, known: Mapping[str, Exercise]) -> Heading | _Refusal:
    """What a bundle is about, if it is not refused for itself."""
    try:
        found = read_heading(file, key=key)
    except CaptureError as error:
        return _Refusal(error.found)
    except RawkitError as error:
        return _Refusal(str(error))
    if key and found.seal != SEALED:
        return _Refusal("not sealed with this key", found)
    if found.exercise not in known:
        return _Refusal(
            f"about {found.exercise}, which is no exercise that is known; --exercise FILE gives others", found
        )
    named = named_in(file)
    if named is not None and named[0] != found.exercise and not found.defended:
        return _Refusal(f"about {found.exercise}, and not {named[0]!r}, as its name says", found)
    wanted = student or (named[1] if named is not None else found.student)
    if wanted != found.student:
        return _Refusal(f"of the student {found.student}, and not {wanted!r}", found)
    return _Refusal("a run with the defence switched on", found) if found.defended else found


def _copied(file: str, found: Heading, bundles: Mapping[str, Heading]) -> str:
    """Whose recording it has, or from where; empty if it is its own."""
    same = {other: each for other, each in bundles.items() if each.fingerprint == found.fingerprint}
    others = {each.student for each in same.values()} - {found.student}
    if others:
        return f"the same recording as that of {', '.join(sorted(others))}"
    first = min(same, key=lambda other: named_in(other) != (found.exercise, found.student))
    return "" if first == file else f"the same recording as in {first}"


def _judged(file: str, heading: Heading, exercise: Exercise, key: bytes) -> Graded:
    refused, verdict = "", None
    try:
        bundle = read_bundle(file, key=key)
        if bundle.heading == heading:
            verdict = judge(exercise, heading.student, bundle.evidence(exercise), stopped=heading.stopped)
        else:
            refused = "it changed while it was read"
    except CaptureError as error:
        refused = error.found
    except FileError as error:  # it was there a moment ago
        refused = str(error)
    predicted = exercise.predicted(heading.preparation.predicted, heading.student)
    hints = heading.preparation.hints
    return Graded(file, verdict, refused, heading.exercise, heading.student, heading.seal, predicted, hints)
