"""Echo over ICMP (RFC 792; RFC 4443 for IPv6): the request is made by hand, and the other end's kernel answers it.

A responder made by hand is here too. The kernel of its host answers as well, so that every request is answered
twice, unless the sysctl net.ipv4.icmp_echo_ignore_all (for IPv6: net.ipv6.icmp.echo_ignore_all) is set there.
"""

from __future__ import annotations

import socket
from types import MappingProxyType

from rawkit.echo.handmade import Echo, Heard, body_of
from rawkit.echo.handmade_ip import NumberedClientOverIP, NumberedServerOverIP, OverIP
from rawkit.wire import ICMPv4, ICMPv4Echo, ICMPv6, ICMPv6Echo, Packet

__all__ = ["Client", "Server"]


class OverICMP(OverIP):
    """An end over ICMP."""

    protocols = MappingProxyType({socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6})

    def packet(self, echo: Echo) -> Packet:
        icmp = ICMPv4 if self.version.family == socket.AF_INET else ICMPv6
        made = (icmp.echo_reply if echo.is_answer else icmp.echo)(id=echo.id, seq=echo.seq)
        return self.header(echo.src, echo.dst) / made / echo.data

    def echo_of(self, heard: Heard) -> Echo | None:
        is_four = self.version.family == socket.AF_INET
        header: type[ICMPv4Echo] | type[ICMPv6Echo] = ICMPv4Echo if is_four else ICMPv6Echo
        data = body_of(heard, self.version.header, header)
        if data is None:
            return None
        ip, icmp = heard.packet[self.version.header], heard.packet[header]
        return Echo(str(ip.src), str(ip.dst), icmp.type != header().type, icmp.id, icmp.seq, data)


class Client(OverICMP, NumberedClientOverIP):
    """Asks (host, identifier); identifier 0 is drawn by lot. Raises as `NumberedClientOverIP`."""


class Server(OverICMP, NumberedServerOverIP):
    """Answers requests to (host, identifier); identifier 0 is any. Raises as `Client`."""
