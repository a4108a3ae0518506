"""The kernel's edge: sockets for whole packets and their in-memory twin, interfaces, privileges."""

from rawkit.link.counters import EXPLANATIONS, kernel_counters, moved
from rawkit.link.frame import Direction, Frame, Link, RawLink, Receiver
from rawkit.link.guard import Flow, FlowGuard
from rawkit.link.interfaces import Interface, interfaces
from rawkit.link.memory import MemoryEnd, MemoryLink
from rawkit.link.packet import PacketSocket, Statistics
from rawkit.link.privileges import Identity, calling_user, drop_privileges
from rawkit.link.raw import RawIPv4Socket, RawIPv6Socket
from rawkit.link.route import (
    Neighbor,
    NeighborState,
    Route,
    find_neighbor,
    find_route,
    source_towards,
    with_source,
)

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
    "PacketSocket",
    "RawIPv4Socket",
    "RawIPv6Socket",
    "RawLink",
    "Receiver",
    "Route",
    "Statistics",
    "calling_user",
    "drop_privileges",
    "find_neighbor",
    "find_route",
    "interfaces",
    "kernel_counters",
    "moved",
    "source_towards",
    "with_source",
]
