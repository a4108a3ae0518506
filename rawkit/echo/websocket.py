"""Echo over WebSocket (RFC 6455): messages, with their boundaries, over a stream that begins as HTTP.

The frames are the websockets library's (its protocol without I/O); the sockets are plain TCP ones, and every byte
crosses them here.
"""

from __future__ import annotations

import codecs
import errno
import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, Protocol, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from rawkit.echo import tcp
from rawkit.echo.addresses import show
from rawkit.echo.endpoint import MakeSocket, Received, Service, explained
from rawkit.echo.page import plain_answer
from rawkit.echo.streams import end_stream
from rawkit.echo.witness import Witness
from rawkit.errors import FieldError, KernelError, RefusedError, ReplyError, TimedOut

__all__ = ["MAX_SIZE", "QUIET", "Client", "Server"]

MAX_SIZE: Final = 1 << 20
"""Bytes of a message."""

HANDSHAKE: Final = 5.0
"""Seconds that a client may take to say what it wants and, where that is a page, to get it and go."""

GOODBYE: Final = 2.0
"""Seconds that a server may take to answer a close frame."""

HEAD: Final = 4096
"""Bytes to receive at once during the opening handshake."""

QUIET: Final = logging.Logger("rawkit.echo.websocket", logging.CRITICAL + 1)
"""A logger that says nothing: what happens is told by what is returned and raised."""

DROPPED: Final = (errno.EPIPE, errno.ECONNRESET)
"""What a send says once the other end has closed the connection."""

REMEDIES: Final[Mapping[int, str]] = {
    CloseCode.MESSAGE_TOO_BIG: "send less, or have it take more (`rawkit echo serve websocket --max-size`)"
}

NORMAL: Final = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD)


class Patience:
    """How long one call may take, whatever comes meanwhile: so many seconds from now on; None is for ever."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    @contextmanager
    def waiting(self, doing: str, connection: socket.socket) -> Iterator[None]:
        """Give a call of this socket what is left of the time. Raises TimedOut, KernelError."""
        left = None if self._deadline is None else self._deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimedOut(doing, self._seconds or 0)
        connection.settimeout(left)
        with explained(doing, self._seconds):
            yield


class _Message(NamedTuple):
    data: bytes
    text: bool


class _Messages:
    """What goes over a connected socket in messages: the frames' protocol, and the calls of its socket."""

    def __init__(self, connection: socket.socket, protocol: Protocol, who: str) -> None:
        self.protocol = protocol
        self.request: Request | None = None
        self._socket, self._who = connection, who
        self._whole: deque[_Message] = deque()
        self._begun = bytearray()
        self._text = False
        self._check = codecs.getincrementaldecoder("utf-8")()

    def send(self, data: bytes, text: bool, patience: Patience) -> None:
        """Send a message as one frame."""
        if self.protocol.state is not OPEN:
            raise self._broken()
        if text:
            self.protocol.send_text(data)
        else:
            self.protocol.send_binary(data)
        try:
            self.flush(patience)
        except KernelError as error:
            if error.errno in DROPPED and self._said_goodbye(patience):
                raise self._broken() from error
            raise

    def receive(self, size: int, patience: Patience) -> _Message | None:
        """The next message, received by as many calls of at most `size` bytes as it takes; None at the end."""
        while not self._whole:
            if self.protocol.parser_exc is not None:
                raise self._broken()
            if (close := self.protocol.close_rcvd) is not None:
                if close.code not in NORMAL:
                    raise self._broken()
                return None
            self.read(size, patience)
        return self._whole.popleft()

    def read(self, size: int, patience: Patience) -> None:
        """Receive once, and answer what asks for that: pings, close frames, mistakes."""
        with patience.waiting(f"receive from {self._who}", self._socket):
            data = self._socket.recv(size)
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.request = event
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._add(event)
        self.flush(patience)

    def flush(self, patience: Patience) -> None:
        """Send what the protocol has to say."""
        for data in self.protocol.data_to_send():
            with patience.waiting(f"send to {self._who}", self._socket):
                if data:
                    self._socket.sendall(data)
                else:
                    end_stream(self._socket)

    def _said_goodbye(self, patience: Patience) -> bool:
        """Whether the other end, which takes nothing more, has sent a close frame before: that says why."""
        with suppress(KernelError, TimedOut):
            while self.protocol.close_rcvd is None and self.protocol.parser_exc is None:
                self.read(HEAD, patience)
        return self.protocol.close_rcvd is not None

    def _add(self, frame: Frame) -> None:
        """Add a fragment to the message that it belongs to (RFC 6455, section 5.4)."""
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        self._begun += frame.data
        if self._text:
            try:
                self._check.decode(bytes(frame.data), frame.fin)  # section 8.1: text is UTF-8
            except UnicodeDecodeError as error:
                self._fail(error)
                return
        if frame.fin:
            self._whole.append(_Message(bytes(self._begun), self._text))
            self._begun.clear()

    def _fail(self, error: UnicodeDecodeError) -> None:
        if self.protocol.state is OPEN:
            self.protocol.fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
        self.protocol.parser_exc = error

    def _broken(self) -> ReplyError:
        """Why the connection is of no more use."""
        error, close = self.protocol.parser_exc, self.protocol.close_rcvd
        if isinstance(error, EOFError):
            return ReplyError(self._who, "connection", "a close frame", "the end without one (code 1006)")
        if error is not None:
            return ReplyError(self._who, "frame", "what RFC 6455 allows", str(error))
        if close is None:
            return ReplyError(self._who, "connection", "an open one", "a closed one")
        return RefusedError(self._who, f"closed with {str(close)!r}", REMEDIES.get(close.code, ""))


