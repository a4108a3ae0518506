"""Grading: bundles that were handed in, judged again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rawkit.errors import CaptureError, FieldError, RawkitError
from rawkit.lab.bundle import Bundle, read_bundle
from rawkit.lab.catalogue import find_exercise
from rawkit.lab.verdict import Verdict, judge

__all__ = ["Graded", "grade", "student_in"]

BETWEEN = "--"
"""Stands between the exercise and the student in a bundle's name: `ping--alice.zip`."""


class Graded(NamedTuple):
    """A bundle that was judged again, or refused."""

    file: str
    verdict: Verdict | None
    """None where it was refused."""
    refused: str
    """Why; empty if it was judged."""


def grade(
    files: Sequence[str], *, student: str | None = None, key: bytes = b"", exercises: Iterable[str] = ()
) -> Iterator[Graded]:
    """Judge bundles, without privileges. Refused are those that were altered, or are not the student's own.

    Whose they have to be says `student`, or else the name of each: `ping--alice.zip`. With `key`, those that
    were not sealed with it are refused; two of different students with the same recording are both refused.
    `exercises` are files with exercises of one's own.
    """
    own = {exercise.name: exercise for exercise in map(find_exercise, exercises)}
    read: dict[str, Bundle | RawkitError] = {}
    for file in files:
        try:
            read[file] = read_bundle(file, key=key)
        except RawkitError as error:
            read[file] = error
    bundles = [bundle for bundle in read.values() if isinstance(bundle, Bundle)]
    for file, found in read.items():
        try:
            if isinstance(found, RawkitError):
                raise found
            _refuse_others(file, found, student, bool(key), bundles)
            exercise = own.get(found.exercise) or find_exercise(found.exercise)
        except CaptureError as error:
            yield Graded(file, None, error.found)
        except RawkitError as error:
            yield Graded(file, None, str(error))
        else:
            evidence = found.evidence(exercise)
            yield Graded(
                file, judge(exercise, found.student, evidence, stopped=found.stopped, defended=found.defended), ""
            )


def student_in(file: str) -> str | None:
    """The student that a bundle's name names; None if it names none."""
    name, between, student = Path(file).stem.rpartition(BETWEEN)
    return student if between and name else None


def _refuse_others(file: str, bundle: Bundle, student: str | None, keyed: bool, bundles: Sequence[Bundle]) -> None:
    if keyed and not bundle.sealed:
        raise CaptureError(file, 0, "a bundle that was sealed with this key", "not sealed with this key")
    wanted = student or student_in(file)
    if wanted is not None and wanted != bundle.student:
        raise FieldError("bundle", "student", bundle.student, wanted)
    others = {other.student for other in bundles if other.fingerprint == bundle.fingerprint} - {bundle.student}
    if others:
        raise CaptureError(
            file, 0, "a recording of its own", f"the same recording as that of {', '.join(sorted(others))}"
        )
    if bundle.defended:
        raise CaptureError(file, 0, "a run without the defence", "a run with the defence switched on")
