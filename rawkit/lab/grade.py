"""Grading: bundles that were handed in, judged again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rawkit.errors import CaptureError, RawkitError
from rawkit.lab.bundle import Bundle, read_bundle
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


def grade(
    files: Sequence[str], *, student: str | None = None, key: bytes = b"", exercises: Iterable[str] = ()
) -> Iterator[Graded]:
    """Judge bundles, without privileges. Refused are those that were altered, or are not the student's own.

    Whose they have to be, and about what, the name of each says: `ping--alice.zip`; or else whose, `student`. With
    `key`, those that were not sealed with it are refused; so are two of different students with the same
    recording, and a second copy of the same. `exercises` are files with exercises of one's own: only those are
    run, whatever a bundle says that it is about.
    """
    known = catalogue() | {exercise.name: exercise for exercise in map(find_exercise, exercises)}
    read: dict[str, Bundle | RawkitError] = {}
    for file in files:
        try:
            read[file] = read_bundle(file, key=key)
        except RawkitError as error:
            read[file] = error
    bundles = {file: found for file, found in read.items() if isinstance(found, Bundle)}
    for file, found in read.items():
        refused = _refusal(file, found, student, bool(key), known, bundles)
        if not isinstance(found, Bundle):
            yield Graded(file, None, refused, *(named_in(file) or ("", "")))
            continue
        verdict = None
        if not refused:
            exercise = known[found.exercise]
            try:
                evidence = found.evidence(exercise)
                verdict = judge(exercise, found.student, evidence, stopped=found.stopped)
            except CaptureError as error:
                refused = error.found
        yield Graded(file, verdict, refused, found.exercise, found.student)


def named_in(file: str) -> tuple[str, str] | None:
    """The exercise and the student that a bundle's name names; None if it names none."""
    exercise, between, student = Path(file).stem.rpartition(BETWEEN)
    return (exercise, student) if between and exercise else None


def _refusal(
    file: str,
    found: Bundle | RawkitError,
    student: str | None,
    keyed: bool,
    known: Mapping[str, Exercise],
    bundles: Mapping[str, Bundle],
) -> str:
    """Why a bundle is refused; empty if it is not."""
    if isinstance(found, CaptureError):
        return found.found
    if isinstance(found, RawkitError):
        return str(found)
    if keyed and not found.sealed:
        return "not sealed with this key"
    if found.exercise not in known:
        return f"about {found.exercise}, which is no exercise of rawkit's; --exercise FILE gives others"
    named = named_in(file)
    if named is not None and named[0] != found.exercise and not found.defended:
        return f"about {found.exercise}, and not {named[0]!r}, as its name says"
    wanted = student or (named[1] if named is not None else found.student)
    if wanted != found.student:
        return f"of the student {found.student}, and not {wanted!r}"
    same = {other: each for other, each in bundles.items() if each.fingerprint == found.fingerprint}
    others = {each.student for each in same.values()} - {found.student}
    if others:
        return f"the same recording as that of {', '.join(sorted(others))}"
    first = min(same, key=lambda other: named_in(other) != (found.exercise, found.student))
    if first != file:
        return f"the same recording as in {first}"
    return "a run with the defence switched on" if found.defended else ""
