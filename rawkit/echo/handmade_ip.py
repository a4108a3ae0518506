"""What the kinds by hand over IP have in common, in its two versions (raw(7), ip(7); ipv6(7), RFC 3542).

IPv4: the kernel hands over whole packets, put together where they were fragmented. It takes whole packets, and
fills in the length and the header's checksum, and the source and the identification where they are zero.

IPv6: the kernel takes whole packets as they are, but hands over only what stands behind the headers of IPv6. It
tells beside what the first of them said, so that header is put together again here; extension headers are lost.

Of neither it cuts a packet that is too large for the interface (EMSGSIZE). Clients tell so, since that is what is
to be seen; servers cut their answers themselves, so that whatever came can go back.
"""

from __future__ import annotations

import errno
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from random import randint
from typing import Any, ClassVar, Final, TypeAlias

from rawkit.echo import addresses
from rawkit.echo.addresses import IN6_PKTINFO, IN_PKTINFO, IP_PKTINFO
from rawkit.echo.endpoint import MakeSocket, explained
from rawkit.echo.handmade import (
    LARGEST,
    HandmadeServer,
    Heard,
    NumberedClient,
    NumberedServer,
    RawSocket,
)
from rawkit.echo.unreachable import ask_for_errors, next_error
from rawkit.errors import KernelError
from rawkit.layout import AUTO
from rawkit.wire import IPv4, IPv6, LinkType, Packet, dissect, fragment

__all__ = [
    "NumberedClientOverIP",
    "NumberedServerOverIP",
    "OverIP",
    "ServerOverIP",
    "Version",
    "resolved",
    "without_scope",
]

IP_MTU: Final = 14
"""From <linux/in.h>."""

IPV6_FLOWINFO: Final = 11
IPV6_MTU: Final = 24
IPV6_HDRINCL: Final = 36
"""From <linux/in6.h>."""

FLOWINFO: Final = struct.Struct("!I")
HOP_LIMIT: Final = struct.Struct("=i")

FLOW_LABELS: Final = 1 << 20
"""How many flow labels there are; the traffic class stands before them (RFC 8200, section 3)."""

DISCARD: Final = 9
"""The port of the service that throws everything away (RFC 863)."""

BESIDE: Final = 256
"""Bytes for what the kernel tells beside a packet."""

Told: TypeAlias = dict[int, bytes]
"""What the kernel told beside a packet, by the number of the option that asks for it."""


class Version(ABC):
    """A version of IP: how its raw sockets are used."""

    family: ClassVar[socket.AddressFamily]
    header: ClassVar[type[IPv4] | type[IPv6]]
    next: ClassVar[str]
    """The header's field that says what follows."""
    options: ClassVar[Sequence[tuple[int, int]]]
    """What is switched on: headers by hand, and what the kernel is to tell beside a packet."""
    whom: ClassVar[Sequence[tuple[int, int]]] = ()
    """What is switched on besides where a socket is bound to all addresses: that it tells whom a packet is for."""
    mtu: ClassVar[tuple[int, int]]
    """The option that tells the MTU of the way to the other end."""

    @abstractmethod
    def source(self, make: MakeSocket, way: tuple[Any, ...]) -> Any:
        """The source of a packet that takes this way, as the header's field takes it. Raises KernelError."""

    @abstractmethod
    def whole(self, data: bytes, told: Told, source: str, protocol: int) -> bytes | None:
        """The packet of which the kernel hands over `data`; None if it is not for this host alone."""


class Version4(Version):
    """IPv4."""

    family = socket.AF_INET
    header = IPv4
    next = "protocol"
    options = ((socket.IPPROTO_IP, socket.IP_HDRINCL),)
    whom = ((socket.IPPROTO_IP, IP_PKTINFO),)
    mtu = (socket.IPPROTO_IP, IP_MTU)

    def source(self, make: MakeSocket, way: tuple[Any, ...]) -> Any:
        return AUTO  # which the kernel fills in

    def whole(self, data: bytes, told: Told, source: str, protocol: int) -> bytes | None:
        _, local, destination = IN_PKTINFO.unpack(told.get(IP_PKTINFO, bytes(IN_PKTINFO.size)))
        return data if local == destination else None  # else it is broadcast, multicast


