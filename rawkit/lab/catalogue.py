"""Which exercises there are: one in each module of `rawkit.lab.exercises`, and those in files of one's own."""

from __future__ import annotations

import runpy
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from rawkit.errors import FieldError, file_error
from rawkit.lab import exercises
from rawkit.lab.exercise import Exercise, place_of, told_of

__all__ = ["catalogue", "find_exercise"]


@cache
def catalogue() -> dict[str, Exercise]:
    """The exercises that come with rawkit, by name, in the order of their numbers."""
    found = []
    for module in iter_modules(exercises.__path__, f"{exercises.__name__}."):
        if not module.name.rpartition(".")[2].startswith("_"):
            found.append(_exercise_in(module.name))
    return {exercise.name: exercise for exercise in sorted(found, key=lambda each: each.number)}


def find_exercise(name: str) -> Exercise:
    """The exercise of that name, of that number, or in the file of that name, which ends in .py and is run.

    Raises FieldError for one that is not there, FileError.
    """
    if name.endswith(".py"):
        return _in_file(name)
    name = name.casefold().replace("_", "-")
    module = f"{exercises.__name__}.{name.replace('-', '_')}"
    if name.replace("-", "").isalnum() and find_spec(module) is not None:  # the others are not needed then
        return _exercise_in(module)
    known = catalogue()
    for exercise in known.values():
        if name in (exercise.name, str(exercise.number)):
            return exercise
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else "`rawkit lab list` has them all"
    raise FieldError("lab", "exercise", name, f"an exercise's name or number, or a file that ends in .py; {hint}")


def _exercise_in(module: str) -> Exercise:
    exercise: Exercise = import_module(module).EXERCISE
    return exercise


def _in_file(name: str) -> Exercise:
    try:
        Path(name).open("rb").close()
    except OSError as error:
        raise file_error(error, f"read {name}") from error
    try:
        found = runpy.run_path(name).get("EXERCISE")
    except (Exception, SystemExit) as error:  # it is a program of somebody else's, and can raise anything
        what = f"a file that runs ({place_of(error)}{told_of(error)})"
        raise FieldError("lab", "exercise", name, what) from error
    if not isinstance(found, Exercise):
        raise FieldError("lab", "exercise", name, "a file that defines EXERCISE = Exercise(...)")
    return replace(found, file=name)
