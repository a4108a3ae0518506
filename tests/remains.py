"""What processes leave behind: those that they started, and the namespaces that are still held."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

MARK = "RAWKIT_TEST_MARK"
"""A variable of the environment, which children inherit."""


def marked(mark: str) -> list[int]:
    """The processes that inherited the mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def held_namespaces(processes: Iterable[int] | None = None) -> set[int]:
    """Numbers of the network and user namespaces that these processes, by default all, are in or have open."""
    found = set()
    numbers = (
        [*Path("/proc").glob("[0-9]*")] if processes is None else [Path("/proc", str(pid)) for pid in processes]
    )
    for process in numbers:
        try:
            links = [process / "ns/net", process / "ns/user", *(process / "fd").iterdir()]
        except OSError:
            continue
        for link in links:
            try:
                kind, _, number = link.readlink().name.partition(":")
            except OSError:
                continue
            if kind in ("net", "user"):
                found.add(int(number.strip("[]")))
    return found
