"""Sockets that keep a record of every call: what was asked of the kernel, what it answered, and when."""

from __future__ import annotations

import errno
import math
import socket
import struct
import textwrap
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar

from rawkit.echo.addresses import show
from rawkit.echo.endpoint import MakeSocket

__all__ = ["Call", "RecordedSocket", "Recorder", "completed", "ended", "shortened"]

T = TypeVar("T")

SHOWN: Final = 18
"""Characters of a piece of data that are shown."""

FEWEST: Final = 8
"""Characters of it that are shown where there is little room."""

NO_BREAK: Final = "\N{NO-BREAK SPACE}"
"""Stands for a space at which no line may end."""

OPTIONS: Final = {
    socket.SOL_SOCKET: ("SOL_SOCKET", "SO_"),
    socket.IPPROTO_IP: ("IPPROTO_IP", "IP_"),
    socket.IPPROTO_IPV6: ("IPPROTO_IPV6", "IPV6_"),
    socket.IPPROTO_TCP: ("IPPROTO_TCP", "TCP_"),
}
"""The levels of setsockopt(2), and how the names of their options begin."""


TIMEVAL: Final = struct.Struct("@ll")
"""struct timeval (<sys/time.h>): seconds and microseconds."""

MICROSECONDS: Final = 1_000_000


class Call(NamedTuple):
    """One socket call, or the end of the process that made them."""

    end: str
    """`client` or `server`."""
    socket: int
    """Which of its sockets, counted from 1; 0 for a process that ends."""
    descriptor: int
    """What its process knows the socket by; -1 for a call that makes one."""
    name: str
    """Empty for a process that ends."""
    arguments: str
    result: str
    """What it returned, or the name of its error; nothing while it has not returned. How a process ended."""
    failed: bool
    start_ns: int
    """By the clock of frames: nanoseconds since 1970."""
    stop_ns: int
    begins_with: str
    """The header that data of this socket begins with: `Ethernet`, `IPv4`, or `payload` for none."""
    data: bytes = b""
    """The bytes that were handed over, or received."""
    address: Any = None
    """The address that was handed over."""

    @property
    def sends(self) -> bool:
        """Whether it hands data to the kernel."""
        return self.name.startswith("send")

    @property
    def receives(self) -> bool:
        """Whether it asks the kernel for data."""
        return self.name.startswith("recv")

    def lines(self, width: int) -> list[str]:
        """The call as strace(1) writes it, in lines of at most `width` characters.

        Where it is too long, less of its data is shown; if that does not help, it goes on in further lines.
        """
        shown = shortened(self.data)
        for room in range(SHOWN, FEWEST - 1, -1):
            text = str(self).replace(shown, shortened(self.data, room), 1)
            if len(text) <= width:
                return [text]
        kept = str(self).replace(shown, shown.replace(" ", NO_BREAK), 1).replace(" = ", f" ={NO_BREAK}", 1)
        lines = textwrap.wrap(kept, width, subsequent_indent="    ", break_on_hyphens=False)
        return [line.replace(NO_BREAK, " ") for line in lines]

    def __str__(self) -> str:
        if not self.name:
            return self.result
        given = [str(self.descriptor)] if self.descriptor >= 0 else []
        arguments = ", ".join([*given, self.arguments] if self.arguments else given)
        return f"{self.name}({arguments}) = {self.result or '... still waiting'}"


