"""Every error that rawkit raises.

Each carries its facts as attributes, so that a program can act on them, and says in its text what to do.
Errors of the operating system become one of these at the edge, through `kernel_error` (network) and
`file_error` (files), and nowhere else.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = [
    "BuildError",
    "CaptureError",
    "ExpressionError",
    "FieldError",
    "FileError",
    "FilterError",
    "InterfaceError",
    "KernelError",
    "LayerError",
    "MissingError",
    "NeedsForceError",
    "NotPermittedError",
    "PacketError",
    "ProgramError",
    "RawkitError",
    "RefusedError",
    "ReplyError",
    "TimedOut",
    "TruncatedError",
    "UnknownHeaderError",
    "UnreachableError",
    "file_error",
    "kernel_error",
]


class RawkitError(Exception):
    """The base of them all: `except RawkitError` catches whatever rawkit raises on purpose.

    All of them can be pickled, and so come whole out of a pool of processes.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args), self.__dict__


class PacketError(RawkitError, ValueError):
    """Bytes that cannot be read as the header that was asked for.

    Attributes: `header` and `field` (names), `offset` (of the header, in bytes from the start of the data),
    `needed` and `got` (bytes, or field values where the message says so).
    """

    def __init__(self, header: str, field: str, offset: int, needed: int, got: int, message: str = "") -> None:
        self.header, self.field, self.offset, self.needed, self.got = header, field, offset, needed, got
        self.message = message or f"needs {needed} bytes, got {got}"
        name = f"{header}.{field}" if field else header
        super().__init__(f"{name} (of the header at byte {offset}): {self.message}")


class TruncatedError(PacketError):
    """Bytes that end before the header's fixed fields do. `record` is the class that was being read."""

    def __init__(self, record: type, field: str, offset: int, needed: int, got: int) -> None:
        super().__init__(record.__name__, field, offset, needed, got)
        self.record = record


class UnknownHeaderError(PacketError):
    """Bytes whose first one announces no header that is read here; nothing need be wrong with them."""


class LayerError(RawkitError, KeyError):
    """A header that the packet does not have. Attributes: `header`, `layers` (names of those it has)."""

    def __init__(self, header: str, layers: list[str]) -> None:
        self.header, self.layers = header, layers
        super().__init__(header)

    def __str__(self) -> str:
        return f"no {self.header} in {' / '.join(self.layers) or 'an empty packet'}"


class FieldError(RawkitError, ValueError):
    """A value that does not fit its field, or a field that the header does not have.

    Attributes: `header`, `field`, `value` and `expected` (what would have fitted, in words).
    """

    def __init__(self, header: str, field: str, value: object, expected: str) -> None:
        self.header, self.field, self.value, self.expected = header, field, value, expected
        super().__init__(f"{header}.{field}: expected {expected}, got {_brief(value)}")


class BuildError(RawkitError, ValueError):
    """A field that was left AUTO and cannot be computed in this stack.

    Attributes: `header`, `field`, `reason`.
    """

    def __init__(self, header: str, field: str, reason: str) -> None:
        self.header, self.field, self.reason = header, field, reason
        super().__init__(f"{header}.{field} cannot be computed: {reason}; give {field}=...")


class ExpressionError(RawkitError, ValueError):
    """A packet expression that cannot be read.

    Attributes: `expression`, `position` (characters from its start), `reason`.
    """

    def __init__(self, expression: str, position: int, reason: str) -> None:
        self.expression, self.position, self.reason = expression, position, reason
        super().__init__(f"expression, character {position + 1}: {reason}")


class CaptureError(RawkitError, ValueError):
    """A capture file that is damaged, or is none.

    Attributes: `name` (of the file), `offset` (bytes from its start), `expected`, `found` (in words).
    """

    def __init__(self, name: str, offset: int, expected: str, found: str, remedy: str = "") -> None:
        self.name, self.offset, self.expected, self.found = name, offset, expected, found
        what_to_do = f"; {remedy}" if remedy else ""
        super().__init__(f"{name}: at byte {offset}: expected {expected}, found {found}{what_to_do}")


