"""Where a student's work lies: the latest evidence of each exercise, and which hints were taken."""

from __future__ import annotations

import json
from pathlib import Path

from rawkit.errors import file_error
from rawkit.lab.bundle import passed_in
from rawkit.lab.grade import BETWEEN
from rawkit.lab.state import desks
from rawkit.pcap.files import output, write_all

__all__ = ["Desk"]


class Desk:
    """A student's folder: $XDG_STATE_HOME/rawkit/lab/STUDENT, by default under ~/.local/state."""

    def __init__(self, student: str) -> None:
        self.student = student
        self.folder = desks() / student

    def bundle(self, exercise: str, *, defended: bool = False) -> Path:
        """Where the evidence of the last check of an exercise is, or is to be; that with the defence is apart."""
        return self.folder / f"{exercise}{'-defended' * defended}{BETWEEN}{self.student}.zip"

    def prepare(self) -> None:
        """Have the folder there, for its owner only. Raises FileError."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise file_error(error, f"make {self.folder}") from error

    def state(self, exercise: str) -> str:
        """`done` where the last check passed, `tried` where it did not, empty where there was none."""
        passed = passed_in(self.bundle(exercise))
        return "" if passed is None else "done" if passed else "tried"

    def hints(self, exercise: str) -> int:
        """How many hints were taken."""
        return self._hints().get(exercise, 0)

    def take_hint(self, exercise: str, count: int) -> None:
        """Keep that so many were taken. Raises FileError."""
        taken = self._hints() | {exercise: count}
        self.prepare()
        with output(str(self._hints_file)) as file:
            write_all(file, bytearray(json.dumps(taken).encode()), str(self._hints_file))

    @property
    def _hints_file(self) -> Path:
        return self.folder / "hints.json"

    def _hints(self) -> dict[str, int]:
        try:
            found = json.loads(self._hints_file.read_bytes())
        except (OSError, ValueError):  # there are none yet, or somebody wrote something else there
            return {}
        return (
            {str(name): count for name, count in found.items() if isinstance(count, int)}
            if isinstance(found, dict)
            else {}
        )