class Recorder:
    """Makes the sockets of one end, and hands each of their calls to `keep`, once it has returned.

    Those that may wait for the other end are handed over before that as well.
    """

    def __init__(self, end: str, keep: Callable[[Call], object]) -> None:
        self.end, self.keep = end, keep
        self._sockets = 0

    def maker(self, open_: Callable[..., Any]) -> MakeSocket:
        """What makes them. `open_` calls its first argument with the others, wherever it likes."""

        def make(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
            made: RecordedSocket = open_(RecordedSocket, self, family, kind, protocol)
            return made

        return make

    def number(self) -> int:
        """The number of the next socket."""
        self._sockets += 1
        return self._sockets


class RecordedSocket(socket.socket):
    """A socket whose calls are recorded. Those that only look, such as getsockname(2), are not.

    Python's own sockets are non-blocking ones once they have a time-out, and call poll(2) to wait, so that
    connect(2) returns EINPROGRESS. These block, and it is the kernel that ends what takes too long (SO_RCVTIMEO in
    socket(7)): each call here is one system call, with its result.
    """

    def __init__(
        self, recorder: Recorder, family: int, kind: int, protocol: int = 0, fileno: int | None = None
    ) -> None:
        self._recorder = recorder
        self._number = recorder.number()
        self._timeout: float | None = None
        self._begins_with = _first_header(family, kind)
        if fileno is not None:
            super().__init__(family, kind, protocol, fileno)
            return
        self._record(
            "socket",
            _arguments_of_socket(family, kind, protocol),
            lambda: super(RecordedSocket, self).__init__(family, kind, protocol),
            lambda _: str(self.fileno()),
        )

    def _record(
        self,
        name: str,
        arguments: str,
        call: Callable[[], T],
        result: Callable[[T], str] = lambda value: "0" if value is None else str(value),
        *,
        flags: int = 0,
        data: bytes = b"",
        address: Any = None,
    ) -> T:
        descriptor = -1 if name == "socket" else self.fileno()
        start_ns = time.time_ns()

        def keep(told: str, failed: bool, received: bytes = b"") -> None:
            call = Call(
                *(self._recorder.end, self._number, descriptor, name, arguments, told, failed),
                *(start_ns, time.time_ns(), self._begins_with, data or received, address),
            )
            self._recorder.keep(call)

        if waits(name):
            keep("", False)
        try:
            value = call()
        except OSError as error:
            if self._is_time_out(error, flags):
                keep(f"{_name_of(error)} (time-out)", True)
                raise TimeoutError("timed out") from error
            keep(_name_of(error), True)
            raise
        received = value[0] if isinstance(value, tuple) else value
        keep(result(value), False, received if isinstance(received, bytes) else b"")
        return value

    def settimeout(self, value: float | None) -> None:
        """Not recorded: what there is to see of it is what calls return."""
        self._timeout = value
        super().settimeout(0 if value == 0 else None)  # 0: not to wait at all
        left = TIMEVAL.pack(*divmod(math.ceil((value or 0) * MICROSECONDS), MICROSECONDS))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            super().setsockopt(socket.SOL_SOCKET, option, left)

    def gettimeout(self) -> float | None:
        """What was set, for those who wait by poll(2)."""
        return self._timeout

    def _is_time_out(self, error: OSError, flags: int) -> bool:
        """Whether the kernel had waited before it said so (socket(7); EINPROGRESS is what connect(2) says)."""
        has_waited = self._timeout != 0 and not flags & socket.MSG_DONTWAIT
        return has_waited and error.errno in (errno.EAGAIN, errno.EINPROGRESS)

    # ------------------------------------------------------------------ calls

    def bind(self, address: Any) -> None:
        told = self._address(address)
        self._record("bind", told, lambda: super(RecordedSocket, self).bind(address), address=address)

    def listen(self, backlog: int = socket.SOMAXCONN) -> None:
        self._record("listen", str(backlog), lambda: super(RecordedSocket, self).listen(backlog))

    def accept(self) -> tuple[RecordedSocket, Any]:
        def call() -> tuple[int, Any]:
            connection, peer = super(RecordedSocket, self).accept()
            return connection.detach(), peer

        descriptor, peer = self._record(
            "accept", "", call, lambda accepted: f"{accepted[0]}, {self._address(accepted[1])}"
        )
        return RecordedSocket(self._recorder, self.family, self.type, self.proto, descriptor), peer

    def connect(self, address: Any) -> None:
        told = self._address(address)
        self._record("connect", told, lambda: super(RecordedSocket, self).connect(address), address=address)

    def shutdown(self, how: int) -> None:
        name = ("SHUT_RD", "SHUT_WR", "SHUT_RDWR")[how]
        self._record("shutdown", name, lambda: super(RecordedSocket, self).shutdown(how))

    def close(self) -> None:
        if self.fileno() >= 0:
            self._record("close", "", super().close)

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        told = ", ".join([*_option(level, option), *map(str, value)])
        self._record("setsockopt", told, lambda: super(RecordedSocket, self).setsockopt(level, option, *value))

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        """Recorded where it asks for an error and there is one; else it only looks."""
        value = super().getsockopt(level, option, *size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR) and value:
            told = f"0, {errno.errorcode.get(value, value)}"
            self._record("getsockopt", "SOL_SOCKET, SO_ERROR", lambda: value, lambda _: told)
        return value

    def send(self, data: Any, flags: int = 0) -> int:
        told = shortened(data) + _flags(flags)
        return self._record(
            "send", told, lambda: super(RecordedSocket, self).send(data, flags), flags=flags, data=bytes(data)
        )

    def sendall(self, data: Any, flags: int = 0) -> None:
        """No system call: as many sends as it takes."""
        left = memoryview(data)
        while left:
            left = left[self.send(left, flags) :]

    def sendto(self, data: Any, *rest: Any) -> int:
        *flags, address = rest
        told = shortened(data) + _flags(*flags) + ", " + self._address(address)
        return self._record(
            "sendto",
            told,
            lambda: super(RecordedSocket, self).sendto(data, *rest),
            flags=flags[0] if flags else 0,
            data=bytes(data),
            address=address,
        )

    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        parts = [bytes(part) for part in buffers]
        address = rest[2] if len(rest) > 2 else None
        told = [shortened(b"".join(parts))]
        told += [f"{len(rest[0])} control messages"] if rest and rest[0] else []
        told += [self._address(address)] if address is not None else []
        return self._record(
            "sendmsg",
            ", ".join(told),
            lambda: super(RecordedSocket, self).sendmsg(parts, *rest),
            flags=rest[1] if len(rest) > 1 else 0,
            data=b"".join(parts),
            address=address,
        )

    def recv(self, size: int, flags: int = 0) -> bytes:
        told = str(size) + _flags(flags)
        got: bytes = self._record(
            "recv", told, lambda: super(RecordedSocket, self).recv(size, flags), shortened, flags=flags
        )
        return got

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        return self._record(
            "recvfrom",
            str(size) + _flags(flags),
            lambda: super(RecordedSocket, self).recvfrom(size, flags),
            lambda got: f"{shortened(got[0])}, {self._address(got[1])}",
            flags=flags,
        )

    def recvmsg(self, size: int, ancillary: int = 0, flags: int = 0) -> tuple[bytes, list[Any], int, Any]:
        return self._record(
            "recvmsg",
            str(size) + _flags(flags),
            lambda: super(RecordedSocket, self).recvmsg(size, ancillary, flags),
            lambda got: shortened(got[0]) + _flags(got[2] & ~socket.MSG_CMSG_CLOEXEC) + self._from(got[3]),
            flags=flags,
        )

    def _from(self, address: Any) -> str:
        return f", {self._address(address)}" if address and self.family != socket.AF_UNIX else ""

    def _address(self, address: Any) -> str:
        if self.family == socket.AF_PACKET:  # interface, EtherType and, of what was received, the sender's MAC
            station = [bytes(address[4]).hex(":")] if len(address) > 4 else []
            return ", ".join([address[0], f"{address[1]:#06x}", *station])
        if self.type == socket.SOCK_RAW:  # has no ports
            return str(address[0])
        return show(address)


def ended(end: str, how: str) -> Call:
    """That the process of an end is ending now."""
    now_ns = time.time_ns()
    return Call(end, 0, -1, "", "", how, True, now_ns, now_ns, "")


def completed(calls: Iterable[Call]) -> list[Call]:
    """What was kept of calls, each once: in the order in which they began or, those that wait, came to an end.

    Those that never returned came to an end with their process, or stand last.
    """
    latest = {(call.end, call.socket, call.start_ns): call for call in calls}
    ends = {call.end: call.start_ns for call in latest.values() if not call.name}

    def moment(call: Call) -> tuple[float, bool]:
        if not call.result:
            return ends.get(call.end, math.inf), False
        return call.stop_ns if waits(call.name) else call.start_ns, not call.name

    return sorted(latest.values(), key=moment)


def waits(name: str) -> bool:
    """Whether a call waits for the other end."""
    return name == "accept" or name.startswith("recv")


def _first_header(family: int, kind: int) -> str:
    if family == socket.AF_PACKET:
        return "Ethernet"
    return "IPv4" if kind == socket.SOCK_RAW else "payload"


def _name_of(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error.errno))


