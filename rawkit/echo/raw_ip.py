"""Echo over an IP protocol of its own: 253, which is for experiments (RFC 3692, section 2.1)."""

from __future__ import annotations

import socket
from types import MappingProxyType
from typing import Final

from rawkit.echo.handmade import Echo, Heard, body_of, echo_in, header_of
from rawkit.echo.handmade_ip import NumberedClientOverIP, NumberedServerOverIP, OverIP
from rawkit.wire import Packet

__all__ = ["PROTOCOL", "Client", "Server"]

PROTOCOL: Final = 253


class OverItsOwn(OverIP):
    """An end over this protocol."""

    protocols = MappingProxyType({socket.AF_INET: PROTOCOL, socket.AF_INET6: PROTOCOL})

    def packet(self, echo: Echo) -> Packet:
        return self.header(echo.src, echo.dst, PROTOCOL) / header_of(echo) / echo.data

    def echo_of(self, heard: Heard) -> Echo | None:
        if (body := body_of(heard, self.version.header)) is None:
            return None
        ip = heard.packet[self.version.header]
        return echo_in(body, str(ip.src), str(ip.dst))


class Client(OverItsOwn, NumberedClientOverIP):
    """Asks (host, identifier); identifier 0 is drawn by lot. Raises as `NumberedClientOverIP`."""


class Server(OverItsOwn, NumberedServerOverIP):
    """Answers questions to (host, identifier); identifier 0 is any. Raises as `Client`."""
