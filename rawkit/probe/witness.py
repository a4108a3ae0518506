"""Where a question was last seen, in a lab where every machine on its way can be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final, NamedTuple, Self

from rawkit.errors import TimedOut
from rawkit.link import Direction, PacketSocket
from rawkit.netns import Node
from rawkit.probe.matching import Key, identity_of
from rawkit.wire import Packet

__all__ = ["Sighting", "Witness"]

REMEMBERED: Final = 65_536
"""Packets of which it is known where they were last seen."""

BUFFER: Final = 1024 * 1024
"""Bytes of frames that may wait at each interface to be looked at."""


class Sighting(NamedTuple):
    """A packet at an interface of a lab's machine."""

    node: str
    interface: str
    outgoing: bool
    time_ns: int

    def __str__(self) -> str:
        return f"{self.node}, {'leaving' if self.outgoing else 'entering'} by {self.interface}"


class Witness:
    """Looks at every interface of some machines of a lab, from now on.

        with Witness(lab_nodes) as witness, Exchange(port, witness=witness) as exchange:
            print(exchange.ask(packet).text)    # ...; last seen at r1, leaving by eth1

    A packet is known by its addresses, ports and numbers, and so is another one behind a NAT.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._seen: dict[Key, Sighting] = {}
        self._sockets: list[tuple[Node, PacketSocket]] = []
        with ExitStack() as stack:
            for node in nodes:
                for name in node.interfaces:
                    opened = node.open(PacketSocket, name, promiscuous=True, buffer_size=BUFFER)
                    self._sockets.append((node, stack.enter_context(opened)))
            self._stack = stack.pop_all()

    def look(self) -> None:
        """Take note of what has crossed the interfaces since the last look."""
        for node, socket in self._sockets:
            try:
                while True:
                    frame = socket.receive(0)
                    key = identity_of(frame.packet())
                    outgoing = frame.direction is Direction.OUTGOING
                    if key is not None:
                        self._note(key, Sighting(node.name, frame.interface, outgoing, frame.time_ns))
            except TimedOut:
                pass

    def _note(self, key: Key, sighting: Sighting) -> None:
        last = self._seen.pop(key, None)
        self._seen[key] = sighting if last is None or last.time_ns <= sighting.time_ns else last
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def last_seen(self, question: Packet) -> Sighting | None:
        """Where a packet was seen last; None if nowhere."""
        self.look()
        key = identity_of(question)
        return None if key is None else self._seen.get(key)

    def close(self) -> None:
        """Look away."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
