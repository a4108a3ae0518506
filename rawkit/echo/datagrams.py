"""What datagram sockets have in common: a call sends one datagram whole, a call receives one.

A buffer that is smaller than a datagram gets its beginning; the rest is lost, and MSG_TRUNC tells so (recv(2)).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from rawkit.echo.addresses import show
from rawkit.echo.endpoint import Received, Server, Service, explained, waiting_in
from rawkit.echo.unnumbered import UnnumberedClient
from rawkit.echo.witness import Witness

__all__ = ["DatagramClient", "DatagramServer"]


LARGEST: Final = 1 << 18
"""Bytes of no datagram: UDP's have 64 KiB, and UNIX ones what wmem_max allows."""


class DatagramClient(UnnumberedClient):
    """A connected datagram socket, `socket`."""

    socket: socket.socket
    timeout: float | None
    remedies: ClassVar[Mapping[int, str]] = MappingProxyType({})

    def send(self, data: bytes, peer: Any = None) -> int:
        with explained(f"send {len(data)} bytes", self.timeout, remedies=self.remedies):
            return self.socket.send(data)

    def receive(self, size: int) -> Received:
        with explained("receive", self.timeout, remedies=self.remedies):
            data, _, flags, peer = self.socket.recvmsg(size)
        return Received(data, peer, bool(flags & socket.MSG_TRUNC))

    def take_waiting(self) -> Iterator[Received]:
        for _ in waiting_in(self.socket):
            yield (received := self.receive(LARGEST))
            for each in received.descriptors:
                os.close(each)

    def who(self) -> Any:
        with explained("ask for the other end's address"):
            return self.socket.getpeername()

    def finish(self) -> None:
        pass

    def close(self) -> None:
        self.socket.close()


class DatagramServer(Server):
    """A bound datagram socket, `socket`: whoever knows its address may send to it."""

    plain: bool = True
    """Whether nothing but the data and its sender is of interest."""

    socket: socket.socket
    timeout: float | None
    remedies: ClassVar[Mapping[int, str]] = MappingProxyType({})

    def endless(self, peer: Any) -> bool:
        """Whether who sent this may answer the answer, and so for ever."""
        return False

    def accept(self) -> None:
        pass

    def send(self, data: bytes, peer: Any = None) -> int:
        with explained(f"send {len(data)} bytes to {show(peer)}", self.timeout, remedies=self.remedies):
            return self.socket.sendto(data, peer)

    def receive(self, size: int) -> Received:
        with explained(f"wait for a datagram at {show(self.address)}", self.timeout, remedies=self.remedies):
            data, _, flags, peer = self.socket.recvmsg(size)
        return Received(data, peer, bool(flags & socket.MSG_TRUNC))

    def service(self, size: int, witness: Witness | None = None) -> Service | None:
        from rawkit.echo.each import Each  # which is built on what stands here

        return Each(self, size, witness)

    def close(self) -> None:
        self.socket.close()
