"""Internet Protocol, version 4 (RFC 791), and its options (RFC 791, section 3.1; RFC 2113)."""

from __future__ import annotations

from ipaddress import IPv4Address

from rawkit.layout import (
    U2,
    U4,
    U6,
    U8,
    U13,
    U16,
    U32,
    X16,
    Bytes2,
    Checksum,
    Flag,
    HeaderLength,
    IPv4Addr,
    IPv4Addrs,
    Items,
    Length,
    NextProtocol,
    Record,
    Rest,
    U32s,
    Unspecified,
    address_text,
    auto,
    expected,
)
from rawkit.wire.ip import IP
from rawkit.wire.spaces import IP_PROTOCOLS, MPLS_PAYLOADS

__all__ = [
    "AddressAndTimestamp",
    "IPv4",
    "IPv4EndOfOptions",
    "IPv4MalformedOptions",
    "IPv4NoOperation",
    "IPv4Option",
    "IPv4RouterAlert",
    "IPv4Security",
    "IPv4Timestamp",
    "IPv4TimestampWithAddresses",
    "IPv4UnknownOption",
    "LooseSourceRoute",
    "RecordRoute",
    "StreamIdentifier",
    "StrictSourceRoute",
]


class IPv4Option(Record, by="kind"):
    """Any option of an IPv4 header; `kind` is the whole octet: copied flag, class and number."""

    kind: U8

    @property
    def copied(self) -> bool:
        """The copied flag, the first bit of `kind`: whether the option is for every fragment."""
        return self.kind >= COPIED


COPIED = 128


class IPv4EndOfOptions(IPv4Option):
    """End of option list; the rest of the header is padding."""

    kind: U8 = 0
    padding: Rest = b""


class IPv4NoOperation(IPv4Option):
    """No operation, which aligns the option that follows."""

    kind: U8 = 1


class RecordRoute(IPv4Option):
    """Record route: routers enter their addresses from `pointer` (from 1, of an octet in the option) on."""

    kind: U8 = 7
    length: U8 = auto(HeaderLength())
    pointer: U8 = 4
    route: IPv4Addrs = ()

    def visited(self) -> tuple[IPv4Address, ...]:
        """The addresses before the pointer: those of routers that the packet has passed."""
        return self.route[: max(self.pointer - FIRST_ADDRESS, 0) // ADDRESS_SIZE]


FIRST_ADDRESS, ADDRESS_SIZE = 4, 4
"""What a route's pointer counts: octets of the option, from 1; the first address begins at the fourth."""


class LooseSourceRoute(RecordRoute):
    """Loose source and record route: the addresses to go by, with any routers in between."""

    kind: U8 = 131


class StrictSourceRoute(RecordRoute):
    """Strict source and record route: the addresses to go by, with no others in between."""

    kind: U8 = 137


class AddressAndTimestamp(Record):
    """A router's address and its time, in milliseconds since midnight UT."""

    address: IPv4Addr
    timestamp: U32 = 0


class IPv4Timestamp(IPv4Option):
    """Internet timestamp. With flag 0, the routers' times in milliseconds since midnight UT."""

    kind: U8 = 68
    length: U8 = auto(HeaderLength())
    pointer: U8 = 5
    overflow: U4 = 0
    flag: U4 = expected(0, decisive=True)
    timestamps: U32s = ()


class IPv4TimestampWithAddresses(IPv4Option, fallback=True):
    """Internet timestamp with flag 1 (each router adds address and time) or 3 (those named add theirs)."""

    kind: U8 = expected(68, decisive=True)
    length: U8 = auto(HeaderLength())
    pointer: U8 = 5
    overflow: U4 = 0
    flag: U4 = 1
    entries: Items[AddressAndTimestamp] = ()


class StreamIdentifier(IPv4Option):
    """Stream identifier of the SATNET."""

    kind: U8 = 136
    length: U8 = auto(HeaderLength())
    stream: U16 = 0


class IPv4Security(IPv4Option):
    """Security: level, compartments, handling restrictions and transmission control code."""

    kind: U8 = 130
    length: U8 = auto(HeaderLength())
    security: X16 = 0
    compartments: X16 = 0
    handling: Bytes2 = b"\0\0"
    transmission_control: Rest = b"\0\0\0"


class IPv4RouterAlert(IPv4Option):
    """Router alert (RFC 2113): 0 asks every router to look at the packet."""

    kind: U8 = 148
    length: U8 = auto(HeaderLength())
    value: U16 = 0


class IPv4UnknownOption(IPv4Option, fallback=True):
    """An option that is not declared here, or whose length is not that of its kind."""

    length: U8 = auto(HeaderLength())
    data: Rest = b""


class IPv4MalformedOptions(IPv4Option, fallback=True):
    """The rest of the options, from one on whose length leads outside of the header."""

    malformed = True
    data: Rest = b""


class IPv4(
    IP,
    values=(4,),
    pseudo_header=("src", "dst"),
    numbers={MPLS_PAYLOADS: tuple(range(0x40, 0x50))},
):
    """The header of RFC 791, section 3.1, with the type of service of RFC 2474 and RFC 3168.

    `src` is filled by whoever sends the packet; where nobody does, it is 0.0.0.0 ("this host", RFC 1122,
    section 3.2.1.3).
    """

    version: U4 = expected(4, decisive=True)
    ihl: U4 = auto(HeaderLength(unit=4))
    dscp: U6 = 0
    ecn: U2 = 0
    total_length: U16 = auto(Length(header=True))
    identification: U16 = 0
    reserved: Flag = False
    dont_fragment: Flag = False
    more_fragments: Flag = False
    fragment_offset: U13 = 0
    ttl: U8 = 64
    protocol: U8 = auto(NextProtocol(IP_PROTOCOLS, unless="fragment_offset", partial="more_fragments"))
    checksum: X16 = auto(Checksum(body=False))
    src: IPv4Addr = auto(Unspecified("0.0.0.0"))
    dst: IPv4Addr
    options: Items[IPv4Option] = ()

    def describe(self) -> str:
        addresses = f"IPv4 {address_text(self.src)} > {address_text(self.dst)}"
        if self.fragment_offset or self.more_fragments:
            return f"{addresses} fragment at {8 * self.fragment_offset}"
        return addresses

    def final_destination(self) -> IPv4Address | None:
        """The end of a source route that is still ahead; None where the packet goes to `dst` itself."""
        for option in self.options:
            if isinstance(option, (LooseSourceRoute, StrictSourceRoute)) and option.route[len(option.visited()) :]:
                return option.route[-1]
        return None