class Version6(Version):
    """IPv6."""

    family = socket.AF_INET6
    header = IPv6
    next = "next_header"
    options = (
        (socket.IPPROTO_IPV6, IPV6_HDRINCL),
        (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
        (socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT),
        (socket.IPPROTO_IPV6, IPV6_FLOWINFO),
    )
    mtu = (socket.IPPROTO_IPV6, IPV6_MTU)

    def source(self, make: MakeSocket, way: tuple[Any, ...]) -> Any:
        with connected(make, self.family, way) as other:
            return without_scope(other.getsockname()[0])

    def whole(self, data: bytes, told: Told, source: str, protocol: int) -> bytes | None:
        destination = IPv6Address(IN6_PKTINFO.unpack(told[socket.IPV6_PKTINFO])[0])
        if destination.is_multicast:
            return None
        (flow,) = FLOWINFO.unpack(told.get(IPV6_FLOWINFO, bytes(FLOWINFO.size)))  # not told where it is zero
        header = IPv6(
            traffic_class=flow // FLOW_LABELS,
            flow_label=flow % FLOW_LABELS,
            next_header=protocol,
            hop_limit=HOP_LIMIT.unpack(told[socket.IPV6_HOPLIMIT])[0],
            src=without_scope(source),
            dst=destination,
        )
        return bytes(header / data)


VERSIONS: Final = (Version4(), Version6())


class OverIP(RawSocket):
    """An end over IP, of one `version`."""

    protocols: ClassVar[Mapping[socket.AddressFamily, int]]
    """The number of its protocol, over each version."""

    version: Version
    make: MakeSocket

    def open(self, make: MakeSocket, version: Version) -> None:
        """Open its socket. Raises NotPermittedError."""
        self.make, self.version = make, version
        with explained("open a raw socket"):
            self.socket = make(version.family, socket.SOCK_RAW, self.protocol)
            for level, option in version.options:
                self.socket.setsockopt(level, option, 1)

    @property
    def protocol(self) -> int:
        """The number of its protocol."""
        return self.protocols[self.version.family]

    def hear(self) -> Heard | None:
        data, beside, _, source = self.socket.recvmsg(LARGEST, BESIDE)
        told = {kind: value for _, kind, value in beside}
        whole = self.version.whole(data, told, source[0], self.protocol)
        return None if whole is None else Heard(whole, dissect(whole, LinkType.RAW), source)

    def header(self, src: Any, dst: Any, protocol: Any = AUTO) -> IPv4 | IPv6:
        """The header of a packet; AUTO is what follows it."""
        fields: dict[str, Any] = {"src": src, "dst": dst, self.version.next: protocol}
        return self.version.header(**fields)


class ServerOverIP(OverIP, HandmadeServer):
    """A server over IP, which cuts its answers into fragments where the way back wants that.

    So the kernel does for ordinary sockets; packets by hand that are larger than the interface's MTU it refuses.
    """

    def bind(self, way: tuple[Any, ...]) -> None:
        """Hear what is for this address of this host; where that stands for all, what is for each of them."""
        if ip_address(without_scope(way[0])).is_unspecified:
            for level, option in self.version.whom:
                self.socket.setsockopt(level, option, 1)
        self.socket.bind(way)

    def put(self, packet: Packet, way: tuple[Any, ...]) -> None:
        try:
            super().put(packet, way)
        except KernelError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            self._put_in_fragments(packet, way)

    def _put_in_fragments(self, packet: Packet, way: tuple[Any, ...]) -> None:
        """As few as the way's MTU allows. The kernel would fill in an identification, but another for each."""
        number = randint(1, 65_535)
        if IPv4 in packet:
            packet = packet.replace(IPv4, identification=number)
        with connected(self.make, self.version.family, way) as other:
            mtu = other.getsockopt(*self.version.mtu)
        for part in fragment(packet, mtu, identification=number):
            super().put(part, way)
        self.sent = packet


class NumberedClientOverIP(NumberedClient, OverIP):
    """Asks (host, identifier); identifier 0 is drawn by lot.

    Raises FieldError, KernelError, UnreachableError, TimedOut.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        version, self.destination = resolved(address[0], ip_version, timeout)
        self.host = without_scope(self.destination[0])
        self.number(address[1])
        self.open(make, version)
        try:
            ask_for_errors(self.socket)
            self.local = version.source(make, self.destination)
            self.rehearse()
        except BaseException:
            self.close()
            raise

    def hear(self) -> Heard | None:
        try:
            return super().hear()
        except OSError:
            if not self._is_about_others(f"receive from {self.host}"):
                raise
            return None

    def put(self, packet: Packet, way: tuple[Any, ...]) -> None:
        try:
            super().put(packet, way)
        except KernelError as error:
            if not self._is_about_others(error.doing):
                raise
            super().put(packet, way)

    def _is_about_others(self, doing: str) -> bool:
        """Whether it was an ICMP error about others' packets, of which a raw socket is told, too.

        Raises UnreachableError where it is about ours.
        """
        if (told := next_error(self.socket)) is None:
            return False
        if told.destination == self.host:
            raise told.error(doing)
        return True


class NumberedServerOverIP(NumberedServer, ServerOverIP):
    """Answers questions to (host, identifier); identifier 0 is any. Raises as the client."""

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 0),
        *,
        make: MakeSocket = socket.socket,
        timeout: float | None = None,
        ip_version: int | None = None,
    ) -> None:
        self.timeout = timeout
        version, way = resolved(address[0], ip_version)
        host, self.id = without_scope(way[0]), address[1]
        self.address: Any = (host, self.id) if self.id else host
        self.open(make, version)
        try:
            with explained(f"bind to {host}"):
                self.bind(way)
            self.rehearse(host, way)
        except BaseException:
            self.close()
            raise


@contextmanager
def connected(make: MakeSocket, family: socket.AddressFamily, way: tuple[Any, ...]) -> Iterator[socket.socket]:
    """An ordinary socket that knows the way, by which nothing is sent."""
    with explained(f"find the way to {way[0]}"), make(family, socket.SOCK_DGRAM) as other:
        other.connect((way[0], DISCARD, *way[2:]))
        yield other


def resolved(
    host: str, ip_version: int | None = None, timeout: float | None = None
) -> tuple[Version, tuple[Any, ...]]:
    """An address, or a name that has one (of IPv4, if it has both), as raw sockets take it.

    Raises FieldError, TimedOut.
    """
    found = {
        each.family: each.address
        for each in addresses.resolved("echo", host, 0, socket.SOCK_DGRAM, ip_version, timeout)
    }
    version = next(each for each in VERSIONS if each.family in found)
    return version, found[version.family]


def without_scope(address: str) -> str:
    """An address as headers have it: without the interface (RFC 4007, section 11)."""
    return address.partition("%")[0]
