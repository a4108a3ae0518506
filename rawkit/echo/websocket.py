"""Echo over WebSocket (RFC 6455): messages, with their boundaries, over a stream that begins as HTTP.

The frames are the websockets library's (its protocol without I/O); the sockets are plain TCP ones, and every byte
crosses them here.
"""

from __future__ import annotations

import codecs
import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from rawkit.echo.witness import Witness
from rawkit.errors import KernelError, ReplyError, TimedOut

__all__ = ["MAX_SIZE", "QUIET", "Client", "Server"]

MAX_SIZE: Final = 1 << 20
"""Bytes of a message."""

HANDSHAKE: Final = 5.0
"""Seconds that a client may take to say what it wants, and to go once it has a page."""

GOODBYE: Final = 2.0
"""Seconds that a server may take to answer a close frame."""

HEAD: Final = 4096
"""Bytes to receive at once during the opening handshake."""

QUIET: Final = logging.Logger("rawkit.echo.websocket", logging.CRITICAL + 1)
"""A logger that says nothing: what happens is told by what is returned and raised."""

NORMAL: Final = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD)


class _Message(NamedTuple):
    data: bytes
    text: bool


class _Messages:
    """What goes over a connected socket in messages: the frames' protocol, and the calls of its socket."""

    def __init__(self, connection: socket.socket, protocol: Protocol, who: str, timeout: float | None) -> None:
        self.protocol = protocol
        self.request: Request | None = None
        self._socket, self._who, self._timeout = connection, who, timeout
        self._whole: deque[_Message] = deque()
        self._begun = bytearray()
        self._text = False
        self._check = codecs.getincrementaldecoder("utf-8")()

    def send(self, data: bytes, text: bool) -> None:
        """Send a message as one frame."""
        if self.protocol.state is not OPEN:
            raise self._broken()
        if text:
            self.protocol.send_text(data)
        else:
            self.protocol.send_binary(data)
        self.flush()

    def receive(self, size: int) -> _Message | None:
        """The next message, received by as many calls of at most `size` bytes as it takes; None at the end."""
        while not self._whole:
            if self.protocol.parser_exc is not None:
                raise self._broken()
            if (close := self.protocol.close_rcvd) is not None:
                if close.code not in NORMAL:
                    raise self._broken()
                return None
            self.read(size)
        return self._whole.popleft()

    def read(self, size: int) -> None:
        """Receive once, and answer what asks for that: pings, close frames, mistakes."""
        with explained(f"receive from {self._who}", self._timeout):
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
        self.flush()

    def flush(self) -> None:
        """Send what the protocol has to say."""
        for data in self.protocol.data_to_send():
            with explained(f"send to {self._who}", self._timeout):
                if data:
                    self._socket.sendall(data)
                else:
                    self._socket.shutdown(socket.SHUT_WR)

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
        return ReplyError(self._who, "connection", "an open one", f"closed with {str(close)!r}")


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
    ) -> None:
        super().__init__(address, make=make, timeout=timeout)
        self._text = text
        host = address[0].partition("%")[0]
        uri = parse_uri(f"ws://{show((host, address[1]))}{path}")
        protocol = ClientProtocol(uri, max_size=max_size, logger=QUIET)
        self._server = self.who()
        self._messages = _Messages(self.socket, protocol, show(self._server), timeout)
        try:
            self._shake_hands(protocol)
        except BaseException:
            self.socket.close()
            raise

    def send(self, data: bytes, peer: Any = None) -> int:
        self._messages.send(data, self._text)
        return len(data)

    def receive(self, size: int) -> Received:
        message = self._messages.receive(size)
        return Received(b"" if message is None else message.data, None)

    def echo(self, data: bytes, size: int) -> Iterator[Received]:
        """Send the data as one message, and yield the one that comes back."""
        self.send(data)
        yield self.receive(size)

    def finish(self) -> None:
        """Send a close frame (RFC 6455, section 5.5.1). Messages that are on their way still arrive."""
        if self._messages.protocol.state is OPEN:
            self._messages.protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._messages.flush()

    def close(self) -> None:
        """Say goodbye, and let the server close the connection first (RFC 6455, section 7.1.1)."""
        if self.socket.fileno() < 0:
            return
        deadline = time.monotonic() + GOODBYE
        with suppress(KernelError, TimedOut):
            self.finish()
            while self._messages.protocol.state is State.CLOSING and (left := deadline - time.monotonic()) > 0:
                self.socket.settimeout(left)
                self._messages.read(HEAD)
        self.socket.close()

    def _shake_hands(self, protocol: ClientProtocol) -> None:
        """The opening handshake (RFC 6455, section 4.1)."""
        protocol.send_request(protocol.connect())
        self._messages.flush()
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            self._messages.read(HEAD)
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
    ) -> None:
        super().__init__(address, make=make, timeout=timeout)
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
        self._talking().send(data, self._text)
        return len(data)

    def receive(self, size: int) -> Received:
        message = self._talking().receive(size)
        if message is None:
            return Received(b"", None)
        self._text = message.text
        return Received(message.data, None)

    def service(self, size: int, witness: Witness | None = None) -> Service | None:
        from rawkit.echo.messages import Messages  # which is built on what stands here

        return Messages(self, size, witness)

    def answer(self, who: Any, size: int, tell: Callable[[Received], None]) -> None:
        """Echo until the client closes. A message may be empty, so that is no end here."""
        while (message := self._talking().receive(size)) is not None:
            tell(Received(message.data, None))
            self._talking().send(message.data, message.text)

    def _shake_hands(self, connection: socket.socket, who: Any) -> bool:
        """The opening handshake (RFC 6455, section 4.2), or a page; whether messages follow."""
        protocol = ServerProtocol(max_size=self.max_size, logger=QUIET)
        connection.settimeout(HANDSHAKE)
        self._messages = messages = _Messages(connection, protocol, show(who), self.timeout)
        while messages.request is None and protocol.handshake_exc is None:
            messages.read(HEAD)
        if messages.request is not None:
            protocol.send_response(plain_answer(messages.request) or protocol.accept(messages.request))
            messages.flush()
        while protocol.state is State.CONNECTING:  # refused, or served: closed once the client has read it
            messages.read(HEAD)
        connection.settimeout(self.timeout)
        return protocol.state is OPEN

    def _talking(self) -> _Messages:
        assert self._messages is not None, "accept() first"
        return self._messages