def _arguments_of_socket(family: int, kind: int, protocol: int) -> str:
    names = [socket.AddressFamily(family).name, socket.SocketKind(kind).name]
    return ", ".join([*names, _protocol(protocol)] if protocol else names)


def _protocol(protocol: int) -> str:
    known = [name for name in dir(socket) if name.startswith("IPPROTO_") and getattr(socket, name) == protocol]
    return known[0] if known else str(protocol)


def _option(level: int, option: int) -> list[str]:
    """The level and the option of setsockopt(2) by the names of their headers."""
    level_name, prefix = OPTIONS.get(level, (str(level), ""))
    known = [
        name for name in dir(socket) if prefix and name.startswith(prefix) and getattr(socket, name) == option
    ]
    return [level_name, min(known, key=len, default=str(option))]


def shortened(data: Any, room: int = SHOWN) -> str:
    """Data as it is written in Python; of much, what fits into so many characters, and how much it is."""
    data = bytes(data)
    if len(repr(data)) <= room:
        return repr(data)
    fitting = next(count for count in range(min(len(data), room), -1, -1) if len(repr(data[:count])) <= room)
    return f"{data[:fitting]!r}... {len(data)} bytes"


def _flags(flags: int = 0) -> str:
    return f", {socket.MsgFlag(flags).name}" if flags else ""
