"""The two ends of an echo, as plain blocking sockets: what every kind has, so that they can be compared.

An endpoint makes its sockets with `make`, which is `socket.socket` unless somebody wants to watch the calls or to
make them in another network namespace. It says what happened through what the calls return and raise, and prints
nothing.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType, TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self, TypeAlias

from rawkit.echo.witness import Witness
from rawkit.errors import RawkitError, TimedOut, kernel_error
from rawkit.wire import Packet

__all__ = [
    "Client",
    "Credentials",
    "Endpoint",
    "MakeSocket",
    "Received",
    "Server",
    "Service",
    "explained",
    "waiting_in",
]

MakeSocket: TypeAlias = Callable[..., socket.socket]
"""Makes a socket from what socket(2) takes, as the class `socket.socket` does."""


MOST_WAITING: Final = 1000
"""Messages that are taken in one go where nobody waits for any."""


def waiting_in(made: socket.socket) -> Iterator[None]:
    """Once for each message that can be received without waiting: within reason, since others send on."""
    poll = select.poll()
    poll.register(made, select.POLLIN)
    for _ in range(MOST_WAITING):
        if not poll.poll(0):
            return
        yield


class Credentials(NamedTuple):
    """Who is at the other end of a UNIX socket, as the kernel vouches for it (unix(7))."""

    pid: int
    uid: int
    gid: int


class Received(NamedTuple):
    """What one call received."""

    data: bytes
    """The application's bytes; empty where a stream has ended."""
    peer: Any
    """Who sent it: what `Server.send` takes to answer."""
    truncated: bool = False
    """Whether bytes of it were lost because the buffer was too small (MSG_TRUNC, recv(2))."""
    packet: Packet | None = None
    """The packet that it came in, where headers are read by hand."""
    credentials: Credentials | None = None
    """Who sent it, where the kernel says so with each message."""
    descriptors: tuple[int, ...] = ()
    """Open files that came with it (SCM_RIGHTS): a client's to close; a server's until it answers."""


_REMEDIES: Final = {
    errno.ECONNREFUSED: "nobody listens there; start a server, such as `rawkit echo serve`",
    errno.ECONNRESET: "the other end dropped the connection",
    errno.EPIPE: "the other end has closed the connection",
    errno.EADDRINUSE: "another socket has that address; choose another, or end the program that `ss -lnp` shows",
    errno.EAGAIN: "the other end's queue is full; it does not keep up",
    errno.EMFILE: "this process has as many files open as it may; raise the limit (ulimit -n)",
    errno.ENFILE: "the machine has as many files open as it may; see /proc/sys/fs/file-max",
}


@contextmanager
def explained(
    doing: str,
    seconds: float | None = None,
    *,
    capability: str = "CAP_NET_RAW",
    remedies: Mapping[int, str] = MappingProxyType({}),
) -> Iterator[None]:
    """Turn what a socket raises inside into rawkit's errors: TimedOut after so many `seconds`, or KernelError."""
    try:
        yield
    except RawkitError:  # explained already
        raise
    except OSError as error:
        if isinstance(error, TimeoutError) and error.errno is None:  # of settimeout, not the kernel's ETIMEDOUT
            raise TimedOut(doing, seconds or 0) from error
        raise kernel_error(error, doing, capability, remedies={**_REMEDIES, **remedies}) from error


class Endpoint(ABC):
    """One end. Sockets wait for `timeout` seconds at most (None: for ever); then they raise TimedOut.

    Calls raise KernelError and its subclasses for what the kernel says: nobody listens, too large, no permission.
    """

    @abstractmethod
    def send(self, data: bytes, peer: Any = None) -> int:
        """Send bytes in one call; returns how many of them were taken. A client's peer is its server."""

    @abstractmethod
    def receive(self, size: int) -> Received:
        """What one call receives into a buffer of `size` bytes. Raises TimedOut."""

    @abstractmethod
    def close(self) -> None:
        """Close its sockets. Closing twice is no error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Client(Endpoint):
    """The end that asks."""

    stray: int = 0
    """Answers that came late, or a second time, as far as the kind lets that be known."""
    doubtful: bool = False
    """Whether what `echo` yielded last may be the answer to what was sent before."""

    @abstractmethod
    def finish(self) -> None:
        """Say that nothing more will be sent (shutdown(2)); where a kind has no such thing, do nothing."""

    def who(self) -> Any:
        """Who is at the other end, as far as the kernel knows."""
        return None

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the data, and yield what comes back until all of it is: for a message, one piece.

        A kind with boundaries receives at most `size` bytes of it; one without yields pieces of at most that.
        """
        self.send(data)
        yield self.receive(size)

    def wait(self, seconds: float) -> None:
        """Let time pass between two questions, and see to what comes meanwhile, as far as the kind wants that."""
        time.sleep(seconds)


class Service(Protocol):
    """Serves any number of clients at once, in the thread that calls `run`."""

    def run(self) -> None:
        """Serve until stopped."""

    def stop(self) -> None:
        """Have `run` return soon, or at once if it is not running yet; from a signal handler or another thread."""


class Server(Endpoint):
    """The end that answers: for a stream, one client after another."""

    address: Any
    """Where it listens, with the port that the kernel chose."""

    @abstractmethod
    def accept(self) -> Any:
        """Wait for a client, and return who it is. A kind without connections returns None at once."""

    def hang_up(self) -> None:
        """Close the connection to the client; without one, do nothing."""
        return

    def has_ended(self, received: Received) -> bool:
        """After nothing was received: whether the client has no more to say, which for a stream it means."""
        return True

    def service(self, size: int, witness: Witness | None = None) -> Service | None:
        """What serves any number of clients over its sockets; None for those that have to be served in turn."""
        return None

    def echo_one(self, size: int, tell: Callable[[Received], None] = lambda _: None) -> None:
        """The classic loop: a client's bytes, back until it has no more; or one datagram. `tell` hears of each."""
        self.answer(self.accept(), size, tell)

    def answer(self, who: Any, size: int, tell: Callable[[Received], None]) -> None:
        """What follows on `accept`, which returned `who`."""
        while True:
            received = self.receive(size)
            if who is not None and not received.data and self.has_ended(received):
                self.hang_up()
                return
            tell(received)
            sent = self.send(received.data, received.peer)
            while sent < len(received.data):
                sent += self.send(received.data[sent:], received.peer)
            if who is None:
                return
