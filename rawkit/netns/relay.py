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
from rawkit.netns.listening import BUFFER, Listener
from rawkit.netns.worker import Worker
from rawkit.pcap.filter import compile_filter
from rawkit.wire import Ethernet, LinkType

__all__ = ["relay"]

PATIENCE: Final = 1.0
"""Seconds that frames wait for the one that they are to trade places with."""

ASKING: Final = "arp or igmp or (ip6 and (ip6[6] == 0 or (ip6[6] == 58 and ip6[40] >= 130 and ip6[40] <= 137)))"
"""What hosts send when they please: questions for link addresses (RFC 826, RFC 4861) and reports of groups."""

NOTEWORTHY: Final = 0.001
"""Seconds by which a frame comes later or earlier than the link has it, for that to be told."""


class _Parcel(NamedTuple):
    """Bytes on their way to an end; they leave in the order of these fields."""

    due: float
    number: int
    to: int
    data: bytes


def relay(worker: Worker, names: tuple[str, str], impairment: Impairment) -> None:
    """Pass frames between `eth0` and `eth1` until the other process is gone. Runs in a node of its own.

    `names` are those of the nodes at its ends. Gives the cue `ready`; then it tells of each frame as it comes,
    from the cue `listen` on, as `Listener` does.
    """
    with (
        PacketSocket("eth0", promiscuous=True, buffer_size=BUFFER) as first,
        PacketSocket("eth1", promiscuous=True, buffer_size=BUFFER) as second,
    ):
        worker.cues.give("ready")
        _Relay(worker, (first, second), names, impairment).run()


