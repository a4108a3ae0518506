"""What a kind of socket does for its user: every fact from a run in which it was seen to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rawkit.echo.contrast.explained import keeper_of_boundaries, keeper_of_order, resender
from rawkit.echo.contrast.filled import filled, first_with_data
from rawkit.echo.contrast.measured import RoundTrips, measure
from rawkit.echo.contrast.play import Run, Scene, play
from rawkit.echo.contrast.probed import privilege
from rawkit.echo.contrast.scenes import ECHO, LOST, SCENES, SWAPPED, TWO_WRITES
from rawkit.echo.kinds import Kind

__all__ = ["Contrast", "Facts", "contrast", "found_out", "notes", "side_by_side"]

UNKNOWN: Final = "?"
"""What has not been found out, or not yet."""


class Facts(NamedTuple):
    """Who does what: `you`, `kernel`, `hardware`, `library`, `nobody`; empty for nothing to do, `?` if unknown."""

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
    trips: RoundTrips | None
    """None while they are not measured."""
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
            "cold ms": f"{self.trips.cold_ns / 1e6:.3f}" if self.trips is not None else UNKNOWN,
            "warm ms": f"{self.trips.warm_ns / 1e6:.3f}" if self.trips is not None else UNKNOWN,
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
    *_, whole = found_out(kind, data, scenes=scenes, count=count)
    return whole


def found_out(
    kind: Kind,
    data: bytes,
    *,
    scenes: Collection[str] = (),
    count: int = 200,
    on_echo: Callable[[int], object] = lambda echoes: None,
) -> Iterator[Contrast]:
    """What `contrast` returns, as it grows: after each scene, and after what follows them.

    `on_echo` is called with how many round trips have been measured, after each. Raises as `contrast` does.
    """
    played: dict[str, Run] = {}

    def so_far(privilege: str, trips: RoundTrips | None) -> Contrast:
        chosen = tuple((SCENES[name], played[name]) for name in SCENES if name in scenes and name in played)
        return Contrast(kind, played[ECHO.name], trips, _facts(kind, played, privilege), chosen)

    for scene in _wanted(kind, scenes):
        played[scene.name] = play(kind, scene, data)
        yield so_far(UNKNOWN, None)
    needed = privilege(kind)
    yield so_far(needed, None)
    yield so_far(needed, measure(kind, data, count, on_echo))


def _facts(kind: Kind, played: Mapping[str, Run], privilege: str) -> Facts:
    """What the scenes show that have been played."""

    def seen_in(scene: Scene, find: Callable[[Run], str]) -> str:
        if scene.name in played:
            return find(played[scene.name])
        return UNKNOWN if scene.applies(kind) else ""

    return Facts(
        checksums=_keeper_of_checksums(played[ECHO.name]),
        order=seen_in(SWAPPED if SWAPPED.applies(kind) else TWO_WRITES, keeper_of_order),
        resends=seen_in(LOST, resender),
        boundaries=seen_in(TWO_WRITES, keeper_of_boundaries),
        privilege=privilege,
    )


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


def notes(contrasts: Sequence[Contrast]) -> list[str]:
    """What the columns of a table mean."""
    trips = next((each.trips for each in contrasts if each.trips is not None), None)
    figures = {
        "bytes": contrasts[0].echo.application_bytes,
        "cold": UNKNOWN if trips is None else trips.openings,
        "warm": UNKNOWN if trips is None else trips.echoes,
    }
    return [note.format(**figures) for note in NOTES]


def side_by_side(contrasts: Sequence[Contrast]) -> Iterator[tuple[Scene, list[tuple[Kind, Run]]]]:
    """The scenes that were played, each with the kinds that played it; none where there is but one kind."""
    for scene in SCENES.values() if len(contrasts) > 1 else ():
        runs = [(each.kind, run) for each in contrasts for played, run in each.scenes if played is scene]
        if runs:
            yield scene, runs
