"""The process in the middle of an impaired link: takes each frame from one end, and hands it to the other or not.

Every frame goes the same way: an instruction or chance decides its fate, which is told; what is to arrive
becomes a parcel with the moment at which it is due; parcels leave in that order. Frames that wait for another
to overtake them are parked before they become parcels.
"""

from __future__ import annotations

import heapq
import select
import time
from collections import Counter
from typing import Any, Final, NamedTuple

from rawkit.errors import KernelError, TimedOut
from rawkit.link import Direction, Frame, PacketSocket
from rawkit.netns.impairment import QUEUE, Hold, Impairment, Instruction, Nth, Swap
from rawkit.netns.marks import is_mark
from rawkit.netns.worker import Worker
from rawkit.pcap.filter import compile_filter
from rawkit.wire import Ethernet, LinkType

__all__ = ["Passage", "relay"]

PATIENCE: Final = 1.0
"""Seconds that frames wait for the one that they are to trade places with."""

ROOM: Final = 20_000
"""Frames that are told of; those after them are relayed all the same."""

ASKING: Final = "arp or (ip6 and (ip6[6] == 0 or (ip6[6] == 58 and ip6[40] >= 130 and ip6[40] <= 137)))"
"""What hosts send when they please: questions for link addresses (RFC 826, RFC 4861) and reports of groups."""


class Passage(NamedTuple):
    """A frame that an end of a link sent: `sender` is 0 or 1, `fate` says what was done to it, if anything."""

    frame: Frame
    sender: int
    fate: str


class _Parcel(NamedTuple):
    """Bytes on their way to an end; they leave in the order of these fields."""

    due: float
    number: int
    to: int
    data: bytes


def relay(worker: Worker, names: tuple[str, str], impairment: Impairment) -> None:
    """Pass frames between `eth0` and `eth1` until the other process is gone. Runs in a node of its own.

    `names` are those of the nodes at its ends. Gives the cue `ready`, and tells a `Passage` of each frame as it
    comes from the cue `listen` on, which it answers. Once marks have come from both ends, and what came before
    them has left, it gives the cue `drained`.
    """
    with PacketSocket("eth0", promiscuous=True) as first, PacketSocket("eth1", promiscuous=True) as second:
        worker.cues.give("ready")
        _Relay(worker, (first, second), names, impairment).run()


