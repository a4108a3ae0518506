"""Internet Control Message Protocol (RFC 792; next-hop MTU: RFC 1191, section 4; timestamps in milliseconds).

Router discovery is RFC 1256, address masks RFC 950, the extended echo RFC 8335. Extensions (RFC 4884) trail what
an error quotes, see `icmp_extensions.py`.
"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address

from rawkit.layout import (
    U2,
    U3,
    U7,
    U8,
    U16,
    U32,
    X8,
    X16,
    X32,
    Checksum,
    Count,
    Flag,
    IPv4Addr,
    Items,
    Record,
    TrailedLength,
    auto,
    default,
    expected,
)
from rawkit.wire.icmp_extensions import ICMPExtensionObject, ICMPExtensions, ICMPProbe, end_of_quote
from rawkit.wire.ip import IP
from rawkit.wire.ipv4 import IPv4
from rawkit.wire.packet import Header, Packet
from rawkit.wire.quote import quoting as _quoting
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = [
    "ICMPv4",
    "ICMPv4AddressMask",
    "ICMPv4Echo",
    "ICMPv4ExtendedEcho",
    "ICMPv4ExtendedEchoReply",
    "ICMPv4Information",
    "ICMPv4ParameterProblem",
    "ICMPv4Redirect",
    "ICMPv4RouterAdvertisement",
    "ICMPv4RouterSolicitation",
    "ICMPv4SourceQuench",
    "ICMPv4TimeExceeded",
    "ICMPv4Timestamp",
    "ICMPv4Unreachable",
    "RouterAddress",
]

QUOTED = 548
"""Bytes that an error quotes, so that it stays within 576 with its own headers (RFC 1812, section 4.3.2.3)."""


Extensions = tuple[ICMPExtensionObject, ...]


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
    def unreachable(
        *,
        code: int = 0,
        mtu: int = 0,
        quoting: Packet | Header | None = None,
        extensions: Extensions = (),
    ) -> Packet:
        """Destination unreachable: 0 net, 1 host, 2 protocol, 3 port, 4 fragmentation needed (then `mtu`)."""
        return _quoting(ICMPv4Unreachable(code=code, next_hop_mtu=mtu), quoting, QUOTED, extensions)

    @staticmethod
    def time_exceeded(
        *, code: int = 0, quoting: Packet | Header | None = None, extensions: Extensions = ()
    ) -> Packet:
        """Time exceeded: 0 in transit (TTL), 1 in reassembly."""
        return _quoting(ICMPv4TimeExceeded(code=code), quoting, QUOTED, extensions)

    @staticmethod
    def redirect(*, gateway: IPv4Address | str, code: int = 1, quoting: Packet | Header | None = None) -> Packet:
        """Redirect to `gateway`: 0 for the network, 1 for the host."""
        return _quoting(ICMPv4Redirect(code=code, gateway=gateway), quoting, QUOTED)

    @staticmethod
    def parameter_problem(
        *,
        pointer: int = 0,
        code: int = 0,
        quoting: Packet | Header | None = None,
        extensions: Extensions = (),
    ) -> Packet:
        """Parameter problem at octet `pointer` of the quoted packet."""
        return _quoting(ICMPv4ParameterProblem(code=code, pointer=pointer), quoting, QUOTED, extensions)

    def describe(self) -> str:
        return f"ICMPv4 type {self.type} code {self.code}"


class ICMPv4Echo(ICMPv4, values=(0,)):
    """Echo request (type 8) and echo reply (type 0)."""

    type: U8 = 8
    id: U16 = 0
    seq: U16 = 0

    def describe(self) -> str:
        return f"ICMPv4 echo {'request' if self.type == 8 else 'reply'} id={self.id} seq={self.seq}"


class ICMPv4Unreachable(ICMPv4, followed_by=IP, trailed_by=ICMPExtensions):
    """Destination unreachable; `length` is that of the quote in 32-bit words, if extensions follow (RFC 4884)."""

    type: U8 = 3
    unused: X8 = 0
    length: U8 = auto(TrailedLength(4, partial(end_of_quote, IPv4)))
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


class ICMPv4TimeExceeded(ICMPv4, followed_by=IP, trailed_by=ICMPExtensions):
    """Time exceeded; `length` as in destination unreachable."""

    type: U8 = 11
    unused: X8 = 0
    length: U8 = auto(TrailedLength(4, partial(end_of_quote, IPv4)))
    unused_word: X16 = 0

    def describe(self) -> str:
        return f"ICMPv4 time exceeded {'in reassembly' if self.code == 1 else 'in transit'}"


class ICMPv4RouterSolicitation(ICMPv4):
    """Router solicitation (RFC 1256, section 3)."""

    type: U8 = 10
    reserved: X32 = 0

    def describe(self) -> str:
        return "ICMPv4 router solicitation"


class RouterAddress(Record):
    """A router's address, and how much it is preferred: a signed number, of which 0x80000000 says not at all."""

    address: IPv4Addr
    preference: X32 = 0


