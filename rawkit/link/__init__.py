"""The kernel's edge: sockets for whole packets and their in-memory twin, interfaces, privileges."""

from rawkit.link.frame import Direction, Frame, Link, RawLink, Receiver
from rawkit.link.interfaces import Interface, interfaces
from rawkit.link.memory import MemoryEnd, MemoryLink
from rawkit.link.packet import PacketSocket, Statistics
from rawkit.link.policy import Sending, examine, require_force
from rawkit.link.privileges import Identity, calling_user, drop_privileges
from rawkit.link.raw import RawIPv4Socket, RawIPv6Socket
from rawkit.link.route import source_towards, with_source
from rawkit.link.surroundings import is_lab

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
    "Sending",
    "Statistics",
    "calling_user",
    "drop_privileges",
    "examine",
    "interfaces",
    "is_lab",
    "require_force",
    "source_towards",
    "with_source",
]
