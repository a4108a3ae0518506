"""Which client has which address: what a DHCP server answers (RFC 2131, section 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Interface
from typing import Final

from rawkit.errors import FieldError
from rawkit.lab.dhcp import COOKIE, DHCP, NOWHERE, REQUEST, MessageType, Option

__all__ = ["Leases"]

LEASE: Final = 3600
"""Seconds. A lab ends sooner, so that nothing is done when a lease does."""

Options = Sequence[tuple[int, bytes]]


class Leases:
    """Addresses to give, and who has them. Raises FieldError for what is none.

    A client is its identifier, or else its MAC address. It has an address from the offer on, until it gives it
    back, declines it or chooses another server; what was declined, somebody else uses, and nobody gets it again.
    """

    def __init__(self, own: str, addresses: Iterable[str], *, router: str = "", dns: str = "") -> None:
        try:
            self._own = IPv4Interface(own)
        except ValueError as error:
            raise FieldError("services.dhcp", "own", own, "an address such as '10.0.0.1/24'") from error
        self._free = list(dict.fromkeys(_address("addresses", address) for address in addresses))
        self._leased: dict[bytes, IPv4Address] = {}
        self._network: Options = [
            (Option.NETMASK, self._own.netmask.packed),
            *([(Option.ROUTER, _address("router", router).packed)] if router else []),
            *([(Option.DNS, _address("dns", dns).packed)] if dns else []),
        ]

    def answer(self, asked: DHCP) -> DHCP | None:
        """The offer, acknowledgement or refusal for a client's message; None where there is nothing to say."""
        options = asked.known_options()
        kind = options.get(Option.MESSAGE_TYPE, b"")
        deal = {
            bytes([MessageType.DISCOVER]): self._offer,
            bytes([MessageType.REQUEST]): self._acknowledge,
            bytes([MessageType.DECLINE]): self._strike,
            bytes([MessageType.RELEASE]): self._release,
            bytes([MessageType.INFORM]): self._inform,
        }.get(kind)
        if deal is None or asked.operation != REQUEST or asked.cookie != COOKIE:
            return None
        client = options.get(Option.CLIENT) or bytes(asked.client_mac)
        return deal(asked, options, client)

    def _offer(self, asked: DHCP, options: dict[int, bytes], client: bytes) -> DHCP | None:
        """Offer the address that the client has, or would like, or any (section 4.3.1)."""
        if client not in self._leased and self._free:
            wanted = [address for address in self._free if address.packed == options.get(Option.REQUESTED)]
            self._leased[client] = (wanted or self._free)[0]
            self._free.remove(self._leased[client])
        address = self._leased.get(client)
        return None if address is None else self._granted(MessageType.OFFER, asked, address)

    def _acknowledge(self, asked: DHCP, options: dict[int, bytes], client: bytes) -> DHCP | None:
        """Say yes to the address that was offered, or is used, and to no other (section 4.3.2)."""
        address = self._leased.get(client)
        if self._is_for_another(options):
            self._take_back(client)
            return None
        if address is None and Option.SERVER not in options:
            return None  # another server may know it
        if address is None or options.get(Option.REQUESTED, asked.client_address.packed) != address.packed:
            return self._answered(MessageType.NAK, asked, NOWHERE, [])
        return self._granted(MessageType.ACK, asked, address)

    def _strike(self, asked: DHCP, options: dict[int, bytes], client: bytes) -> None:
        """Never give an address again that its client found in use (section 4.3.3)."""
        address = self._leased.get(client, NOWHERE)
        if not self._is_for_another(options) and options.get(Option.REQUESTED) == address.packed:
            self._leased.pop(client, None)

    def _release(self, asked: DHCP, options: dict[int, bytes], client: bytes) -> None:
        """Have an address back from its client (section 4.3.4)."""
        if not self._is_for_another(options) and asked.client_address == self._leased.get(client):
            self._take_back(client)

    def _inform(self, asked: DHCP, options: dict[int, bytes], client: bytes) -> DHCP:
        """Tell who has an address already about the network (section 4.3.5)."""
        return self._answered(MessageType.ACK, asked, NOWHERE, self._network)

    def _granted(self, kind: MessageType, asked: DHCP, address: IPv4Address) -> DHCP:
        return self._answered(kind, asked, address, [(Option.LEASE, LEASE.to_bytes(4)), *self._network])

    def _answered(self, kind: MessageType, asked: DHCP, address: IPv4Address, options: Options) -> DHCP:
        own = self._own.ip
        return asked.answer(kind, address, [(Option.SERVER, own.packed), *options], server=own)

    def _take_back(self, client: bytes) -> None:
        if client in self._leased:
            self._free.append(self._leased.pop(client))  # the last to be given again (section 2.2)

    def _is_for_another(self, options: dict[int, bytes]) -> bool:
        return options.get(Option.SERVER, self._own.ip.packed) != self._own.ip.packed


def _address(field: str, given: str) -> IPv4Address:
    try:
        return IPv4Address(given)
    except ValueError as error:
        raise FieldError("services.dhcp", field, given, "IPv4 addresses") from error
