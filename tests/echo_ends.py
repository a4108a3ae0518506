"""Echo servers that run while a test talks to them: the command, or one within this process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pair import PATIENCE
from terminal import RAWKIT

from rawkit.echo import KINDS
from rawkit.echo.each import Each
from rawkit.echo.endpoint import Client, Server
from rawkit.echo.many import Many
from rawkit.echo.streams import StreamServer
from rawkit.echo.witness import Witness
from rawkit.netns import Host


class Told(NamedTuple):
    """A server command: where it listens, and its further JSON lines as they come."""

    process: subprocess.Popen[str]
    address: str
    port: int | None

    def event(self, name: str) -> dict[str, Any]:
        """The next event of that name; others before it are passed over."""
        for line in self.process.stdout or ():
            if (found := json.loads(line))["event"] == name:
                return dict(found)
        raise AssertionError(f"no event {name!r}")

    def stop(self, number: int = signal.SIGTERM) -> list[dict[str, Any]]:
        """End it with a signal, and return the events that were left."""
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0
        return [json.loads(line) for line in out.splitlines()]


@contextmanager
def serving(host: Host, *arguments: str, before: tuple[str, ...] = ()) -> Iterator[Told]:
    """`rawkit echo serve` with such arguments, listening."""
    command = [*before, RAWKIT, "echo", "serve", *arguments, "--format", "json"]
    with host.popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            first = json.loads(process.stdout.readline())
            assert first["event"] == "listening"
            yield Told(process, first["address"], first.get("port"))
        finally:
            if process.poll() is None:
                process.terminate()


def make_in(host: Host) -> Callable[..., socket.socket]:
    """Makes sockets that belong to the host."""
    return lambda *arguments: host.open(socket.socket, *arguments)


def client_of(host: Host, kind: str, address: Any, **options: Any) -> Client:
    """A client in that host."""
    return KINDS[kind].client(address, make=make_in(host), **{"timeout": PATIENCE, **options})


def server_of(host: Host, kind: str, address: Any, **options: Any) -> Server:
    """A server in that host, whose blocking calls wait for long."""
    return KINDS[kind].server(address, make=make_in(host), **{"timeout": PATIENCE, **options})


@contextmanager
def in_the_background(run: Callable[[], object]) -> Iterator[None]:
    """Something that another thread does meanwhile, and that has to end by itself."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001  # told below, in the test's thread
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


@contextmanager
def service(
    host: Host, kind: str, address: Any, size: int, witness: Witness | None = None, **options: Any
) -> Iterator[tuple[Any, Many | Each]]:
    """The server for any number of clients, in a thread; yields where it is, and what runs it."""
    with server_of(host, kind, address, **options) as server:
        running = Many(server, size, witness) if isinstance(server, StreamServer) else Each(server, size, witness)  # type: ignore[arg-type]
        with in_the_background(running.run):
            try:
                yield server.address, running
            finally:
                running.stop()


def echoed(client: Client, data: bytes, size: int = 65_536) -> bytes:
    """What comes back."""
    return b"".join(piece.data for piece in client.echo(data, size))