class _Relay:
    def __init__(
        self, worker: Worker, ends: tuple[PacketSocket, PacketSocket], names: tuple[str, str], what: Impairment
    ) -> None:
        self._worker, self._ends, self._names, self._what = worker, ends, names, what
        self._orders = [_Order(instruction) for instruction in what.exactly]
        self._asking = compile_filter(ASKING, LinkType.ETHERNET) if self._orders else None
        self._counts: Counter[tuple[int, int]] = Counter()  # frames by sender and EtherType
        self._parcels: list[_Parcel] = []
        self._number = self._told = 0
        self._free_at = [0.0, 0.0]  # when the line towards each end is free
        self._listening = False
        self._marks = 0

    def run(self) -> None:
        """Do it until the other process is gone."""
        while True:
            waited_for: list[Any] = [self._worker.cues, *self._ends]
            ready, _, _ = select.select(waited_for, [], [], self._patience())
            for sender, end in enumerate(self._ends):
                if end in ready:
                    self._take(sender)
            if self._worker.cues in ready and not self._obey(self._worker.cues.take()):
                return
            for order in self._orders:
                if order.is_overdue():
                    self._release(order)
            self._deliver()
            if self._marks >= len(self._ends) and not self._parcels:
                self._marks = 0
                self._worker.cues.give("drained")

    def _patience(self) -> float | None:
        """Seconds until there is something to do though nothing comes."""
        times = [self._parcels[0].due] if self._parcels else []
        times += [order.since + PATIENCE for order in self._orders if order.parked]
        return max(min(times) - time.monotonic(), 0) if times else None

    def _obey(self, cue: str) -> bool:
        if cue == "listen":
            self._listening = True
            self._worker.cues.give("listening")
        return bool(cue)

    def _take(self, sender: int) -> None:
        try:
            frame = self._ends[sender].receive(0)
        except (TimedOut, KernelError):  # KernelError: the end is down, and so nothing comes
            return
        if frame.direction is Direction.OUTGOING:
            return
        if is_mark(frame.data):
            self._marks += 1
            for order in self._orders:
                self._release(order)
        else:
            self._decide(frame, sender)

    def _decide(self, frame: Frame, sender: int) -> None:
        """What becomes of a frame: the first instruction that is about it says so, or else chance."""
        asks = self._asking is not None and self._asking.run(frame.data, len(frame.data)) != 0
        named = [order for order in self._orders if order.names(frame.data, self._names[sender], asks)]
        for order in self._orders:
            match order.instruction:
                case Nth() if order in named:
                    self._tell(frame, sender, f"dropped, {order.words}")
                    return
                case Hold(for_ms=milliseconds) if order in named:
                    self._tell(frame, sender, f"held back for {milliseconds:g} ms, {order.words}")
                    self._send(frame.data, sender, self._what.delay + milliseconds / 1000)
                    return
                case Swap() if order in named and not order.parked and order.count == order.instruction.numbers[0]:
                    self._tell(frame, sender, f"trades places, {order.words}")
                    order.park(frame.data, sender)
                    return
                case Swap() if order in named and order.parked:
                    self._tell(frame, sender, f"trades places, {order.words}")
                    self._send(frame.data, sender, self._what.delay)
                    order.parked.append(order.parked.pop(0))
                    self._release(order)
                    return
                case Swap() if order.parked and order.sender == sender:
                    self._tell(frame, sender, "waits for those that trade places")
                    order.park(frame.data, sender)
                    return
        self._leave_to_chance(frame, sender)

    def _leave_to_chance(self, frame: Frame, sender: int) -> None:
        kind = int(Ethernet.parse(frame.data)[0].type)
        self._counts[sender, kind] += 1
        fate = self._what.fate(self._names[sender], kind, self._counts[sender, kind], len(frame.data))
        if fate.lost or self._is_full(1 - sender):
            self._tell(frame, sender, "lost" if fate.lost else "lost, since too many wait")
            return
        words, data = [], frame.data
        if fate.corrupted_bit is not None:
            byte, bit = divmod(fate.corrupted_bit, 8)
            data = data[:byte] + bytes([data[byte] ^ 0x80 >> bit]) + data[byte + 1 :]
            words.append(f"byte {byte} corrupted")
        if fate.reordered:
            words.append("skips the delay")
        if fate.duplicated:
            words.append("doubled")
        self._tell(frame, sender, ", ".join(words))
        for _ in range(1 + fate.duplicated):
            self._send(data, sender, 0 if fate.reordered else fate.delay)

    def _is_full(self, to: int) -> bool:
        return len(self._parcels) >= QUEUE and sum(parcel.to == to for parcel in self._parcels) >= QUEUE

    def _release(self, order: _Order) -> None:
        parked, order.parked = order.parked, []
        for data in parked:
            self._send(data, order.sender, self._what.delay)

    def _send(self, data: bytes, sender: int, delay: float) -> None:
        """Have the bytes arrive after so many seconds, once the line is free."""
        to, now = 1 - sender, time.monotonic()
        if self._what.rate:
            self._free_at[to] = max(now, self._free_at[to]) + len(data) * 8 / self._what.rate
            now = self._free_at[to]
        self._push(now + delay, to, data)

    def _push(self, due: float, to: int, data: bytes) -> None:
        self._number += 1
        heapq.heappush(self._parcels, _Parcel(due, self._number, to, data))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._parcels and self._parcels[0].due <= now:
            parcel = heapq.heappop(self._parcels)
            try:
                self._ends[parcel.to].send(parcel.data)
            except KernelError:  # the end is down: the frame is lost, as on a cable that is pulled out
                continue

    def _tell(self, frame: Frame, sender: int, fate: str) -> None:
        if self._listening and self._told < ROOM:
            self._told += 1
            self._worker.tell(Passage(frame, sender, fate))


class _Order:
    """An instruction, how far its count is, and what it keeps waiting."""

    def __init__(self, instruction: Instruction) -> None:
        self.instruction = instruction
        self.count = 0
        self.parked: list[bytes] = []
        self.sender = 0
        self.since = 0.0
        where = instruction.where
        self._program = None if where is None else compile_filter(where, LinkType.ETHERNET)

    def names(self, data: bytes, sender: str, asks: bool) -> bool:
        """Count a frame, if it is to be counted; whether it is one of those that the instruction is about."""
        if self.instruction.sent_by not in (None, sender):
            return False
        if asks if self._program is None else not self._program.run(data, len(data)):
            return False
        self.count += 1
        return self.count in self.instruction.numbers

    @property
    def words(self) -> str:
        """Which of its frames it has come to: `as number 3 of 'tcp' sent by a`."""
        where = "" if self.instruction.where is None else f" of {self.instruction.where!a:.60}"
        sent_by = "" if self.instruction.sent_by is None else f" sent by {self.instruction.sent_by}"
        return f"as number {self.count}{where}{sent_by}"

    def park(self, data: bytes, sender: int) -> None:
        """Keep a frame waiting."""
        if not self.parked:
            self.sender, self.since = sender, time.monotonic()
        self.parked.append(data)

    def is_overdue(self) -> bool:
        """Whether what is parked has waited long enough for the other frame."""
        return bool(self.parked) and time.monotonic() > self.since + PATIENCE
