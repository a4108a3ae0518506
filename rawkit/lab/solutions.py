"""The solutions that an exercise brings along, as commands that can be run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rawkit.lab.exercise import Program

__all__ = ["command_of"]


@contextmanager
def command_of(program: Program) -> Iterator[list[str]]:
    """The command that runs a program, which stands in a file for as long as the block."""
    with TemporaryDirectory(prefix="rawkit-") as folder:
        file = Path(folder, "solution")
        file.write_text(program.source)
        yield [sys.executable if program.interpreter == "python" else program.interpreter, str(file)]
