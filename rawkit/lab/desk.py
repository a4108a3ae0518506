"""Where a student's work lies: the evidence of each exercise, what was predicted, and which hints were taken."""

from __future__ import annotations

import json
from pathlib import Path

from rawkit.errors import file_error
from rawkit.lab.bundle import MOST_PREDICTED, UNPREPARED, Preparation, passed_in
from rawkit.lab.grade import BETWEEN
from rawkit.lab.state import desks
from rawkit.pcap.files import output, write_all

__all__ = ["Desk"]


class Desk:
    """A student's folder: $XDG_STATE_HOME/rawkit/lab/STUDENT, by default under ~/.local/state."""

    def __init__(self, student: str) -> None:
        self.student = student
        self.folder = desks() / student

    def hand_in(self, exercise: str, defended: bool = False) -> Path:
        """Where the evidence to hand in is, or is to be; that with the defence is apart."""
        return self.folder / f"{exercise}{'-defended' * defended}{BETWEEN}{self.student}.zip"

    def latest(self, exercise: str, defended: bool = False) -> Path:
        """Where the evidence of the last check is, or is to be."""
        return self.folder / "latest" / self.hand_in(exercise, defended).name

    def keep(self, exercise: str, defended: bool = False, *, passed: bool) -> bool:
        """Hand in the latest evidence, unless only an earlier one passed; whether it is. Raises FileError."""
        hand_in, latest = (where(exercise, defended) for where in (self.hand_in, self.latest))
        if not passed and passed_in(hand_in):
            return False
        with output(str(hand_in)) as file:
            write_all(file, bytearray(latest.read_bytes()), str(hand_in))
        return True

    def prepare(self) -> None:
        """Have the folders there, for their owner only. Raises FileError."""
        folder = self.folder / "latest"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise file_error(error, f"make {folder}") from error

    def state(self, exercise: str) -> str:
        """`done` where a check passed, `tried` where none did, empty where there was none."""
        passed = passed_in(self.hand_in(exercise))
        return "" if passed is None else "done" if passed else "tried"

    def preparation(self, exercise: str) -> Preparation:
        """What was predicted, and how many hints were taken."""
        return self._notes().get(exercise, UNPREPARED)

    def predict(self, exercise: str, answer: str) -> None:
        """Keep that this was predicted, if it is the first answer. Raises FileError."""
        if not self.preparation(exercise).predicted:
            told = "".join(filter(str.isprintable, answer))[:MOST_PREDICTED]
            self._note(exercise, self.preparation(exercise)._replace(predicted=told))

    def take_hint(self, exercise: str, count: int) -> None:
        """Keep that so many were taken. Raises FileError."""
        self._note(exercise, self.preparation(exercise)._replace(hints=count))

    def _note(self, exercise: str, preparation: Preparation) -> None:
        notes = self._notes() | {exercise: preparation}
        self.prepare()
        with output(str(self._file)) as file:
            write_all(file, bytearray(json.dumps(notes).encode()), str(self._file))

    @property
    def _file(self) -> Path:
        return self.folder / "preparation.json"

    def _notes(self) -> dict[str, Preparation]:
        try:
            found = json.loads(self._file.read_bytes())
            return {str(name): Preparation(str(answer), int(hints)) for name, (answer, hints) in found.items()}
        except (
            OSError,
            ValueError,
            TypeError,
            AttributeError,
        ):  # none yet, or somebody wrote something else there
            return {}
