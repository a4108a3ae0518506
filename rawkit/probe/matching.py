"""What makes one packet the answer to another: the keys under which a question is found from what comes back.

A key is a plain tuple, its kind first, so that the question to a received packet is one lookup in a dict. What
is in it is what the protocols promise to send back:

    kind      what comes back                                                          source
    ARP       a reply from the address that was asked for                              RFC 826
    ND        an advertisement of the target                                           RFC 4861, section 7.2.4
    router    an advertisement to a solicitation                                       RFC 4861, section 6.2.6
    ICMP      the reply of that type, with identifier and sequence number              RFC 792; RFC 4443, section 4
    TCP ack   addresses and ports swapped, everything that was sent acknowledged       RFC 9293, section 3.10.7
    TCP reset addresses and ports swapped, the reset at the sequence number acked      RFC 9293, section 3.5.2
    UDP       addresses and ports swapped; from anybody if sent to a group             RFC 768
    SCTP      addresses and ports swapped                                              RFC 9260, section 8.4
    IP        a packet of that protocol from that address                              RFC 791
    quote     an ICMP error that quotes the question                                   RFC 792; RFC 4443, section 3

A packet whose key differs in one place nearly answers: `partial_keys` are for finding those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from rawkit.wire import (
    ARP,
    SCTP,
    TCP,
    UDP,
    CutHeader,
    Ethernet,
    Header,
    ICMPv4,
    ICMPv4AddressMask,
    ICMPv4Echo,
    ICMPv4ExtendedEcho,
    ICMPv4ExtendedEchoReply,
    ICMPv4Information,
    ICMPv4RouterAdvertisement,
    ICMPv4RouterSolicitation,
    ICMPv4Timestamp,
    ICMPv4Unreachable,
    ICMPv6,
    ICMPv6Echo,
    ICMPv6ExtendedEcho,
    ICMPv6ExtendedEchoReply,
    ICMPv6Unreachable,
    IPv4,
    IPv6,
    NeighborAdvertisement,
    NeighborSolicitation,
    Packet,
    RouterAdvertisement,
    RouterSolicitation,
    TCPFlags,
)

__all__ = [
    "Key",
    "answer_keys",
    "differing_field",
    "identity_of",
    "is_answer",
    "is_port_unreachable",
    "partial_keys",
    "parts_of",
    "question_keys",
    "quoted_by",
]

Key = tuple[Any, ...]

FIELDS: Final = {
    "ARP": ("protocol address",),
    "ND": ("target",),
    "ICMP": ("IP version", "type", "source address", "destination address", "identifier", "sequence number"),
    "TCP ack": (
        "IP version",
        "source address",
        "destination address",
        "source port",
        "destination port",
        "acknowledgement number",
    ),
    "TCP reset": (
        "IP version",
        "source address",
        "destination address",
        "source port",
        "destination port",
        "sequence number",
    ),
    "UDP": ("IP version", "source address", "destination address", "source port", "destination port"),
    "SCTP": ("IP version", "source address", "destination address", "source port", "destination port"),
}
"""What stands at each place of a key after its kind, for the kinds that can nearly match."""

REPLY_TYPES: Final = {8: 0, 13: 14, 15: 16, 17: 18, 42: 43, 128: 129, 160: 161}
"""The ICMP type that answers a type; those of ICMPv6 begin with 128."""

ACK, SYN, FIN, RST = int(TCPFlags.ACK), int(TCPFlags.SYN), int(TCPFlags.FIN), int(TCPFlags.RST)
MODULO: Final = 1 << 32
"""Sequence numbers count modulo this (RFC 9293, section 3.4)."""

AnyIP = IPv4 | IPv6


def question_keys(packet: Packet) -> tuple[Key, ...]:
    """Every key under which an answer to this packet can arrive; `packet` has nothing left AUTO.

    Empty for a packet that no protocol answers, and that no ICMP error quotes.
    """
    ip, upper, inside = parts_of(packet)
    keys: list[Key] = []
    if upper is not None and (asks := ASKS.get(type(upper))):
        keys += asks(ip, upper, inside, _goes_to_many(packet, ip))
    elif ip is not None and not _is_fragment(packet):
        keys.append(("IP", ip.version, int(ip.dst), int(ip.src), _protocol(ip)))
    if ip is not None:
        keys += _quote_keys(ip, upper)
    return tuple(keys)


def answer_keys(packet: Packet) -> tuple[Key, ...]:
    """The keys of the questions that a received packet may answer, the most exact first."""
    ip, upper, _ = parts_of(packet)
    if upper is None:
        if ip is None or _is_fragment(packet):
            return ()
        return (("IP", ip.version, int(ip.src), int(ip.dst), _protocol(ip)),)
    if answers := ANSWERS.get(type(upper)):
        return tuple(answers(ip, upper))
    if isinstance(upper, ICMPv4 | ICMPv6) and upper.quotes():
        return tuple(_quote_keys(*quoted_by(packet)))
    return ()


def identity_of(packet: Packet) -> Key | None:
    """What tells a packet from all others wherever it is seen on its way; None for one that nothing tells."""
    ip, upper, _ = parts_of(packet)
    if ip is not None:
        return next(_quote_keys(ip, upper))
    return next(iter(question_keys(packet)), None)


def is_answer(question: Packet, answer: Packet) -> bool:
    """Whether a packet answers another, or is an ICMP error about it."""
    return not set(question_keys(question)).isdisjoint(answer_keys(answer))


def is_port_unreachable(packet: Packet) -> bool:
    """Whether a packet is the error that nothing listens on a port (RFC 792; RFC 4443, section 3.1)."""
    for layer in packet.layers:
        if isinstance(layer, ICMPv4Unreachable):
            return layer.code == 3
        if isinstance(layer, ICMPv6Unreachable):
            return layer.code == 4
    return False


def partial_keys(key: Key) -> Iterator[Key]:
    """The key without each of its fields in turn: two keys that differ in one field share one of these."""
    if key[0] in FIELDS:
        yield from ((place, *key[:place], *key[place + 1 :]) for place in range(1, len(key)))


def differing_field(partial: Key) -> str:
    """The name of the field that a partial key leaves out."""
    name: str = FIELDS[partial[1]][partial[0] - 1]
    return name


def quoted_by(packet: Packet) -> tuple[AnyIP | None, Header | CutHeader | None]:
    """The IP header and the one after it of what an ICMP error quotes, the latter cut as often as not."""
    layers = iter(packet.layers)
    for layer in layers:
        if isinstance(layer, Header) and layer.quotes():
            break
    ip: AnyIP | None = None
    for layer in layers:
        if isinstance(layer, AnyIP) and ip is None:
            ip = layer
        elif getattr(layer, "header", type(layer)) in TRANSPORTS:
            return ip, layer  # type: ignore[return-value]
    return ip, None


def parts_of(packet: Packet) -> tuple[Any, Any, int]:
    """The first IP header, the header that says what is asked or answered, and how many bytes that carries."""
    ip = None
    for layer in packet.layers:
        kind = type(layer)
        if kind is IPv4 or kind is IPv6:
            if ip is not None:
                return ip, None, 0  # a tunnel is asked as a whole
            ip = layer
        elif kind in ASKS or kind in ANSWERS or (isinstance(layer, ICMPv4 | ICMPv6) and layer.quotes()):
            return ip, layer, len(packet.payload)
    return ip, None, 0


def _goes_to_many(packet: Packet, ip: AnyIP | None) -> bool:
    """Whether any number of hosts may answer: sent to a group, or to everybody on the link."""
    if ip is not None and (ip.dst.is_multicast or int(ip.dst) == 0xFFFFFFFF):
        return True
    first = packet.layers[0]
    return isinstance(first, Ethernet) and first.dst.is_multicast


def _is_fragment(packet: Packet) -> bool:
    return any(isinstance(layer, Header) and layer.is_fragment() for layer in packet.layers)


def _protocol(ip: AnyIP) -> int:
    return int(ip.protocol if isinstance(ip, IPv4) else ip.next_header)


# ---------------------------------------------------------------------- what each protocol asks and answers


def _arp_asks(ip: None, arp: ARP, inside: int, many: bool) -> tuple[Key, ...]:
    return (("ARP", int(arp.target_ip)),) if arp.operation == 1 else ()


def _arp_answers(ip: None, arp: ARP) -> tuple[Key, ...]:
    return (("ARP", int(arp.sender_ip)),) if arp.operation == 2 else ()


def _solicitation_asks(ip: AnyIP, asked: NeighborSolicitation, inside: int, many: bool) -> tuple[Key, ...]:
    return (("ND", int(asked.target)),)


def _advertisement_answers(ip: AnyIP, told: NeighborAdvertisement) -> tuple[Key, ...]:
    return (("ND", int(told.target)),)


def _router_asks(ip: AnyIP, asked: Header, inside: int, many: bool) -> tuple[Key, ...]:
    return (("router", ip.version),)


def _router_answers(ip: AnyIP, told: Header) -> tuple[Key, ...]:
    return (("router", ip.version),)


def _icmp_asks(ip: AnyIP, icmp: ICMPv4Echo, inside: int, many: bool) -> tuple[Key, ...]:
    reply = REPLY_TYPES.get(icmp.type)
    if ip is None or reply is None:
        return ()
    if many:
        return (("ICMP from any", ip.version, reply, int(ip.src), icmp.id, icmp.seq),)
    return (("ICMP", ip.version, reply, int(ip.dst), int(ip.src), icmp.id, icmp.seq),)


def _icmp_answers(ip: AnyIP, icmp: ICMPv4Echo) -> tuple[Key, ...]:
    if ip is None or icmp.type in REPLY_TYPES:
        return ()
    numbers = (icmp.id, icmp.seq)
    return (
        ("ICMP", ip.version, icmp.type, int(ip.src), int(ip.dst), *numbers),
        ("ICMP from any", ip.version, icmp.type, int(ip.dst), *numbers),
    )


def _tcp_asks(ip: AnyIP, tcp: TCP, inside: int, many: bool) -> Iterator[Key]:
    """What acknowledges all that was sent, or only the SYN of a SYN with data (RFC 7413); and a reset."""
    if ip is None:
        return
    flow = (ip.version, int(ip.dst), int(ip.src), tcp.dst_port, tcp.src_port)
    flags = int(tcp.flags)
    end = tcp.seq + bool(flags & SYN)
    yield ("TCP ack", *flow, (end + inside + bool(flags & FIN)) % MODULO)
    if flags & SYN and inside:
        yield ("TCP ack", *flow, end % MODULO)
    if flags & ACK:
        yield ("TCP reset", *flow, tcp.ack)


def _tcp_answers(ip: AnyIP, tcp: TCP) -> tuple[Key, ...]:
    if ip is None:
        return ()
    flow = (ip.version, int(ip.src), int(ip.dst), tcp.src_port, tcp.dst_port)
    flags = int(tcp.flags)
    if not flags & RST:
        return (("TCP ack", *flow, tcp.ack),) if flags & ACK else ()
    reset = ("TCP reset", *flow, tcp.seq)
    return (("TCP ack", *flow, tcp.ack), reset) if flags & ACK else (reset,)


def _ports_ask(ip: AnyIP, udp: UDP | SCTP, inside: int, many: bool) -> tuple[Key, ...]:
    if ip is None:
        return ()
    name = type(udp).__name__
    if many:
        return ((f"{name} from any", ip.version, int(ip.src), udp.dst_port, udp.src_port),)
    return ((name, ip.version, int(ip.dst), int(ip.src), udp.dst_port, udp.src_port),)


def _ports_answer(ip: AnyIP, udp: UDP | SCTP) -> tuple[Key, ...]:
    if ip is None:
        return ()
    name, here = type(udp).__name__, int(ip.dst)
    return (
        (name, ip.version, int(ip.src), here, udp.src_port, udp.dst_port),
        (f"{name} from any", ip.version, here, udp.src_port, udp.dst_port),
    )


def _quote_keys(ip: AnyIP | None, upper: Header | CutHeader | None) -> Iterator[Key]:
    """What an ICMP error gives back of a packet: exactly this one, and then its flow.

    The first eight bytes behind the IP header are all that is sure to be quoted (RFC 792).
    """
    if ip is None:
        return
    protocol = _protocol(ip)
    header: type = upper.header if isinstance(upper, CutHeader) else type(upper)
    ports, others = TOLD.get(header, OTHERWISE)
    values = upper.values().get if isinstance(upper, CutHeader) else partial(_value_of, upper)
    flow = (ip.version, int(ip.src), int(ip.dst), protocol, *map(values, ports))
    yield ("quote", *flow, *map(values, others), ip.identification if isinstance(ip, IPv4) else ip.flow_label)
    yield ("quote of flow", *flow)


def _value_of(header: Header | None, name: str) -> Any:
    return getattr(header, name, None)


Names = tuple[str, ...]
PORTS: Final = ("src_port", "dst_port")
TOLD: Final[dict[type, tuple[Names, Names]]] = {
    TCP: (PORTS, ("seq",)),
    UDP: (PORTS, ("length", "checksum")),
    SCTP: (PORTS, ("verification_tag",)),
}
OTHERWISE: Final[tuple[Names, Names]] = ((), ("type", "code", "id", "seq"))
"""Of the transports' first eight bytes, what tells flows apart, and what tells packets of a flow apart."""

