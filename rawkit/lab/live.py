"""A lab that records every link as it is made, and questions about what has crossed until now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from rawkit.errors import RawkitError
from rawkit.lab.records import crossing, fates, records
from rawkit.lab.wire import Wire
from rawkit.netns import Cable, Lab, Missing, Node, Recording, Transit
from rawkit.pcap import write_capture
from rawkit.views.ladder import ladder

__all__ = ["LiveWire", "RecordedLab", "told"]


class RecordedLab(Lab):
    """A lab whose links are recorded, each from when it is there. Raises what `Lab` raises."""

    def __init__(self) -> None:
        super().__init__()
        self._recording = Recording([])

    def link(self, a: Node, b: Node, **options: Any) -> Cable:
        """Run a cable, as `Lab.link` does, and record what crosses it."""
        cable = super().link(a, b, **options)
        self._recording.add(cable)
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
    def wire(self) -> Wire:
        """The same, to ask questions about."""
        transits, links = self.transits(), [cable.name for cable in self.cables]
        return Wire(transits, nodes=self.nodes, links=links, missing=self.missing.words)

    def close(self) -> None:
        """End the recording, whose frames are kept, then the lab."""
        with ExitStack() as stack:
            stack.callback(super().close)
            stack.callback(self._recording.close)
            with suppress(RawkitError):  # a process of it was killed
                self._recording.finish()


class LiveWire:
    """A `Wire` of whatever has crossed at the moment of each question."""

    def __init__(self, lab: RecordedLab) -> None:
        self._lab = lab

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lab.wire, name)


def told(lab: RecordedLab, file: Path | None, width: int) -> Iterator[str]:
    """What crossed, as a ladder, and written to that file."""
    try:
        transits = lab.transits()
        if file is not None and transits:
            write_capture(str(file), records(transits))
            yield f"{len(transits)} frames, in {file}"
        if lab.missing:
            yield lab.missing.words
    except RawkitError as error:  # a report that fails would hide why the test did
        yield f"not to be had: {error}"
        return
    if not transits:
        yield "nothing"
    yield from ladder([crossing(each) for each in transits], hosts=[*lab.nodes], width=width)
    yield from fates(transits)
