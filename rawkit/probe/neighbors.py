"""What neighbours say of their MAC addresses, and what is said where they do not."""

from __future__ import annotations

from rawkit.layout import MAC
from rawkit.probe.pending import Hop
from rawkit.wire import ARP, NeighborAdvertisement, Packet, TargetLinkLayerAddress

__all__ = ["mac_in", "silent"]


def silent(hop: Hop, sends: int) -> str:
    """That a next hop did not answer so many requests."""
    protocol = "ARP" if hop[0].version == 4 else "neighbour discovery"
    return f"{hop[0]}, the next hop on {hop[1]}, does not answer {protocol} ({sends} requests)"


def mac_in(packet: Packet) -> MAC | None:
    """The MAC address that a neighbour told."""
    if ARP in packet:
        return packet[ARP].sender_mac
    if NeighborAdvertisement in packet:
        options = packet[NeighborAdvertisement].options
        told = (option.address for option in options if isinstance(option, TargetLinkLayerAddress))
        return next(told, None)
    return None
