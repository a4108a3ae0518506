"""What processes leave behind: those that they started, and the namespaces that are still held."""

from __future__ import annotations

import os
import re
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


class Namespaces:
    """Namespaces that others hold, and this process too: so their numbers can become no others' meanwhile."""

    def __init__(self, process: int, descriptors: Iterable[int]) -> None:
        """Those behind a process's descriptors."""
        self._held = [os.open(f"/proc/{process}/fd/{number}", os.O_RDONLY) for number in descriptors]
        self.numbers = {os.fstat(descriptor).st_ino for descriptor in self._held}

    def held(self) -> set[int]:
        """Numbers of those that another process is in or has open, or that have a name in the file system."""
        others = [
            int(process.name) for process in Path("/proc").glob("[0-9]*") if process.name != str(os.getpid())
        ]
        named = re.findall(r" (?:net|user):\[(\d+)\] ", Path("/proc/self/mountinfo").read_text())
        return self.numbers & (held_namespaces(others) | set(map(int, named)))

    def close(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)


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
