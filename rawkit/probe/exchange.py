"""The exchange: questions go out, and each comes back as an answer or as a miss that says why.

A question is filed under the keys of everything that would answer it (`matching.py`), so that a received packet
costs a lookup or two, however many questions are open. One table serves all that ask at the same time; each
`Run` is one call of `ask` or `ask_all` and says in `steps` what happens next: an outcome, or a wait. Two short
drivers do the waiting, one with poll(2), one with asyncio.
"""

from __future__ import annotations

import errno
import heapq
import math
import select
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from rawkit.errors import FieldError, InterfaceError, KernelError
from rawkit.link import Direction, Frame
from rawkit.probe.evidence import Evidence, Finding, describe_error
from rawkit.probe.matching import Key, answer_keys, question_keys
from rawkit.probe.neighbors import mac_in, silent
from rawkit.probe.outcome import Answer, Clock, Miss, Reason
from rawkit.probe.pending import Hop, Pending, Table
from rawkit.probe.port import KernelPort, Port, Ready, Resolution
from rawkit.wire import Packet

if TYPE_CHECKING:
    from asyncio import Event

    from rawkit.probe.witness import Witness

__all__ = ["Exchange"]

BATCH: Final = 64
"""Questions that leave in one system call at the most."""

REMEMBERED: Final = 4096
"""Questions that are done and still known, to tell a repeated or late answer for what it is."""

LOST: Final = (Reason.NEARLY, Reason.DROPPED, Reason.COUNTED, Reason.SILENCE)
"""Misses of questions that left, and may have been lost anywhere."""

CATCH_UP_SECONDS: Final = 0.005
"""How far behind its pace a run may be and still catch up; timers are that late on a busy machine."""

RESOLVING_SECONDS: Final = 1.0
RESOLVING_RETRIES: Final = 2
"""How long at the most and how often a neighbour is asked for its address (as Linux does; arp(7))."""


