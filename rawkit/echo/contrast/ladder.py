"""The frames of a run as a ladder shows them: with TCP's numbers counted from those that each end began with."""

from __future__ import annotations

from rawkit.echo.contrast.play import Run
from rawkit.echo.contrast.stage import Crossed
from rawkit.wire import TCP, Packet, TCPFlags

__all__ = ["rungs"]

NUMBERS = 1 << 32


def rungs(run: Run) -> list[tuple[Crossed, Packet]]:
    """Each frame, and the packet to show for it: sequence numbers begin at 0 (as Wireshark has it by default)."""
    begun: dict[str, int] = {}
    found = []
    for each in run.frames:
        packet = each.packet
        if TCP in packet:
            packet = _relative(packet, begun, each.source, "client" if each.source == "server" else "server")
        found.append((each, packet))
    return found


def _relative(packet: Packet, begun: dict[str, int], source: str, other: str) -> Packet:
    segment = packet[TCP]
    if segment.flags & TCPFlags.SYN:
        begun[source] = segment.seq
    elif segment.flags & TCPFlags.ACK:
        begun.setdefault(other, segment.ack - 1)
    seq = (segment.seq - begun.setdefault(source, segment.seq)) % NUMBERS
    ack = (segment.ack - begun.get(other, segment.ack)) % NUMBERS if segment.flags & TCPFlags.ACK else 0
    return packet.replace(TCP, seq=seq, ack=ack)
