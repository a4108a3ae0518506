"""What `rawkit echo` tells: lines for people, in the words of the textbook, or JSON lines."""

from __future__ import annotations

import json
import statistics
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from rawkit.cli.output import Lines, Outlet, count_of
from rawkit.cli.probing import milliseconds
from rawkit.echo import Kind
from rawkit.echo.addresses import show
from rawkit.echo.endpoint import Credentials, Received
from rawkit.echo.witness import Witness
from rawkit.errors import TimedOut
from rawkit.views import to_expression
from rawkit.wire import Packet

__all__ = ["Place", "Served", "Trips", "served_report", "trips_report"]


class Place(NamedTuple):
    """What listens, where, and with how many bytes of buffer."""

    kind: Kind
    address: Any
    size: int


class Served(Witness):
    """What is told of a server; it counts, and `pause` prints."""

    def __init__(self, outlet: Outlet, place: Place, quiet: bool) -> None:
        self.outlet, self.place, self.quiet = outlet, place, quiet
        self.clients = self.messages = self.bytes = 0
        self._waiting: list[str] = []

    @abstractmethod
    def listening(self) -> None:
        """It is ready."""

    @abstractmethod
    def stopped(self) -> None:
        """It has ended."""

    def connected(self, who: Any) -> None:
        self.clients += who is not None

    def received(self, who: Any, data: bytes, truncated: bool, files: Sequence[int] = ()) -> None:
        self.messages += 1
        self.bytes += len(data)

    def heard(self, who: Any, received: Received) -> None:
        """The same, where a client is served with blocking calls."""
        peer = who or received.credentials or received.peer
        self.received(peer, received.data, received.truncated, received.descriptors)
        self.pause()

    def tell(self, line: str) -> None:
        """Print a line at the next pause."""
        if not self.quiet:
            self._waiting.append(line)

    def pause(self) -> None:
        if self._waiting:
            self.outlet.offer(self._waiting)
            self._waiting.clear()


class _ServedText(Served):
    def listening(self) -> None:
        kind, address, size = self.place
        room = "messages up to" if kind.name == "websocket" else "buffer"
        told = f"{kind.name}: listening on {show(address)}, {room} {count_of(size, 'byte')}; Ctrl-C ends"
        self.outlet.offer([told, *_warnings(self.place)])

    def connected(self, who: Any) -> None:
        super().connected(who)
        if who is not None:
            self.tell(f"connection address: {show(who)}")

    def received(self, who: Any, data: bytes, truncated: bool, files: Sequence[int] = ()) -> None:
        super().received(who, data, truncated, files)
        if not self.quiet:
            lost = ", cut: the buffer is smaller than the message" if truncated else ""
            self.tell(f"received data: {data!r} ({count_of(len(data), 'byte')} from {show(who)}{lost})")
            for each in files:
                self.tell(f"received open file: {show(_name_of(each))}")

    def made(self, question: Packet, answer: Packet) -> None:
        if not self.quiet:
            self.tell(f"packet that came: {question.summary()}")
            self.tell(f"answer made by hand: {to_expression(answer)}")

    def unanswered(self, who: Any, error: Exception) -> None:
        self.tell(f"not answered: {show(who)}: {error}")

    def closed(self, who: Any, error: OSError | None) -> None:
        if who is not None:
            self.tell(f"connection closed: {show(who)}{'' if error is None else f': {error.strerror}'}")

    def full(self, clients: int) -> None:
        self.tell(f"no room for more than {count_of(clients, 'client')} (ulimit -n); others wait")

    def stopped(self) -> None:
        clients = f"{count_of(self.clients, 'client')}, " if self.clients else ""
        unread = f"; nobody read {count_of(self.outlet.dropped, 'line')} of this" if self.outlet.dropped else ""
        self.tell(f"stopped: {clients}{count_of(self.messages, 'piece')}, {count_of(self.bytes, 'byte')}{unread}")
        self.pause()


