"""Extensions of ICMP errors (RFC 4884): MPLS labels (RFC 4950), interfaces (RFC 5837 and RFC 8335), and others.

The structure stands behind the quoted packet. It trails the message's body, in `packet.trailers`; reading it as
`ICMPExtensions` is left to `rawkit.wire.trailing`, so its bytes stay as they came.
"""

from __future__ import annotations

from collections.abc import Iterator

from rawkit.errors import PacketError
from rawkit.layout import (
    U2,
    U3,
    U4,
    U8,
    U16,
    U20,
    X8,
    X12,
    X16,
    Checksum,
    Count,
    Flag,
    HeaderLength,
    IPv4Addr,
    IPv6Addr,
    Item,
    Items,
    Record,
    Rest,
    U32s,
    auto,
    expected,
)
from rawkit.wire.packet import Header

__all__ = [
    "QUOTED_AT_LEAST",
    "ICMPExtensionObject",
    "ICMPExtensions",
    "ICMPMalformedObjects",
    "ICMPProbe",
    "ICMPUnknownObject",
    "InterfaceAddress",
    "InterfaceAddressIPv4",
    "InterfaceAddressIPv6",
    "InterfaceByAddress",
    "InterfaceByIndex",
    "InterfaceByName",
    "InterfaceInformation",
    "InterfaceName",
    "MPLSLabel",
    "MPLSLabelStack",
    "end_of_quote",
]

QUOTED_AT_LEAST = 128
"""Bytes that a quote is padded to if extensions follow it (RFC 4884, section 3)."""


class ICMPExtensionObject(Record, by="class_num"):
    """Any object of the extension structure (RFC 4884, section 8); its length counts its header of 4 bytes too."""

    length: U16 = auto(HeaderLength())
    class_num: U8


class MPLSLabel(Record):
    """One entry of an MPLS label stack (RFC 3032, section 2.1)."""

    label: U20
    experimental: U3 = 0
    bottom: Flag = True
    ttl: U8 = 1


class MPLSLabelStack(ICMPExtensionObject):
    """The label stack with which the quoted packet came (RFC 4950, section 3)."""

    class_num: U8 = 1
    c_type: U8 = expected(1, decisive=True)
    labels: Items[MPLSLabel] = ()


class InterfaceAddress(Record, by="afi", abstract=True):
    """An address of an interface (RFC 5837, section 4.2)."""

    afi: U16
    reserved: X16 = 0


class InterfaceAddressIPv4(InterfaceAddress):
    """An IPv4 address."""

    afi: U16 = 1
    address: IPv4Addr


class InterfaceAddressIPv6(InterfaceAddress):
    """An IPv6 address."""

    afi: U16 = 2
    address: IPv6Addr


class InterfaceName(Record):
    """The name of an interface (RFC 5837, section 4.3), with the zeros that pad it to whole words."""

    length: U8 = auto(HeaderLength())
    name: Rest = b""

    @classmethod
    def of(cls, name: str) -> InterfaceName:
        """The name as text, padded. It has 63 bytes at the most."""
        data = name.encode()
        return cls(name=data + bytes(-(len(data) + 1) % 4))

    @property
    def text(self) -> str:
        """The name without its padding."""
        return self.name.rstrip(b"\0").decode("utf-8", "replace")


class InterfaceInformation(ICMPExtensionObject):
    """An interface of the router that sent the error (RFC 5837, section 4).

    `role` is 0 for the one that the quoted packet came in on, 1 for its sub-interface, 2 for the one that it would
    have left by, 3 for that towards the next hop. What the flags count is there once or not at all.
    """

    class_num: U8 = 2
    role: U2 = 0
    reserved: U2 = 0
    has_index: Flag = auto(Count("index"))
    has_address: Flag = auto(Count("address"))
    has_name: Flag = auto(Count("name"))
    has_mtu: Flag = auto(Count("mtu"))
    index: U32s = ()
    address: Items[InterfaceAddress] = ()
    name: Items[InterfaceName] = ()
    mtu: U32s = ()
    rest: Rest = b""


class InterfaceByName(ICMPExtensionObject):
    """The interface that an extended echo asks about, by name (RFC 8335, section 2.1)."""

    class_num: U8 = 3
    c_type: U8 = expected(1, decisive=True)
    name: Rest = b""


class InterfaceByIndex(ICMPExtensionObject):
    """The interface that an extended echo asks about, by number (RFC 8335, section 2.1)."""

    class_num: U8 = 3
    c_type: U8 = expected(2, decisive=True)
    index: U32s = ()


class InterfaceByAddress(ICMPExtensionObject):
    """The interface that an extended echo asks about, by an address of its (RFC 8335, section 2.1)."""

    class_num: U8 = 3
    c_type: U8 = expected(3, decisive=True)
    afi: U16 = 1
    address_length: U8 = auto(Count("address"))
    reserved: X8 = 0
    address: Rest = b""
    padding: Rest = b""


class ICMPUnknownObject(ICMPExtensionObject, fallback=True):
    """An object that is not declared here, or whose content is not that of its class and type."""

    c_type: U8 = 0
    data: Rest = b""


class ICMPMalformedObjects(ICMPExtensionObject, fallback=True, bare=True):
    """The rest of the structure, from an object on whose length leads outside, or is below its header's."""

    malformed = True
    data: Rest = b""


class ICMPExtensions(Header):
    """The extension structure (RFC 4884, section 7); a checksum of zero says that none was computed."""

    version: U4 = expected(2)
    reserved: X12 = 0
    checksum: X16 = auto(Checksum(optional=True))
    objects: Items[ICMPExtensionObject] = ()

    def describe(self) -> str:
        return f"ICMP extensions {', '.join(map(_in_words, self.objects))}".rstrip()


class ICMPProbe(Header):
    """What an extended echo asks about (RFC 8335, section 2): an extension structure with one object."""

    version: U4 = expected(2)
    reserved: X12 = 0
    checksum: X16 = auto(Checksum(body=False, optional=True))
    objects: Item[ICMPExtensionObject]

    def describe(self) -> str:
        return f"about {', '.join(map(_in_words, self.objects))}"


def _in_words(item: ICMPExtensionObject) -> str:
    if isinstance(item, MPLSLabelStack):
        return f"MPLS labels {' '.join(str(entry.label) for entry in item.labels)}"
    if isinstance(item, InterfaceInformation):
        named = [f"{word} {value}" for word, value in _interface(item)]
        return f"interface {' '.join(named)}".rstrip()
    if isinstance(item, InterfaceByName):
        return f"interface {item.name.rstrip(bytes(1)).decode('utf-8', 'replace')!r}"
    if isinstance(item, InterfaceByIndex):
        return f"interface {' '.join(map(str, item.index))}"
    return type(item).__name__


def _interface(item: InterfaceInformation) -> Iterator[tuple[str, object]]:
    yield from [("index", index) for index in item.index]
    yield from [("address", getattr(entry, "address", "")) for entry in item.address]
    yield from [("name", entry.text) for entry in item.name]
    yield from [("mtu", mtu) for mtu in item.mtu]


def end_of_quote(quoted: type[Header], data: bytes, start: int, end: int) -> int:
    """Where the packet that is quoted from `start` on ends, if the error itself does not tell.

    Behind 128 bytes, if the packet had no more: then what follows are extensions of a sender that does not know
    the length field (RFC 4884, section 5.5). Otherwise all that is there is the quote.
    """
    limit = start + QUOTED_AT_LEAST
    if limit >= end:
        return end
    try:
        _, _, stop, _ = quoted._parse(data, start, end, False)
    except PacketError:
        return end
    return limit if stop <= limit else end
