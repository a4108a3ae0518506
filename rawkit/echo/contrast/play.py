"""One scene played by one kind of socket, and all that was seen of it."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import termios
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, Final, NamedTuple

from rawkit.echo.contrast.recorded import Call, Recorder, completed, ended
from rawkit.echo.contrast.relay import Act
from rawkit.echo.contrast.stage import PATIENCE, Crossed, Stage
from rawkit.echo.endpoint import Client, MakeSocket, Received, Server
from rawkit.echo.handmade import RawSocket
from rawkit.echo.kinds import Kind
from rawkit.errors import FieldError, KernelError, RawkitError, ReplyError, TimedOut
from rawkit.netns import Worker
from rawkit.wire import Packet

__all__ = [
    "PORT",
    "SHORT",
    "SIZE",
    "Asking",
    "Heard",
    "Run",
    "Scene",
    "Serving",
    "client_address",
    "parts",
    "play",
    "server_address",
]

PORT: Final = 5005
"""The port, or the identifier, of the conversation."""

SHORT: Final = 0.3
"""Seconds to wait for what may never come: more than TCP takes to send again (RFC 6298 as Linux has it: 0.2 s)."""

SIZE: Final = 1 << 17
"""Bytes of the buffers, where a scene does not ask for others."""


class Heard(NamedTuple):
    """What an end's program got at once, or was told instead."""

    end: str
    data: bytes
    truncated: bool = False
    error: str = ""
    errno: int = 0
    by_library: bool = False
    """Whether it was a library above the socket that said so, not the kernel."""


class Run(NamedTuple):
    """What was seen of a scene."""

    kind: Kind
    scene: str
    data: bytes
    """What the client wanted to have echoed."""
    calls: tuple[Call, ...]
    """Those of both ends, and the violent end of a process, in order; then those that did not return."""
    frames: tuple[Crossed, ...]
    """Those between the ends, in the order in which they crossed the link, or were dropped."""
    heard: tuple[Heard, ...]
    """What each end's program got, in its order: first the client's."""
    packets: tuple[Packet, ...]
    """What the client made by hand."""
    answers: tuple[Packet, ...]
    """What the server made by hand last, if anything."""
    asked: int
    """Bytes of data that the client's kernel took: those that the program sent again, once."""
    began_ns: int
    """When the client's script had its first message sent, by the clock of frames; 0 if it never came to that."""
    killed: bool
    """Whether the server's process was killed in the scene, which is among the calls, too."""

    @property
    def wire_bytes(self) -> int:
        """Bytes of all frames, with their Ethernet headers."""
        return sum(each.frame.wire_length for each in self.frames)

    @property
    def application_bytes(self) -> int:
        """Bytes of data, there and back."""
        return self.asked + sum(len(each.data) for each in self.of("client"))

    def of(self, end: str) -> list[Heard]:
        """What one end's program got, errors left out."""
        return [each for each in self.heard if each.end == end and not each.error]

    def errors(self, end: str) -> list[Heard]:
        """What one end's program was told instead."""
        return [each for each in self.heard if each.end == end and each.error]

    def calls_of(self, end: str) -> list[Call]:
        """The calls of one end."""
        return [call for call in self.calls if call.end == end]

    @property
    def sends(self) -> list[Call]:
        """The client's calls that sent something, from its first message on: no handshake of a library's."""
        sent = [call for call in self.calls_of("client") if call.sends and not call.failed]
        return [call for call in sent if 0 < self.began_ns <= call.start_ns]


class _Side:
    """One end of a scene: what its script works with."""

    end: str

    def __init__(self, kind: Kind, data: bytes, note: Callable[[Heard], object]) -> None:
        self.kind, self.data, self._note = kind, data, note

    def note(self, received: Received) -> None:
        """Note what was received."""
        self._note(Heard(self.end, received.data, received.truncated))

    def heard(self, received: Received) -> Received:
        """Note what was received, and return it."""
        self.note(received)
        return received

    def failed(self, error: RawkitError) -> None:
        """Note what was told instead."""
        number = getattr(error, "errno", None) or 0
        self._note(Heard(self.end, b"", False, str(error), number, isinstance(error, ReplyError)))


