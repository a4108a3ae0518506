"""What tests of echo by hand need: a kernel that keeps silent, and a server that runs until it is stopped."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from echo_ends import in_the_background
from pair import PATIENCE

from rawkit.echo.handmade import HandmadeServer
from rawkit.echo.witness import Witness
from rawkit.netns import Host
from rawkit.wire import Packet


class Heard(Witness):
    """Keeps what a server tells, in its order: data, errors, and pairs of packets."""

    def __init__(self) -> None:
        self.told: queue.Queue[Any] = queue.Queue()

    def received(self, who: Any, data: bytes, truncated: bool, files: Any = ()) -> None:
        self.told.put(data)

    def unanswered(self, who: Any, error: Exception) -> None:
        self.told.put(error)

    def made(self, question: Packet, answer: Packet) -> None:
        self.told.put((question, answer))

    def next(self, kind: type | tuple[type, ...]) -> Any:
        """The next thing told of that kind; others before it are passed over."""
        while not isinstance(found := self.told.get(timeout=PATIENCE), kind):
            pass
        return found

    def data(self) -> list[bytes]:
        """All data that is left."""
        return [each for each in self.told.queue if isinstance(each, bytes)]


@contextmanager
def served(server: Any) -> Iterator[Heard]:
    """A server that runs in a thread, and what it tells."""
    assert isinstance(server, HandmadeServer)
    heard = Heard()
    running = server.service(65_536, heard)
    assert running is not None
    with server, in_the_background(running.run):
        try:
            yield heard
        finally:
            running.stop()


@contextmanager
def kernel_quiet(host: Host) -> Iterator[None]:
    """A kernel that answers no echo requests."""
    names = "ipv4/icmp_echo_ignore_all", "ipv6/icmp/echo_ignore_all"
    host.set_sysctls(dict.fromkeys(names, 1))
    yield
    host.set_sysctls(dict.fromkeys(names, 0))
