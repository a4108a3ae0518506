"""Raw IP sockets: packets with headers of one's own, routed by the kernel (raw(7), ip(7), ipv6(7))."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address

from rawkit.errors import FieldError, kernel_error
from rawkit.link import _kernel
from rawkit.link._socket import Ancillary, KernelSocket, kernel_time
from rawkit.link.frame import Frame, Sendable
from rawkit.link.route import destination_of, with_source
from rawkit.wire import IPv4, IPv6, LinkType, Packet

__all__ = ["RawIPv4Socket", "RawIPv6Socket"]

_LARGEST = 65_575  # an IPv6 header and the 65,535 bytes that its length field can count

_DROP_ALL = [(6, 0, 0, 0)]  # BPF_RET | BPF_K, 0

_IN_PKTINFO = struct.Struct("=i4s4s")  # struct in_pktinfo (<linux/in.h>): index, local address, destination
_IN6_PKTINFO = struct.Struct("=16si")  # struct in6_pktinfo (<linux/ipv6.h>): destination, index


class _RawSocket(KernelSocket):
    """What the two have in common: the binding to an interface, and its name for each packet."""

    protocol: int

    def _check(self, protocol: int) -> None:
        if not 0 <= protocol <= 255:
            raise FieldError(type(self).__name__, "protocol", protocol, "a protocol number: 0 to 255")

    def _prepare(self, interface: str | None) -> None:
        self.interface = interface
        self._interfaces: dict[int, str] = {}
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _kernel.SO_TIMESTAMPNS_NEW, 1)
            if interface is not None:
                self._bind_to(interface)
        except OSError as error:
            self.close()
            raise kernel_error(error, f"open a {self._name} on {interface}") from error

    def _bind_to(self, interface: str) -> None:
        """Bind, and forget what came in from elsewhere before."""
        _kernel.attach_filter(self._socket, _DROP_ALL)
        try:
            while True:
                self._socket.recv(1)
        except BlockingIOError:
            pass
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        _kernel.detach_filter(self._socket)

    def _resolved(
        self, data: Sendable, destination: str | IPv4Address | IPv6Address | None, header: type[IPv4] | type[IPv6]
    ) -> tuple[Sendable, str]:
        """What is to be sent, its source filled in if it is a packet, and the address it goes to, as text."""
        if isinstance(data, Packet):
            scope = str(destination or "").partition("%")[2]
            named = self._interface_name(int(scope)) if scope.isdecimal() else scope
            data = with_source(data, self.interface or named or None)
        if destination is None:
            return data, str(destination_of(data, header, type(self).__name__))
        try:
            address = (IPv4Address if header is IPv4 else IPv6Address)(str(destination))
        except ValueError as error:
            name = f"{type(self).__name__}.send"
            raise FieldError(name, "destination", destination, f"an {header.__name__} address") from error
        return data, str(address)

    def _interface_name(self, index: int) -> str:
        if index not in self._interfaces:
            try:
                self._interfaces[index] = _kernel.interface_name(self.fileno(), index)
            except OSError:  # gone since the packet came
                return ""
        return self._interfaces[index]


class RawIPv4Socket(_RawSocket):
    """Sends IPv4 packets with their headers, and receives those of one protocol (SOCK_RAW, IP_HDRINCL).

    Sending: the kernel routes the packet to `destination`, finds the next hop and puts the link-layer header
    before it. In the header that is given, it

    - always fills in the total length and the header checksum,
    - fills in the source when it is 0.0.0.0, and the identification when it is 0,
    - leaves everything else, the destination in the header and the transport checksum included.

    A header length (ihl) below 5 or beyond the packet is refused (EINVAL); older kernels let the former pass,
    and then fill in nothing. The kernel does not fragment: more than the MTU of the route is refused
    (EMSGSIZE). For "exactly these bytes", use `PacketSocket`.

    Receiving: whole packets, header included, whose protocol is `protocol`, after the kernel put fragments
    together, and also those that its own stack handles. The default, IPPROTO_RAW, only sends: nothing
    is received. `interface` restricts both ways to one interface.

    Raises FieldError for a `protocol` beyond 255, NotPermittedError without CAP_NET_RAW, InterfaceError for an
    `interface` that does not exist.
    """

    def __init__(self, protocol: int = socket.IPPROTO_RAW, *, interface: str | None = None) -> None:
        self._check(protocol)
        self.protocol = protocol
        self._open(socket.AF_INET, protocol, "raw IPv4 socket")
        self._prepare(interface)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, _kernel.IP_PKTINFO, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def send(self, data: Sendable, destination: str | IPv4Address | IPv6Address | None = None) -> None:
        """Send one packet towards `destination` (by default, the one in its header), by the kernel's routes.

        A source that a `Packet` left AUTO is filled in before, so that its transport checksum is right.
        Raises FieldError for what is no IPv4 address, KernelError (EMSGSIZE, ENETUNREACH, EINVAL, ...).
        """
        data, address = self._resolved(data, destination, IPv4)
        self._send(data, (address, 0))

    def receive(self, timeout: float | None = None) -> Frame:
        """The next packet of the protocol, after at most `timeout` seconds. Raises TimedOut, KernelError."""
        data, ancillary, address = self._receive(_LARGEST, timeout)
        index, _, _ = _IN_PKTINFO.unpack(_control(ancillary, socket.IPPROTO_IP, _kernel.IP_PKTINFO))
        return Frame(
            data,
            kernel_time(ancillary),
            len(data),
            LinkType.IPV4,
            self._interface_name(index),
            source=IPv4Address(address[0]),
        )


class RawIPv6Socket(_RawSocket):
    """Sends IPv6 packets with their headers, and receives the payloads of one protocol (IPV6_HDRINCL).

    Sending: the kernel routes the packet to `destination` and puts the link-layer header before it.
    **It changes nothing in the packet**: the payload length, an unspecified source and the transport
    checksum go out as they are given. Fewer than 40 bytes are refused (EINVAL), more than the MTU of the
    route too (EMSGSIZE).

    Receiving: **the payload alone, without the IPv6 header** (RFC 3542, section 3): from the header that
    `protocol` is the number of, extension headers before it taken off. `link_type` is None for that reason,
    and `source` says who sent it. ICMPv6 whose checksum is wrong is dropped; no other protocol is checked.
    The default, IPPROTO_RAW, only sends: nothing is received. For whole packets, use `PacketSocket`.
    `interface` restricts both ways to one interface, and gives link-local destinations theirs; else write it
    as in "fe80::1%eth0".

    Raises FieldError for a `protocol` beyond 255, NotPermittedError without CAP_NET_RAW, InterfaceError for an
    `interface` that does not exist.
    """

    def __init__(self, protocol: int = socket.IPPROTO_RAW, *, interface: str | None = None) -> None:
        self._check(protocol)
        self.protocol = protocol
        self._open(socket.AF_INET6, protocol, "raw IPv6 socket")
        self._prepare(interface)
        self._socket.setsockopt(socket.IPPROTO_IPV6, _kernel.IPV6_HDRINCL, 1)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def send(self, data: Sendable, destination: str | IPv4Address | IPv6Address | None = None) -> None:
        """Send one packet towards `destination` (by default, the one in its header), by the kernel's routes.

        A source that a `Packet` left AUTO is filled in before, so that its transport checksum is right.
        Raises FieldError for what is no IPv6 address, KernelError (EMSGSIZE, ENETUNREACH, EINVAL, ...).
        """
        data, address = self._resolved(data, destination, IPv6)
        host, _, scope = address.partition("%")
        self._send(data, (host, 0, 0, self._scope(scope)))

    def receive(self, timeout: float | None = None) -> Frame:
        """The payload of the next packet, after at most `timeout` seconds. Raises TimedOut, KernelError."""
        data, ancillary, address = self._receive(_LARGEST, timeout)
        _, index = _IN6_PKTINFO.unpack(_control(ancillary, socket.IPPROTO_IPV6, socket.IPV6_PKTINFO))
        return Frame(
            data,
            kernel_time(ancillary),
            len(data),
            None,
            self._interface_name(index),
            source=IPv6Address(address[0].partition("%")[0]),
        )

    def _scope(self, interface: str) -> int:
        if not interface:
            return 0
        try:
            return int(interface) if interface.isdecimal() else _kernel.interface_index(self.fileno(), interface)
        except OSError as error:
            raise kernel_error(error, f"send on {interface}") from error


def _control(ancillary: Ancillary, level: int, kind: int) -> bytes:
    """The control message that was asked for by setsockopt, which the kernel adds to every packet."""
    return next(value for at, what, value in ancillary if (at, what) == (level, kind))
