"""ICMP for IPv6 (RFC 4443) and neighbour discovery (RFC 4861, section 4; its options are in `nd_options.py`).

The extended echo is RFC 8335, node information RFC 4620. Extensions (RFC 4884) trail what an error quotes, see
`icmp_extensions.py`.
"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv6Address

from rawkit.layout import (
    MAC,
    U2,
    U3,
    U7,
    U8,
    U16,
    U29,
    U32,
    X16,
    X24,
    X32,
    Bytes8,
    Checksum,
    Flag,
    IPv6Addr,
    Items,
    TrailedLength,
    auto,
)
from rawkit.wire.icmp_extensions import ICMPExtensionObject, ICMPExtensions, ICMPProbe, end_of_quote
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.nd_options import (
    NDOption,
    PrefixInformation,
    SourceLinkLayerAddress,
    TargetLinkLayerAddress,
    target_mac,
)
from rawkit.wire.packet import Header, Packet
from rawkit.wire.quote import quoting as _quoting
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = [
    "ICMPv6",
    "ICMPv6Echo",
    "ICMPv6ExtendedEcho",
    "ICMPv6ExtendedEchoReply",
    "ICMPv6PacketTooBig",
    "ICMPv6ParameterProblem",
    "ICMPv6Redirect",
    "ICMPv6TimeExceeded",
    "ICMPv6Unreachable",
    "NeighborAdvertisement",
    "NeighborSolicitation",
    "NodeInformation",
    "RouterAdvertisement",
    "RouterSolicitation",
]

QUOTED = 1232
"""Bytes that an error quotes, so that it stays within the minimum MTU of 1280 (RFC 4443, section 2.4 (c))."""


Extensions = tuple[ICMPExtensionObject, ...]


class ICMPv6(Header, by="type", numbers={IP_PROTOCOLS: 58}):
    """Any ICMPv6 message; each type that is known has a class of its own, with its own body."""

    type: U8
    code: U8 = 0
    checksum: X16 = auto(Checksum(pseudo_header=IP_PROTOCOLS))

    @staticmethod
    def echo(*, id: int = 0, seq: int = 0) -> ICMPv6Echo:
        """An echo request; its data is the payload that follows."""
        return ICMPv6Echo(id=id, seq=seq)

    @staticmethod
    def echo_reply(*, id: int = 0, seq: int = 0) -> ICMPv6Echo:
        """The answer to an echo request."""
        return ICMPv6Echo(type=129, id=id, seq=seq)

    @staticmethod
    def unreachable(
        *, code: int = 0, quoting: Packet | Header | None = None, extensions: Extensions = ()
    ) -> Packet:
        """Destination unreachable: 0 no route, 1 prohibited, 3 address, 4 port."""
        return _quoting(ICMPv6Unreachable(code=code), quoting, QUOTED, extensions)

    @staticmethod
    def packet_too_big(*, mtu: int, quoting: Packet | Header | None = None) -> Packet:
        """The packet is larger than the next link's `mtu`."""
        return _quoting(ICMPv6PacketTooBig(mtu=mtu), quoting, QUOTED)

    @staticmethod
    def time_exceeded(
        *, code: int = 0, quoting: Packet | Header | None = None, extensions: Extensions = ()
    ) -> Packet:
        """Time exceeded: 0 in transit (hop limit), 1 in reassembly."""
        return _quoting(ICMPv6TimeExceeded(code=code), quoting, QUOTED, extensions)

    @staticmethod
    def parameter_problem(*, pointer: int = 0, code: int = 0, quoting: Packet | Header | None = None) -> Packet:
        """Parameter problem at byte `pointer`: 0 erroneous field, 1 unknown next header, 2 unknown option."""
        return _quoting(ICMPv6ParameterProblem(code=code, pointer=pointer), quoting, QUOTED)

    @staticmethod
    def neighbor_solicitation(
        target: IPv6Address | str, *, mac: MAC | str | bytes | None = None
    ) -> NeighborSolicitation:
        """The question for the MAC address of `target`, asked by the owner of `mac` (none: address detection)."""
        options = () if mac is None else (SourceLinkLayerAddress(address=mac),)
        return NeighborSolicitation(target=target, options=options)

    @staticmethod
    def neighbor_advertisement(
        target: IPv6Address | str, mac: MAC | str | bytes, *, solicited: bool = True, override: bool = True
    ) -> NeighborAdvertisement:
        """The answer that `target` is at `mac`."""
        options = (TargetLinkLayerAddress(address=mac),)
        return NeighborAdvertisement(target=target, solicited=solicited, override=override, options=options)

    def describe(self) -> str:
        return f"ICMPv6 type {self.type} code {self.code}"


class ICMPv6Unreachable(ICMPv6, followed_by=IPv6, trailed_by=ICMPExtensions):
    """Destination unreachable (section 3.1); `length` is that of the quote in 64-bit words (RFC 4884)."""

    type: U8 = 1
    length: U8 = auto(TrailedLength(8, partial(end_of_quote, IPv6)))
    unused: X24 = 0

    def describe(self) -> str:
        return f"ICMPv6 {UNREACHABLE.get(self.code, f'unreachable, code {self.code}')}"


UNREACHABLE = {
    0: "no route to destination",
    1: "prohibited",
    2: "beyond scope of source address",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed policy",
    6: "route rejected",
}