TRANSPORTS: Final = frozenset(
    {TCP, UDP, SCTP, ICMPv4Echo, ICMPv4Timestamp, ICMPv4Information, ICMPv4AddressMask, ICMPv4ExtendedEcho}
    | {ICMPv6Echo, ICMPv6ExtendedEcho, NeighborSolicitation, RouterSolicitation}
)

ASKS: Final[dict[type, Callable[..., Any]]] = {
    ARP: _arp_asks,
    NeighborSolicitation: _solicitation_asks,
    RouterSolicitation: _router_asks,
    ICMPv4RouterSolicitation: _router_asks,
    ICMPv4Echo: _icmp_asks,
    ICMPv4Timestamp: _icmp_asks,
    ICMPv4AddressMask: _icmp_asks,
    ICMPv4Information: _icmp_asks,
    ICMPv4ExtendedEcho: _icmp_asks,
    ICMPv6Echo: _icmp_asks,
    ICMPv6ExtendedEcho: _icmp_asks,
    TCP: _tcp_asks,
    UDP: _ports_ask,
    SCTP: _ports_ask,
}
ANSWERS: Final[dict[type, Callable[..., Any]]] = {
    ARP: _arp_answers,
    NeighborAdvertisement: _advertisement_answers,
    RouterAdvertisement: _router_answers,
    ICMPv4RouterAdvertisement: _router_answers,
    ICMPv4Echo: _icmp_answers,
    ICMPv4Timestamp: _icmp_answers,
    ICMPv4AddressMask: _icmp_answers,
    ICMPv4Information: _icmp_answers,
    ICMPv4ExtendedEchoReply: _icmp_answers,
    ICMPv6Echo: _icmp_answers,
    ICMPv6ExtendedEchoReply: _icmp_answers,
    TCP: _tcp_answers,
    UDP: _ports_answer,
    SCTP: _ports_answer,
}
