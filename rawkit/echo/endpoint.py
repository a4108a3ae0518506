"""The two ends of an echo, as plain blocking sockets: what every kind has, so that they can be compared.

An endpoint makes its sockets with `make`, which is `socket.socket` unless somebody wants to watch the calls or to
make them in another network namespace. It says what happened through what the calls return and raise, and prints
nothing.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from rawkit.wire import Packet

__all__ = ["Client", "Endpoint", "MakeSocket", "Received", "Server"]

MakeSocket: TypeAlias = Callable[..., socket.socket]
"""Makes a socket from what socket(2) takes, as the class `socket.socket` does."""


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

    @abstractmethod
    def finish(self) -> None:
        """Say that nothing more will be sent (shutdown(2)); where a kind has no such thing, do nothing."""


class Server(Endpoint):
    """The end that answers: for a stream, one client after another."""

    address: Any
    """Where it listens, with the port that the kernel chose."""

    @abstractmethod
    def accept(self) -> Any:
        """Wait for a client, and return who it is. A kind without connections returns None at once."""

    def echo_one(self, size: int, tell: Callable[[Received], None] = lambda _: None) -> None:
        """The classic loop: a client's bytes, back until it has no more; or one datagram. `tell` hears of each."""
        self.accept()
        while (received := self.receive(size)).data:
            tell(received)
            self.send(received.data, received.peer)
