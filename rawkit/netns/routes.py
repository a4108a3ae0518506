"""Who reaches what through whom: the routes of a lab, as a pure function of its wiring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from rawkit.errors import FieldError

__all__ = ["DEFAULTS", "Hop", "Segment", "Station", "routes_of"]

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_MOST_STATIONS = 254

DEFAULTS: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


@dataclass(eq=False)
class Station:
    """Something with addresses: a host, or a router, which also forwards."""

    name: str
    forwards: bool
    segments: list[Segment] = field(default_factory=list)


@dataclass(frozen=True)
class Hop:
    """The foot that a station has in a segment: one of its addresses there."""

    station: Station
    interface: IPv4Interface | IPv6Interface


@dataclass(eq=False)
class Segment:
    """One broadcast domain: a cable, or switches and all that is plugged into them.

    Segment `n` is 10.x.y.0/24, where x and y are the two bytes of n, and fd00:n::/64, n in decimal digits.
    """

    number: int
    hops: dict[Address, Hop] = field(default_factory=dict)
    """By their addresses."""
    stations: int = 0

    def next_addresses(self) -> tuple[IPv4Interface, IPv6Interface]:
        """The addresses for one more station: .1 and ::1 for the first, .2 and ::2 for the second.

        Raises FieldError where there are no more: the address after .254 is that for broadcasts.
        """
        if self.stations == _MOST_STATIONS:
            what = f"addresses of your own: the {_MOST_STATIONS} of 10.{self._dotted}.0/24 are all given"
            raise FieldError("Lab.link", "addresses", None, what)
        self.stations += 1
        return (
            IPv4Interface(f"10.{self._dotted}.{self.stations}/24"),
            IPv6Interface(f"fd00:{self.number}::{self.stations:x}/64"),
        )

    @property
    def _dotted(self) -> str:
        return "{}.{}".format(*divmod(self.number, 256))

    def check_joins(self, other: Segment) -> None:
        """Raise FieldError if what is plugged in here and there cannot be in one broadcast domain."""
        if self is other:
            return
        if self.stations and other.stations:
            what = "two switches of one subnet: link switches before hosts, or give the hosts addresses"
            raise FieldError(
                "Lab.link", "node", f"those of 10.{self._dotted}.0/24 and 10.{other._dotted}.0/24", what
            )
        for address in self.hops.keys() & other.hops.keys():
            what = f"switches on which no two have one address, as {self.hops[address].station.name}"
            raise FieldError("Lab.link", "node", f"{other.hops[address].station.name}'s {address}", what)

    def absorb(self, other: Segment) -> None:
        """Be the broadcast domain of all that is plugged in there, too."""
        if other.stations:  # the one with addresses goes on counting them
            self.number, self.stations = other.number, other.stations
        self.hops |= other.hops
        for hop in other.hops.values():
            hop.station.segments = [self if each is other else each for each in hop.station.segments]

    def plug(self, station: Station, addresses: Iterable[IPv4Interface | IPv6Interface]) -> None:
        """Note that a station has these addresses here. Raises FieldError for one that is there already."""
        elsewhere = _own_networks(station, [segment for segment in station.segments if segment is not self])
        for address in addresses:
            if address.ip in self.hops:
                what = f"another address than that of {self.hops[address.ip].station.name}"
                raise FieldError("Lab.link", "addresses", str(address), what)
            if address.network in elsewhere and not _is_shared(address):
                what = f"another network than {station.name} has on another link"
                raise FieldError("Lab.link", "addresses", str(address), what)
            self.hops[address.ip] = Hop(station, address)
        station.segments.append(self)


def _is_shared(address: IPv4Interface | IPv6Interface) -> bool:
    """Whether several links of a station may have that network: one of a single address, or of link-local ones."""
    return address.is_link_local or address.network.num_addresses == 1


def _own_networks(station: Station, segments: Iterable[Segment]) -> set[Network]:
    """The networks that a station has an address in, of those segments."""
    return {
        hop.interface.network for segment in segments for hop in segment.hops.values() if hop.station is station
    }


def routes_of(station: Station) -> dict[Network, Address]:
    """The gateway for each network beyond the station's own: for a host, the default only.

    Networks behind several routers are reached by the fewest of them, and of those by the one plugged in
    first. A host's default gateway is the first router that it shares a network with.
    """
    found: dict[Network, Address] = {}
    own = _own_networks(station, station.segments)
    if not station.forwards:
        for hop in _routers_beside(station):
            default = next(network for network in DEFAULTS if network.version == hop.interface.version)
            if hop.interface.network in own:
                found.setdefault(default, hop.interface.ip)
        return found
    seen = {station}
    # Breadth first: each router with the addresses of the first hop towards it.
    queue = [
        (
            hop.station,
            [each.interface.ip for each in _feet(station, hop.station) if each.interface.network in own],
        )
        for hop in _routers_beside(station)
    ]
    for router, gateways in queue:
        if router in seen:
            continue
        seen.add(router)
        for network in _networks(router) - own:
            for gateway in gateways:
                if gateway.version == network.version:
                    found.setdefault(network, gateway)
        queue += [(hop.station, gateways) for hop in _routers_beside(router)]
    return found


def _routers_beside(station: Station) -> list[Hop]:
    return [
        hop
        for segment in station.segments
        for hop in segment.hops.values()
        if hop.station.forwards and hop.station is not station
    ]


def _feet(station: Station, neighbour: Station) -> list[Hop]:
    return [hop for hop in _routers_beside(station) if hop.station is neighbour]


def _networks(station: Station) -> set[Network]:
    return {hop.interface.network for segment in station.segments for hop in segment.hops.values()}
