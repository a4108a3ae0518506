"""The verdict on a solution: what each check found, and whether all of them hold."""

from __future__ import annotations

from typing import Any, NamedTuple

from rawkit.errors import FieldError, RawkitError
from rawkit.lab.evidence import Evidence
from rawkit.lab.exercise import Check, Exercise, place_of, told_of
from rawkit.lab.finding import Finding

__all__ = ["Result", "Verdict", "judge"]


class Result(NamedTuple):
    """What a check found."""

    check: str
    words: str
    """What must hold."""
    finding: Finding
    source: str
    """Where it is written that it must."""
    broken: bool = False
    """Whether the check itself broke, which is no fault of the solution."""

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return self.finding.passed

    def message(self) -> str:
        """In one line."""
        if self.broken:
            return self.finding.seen
        message = self.finding.message()
        return f"{message}; see {self.source}" if self.source and not self.passed else message

    def as_object(self) -> dict[str, Any]:
        """As JSON has it."""
        found = self.finding
        return {
            "check": self.check,
            "passed": found.passed,
            "broken": self.broken,
            "message": self.message(),
            "expected": found.expected,
            "seen": found.seen,
            "frames": list(found.frames),
            "start": found.start,
            "stop": found.stop,
            "source": self.source,
        }


class Verdict(NamedTuple):
    """The results of all checks."""

    exercise: str
    student: str
    defended: bool
    results: tuple[Result, ...]
    stopped: str
    """At which bound the command was stopped; empty if it ended by itself."""

    @property
    def passed(self) -> bool:
        """Whether every check holds, and the command ended by itself."""
        return not self.stopped and all(result.passed for result in self.results)

    @property
    def failed(self) -> list[Result]:
        """The checks that do not hold."""
        return [result for result in self.results if not (result.passed or result.broken)]

    @property
    def broken(self) -> list[Result]:
        """The checks that broke: with one of them, it cannot be said whether a solution is right."""
        return [result for result in self.results if result.broken]

    @property
    def held(self) -> int:
        """How many checks hold."""
        return sum(result.passed for result in self.results)

    def as_object(self) -> dict[str, Any]:
        """As JSON has it, without the results, which have objects of their own."""
        return {
            "exercise": self.exercise,
            "student": self.student,
            "passed": self.passed,
            "held": self.held,
            "checks": len(self.results),
            "broken": [result.check for result in self.broken],
            "stopped": self.stopped,
            "defended": self.defended,
        }


def judge(
    exercise: Exercise, student: str, evidence: Evidence, *, stopped: str = "", defended: bool = False
) -> Verdict:
    """Judge what was observed. Takes no privileges, and gives the same every time."""
    results = tuple(_result(exercise, check, evidence) for check in exercise.checks)
    return Verdict(exercise.name, student, defended, results, stopped)


def _result(exercise: Exercise, check: Check, evidence: Evidence) -> Result:
    words = exercise.told(check.words, evidence.values)
    try:
        finding = check.judge(evidence)
        if not isinstance(finding, Finding):
            raise TypeError(f"it returned a {type(finding).__name__}, not what a verb such as .saw() returns")
    except Exception as error:  # noqa: BLE001 - a teacher's code on anybody's evidence: it must not stop the grading
        if isinstance(error, RawkitError) and not isinstance(error, FieldError):
            return Result(check.name, words, Finding(False, words, str(error)), check.source)  # what frames hold
        finding = Finding(False, words, f"the check itself broke: {place_of(error)}{told_of(error)}")
        return Result(check.name, words, finding, check.source, broken=True)
    return Result(check.name, words, finding, check.source)
