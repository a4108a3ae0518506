"""An exercise: data, and a few functions. One stands in each file of `rawkit/lab/exercises/`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rawkit.errors import FieldError, RawkitError
from rawkit.lab.finding import Finding
from rawkit.lab.seed import Seed, Values
from rawkit.lab.topology import Topology

if TYPE_CHECKING:
    from rawkit.lab.evidence import Evidence
    from rawkit.lab.stage import Stage

__all__ = ["Check", "Defence", "Exercise", "Prediction", "Program", "Scene", "Wrong", "python", "shell"]

Scene = Callable[["Stage"], Generator[None, None, None]]
"""What happens around the student's command: it runs where the generator yields, once."""

_NAME: Final = re.compile(r"(?!.*--)[a-z][a-z0-9-]{1,39}")


class Program(NamedTuple):
    """A solution: what `interpreter` runs in the student's host, as its argument after -c."""

    interpreter: str
    """`python` or `sh`."""
    source: str


def python(source: str) -> Program:
    """A solution in Python; what the task names stands in the environment: os.environ["LAB_TARGET"]."""
    return Program("python", source)


def shell(source: str) -> Program:
    """A solution as a shell script: "$LAB_TARGET"."""
    return Program("sh", source)


class Check(NamedTuple):
    """One thing that must hold."""

    name: str
    """A word, for `rawkit lab why`."""
    words: str
    """What must hold, for the student to read; `{target}` stands for that value."""
    judge: Callable[[Evidence], Finding]
    source: str = ""
    """Where it is written that it must: `RFC 792, page 14`."""


class Prediction(NamedTuple):
    """A question to answer before trying."""

    question: str
    answer: Callable[[Values], str]
    why: str
    """Told once it was answered."""

    def is_right(self, answer: str, values: Values) -> bool:
        """Whether that is the answer, perhaps with a word more or two: `the gateway`, `1,024 bytes`."""
        given, wanted = _words(answer), _words(self.answer(values))
        if {"or", "not"} & ({*given} - {*wanted}) or len(given) > len(wanted) + 2:
            return False
        return any(given[at : at + len(wanted)] == wanted for at in range(len(given)))


def place_of(error: BaseException) -> str:
    """The last line outside of rawkit that an error came through, as `line 7 of mine.py: `; empty if none."""
    package = str(Path(__file__).parent.parent)
    frames = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith((package, "<"))]
    return f"line {frames[-1].lineno} of {Path(frames[-1].filename).name}: " if frames else ""


def told_of(error: BaseException) -> str:
    """An error in words, with the name of its class, unless it is one of rawkit's, which say it all."""
    return str(error) if isinstance(error, RawkitError) else f"{type(error).__name__}: {error}"


def _words(text: str) -> list[str]:
    """Its words and numbers, whatever their case and punctuation."""
    found = re.findall(r"[^\W_]+(?:[.:-][^\W_]+)*", re.sub(r"(?<=\d),(?=\d{3})", "", text.casefold()))
    return [word.lstrip("0") or "0" if word.isdecimal() else word for word in found]


class Wrong(NamedTuple):
    """A solution that is wrong in one way, with the check that must fail and a part of what it must say."""

    program: Program
    check: str
    says: str


