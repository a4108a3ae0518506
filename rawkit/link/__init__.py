"""The kernel's edge: sockets for whole packets and their in-memory twin, interfaces, privileges."""

from rawkit.link.frame import Direction, Frame, Link, RawLink, Receiver
from rawkit.link.interfaces import Interface, interfaces
from rawkit.link.memory import MemoryEnd, MemoryLink
from rawkit.link.packet import PacketSocket, Statistics
from rawkit.link.privileges import Identity, calling_user, drop_privileges
from rawkit.link.raw import RawIPv4Socket, RawIPv6Socket
from rawkit.link.route import source_towards, with_source

__all__ = [
    "Direction",
    "Frame",
    "Identity",
    "Interface",
    "Link",
    "MemoryEnd",
    "MemoryLink",
    "PacketSocket",
    "RawIPv4Socket",
    "RawIPv6Socket",
    "RawLink",
    "Receiver",
    "Statistics",
    "calling_user",
    "drop_privileges",
    "interfaces",
    "source_towards",
    "with_source",
]
