"""The verdict on a solution: what each check found, and whether all of them hold."""

from __future__ import annotations

from typing import Any, NamedTuple

from rawkit.errors import RawkitError
from rawkit.lab.evidence import Evidence
from rawkit.lab.exercise import Check, Exercise
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

    def message(self) -> str:
        """In one line."""
        message = self.finding.message()
        return f"{message}; see {self.source}" if self.source and not self.finding.passed else message

    def as_object(self) -> dict[str, Any]:
        """As JSON has it."""
        found = self.finding
        return {
            "check": self.check,
            "passed": found.passed,
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
        return not self.stopped and all(result.finding.passed for result in self.results)

    def as_object(self) -> dict[str, Any]:
        """As JSON has it, without the results, which have objects of their own."""
        return {
            "exercise": self.exercise,
            "student": self.student,
            "passed": self.passed,
            "held": sum(result.finding.passed for result in self.results),
            "checks": len(self.results),
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
    except RawkitError as error:  # what it looked into is not there, or cannot be read
        finding = Finding(False, words, str(error))
    except Exception as error:  # noqa: BLE001 - a teacher's code on anybody's evidence: it must not stop the grading
        finding = Finding(False, words, f"the check itself broke ({type(error).__name__}: {error})")
    return Result(check.name, words, finding, check.source)