class FilterError(RawkitError, ValueError):
    """A filter that libpcap does not compile, or whose program cannot be used here.

    Attributes: `filter`, `reason` (libpcap's own words), `position` (of the first word that does not fit, in
    characters from the start; the filter's length where more has to follow; None where that is not known).
    """

    def __init__(self, filter: str, reason: str, position: int | None = None) -> None:
        self.filter, self.reason, self.position = filter, reason, position
        place = "" if position is None else f" at character {position + 1}"
        if position == len(filter):
            place = " at its end"
        shown = _brief(filter)
        super().__init__(f"filter {shown}: {reason}{place}; see pcap-filter(7) for the language")


class ProgramError(RawkitError, ValueError):
    """A classic BPF program that cannot run. Attributes: `instruction` (counted from 0), `reason`."""

    def __init__(self, instruction: int, reason: str) -> None:
        self.instruction, self.reason = instruction, reason
        super().__init__(f"BPF program, instruction {instruction}: {reason}")


class MissingError(RawkitError):
    """A library or program that is needed for this and is not installed. Attributes: `what`, `remedy`."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what} is not installed: {remedy}")


class NeedsForceError(RawkitError):
    """Packets that could hurt others, sent outside of a lab. Attributes: `reasons` (in words), `remedy`."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        self.remedy = "--force, if others there agree; inside a lab nothing is asked"
        super().__init__(f"not sent: {'; '.join(reasons)}; give {self.remedy}")


class TimedOut(RawkitError, TimeoutError):
    """Nothing arrived in the time that was allowed. Attributes: `doing`, `seconds`."""

    def __init__(self, doing: str, seconds: float) -> None:
        self.doing, self.seconds = doing, seconds
        super().__init__(f"{doing}: nothing within {seconds:g} s")


class ReplyError(RawkitError, ValueError):
    """What a server answered breaks the protocol that it was asked in.

    Attributes: `server`, `part` (of the reply), `expected`, `found` (in words).
    """

    def __init__(self, server: str, part: str, expected: str, found: str) -> None:
        self.server, self.part, self.expected, self.found = server, part, expected, found
        super().__init__(f"{server}: {part}: expected {expected}, found {_shortened(found)}")


class RefusedError(ReplyError):
    """A server that refuses, by the protocol's rules. Attributes: `server`, `found` (its words), `remedy`."""

    def __init__(self, server: str, found: str, remedy: str = "") -> None:
        super().__init__(server, "connection", "an open one", found)
        self.remedy = remedy
        self.args = (f"{server}: {found}; {remedy}" if remedy else f"{server}: {found}",)


class KernelError(RawkitError, OSError):
    """The kernel refused. Attributes: `errno`, `doing` (what was tried), `remedy`."""

    def __init__(self, number: int, doing: str, remedy: str) -> None:
        OSError.__init__(self, number, os.strerror(number))
        self.doing, self.remedy = doing, remedy

    def __str__(self) -> str:
        return f"{self.doing}: {self.remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.errno, self.doing, self.remedy), self.__dict__  # errno is not in there


class NotPermittedError(KernelError, PermissionError):
    """The kernel refused for want of a privilege (EPERM, EACCES): of `capability`, where that is known."""

    capability = ""


class InterfaceError(KernelError):
    """No such network interface, or it is down or gone."""


class UnreachableError(KernelError):
    """ICMP says that a packet did not arrive. Attributes: `icmp_type`, `icmp_code`, `said_by` (an address)."""

    icmp_type = icmp_code = 0
    said_by = ""


class FileError(KernelError):
    """A file that cannot be opened, read or written."""


_PRIVILEGE = "needs {capability}: run as root (sudo), or in a network of your own (unshare -rn)"