class Serving(_Side):
    """The server's side; `server` is listening."""

    end = "server"

    def __init__(self, kind: Kind, data: bytes, server: Server, worker: Worker) -> None:
        super().__init__(kind, data, worker.tell)
        self.server, self.worker = server, worker

    def wait_at_most(self, seconds: float) -> None:
        """From now on, for each call of the socket that talks to the client."""
        self.server.timeout = seconds  # type: ignore[attr-defined]
        self.socket.settimeout(seconds)

    def die(self) -> None:
        """End this process without a word."""
        self.worker.tell(ended(self.end, "killed by SIGKILL"))
        os.kill(os.getpid(), signal.SIGKILL)

    def wait_for_the_client(self) -> None:
        """Wait until the client says that it has sent everything."""
        self.worker.cues.take(PATIENCE)

    @property
    def socket(self) -> socket.socket:
        """The socket that talks to the client."""
        made: socket.socket = getattr(self.server, "connection", None) or self.server.socket  # type: ignore[attr-defined]
        return made


class Asking(_Side):
    """The client's side."""

    end = "client"

    def __init__(
        self, kind: Kind, data: bytes, stage: Stage, worker: Worker | None, note: Callable[[Heard], object]
    ) -> None:
        super().__init__(kind, data, note)
        self.stage, self.worker = stage, worker
        self.calls: list[Call] = []
        self.packets: list[Packet] = []
        self.asked = self.began_ns = 0
        self._make = Recorder(self.end, self.calls.append).maker(stage.client.open)
        self._stack = ExitStack()

    def client(self, timeout: float = PATIENCE) -> Client:
        """A client, which is closed when the scene is over."""
        module, address = self.kind.load(), client_address(self.kind, self.stage)
        made: Client = module.Client(address, make=self._make, timeout=timeout)
        return self._stack.enter_context(made)

    def send(self, client: Client, data: bytes) -> None:
        """Send data by one call, and keep the packet that was made by hand for it."""
        self._begin()
        client.send(data)
        self.asked += len(data)
        self.keep(client)

    def _begin(self) -> None:
        self.began_ns = self.began_ns or time.time_ns()

    def keep(self, client: Client) -> None:
        """Keep the packet that was made by hand last."""
        made = client.sent if isinstance(client, RawSocket) else None
        if made is not None and made not in self.packets[-1:]:
            self.packets.append(made)

    def echo(self, client: Client, data: bytes, *, again: bool = False) -> bool:
        """Have the data echoed, `again` what was sent before and lost; whether all of it came back."""
        self._begin()
        back = b""
        before = len(self.calls)
        try:
            for received in client.echo(data, SIZE):
                back += self.heard(received).data
        except (KernelError, FieldError):
            if self.kind.connected or not any(call.sends and not call.failed for call in self.calls[before:]):
                data = back  # of the rest, nobody knows
            raise
        finally:
            self.asked += 0 if again else len(data)
            self.keep(client)
        return back == data

    def settle(self, client: Client) -> None:
        """Wait until what was sent over TCP is acknowledged, and tell the server that this is all."""
        assert self.worker is not None
        deadline = time.monotonic() + PATIENCE
        while self.kind.connected and not self.kind.within_machine and time.monotonic() < deadline:
            waiting = fcntl.ioctl(client.socket.fileno(), termios.TIOCOUTQ, bytes(4))  # type: ignore[attr-defined]
            if not any(waiting):
                break
            time.sleep(0.001)
        self.worker.cues.give("all is sent")
        self.wait_for_the_server()

    def wait_for_the_server(self) -> None:
        """Wait until its process has ended."""
        assert self.worker is not None
        self.worker.join(PATIENCE)

    def close(self) -> None:
        """Close what was opened."""
        with suppress(RawkitError):  # of an end that says goodbye to one which has crashed
            self._stack.close()


