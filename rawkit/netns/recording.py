"""What crosses the links of a lab, from before the first action to behind the last frame."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from rawkit.errors import KernelError, TimedOut, kernel_error
from rawkit.link import Direction, Frame, PacketSocket
from rawkit.netns.marks import MARK, is_mark
from rawkit.netns.namespace import closed
from rawkit.netns.node import Port
from rawkit.netns.relay import Passage
from rawkit.netns.worker import Worker

if TYPE_CHECKING:
    from rawkit.netns.lab import Cable

__all__ = ["Recording", "Transit"]

PATIENCE: Final = 2.0
"""Seconds that something which must happen may take on a busy machine."""

MOST_FRAMES: Final = 20_000
MOST_BYTES: Final = 16 * 1024 * 1024
"""What is kept of what crosses the plain links of a lab, together."""

TURN: Final = 64
"""Frames that are read of one link before it is another's turn."""

BUFFER: Final = 4 * 1024 * 1024
"""Bytes of frames that may wait on one link to be looked at."""


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


class Recording:
    """Every frame on every link of a lab, from when it is made until `finish`; made by `Lab.record`.

    Plain links are listened to by a process of its own, so that a program that floods a link is only told so
    (`is_full`) once 20,000 frames or 16 MiB are kept; impaired links tell themselves. Of frames whose checksum the
    kernel left to the card, `checksum_unfinished` says so.
    """

    def __init__(self, cables: Sequence[Cable]) -> None:
        self._plain = [cable for cable in cables if cable.relay is None]
        self._relayed = [cable for cable in cables if cable.relay is not None]
        self._found: list[Transit] = []
        self._full = self._closed = self._finished = False
        for relay in map(_relay_of, self._relayed):
            relay.news()
            relay.cues.give("listen")
            _alive(relay.cues.take(PATIENCE))
        self._recorder = self._start() if cables else None

    def _start(self) -> Worker:
        with ExitStack() as mine:  # the process keeps its own descriptors of them
            taps = [mine.enter_context(_tap(cable.a)) for cable in self._plain]
            markers: dict[int, socket.socket] = {}
            for port in _ports([*self._plain, *self._relayed]):
                if port.node.number not in markers:
                    markers[port.node.number] = mine.enter_context(_marker(port))
            marked = [
                [(markers[port.node.number], port.name) for port in _ports(cables)]
                for cables in (self._relayed, self._plain)
            ]
            node = (*self._plain, *self._relayed)[0].a.node
            return node.spawn(lambda worker: _Recorder(worker, taps, marked).run())

    def transits(self) -> list[Transit]:
        """What has crossed by now, in the order in which it was sent. Once it is finished, what had until then."""
        if self._finished:
            return self._found.copy()
        self._check_open()
        if self._recorder is not None:
            self._found += [_transit(self._plain[at], passage) for at, passage in self._recorder.news()]
        for cable in self._relayed:
            self._found += [_transit(cable, passage) for passage in _relay_of(cable).news()]
        self._found.sort(key=lambda each: each.frame.time_ns)
        return self._found.copy()

    @property
    def is_full(self) -> bool:
        """Whether so much came that not all of it is kept. Raises KernelError if the recorder was killed."""
        if self._recorder is not None and not self._full and select.select([self._recorder.cues], [], [], 0)[0]:
            self._full = _alive(self._recorder.cues.take()) == "full"
        return self._full

    def settle(self) -> None:
        """Wait until everything that was sent before is among the `transits`.

        Raises KernelError if a process that records or relays was killed, or if this was closed.
        """
        self._check_open()
        if self._recorder is None:
            return
        for cable in self._relayed:
            with suppress(TimedOut):
                while _alive(_relay_of(cable).cues.take(0)):  # what was too late for the last time
                    pass
        self._recorder.cues.give("mark")
        for cable in self._relayed:
            with suppress(TimedOut):  # an end is down, and so its mark never came
                _alive(_relay_of(cable).cues.take(PATIENCE + cable.longest))
        self._recorder.cues.give("settle")
        while _alive(cue := self._recorder.cues.take(2 * PATIENCE)) != "settled":
            self._full |= cue == "full"

    def finish(self) -> list[Transit]:
        """Wait for what is on its way, end, and return all that crossed. What comes later is not recorded."""
        self.settle()
        found = self.transits()
        self.close()
        self._finished = True
        return found

    def close(self) -> None:
        """End it. Closing twice is no error."""
        self._closed = True
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def _check_open(self) -> None:
        if self._closed and not self._finished:
            raise closed("ask what crossed the links")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Recorder:
    """What the process that records does: it tells the number of the link and a `Passage` of each frame."""

    def __init__(
        self, worker: Worker, taps: Sequence[PacketSocket], ports: Sequence[Sequence[tuple[socket.socket, str]]]
    ) -> None:
        self._worker, self._taps, self._ports = worker, taps, ports
        self._marks = 0
        self._frames = self._bytes = 0
        self._poll = select.poll()
        self._poll.register(worker.cues, select.POLLIN)
        self._numbers = {tap.fileno(): at for at, tap in enumerate(taps)}
        for tap in taps:
            self._poll.register(tap, select.POLLIN)

    def run(self) -> None:
        while True:
            events = self._poll.poll()
            self._look([self._numbers[descriptor] for descriptor, _ in events if descriptor in self._numbers])
            if any(descriptor == self._worker.cues.fileno() for descriptor, _ in events):
                match self._worker.cues.take():
                    case "mark":
                        self._mark(self._ports[0])
                    case "settle":
                        self._settle()
                    case _:  # the other process is gone
                        return

    def _look(self, taps: Sequence[int]) -> None:
        for at in taps:
            for frame in _waiting(self._taps[at]):
                if is_mark(frame.data):
                    self._marks += 1
                elif self._frames < MOST_FRAMES and self._bytes < MOST_BYTES:
                    self._frames += 1
                    self._bytes += len(frame.data)
                    sender = 0 if frame.direction is Direction.OUTGOING else 1
                    self._worker.tell((at, Passage(frame, sender, "")))
                    if self._frames == MOST_FRAMES or self._bytes >= MOST_BYTES:
                        self._worker.cues.give("full")

    def _mark(self, ports: Sequence[tuple[socket.socket, str]]) -> int:
        """Send a mark from each of these ports; how many could."""
        sent = 0
        for marker, name in ports:
            with suppress(OSError):  # the interface is down or gone: nothing comes from there either
                marker.sendto(MARK, (name, 0))
                sent += 1
        return sent

    def _settle(self) -> None:
        """Read until the marks of both ends of every link have come; or until they ought to have."""
        marks = self._marks + self._mark(self._ports[1])
        deadline = time.monotonic() + PATIENCE
        while self._marks < marks and time.monotonic() < deadline:
            events = self._poll.poll(PATIENCE * 1000)
            self._look([self._numbers[descriptor] for descriptor, _ in events if descriptor in self._numbers])
        self._look(range(len(self._taps)))
        self._worker.cues.give("settled")


