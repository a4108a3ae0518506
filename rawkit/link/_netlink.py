"""Netlink messages, no more of them than asking for routes and guarding flows takes (netlink(7), rtnetlink(7)).

pyroute2 keeps what labs need; importing any part of it takes 0.13 s and a lookup some milliseconds, which is long
beside a question that is answered in 50 µs.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Final, Self

__all__ = ["ACK", "CREATE", "DUMP", "NetlinkSocket", "attribute", "attributes", "be32", "nested", "text"]

HEADER: Final = struct.Struct("=IHHII")
"""struct nlmsghdr (<linux/netlink.h>): length, type, flags, sequence number, port."""
ATTRIBUTE: Final = struct.Struct("=HH")
"""struct nlattr (<linux/netlink.h>): length, type."""
ERROR: Final = struct.Struct("=i")
"""struct nlmsgerr (<linux/netlink.h>): error number, negative; the request follows."""

REQUEST, ACK, DUMP, CREATE = 0x1, 0x4, 0x300, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_NESTED, NLA_TYPE = 0x8000, 0x3FFF
RECEIVE_BYTES: Final = 1 << 16


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute, padded to four bytes."""
    length = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def nested(kind: int, *within: bytes) -> bytes:
    """An attribute that consists of attributes."""
    return attribute(kind | NLA_NESTED, b"".join(within))


def text(kind: int, value: str) -> bytes:
    """An attribute that is a string of C."""
    return attribute(kind, value.encode() + b"\0")


def be32(kind: int, value: int) -> bytes:
    """An attribute that is a number in network byte order, as nfnetlink has them."""
    return attribute(kind, value.to_bytes(4, signed=value < 0))


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in there by their type."""
    found, at = {}, 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size:
            break
        found[kind & NLA_TYPE] = data[at + ATTRIBUTE.size : at + length]
        at += length + -length % 4
    return found


class NetlinkSocket:
    """A netlink socket in the calling thread's network namespace. Raises OSError."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        self._sequence = 0

    def request(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        """Send one message, and return the bodies of the messages that answer it."""
        self._sequence += 1
        self._socket.send(_message(kind, flags | REQUEST, self._sequence, body))
        wanted: list[bytes] = []
        while True:
            for answer, body in self._receive():
                if answer == NLMSG_DONE:
                    return wanted
                if answer == NLMSG_ERROR:
                    _raise(body)
                    return wanted
                wanted.append(body)
            if not flags & (DUMP | ACK):
                return wanted

    def batch(self, messages: Iterable[tuple[int, int, bytes]]) -> None:
        """Send messages (type, flags, body) together, each to be acknowledged by the kernel where it says ACK."""
        data, waiting = b"", set()
        for kind, flags, body in messages:
            self._sequence += 1
            data += _message(kind, flags | REQUEST, self._sequence, body)
            if flags & ACK:
                waiting.add(self._sequence)
        self._socket.send(data)
        for _ in waiting:
            for answer, body in self._receive():
                if answer == NLMSG_ERROR:
                    _raise(body)

    def _receive(self) -> Iterator[tuple[int, bytes]]:
        data, at = self._socket.recv(RECEIVE_BYTES), 0
        while at + HEADER.size <= len(data):
            length, kind, _, _, _ = HEADER.unpack_from(data, at)
            yield kind, data[at + HEADER.size : at + length]
            at += length + -length % 4

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body + bytes(-len(body) % 4)


def _raise(body: bytes) -> None:
    """Raise what an error message says, unless it says that all is well."""
    number = -ERROR.unpack_from(body)[0]
    if number:
        raise OSError(number, os.strerror(number) if number in errno.errorcode else f"error {number}")