class Defence(NamedTuple):
    """What stops an attack. With it switched on, the scene finds `Stage.defended` true."""

    words: str
    check: str
    """The check that the reference solution then fails."""


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An exercise. Texts may name values: `{target}`. Raises FieldError for what cannot be."""

    name: str
    """Small letters, digits and hyphens."""
    number: int
    level: int
    """1 to 5."""
    title: str
    learnt: str
    """What one knows afterwards, in one sentence."""
    values: Callable[[Seed], dict[str, Any]]
    """What differs from student to student: texts and numbers, which the student's command finds as LAB_NAME."""
    topology: Callable[[Values], Topology]
    """The network; the student's host is `you`."""
    task: str
    """Markdown."""
    prediction: Prediction
    hints: tuple[str, str, str]
    """One about the concept, one that names the field, one that names the bytes."""
    checks: Sequence[Check]
    solution: Program
    wrong: Sequence[Wrong]
    scene: Scene | None = None
    """What else happens; nothing, by default."""
    defence: Defence | None = None
    seconds: float = 10.0
    """How long the command may take."""
    file: str = ""
    """The file that it was read from, as that was named; empty for one that has to be named by its name."""

    @property
    def handle(self) -> str:
        """What to call it at the terminal."""
        return shlex.quote(self.file) if self.file else self.name

    def __post_init__(self) -> None:
        self._check_types()
        if not _NAME.fullmatch(self.name):
            raise FieldError("Exercise", "name", self.name, "2 to 40 small letters, digits and single hyphens")
        names = [check.name for check in self.checks]
        if len(set(names)) < len(names) or not names:
            raise FieldError(self.name, "checks", names, "checks with names of their own, at least one")
        expected = [wrong.check for wrong in self.wrong] + ([self.defence.check] if self.defence else [])
        for name in expected:
            if name not in names:
                raise FieldError(self.name, "wrong", name, f"the name of a check, one of {', '.join(names)}")
        if len(self.wrong) < 2 or len(self.hints) != 3:
            raise FieldError(self.name, "wrong", len(self.wrong), "two wrong solutions at least, and three hints")

    def _check_types(self) -> None:
        numbers = isinstance(self.number, int) and isinstance(self.seconds, int | float) and self.seconds > 0
        if not numbers or self.level not in range(1, 6):
            given = f"{self.number!r}, {self.level!r} and {self.seconds!r}"
            raise FieldError(
                self.name,
                "number, level and seconds",
                given,
                "whole numbers, a level from 1 to 5, more than 0 seconds",
            )
        for part, kind in (("checks", Check), ("wrong", Wrong)):
            for one in getattr(self, part):
                if not isinstance(one, kind):
                    raise FieldError(self.name, part, one, f"a sequence of {kind.__name__}(...)")
        for program in (self.solution, *(wrong.program for wrong in self.wrong)):
            if not isinstance(program, Program):
                raise FieldError(self.name, "solution", program, "python(...) or shell(...)")
        if not isinstance(self.prediction, Prediction) or not isinstance(self.defence, Defence | None):
            given = f"{self.prediction!r} and {self.defence!r}"
            raise FieldError(
                self.name, "prediction and defence", given, "Prediction(...), and Defence(...) or None"
            )

    def values_of(self, student: str, salt: str = "") -> Values:
        """That student's values; the secret ones are those of the run with that salt."""
        with self.running("values"):
            values = Values(self.values(Seed(self.name, student, salt)))
        values.salt = salt
        return values

    def topology_of(self, values: Values) -> Topology:
        """The network with those values."""
        with self.running("topology"):
            return self.topology(values)

    def predicted(self, answer: str, student: str) -> str:
        """`right` or `wrong`, as that student's answer to the question is; empty for no answer."""
        if not answer:
            return ""
        values = self.values_of(student)
        with self.running("prediction"):
            return "right" if self.prediction.is_right(answer, values) else "wrong"

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        """Run a function of the exercise: whatever goes wrong in it is told as a FieldError, with the line."""
        try:
            yield
        except RawkitError:
            raise
        except Exception as error:  # a teacher's code can raise anything
            what = f"a function that runs ({place_of(error)}{told_of(error)})"
            raise FieldError(self.name, part, part, what) from error

    def told(self, text: str, values: Values) -> str:
        """A text of the exercise with that student's values in it. Raises FieldError where it names others."""
        told = {name: value for name, value in values.items() if name[0] != "_"}
        try:
            return text.format_map(told)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise FieldError(
                self.name,
                "text",
                str(error),
                f"only values that are told in braces ({', '.join(told)}), {{{{ for a brace",
            ) from error

    def check(self, name: str) -> Check:
        """The check of that name. Raises FieldError."""
        for check in self.checks:
            if check.name == name:
                return check
        raise FieldError(self.name, "check", name, f"one of {', '.join(check.name for check in self.checks)}")
