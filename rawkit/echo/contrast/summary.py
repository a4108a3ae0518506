"""What a kind of socket does for its user: every fact from a run in which it was seen to."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from rawkit.echo.contrast.explained import keeper_of_boundaries, keeper_of_order, resender
from rawkit.echo.contrast.filled import filled, first_with_data
from rawkit.echo.contrast.measured import RoundTrips, measure
from rawkit.echo.contrast.play import Run, Scene, play
from rawkit.echo.contrast.probed import privilege
from rawkit.echo.contrast.scenes import ECHO, LOST, SCENES, SWAPPED, TWO_WRITES
from rawkit.echo.kinds import Kind

__all__ = ["Contrast", "Facts", "contrast", "notes"]


class Facts(NamedTuple):
    """Who does what: `you`, `kernel`, `hardware`, `library` or `nobody`; empty where there is nothing to do."""

    checksums: str
    """Who computes the checksum over what the client sends."""
    order: str
    resends: str
    boundaries: str
    privilege: str
    """The capability without which one of the ends could not be opened; empty for none."""


class Contrast(NamedTuple):
    """One kind of socket."""

    kind: Kind
    echo: Run
    trips: RoundTrips
    facts: Facts
    scenes: tuple[tuple[Scene, Run], ...]
    """Those that were asked for, and have a meaning for the kind."""

    def row(self) -> dict[str, str]:
        """Its line in a table, by the names of the columns."""
        return {
            "kind": self.kind.name,
            "socket": self.kind.socket,
            "frames": str(len(self.echo.frames)),
            "bytes": str(self.echo.wire_bytes),
            "ratio": "-" if self.overhead is None else f"{self.overhead:.1f}",
            "cold ms": f"{self.trips.cold_ns / 1e6:.3f}",
            "warm ms": f"{self.trips.warm_ns / 1e6:.3f}",
            **{name: fact or "-" for name, fact in self.facts._asdict().items()},
        }

    @property
    def overhead(self) -> float | None:
        """Bytes on the wire for each of the application's; None where there was no wire."""
        return self.echo.wire_bytes / self.echo.application_bytes if self.echo.frames else None


def contrast(kind: Kind, data: bytes, *, scenes: Collection[str] = (), count: int = 200) -> Contrast:
    """Echo the data through a kind of socket, and find out what it does for its user.

    `scenes` are names of `SCENES`, `count` the round trips whose median is taken. It takes a second or two.
    Raises NotPermittedError, KernelError where there can be no lab.
    """
    played = {scene.name: play(kind, scene, data) for scene in _wanted(kind, scenes)}
    facts = Facts(
        checksums=_keeper_of_checksums(played["echo"]),
        order=keeper_of_order(played[SWAPPED.name if SWAPPED.name in played else TWO_WRITES.name]),
        resends=resender(played[LOST.name]) if LOST.name in played else "",
        boundaries=keeper_of_boundaries(played[TWO_WRITES.name]),
        privilege=privilege(kind),
    )
    chosen = tuple((SCENES[name], played[name]) for name in SCENES if name in scenes and name in played)
    return Contrast(kind, played["echo"], measure(kind, data, count), facts, chosen)


def _wanted(kind: Kind, names: Collection[str]) -> list[Scene]:
    """The plain echo, what the facts rest on, and what was asked for: each that has a meaning."""
    needed = {LOST.name, SWAPPED.name, TWO_WRITES.name, *names}
    return [ECHO, *(scene for name, scene in SCENES.items() if name in needed and scene.applies(kind))]


def _keeper_of_checksums(run: Run) -> str:
    found = first_with_data(run)
    if found is None:
        return ""
    sums = [each.who for each in filled(run, found[1]) if each.field == "checksum" and each.header != "IPv4"]
    return sums[-1] if sums else "nobody"  # IPv4's covers its header alone


NOTES = (
    "frames, bytes: of one echo, connecting and closing included, with Ethernet headers; the hosts had learnt "
    "each other's MAC addresses before. ratio: those bytes to the {bytes} of data, there and back. cold: on a new "
    "socket, with connecting; warm: on the same one; medians of {cold} and {warm}, by Python's clock.",
    "checksums: who computed the one over the data; hardware: it was left to the (virtual) network card, and the "
    "frame has the kernel's partial sum. order, resends, boundaries: who saw to it when the wire swapped two "
    "frames, when it dropped the first, and when two sends came before one recv; you: the program, by asking "
    "again. privilege: what the socket could not be opened without. -: there is none; ?: not found out this time.",
)


def notes(contrast: Contrast) -> list[str]:
    """What the columns of a table mean."""
    trips = contrast.trips
    figures = {"bytes": contrast.echo.application_bytes, "cold": trips.openings, "warm": trips.echoes}
    return [note.format(**figures) for note in NOTES]
