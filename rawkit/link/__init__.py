"""The kernel's edge: sockets for whole packets and their in-memory twin, interfaces, privileges."""

from rawkit.link._frames import Statistics
from rawkit.link.counters import EXPLANATIONS, kernel_counters, moved
from rawkit.link.frame import Direction, Frame, Link, RawLink, Receiver
from rawkit.link.guard import Flow, FlowGuard
from rawkit.link.interfaces import Interface, interfaces
from rawkit.link.memory import MemoryEnd, MemoryLink
from rawkit.link.packet import PacketSocket
from rawkit.link.policy import Sending, examine, require_force
from rawkit.link.privileges import Identity, calling_user, drop_privileges
from rawkit.link.raw import RawIPv4Socket, RawIPv6Socket
from rawkit.link.ring import PacketRing
from rawkit.link.route import (
    Neighbor,
    NeighborState,
    Route,
    find_neighbor,
    find_route,
    source_towards,
    with_own_addresses,
    with_source,
)
from rawkit.link.surroundings import is_lab, own_namespace

__all__ = [
    "EXPLANATIONS",
    "Direction",
    "Flow",
    "FlowGuard",
    "Frame",
    "Identity",
    "Interface",
    "Link",
    "MemoryEnd",
    "MemoryLink",
    "Neighbor",
    "NeighborState",
    "PacketRing",
    "PacketSocket",
    "RawIPv4Socket",
    "RawIPv6Socket",
    "RawLink",
    "Receiver",
    "Route",
    "Sending",
    "Statistics",
    "calling_user",
    "drop_privileges",
    "examine",
    "find_neighbor",
    "find_route",
    "interfaces",
    "is_lab",
    "kernel_counters",
    "moved",
    "own_namespace",
    "require_force",
    "source_towards",
    "with_own_addresses",
    "with_source",
]
