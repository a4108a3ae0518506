"""What crosses the links of a lab, from before the first action to behind the last frame."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from rawkit.errors import KernelError, TimedOut, kernel_error
from rawkit.link import Direction, Frame, PacketSocket
from rawkit.netns import _kernel
from rawkit.netns.listening import BUFFER, Correction, Listener, Passage, Unheard
from rawkit.netns.marks import mark
from rawkit.netns.namespace import closed
from rawkit.netns.node import Port
from rawkit.netns.worker import Worker

if TYPE_CHECKING:
    from rawkit.netns.lab import Cable

__all__ = ["Missing", "Recording", "Transit"]

PATIENCE: Final = 5.0
"""Seconds that something which must happen may take on a busy machine."""

LONGEST: Final = 30.0
"""Seconds for which slow links are waited for at the most."""

AGAIN: Final = 0.5
"""Seconds after which a question is asked again."""

ROUNDS: Final = 5
"""How often it is asked whether frames still move, and twice more for each impaired link: there, and back."""

TURN: Final = 64
"""Frames that are read of one link before it is another's turn."""


class Transit(NamedTuple):
    """A frame on a link, seen as it was sent."""

    link: str
    """Name of the link: those of its nodes with a hyphen, `a-b`, and of those in parallel `a-b-2`."""
    sender: str
    """Name of the node at the end that sent it: of the switch or router, where that passed it on."""
    receiver: str
    """Name of the node at the other end."""
    frame: Frame
    fate: str = ""
    """What an impaired link did to it, in words; empty if it arrived as it was sent."""

    @property
    def arrived(self) -> bool:
        """Whether it came out at the other end, be it late or changed."""
        return not self.fate.startswith(("dropped", "lost"))


class Missing(NamedTuple):
    """What a recording lacks; true if it lacks something."""

    unheard: int = 0
    """Frames that crossed and are not in it: there were more than it keeps, or more at once than could be read."""
    busy: tuple[str, ...] = ()
    """Links on which frames were still on their way when there was no more waiting for them."""

    def __bool__(self) -> bool:
        return bool(self.unheard or self.busy)

    @property
    def words(self) -> str:
        """In words; empty if nothing is missing."""
        unheard = [f"{self.unheard} frames that crossed were not recorded"] if self.unheard else []
        busy = [f"frames were still on their way on {', '.join(self.busy)}"] if self.busy else []
        return ", and ".join(unheard + busy)


