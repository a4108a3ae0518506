"""Where a conversation is staged: two hosts on a link, with every frame between them kept."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple, Self

from rawkit.echo.contrast.relay import ENDING, SENTINEL, Act, check_complete, is_mark, relay
from rawkit.echo.ether import ETHER_TYPE
from rawkit.echo.handmade import EchoHeader
from rawkit.echo.raw_ip import PROTOCOL
from rawkit.errors import PacketError, TimedOut
from rawkit.link import Direction, Frame, PacketSocket
from rawkit.netns import Host, Lab, Worker, uninterrupted
from rawkit.wire import Ethernet, IPv4, Packet

__all__ = ["PATIENCE", "Crossed", "Stage"]

PATIENCE: Final = 5.0
"""Seconds that something which must happen may take on a busy machine."""

DISCARD: Final = 9
"""The port of nobody, to which the hosts send once so that they know each other's MAC addresses."""

QUIET: Final = f"not ip6 and not arp or ether proto {SENTINEL:#x}"
"""What is kept, in tcpdump's language: neither the chatter of IPv6 nor addresses that are asked for again."""


ROOM: Final = 1 << 24
"""Bytes of frames that may wait to be looked at."""


class Crossed(NamedTuple):
    """A frame on the link, or one that should have crossed it."""

    frame: Frame
    source: str
    """`client` or `server`."""
    fate: str = ""
    """What the wire did to it: `dropped`, `held back`, or `overtakes` what is held back; or nothing."""

    @property
    def packet(self) -> Packet:
        """The frame dissected, with the header of the kinds that have an echo of their own."""
        packet = self.frame.packet()
        last = packet.layers[-1] if packet.layers else None
        own = (isinstance(last, Ethernet) and last.type == ETHER_TYPE) or (
            isinstance(last, IPv4) and last.protocol == PROTOCOL
        )
        try:
            header, data = EchoHeader.parse(packet.payload if own else b"")
        except PacketError:
            return packet
        return Packet((*packet.layers, header), data)


class Stage:
    """A client's host and a server's; the same one for kinds that stay within a machine.

    The hosts know each other's MAC addresses beforehand, so that what crosses the link is the conversation. With
    an `act`, a relay stands between the two that does this to it, from when `arm` is called; each frame is then as
    it would be on a real wire. Without, the link is direct, and `offload` leaves checksums and segments to it.
    """

    def __init__(self, *, one_host: bool = False, act: Act | None = None, offload: bool = True) -> None:
        self._relay: Worker | None = None
        with uninterrupted(), ExitStack() as stack:
            lab = stack.enter_context(Lab())
            self.client, self.server = lab.hosts("client", "server")
            if act is None:
                lab.link(self.client, self.server, offload=offload)
            else:
                self._relay = stack.enter_context(_relayed(lab, self.client, self.server, act))
            _introduce(self.client, self.server)
            if one_host:
                self.server = self.client
            self._taps: list[PacketSocket] = []
            self._stack = stack.pop_all()

    def listen(self) -> None:
        """From now on, keep the frames that cross the link, and the client's loopback."""
        if self._relay is not None:
            self._cue_the_relay("listen")
            return
        for interface in ("eth0", "lo"):
            tap = self.client.open(PacketSocket, interface, filter=QUIET, buffer_size=ROOM)
            self._taps.append(self._stack.enter_context(tap))

    def arm(self) -> None:
        """Let the relay act, if there is one."""
        if self._relay is not None:
            self._cue_the_relay("arm")

    def _cue_the_relay(self, cue: str) -> None:
        assert self._relay is not None
        self._relay.cues.give(cue)
        self._relay.cues.take(PATIENCE)  # that it did so

    def frames(self) -> list[Crossed]:
        """What was kept. To be asked for once. Raises KernelError if that is not every frame."""
        ends = {self.client, self.server}  # each marks the end of what it sends
        if self._relay is not None:
            for host in ends:
                _mark(host, "eth0")
            self._relay.cues.give("end")
            self._relay.join(ENDING + PATIENCE)
            return [Crossed(*told) for told in self._relay.told]
        found: list[Crossed] = []
        for tap in self._taps:
            senders = ends if tap.interface == "eth0" else {self.client}
            for host in senders:
                _mark(host, tap.interface)
            marks = len(senders) if tap.interface == "eth0" else 2  # loopback shows what is sent, and what comes
            found += map(self._crossed, _until_the_marks(tap, marks))
            tap.close()
        return sorted(found, key=lambda each: each.frame.time_ns)

    def _crossed(self, frame: Frame) -> Crossed:
        return Crossed(frame, "client" if frame.direction is Direction.OUTGOING else "server")

    def close(self) -> None:
        with uninterrupted():
            self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _relayed(lab: Lab, client: Host, server: Host, act: Act) -> Worker:
    """Link the two through a third host, in which a relay works."""
    between = lab.host("relay")
    for number, host in enumerate((client, server), 1):
        lab.link(host, between, addresses=([f"10.0.1.{number}/24"], []), offload=False)
    worker = between.spawn(lambda worker: relay(worker, act))
    try:
        worker.cues.take(PATIENCE)
    except BaseException:
        worker.close()
        raise
    return worker


def _introduce(client: Host, server: Host) -> None:
    for host, other in ((client, server), (server, client)):
        with host.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(PATIENCE)
            probe.connect((str(other.address()), DISCARD))
            probe.send(b"")
            with suppress(ConnectionRefusedError):  # ICMP says that nobody is there, so it has arrived
                probe.recv(1)


def _mark(host: Host, interface: str) -> None:
    """Send the frame behind which this host sends no other."""
    with host.open(PacketSocket, interface) as link:
        link.send(bytes(Ethernet(dst="ff:ff:ff:ff:ff:ff", type=SENTINEL) / bytes(46)))


def _until_the_marks(tap: PacketSocket, marks: int) -> Iterator[Frame]:
    while marks:
        try:
            frame = tap.receive(PATIENCE)
        except TimedOut:
            break
        if is_mark(frame):
            marks -= 1
        else:
            yield frame
    check_complete(marks, tap.statistics().drops)