class Scene(NamedTuple):
    """Something that happens to an echo."""

    name: str
    title: str
    """What is done, in words."""
    applies: Callable[[Kind], bool]
    """Which kinds it has a meaning for."""
    ask: Callable[[Asking], object]
    """What the client does."""
    serve: Callable[[Serving], object] | None
    """What the server does; None where there is no server."""
    explain: Callable[[Run], str]
    """What was seen, in words."""
    act: Act | None = None
    """What the wire does."""
    offload: bool = True
    """Whether checksums and segments are left to the (virtual) hardware."""
    needs_program: bool = False
    """Whether there has to be a program at the server's end, also where the kernel would answer."""
    arms_itself: bool = False
    """Whether the client's script says when the wire begins to act, which it else does at once."""
    instead: bytes = b""
    """What is echoed instead of what all other scenes have."""


def play(kind: Kind, scene: Scene, data: bytes) -> Run:
    """Play a scene. Raises NotPermittedError, KernelError where there can be no lab."""
    heard: list[Heard] = []
    data = scene.instead or data
    with Stage(one_host=kind.within_machine, act=scene.act, offload=scene.offload) as stage, ExitStack() as stack:
        worker = None
        if scene.serve is not None and (scene.needs_program or not kind.kernel_answers):
            work = partial(_serve, kind, scene.serve, server_address(kind, stage), data)
            worker = stack.enter_context(stage.server.spawn(work))
            worker.cues.take(PATIENCE)
        asking = Asking(kind, data, stage, worker, heard.append)
        stage.listen()
        if not scene.arms_itself:
            stage.arm()
        try:
            scene.ask(asking)
        except RawkitError as error:
            asking.failed(error)
        finally:
            asking.close()
        told, killed = _end(worker)
        frames = stage.frames()
    calls = [*asking.calls, *(fact for fact in told if isinstance(fact, Call))]
    heard += [fact for fact in told if isinstance(fact, Heard)]
    answers = [fact for fact in told if isinstance(fact, Packet)]
    seen = (tuple(completed(calls)), tuple(frames), tuple(heard), tuple(asking.packets), tuple(answers))
    return Run(kind, scene.name, data, *seen, asking.asked, asking.began_ns, killed)


def parts(data: bytes) -> tuple[bytes, bytes]:
    """What is sent in two calls, where a scene wants that."""
    return data[:2], data[2:]


def _serve(kind: Kind, script: Callable[[Serving], object], address: Any, data: bytes, worker: Worker) -> None:
    """The server's process."""

    def open_(opener: Callable[..., Any], *arguments: Any) -> Any:
        return opener(*arguments)

    make: MakeSocket = Recorder("server", worker.tell).maker(open_)
    with kind.load().Server(address, make=make) as server:
        worker.cues.give("ready")
        serving = Serving(kind, data, server, worker)
        try:
            script(serving)
        except RawkitError as error:
            serving.failed(error)
        if isinstance(server, RawSocket) and server.sent is not None:
            worker.tell(server.sent)


def _end(worker: Worker | None) -> tuple[list[Any], bool]:
    """What the server's process told, once it has ended, and whether it was killed in the scene.

    One that does not end by itself is ended, which then is among what it told.
    """
    if worker is None:
        return [], False
    try:
        worker.join(PATIENCE)
    except TimedOut:  # still waiting: for what never came
        by_force = [ended("server", "ended by rawkit")]
        worker.kill()
        return [*worker.told, *by_force], False
    return worker.told, worker.status == -signal.SIGKILL


def server_address(kind: Kind, stage: Stage) -> Any:
    """Where the server of this kind listens on the stage."""
    if kind.within_machine:
        return "@rawkit-contrast"
    if kind.addressed_by == "station":
        return "", "eth0"
    return str(stage.server.address()), PORT


def client_address(kind: Kind, stage: Stage) -> Any:
    """What its client asks."""
    if kind.addressed_by == "station":
        return str(stage.server.mac()), "eth0"
    return server_address(kind, stage)