class Recording:
    """Every frame on every link of a lab, from when it is made until `finish`; made by `Lab.record`.

    Plain links are listened to by a process of its own, so that a program that floods a link is only told so;
    impaired links tell themselves. 20,000 frames or 16 MiB are kept of all plain links, and as much of each
    impaired one; what crossed beyond that, or came faster than it could be read, is `missing`. Without
    CAP_NET_ADMIN on the machine, net.core.rmem_max is how many bytes of them may wait to be read (socket(7)).
    Of frames whose checksum the kernel left to the card, `checksum_unfinished` says so.

    Not recorded are the reports that kernels send again and again of the groups that come with their IPv6
    addresses (MLDv2 whose first record is of a solicited-node address); a report of any other group is.
    """

    def __init__(self, cables: Sequence[Cable]) -> None:
        self._sources: list[_Source] = []
        self._markers: dict[int, socket.socket] = {}
        self._busy: tuple[str, ...] = ()
        self._closed = self._finished = False
        try:
            self.add(*cables)
        except BaseException:
            self.close()
            raise

    def add(self, *cables: Cable) -> None:
        """Record what crosses these links, too, from before this returns. Raises KernelError."""
        self._check_open()
        for port in (port for cable in cables for port in cable.ends):
            if port.node.number not in self._markers:
                self._markers[port.node.number] = _marker(port)
        for cable in cables:
            if cable.relay is not None:
                self._sources.append(_Source(cable.relay, own=False))
                self._sources[-1].listen(cable)
            else:
                self._recorder(cable).tap(cable)

    def _recorder(self, cable: Cable) -> _Source:
        """The process that records plain links; it begins with the first of them."""
        for source in self._sources:
            if source.own:
                return source
        worker = cable.a.node.spawn(lambda worker: _Recorder(worker).run())
        self._sources.append(_Source(worker, own=True))
        return self._sources[-1]

    def transits(self) -> list[Transit]:
        """What has crossed by now, in the order in which it was sent. Once it is finished, what had until then."""
        self._check_open()
        found = [transit for source in self._sources for transit in source.read()]
        return sorted(found, key=lambda each: each.frame.time_ns)

    @property
    def missing(self) -> Missing:
        """What is known to have crossed, and is not there. Raises KernelError if the recorder was killed."""
        for source in self._sources:
            source.read()
            if source.own and not source.closed and source.worker.poll() is not None:
                raise _killed()
        return Missing(sum(source.unheard for source in self._sources), self._busy)

    def settle(self) -> None:
        """Wait until everything that was sent before is among the `transits`, and what comes of it.

        It asks again until nothing has moved since the question before, and no impaired link has frames on their
        way, but for those that wait to trade places. If traffic goes on and on, it asks as often as it takes to
        pass all impaired links there and back, for as long as that may take, but not over 30 seconds; where links
        still have older frames then, `missing` says so.

        Raises KernelError if a process that records or relays was killed, or if this was closed.
        """
        self._check_open()
        self._settle("settle")

    def finish(self) -> list[Transit]:
        """Wait for what is on its way, end, and return all that crossed. What comes later is not recorded.

        Frames that still wait to trade places go on.
        """
        self._check_open()
        self._settle("finish")
        found = self.transits()
        self.close()
        self._finished = True
        return found

    def close(self) -> None:
        """End it. Closing twice is no error."""
        self._closed = True
        for source in self._sources:
            source.close()
        for marker in self._markers.values():
            marker.close()
        self._markers.clear()

    def _check_open(self) -> None:
        if self._closed and not self._finished:
            raise closed("ask what crossed the links")

    def _settle(self, verb: str) -> None:
        relayed = [cable for source in self._sources for cable in source.cables if not source.own]
        deadline = time.monotonic() + PATIENCE + min(2 * sum(cable.longest for cable in relayed), LONGEST)
        self._busy = ()
        for _ in range(ROUNDS + 2 * len(relayed)):
            if not self._round(verb, deadline) or self._busy:
                return

    def _round(self, verb: str, deadline: float) -> int:
        """Ask all sources once; how many frames have moved since they were asked before."""
        name = token_hex(8)
        sources = [source for source in self._sources if not source.closed]
        for source in sources:
            source.worker.cues.give(f"{verb} {name} {self._mark(source.cables, name)}")
        moved = 0
        for source in sources:
            try:
                moved += self._answer(source, name, deadline)
            except TimedOut:
                self._busy += tuple(cable.name for cable in source.cables)
        return moved

    def _answer(self, source: _Source, name: str, deadline: float) -> int:
        """What a source answers. Marks that there was no room for are sent again. Raises TimedOut."""
        while (now := time.monotonic()) < deadline:
            with suppress(TimedOut):
                return source.answer(name, min(now + AGAIN, deadline))
            self._mark(source.cables, name)
        return source.answer(name, deadline)

    def _mark(self, cables: Sequence[Cable], name: str) -> int:
        """Send marks of that name from both ends of these links; how many could be sent."""
        sent = 0
        for number, port in enumerate(port for cable in cables for port in cable.ends):
            with suppress(OSError):  # the interface is down or gone: nothing comes from there either
                self._markers[port.node.number].sendto(mark(f"{name} {number}"), (port.name, 0))
                sent += 1
        return sent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Source:
    """A process that listens to links, and what it has told a recording of them."""

    def __init__(self, worker: Worker, *, own: bool) -> None:
        self.worker, self.own = worker, own
        """With `own`, the process is there for the recording alone."""
        self.cables: list[Cable] = []
        self.unheard = 0
        self.closed = False
        self._heard = 0
        self._found: dict[int, Transit] = {}

    def listen(self, cable: Cable) -> None:
        """Have it tell of the link in whose middle it is. What it told others before is not heard."""
        self.worker.cues.give("listen")
        self._await("listening", time.monotonic() + PATIENCE)
        _, self._heard = self.worker.told_from(self._heard)
        self.cables.append(cable)

    def tap(self, cable: Cable) -> None:
        """Have it listen to a plain link, too."""
        self.worker.cues.give(f"tap {cable.a.name}", cable.a.node.fileno())
        self._await("tapped", time.monotonic() + PATIENCE)
        self.cables.append(cable)

    def answer(self, name: str, deadline: float) -> int:
        """How many frames have moved, once all that came before the marks of that name is dealt with."""
        return int(self._await(f"settled {name}", deadline))

    def read(self) -> Collection[Transit]:
        """What it has told by now."""
        if not self.closed:
            facts, self._heard = self.worker.told_from(self._heard)
            for fact in facts:
                self._hear(fact)
        return self._found.values()

    def close(self) -> None:
        """Hear no more; what was read is kept."""
        if self.own and not self.closed:
            self.worker.close()
        self.closed = True

    def _hear(self, fact: object) -> None:
        match fact:
            case Passage():
                self._found[fact.number] = _transit(self.cables[fact.link], fact)
            case Correction(number, fate) if number in self._found:  # else, it crossed before this recording
                self._found[number] = self._found[number]._replace(fate=fate)
            case Unheard(frames):
                self.unheard += frames

    def _await(self, cue: str, deadline: float) -> str:
        """What follows that cue; those before it answered a question that is not waited for any more."""
        while True:
            said = self.worker.cues.take(max(deadline - time.monotonic(), 0))
            if not said:
                self.worker.join(PATIENCE)  # raises what it ended of
                raise _killed()
            if said.startswith(cue):
                return said.removeprefix(cue)


