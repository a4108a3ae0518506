"""Who has an address on the link: ARP (RFC 826, RFC 5227), and neighbour discovery (RFC 4861, RFC 4862)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.layout import MAC
from rawkit.probe.exchange import Exchange
from rawkit.probe.neighbors import mac_in
from rawkit.probe.outcome import Answer, Miss
from rawkit.wire import ARP, Ethernet, ICMPv6, IPv6, Packet, group_mac, solicited_node

__all__ = ["Announcement", "Owner", "announcement", "detect_duplicate", "hosts_of", "question", "who_has"]

BROADCAST: Final = "ff:ff:ff:ff:ff:ff"
ALL_NODES: Final = IPv6Address("ff02::1")

MOST_HOSTS: Final = 65_536
"""The largest sweep: more addresses than a link has stations."""

PROBES: Final = 3
PROBE_SECONDS: Final = 1.0
"""How often and how long an address is probed before it is taken for free (RFC 5227, section 1.1)."""

AnyAddress = IPv4Address | IPv6Address
Announcement = Packet


class Owner(NamedTuple):
    """Who has an address: `mac` is None where nobody said so."""

    address: AnyAddress
    mac: MAC | None
    round_trip_ns: int | None
    repeated: bool
    """Whether somebody else said so before: the address is in use twice."""


def hosts_of(network: IPv4Network | IPv6Network) -> Iterator[AnyAddress]:
    """The addresses of a prefix that hosts can have. Raises FieldError for a prefix of more than 65,536."""
    if network.num_addresses > MOST_HOSTS:
        least = network.max_prefixlen - 16
        raise FieldError("sweep", "prefix", str(network), f"a prefix of at most {MOST_HOSTS} addresses (/{least})")
    return iter(network.hosts())


def question(address: AnyAddress, source: AnyAddress | None, mac: MAC, *, to: MAC | None = None) -> Packet:
    """The frame that asks who has an address, of everybody or of one station.

    A `source` of None probes for it without claiming an address of one's own (RFC 5227, section 2.1.1;
    RFC 4862, section 5.4.2). Raises FieldError for a source of the other version.
    """
    if source is not None and source.version != address.version:
        raise FieldError("arp", "source", str(source), f"an IPv{address.version} address, as {address} is")
    if isinstance(address, IPv4Address):
        sender = IPv4Address(0) if source is None else IPv4Address(str(source))
        return Ethernet(dst=to or BROADCAST, src=mac) / ARP(sender_mac=mac, sender_ip=sender, target_ip=address)
    group = solicited_node(address)
    own = IPv6Address(0) if source is None else IPv6Address(str(source))
    solicitation = ICMPv6.neighbor_solicitation(address, mac=None if source is None else mac)
    there, far = (group, group_mac(group)) if to is None else (address, to)
    return Ethernet(dst=far, src=mac) / IPv6(src=own, dst=there, hop_limit=255) / solicitation


def announcement(address: AnyAddress, mac: MAC) -> Announcement:
    """The frame that tells everybody who has an address (RFC 5227, section 2.3; RFC 4861, section 7.2.6)."""
    if isinstance(address, IPv4Address):
        told = ARP(sender_mac=mac, sender_ip=address, target_ip=address)
        return Ethernet(dst=BROADCAST, src=mac) / told
    advertisement = ICMPv6.neighbor_advertisement(address, mac, solicited=False)
    ip = IPv6(src=address, dst=ALL_NODES, hop_limit=255)
    return Ethernet(dst=group_mac(ALL_NODES), src=mac) / ip / advertisement


def who_has(
    exchange: Exchange,
    addresses: Iterator[AnyAddress],
    source: AnyAddress | None,
    mac: MAC,
    *,
    timeout: float = 1.0,
    retries: int = 1,
    rate: float | None = 1000.0,
    linger: float = 0.0,
) -> Iterator[Owner]:
    """Ask for each address; the owners come in the order in which they answer.

    With `linger`, second answers are waited for so many seconds longer. Raises what the exchange does.
    """
    asked: dict[int, AnyAddress] = {}

    def packets() -> Iterator[Packet]:
        for number, address in enumerate(addresses):
            asked[number] = address
            yield question(address, source, mac)

    owners: dict[AnyAddress, MAC] = {}
    outcomes = exchange.ask_all(
        packets(), timeout=timeout, retries=retries, rate=rate, repeats=True, linger=linger
    )
    for outcome in outcomes:
        address = asked[outcome.number]
        found = _mac(outcome)
        if outcome.repeated and (found is None or found == owners.get(address)):
            continue
        if found is not None:
            owners.setdefault(address, found)
        yield Owner(address, found, outcome.round_trip_ns, outcome.repeated)


def detect_duplicate(exchange: Exchange, address: AnyAddress, mac: MAC) -> MAC | None:
    """Who has an address that this host would like to take; None if nobody (RFC 5227, RFC 4862, section 5.4).

    Takes some seconds where it is free, since silence is the answer.
    """
    outcome = exchange.ask(question(address, None, mac), timeout=PROBE_SECONDS, retries=PROBES - 1)
    return _mac(outcome)


def _mac(outcome: Answer | Miss) -> MAC | None:
    return mac_in(outcome.packet) if isinstance(outcome, Answer) else None
