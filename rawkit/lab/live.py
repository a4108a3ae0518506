"""A lab that records every link as it is made, and questions about what has crossed until now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from rawkit.errors import RawkitError
from rawkit.lab.records import crossing, fates, records
from rawkit.lab.wire import Seen, Wire
from rawkit.netns import Cable, Lab, Node, Recording, Transit
from rawkit.pcap import write_capture
from rawkit.views.ladder import ladder

__all__ = ["LiveWire", "RecordedLab", "told"]


class RecordedLab(Lab):
    """A lab whose links are recorded, each from when it is there. Raises what `Lab` raises."""

    def __init__(self) -> None:
        super().__init__()
        self._recordings: list[Recording] = []
        self._kept: list[Transit] = []
        self._links: list[str] = []

    def link(self, a: Node, b: Node, **options: Any) -> Cable:
        """Run a cable, as `Lab.link` does, and record what crosses it."""
        cable = super().link(a, b, **options)
        self._recordings.append(Recording([cable]))
        self._links.append(cable.name)
        return cable

    def transits(self) -> list[Transit]:
        """What was sent on any link before this was called, or before the lab was closed, in order."""
        for recording in self._recordings:
            recording.settle()
        found = [transit for recording in self._recordings for transit in recording.transits()]
        return sorted(found, key=lambda each: each.frame.time_ns) if self._recordings else self._kept

    @property
    def wire(self) -> LiveWire:
        """The same, to ask questions about at any time."""
        return LiveWire(self.transits, nodes=self._nodes, links=self._links)

    def close(self) -> None:
        """End the recordings, whose frames are kept, then the lab."""
        with ExitStack() as stack:
            stack.callback(super().close)
            for recording in self._recordings:
                stack.callback(recording.close)
            with suppress(RawkitError):  # nothing is to be had of one whose process was killed
                self._kept = self.transits()
            self._recordings = []


class LiveWire(Wire):
    """A `Wire` of whatever has crossed at the moment of each verb, between the nodes and links of that moment."""

    def __init__(
        self, transits: Callable[[], list[Transit]], *, nodes: Collection[str], links: Collection[str]
    ) -> None:
        super().__init__((), nodes=nodes, links=links)
        self._transits = transits

    def all(self) -> list[Seen]:
        self._hear()
        return super().all()

    def frame(self, number: int) -> Seen:
        self._hear()
        return super().frame(number)

    def _hear(self) -> None:
        self._frames = Wire(self._transits())._frames


def told(lab: RecordedLab, file: Path | None, width: int) -> Iterator[str]:
    """What crossed, as a ladder, and written to that file. A report that fails would hide why the test did."""
    try:
        transits = lab.transits()
    except RawkitError as error:
        yield f"not to be had: {error}"
        return
    if not transits:
        yield "nothing"
    elif file is not None:
        try:
            write_capture(str(file), records(transits))
            yield f"{len(transits)} frames, in {file}"
        except RawkitError as error:
            yield f"{len(transits)} frames, in no file: {error}"
    yield from ladder([crossing(each) for each in transits], hosts=[*lab.nodes], width=width)
    yield from fates(transits)
