"""Internet Control Message Protocol (RFC 792; next-hop MTU: RFC 1191, section 4; timestamps in milliseconds)."""

from __future__ import annotations

from ipaddress import IPv4Address

from rawkit.layout import U8, U16, U32, X8, X16, X32, Checksum, IPv4Addr, auto, default
from rawkit.wire.ip import IP
from rawkit.wire.packet import Header, Packet
from rawkit.wire.quote import quoting as _quoting
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = [
    "ICMPv4",
    "ICMPv4Echo",
    "ICMPv4ParameterProblem",
    "ICMPv4Redirect",
    "ICMPv4SourceQuench",
    "ICMPv4TimeExceeded",
    "ICMPv4Timestamp",
    "ICMPv4Unreachable",
]

QUOTED = 548
"""Bytes that an error quotes, so that it stays within 576 with its own headers (RFC 1812, section 4.3.2.3)."""


class ICMPv4(Header, by="type", numbers={IP_PROTOCOLS: 1}):
    """Any ICMP message; each type that is known has a class of its own, with its own body."""

    type: U8
    code: U8 = 0
    checksum: X16 = auto(Checksum())

    @staticmethod
    def echo(*, id: int = 0, seq: int = 0) -> ICMPv4Echo:
        """An echo request; its data is the payload that follows."""
        return ICMPv4Echo(id=id, seq=seq)

    @staticmethod
    def echo_reply(*, id: int = 0, seq: int = 0) -> ICMPv4Echo:
        """The answer to an echo request."""
        return ICMPv4Echo(type=0, id=id, seq=seq)

    @staticmethod
    def unreachable(*, code: int = 0, mtu: int = 0, quoting: Packet | Header | None = None) -> Packet:
        """Destination unreachable: 0 net, 1 host, 2 protocol, 3 port, 4 fragmentation needed (then `mtu`)."""
        return _quoting(ICMPv4Unreachable(code=code, next_hop_mtu=mtu), quoting, QUOTED)

    @staticmethod
    def time_exceeded(*, code: int = 0, quoting: Packet | Header | None = None) -> Packet:
        """Time exceeded: 0 in transit (TTL), 1 in reassembly."""
        return _quoting(ICMPv4TimeExceeded(code=code), quoting, QUOTED)

    @staticmethod
    def redirect(*, gateway: IPv4Address | str, code: int = 1, quoting: Packet | Header | None = None) -> Packet:
        """Redirect to `gateway`: 0 for the network, 1 for the host."""
        return _quoting(ICMPv4Redirect(code=code, gateway=gateway), quoting, QUOTED)

    @staticmethod
    def parameter_problem(*, pointer: int = 0, code: int = 0, quoting: Packet | Header | None = None) -> Packet:
        """Parameter problem at octet `pointer` of the quoted packet."""
        return _quoting(ICMPv4ParameterProblem(code=code, pointer=pointer), quoting, QUOTED)

    def describe(self) -> str:
        return f"ICMPv4 type {self.type} code {self.code}"


class ICMPv4Echo(ICMPv4, values=(0,)):
    """Echo request (type 8) and echo reply (type 0)."""

    type: U8 = 8
    id: U16 = 0
    seq: U16 = 0

    def describe(self) -> str:
        return f"ICMPv4 echo {'request' if self.type == 8 else 'reply'} id={self.id} seq={self.seq}"


class ICMPv4Unreachable(ICMPv4, followed_by=IP):
    """Destination unreachable; `length` is that of the quote in 32-bit words, if extensions follow (RFC 4884)."""

    type: U8 = 3
    unused: X8 = 0
    length: U8 = 0
    next_hop_mtu: U16 = 0

    def describe(self) -> str:
        mtu = f" mtu={self.next_hop_mtu}" if self.code == 4 else ""
        return f"ICMPv4 {UNREACHABLE.get(self.code, f'unreachable, code {self.code}')}{mtu}"


UNREACHABLE = {
    0: "net unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    5: "source route failed",
    9: "net prohibited",
    10: "host prohibited",
    13: "communication prohibited",
}


class ICMPv4SourceQuench(ICMPv4, followed_by=IP):
    """Source quench, which RFC 6633 deprecates."""

    type: U8 = 4
    unused: X32 = 0

    def describe(self) -> str:
        return "ICMPv4 source quench"


class ICMPv4Redirect(ICMPv4, followed_by=IP):
    """Redirect: `gateway` is the better first hop."""

    type: U8 = 5
    gateway: IPv4Addr = default("0.0.0.0")

    def describe(self) -> str:
        return f"ICMPv4 redirect to {self.gateway}"


class ICMPv4TimeExceeded(ICMPv4, followed_by=IP):
    """Time exceeded; `length` as in destination unreachable."""

    type: U8 = 11
    unused: X8 = 0
    length: U8 = 0
    unused_word: X16 = 0

    def describe(self) -> str:
        return f"ICMPv4 time exceeded {'in reassembly' if self.code == 1 else 'in transit'}"


class ICMPv4ParameterProblem(ICMPv4, followed_by=IP):
    """Parameter problem: `pointer` is the octet of the quoted packet at which the error was found."""

    type: U8 = 12
    pointer: U8 = 0
    length: U8 = 0
    unused: X16 = 0

    def describe(self) -> str:
        return f"ICMPv4 parameter problem at byte {self.pointer}"


class ICMPv4Timestamp(ICMPv4, values=(14,), body=False):
    """Timestamp request (type 13) and reply (type 14), in milliseconds since midnight UT."""

    type: U8 = 13
    id: U16 = 0
    seq: U16 = 0
    originate: U32 = 0
    receive: U32 = 0
    transmit: U32 = 0

    def describe(self) -> str:
        return f"ICMPv4 timestamp {'request' if self.type == 13 else 'reply'} id={self.id} seq={self.seq}"
