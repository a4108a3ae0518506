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

__all__ = ["CREATE", "NetlinkSocket", "attribute", "attributes", "be32", "nested", "text"]

HEADER: Final = struct.Struct("=IHHII")
"""struct nlmsghdr (<linux/netlink.h>): length, type, flags, sequence number, port."""
ATTRIBUTE: Final = struct.Struct("=HH")
"""struct nlattr (<linux/netlink.h>): length, type."""
ERROR: Final = struct.Struct("=i")
"""struct nlmsgerr (<linux/netlink.h>): error number, negative; the request follows."""

REQUEST, ACK, CREATE = 0x1, 0x4, 0x400
NLMSG_ERROR = 2
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

    def request(self, kind: int, body: bytes) -> bytes:
        """Send one message that asks for one thing, and return the body of its answer."""
        sequence = self._next()
        self._socket.send(_message(kind, REQUEST, sequence, body))
        while True:
            for answer, about, told in self._receive():
                if about == sequence:
                    if answer == NLMSG_ERROR:
                        _raise(told)
                    return told

    def batch(self, messages: Iterable[tuple[int, int, bytes]], end: tuple[int, int, bytes]) -> None:
        """Send messages (type, flags, body) together, `end` after them, and wait until they are done.

        Only the last before the end is to be acknowledged, since the kernel tells of every error in any case,
        and acknowledgements of many would fill the receive buffer.
        """
        first = self._sequence + 1
        data = bytearray()
        waiting = list(messages)
        for number, (kind, flags, body) in enumerate(waiting, 1):
            flags |= REQUEST | (ACK if number == len(waiting) else 0)
            data += _message(kind, flags, self._next(), body)
        last = self._sequence
        data += _message(end[0], end[1] | REQUEST, self._next(), end[2])
        self._socket.send(data)
        done = False
        while not done:
            for answer, about, told in self._receive():
                if answer == NLMSG_ERROR and about >= first:  # before that: what was not read after an error
                    _raise(told)
                    done = done or about == last

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _receive(self) -> Iterator[tuple[int, int, bytes]]:
        """Type, sequence number and body of the messages of one datagram."""
        data, at = self._socket.recv(RECEIVE_BYTES), 0
        while at + HEADER.size <= len(data):
            length, kind, _, sequence, _ = HEADER.unpack_from(data, at)
            yield kind, sequence, data[at + HEADER.size : at + length]
            at += max(length, HEADER.size) + -length % 4

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