class _Recorder:
    """What the process that records plain links does: it tells of each frame."""

    def __init__(self, worker: Worker) -> None:
        self._cues = worker.cues
        self._taps: list[PacketSocket] = []
        self._listener = Listener(worker, self._taps, listening=True)
        self._links: dict[int, int] = {}
        self._poll = select.poll()
        self._poll.register(worker.cues, select.POLLIN)

    def run(self) -> None:
        """Do it until the other process is gone."""
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll()]
            for descriptor in ready:
                if descriptor in self._links:
                    self._look(self._links[descriptor])
            if self._cues.fileno() in ready and not self._obey(self._cues.take()):
                return
            question = self._listener.asked()
            if question is not None:
                self._listener.answer(question)

    def _obey(self, cue: str) -> bool:
        verb, _, interface = cue.partition(" ")
        if verb != "tap":
            return self._listener.obey(cue)
        (namespace,) = self._cues.descriptors
        _kernel.setns(namespace, _kernel.CLONE_NEWNET)
        os.close(namespace)
        tap = PacketSocket(interface, promiscuous=True, buffer_size=BUFFER)
        self._links[tap.fileno()] = len(self._taps)
        self._taps.append(tap)
        self._poll.register(tap, select.POLLIN)
        self._cues.give("tapped")
        return True

    def _look(self, link: int) -> None:
        for frame in _waiting(self._taps[link]):
            if not self._listener.takes_for_mark(frame.data):
                self._listener.tell(frame, 0 if frame.direction is Direction.OUTGOING else 1, link=link)


def _killed() -> KernelError:
    return KernelError(0, "record what crosses the links", "a process of the lab was killed; run it again")


def _waiting(tap: PacketSocket) -> Iterator[Frame]:
    """The frames that are there, but no more than a few at a time: other links have some too."""
    with suppress(TimedOut, KernelError):  # nothing more; or the interface went down, and nothing comes
        for _ in range(TURN):
            yield tap.receive(0)


def _marker(port: Port) -> socket.socket:
    """A socket that sends on every interface of the port's node, and receives nothing."""
    try:
        return port.node.open(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError as error:
        raise kernel_error(error, "open a packet socket") from error


def _transit(cable: Cable, passage: Passage) -> Transit:
    ends = (cable.a.node.name, cable.b.node.name)
    sender, receiver = ends if passage.sender == 0 else ends[::-1]
    return Transit(cable.name, sender, receiver, passage.frame, passage.fate)
