"""Keeping this host's kernel out of a handmade conversation, by nftables rules that end with this process.

A kernel that knows nothing of a connection resets it (RFC 9293, section 3.10.7.1), and sends an error about a
datagram that it has no taker for (RFC 1122, sections 3.2.2.1 and 4.1.3.1; RFC 4443, sections 3.1 and 3.4). Both
would end what is made by hand.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import accumulate, islice
from typing import Any, Final, NamedTuple, Self

from rawkit.errors import FieldError, kernel_error
from rawkit.link import _nftables as nft
from rawkit.wire import (
    TCP,
    UDP,
    Header,
    ICMPv4Unreachable,
    ICMPv6ParameterProblem,
    ICMPv6Unreachable,
    IPv4,
    IPv6,
    TCPFlags,
)

__all__ = ["Flow", "FlowGuard"]

CHAIN: Final = "quiet"

FLOWS_AT_ONCE: Final = 500
"""So many in a message, whose length is a number of two bytes."""

_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_DOING = "keep the kernel out of a conversation"
_NO_TABLES = (
    "this kernel has no nf_tables with table owners (Linux 5.12); use an address that this host does not have"
)
_NOT_HERE = {
    errno.EPROTONOSUPPORT: _NO_TABLES,
    errno.EOPNOTSUPP: _NO_TABLES,
    errno.EAFNOSUPPORT: _NO_TABLES,
    errno.ENOENT: _NO_TABLES,
}

AnyAddress = IPv4Address | IPv6Address


class Flow(NamedTuple):
    """A conversation, seen from this host. A port that is None is any port."""

    src: AnyAddress
    dst: AnyAddress
    src_port: int | None
    dst_port: int | None
    protocol: str | int = "tcp"
    """`tcp`, `udp`, or the number of a protocol that this kernel does not have, which has no ports here."""

    def __str__(self) -> str:
        ends = (_end(self.src, self.src_port), _end(self.dst, self.dst_port))
        return f"{str(self.protocol).upper()} {' > '.join(ends)}"


class FlowGuard:
    """While it is open, the kernel of this host says nothing of its own in the flows that were added.

        with FlowGuard() as guard:
            guard.add(Flow(ip_address("10.0.0.1"), ip_address("10.0.0.2"), 1025, 80))

    It does not send TCP resets, nor that a UDP port or a protocol is unreachable (RFC 4443 calls the latter a
    parameter problem); everything else goes on as before. What is sent through a packet socket does not pass here;
    a reset that is sent through a raw socket does, and that socket is told EPERM.

    The rules are a table of their own, `rawkit-` and the process number, in the namespace of the calling thread.
    It belongs to this object's netlink socket: the kernel removes it when the last process that has that open
    closes it or ends, also by SIGKILL. However many flows there are, a packet costs a look into a few sets, and
    adding a flow 20 µs.

    Raises NotPermittedError without CAP_NET_ADMIN, KernelError on a kernel without nf_tables, FieldError for a
    flow that cannot be.
    """

    def __init__(self, flows: Iterable[Flow] = ()) -> None:
        self._kinds: set[_Kind] = set()
        try:
            self._netlink = nft.open_nftables()
        except OSError as error:
            raise kernel_error(error, _DOING, "CAP_NET_ADMIN", remedies=_NOT_HERE) from error
        try:
            self._table = f"rawkit-{os.getpid()}-{self._netlink.fileno()}"
            comment = f"the kernel is silent in what process {os.getpid()} sends by hand; gone with it"
            self._send(nft.new_owned_table(self._table, comment), nft.new_output_chain(self._table, CHAIN))
            self.add(*flows)
        except BaseException:
            self.close()
            raise

    def add(self, *flows: Flow) -> None:
        """Keep the kernel out of these flows too; a flow that was added before is no error.

        Raises FieldError, NotPermittedError, KernelError.
        """
        keys: defaultdict[_Kind, list[bytes]] = defaultdict(list)
        for flow in flows:
            keys[_kind(flow)].append(_key(flow))
        for kind, of_kind in keys.items():
            if kind not in self._kinds:
                self._send(*_beginning(self._table, kind, len(self._kinds) + 1))
                self._kinds.add(kind)
            rest = iter(of_kind)
            while some := list(islice(rest, FLOWS_AT_ONCE)):
                self._send(nft.new_elements(self._table, kind.name, some))

    def close(self) -> None:
        """Let the kernel speak again. Closing twice is no error."""
        self._netlink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, *messages: nft.Message) -> None:
        try:
            nft.send(self._netlink, messages)
        except OSError as error:
            raise kernel_error(error, _DOING, "CAP_NET_ADMIN", remedies=_NOT_HERE) from error


class _Kind(NamedTuple):
    """What flows that share a set have in common."""

    version: int
    protocol: str | int
    ports: tuple[str, ...]
    """Those that are given: `src_port`, `dst_port`."""

    @property
    def name(self) -> str:
        """Of its set."""
        protocol = self.protocol if isinstance(self.protocol, str) else f"protocol{self.protocol}"
        return "_".join((f"{protocol}_ipv{self.version}", *self.ports))


class _Part(NamedTuple):
    """A field of a header that begins `start` bytes after the beginning of the network or transport header."""

    base: int
    start: int
    header: type[Header]
    name: str
    shown: nft.FieldType

    @property
    def length(self) -> int:
        return self.header.field(self.name).bits // 8

    def load(self, register: int = 0) -> bytes:
        return nft.payload(self.base, self.start + self.header.field(self.name).offset // 8, self.length, register)


def _kind(flow: Flow) -> _Kind:
    if flow.src.version != flow.dst.version:
        raise FieldError("Flow", "dst", flow.dst, f"an IPv{flow.src.version} address")
    ports = tuple(name for name in ("src_port", "dst_port") if getattr(flow, name) is not None)
    for name in ports:
        if not 0 <= getattr(flow, name) <= 0xFFFF:
            raise FieldError("Flow", name, getattr(flow, name), "a port: 0 to 65535, or None for any")
    if flow.protocol in _PROTOCOLS or (flow.protocol in range(256) and not ports):
        return _Kind(flow.src.version, flow.protocol, ports)
    raise FieldError("Flow", "protocol", flow.protocol, "tcp, udp, or without ports a protocol number: 0 to 255")


def _key(flow: Flow) -> bytes:
    """A flow as an element of its kind's set."""
    ports = (port.to_bytes(2) for port in (flow.src_port, flow.dst_port) if port is not None)
    return nft.key(flow.src.packed, flow.dst.packed, *ports)


