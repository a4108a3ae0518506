"""Rehearsing an exercise before students see it: everything that it says of its own solutions, tried."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from rawkit.lab.bounds import Bounds
from rawkit.lab.exercise import Exercise, Program
from rawkit.lab.stage import Played, play, running
from rawkit.lab.verdict import Verdict, judge

__all__ = ["Rehearsal", "command_of", "proofread", "rehearsals"]

ANOTHER: Final = "another.student"


class Rehearsal(NamedTuple):
    """One of an exercise's own solutions, and what must come of it."""

    exercise: Exercise
    name: str
    """`solution`, `another`, `wrong 1` and so on, or `defence`."""
    program: Program
    fails: str = ""
    """The check that must fail; empty where all must hold."""
    says: str = ""
    """A part of what that check must say."""
    defended: bool = False
    student: str = ""
    """With whose values; empty for anybody's."""

    def play(self, student: str) -> tuple[Played, Verdict]:
        """Play it with that student's values, unless they are to be somebody's. Raises what `play` raises."""
        exercise, student = self.exercise, self.student or student
        run = running(command_of(self.program), Bounds(seconds=exercise.seconds))
        played = play(exercise, student, run, defended=self.defended)
        stopped = played.outcome.stopped
        return played, judge(exercise, student, played.evidence, stopped=stopped, defended=self.defended)

    def complaint(self, verdict: Verdict) -> str:
        """What is not as the exercise says; empty if all is."""
        failed = {result.check: result.message() for result in verdict.failed}
        if verdict.broken:
            return "; ".join(f"{result.check}: {result.message()}" for result in verdict.broken)
        if not self.fails:
            told = [f"{name}: {message}" for name, message in failed.items()]
            return "; ".join([*told, *([verdict.stopped] if verdict.stopped else [])])
        if self.fails not in failed:
            return f"{self.fails} holds, and should not"
        if self.says not in failed[self.fails]:
            return f"{self.fails} says {failed[self.fails]!r}, in which there is no {self.says!r}"
        first = next(iter(failed))
        return f"{first} fails before {self.fails} does" if first != self.fails and not self.defended else ""


def rehearsals(exercise: Exercise) -> Iterator[Rehearsal]:
    """The reference solution, for two students, each of the wrong ones, and the reference with the defence on.

    What is written into the reference or a check, and ought to differ, does not fit the second of them.
    """
    yield Rehearsal(exercise, "solution", exercise.solution)
    yield Rehearsal(exercise, "another", exercise.solution, student=ANOTHER)
    for number, wrong in enumerate(exercise.wrong, 1):
        yield Rehearsal(exercise, f"wrong {number}", wrong.program, wrong.check, wrong.says)
    if exercise.defence is not None:
        yield Rehearsal(exercise, "defence", exercise.solution, exercise.defence.check, defended=True)


def proofread(exercise: Exercise, student: str) -> None:
    """Fill in every text of the exercise. Raises FieldError for one that names what is not told, or not there."""
    values = exercise.values_of(student)
    texts = exercise.task, exercise.learnt, exercise.prediction.question, exercise.prediction.why, *exercise.hints
    for text in (*texts, *(check.words for check in exercise.checks)):
        exercise.told(text, values)
    with exercise.running("prediction"):
        exercise.prediction.answer(values)


def command_of(program: Program) -> list[str]:
    """The command that runs a program."""
    return [sys.executable if program.interpreter == "python" else program.interpreter, "-c", program.source]