class Client(tcp.Client):
    """Connected to a WebSocket server at (host, port). Messages are `text` or else binary.

    Raises FieldError, KernelError, TimedOut, and ReplyError for what is no WebSocket. What is received is whole
    messages, of at most `max_size` bytes, whatever the buffer's size: that is for the calls beneath.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        text: bool = False,
        path: str = "/",
        max_size: int = MAX_SIZE,
        ip_version: int | None = None,
    ) -> None:
        super().__init__(address, make=make, timeout=timeout, ip_version=ip_version)
        self._text = text
        host = address[0].partition("%")[0]
        uri = parse_uri(f"ws://{show((host, address[1]))}{path}")
        protocol = ClientProtocol(uri, max_size=max_size, logger=QUIET)
        self._server = self.who()
        self._messages = _Messages(self.socket, protocol, show(self._server))
        try:
            self._shake_hands(protocol)
        except BaseException:
            self.socket.close()
            raise

    def send(self, data: bytes, peer: Any = None) -> int:
        if self._text:
            try:
                data.decode()
            except UnicodeDecodeError as error:
                expected = f"UTF-8 (RFC 6455, section 8.1; {error.reason} at {error.start}); send others as bytes"
                raise FieldError("WebSocket", "text", data, expected) from error
        self._messages.send(data, self._text, Patience(self.timeout))
        return len(data)

    def receive(self, size: int) -> Received:
        message = self._messages.receive(size, Patience(self.timeout))
        return Received(b"" if message is None else message.data, None)

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the data as one message, and yield the one that comes back."""
        self.send(data)
        yield self.receive(size)

    def wait(self, seconds: float) -> None:
        """Answer pings meanwhile: servers hang up on who is silent. A close frame is left for the next call."""
        deadline = time.monotonic() + seconds
        while self._messages.protocol.state is OPEN and (left := deadline - time.monotonic()) > 0:
            with suppress(TimedOut):
                self._messages.read(HEAD, Patience(left))
        super().wait(max(deadline - time.monotonic(), 0))

    def finish(self) -> None:
        """Send a close frame (RFC 6455, section 5.5.1). Messages that are on their way still arrive."""
        self._say_goodbye(Patience(self.timeout))

    def close(self) -> None:
        """Say goodbye, and let the server close the connection first (RFC 6455, section 7.1.1)."""
        if self.socket.fileno() < 0:
            return
        patience = Patience(GOODBYE)
        with suppress(KernelError, TimedOut):
            self._say_goodbye(patience)
            while self._messages.protocol.state is State.CLOSING:
                self._messages.read(HEAD, patience)
        self.socket.close()

    def _say_goodbye(self, patience: Patience) -> None:
        if self._messages.protocol.state is OPEN:
            self._messages.protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._messages.flush(patience)

    def _shake_hands(self, protocol: ClientProtocol) -> None:
        """The opening handshake (RFC 6455, section 4.1)."""
        patience = Patience(self.timeout)
        protocol.send_request(protocol.connect())
        self._messages.flush(patience)
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            self._messages.read(HEAD, patience)
        if (error := protocol.handshake_exc) is not None:
            found = f"{error}: {error.__cause__}" if error.__cause__ is not None else str(error)
            raise ReplyError(show(self._server), "handshake", "101 Switching Protocols", repr(found))


class Server(tcp.Server):
    """Listening at (host, port) as `rawkit.echo.tcp.Server` does; a browser that asks for a page gets it.

    Messages go back as what they came: text or binary. They may have `max_size` bytes.
    """

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 5005),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        max_size: int = MAX_SIZE,
        ip_version: int | None = None,
    ) -> None:
        super().__init__(address, make=make, timeout=timeout, ip_version=ip_version)
        self.max_size = max_size
        self._messages: _Messages | None = None
        self._text = False

    def accept(self) -> Any:
        """Wait for a client that opens a WebSocket, and return who it is; others get their answer meanwhile."""
        while True:
            who = super().accept()
            with suppress(KernelError, TimedOut):  # gone, or without a word: the next one, please
                if self._shake_hands(self._connected(), who):
                    return who

    def send(self, data: bytes, peer: Any = None) -> int:
        self._talking().send(data, self._text, Patience(self.timeout))
        return len(data)

    def receive(self, size: int) -> Received:
        message = self._talking().receive(size, Patience(self.timeout))
        if message is None:
            return Received(b"", None)
        self._text = message.text
        return Received(message.data, None)

    def service(self, size: int, witness: Witness | None = None) -> Service | None:
        from rawkit.echo.messages import Messages  # which is built on what stands here

        return Messages(self, size, witness)

    def answer(self, who: Any, size: int, tell: Callable[[Received], None]) -> None:
        """Echo until the client closes. A message may be empty, so that is no end here."""
        while (message := self._talking().receive(size, Patience(self.timeout))) is not None:
            tell(Received(message.data, None))
            self._talking().send(message.data, message.text, Patience(self.timeout))

    def _shake_hands(self, connection: socket.socket, who: Any) -> bool:
        """The opening handshake (RFC 6455, section 4.2), or a page; whether messages follow."""
        protocol, patience = ServerProtocol(max_size=self.max_size, logger=QUIET), Patience(HANDSHAKE)
        self._messages = messages = _Messages(connection, protocol, show(who))
        while messages.request is None and protocol.handshake_exc is None:
            messages.read(HEAD, patience)
        if messages.request is not None:
            protocol.send_response(plain_answer(messages.request) or protocol.accept(messages.request))
            messages.flush(patience)
        while protocol.state is State.CONNECTING:  # refused, or served: closed once the client has read it
            messages.read(HEAD, patience)
        return protocol.state is OPEN

    def _talking(self) -> _Messages:
        assert self._messages is not None, "accept() first"
        return self._messages
