"""Keeping this host's kernel out of a handmade conversation, by nftables rules that end with this process.

A kernel that knows nothing of a connection resets it (RFC 9293, section 3.10.7.1), and tells the sender of a
datagram that nothing listens on its port (RFC 1122, section 4.1.3.1). Both would end what is made by hand.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple, Self

from rawkit.errors import FieldError, kernel_error
from rawkit.link._netlink import ACK, CREATE, NetlinkSocket, attribute, be32, nested, text
from rawkit.wire import TCP, UDP, Header, ICMPv4Unreachable, ICMPv6Unreachable, IPv4, IPv6, TCPFlags

__all__ = ["Flow", "FlowGuard"]

NETLINK_NETFILTER: Final = 12  # <linux/netlink.h>
NFPROTO_INET: Final = 1  # <linux/netfilter.h>
_GENMSG: Final = struct.Struct("!BBH")
"""struct nfgenmsg (<linux/netfilter/nfnetlink.h>): family, version, resource."""
_SUBSYSTEM, _BATCH_BEGIN, _BATCH_END = 10, 16, 17  # NFNL_SUBSYS_NFTABLES, NFNL_MSG_BATCH_
# <linux/netfilter/nf_tables.h>
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE = 0, 3, 6
_TABLE_NAME, _TABLE_FLAGS, _OWNER = 1, 2, 2
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_TYPE, _HOOK_NUMBER, _HOOK_PRIORITY = 1, 3, 4, 7, 1, 2
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS, _ELEMENT, _NAME, _DATA = 1, 2, 4, 1, 1, 2
_META_DREG, _META_KEY, _META_NFPROTO, _META_L4PROTO = 1, 2, 15, 16
_PAYLOAD_DREG, _PAYLOAD_BASE, _PAYLOAD_OFFSET, _PAYLOAD_LENGTH = 1, 2, 3, 4
_NETWORK, _TRANSPORT = 1, 2
_CMP_SREG, _CMP_OP, _CMP_DATA, _EQUAL, _NOT_EQUAL, _VALUE = 1, 2, 3, 0, 1, 1
_BITWISE_SREG, _BITWISE_DREG, _BITWISE_LENGTH, _BITWISE_MASK, _BITWISE_XOR = 1, 2, 3, 4, 5
_IMMEDIATE_DREG, _IMMEDIATE_DATA, _VERDICT, _VERDICT_CODE = 1, 2, 2, 1
_REGISTER, _VERDICT_REGISTER, _DROP = 1, 0, 0
_LOCAL_OUT, _PRIORITY = 3, -300
CHAIN: Final = "quiet"

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_NOT_HERE = {
    errno.EPROTONOSUPPORT: "this kernel has no nf_tables; ask with an address that no kernel owns instead",
    errno.EOPNOTSUPP: "this kernel's nf_tables has no table owners (before Linux 5.12)",
}

AnyAddress = IPv4Address | IPv6Address


class Flow(NamedTuple):
    """A conversation, seen from this host. `protocol` is `tcp` or `udp`; a port that is None is any port."""

    src: AnyAddress
    dst: AnyAddress
    src_port: int | None
    dst_port: int | None
    protocol: str = "tcp"

    def __str__(self) -> str:
        ends = (_end(self.src, self.src_port), _end(self.dst, self.dst_port))
        return f"{self.protocol.upper()} {' > '.join(ends)}"


class FlowGuard:
    """While it is open, the kernel of this host says nothing of its own in the flows that were added.

        with FlowGuard() as guard:
            guard.add(Flow(ip_address("10.0.0.1"), ip_address("10.0.0.2"), 1025, 80))

    It does not send TCP resets, nor port unreachable messages about UDP; everything else goes on as before. What
    is sent through a packet socket does not pass here; a reset that is sent through a raw socket does, and is
    dropped. The rules are a table of their own, `rawkit-` and the process number, in the namespace of the calling
    thread. It belongs to this object's netlink socket: the kernel removes it when that is closed, also after
    SIGKILL.

    Raises NotPermittedError without CAP_NET_ADMIN, KernelError on a kernel without nf_tables.
    """

    def __init__(self, flows: Iterable[Flow] = ()) -> None:
        self._doing = "keep the kernel out of a conversation"
        try:
            self._netlink = NetlinkSocket(NETLINK_NETFILTER)
        except OSError as error:
            raise kernel_error(error, self._doing, "CAP_NET_ADMIN", remedies=_NOT_HERE) from error
        self._table = f"rawkit-{os.getpid()}-{self._netlink.fileno()}"
        try:
            self._send([*self._table_messages(), *(self._rule(flow) for flow in flows)])
        except BaseException:
            self.close()
            raise

    def add(self, *flows: Flow) -> None:
        """Keep the kernel out of these flows too. Raises FieldError, NotPermittedError, KernelError."""
        self._send([self._rule(flow) for flow in flows])

    def close(self) -> None:
        """Let the kernel speak again. Closing twice is no error."""
        self._netlink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, messages: list[tuple[int, int, bytes]]) -> None:
        subsystem = _GENMSG.pack(socket.AF_UNSPEC, 0, _SUBSYSTEM)
        batch = [(_BATCH_BEGIN, 0, subsystem), *messages, (_BATCH_END, 0, subsystem)]
        try:
            self._netlink.batch(batch)
        except OSError as error:
            raise kernel_error(error, self._doing, "CAP_NET_ADMIN", remedies=_NOT_HERE) from error

    def _table_messages(self) -> Iterator[tuple[int, int, bytes]]:
        yield _new(_NEW_TABLE, text(_TABLE_NAME, self._table) + be32(_TABLE_FLAGS, _OWNER))
        hook = nested(_CHAIN_HOOK, be32(_HOOK_NUMBER, _LOCAL_OUT), be32(_HOOK_PRIORITY, _PRIORITY))
        chain = text(_CHAIN_TABLE, self._table) + text(_CHAIN_NAME, CHAIN) + hook + text(_CHAIN_TYPE, "filter")
        yield _new(_NEW_CHAIN, chain)

    def _rule(self, flow: Flow) -> tuple[int, int, bytes]:
        if flow.protocol not in _PROTOCOLS:
            raise FieldError("Flow", "protocol", flow.protocol, "tcp or udp")
        tests = _reset_in(flow) if flow.protocol == "tcp" else _unreachable_about(flow)
        rule = text(_RULE_TABLE, self._table) + text(_RULE_CHAIN, CHAIN)
        return _new(_NEW_RULE, rule + nested(_RULE_EXPRESSIONS, *tests, _drop()))


def _reset_in(flow: Flow) -> Iterator[bytes]:
    """The tests that a TCP reset of this host in that flow passes."""
    ip: type[Header] = IPv4 if flow.src.version == 4 else IPv6
    yield from _meta(_META_NFPROTO, _FAMILIES[flow.src.version])
    yield from _meta(_META_L4PROTO, _PROTOCOLS["tcp"])
    yield from _field(_NETWORK, 0, ip, "src", flow.src.packed)
    yield from _field(_NETWORK, 0, ip, "dst", flow.dst.packed)
    yield from _ports(_TRANSPORT, 0, TCP, flow.src_port, flow.dst_port)
    yield from _flag(TCP, TCPFlags.RST)


def _unreachable_about(flow: Flow) -> Iterator[bytes]:
    """The tests that a port unreachable message of this host passes which quotes a datagram of the other side."""
    ip: type[Header]
    error: type[Header]
    if flow.src.version == 4:
        ip, error, protocol, code, number = IPv4, ICMPv4Unreachable, socket.IPPROTO_ICMP, 3, "protocol"
    else:
        ip, error, protocol, code, number = IPv6, ICMPv6Unreachable, socket.IPPROTO_ICMPV6, 4, "next_header"
    quoted = error._fixed_size
    inside = quoted + ip._fixed_size
    yield from _meta(_META_NFPROTO, _FAMILIES[flow.src.version])
    yield from _meta(_META_L4PROTO, protocol)
    yield from _field(_TRANSPORT, 0, error, "type", bytes([error().type]))
    yield from _field(_TRANSPORT, 0, error, "code", bytes([code]))
    yield from _field(_TRANSPORT, quoted, ip, number, bytes([_PROTOCOLS["udp"]]))
    yield from _field(_TRANSPORT, quoted, ip, "src", flow.dst.packed)
    yield from _field(_TRANSPORT, quoted, ip, "dst", flow.src.packed)
    yield from _ports(_TRANSPORT, inside, UDP, flow.dst_port, flow.src_port)


def _ports(base: int, start: int, header: type[Header], src: int | None, dst: int | None) -> Iterator[bytes]:
    for name, port in (("src_port", src), ("dst_port", dst)):
        if port is not None:
            yield from _field(base, start, header, name, port.to_bytes(2))


def _field(base: int, start: int, header: type[Header], name: str, value: bytes) -> Iterator[bytes]:
    """The test that a field of a header that starts there has this value."""
    yield _payload(base, start + header.field(name).offset // 8, len(value))
    yield _compare(_EQUAL, value)


def _flag(header: type[Header], flag: TCPFlags) -> Iterator[bytes]:
    """The test that a flag is set."""
    field = header.field("flags")
    last = field.offset + field.bits - 8
    yield _payload(_TRANSPORT, last // 8, 1)
    yield _expression(
        "bitwise",
        be32(_BITWISE_SREG, _REGISTER),
        be32(_BITWISE_DREG, _REGISTER),
        be32(_BITWISE_LENGTH, 1),
        nested(_BITWISE_MASK, attribute(_VALUE, bytes([flag]))),
        nested(_BITWISE_XOR, attribute(_VALUE, bytes(1))),
    )
    yield _compare(_NOT_EQUAL, bytes(1))


def _meta(key: int, value: int) -> Iterator[bytes]:
    yield _expression("meta", be32(_META_KEY, key), be32(_META_DREG, _REGISTER))
    yield _compare(_EQUAL, bytes([value]))


def _payload(base: int, offset: int, length: int) -> bytes:
    return _expression(
        "payload",
        be32(_PAYLOAD_DREG, _REGISTER),
        be32(_PAYLOAD_BASE, base),
        be32(_PAYLOAD_OFFSET, offset),
        be32(_PAYLOAD_LENGTH, length),
    )


def _compare(operator: int, value: bytes) -> bytes:
    data = nested(_CMP_DATA, attribute(_VALUE, value))
    return _expression("cmp", be32(_CMP_SREG, _REGISTER), be32(_CMP_OP, operator), data)


def _drop() -> bytes:
    verdict = nested(_IMMEDIATE_DATA, nested(_VERDICT, be32(_VERDICT_CODE, _DROP)))
    return _expression("immediate", be32(_IMMEDIATE_DREG, _VERDICT_REGISTER), verdict)


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(_ELEMENT, text(_NAME, name), nested(_DATA, *parts))


def _new(kind: int, body: bytes) -> tuple[int, int, bytes]:
    """A message for the batch, with the flags of one that makes something."""
    return _SUBSYSTEM * 256 + kind, CREATE | ACK, _GENMSG.pack(NFPROTO_INET, 0, 0) + body


def _end(address: Any, port: int | None) -> str:
    shown = f"[{address}]" if address.version == 6 else str(address)
    return f"{shown}:{'*' if port is None else port}"