def _beginning(table: str, kind: _Kind, number: int) -> Iterator[nft.Message]:
    """The set of a kind, and the rule that looks into it."""
    parts = list(_parts(kind))
    registers = accumulate((nft.registers(part.length) for part in parts), initial=0)
    loads = [part.load(register) for part, register in zip(parts, registers, strict=False)]
    yield nft.new_set(table, kind.name, number, [(part.shown, part.length) for part in parts])
    yield nft.new_rule(table, CHAIN, (*_tests(kind), *loads, nft.lookup(kind.name, number), nft.drop()))


def _parts(kind: _Kind) -> Iterator[_Part]:
    """Where a packet that is to be dropped has what a flow is known by, in the order of `_key`.

    An error quotes what the other side sent, so there source and destination have changed places.
    """
    header, shown = (IPv4, nft.FieldType.IPV4) if kind.version == 4 else (IPv6, nft.FieldType.IPV6)
    if kind.protocol == "tcp":
        for name in ("src", "dst"):
            yield _Part(nft.NETWORK, 0, header, name, shown)
        for name in kind.ports:
            yield _Part(nft.TRANSPORT, 0, TCP, name, nft.FieldType.PORT)
        return
    quoted = _error_about(kind).header._fixed_size
    for name in ("dst", "src"):
        yield _Part(nft.TRANSPORT, quoted, header, name, shown)
    for name in kind.ports:
        other = "dst_port" if name == "src_port" else "src_port"
        yield _Part(nft.TRANSPORT, quoted + header._fixed_size, UDP, other, nft.FieldType.PORT)


class _Error(NamedTuple):
    """An ICMP error that a kernel sends about what it has no taker for."""

    header: type[ICMPv4Unreachable | ICMPv6Unreachable | ICMPv6ParameterProblem]
    code: int


def _error_about(kind: _Kind) -> _Error:
    if kind.version == 4:
        return _Error(ICMPv4Unreachable, 3 if kind.protocol == "udp" else 2)
    return _Error(ICMPv6Unreachable, 4) if kind.protocol == "udp" else _Error(ICMPv6ParameterProblem, 1)


def _tests(kind: _Kind) -> Iterator[bytes]:
    """What holds for a packet that is to be dropped, whatever its flow."""
    yield nft.meta(nft.Meta.NFPROTO)
    yield nft.compare(nft.EQUAL, socket.AF_INET if kind.version == 4 else socket.AF_INET6)
    yield nft.meta(nft.Meta.L4PROTO)
    if kind.protocol == "tcp":
        yield nft.compare(nft.EQUAL, socket.IPPROTO_TCP)
        flags = TCP.field("flags")
        yield nft.payload(nft.TRANSPORT, (flags.offset + flags.bits) // 8 - 1, 1)  # its last byte
        yield nft.masked(TCPFlags.RST)
        yield nft.compare(nft.NOT_EQUAL, 0)
        return
    yield nft.compare(nft.EQUAL, socket.IPPROTO_ICMP if kind.version == 4 else socket.IPPROTO_ICMPV6)
    error = _error_about(kind)
    ip, number = (IPv4, "protocol") if kind.version == 4 else (IPv6, "next_header")
    quoted = _PROTOCOLS.get(str(kind.protocol), kind.protocol)
    for start, header, name, value in (
        (0, error.header, "type", error.header().type),
        (0, error.header, "code", error.code),
        (error.header._fixed_size, ip, number, quoted),
    ):
        yield nft.payload(nft.TRANSPORT, start + header.field(name).offset // 8, 1)
        yield nft.compare(nft.EQUAL, int(value))


def _end(address: Any, port: int | None) -> str:
    shown = f"[{address}]" if address.version == 6 else str(address)
    return f"{shown}:{'*' if port is None else port}"
