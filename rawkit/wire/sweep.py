"""Sweeps: one packet for every combination of values in some of its fields, none of them kept in memory.

    Sweep(packet, (IPv4, "ttl", [1, 2, 3]), (TCP, "dst_port", range(1, 1025)))

The order is that of nested loops, as in `itertools.product`: the last axis changes fastest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from math import prod
from typing import Any, NamedTuple

from rawkit.errors import FieldError
from rawkit.layout import FieldInfo
from rawkit.wire.packet import Header, Packet
from rawkit.wire.template import PAYLOAD, Place, Template, combinations, field_at, place_of, with_values

__all__ = ["Axis", "Sweep", "axis_values", "is_prefix"]

Choice = tuple[type[Header] | int, str, Sequence[Any] | str]
"""A header's class or layer number, the name of its field, and the values: a list, a range, or a prefix."""


class Axis(NamedTuple):
    """One field that is swept, and its values: a tuple, or a range that stands for them."""

    layer: int
    field: str
    values: Sequence[Any]


class Sweep:
    """Packets that differ in some fields; iterable any number of times.

    The values of an axis are a list, a range of integers, or for addresses a prefix such as "10.0.0.0/24",
    which stands for its hosts in order: without the network's and the broadcast address in IPv4, without the
    subnet routers' anycast address in IPv6, and all addresses of prefixes with less than three. The payload is
    the field "payload" of the layer behind the last. A sweep without axes is one packet.

    Every listed value, and the two ends of every range, are checked at once. Raises FieldError, LayerError.
    """

    __slots__ = ("_template", "axes", "packet")

    def __init__(self, packet: Packet, *choices: Choice) -> None:
        axes = []
        for header, name, given in choices:
            place = place_of(packet, header, name)
            axes.append(Axis(*place, checked_values(packet, place, given)))
        self.axes = tuple(axes)
        self.packet = with_values(packet, self._places(), [axis.values[0] for axis in axes])
        self._template: Template | None = None

    def _places(self) -> list[Place]:
        return [(axis.layer, axis.field) for axis in self.axes]

    @property
    def count(self) -> int:
        """How many packets there are, also where that is more than `len` can tell."""
        return prod(count_of(axis.values) for axis in self.axes)

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return True  # an axis has at least one value

    def __iter__(self) -> Iterator[Packet]:
        places = self._places()
        for values in combinations(tuple([axis.values for axis in self.axes])):
            yield with_values(self.packet, places, values)

    def frames(self) -> Iterator[bytes]:
        """What each packet is built into, in order; see `Template` for when this is fast."""
        return self.template().frames(*[axis.values for axis in self.axes])

    def template(self) -> Template:
        """The template of these packets, its fields in the order of the axes."""
        if self._template is None:
            self._template = Template(self.packet, *self._places())
        return self._template

    def based_on(self, packet: Packet) -> Sweep:
        """The same axes over another packet, such as `sweep.packet` with its source filled in."""
        return Sweep(packet, *self.axes)

    def __repr__(self) -> str:
        axes = "".join(f", {tuple(axis)!r}" for axis in self.axes)
        return f"Sweep({self.packet!r}{axes})"


def count_of(values: Sequence[Any]) -> int:
    """`len(values)`, which fails for ranges of more than 63 bits."""
    if isinstance(values, range):
        return max(0, -((values.start - values.stop) // values.step))
    return len(values)


def checked_values(packet: Packet, place: Place, given: Any) -> Sequence[Any]:
    """The values for one field of a packet, after a look at each, or at both ends of a range."""
    field = field_at(packet, place)
    if field is not None:
        return axis_values(type(packet.layers[place[0]]).__name__, field, given)
    if not isinstance(given, list | tuple) or not given or not all(isinstance(value, bytes) for value in given):
        raise FieldError("Packet", PAYLOAD, given, "a list of at least one bytes such as [b'a', b'b']")
    return tuple(given)


def axis_values(header: str, field: FieldInfo, given: Any) -> Sequence[Any]:
    """The values that a list, a range or a prefix stands for in that field. Raises FieldError."""
    if isinstance(given, str):
        given = _hosts(header, field, given)
    if not isinstance(given, list | tuple | range):
        wanted = "a list, a range, or for IP addresses a prefix such as '10.0.0.0/24'"
        raise FieldError(header, field.name, given, wanted)
    if not count_of(given):
        raise FieldError(header, field.name, given, "at least one value")
    if isinstance(given, range):
        for end in (given[0], given[-1]):
            _exact(header, field, end)
        return given
    return tuple([_exact(header, field, value) for value in given])


def is_prefix(field: FieldInfo, given: object) -> bool:
    """Whether the value is text that stands for several addresses in that field."""
    return isinstance(given, str) and "/" in given and field.kind.bits != 0 and field.kind.type in PREFIXES


PREFIXES: dict[type, Any] = {IPv4Address: IPv4Network, IPv6Address: IPv6Network}


def _hosts(header: str, field: FieldInfo, prefix: str) -> range:
    """The hosts of a prefix as numbers, which fields for addresses take."""
    if not is_prefix(field, prefix):
        raise FieldError(header, field.name, prefix, "a list or a range of values")
    try:
        network = PREFIXES[field.kind.type](prefix)
    except ValueError:
        wanted = f"a prefix of IPv{4 if field.kind.bits == 32 else 6} without bits behind its length"
        raise FieldError(header, field.name, prefix, f"{wanted}, such as '10.0.0.0/24'") from None
    first, behind = int(network[0]), int(network[-1]) + 1
    if behind - first > 2:
        first, behind = first + 1, behind - (network.version == 4)
    return range(first, behind)


def _exact(header: str, field: FieldInfo, value: Any) -> Any:
    """The value as the field has it. Raises FieldError; AUTO is no value to sweep."""
    try:
        return field.kind.convert(value)
    except (ValueError, TypeError):
        raise FieldError(header, field.name, value, field.kind.expected) from None
