"""Rehearsals of exercises in processes of their own: they wait most of the time, so some go side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from rawkit.lab import judge, read_bundle, write_bundle
from rawkit.lab.catalogue import find_exercise
from rawkit.lab.rehearsal import Rehearsal, rehearsals

__all__ = ["STUDENT", "Ended", "start"]

AT_ONCE = 3
STUDENT = "alice"


class Ended(NamedTuple):
    """What came of a rehearsal."""

    complaint: str
    passed: bool
    judged_alike: bool
    """Whether the bundle of it, written and read again, gets the same verdict."""


def start(all_of_them: Iterable[Rehearsal]) -> tuple[ProcessPoolExecutor, dict[tuple[str, str], Future[Ended]]]:
    """Begin; what is begun is known by exercise and name."""
    pool = ProcessPoolExecutor(AT_ONCE, get_context("spawn"))
    return pool, {
        (one.exercise.name, one.name): pool.submit(_rehearse, one.exercise.name, one.name) for one in all_of_them
    }


def _rehearse(exercise: str, name: str) -> Ended:
    (rehearsal,) = [one for one in rehearsals(find_exercise(exercise)) if one.name == name]
    played, verdict = rehearsal.play(STUDENT)
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder, "bundle.zip"), played, verdict)
        bundle = read_bundle(Path(folder, "bundle.zip"))
    heading, evidence = bundle.heading, bundle.evidence(rehearsal.exercise)
    again = judge(
        rehearsal.exercise, heading.student, evidence, stopped=heading.stopped, defended=heading.defended
    )
    return Ended(rehearsal.complaint(verdict), verdict.passed, again == verdict)
