"""Networks inside the machine: hosts, switches and routers in namespaces, gone when their owner is."""

from rawkit.netns._kernel import uninterrupted
from rawkit.netns.checks import Check, check_machine
from rawkit.netns.confinement import Confinement
from rawkit.netns.impairment import Hold, Impairment, Nth, Swap, hold, nth, swap
from rawkit.netns.lab import Cable, Lab
from rawkit.netns.namespace import Namespace
from rawkit.netns.node import Host, Hub, Node, Port, Router, Switch
from rawkit.netns.recording import Missing, Recording, Transit
from rawkit.netns.resolver import with_nameserver
from rawkit.netns.state import (
    Connection,
    Endpoint,
    InterfaceEntry,
    NeighborEntry,
    PacketSocketEntry,
    RouteEntry,
    SocketEntry,
    State,
)
from rawkit.netns.user import reexec_in_user_namespace
from rawkit.netns.worker import Cues, Worker

__all__ = [
    "Cable",
    "Check",
    "Confinement",
    "Connection",
    "Cues",
    "Endpoint",
    "Hold",
    "Host",
    "Hub",
    "Impairment",
    "InterfaceEntry",
    "Lab",
    "Missing",
    "Namespace",
    "NeighborEntry",
    "Node",
    "Nth",
    "PacketSocketEntry",
    "Port",
    "Recording",
    "RouteEntry",
    "Router",
    "SocketEntry",
    "State",
    "Swap",
    "Switch",
    "Transit",
    "Worker",
    "check_machine",
    "hold",
    "nth",
    "reexec_in_user_namespace",
    "swap",
    "uninterrupted",
    "with_nameserver",
]