class _ServedJSON(Served):
    def listening(self) -> None:
        kind, address, size = self.place
        place = {"address": address[0], "port": address[1]} if isinstance(address, tuple) else {"address": address}
        told: dict[str, Any] = {"event": "listening", "kind": kind.name, **place, "buffer": size}
        self.outlet.offer([json.dumps(told, default=str)])

    def connected(self, who: Any) -> None:
        super().connected(who)
        if who is not None:
            self._event("connected", who)

    def received(self, who: Any, data: bytes, truncated: bool, files: Sequence[int] = ()) -> None:
        super().received(who, data, truncated, files)
        if not self.quiet:
            names = [_name_of(each) for each in files]
            self._event("received", who, data=data.hex(), length=len(data), truncated=truncated, files=names)

    def made(self, question: Packet, answer: Packet) -> None:
        if not self.quiet:
            self._event("made", None, came=to_expression(question), made=to_expression(answer))

    def unanswered(self, who: Any, error: Exception) -> None:
        self._event("unanswered", who, reason=str(error))

    def closed(self, who: Any, error: OSError | None) -> None:
        if who is not None:
            self._event("closed", who, reason=None if error is None else error.strerror)

    def full(self, clients: int) -> None:
        self._event("full", None, clients=clients)

    def stopped(self) -> None:
        told = {
            "clients": self.clients,
            "pieces": self.messages,
            "bytes": self.bytes,
            "unread": self.outlet.dropped,
        }
        self._event("stopped", None, **told)
        self.pause()

    def _event(self, event: str, who: Any, **facts: Any) -> None:
        peer = who._asdict() if isinstance(who, Credentials) else None if who is None else show(who)
        self.tell(json.dumps({"event": event, "peer": peer, **facts}))


class Trips:
    """What is told of a client: `data` is what it sends."""

    def __init__(self, lines: Lines, kind: Kind, data: bytes, quiet: bool) -> None:
        self.lines, self.kind, self.data, self.quiet = lines, kind, data, quiet
        self.same = 0
        """How often all came back as it was."""
        self.answered = 0
        self.trips_ns: list[int] = []
        """How long each took of which that is known."""
        self.kept_files = False
        """Whether open files were passed and did not come back."""

    def connected(self, who: Any) -> None:
        """With whom."""

    def trip(self, number: int, pieces: Sequence[Received], taken_ns: int, resent: int, doubtful: bool) -> None:
        """What came back; `doubtful`: perhaps for what was sent before."""
        self.same += b"".join(piece.data for piece in pieces) == self.data
        self.answered += 1
        if not doubtful:
            self.trips_ns.append(taken_ns)

    def asked(self, packet: Packet) -> None:
        """The question that was made by hand."""

    def lost(self, number: int, pieces: Sequence[Received], error: TimedOut) -> None:
        """Nothing more came back in time."""

    def file(self, same: bool | None) -> None:
        """Whether the open file that came back is the one that was passed; None if none came."""
        self.kept_files = same is None

    def end(self, stray: int) -> None:
        """Sum it up; so many answers came late, or twice."""


OWED: Final = "or longer: it may be the answer to an earlier one"
RESENT: Final = "or less: which one was answered is not known"


class _TripsText(Trips):
    def connected(self, who: Any) -> None:
        if who is not None and not self.quiet:
            self.lines.write(f"connected to {show(who)}")

    def trip(self, number: int, pieces: Sequence[Received], taken_ns: int, resent: int, doubtful: bool) -> None:
        same = self.same
        super().trip(number, pieces, taken_ns, resent, doubtful)
        if self.quiet:
            return
        for piece in pieces:
            if piece.packet is not None:
                self.lines.write(f"packet that came: {piece.packet.summary()}")
            cut = ", cut: the buffer is smaller than the message" if piece.truncated else ""
            self.lines.write(f"received data: {piece.data!r} ({count_of(len(piece.data), 'byte')}{cut})")
        back = sum(len(piece.data) for piece in pieces)
        of = "" if self.same > same else f", but not as it was: {count_of(len(self.data), 'byte')} were sent"
        again = f", sent again {count_of(resent, 'time')}" if resent else ""
        doubt = f", {RESENT if resent else OWED}" if doubtful else ""
        self.lines.write(
            f"{count_of(back, 'byte')} came back in {count_of(len(pieces), 'piece')}, "
            f"round trip {milliseconds(taken_ns)}{again}{doubt}{of}"
        )
        self.lines.flush()

    def asked(self, packet: Packet) -> None:
        if not self.quiet:
            self.lines.write(f"question made by hand: {to_expression(packet)}")

    def lost(self, number: int, pieces: Sequence[Received], error: TimedOut) -> None:
        back = sum(len(piece.data) for piece in pieces)
        so_far = f" after {back} of {count_of(len(self.data), 'byte')}" if back else ""
        self.lines.write(f"lost: nothing came back within {error.seconds:g} s{so_far}")
        self.lines.flush()

    def file(self, same: bool | None) -> None:
        super().file(same)
        if same is None:
            self.lines.write("the open file did not come back; the server takes files with --files")
        elif not self.quiet:
            self.lines.write(f"the open file came back: {'the same one' if same else 'another one'}")

    def end(self, stray: int) -> None:
        trips = self.trips_ns
        if self.answered > 1 or self.quiet:
            self.lines.write(
                f"{count_of(self.answered, 'round trip')}, {self.same} with everything as it was sent"
            )
        if len(trips) > 1:
            figures = "/".join(
                milliseconds(round(each)) for each in (min(trips), statistics.median(trips), max(trips))
            )
            self.lines.write(f"round trip min/median/max = {figures}")
        if doubtful := self.answered - len(trips):
            self.lines.write(f"{count_of(doubtful, 'round trip')} of unknown length")
        if stray:
            self.lines.write(f"{count_of(stray, 'late or duplicate answer')} passed over")


