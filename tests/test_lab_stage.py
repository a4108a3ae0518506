"""Exercises while they are played: what their scenes start, and what goes wrong in it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from rawkit.errors import FieldError, KernelError
from rawkit.lab import Exercise, Outcome, Stage, play, services
from rawkit.lab.catalogue import catalogue
from rawkit.netns import Worker

pytestmark = pytest.mark.root

PING = catalogue()["ping"]


def nothing(stage: Stage) -> Outcome:
    """What a student does who does nothing."""
    return Outcome(0, b"", 0.0, "")


def acting(*services: object) -> Exercise:
    """An exercise with these services at the target, one started after the other."""

    def scene(stage: Stage) -> Iterator[None]:
        for service in services:
            stage.act("target", service, ready=True)  # type: ignore[arg-type]
        yield

    return replace(PING, scene=scene)  # type: ignore[arg-type]


def broken(worker: Worker) -> None:
    raise LookupError("no such thing")


@pytest.mark.parametrize(
    ("exercise", "says"),
    [
        (acting(services.http({}), services.http({})), "serve at port 80: that address is in use"),
        (acting(services.dns({}), services.dns({})), "serve at port 53: that address is in use"),
        (acting(broken), "it raised LookupError: no such thing"),
        (acting(services.dhcp("10.0.0.1/24", [], interface="eth7")), "serve at port 67: no such interface"),
    ],
)
def test_services_that_cannot_start_say_why(
    exercise: Exercise, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KernelError, match=says):
        play(exercise, "alice", nothing)


def test_pages_are_bytes() -> None:
    with pytest.raises(FieldError, match="bytes"):
        services.http({"/": "text"})  # type: ignore[dict-item]


def test_an_actor_that_was_killed_is_no_fault_of_the_student_s() -> None:
    actors: list[Worker] = []

    def scene(stage: Stage) -> Iterator[None]:
        actors.append(stage.act("target", services.tcp_echo(), ready=True))
        yield

    def kill(stage: Stage) -> Outcome:
        os.kill(actors[0].pid, signal.SIGKILL)
        os.waitid(os.P_PID, actors[0].pid, os.WEXITED | os.WNOWAIT)
        return nothing(stage)

    with pytest.raises(KernelError, match="have target act: its process was killed; run it again"):
        play(replace(PING, scene=scene), "alice", kill)  # type: ignore[arg-type]
