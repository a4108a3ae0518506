"""Every exercise: the reference passes, each wrong solution fails just so, and the defence defends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rawkit.lab import Bounds, Exercise, Program, Verdict, judge, play, read_bundle, running, write_bundle
from rawkit.lab.catalogue import catalogue
from rawkit.lab.solutions import command_of
from rawkit.lab.stage import Played

pytestmark = pytest.mark.root

EXERCISES = list(catalogue().values())
STUDENT = "alice"


def tried(
    exercise: Exercise, program: Program, *, student: str = STUDENT, defended: bool = False
) -> tuple[Played, Verdict]:
    with command_of(program) as command:
        played = play(exercise, student, running(command, Bounds(seconds=exercise.seconds)), defended=defended)
    stopped = played.outcome.stopped
    return played, judge(exercise, student, played.evidence, stopped=stopped, defended=defended)


def failed(verdict: Verdict) -> list[str]:
    return [result.check for result in verdict.results if not result.finding.passed]


def wrong_ones() -> Iterator[object]:
    for exercise in EXERCISES:
        for at, wrong in enumerate(exercise.wrong, 1):
            yield pytest.param(exercise, at - 1, id=f"{exercise.name}-{at}-{wrong.check}")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_reference_passes_and_its_bundle_is_judged_alike(exercise: Exercise, tmp_path: Path) -> None:
    played, verdict = tried(exercise, exercise.solution)
    assert verdict.passed, verdict
    write_bundle(tmp_path / "bundle.zip", played, verdict)
    bundle = read_bundle(tmp_path / "bundle.zip")
    assert judge(exercise, bundle.student, bundle.evidence(exercise), stopped=bundle.stopped) == verdict


@pytest.mark.parametrize(("exercise", "at"), list(wrong_ones()))
def test_what_is_wrong_fails_just_so(exercise: Exercise, at: int) -> None:
    wrong = exercise.wrong[at]
    assert wrong.program.source != exercise.solution.source
    _, verdict = tried(exercise, wrong.program)
    assert wrong.check in failed(verdict)
    (result,) = [result for result in verdict.results if result.check == wrong.check]
    assert wrong.says in result.message()


@pytest.mark.parametrize(
    "exercise", [each for each in EXERCISES if each.defence], ids=lambda exercise: exercise.name
)
def test_the_defence_defends(exercise: Exercise) -> None:
    assert exercise.defence is not None
    _, verdict = tried(exercise, exercise.solution, defended=True)
    assert exercise.defence.check in failed(verdict)


def test_an_answer_of_another_student_fails() -> None:
    """Hard-coded: the program of one student, with that student's values written into it."""
    exercise = catalogue()["ping"]
    values = exercise.values_of(STUDENT).environment()
    written = "".join(f"os.environ[{name!r}] = {value!r}\n" for name, value in values.items())
    program = exercise.solution._replace(source=f"import os\n{written}{exercise.solution.source}")
    assert tried(exercise, program)[1].passed
    assert not tried(exercise, program, student="bob")[1].passed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_texts_name_only_values_that_are_told(exercise: Exercise) -> None:
    values = exercise.values_of("carol")
    told = {name: value for name, value in values.items() if not name.startswith("_")}
    for text in (exercise.task, exercise.learnt, exercise.prediction.question, *exercise.hints):
        assert "{" not in text.format_map(told)
    for check in exercise.checks:
        check.words.format_map(told)
    assert exercise.prediction.answer(values)
    assert [*exercise.topology(values).drawing()]


def test_they_are_numbered_as_they_are_named() -> None:
    assert [exercise.number for exercise in EXERCISES] == list(range(1, len(EXERCISES) + 1))
    assert len({exercise.name for exercise in EXERCISES}) == len(EXERCISES) >= 23
