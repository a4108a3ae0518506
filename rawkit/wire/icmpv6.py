"""ICMP for IPv6 (RFC 4443) and neighbour discovery (RFC 4861, section 4)."""

from __future__ import annotations

from ipaddress import IPv6Address

from rawkit.layout import (
    MAC,
    U8,
    U16,
    U29,
    U32,
    X16,
    X24,
    X32,
    Checksum,
    Flag,
    HeaderLength,
    IPv6Addr,
    Items,
    MACAddr,
    Record,
    Rest,
    auto,
)
from rawkit.wire.ipv6 import IPv6
from rawkit.wire.packet import Header, Packet
from rawkit.wire.quote import quoting as _quoting
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = [
    "ICMPv6",
    "ICMPv6Echo",
    "ICMPv6PacketTooBig",
    "ICMPv6ParameterProblem",
    "ICMPv6TimeExceeded",
    "ICMPv6Unreachable",
    "NDMalformedOptions",
    "NDOption",
    "NDUnknownOption",
    "NeighborAdvertisement",
    "NeighborSolicitation",
    "SourceLinkLayerAddress",
    "TargetLinkLayerAddress",
]

QUOTED = 1232
"""Bytes that an error quotes, so that it stays within the minimum MTU of 1280 (RFC 4443, section 2.4 (c))."""


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
    def unreachable(*, code: int = 0, quoting: Packet | Header | None = None) -> Packet:
        """Destination unreachable: 0 no route, 1 prohibited, 3 address, 4 port."""
        return _quoting(ICMPv6Unreachable(code=code), quoting, QUOTED)

    @staticmethod
    def packet_too_big(*, mtu: int, quoting: Packet | Header | None = None) -> Packet:
        """The packet is larger than the next link's `mtu`."""
        return _quoting(ICMPv6PacketTooBig(mtu=mtu), quoting, QUOTED)

    @staticmethod
    def time_exceeded(*, code: int = 0, quoting: Packet | Header | None = None) -> Packet:
        """Time exceeded: 0 in transit (hop limit), 1 in reassembly."""
        return _quoting(ICMPv6TimeExceeded(code=code), quoting, QUOTED)

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


class ICMPv6Unreachable(ICMPv6, followed_by=IPv6):
    """Destination unreachable (section 3.1); `length` is that of the quote in 64-bit words (RFC 4884)."""

    type: U8 = 1
    length: U8 = 0
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


class ICMPv6TimeExceeded(ICMPv6, followed_by=IPv6):
    """Time exceeded (section 3.3); `length` as in destination unreachable."""

    type: U8 = 3
    length: U8 = 0
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


class NDOption(Record, by="type"):
    """Any option of a neighbour discovery message; its length counts units of 8 bytes (section 4.6)."""

    type: U8


class SourceLinkLayerAddress(NDOption):
    """The sender's MAC address (section 4.6.1)."""

    type: U8 = 1
    length: U8 = auto(HeaderLength(unit=8))
    address: MACAddr


class TargetLinkLayerAddress(NDOption):
    """The target's MAC address (section 4.6.1)."""

    type: U8 = 2
    length: U8 = auto(HeaderLength(unit=8))
    address: MACAddr


class NDUnknownOption(NDOption, fallback=True):
    """An option that is not declared here, or whose length is not that of its type."""

    length: U8 = auto(HeaderLength(unit=8))
    data: Rest = b""


class NDMalformedOptions(NDOption, fallback=True):
    """The rest of the options, from one on whose length is zero or leads outside of the message."""

    malformed = True
    data: Rest = b""


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
        at = next((option.address for option in self.options if isinstance(option, TargetLinkLayerAddress)), None)
        return f"ICMPv6 {self.target} is at {at}" if at is not None else f"ICMPv6 {self.target} is here"
