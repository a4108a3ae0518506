"""A lab that records every link as it is made, and questions about what has crossed until now."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from rawkit.errors import RawkitError
from rawkit.lab.records import crossing, fates, records
from rawkit.lab.wire import Seen, Wire
from rawkit.netns import Cable, Lab, Missing, Node, Recording, Transit
from rawkit.pcap import write_capture
from rawkit.views.ladder import ladder

__all__ = ["LiveWire", "RecordedLab", "told"]


class RecordedLab(Lab):
    """A lab whose links are recorded, each from when it is there. Raises what `Lab` raises."""

    def __init__(self) -> None:
        super().__init__()
        self._recording = Recording([])
        self._links: list[str] = []

    def link(self, a: Node, b: Node, **options: Any) -> Cable:
        """Run a cable, as `Lab.link` does, and record what crosses it."""
        cable = super().link(a, b, **options)
        self._recording.add(cable)
        self._links.append(cable.name)
        return cable

    def transits(self) -> list[Transit]:
        """What was sent on any link before this was called, or before the lab was closed, in order."""
        self._recording.settle()
        return self._recording.transits()

    @property
    def missing(self) -> Missing:
        """What crossed by then and is not among them."""
        return self._recording.missing

    @property
    def wire(self) -> LiveWire:
        """The same, to ask questions about at any time."""
        return LiveWire(self._recording, nodes=self._nodes, links=self._links)

    def close(self) -> None:
        """End the recording, whose frames are kept, then the lab."""
        with ExitStack() as stack:
            stack.callback(super().close)
            stack.callback(self._recording.close)
            with suppress(RawkitError):  # a process of it was killed
                self._recording.finish()


class LiveWire(Wire):
    """A `Wire` of whatever has crossed at the moment of each verb, between the nodes and links of that moment."""

    def __init__(self, recording: Recording, *, nodes: Collection[str], links: Collection[str]) -> None:
        super().__init__((), nodes=nodes, links=links)
        self._recording = recording

    def all(self) -> list[Seen]:
        self._hear()
        return super().all()

    def frame(self, number: int) -> Seen:
        self._hear()
        return super().frame(number)

    def _hear(self) -> None:
        self._recording.settle()
        heard = Wire(self._recording.transits(), missing=self._recording.missing.words)
        self._frames, self._missing = heard._frames, heard._missing


def told(lab: RecordedLab, file: Path | None, width: int) -> Iterator[str]:
    """What crossed, as a ladder, and written to that file. A report that fails would hide why the test did."""
    try:
        transits, missing = lab.transits(), lab.missing.words
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
    if missing:
        yield missing
    yield from ladder([crossing(each) for each in transits], hosts=[*lab.nodes], width=width)
    yield from fates(transits)
