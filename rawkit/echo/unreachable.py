"""What ICMP says of the packets of a socket: its queue of errors (IP_RECVERR, ip(7); IPV6_RECVERR, ipv6(7)).

Without that queue the kernel passes on but a few of them to a connected socket, by the number of an error alone,
and none at all to a raw one. With it each is told: which type and code it has, and who sent it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final, NamedTuple

from rawkit.errors import KernelError, UnreachableError
from rawkit.wire import ICMPv4, ICMPv6

__all__ = ["ask_for_errors", "next_error", "told_by_icmp"]

ERRORS: Final = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR (<linux/in.h>) and IPV6_RECVERR (<linux/in6.h>): what asks for errors, and what they are told as."""

EXTENDED: Final = struct.Struct("=IBBBxII")
"""struct sock_extended_err (<linux/errqueue.h>): error number, origin, ICMP type and code, information, data."""

FROM_ICMP: Final = (2, 3)
"""Origins: SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6. Others are this host's, such as what is larger than the MTU."""

OFFENDERS: Final = {socket.AF_INET: struct.Struct("=HH4s"), socket.AF_INET6: struct.Struct("=HHI16s")}
"""The sockaddr that follows: family, port (and flow), and the address of who sent the error."""

ROOM: Final = 512
SHORTEST: Final = struct.Struct("!BB6x")
"""An ICMP error's type and code; what else it says is not told."""


_FORBIDDEN: Final = "a filter on the way forbids it"
_SILENT: Final = "that host does not answer ARP, or neighbour solicitations; check the address and the link"
_NO_SERVER: Final = "no program there takes that protocol; start a server there"

REMEDIES: Final[Mapping[tuple[type[ICMPv4] | type[ICMPv6], int, int], str]] = {
    (ICMPv4, 3, 1): _SILENT,
    (ICMPv4, 3, 2): _NO_SERVER,
    (ICMPv4, 3, 9): _FORBIDDEN,
    (ICMPv4, 3, 10): _FORBIDDEN,
    (ICMPv4, 3, 13): _FORBIDDEN,
    (ICMPv6, 1, 1): _FORBIDDEN,
    (ICMPv6, 1, 3): _SILENT,
    (ICMPv6, 4, 1): _NO_SERVER,
}
"""What to make of an ICMP error's type and code."""


class Told(NamedTuple):
    """An ICMP error about something that was sent."""

    errno: int
    type: int
    code: int
    said_by: str
    destination: str
    """Whom the packet was for."""

    def error(self, doing: str, remedies: Mapping[int, str] = MappingProxyType({})) -> UnreachableError:
        """As what is raised."""
        header = ICMPv6 if ":" in self.said_by else ICMPv4
        meaning = header.parse(SHORTEST.pack(self.type, self.code))[0].describe()
        remedy = remedies.get(self.errno) or REMEDIES.get((header, self.type, self.code))
        said = f"{self.said_by} says {meaning} (type {self.type}, code {self.code})"
        error = UnreachableError(self.errno, doing, f"{said}; {remedy}" if remedy else said)
        error.icmp_type, error.icmp_code, error.said_by = self.type, self.code, self.said_by
        return error


def ask_for_errors(made: socket.socket) -> None:
    """Have a socket keep the ICMP errors about what it sends."""
    made.setsockopt(*ERRORS[made.family], 1)


def next_error(made: socket.socket) -> Told | None:
    """Take the next ICMP error that was kept; None where there is none."""
    timeout = made.gettimeout()
    made.settimeout(0)
    try:
        while True:
            _, ancillary, _, destination = made.recvmsg(0, ROOM, socket.MSG_ERRQUEUE)
            for level, kind, data in ancillary:
                if (level, kind) == ERRORS[made.family]:
                    number, origin, icmp_type, code, _, _ = EXTENDED.unpack_from(data)
                    if origin in FROM_ICMP:
                        *_, address = OFFENDERS[made.family].unpack_from(data, EXTENDED.size)
                        who = str(ip_address(address))
                        return Told(number, icmp_type, code, who, destination[0].partition("%")[0])
    except OSError:  # the queue is empty
        return None
    finally:
        made.settimeout(timeout)


@contextmanager
def told_by_icmp(made: socket.socket, remedies: Mapping[int, str] = MappingProxyType({})) -> Iterator[None]:
    """Raise UnreachableError for what a connected socket raises inside, where ICMP has said why."""
    try:
        yield
    except KernelError as error:
        if (told := next_error(made)) is None:
            raise
        raise told.error(error.doing, remedies) from error
