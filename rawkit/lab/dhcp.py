"""The messages of DHCP (RFC 2131, section 2; options: RFC 2132), as far as a lab needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Annotated, Final

from rawkit.layout import U8, U16, X16, X32, IPv4Addr, MACAddr, Rest, default
from rawkit.layout.kinds import FixedBytes
from rawkit.wire import Header

__all__ = ["CLIENT_PORT", "COOKIE", "DHCP", "NOWHERE", "REQUEST", "SERVER_PORT", "MessageType", "Option"]

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68
COOKIE: Final = 0x63825363
"""That options follow (RFC 2131, section 3)."""
NOWHERE: Final = IPv4Address(0)
EVERYBODY: Final = IPv4Address(0xFFFFFFFF)
REQUEST: Final = 1
REPLY: Final = 2

_Ten = Annotated[bytes, FixedBytes(10)]
_Names = Annotated[bytes, FixedBytes(192)]


class MessageType(IntEnum):
    """Option 53 (RFC 2132, section 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """Options by their number (RFC 2132)."""

    PAD = 0
    NETMASK = 1
    ROUTER = 3
    DNS = 6
    REQUESTED = 50
    LEASE = 51
    MESSAGE_TYPE = 53
    SERVER = 54
    CLIENT = 61
    END = 255


class DHCP(Header):
    """A message of DHCP for Ethernet: what a UDP datagram between ports 67 and 68 carries."""

    operation: U8 = REQUEST
    """1 from a client, 2 from a server."""
    hardware_type: U8 = 1
    hardware_length: U8 = 6
    hops: U8 = 0
    transaction: X32 = 0
    seconds: U16 = 0
    flags: X16 = 0
    client_address: IPv4Addr = default("0.0.0.0")
    """The one that the client has already."""
    your_address: IPv4Addr = default("0.0.0.0")
    """The one that the server gives."""
    server_address: IPv4Addr = default("0.0.0.0")
    relay_address: IPv4Addr = default("0.0.0.0")
    client_mac: MACAddr = default("00:00:00:00:00:00")
    padding: _Ten = bytes(10)
    names: _Names = bytes(192)
    """Of the server, and of a file to boot from."""
    cookie: X32 = COOKIE
    options: Rest = b""

    def known_options(self) -> dict[int, bytes]:
        """The options by their number, the first of each; as far as they are whole."""
        return dict(reversed([*_options(self.options)]))

    def answer(
        self, kind: MessageType, address: IPv4Address, options: Iterable[tuple[int, bytes]], *, server: IPv4Address
    ) -> DHCP:
        """A server's message in answer to this one, with that address for the client and these options."""
        listed = [(Option.MESSAGE_TYPE, bytes([kind])), *options]
        written = b"".join(bytes([number, len(value)]) + value for number, value in listed)
        return DHCP(
            operation=REPLY,
            transaction=self.transaction,
            flags=self.flags,
            client_address=self.client_address if kind == MessageType.ACK else NOWHERE,
            your_address=address,
            server_address=server,
            relay_address=self.relay_address,
            client_mac=self.client_mac,
            options=written + bytes([Option.END]),
        )

    def destination(self) -> tuple[str, int]:
        """Where a server sends it (RFC 2131, section 4.1): to who has an address already, else to everybody."""
        if self.relay_address != NOWHERE:
            return str(self.relay_address), SERVER_PORT
        client = EVERYBODY if self.client_address == NOWHERE else self.client_address
        return str(client), CLIENT_PORT


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each: one byte for either, but for padding and the end, which are alone."""
    rest = iter(data)
    for number in rest:
        if number == Option.END:
            return
        if number != Option.PAD:
            length = next(rest, 0)
            yield number, bytes(byte for _, byte in zip(range(length), rest))  # noqa: B905 - as far as there are any
