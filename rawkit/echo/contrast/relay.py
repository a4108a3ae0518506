"""A wire with an accident on it: passes frames from one interface to the other, and tells what it did to each."""

from __future__ import annotations

import errno
import select
import time
from enum import Enum
from typing import Any, Final

from rawkit.errors import KernelError
from rawkit.link import Direction, Frame, PacketSocket
from rawkit.netns import Worker
from rawkit.wire import ARP, Ethernet, Packet

__all__ = ["ENDING", "SENTINEL", "Act", "check_complete", "is_mark", "relay"]

HELD: Final = 0.15
"""Seconds that a frame is held back for another to overtake it: less than until TCP sends it again."""

ENDING: Final = 5.0
"""Seconds in which the last frames have to come."""

SENTINEL: Final = 0x88B6
"""The EtherType (IEEE 802, for experiments) of the frame behind which no other comes from an end."""


class Act(Enum):
    """What is done to the client's frames, once."""

    DROP = "the first is dropped"
    SWAP = "the first that carries data is overtaken by the next"


def relay(worker: Worker, act: Act) -> None:
    """Pass frames between `eth0`, the client's side, and `eth1`, until told to end. Runs in a host of its own.

    It takes the cues `listen`, `arm` and `end`. From the first on it tells (frame, end, fate) of each, in the
    order in which it sends them on, or does not; what asks for addresses (ARP) is passed on without a word. Raises
    KernelError if it did not see every frame.
    """
    with (
        PacketSocket("eth0", promiscuous=True, filter="not ip6") as client,
        PacketSocket("eth1", promiscuous=True, filter="not ip6") as server,
    ):
        worker.cues.give("ready")
        wire = _Wire(worker, client, server, act)
        waited_for: list[Any] = [worker.cues, client, server]
        while True:
            ready, _, _ = select.select(waited_for, [], [], wire.patience())
            for source in (client, server):
                if source in ready:
                    wire.pass_on(source)
            if worker.cues in ready and not wire.obey(worker.cues.take()):
                waited_for.remove(worker.cues)
            if not ready:
                wire.let_go()
            if wire.is_over():
                break
        drops = sum(each.statistics().drops for each in (client, server))
        check_complete(wire.marks_missing, drops)


class _Wire:
    def __init__(self, worker: Worker, client: PacketSocket, server: PacketSocket, act: Act) -> None:
        self.listening = self.armed = False
        self._worker, self._client, self._server, self._act = worker, client, server, act
        self._held: Frame | None = None
        self._since = 0.0
        self._ends_at: float | None = None
        self.marks_missing = 2

    def obey(self, cue: str) -> bool:
        """Do what the stage asks for; whether it may ask again."""
        if cue in ("listen", "arm"):
            self.listening = True
            self.armed = cue == "arm"
            self._worker.cues.give("done")
            return True
        self._ends_at = time.monotonic() + ENDING
        return False

    def is_over(self) -> bool:
        """Whether the last frames of both ends have come, or should have."""
        return self._ends_at is not None and (not self.marks_missing or time.monotonic() > self._ends_at)

    def patience(self) -> float | None:
        """Seconds until there is something to do though nothing comes."""
        let_go = None if self._held is None else self._since + HELD
        times = [moment for moment in (self._ends_at, let_go) if moment is not None]
        return max(min(times) - time.monotonic(), 0) if times else None

    def pass_on(self, source: PacketSocket) -> None:
        frame = source.receive(0)
        if frame.direction is Direction.OUTGOING:
            return
        if is_mark(frame):
            self.marks_missing -= 1
            return
        if self._act is Act.DROP and self.armed and source is self._client:
            self.armed = False
            self._tell(frame, source, "dropped")
            return
        if self._act is Act.SWAP and source is self._client and _carries_data(frame.packet()):
            if self.armed:
                self.armed = False
                self._held, self._since = frame, time.monotonic()
                return
            self._send(frame, source, "overtakes" if self._held is not None else "")
            self.let_go()
            return
        self._send(frame, source)

    def let_go(self) -> None:
        """Send what was held back."""
        if self._held is not None:
            held, self._held = self._held, None
            self._send(held, self._client, "held back")

    def _send(self, frame: Frame, source: PacketSocket, fate: str = "") -> None:
        (self._server if source is self._client else self._client).send(frame.data)
        self._tell(frame._replace(time_ns=time.time_ns()), source, fate)  # as it leaves

    def _tell(self, frame: Frame, source: PacketSocket, fate: str) -> None:
        if self.listening and ARP not in frame.packet():
            self._worker.tell((frame, "client" if source is self._client else "server", fate))


def check_complete(marks_missing: int, drops: int) -> None:
    """Raise KernelError unless a tap heard of all ends that they are done, and had room for every frame."""
    if marks_missing or drops:
        lost = f"{drops} were dropped for want of room, {marks_missing} last ones did not come"
        remedy = f"{lost}; try again when less is going on"
        raise KernelError(errno.ENOBUFS, "keep every frame", remedy)


def is_mark(frame: Frame) -> bool:
    """Whether it is the frame behind which its sender sends no other."""
    packet = frame.packet()
    return Ethernet in packet and packet[Ethernet].type == SENTINEL


def _carries_data(packet: Packet) -> bool:
    return bool(packet.payload)
