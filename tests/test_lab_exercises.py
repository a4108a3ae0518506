"""Every exercise: the reference passes, each wrong solution fails just so, and the defence defends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import noise
import pytest
from rehearsing import STUDENT, Ended, start

from rawkit.errors import FieldError
from rawkit.lab import Bounds, Exercise, Link, Topology, Wrong, judge, play, running
from rawkit.lab.catalogue import catalogue
from rawkit.lab.rehearsal import Rehearsal, rehearsals

pytestmark = pytest.mark.root

EXERCISES = list(catalogue().values())


def all_rehearsals() -> Iterator[object]:
    for exercise in EXERCISES:
        for one in rehearsals(exercise):
            yield pytest.param(one, id=f"{exercise.name}-{one.name}-{one.fails}")


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[Ended]]]:
    """Of all rehearsals that this run asks for."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [item.callspec.params["rehearsal"] for item in items if "ended" in item.fixturenames]
    pool, futures = start(asked)
    with pool:
        yield futures


@pytest.mark.parametrize("rehearsal", list(all_rehearsals()))
def test_it_ends_as_the_exercise_says_and_its_bundle_is_judged_alike(
    rehearsal: Rehearsal, ended: dict[tuple[str, str], Future[Ended]]
) -> None:
    found = ended[rehearsal.exercise.name, rehearsal.name].result()
    assert found == Ended("", passed=not rehearsal.fails, judged_alike=True)


def test_a_rehearsal_tells_what_is_not_as_the_exercise_says() -> None:
    exercise = catalogue()["ping"]
    right, _, _, wrong, *_ = rehearsals(exercise)
    _, passed = right.play(STUDENT)
    _, failed = wrong.play(STUDENT)
    assert wrong.complaint(passed) == "checksum holds, and should not"
    assert "checksum: expected" in right.complaint(failed)
    assert "in which there is no 'parity'" in wrong._replace(says="parity").complaint(failed)


def test_what_is_written_into_a_check_does_not_fit_another_student() -> None:
    exercise = catalogue()["ping"]
    written = exercise.values_of(STUDENT).nonce
    data = exercise.check("data")._replace(judge=lambda e: e.wire.icmp(type=8).payload(written).saw())
    right, another, *_ = rehearsals(
        replace(exercise, checks=[data], wrong=[Wrong(exercise.solution, "data", "")] * 2)
    )
    assert right.complaint(right.play(STUDENT)[1]) == ""
    assert "data: expected" in another.complaint(another.play(STUDENT)[1])


def test_an_answer_of_another_student_fails() -> None:
    """Hard-coded: the program of one student, with that student's values written into it."""
    exercise = catalogue()["ping"]
    values = exercise.values_of(STUDENT).environment()
    written = "".join(f"os.environ[{name!r}] = {value!r}\n" for name, value in values.items())
    program = exercise.solution._replace(source=f"import os\n{written}{exercise.solution.source}")
    rehearsal = Rehearsal(exercise, "hard-coded", program)
    assert rehearsal.play(STUDENT)[1].passed
    assert not rehearsal.play("bob")[1].passed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_noise_breaks_no_check(exercise: Exercise) -> None:
    command = [sys.executable, str(Path(noise.__file__))]
    played = play(exercise, STUDENT, running(command, Bounds()))
    assert played.outcome.status == 0
    verdict = judge(exercise, STUDENT, played.evidence, stopped=played.outcome.stopped)
    assert verdict.broken == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_texts_name_only_values_that_are_told(exercise: Exercise) -> None:
    values = exercise.values_of("carol")
    for text in (exercise.task, exercise.learnt, exercise.prediction.question, *exercise.hints):
        assert "{" not in exercise.told(text, values)
    assert exercise.prediction.answer(values)
    assert [*exercise.topology(values).drawing()]
    with pytest.raises(FieldError, match="_secret"):
        exercise.told("{_secret}", values)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_what_is_told_is_the_same_in_each_run_and_what_is_printed_is_not(exercise: Exercise) -> None:
    first, second = (exercise.values_of(STUDENT, salt) for salt in ("aa", "bb"))
    assert first.environment() == second.environment()
    assert exercise.values_of(STUDENT, "aa") == first
    if "printed" in [check.name for check in exercise.checks] and exercise.name != "syn":  # a kernel's choice
        assert first != second


def test_routers_in_a_row_are_drawn_in_one_line() -> None:
    told = "10.0.0.1/24", "10.0.0.2/24"
    links = [
        Link("you", "r1", told),
        Link("r1", "r2", drawn_in_full=False),
        Link("r2", "far", told, (None, "02::1")),
    ]
    assert [*Topology([*links, Link("far", "you")], routers=["r1", "r2"]).drawing()] == [
        "you 10.0.0.1/24 ──── 10.0.0.2/24 r1 (router) ──── r2 (router) 10.0.0.1/24 ──── far 10.0.0.2/24 02::1",
        "far ──── you",
    ]


def test_wrong_solutions_differ_from_the_reference() -> None:
    for exercise in EXERCISES:
        assert exercise.solution.source not in [wrong.program.source for wrong in exercise.wrong]


def test_they_are_numbered_as_they_are_named() -> None:
    assert [exercise.number for exercise in EXERCISES] == list(range(1, len(EXERCISES) + 1))
    assert len({exercise.name for exercise in EXERCISES}) == len(EXERCISES) >= 23
