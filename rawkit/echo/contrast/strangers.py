"""What is not meant for a client, and reaches its host all the same."""

from __future__ import annotations

from typing import Final

from rawkit.echo.contrast.stage import Stage
from rawkit.echo.ether import ETHER_TYPE
from rawkit.echo.handmade import ANSWER, EchoHeader
from rawkit.echo.kinds import Kind
from rawkit.echo.raw_ip import PROTOCOL
from rawkit.link import PacketSocket
from rawkit.wire import TCP, UDP, Ethernet, ICMPv4, IPv4, Packet

__all__ = ["pass_by", "strange_to"]

OTHER: Final = 9
"""The port, or the identifier, of nobody."""


def strange_to(data: bytes) -> bytes:
    """What a stranger carries to a client with such data, in which it is nowhere to be found."""
    strange = b"not for you"
    while strange in data:
        strange += b"!"
    return strange


def pass_by(kind: Kind, stage: Stage, strange: bytes) -> None:
    """Send the client's host a packet of the same protocol, for another port or identifier."""
    packet = _headers(kind, stage, len(strange)) / strange
    with stage.server.open(PacketSocket, "eth0", protocol=0) as link:
        link.send(packet)


def _headers(kind: Kind, stage: Stage, length: int) -> Packet:
    frame = Ethernet(dst=stage.client.mac(), src=stage.server.mac())
    ip = IPv4(src=str(stage.server.address()), dst=str(stage.client.address()))
    echo = EchoHeader(type=ANSWER, id=OTHER, seq=1, length=length)
    if kind.name == "ether":
        return frame.replace(type=ETHER_TYPE) / echo
    if kind.name == "raw-ip":
        return frame / ip.replace(protocol=PROTOCOL) / echo
    if kind.name == "icmp":
        return frame / ip / ICMPv4.echo_reply(id=OTHER, seq=1)
    if kind.connected:
        return frame / ip / TCP(src_port=OTHER, dst_port=OTHER, flags="S")
    return frame / ip / UDP(src_port=OTHER, dst_port=OTHER)