class Exchange:
    """Sends packets and matches what comes back to them.

        with Exchange() as exchange:
            outcome = exchange.ask(IPv4(dst="10.0.0.2") / ICMPv4.echo(id=7))
            if isinstance(outcome, Answer):
                print(outcome.packet.summary(), outcome.round_trip_ns)
            else:
                print(outcome.text)

    `port` is where: this host's interfaces by default, or a `MemoryPort`. Not for several threads at once; for
    several asyncio tasks it is. With a `witness`, misses tell where in a lab the question was last seen; it stays
    the caller's to close. The packets of an outcome begin with what the port puts before them, Ethernet as
    a rule.
    """

    def __init__(self, port: Port | None = None, *, witness: Witness | None = None) -> None:
        self.port: Port = KernelPort() if port is None else port
        self.witness = witness
        self._open, self._done = Table(), Table()
        self._sent = Table()
        self._remembered: deque[Pending] = deque()
        self.asked = 0
        """Questions that left so far, each counted once, whatever became of them."""
        self._resolving: dict[Hop, list[Pending]] = {}
        self._runs: list[Run] = []
        self._woken: set[Event] = set()

    def ask(self, packet: Packet, *, timeout: float = 2.0, retries: int = 0) -> Answer | Miss:
        """Ask one question; returns as soon as it is answered, and after `timeout` seconds a try at the latest.

        Raises InterfaceError, NotPermittedError, BuildError; what else keeps the packet from being sent is a miss.
        """
        return next(self.ask_all((packet,), timeout=timeout, retries=retries))

    def ask_all(
        self,
        packets: Iterable[Packet],
        *,
        timeout: float = 2.0,
        retries: int = 0,
        rate: float | None = None,
        window: int = 1024,
        repeats: bool = False,
        linger: float = 0.0,
    ) -> Iterator[Answer | Miss]:
        """Ask any number of questions; their outcomes come in the order in which they are known.

        At most `rate` packets are sent a second, and at most `window` questions are open at a time. With
        `repeats`, a second answer to the same question comes too, marked `repeated`, as does one that came after
        its time, until all questions are done and `linger` seconds more. Packets are taken as they are needed.
        """
        run = Run(self, packets, timeout, retries, rate, window, repeats, linger)
        try:
            for step in run.steps():
                if isinstance(step, Answer | Miss):
                    yield step
                else:
                    self._wait(step)
        finally:
            run.close()

    async def ask_async(self, packet: Packet, *, timeout: float = 2.0, retries: int = 0) -> Answer | Miss:
        """As `ask`, from asyncio."""
        outcomes = self.ask_all_async((packet,), timeout=timeout, retries=retries)
        try:
            return await anext(outcomes)
        finally:
            await outcomes.aclose()  # type: ignore[attr-defined]

    async def ask_all_async(
        self,
        packets: Iterable[Packet],
        *,
        timeout: float = 2.0,
        retries: int = 0,
        rate: float | None = None,
        window: int = 1024,
        repeats: bool = False,
        linger: float = 0.0,
    ) -> AsyncIterator[Answer | Miss]:
        """As `ask_all`, from asyncio."""
        run = Run(self, packets, timeout, retries, rate, window, repeats, linger)
        try:
            for step in run.steps():
                if isinstance(step, Answer | Miss):
                    yield step
                else:
                    await self._wait_async(step)
        finally:
            run.close()

    def complete(self, packet: Packet, *, timeout: float = 1.0) -> Ready:
        """A question as it would be sent, after its next hop's address was asked for if need be.

        Raises KernelError: EHOSTUNREACH where the next hop does not answer, and what finding the way raises.
        """
        prepared = self.port.prepare(packet)
        if isinstance(prepared, Resolution):
            hop = (prepared.address, prepared.interface)
            run = Run(self, (), timeout, 0, None, 1, False, 0)
            self._resolving[hop] = []
            run.ask_neighbor(prepared.ready, hop)
            try:
                for step in run.steps():
                    if not isinstance(step, Answer | Miss):
                        self._wait(step)
            finally:
                run.close()
            prepared = self.port.prepare(packet)
            if isinstance(prepared, Resolution):
                raise KernelError(errno.EHOSTUNREACH, "send", silent(hop, RESOLVING_RETRIES + 1))
        return prepared

    def close(self) -> None:
        """Close the port. Closing twice is no error."""
        self.port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ waiting

    def _wait(self, until: float) -> None:
        """Wait until something can be received, or that time by the monotonic clock has come."""
        left = until - time.monotonic()
        if left > 0:
            select.select([self.port.fileno()], [], [], None if left == math.inf else left)

    async def _wait_async(self, until: float) -> None:
        import asyncio  # takes 20 ms, which only they need who wait so

        loop = asyncio.get_running_loop()
        event, descriptor = asyncio.Event(), self.port.fileno()
        self._woken.add(event)
        if len(self._woken) == 1:
            loop.add_reader(descriptor, self.wake)
        left = until - time.monotonic()
        try:
            async with asyncio.timeout(None if left == math.inf else max(left, 0)):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._woken.discard(event)
            if not self._woken:
                loop.remove_reader(descriptor)

    def wake(self) -> None:
        """Let every task look: one of them receives for all."""
        for event in self._woken:
            event.set()

    # ------------------------------------------------------------------ the table

    def file(self, pending: Pending) -> None:
        """Let a question be found by what answers it, and by its own bytes on the wire."""
        self._open.add(pending, pending.keys)
        self._sent.add(pending, (pending.ready.data,))

    def forget(self, pending: Pending) -> None:
        """Take a question out of the tables."""
        self._open.remove(pending, pending.keys)
        self._sent.remove(pending, (pending.ready.data,))

    def finish(self, pending: Pending) -> None:
        """Keep a question that is done for a while, since its answer may come again, or late."""
        pending.is_done = True
        if pending.ready is None:
            return
        self.forget(pending)
        self._done.add(pending, pending.keys)
        self._remembered.append(pending)
        if len(self._remembered) > REMEMBERED:
            oldest = self._remembered.popleft()
            self._done.remove(oldest, oldest.keys)

    def hear(self) -> None:
        """Hand whatever came in to the runs that it is for."""
        if self.witness is not None:
            self.witness.look()
        for frame in self.port.receive():
            if frame.direction is Direction.OUTGOING:
                self._note_sending(frame)
            else:
                self._match(frame)

    def _note_sending(self, frame: Frame) -> None:
        """Take the kernel's time of a question on the wire."""
        pending = self._sent.first(frame.data)
        if pending is None and frame.interface == "lo":  # where the kernel may have filled in an identification
            keys = question_keys(frame.packet())
            pending = self._open.first(keys[0]) if keys else None
        if pending is not None:
            pending.sent_ns, pending.clock = frame.time_ns, Clock.KERNEL
            self._sent.remove(pending, (pending.ready.data,))

    def _match(self, frame: Frame) -> None:
        packet = frame.packet()
        keys = answer_keys(packet)
        for table in (self._open, self._done):
            for key in keys:
                # Of a flow, an error says something only where there is no other question that it can be about.
                pending = table.only(key) if key[0] == "quote of flow" else table.first(key)
                if pending is not None:
                    pending.run.take(pending, frame, packet, key)
                    return
        for run in self._runs:
            run.evidence.note(keys, packet)

    # ------------------------------------------------------------------ neighbours

    def resolve(self, resolution: Resolution, pending: Pending) -> None:
        """Let a question wait for the address of its next hop, which is asked for unless it is being asked for."""
        hop = (resolution.address, resolution.interface)
        waiting = self._resolving.get(hop)
        if waiting is not None:
            waiting.append(pending)
            return
        self._resolving[hop] = [pending]
        pending.run.ask_neighbor(resolution.ready, hop)

    def resolved(self, hop: Hop, outcome: Answer | Miss) -> None:
        """Send what waited for a neighbour, or give it up."""
        mac = mac_in(outcome.packet) if isinstance(outcome, Answer) else None
        if mac is not None:
            self.port.learn(*hop, mac)
        for pending in self._resolving.pop(hop, ()):
            if mac is not None:
                pending.run.start(pending)
                continue
            pending.run.miss(pending, (Reason.NO_NEIGHBOR, silent(hop, outcome.sends), None))
        self.wake()


