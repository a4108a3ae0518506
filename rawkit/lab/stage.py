"""An exercise while it is played: its network, what happens in it, and what is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Final, NamedTuple, Self

from rawkit.errors import FieldError, KernelError
from rawkit.lab.bounds import FLOODED, Bounds, missing_in
from rawkit.lab.confine import Outcome, run_confined
from rawkit.lab.evidence import Evidence
from rawkit.lab.exercise import Exercise, Scene
from rawkit.lab.seed import Values
from rawkit.lab.topology import STUDENT
from rawkit.lab.wire import Wire
from rawkit.netns import Host, Lab, Recording, State, Transit, Worker

__all__ = ["STUDENT", "Played", "Run", "Stage", "play", "running"]

READY = "ready"
"""The cue of an actor whose service can be used."""

END: Final = object()
"""What a scene gives that has ended."""

PATIENCE = 5.0
"""Seconds that something which must happen may take on a busy machine."""


class Stage:
    """A lab in which an exercise is played; scenes get it.

    Everything in it ends with it, and with the process. Raises what `Lab` raises.
    """

    def __init__(self, exercise: Exercise, values: Values, *, defended: bool = False) -> None:
        self.values = values
        self.defended = defended
        """Whether the defence is switched on."""
        self.guarded = [Path(exercise.file)] if exercise.file else []
        """Files that the student must not write: they are run the next time."""
        self.states: dict[str, dict[str, State]] = {}
        self._actors: list[tuple[str, Worker]] = []
        with ExitStack() as stack:
            self.lab = stack.enter_context(Lab())
            with exercise.running("topology"):
                self.nodes = exercise.topology_of(values).build(self.lab)
            """Hosts, routers, switches and hubs by their names."""
            if not isinstance(self.nodes.get(STUDENT), Host):
                raise FieldError(exercise.name, "topology", sorted(self.nodes), f"a host that is called {STUDENT}")
            self.recording: Recording = stack.enter_context(self.lab.record())
            self._stack = stack.pop_all()

    def host(self, name: str) -> Host:
        """The host or router of that name. Raises FieldError."""
        node = self.nodes.get(name)
        if not isinstance(node, Host):
            raise FieldError("Stage", "host", name, f"one of {', '.join(self.nodes)}")
        return node

    def act(self, host: str, work: Callable[[Worker], object], *, ready: bool = False) -> Worker:
        """Have a function called in a host, in a process of its own, which ends with the stage at the latest.

        With `ready`, wait until it has given the cue `ready`. Raises TimedOut if it does not, and what it raises.
        """
        worker = self._stack.enter_context(self.host(host).spawn(work))
        self._actors.append((host, worker))
        if ready and worker.cues.take(PATIENCE) != READY:
            worker.join(PATIENCE)
            raise KernelError(0, f"start what {host} does", "it ended before it was ready")
        return worker

    def check_actors(self) -> None:
        """Raise KernelError for an actor that was killed: what it did not do is no fault of the student's."""
        for host, worker in self._actors:
            if (worker.poll() or 0) < 0:
                raise KernelError(0, f"have {host} act", "its process was killed; run it again")

    def run(self, host: str, arguments: Sequence[str]) -> None:
        """Run a program in a host to its end, without output, whatever its exit status."""
        self.host(host).run(arguments, capture_output=True, timeout=PATIENCE)

    def wait_until(self, holds: Callable[[], bool], *, seconds: float = PATIENCE) -> bool:
        """Look again and again until something holds, for so many seconds at most; whether it does."""
        deadline = time.monotonic() + seconds
        while not (found := holds()) and time.monotonic() < deadline:
            time.sleep(0.005)  # the kernel does not tell when its tables change
        return found

    def settle(self) -> None:
        """Wait until nothing is on its way any more, as far as it does not go on and on."""
        self.recording.settle()

    @property
    def wire(self) -> Wire:
        """What has crossed the wire by now; of what is missing, the verdict tells."""
        return self.asking(self.recording.transits())

    def asking(self, transits: Iterable[Transit], missing: str = "") -> Wire:
        """Questions about these frames, and what is missing among them."""
        links = [cable.name for cable in self.lab.cables]
        return Wire(transits, nodes=self.lab.nodes, links=links, missing=missing)

    def note(self, moment: str) -> None:
        """Keep what the kernels of all hosts know now: `Evidence.state(host, moment)`."""
        self.states[moment] = {name: node.state() for name, node in self.nodes.items() if isinstance(node, Host)}

    def close(self) -> None:
        """End it all."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Played(NamedTuple):
    """What came of playing an exercise."""

    evidence: Evidence
    transits: list[Transit]
    outcome: Outcome


Run = Callable[[Stage], Outcome]
"""How the student acts on a stage."""


def play(exercise: Exercise, student: str, run: Run, *, defended: bool = False) -> Played:
    """Play an exercise in a lab of its own, in which `run` is the student; its secrets are this run's own.

    Raises what `Lab`, the exercise's scene and `run` raise.
    """
    values = exercise.values_of(student, token_hex(8))
    with Stage(exercise, values, defended=defended) as stage:
        with ExitStack() as acting:
            if exercise.scene is not None:
                acting.enter_context(_acted(exercise, exercise.scene, stage))
            stage.note("before")
            outcome = run(stage)
            stage.check_actors()
        transits = stage.recording.finish()
        if stage.recording.missing:
            outcome = outcome._replace(stopped=FLOODED)
        stage.note("after")
        wire = stage.asking(transits, missing_in(outcome.stopped))
        evidence = Evidence(values, wire, stage.states, outcome.output, outcome.status)
        return Played(evidence, transits, outcome)


@contextmanager
def _acted(exercise: Exercise, scene: Scene, stage: Stage) -> Iterator[None]:
    """A scene around the student's command. Raises FieldError for one that does not yield just once."""
    with exercise.running("scene"):
        acts = iter(scene(stage))
        yielded = next(acts, END) is not END
    if yielded:
        yield
        with exercise.running("scene"):
            yielded = next(acts, END) is END
    if not yielded:
        raise FieldError(exercise.name, "scene", scene.__name__, "a generator that yields once")


def running(command: Sequence[str], bounds: Bounds, show: BinaryIO | None = None) -> Run:
    """A student who runs that command, within bounds; its output is copied to `show`."""

    def run(stage: Stage) -> Outcome:
        return run_confined(
            stage.host(STUDENT),
            command,
            stage.values.environment(),
            bounds,
            is_flooded=lambda: bool(stage.recording.missing),
            show=show,
            guarded=stage.guarded,
        )

    return run