class ICMPv4RouterAdvertisement(ICMPv4):
    """Router advertisement (RFC 1256, section 3): `routers` are good for `lifetime` seconds."""

    type: U8 = 9
    num_addrs: U8 = auto(Count("routers"))
    addr_entry_size: U8 = expected(2)
    lifetime: U16 = 1800
    routers: Items[RouterAddress] = ()

    def describe(self) -> str:
        return f"ICMPv4 router advertisement {' '.join(str(entry.address) for entry in self.routers)}".rstrip()


class ICMPv4ParameterProblem(ICMPv4, followed_by=IP, trailed_by=ICMPExtensions):
    """Parameter problem: `pointer` is the octet of the quoted packet at which the error was found."""

    type: U8 = 12
    pointer: U8 = 0
    length: U8 = auto(TrailedLength(4, partial(end_of_quote, IPv4)))
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


class ICMPv4Information(ICMPv4, values=(16,), body=False):
    """Information request (type 15) and reply (type 16): which network is this? Obsolete (RFC 6918)."""

    type: U8 = 15
    id: U16 = 0
    seq: U16 = 0

    def describe(self) -> str:
        return f"ICMPv4 information {'request' if self.type == 15 else 'reply'} id={self.id} seq={self.seq}"


class ICMPv4AddressMask(ICMPv4, values=(18,), body=False):
    """Address mask request (type 17) and reply (type 18; RFC 950, appendix I)."""

    type: U8 = 17
    id: U16 = 0
    seq: U16 = 0
    mask: IPv4Addr = default("0.0.0.0")

    def describe(self) -> str:
        return f"ICMPv4 address mask {'request' if self.type == 17 else f'reply {self.mask}'}"


class ICMPv4ExtendedEcho(ICMPv4, carries=ICMPProbe):
    """Extended echo request (RFC 8335, section 2): is the interface up that the extension names?

    With `local` it is one of the node that is asked, and else of a neighbour.
    """

    type: U8 = 42
    id: U16 = 0
    seq: U8 = 0
    reserved: U7 = 0
    local: Flag = True

    def describe(self) -> str:
        return f"ICMPv4 extended echo request id={self.id} seq={self.seq}"


class ICMPv4ExtendedEchoReply(ICMPv4):
    """Extended echo reply (RFC 8335, section 3): `active`, with IPv4 or IPv6, or the neighbour's `state`.

    The code says why there is no answer. Linux returns the request's extension, which is the payload here.
    """

    type: U8 = 43
    id: U16 = 0
    seq: U8 = 0
    state: U3 = 0
    reserved: U2 = 0
    active: Flag = False
    ipv4: Flag = False
    ipv6: Flag = False

    def describe(self) -> str:
        return (
            f"ICMPv4 extended echo reply id={self.id} seq={self.seq} {'active' if self.active else 'not active'}"
        )