class _TripsJSON(Trips):
    made: str | None = None
    """The last question that was made by hand, as its expression."""

    def asked(self, packet: Packet) -> None:
        self.made = to_expression(packet)

    def trip(self, number: int, pieces: Sequence[Received], taken_ns: int, resent: int, doubtful: bool) -> None:
        same = self.same
        super().trip(number, pieces, taken_ns, resent, doubtful)
        if not self.quiet:
            self._write(number, pieces, taken_ns, self.same > same, resent, doubtful)

    def lost(self, number: int, pieces: Sequence[Received], error: TimedOut) -> None:
        if not self.quiet:
            self._write(number, pieces, None, False, 0, False)

    def end(self, stray: int) -> None:
        trips = self.trips_ns
        told = {
            "kind": self.kind.name,
            "answered": self.answered,
            "same": self.same,
            "stray": stray,
            "kept_files": self.kept_files,
            "median_ns": round(statistics.median(trips)) if trips else None,
        }
        self.lines.write(json.dumps(told))

    def _write(
        self,
        number: int,
        pieces: Sequence[Received],
        taken_ns: int | None,
        same: bool,
        resent: int,
        doubtful: bool,
    ) -> None:
        told = {
            "kind": self.kind.name,
            "seq": number,
            "sent": len(self.data),
            "pieces": [len(piece.data) for piece in pieces],
            "data": b"".join(piece.data for piece in pieces).hex(),
            "same": same,
            "resent": resent,
            "doubtful": doubtful,
            "made": self.made,
            "came": [to_expression(piece.packet) for piece in pieces if piece.packet is not None],
            "rtt_ns": taken_ns,
        }
        self.lines.write(json.dumps(told))
        self.lines.flush()


def served_report(format_: str, outlet: Outlet, place: Place, quiet: bool) -> Served:
    """The report of a server in that format."""
    return (_ServedJSON if format_ == "json" else _ServedText)(outlet, place, quiet)


def trips_report(format_: str, lines: Lines, kind: Kind, data: bytes, *, quiet: bool) -> Trips:
    """The report of a client in that format."""
    return (_TripsJSON if format_ == "json" else _TripsText)(lines, kind, data, quiet)


def _warnings(place: Place) -> list[str]:
    """What else answers here, and what does not: lines for people."""
    kind, host = place.kind, place.address[0] if isinstance(place.address, tuple) else place.address
    version = 6 if ":" in host else 4
    lines = []
    if kind.kernel_answers:
        name = {4: "ipv4/icmp_echo_ignore_all", 6: "ipv6/icmp/echo_ignore_all"}[version]
        with suppress(OSError):
            if Path("/proc/sys/net", name).read_text().strip() == "0":
                quiet = f"sysctl -w net.{name.replace('/', '.')}=1"
                lines.append(
                    f"the kernel answers, too, so every request gets two answers; it is silent after {quiet}"
                )
    if kind.by_hand and host == "::":
        lines.append("what is made by hand is of one IP version: here IPv6; another server has to take 0.0.0.0")
    return lines


def _name_of(descriptor: int) -> str:
    with suppress(OSError):
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    return "unknown"
