"""Strategies for hypothesis, made from the declarations: records, and stacks of headers."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from vectors import VECTORS

import rawkit.wire
from rawkit.layout import (
    AUTO,
    Count,
    FieldInfo,
    FixedBytes,
    FlagSet,
    HeaderLength,
    ItemList,
    NextProtocol,
    Optional,
    Record,
    UInt,
)
from rawkit.layout.kinds import FlagKind, IPv4AddressKind, IPv6AddressKind, MACKind
from rawkit.layout.tails import Array, Remainder
from rawkit.wire import (
    ERSPAN,
    HDLC,
    IGMP,
    IP,
    MPLS,
    PPP,
    UDP,
    AddressResolution,
    ARCnetFrame,
    AristaTimestamp,
    CompressedPPP,
    Ethernet,
    FrameRelayFrame,
    Header,
    IGMPQuery,
    InterfaceAddress,
    IPv4,
    IPv4TimestampWithAddresses,
    IPv6,
    LinkType,
    LinuxSLL,
    LinuxSLL2,
    Loop,
    MACsec,
    MLDQuery,
    MPTCPOption,
    NFLOGAttributes,
    Null,
    Packet,
    PPPFrame,
    PPPoE,
    PseudowireControlWord,
    Raw,
    Routing,
)
from rawkit.wire.macsec import SHORT
from rawkit.wire.spaces import LINK_LAYERS

BASES = (Record, Header, IP, MPTCPOption, Raw, IGMP, InterfaceAddress)
BASES += (AddressResolution, ARCnetFrame, AristaTimestamp, FrameRelayFrame, NFLOGAttributes)
RECORDS = [
    thing
    for name in rawkit.wire.__all__
    if isinstance(thing := getattr(rawkit.wire, name), type)
    and issubclass(thing, Record)
    and thing not in BASES
    and thing.fields()
]
"""Every record that there is, but for those that are only a base."""

HEADERS = [record for record in RECORDS if issubclass(record, Header)]
SHORTER = (MLDQuery, IGMPQuery)
"""With bytes behind them, they are queries of the next version."""

ENDS_LIST = {"IPv4EndOfOptions", "TCPEndOfOptions"}
UNREAD = {5: 31, 8: 253, 16: 0x88B5, 32: 0x07070707}
"""Numbers that announce no header, such as those reserved for experiments, by the width of the field."""
UNREAD_PAYLOAD = b"\xf0"
"""How plain bytes begin behind a label stack, so that they are taken for nothing else."""


def family_of(record: type[Record]) -> type[Record] | None:
    """The base of the family that a record belongs to."""
    return record._family


def values(field: FieldInfo, most: int = 4) -> st.SearchStrategy[Any]:
    """Any value that a field can have; a list has `most` elements at the most."""
    kind = field.kind
    if isinstance(kind, FlagKind):
        return st.booleans()
    if isinstance(kind, UInt | FlagSet):
        return st.integers(0, (1 << kind.bits) - 1)
    if isinstance(kind, FixedBytes):
        return st.binary(min_size=kind.bits // 8, max_size=kind.bits // 8)
    if isinstance(kind, MACKind):
        return st.binary(min_size=6, max_size=6)
    if isinstance(kind, IPv4AddressKind | IPv6AddressKind):
        return st.ip_addresses(v=4 if kind.bits == 32 else 6)
    if isinstance(kind, Remainder):
        return st.binary(max_size=12)
    if isinstance(kind, Optional):
        return st.none() | values(field._replace(kind=kind.kind))
    if isinstance(kind, Array):
        return st.lists(values(field._replace(kind=kind.kind)), max_size=min(most, 2))
    assert isinstance(kind, ItemList), field
    return items(kind.item, kind.count or 0, kind.count or most)


@st.composite
def items(draw: st.DrawFn, item: type[Record], least: int, most: int) -> tuple[Record, ...]:
    """A list of options that reads back as itself: well formed, and none after the one that ends the list."""
    classes = [
        record
        for record in RECORDS
        if issubclass(record, item) and record is not item._family and not record.malformed
    ]
    middle = [record for record in classes if record.__name__ not in ENDS_LIST]
    drawn = [
        draw(records(record)) for record in draw(st.lists(st.sampled_from(middle), min_size=least, max_size=most))
    ]
    return tuple(drawn)


@st.composite
def records(draw: st.DrawFn, record: type[Record]) -> Record:
    """A record whose bytes are read as that record again: what tells the class is right, the rest is anything."""
    family, given = family_of(record), {}
    counted = {field.rule.of: (1 << field.bits) - 1 for field in record.fields() if isinstance(field.rule, Count)}
    for field in record.fields():
        decides = family is not None and field.name == family._by
        if field.expected is not None or (field.rule is not None and not field.required and field.default is AUTO):
            continue
        if field.rule is not None and field.default is None:
            given[field.name] = draw(st.sampled_from([None, AUTO]))
        elif decides:
            codes = [code for code, parse in family._members.items() if parse is record._parse]
            own = [] if field.required else [field.default]
            unknown = st.integers(0, (1 << field.bits) - 1).filter(
                lambda code, family=family: code not in family._members
            )
            given[field.name] = draw(st.sampled_from(codes or own) if codes or own else unknown)
        else:
            given[field.name] = draw(values(field, min(counted.get(field.name, 4), 4)))
    if record is IPv4TimestampWithAddresses:
        given["flag"] = draw(st.integers(1, 15))
    return record(**given)


@st.composite
def stacks(draw: st.DrawFn) -> Packet:
    """A stack that says of itself what each header is followed by, everything that can be computed being AUTO."""
    packet, header = Packet(), draw(st.sampled_from(FIRST))
    for depth in range(6):
        layer = draw(records(header))
        following = None if depth == 5 else draw(st.sampled_from([None, *followers(header)]))
        if header is UDP:
            layer = layer.replace(src_port=UDP_PORT)
        rule = next((field for field in header.fields() if isinstance(field.rule, NextProtocol)), None)
        if following is None:
            data = draw(st.binary(max_size=40)) if takes_bytes(header) else b""
            if header is MPLS:
                data = UNREAD_PAYLOAD + data
            elif rule is not None and (data or rule.rule.numbers.nothing is None):
                layer = layer.replace(**{rule.name: UNREAD[rule.bits]})
            packet = packet / layer / data
            assume(not lacks_check_value(packet))
            return packet
        if rule is not None:
            layer = layer.replace(**{rule.name: AUTO}, **({rule.rule.unless: 0} if rule.rule.unless else {}))
        if following is ERSPAN:
            layer = layer.replace(sequence=draw(st.integers(0, 0xFFFFFFFF)))
        packet, header = packet / layer, following
    raise AssertionError("every stack ends above")


def lacks_check_value(packet: Packet) -> bool:
    """Whether long data behind a MACsec tag has no check value behind it, for which its end would be taken."""
    for index, layer in enumerate(packet.layers):
        if isinstance(layer, MACsec):
            return len(bytes(Packet(packet.layers[index + 1 :], packet.payload))) >= SHORT
    return False


FIRST = [Ethernet, IPv4, IPv6, LinuxSLL, LinuxSLL2, Null, Loop, PPP, HDLC, CompressedPPP, PPPoE]
UDP_PORT = 49152


def followers(header: type[Record]) -> list[type[Record]]:
    """The headers that can be told to follow; `Routing` itself has no data, so it is less than it says."""
    if header._followed_by is not None:
        if header._followed_by is PPPFrame:
            return [HDLC, PPP, CompressedPPP]
        return [other for other in HEADERS if issubclass(other, header._followed_by)]
    rule = next((field.rule for field in header.fields() if isinstance(field.rule, NextProtocol)), None)
    if rule is None:
        return []
    if header is MPLS:
        return [MPLS, IPv4, IPv6, PseudowireControlWord]
    return [other for other in HEADERS if rule.numbers.number_of(other) is not None and other is not Routing]


def takes_bytes(header: type[Record]) -> bool:
    """Whether plain bytes can be its body."""
    to_the_end = any(field.tail for field in header.fields()) and not any(
        isinstance(field.rule, HeaderLength) for field in header.fields()
    )
    return header._has_body and header._followed_by is None and not to_the_end and header not in SHORTER


def any_packets() -> st.SearchStrategy[Packet]:
    """Any headers in any order, with any values."""
    layer = st.sampled_from(HEADERS).flatmap(records)
    return st.builds(
        lambda layers, payload: Packet(tuple(layers), payload), st.lists(layer, max_size=5), st.binary(max_size=20)
    )


@st.composite
def any_bytes(draw: st.DrawFn) -> bytes:
    """Random bytes, and vectors of which some bytes were changed, cut off, or added."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=120))
    data = bytearray(draw(st.sampled_from(VECTORS)).data)
    for at, byte in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=4)):
        data[at] = byte
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=6))


link_types = st.sampled_from([*[LinkType(number) for number in LINK_LAYERS._headers], LinkType(9999)])
__all__ = ["HEADERS", "RECORDS", "any_bytes", "any_packets", "link_types", "records", "stacks"]
