"""What a lab's name server answers (RFC 1035; what there is not: RFC 2308; longer datagrams: RFC 6891)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from dnslib import (
    AAAA,
    CLASS,
    EDNS0,
    QTYPE,
    RCODE,
    RR,
    SOA,
    A,
    DNSBuffer,
    DNSError,
    DNSHeader,
    DNSLabel,
    DNSRecord,
)
from dnslib.bimap import BimapError
from dnslib.buffer import BufferError as ShortError
from dnslib.label import DNSLabelError

from rawkit.errors import FieldError

__all__ = ["STREAM", "Zone"]

TTL: Final = 60
"""Seconds that an answer may be kept, and that there is none."""

QUERY: Final = 0
ANY_CLASS: Final = 255
BADVERS: Final = 1
"""The upper bits of the response code for a version of EDNS that is not known, 16 (RFC 6891, section 9)."""

DATAGRAM: Final = 512
"""Bytes that everybody takes (RFC 1035, section 4.2.1)."""
MOST: Final = 1232
"""Bytes that we send to who takes them: an IPv6 packet of 1280, without its headers."""
STREAM: Final = 65_535
"""Bytes of a message over TCP."""

BROKEN: Final = (DNSError, DNSLabelError, ShortError, BimapError, ValueError)
"""What dnslib raises for a message or a name that cannot be."""

NAMES: Final = "a name, such as 'www.example'"
ADDRESSES: Final = "an IPv4 or IPv6 address, or several"

Address = IPv4Address | IPv6Address


class Zone:
    """All the names that there are, with their addresses: the server is the root's, and knows nobody else to ask.

    Raises FieldError for what is no name, and no address.
    """

    def __init__(self, names: Mapping[str, str | Iterable[str]]) -> None:
        self._known: dict[tuple[bytes, ...], list[Address]] = {}
        for name, addresses in names.items():
            self._known[_labels(name)] = _addresses(name, addresses)
        self._there = {labels[at:] for labels in self._known for at in range(len(labels) + 1)}

    def answer(self, message: bytes, most: int | None = None) -> bytes | None:
        """The answer to a message, of so many bytes at most; as many as the asker takes in a datagram, if None.

        There is none to what is an answer itself, or too short for a header.
        """
        try:
            header = DNSHeader.parse(DNSBuffer(message))
        except DNSError:
            return None
        if header.qr:
            return None
        if header.opcode != QUERY:
            return _packed(_reply(header, RCODE.NOTIMP))
        try:
            return self._answered(DNSRecord.parse(message), most)
        except BROKEN:
            return _packed(_reply(header, RCODE.FORMERR))

    def _answered(self, asked: Any, most: int | None) -> bytes:
        """The answer to one question, with an extended header for who sent one; TC says that it is cut."""
        (question,) = asked.questions
        reply = _reply(asked.header, RCODE.NOERROR)
        reply.add_question(question)
        extended = next((record for record in asked.ar if record.rtype == QTYPE.OPT), None)
        if extended is not None:
            reply.add_ar(EDNS0(ext_rcode=BADVERS if extended.edns_ver else 0, udp_len=MOST))
        if extended is None or not extended.edns_ver:
            self._fill(reply)
        datagram = DATAGRAM if extended is None else min(max(extended.edns_len, DATAGRAM), MOST)
        packed = _packed(reply)
        if len(packed) > (most or datagram):
            reply.rr, reply.auth, reply.header.tc = [], [], 1
            packed = _packed(reply)
        return packed

    def _fill(self, reply: Any) -> None:
        """Add the records that are asked for; or say, as whose root we are, that there are none."""
        question = reply.q
        if question.qclass not in (CLASS.IN, ANY_CLASS):
            reply.header.rcode = RCODE.REFUSED
            return
        labels = tuple(label.lower() for label in question.qname.label)
        for address in self._known.get(labels, []):
            kind, record = (QTYPE.A, A) if address.version == 4 else (QTYPE.AAAA, AAAA)
            if question.qtype in (kind, QTYPE.ANY):
                reply.add_answer(RR(question.qname, kind, rdata=record(tuple(address.packed)), ttl=TTL))
        if not reply.rr:
            times = (1, 3600, 600, 86_400, TTL)  # the last is how long it may be kept (RFC 2308, section 4)
            reply.add_auth(RR(".", QTYPE.SOA, rdata=SOA(".", ".", times), ttl=TTL))
            if labels not in self._there:  # as what has names below it is, without an address (RFC 8020)
                reply.header.rcode = RCODE.NXDOMAIN


def _reply(asked: Any, rcode: int) -> Any:
    """An answer to a header that is empty as yet; we are the authority, and the whole recursion."""
    header = DNSHeader(asked.id, 0, qr=1, opcode=asked.opcode, aa=1, rd=asked.rd, ra=1, rcode=rcode)
    return DNSRecord(header)


def _packed(reply: Any) -> bytes:
    return bytes(reply.pack())


def _labels(name: str) -> tuple[bytes, ...]:
    """A name in the form in which names are compared."""
    if not isinstance(name, str):
        raise FieldError("services.dns", "name", name, NAMES)
    try:
        labels: tuple[bytes, ...] = tuple(label.lower() for label in DNSLabel(name).label)
        DNSBuffer().encode_name(DNSLabel(labels))
    except BROKEN as error:
        raise FieldError("services.dns", "name", name, f"{NAMES} ({error})") from error
    return labels


def _addresses(name: str, given: str | Iterable[str]) -> list[Address]:
    try:
        return [ip_address(each) for each in ((given,) if isinstance(given, str) else given)]
    except (ValueError, TypeError) as error:
        raise FieldError("services.dns", name, given, ADDRESSES) from error