class ICMPv6PacketTooBig(ICMPv6, followed_by=IPv6):
    """Packet too big (section 3.2)."""

    type: U8 = 2
    mtu: U32

    def describe(self) -> str:
        return f"ICMPv6 packet too big, mtu={self.mtu}"


class ICMPv6TimeExceeded(ICMPv6, followed_by=IPv6, trailed_by=ICMPExtensions):
    """Time exceeded (section 3.3); `length` as in destination unreachable."""

    type: U8 = 3
    length: U8 = auto(TrailedLength(8, partial(end_of_quote, IPv6)))
    unused: X24 = 0

    def describe(self) -> str:
        return f"ICMPv6 time exceeded {'in reassembly' if self.code == 1 else 'in transit'}"


class ICMPv6ParameterProblem(ICMPv6, followed_by=IPv6):
    """Parameter problem (section 3.4)."""

    type: U8 = 4
    pointer: U32 = 0

    def describe(self) -> str:
        return f"ICMPv6 parameter problem at byte {self.pointer}"


class ICMPv6Echo(ICMPv6, values=(129,)):
    """Echo request (type 128) and echo reply (type 129)."""

    type: U8 = 128
    id: U16 = 0
    seq: U16 = 0

    def describe(self) -> str:
        return f"ICMPv6 echo {'request' if self.type == 128 else 'reply'} id={self.id} seq={self.seq}"


class ICMPv6ExtendedEcho(ICMPv6, carries=ICMPProbe):
    """Extended echo request (RFC 8335, section 2): is the interface up that the extension names?

    With `local` it is one of the node that is asked, and else of a neighbour.
    """

    type: U8 = 160
    id: U16 = 0
    seq: U8 = 0
    reserved: U7 = 0
    local: Flag = True

    def describe(self) -> str:
        return f"ICMPv6 extended echo request id={self.id} seq={self.seq}"


class ICMPv6ExtendedEchoReply(ICMPv6):
    """Extended echo reply (RFC 8335, section 3): `active`, with IPv4 or IPv6, or the neighbour's `state`.

    The code says why there is no answer. Linux returns the request's extension, which is the payload here.
    """

    type: U8 = 161
    id: U16 = 0
    seq: U8 = 0
    state: U3 = 0
    reserved: U2 = 0
    active: Flag = False
    ipv4: Flag = False
    ipv6: Flag = False

    def describe(self) -> str:
        return (
            f"ICMPv6 extended echo reply id={self.id} seq={self.seq} {'active' if self.active else 'not active'}"
        )


class NodeInformation(ICMPv6, values=(140,)):
    """Node information query (type 139) and reply (type 140; RFC 4620, section 4); the data is the payload.

    Of a query the code tells what its data is: 0 an IPv6 address, 1 a name, 2 an IPv4 address.
    """

    type: U8 = 139
    qtype: U16 = 0
    flags: X16 = 0
    nonce: Bytes8 = bytes(8)

    def describe(self) -> str:
        return f"ICMPv6 node information {'query' if self.type == 139 else 'reply'} qtype={self.qtype}"


class RouterSolicitation(ICMPv6):
    """Router solicitation (section 4.1): are there routers?"""

    type: U8 = 133
    reserved: X32 = 0
    options: Items[NDOption] = ()

    def describe(self) -> str:
        return "ICMPv6 router solicitation"


class RouterAdvertisement(ICMPv6):
    """Router advertisement (section 4.2): lifetime in seconds, the other times in milliseconds.

    `home_agent` is RFC 6275, section 7.1; `preference` RFC 4191, section 2.2: 1 is high, 0 medium, 3 low.
    """

    type: U8 = 134
    cur_hop_limit: U8 = 64
    managed: Flag = False
    other: Flag = False
    home_agent: Flag = False
    preference: U2 = 0
    proxy: Flag = False
    reserved: U2 = 0
    router_lifetime: U16 = 1800
    reachable_time: U32 = 0
    retrans_timer: U32 = 0
    options: Items[NDOption] = ()

    def describe(self) -> str:
        prefixes = [
            f" {option.prefix}/{option.prefix_length}"
            for option in self.options
            if isinstance(option, PrefixInformation)
        ]
        return f"ICMPv6 router advertisement{''.join(prefixes)}"


class ICMPv6Redirect(ICMPv6):
    """Redirect (section 4.5): `target` is the better first hop for `destination`, or itself on the link."""

    type: U8 = 137
    reserved: X32 = 0
    target: IPv6Addr
    destination: IPv6Addr
    options: Items[NDOption] = ()

    def describe(self) -> str:
        return f"ICMPv6 redirect {self.destination} to {self.target}"


class NeighborSolicitation(ICMPv6):
    """Neighbour solicitation (section 4.3): who has `target`?"""

    type: U8 = 135
    reserved: X32 = 0
    target: IPv6Addr
    options: Items[NDOption] = ()

    def describe(self) -> str:
        return f"ICMPv6 who has {self.target}"


class NeighborAdvertisement(ICMPv6):
    """Neighbour advertisement (section 4.4): `target` is here."""

    type: U8 = 136
    router: Flag = False
    solicited: Flag = False
    override: Flag = False
    reserved: U29 = 0
    target: IPv6Addr
    options: Items[NDOption] = ()

    def describe(self) -> str:
        at = target_mac(self.options)
        return f"ICMPv6 {self.target} is at {at}" if at is not None else f"ICMPv6 {self.target} is here"
