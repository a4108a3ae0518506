"""How a process listens to links: what it tells of the frames, how many it had to leave out, and when it is done.

The one who records sends a mark (`rawkit.netns.marks`) from every end of the links, and gives the cue `settle`
with their name and number. Once all have come, and what came before them has been dealt with, the answer is the
cue `settled`, with the name and how many frames have moved since the answer before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from rawkit.link import Frame, PacketSocket
from rawkit.netns.marks import mark_in
from rawkit.netns.worker import Worker
from rawkit.pcap.filter import compile_filter
from rawkit.wire import LinkType

__all__ = ["BUFFER", "MOST_BYTES", "MOST_FRAMES", "Correction", "Listener", "Passage", "Question", "Unheard"]

MOST_FRAMES: Final = 20_000
MOST_BYTES: Final = 16 * 1024 * 1024
"""What is kept of what crosses the links that a process listens to."""

BUFFER: Final = 32 * 1024 * 1024
"""Bytes of frames that may wait at a link. The kernel doubles it (SO_RCVBUF in socket(7)), and counts up to 2.5 KB
for a frame: so as many can wait as are kept."""


NOISE: Final = "ip6[6] == 0 and ip6[48] == 143 and ip6[60:4] == 0xff020000 and ip6[68:4] == 1 and ip6[72] == 0xff"
"""Reports (MLDv2, RFC 3810) whose first group is one that comes with an address (RFC 4291, section 2.7.1): kernels
send them over and over, and have no setting against it."""


class Passage(NamedTuple):
    """A frame that an end of a link sent: `sender` is 0 or 1, `fate` says what was done to it, if anything."""

    frame: Frame
    sender: int
    fate: str
    link: int
    """Which of the links that are listened to, from 0."""
    number: int
    """By which a `Correction` names it."""


class Correction(NamedTuple):
    """What became of a frame of which it was not known when it was told."""

    number: int
    fate: str


class Unheard(NamedTuple):
    """So many more frames crossed, and are not told."""

    frames: int


class Question:
    """Whether all that came before the marks of that name has been dealt with."""

    def __init__(self, name: str, marks: int, final: bool) -> None:
        self.name, self.marks, self.final = name, marks, final
        self.last_due: float | None = None
        """When the last of what is on its way is due; None as long as there may be more."""


class Listener:
    """What a process knows that listens to links, through these sockets, and how it says so."""

    def __init__(self, worker: Worker, sockets: Sequence[PacketSocket], *, listening: bool) -> None:
        self._worker, self._sockets, self._listening = worker, sockets, listening
        self.question: Question | None = None
        self._noise = compile_filter(NOISE, LinkType.ETHERNET)
        self._marks: defaultdict[str, set[str]] = defaultdict(
            set
        )  # from which ends they have come, by their names
        self._moved = 0
        self._number = 0
        self._frames = self._bytes = 0
        self._unheard = self._told_unheard = 0
        self._drops = 0

    def obey(self, cue: str) -> bool:
        """Do what the other process asks for; False once it is gone."""
        match cue.split():
            case ["listen"]:
                self._tell_unheard()
                self._listening = True
                self._frames = self._bytes = self._unheard = self._told_unheard = 0
                self._worker.cues.give("listening")
            case [("settle" | "finish") as verb, name, marks]:
                self.question = Question(name, int(marks), verb == "finish")
        return bool(cue)

    def takes_for_mark(self, data: bytes) -> bool:
        """Whether a frame is a mark, which is noted; else, it has moved."""
        name, _, end = mark_in(data).partition(" ")
        if name:
            self._marks[name].add(end)
        else:
            self.move(data)
        return bool(name)

    def move(self, data: bytes) -> None:
        """Note that a frame has come, or left."""
        self._moved += not self._is_noise(data)

    def tell(self, frame: Frame, sender: int, fate: str = "", link: int = 0) -> int:
        """Tell of a frame, if somebody listens, and there is room; its number."""
        self._number += 1
        if not self._listening or self._is_noise(frame.data):
            return self._number
        if self._frames < MOST_FRAMES and self._bytes < MOST_BYTES:
            self._frames += 1
            self._bytes += len(frame.data)
            self._worker.tell(Passage(frame, sender, fate, link, self._number))
        else:
            self._unheard += 1
            if self._unheard == 1:
                self._tell_unheard()
        return self._number

    def correct(self, number: int, fate: str) -> None:
        """Tell what became of the frame of that number."""
        if self._listening:
            self._worker.tell(Correction(number, fate))

    def asked(self) -> Question | None:
        """The question, once all its marks have come."""
        question = self.question
        return question if question is not None and len(self._marks[question.name]) >= question.marks else None

    def answer(self, question: Question) -> None:
        """All that came before the marks has been dealt with."""
        self._tell_unheard()
        self._worker.cues.give(f"settled {question.name} {self._moved}")
        self.question = None
        self._moved = 0
        self._marks.clear()

    def _is_noise(self, data: bytes) -> bool:
        return self._noise.run(data, len(data)) != 0

    def _tell_unheard(self) -> None:
        """Tell how many frames could not be told by now, with those that the kernel had no room for."""
        drops = sum(one.statistics().drops for one in self._sockets)
        if self._listening:
            self._unheard += drops - self._drops
        self._drops = drops
        if self._unheard > self._told_unheard:
            self._worker.tell(Unheard(self._unheard - self._told_unheard))
            self._told_unheard = self._unheard
