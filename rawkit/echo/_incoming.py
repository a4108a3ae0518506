"""What a server sends on a stream, read in lines and lengths: until a deadline, and up to a size."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from typing import Final

from rawkit.echo.endpoint import explained
from rawkit.errors import ReplyError, TimedOut

__all__ = ["Incoming"]

BUFFER: Final = 64 << 10

RESET: Final = {errno.ECONNRESET: "the server ended the connection with a reset, before the reply was whole"}


class Incoming:
    """The bytes of a reply in their order. Whoever drips or never ends meets the deadline or the size."""

    def __init__(
        self,
        connection: socket.socket,
        server: str,
        deadline: float,
        timeout: float,
        max_size: int,
        tell: Callable[[str, bytes], None],
    ) -> None:
        self.server, self.timeout = server, timeout
        self._connection, self._deadline, self._max_size, self._tell = connection, deadline, max_size, tell
        self._waiting = bytearray()
        self._received = 0

    def line(self, part: str, most: int) -> str:
        """A line of at most `most` bytes without its end, which is CR LF, or LF alone (RFC 9112, section 2.2)."""
        searched = 0
        while (end := self._waiting.find(b"\n", searched)) < 0 and len(self._waiting) <= most:
            searched = len(self._waiting)
            if not self._more(part):
                raise self.refused(part, "a whole line", f"the end of the connection after {self._came()}")
        if end < 0 or end > most:
            raise self.refused(part, f"a line of at most {most} bytes", "a longer one")
        line = self._take(end + 1)[:-1]
        return line.removesuffix(b"\r").decode("latin-1")

    def exactly(self, count: int, part: str) -> bytes:
        """That many bytes."""
        if count > self._max_size:
            raise self._too_much(part, f"{count} announced")
        while len(self._waiting) < count:
            if not self._more(part):
                raise self.refused(part, f"{count} bytes", f"the end of the connection after {len(self._waiting)}")
        return self._take(count)

    def rest(self, part: str) -> bytes:
        """Whatever comes before the server closes the connection."""
        while self._more(part):
            pass
        return self._take(len(self._waiting))

    def refused(self, part: str, expected: str, found: str) -> ReplyError:
        """The error for a part of the reply that is not as it should be."""
        return ReplyError(self.server, part, expected, found)

    def seconds_left(self, doing: str) -> float:
        """How long it may take from here. Raises TimedOut."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(doing, self.timeout)
        return left

    def _more(self, part: str) -> bool:
        """Receive something; False where the server has closed the connection."""
        waiting_for = f"wait for the whole {part} from {self.server} ({self._came()} came so far)"
        self._connection.settimeout(self.seconds_left(waiting_for))
        with explained(waiting_for, self.timeout, remedies=RESET):
            data = self._connection.recv(BUFFER)
        self._tell("<", data)
        self._waiting += data
        self._received += len(data)
        if self._received > self._max_size:
            raise self._too_much(part, "more")
        return bool(data)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        return taken

    def _came(self) -> str:
        return f"{self._received} byte" if self._received == 1 else f"{self._received} bytes"

    def _too_much(self, part: str, found: str) -> ReplyError:
        return self.refused(part, f"at most {self._max_size} bytes in all (max_size, --max-size)", found)