class _Relay:
    def __init__(
        self, worker: Worker, ends: tuple[PacketSocket, PacketSocket], names: tuple[str, str], what: Impairment
    ) -> None:
        self._worker, self._ends, self._names, self._what = worker, ends, names, what
        self._listener = Listener(worker, ends, listening=False)
        self._orders = [_Order(instruction) for instruction in what.exactly]
        self._asking = compile_filter(ASKING, LinkType.ETHERNET)
        self._counts: Counter[tuple[int, str]] = Counter()  # frames by sender and stream
        self._parcels: list[_Parcel] = []
        self._number = 0
        self._free_at = [0.0, 0.0]  # when the line towards each end is free

    def run(self) -> None:
        """Do it until the other process is gone."""
        while True:
            waited_for: list[Any] = [self._worker.cues, *self._ends]
            ready, _, _ = select.select(waited_for, [], [], self._patience())
            for sender, end in enumerate(self._ends):
                if end in ready:
                    self._take(sender)
            if self._worker.cues in ready and not self._listener.obey(self._worker.cues.take()):
                return
            for order in self._orders:
                if order.is_overdue():
                    self._release(order, traded=False)
            self._deliver()
            self._answer()

    def _patience(self) -> float | None:
        """Seconds until there is something to do though nothing comes."""
        times = [self._parcels[0].due] if self._parcels else []
        times += [order.since + PATIENCE for order in self._orders if order.parked]
        return max(min(times) - time.monotonic(), 0) if times else None

    def _answer(self) -> None:
        """Answer who asks whether all that came before the marks has left.

        Frames that are parked are not waited for, nor let go: else the question would change what it is about.
        Only at the end of a recording do they go on.
        """
        question = self._listener.asked()
        if question is None:
            return
        if question.last_due is None:
            for order in self._orders if question.final else ():
                self._release(order, traded=False)
            question.last_due = max((parcel.due for parcel in self._parcels), default=0.0)
        if not self._parcels or self._parcels[0].due > question.last_due:
            self._listener.answer(question)

    def _take(self, sender: int) -> None:
        try:
            frame = self._ends[sender].receive(0)
        except (TimedOut, KernelError):  # KernelError: the end is down, and so nothing comes
            return
        if frame.direction is not Direction.OUTGOING and not self._listener.takes_for_mark(frame.data):
            self._decide(frame, sender)

    def _decide(self, frame: Frame, sender: int) -> None:
        """What becomes of a frame: the first instruction that is about it says so, or else chance."""
        asks = self._asking.run(frame.data, len(frame.data)) != 0
        named = [order for order in self._orders if order.names(frame.data, self._names[sender], asks)]
        if not any(self._follow(order, frame, sender, order in named) for order in self._orders):
            self._leave_to_chance(frame, sender, asks)
        for order in self._orders:
            if order.has_missed_the_other():
                self._release(order, traded=False)

    def _follow(self, order: _Order, frame: Frame, sender: int, named: bool) -> bool:
        """Do to a frame what an instruction says of it, which may name it; False if it says nothing."""
        match order.instruction:
            case Nth() if named:
                self._listener.tell(frame, sender, f"dropped, {order.words}")
            case Hold(for_ms=milliseconds) if named:
                self._listener.tell(frame, sender, f"held back for {milliseconds:g} ms, {order.words}")
                self._send(frame.data, sender, self._what.delay + milliseconds / 1000)
            case Swap(numbers=(first, _)) if named and order.count == first:
                self._park(order, frame, sender, f"waits to trade places, {order.words}")
            case Swap() if named and order.parked:
                self._listener.tell(frame, sender, f"trades places, {order.words}")
                self._send(frame.data, sender, self._what.delay)
                self._release(order, traded=True)
            case Swap() if order.parked and order.sender == sender:
                self._park(order, frame, sender, "waits for those that trade places")
            case _:
                return False
        return True

    def _leave_to_chance(self, frame: Frame, sender: int, asks: bool) -> None:
        stream = "asking" if asks else str(int(Ethernet.parse(frame.data)[0].type))
        self._counts[sender, stream] += 1
        fate = self._what.fate(self._names[sender], stream, self._counts[sender, stream], len(frame.data))
        if fate.lost or self._is_full(1 - sender):
            self._listener.tell(frame, sender, "lost" if fate.lost else "lost, since too many wait")
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
        takes, *_ = [
            self._send(data, sender, 0 if fate.reordered else fate.delay) for _ in range(1 + fate.duplicated)
        ]
        usual = self._line_time(data) + (0 if fate.reordered else self._what.delay)
        if abs(takes - usual) >= NOTEWORTHY:
            words.append(f"delayed by {takes * 1000:.0f} ms")
        self._listener.tell(frame, sender, ", ".join(words))

    def _is_full(self, to: int) -> bool:
        return len(self._parcels) >= QUEUE and sum(parcel.to == to for parcel in self._parcels) >= QUEUE

    def _park(self, order: _Order, frame: Frame, sender: int, fate: str) -> None:
        order.park(frame.data, sender, self._listener.tell(frame, sender, fate))

    def _release(self, order: _Order, *, traded: bool) -> None:
        """Let those that are parked go on, the first behind the others if the second has come, and say so."""
        parked, order.parked = order.parked, []
        for at, (_, number) in enumerate(parked):
            self._listener.correct(number, "waited for those that trade places" if at else order.fate(traded))
        for data, _ in [*parked[1:], *parked[:1]] if traded else parked:
            self._send(data, order.sender, self._what.delay)

    def _line_time(self, data: bytes) -> float:
        """Seconds that the bytes take to be put on the line."""
        return len(data) * 8 / self._what.rate if self._what.rate else 0.0

    def _send(self, data: bytes, sender: int, delay: float) -> float:
        """Have the bytes arrive after so many seconds, once the line is free; how long that takes in all."""
        to, now = 1 - sender, time.monotonic()
        self._free_at[to] = max(now, self._free_at[to]) + self._line_time(data)
        self._number += 1
        due = self._free_at[to] + delay
        heapq.heappush(self._parcels, _Parcel(due, self._number, to, data))
        return due - now

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._parcels and self._parcels[0].due <= now:
            parcel = heapq.heappop(self._parcels)
            self._listener.move(parcel.data)
            try:
                self._ends[parcel.to].send(parcel.data)
            except KernelError:  # the end is down: the frame is lost, as on a cable that is pulled out
                continue


class _Order:
    """An instruction, how far its count is, and what it keeps waiting."""

    def __init__(self, instruction: Instruction) -> None:
        self.instruction = instruction
        self.count = 0
        self.parked: list[tuple[bytes, int]] = []
        """Frames, with the numbers by which they were told; the first is the one that is to trade places."""
        self.sender = 0
        self.since = 0.0
        self._first = ""
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

    def park(self, data: bytes, sender: int, number: int) -> None:
        """Keep a frame waiting."""
        if not self.parked:
            self.sender, self.since, self._first = sender, time.monotonic(), self.words
        self.parked.append((data, number))

    def fate(self, traded: bool) -> str:
        """What became of the first that was parked."""
        if traded:
            return f"trades places, {self._first}"
        return f"waited to trade places, {self._first}; number {self.instruction.numbers[1]} did not come for it"

    def is_overdue(self) -> bool:
        """Whether what is parked has waited long enough for the other frame."""
        return bool(self.parked) and time.monotonic() > self.since + PATIENCE

    def has_missed_the_other(self) -> bool:
        """Whether the other frame has come, and another instruction had it."""
        return bool(self.parked) and self.count >= self.instruction.numbers[-1]