def _relay_of(cable: Cable) -> Worker:
    assert cable.relay is not None
    return cable.relay


def _alive(cue: str) -> str:
    """A cue of a process that records or relays. Raises KernelError for that of one that has ended."""
    if not cue:
        raise KernelError(0, "record what crosses the links", "a process of the lab was killed; run it again")
    return cue


def _waiting(tap: PacketSocket) -> Iterator[Frame]:
    """The frames that are there, but no more than a few at a time: other links have some too."""
    with suppress(TimedOut, KernelError):  # nothing more; or the interface went down, and nothing comes
        for _ in range(TURN):
            yield tap.receive(0)


def _tap(port: Port) -> PacketSocket:
    return port.node.open(PacketSocket, port.name, promiscuous=True, buffer_size=BUFFER)


def _marker(port: Port) -> socket.socket:
    """A socket that sends on every interface of the port's node, and receives nothing."""
    try:
        return port.node.open(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError as error:
        raise kernel_error(error, "open a packet socket") from error


def _ports(cables: Sequence[Cable]) -> list[Port]:
    return [port for cable in cables for port in cable.ends]


def _transit(cable: Cable, passage: Passage) -> Transit:
    ends = (cable.a.node.name, cable.b.node.name)
    sender, receiver = ends if passage.sender == 0 else ends[::-1]
    return Transit(cable.name, sender, receiver, passage.frame, passage.fate)
