"""The frames of a run as a ladder shows them: with TCP's numbers counted from those that each end began with."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from rawkit.echo.contrast.play import Run
from rawkit.echo.contrast.stage import Crossed
from rawkit.wire import TCP, IPv4, IPv6, Packet, TCPFlags

__all__ = ["rungs", "tally"]

NUMBERS = 1 << 32

Flow = tuple[IPv4Address | IPv6Address, int, IPv4Address | IPv6Address, int]
"""Address and port of who sends, and of who receives."""


def rungs(run: Run) -> list[tuple[Crossed, Packet]]:
    """Each frame, and the packet to show for it: sequence numbers begin at 0 (as Wireshark has it by default)."""
    begun: dict[Flow, int] = {}
    found = []
    for each in run.frames:
        packet = each.packet
        if TCP in packet:
            packet = _relative(packet, begun)
        found.append((each, packet))
    return found


def tally(run: Run) -> str:
    """What stands below: the frames, whosever they were, and the data of which the program knows."""
    frames = "1 frame" if len(run.frames) == 1 else f"{len(run.frames)} frames"
    data = f"{run.application_bytes:,}" if run.application_bytes else "none"
    return f"{frames}, {run.wire_bytes:,} bytes on the wire; {data} of data"


def _relative(packet: Packet, begun: dict[Flow, int]) -> Packet:
    segment = packet[TCP]
    ip: IPv4 | IPv6 = packet[IPv4] if IPv4 in packet else packet[IPv6]
    source: Flow = (ip.src, segment.src_port, ip.dst, segment.dst_port)
    other: Flow = (ip.dst, segment.dst_port, ip.src, segment.src_port)
    if segment.flags & TCPFlags.SYN:
        begun[source] = segment.seq
    elif segment.flags & TCPFlags.ACK:
        begun.setdefault(other, segment.ack - 1)
    seq = (segment.seq - begun.setdefault(source, segment.seq)) % NUMBERS
    ack = (segment.ack - begun.get(other, segment.ack)) % NUMBERS if segment.flags & TCPFlags.ACK else 0
    return packet.replace(TCP, seq=seq, ack=ack)
