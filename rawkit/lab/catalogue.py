"""Which exercises there are: one in each module of `rawkit.lab.exercises`, and those in files of one's own.

Files are run, and so only those that somebody named: one by one, or by their folder in $RAWKIT_EXERCISES.
"""

from __future__ import annotations

import os
import runpy
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from rawkit.errors import FieldError, RawkitError, file_error
from rawkit.lab import exercises
from rawkit.lab.exercise import Exercise, place_of, told_of

__all__ = ["FOLDERS", "catalogue", "find_exercise", "unusable"]

FOLDERS: Final = "RAWKIT_EXERCISES"
"""The variable of the environment with folders of exercises, with colons between them."""


def catalogue() -> dict[str, Exercise]:
    """The exercises, by name: those that come with rawkit, in the order of their numbers, and those of folders."""
    return _with_folders(os.environ.get(FOLDERS, ""))[0]


def unusable() -> dict[str, str]:
    """The folders, and files in them, that give no exercise; and why."""
    return _with_folders(os.environ.get(FOLDERS, ""))[1]


@cache
def _with_folders(folders: str) -> tuple[dict[str, Exercise], dict[str, str]]:
    found, failed = dict(_our_own()), {}
    for folder in map(Path, filter(None, folders.split(os.pathsep))):
        if not folder.is_dir():
            failed[str(folder)] = f"no folder, as ${FOLDERS} says that it is"
        for file in sorted(folder.glob("[!_]*.py")):
            try:
                exercise = replace(_in_file(str(file)), file="")
                if exercise.name in found:
                    raise FieldError("Exercise", "name", exercise.name, "a name that no other exercise has")
                found[exercise.name] = exercise
            except RawkitError as error:
                failed[str(file)] = str(error)
    return found, failed


@cache
def _our_own() -> dict[str, Exercise]:
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