class Run:
    """One call of `ask_all`: its questions, the times they have, and their outcomes."""

    def __init__(
        self,
        exchange: Exchange,
        packets: Iterable[Packet],
        timeout: float,
        retries: int,
        rate: float | None,
        window: int,
        repeats: bool,
        linger: float,
    ) -> None:
        if not 0 <= timeout < math.inf:
            raise FieldError("ask", "timeout", timeout, "a number of seconds, 0 or more")
        if rate is not None and not 0 < rate < math.inf:
            raise FieldError("ask", "rate", rate, "packets a second, more than 0")
        if retries < 0 or window < 1:
            raise FieldError("ask", "retries, window", (retries, window), "retries from 0, a window from 1")
        self._exchange, self._packets = exchange, enumerate(packets)
        self._timeout, self._retries, self._window = timeout, retries, window
        self._repeats, self._linger = repeats, linger
        self._gap = 0.0 if rate is None else 1 / rate
        self._next_at = time.monotonic()
        self._open = 0
        self._next = next(self._packets, None)
        self._outcomes: deque[Answer | Miss] = deque()
        self._deadlines: list[tuple[float, int, Pending, int]] = []
        self._order = count()
        self._queue: deque[Pending] = deque()
        self._mine: set[Pending] = set()
        self._last_sent = 0.0
        self.evidence = Evidence(exchange.port.drops())
        exchange._runs.append(self)

    def close(self) -> None:
        """Forget the questions that are still open."""
        self._exchange._runs.remove(self)
        for pending in self._mine:
            self._exchange.forget(pending)
        self._mine.clear()

    # ------------------------------------------------------------------ what happens, step by step

    def steps(self) -> Iterator[Answer | Miss | float]:
        """Outcomes, and between them the times (by the monotonic clock) until which there is nothing to do."""
        while True:
            self._take_questions()
            self._send_queue()
            self._exchange.hear()
            self._expire(time.monotonic())
            while self._outcomes:
                yield self._outcomes.popleft()
            if self._is_over():
                return
            until = self._deadlines[0][0] if self._deadlines else math.inf
            if self._next is not None and self._open < self._window:
                until = min(until, self._next_at)
            if self._next is None and not self._open:
                until = self._last_sent + self._linger
            if not self._queue:
                yield until

    def _is_over(self) -> bool:
        over = self._next is None and not self._open and not self._queue
        return over and time.monotonic() >= self._last_sent + self._linger

    def _take_questions(self) -> None:
        """Start as many questions as the pace and the window allow, a batch at the most."""
        now = time.monotonic()
        for _ in range(BATCH):
            if self._next is None or self._open >= self._window or (self._gap and now < self._next_at):
                return
            # The next but one is looked for now: where there is none, there is nothing to wait for.
            question, self._next = self._next, next(self._packets, None)
            # A pace that was not kept up with is made up for, but not all at once.
            self._next_at = max(self._next_at + self._gap, now - CATCH_UP_SECONDS)
            self._open += 1
            self.start(Pending(self, *question))

    def start(self, pending: Pending) -> None:
        """Complete a question and queue it, or have its next hop resolved first."""
        try:
            prepared = self._exchange.port.prepare(pending.packet)
        except InterfaceError:
            raise
        except KernelError as error:
            if isinstance(error, PermissionError):
                raise
            self.miss(pending, (Reason.NO_ROUTE, str(error), None))
            return
        if isinstance(prepared, Resolution):
            self._exchange.resolve(prepared, pending)
        else:
            self._file(pending, prepared)

    def ask_neighbor(self, ready: Ready, hop: Hop) -> None:
        """Ask for a neighbour's address, on the exchange's own account."""
        pending = Pending(self, -1, ready.packet)
        pending.hop = hop
        self._open += 1
        self._file(pending, ready)

    def _file(self, pending: Pending, ready: Ready) -> None:
        pending.ready, pending.packet, pending.keys = ready, ready.packet, question_keys(ready.packet)
        self._exchange.file(pending)
        self._mine.add(pending)
        self._queue.append(pending)

    def _send_queue(self) -> None:
        queue = self._queue
        while queue:
            channel = queue[0].ready.channel
            batch: list[Pending] = []
            while queue and len(batch) < BATCH and queue[0].ready.channel is channel:
                batch.append(queue.popleft())
            now_ns = time.time_ns()
            for pending in batch:
                self._exchange.asked += pending.sends == 0 and pending.hop is None
                pending.sent_ns, pending.clock = now_ns, Clock.USER
                pending.sends += 1
            try:
                channel.send_frames([pending.ready.data for pending in batch])
            except InterfaceError:
                raise
            except KernelError:
                self._send_singly(batch)
            now = self._last_sent = time.monotonic()
            for pending in batch:
                seconds = min(self._timeout, RESOLVING_SECONDS) if pending.hop is not None else self._timeout
                heapq.heappush(self._deadlines, (now + seconds, next(self._order), pending, pending.sends))

    def _send_singly(self, batch: list[Pending]) -> None:
        """Send what the kernel did not take together, so that only what is wrong is missed.

        Those before the wrong one leave twice, which is what a network may do to any packet.
        """
        for pending in batch:
            try:
                pending.ready.channel.send_frames([pending.ready.data])
            except KernelError as error:
                self.miss(pending, (Reason.REFUSED, str(error), None))

    def _expire(self, now: float) -> None:
        deadlines = self._deadlines
        while deadlines and (deadlines[0][0] <= now or deadlines[0][2].is_done):
            _, _, pending, sends = heapq.heappop(deadlines)
            if pending.is_done or pending.sends != sends:
                continue
            if sends <= (RESOLVING_RETRIES if pending.hop is not None else self._retries):
                self._exchange.file(pending)  # its bytes again, whose time was taken
                self._queue.append(pending)
            else:
                self.miss(pending, self.evidence.about(pending.keys, self._exchange.port.drops()))

    # ------------------------------------------------------------------ outcomes

    def take(self, pending: Pending, frame: Frame, packet: Packet, key: Key) -> None:
        """A packet came that answers a question, or is an error about it."""
        repeated = pending.is_done
        if repeated and not self._repeats:
            return
        if key[0] in ("quote", "quote of flow"):
            self.miss(pending, (Reason.ERROR, describe_error(packet), packet), frame.time_ns)
            return
        outcome = Answer(**self._facts(pending, frame.time_ns), packet=packet, repeated=repeated)
        self._conclude(pending, outcome)

    def miss(self, pending: Pending, finding: Finding, received_ns: int = 0) -> None:
        """Conclude that a question has no answer."""
        reason, text, packet = finding
        if (witness := self._exchange.witness) is not None and reason in LOST and pending.ready is not None:
            seen = witness.last_seen(pending.packet)
            text += "; it was seen nowhere in the lab" if seen is None else f"; it was last seen at {seen}"
        facts = self._facts(pending, received_ns)
        repeated = pending.is_done
        self._conclude(pending, Miss(**facts, reason=reason, text=text, packet=packet, repeated=repeated))

    def _facts(self, pending: Pending, received_ns: int) -> dict[str, Any]:
        return {
            "number": pending.number,
            "question": pending.packet,
            "sends": pending.sends,
            "sent_ns": pending.sent_ns,
            "received_ns": received_ns,
            "clock": pending.clock,
            "interface": pending.ready.channel.name if pending.ready is not None else "",
        }

    def _conclude(self, pending: Pending, outcome: Answer | Miss) -> None:
        if not outcome.repeated:
            self._mine.discard(pending)
            self._exchange.finish(pending)
            self._open -= 1
            if pending.hop is not None:
                self._exchange.resolved(pending.hop, outcome)
        if pending.hop is None:
            self._outcomes.append(outcome)
            self._exchange.wake()  # another task may have received what this one waits for