_REMEDIES = {
    errno.EPERM: _PRIVILEGE,
    errno.EACCES: _PRIVILEGE,
    errno.ENODEV: "no such interface; `rawkit interfaces` lists those that exist",
    errno.ENXIO: "no such interface; `rawkit interfaces` lists those that exist",
    errno.ENETDOWN: "the interface is down or gone; bring it up, then try again",
    errno.ENETUNREACH: "no route to that network; give an interface that reaches it, or add a route",
    errno.EHOSTUNREACH: "no route to that host, or it does not answer ARP; check the address and the link",
    errno.EADDRNOTAVAIL: "this host does not have that address; `rawkit interfaces` lists those it has",
    errno.EMSGSIZE: "larger than the interface's MTU; send less, or fragment it",
    errno.ENOBUFS: "the interface's queue is full; send more slowly",
    errno.EAFNOSUPPORT: "this kernel does not have that address family",
    errno.EINVAL: "the kernel finds an argument invalid (for a packet: its header's version or length)",
    errno.ENOSPC: "a kernel limit is reached; see the limits under /proc/sys/user and /proc/sys/net",
    errno.EUSERS: "too many user namespaces; see /proc/sys/user/max_user_namespaces",
    errno.EBADF: "it is closed already; open another",
    errno.EADDRINUSE: "that address is in use by another socket; choose another port",
}


def kernel_error(
    error: OSError,
    doing: str,
    capability: str = "CAP_NET_RAW",
    *,
    remedies: Mapping[int, str] = MappingProxyType({}),
) -> KernelError:
    """The rawkit error for what the operating system said while `doing` something.

    `remedies` are for error numbers that mean something in particular there.
    Use as `raise kernel_error(error, "open a raw IPv4 socket") from error`.
    """
    number = error.errno or errno.EIO
    remedy = remedies.get(number) or _REMEDIES.get(number, os.strerror(number)).format(capability=capability)
    if number in (errno.EPERM, errno.EACCES):
        refused = NotPermittedError(number, doing, remedy)
        refused.capability = capability
        return refused
    if number in (errno.ENODEV, errno.ENXIO, errno.ENETDOWN):
        return InterfaceError(number, doing, remedy)
    return KernelError(number, doing, remedy)


_FILE_REMEDIES = {
    errno.ENOENT: "no such file or folder; check the name",
    errno.ENOTDIR: "a part of the path is not a folder; check the name",
    errno.EISDIR: "is a folder; give the name of a file in it",
    errno.EACCES: "may not be opened by this user; check the owner and mode of the file and its folder",
    errno.EPERM: "may not be changed by this user; check the owner and mode of the file and its folder",
    errno.EROFS: "lies on a file system that is mounted read-only; choose another place",
    errno.ELOOP: "is a symbolic link, which is not written through; give the name of the file itself",
    errno.EMLINK: "has further names (hard links), which would change too; remove it or give another name",
    errno.ENOSPC: "the file system is full; free some space or choose another place",
    errno.EBADF: "is closed; connect it to a file or a pipe",
    errno.EPIPE: "the program that was reading the pipe has ended",
}


def file_error(error: OSError, doing: str) -> FileError:
    """The rawkit error for what the operating system said about a file while `doing` something.

    Use as `raise file_error(error, "open x.pcap") from error`.
    """
    number = error.errno or errno.EIO
    return FileError(number, doing, _FILE_REMEDIES.get(number, os.strerror(number)))


def _rebuilt(kind: type[RawkitError], arguments: tuple[Any, ...]) -> RawkitError:
    """An error with those `args`, without its __init__, which takes facts; pickle then adds the attributes."""
    error: RawkitError = kind.__new__(kind)
    error.args = arguments
    return error


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes out no more than 4300 digits (sys.set_int_max_str_digits)
        bits = f"a number of {value.bit_length()} bits" if isinstance(value, int) else ""
        return bits or f"{type(value).__name__} with a number too long to print"
    return _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
