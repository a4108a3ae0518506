"""How long an echo takes: on a socket that is new, and on one that has been talking for a while."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from rawkit.echo.contrast.play import SIZE, client_address, server_address
from rawkit.echo.contrast.stage import PATIENCE, Stage
from rawkit.echo.kinds import Kind
from rawkit.netns import Worker

__all__ = ["RoundTrips", "measure"]


class RoundTrips(NamedTuple):
    """Medians, in nanoseconds, as the client's program sees them. Nothing is recorded meanwhile."""

    cold_ns: int
    """From socket(2) to the last byte back; connecting is part of it."""
    warm_ns: int
    """From send(2) to the last byte back, on the same socket as the others."""
    openings: int
    """How many cold ones were measured."""
    echoes: int
    """How many warm ones."""


def measure(kind: Kind, data: bytes, count: int, on_echo: Callable[[int], object]) -> RoundTrips:
    """Echo so many times on one socket, and a tenth as often on new ones.

    `on_echo` is called with the number of echoes so far after each, and is not measured.
    """
    with Stage(one_host=kind.within_machine) as stage:
        if kind.kernel_answers:
            return _measured(kind, stage, data, count, on_echo)
        with stage.server.spawn(partial(_serve, kind, server_address(kind, stage))) as worker:
            worker.cues.take(PATIENCE)
            return _measured(kind, stage, data, count, on_echo)


def _measured(kind: Kind, stage: Stage, data: bytes, count: int, on_echo: Callable[[int], object]) -> RoundTrips:
    module, address = kind.load(), client_address(kind, stage)
    cold: list[int] = []
    warm: list[int] = []
    with stage.client:
        for _ in range(max(count // 10, 3)):
            start = time.perf_counter_ns()
            with module.Client(address, timeout=PATIENCE) as client:
                _echo(client, data)
                cold.append(time.perf_counter_ns() - start)
            on_echo(len(cold))
        with module.Client(address, timeout=PATIENCE) as client:
            for _ in range(count):
                start = time.perf_counter_ns()
                _echo(client, data)
                warm.append(time.perf_counter_ns() - start)
                on_echo(len(cold) + len(warm))
    return RoundTrips(int(statistics.median(cold)), int(statistics.median(warm)), len(cold), len(warm))


def _echo(client: Any, data: bytes) -> None:
    for _ in client.echo(data, SIZE):
        pass


def _serve(kind: Kind, address: Any, worker: Worker) -> None:
    with kind.load().Server(address) as server:
        worker.cues.give("ready")
        while True:
            server.echo_one(SIZE)
