"""What a check may look at: the frames, the kernels' states before and after, what the command wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Final, NamedTuple

from rawkit.errors import FieldError
from rawkit.lab.finding import Finding
from rawkit.lab.seed import Values
from rawkit.lab.topology import STUDENT
from rawkit.lab.wire import Seen, Wire
from rawkit.layout import MAC
from rawkit.netns import NeighborEntry, State
from rawkit.netns.state import TCP_STATES
from rawkit.wire import TCP, IPv4

__all__ = ["Evidence", "Piece"]


_BY_TYPE: Final = re.compile(r"(IcmpMsg|Icmp6)\.(In|Out)Type\d{1,3}")
"""Counters that the kernel shows once they have counted something."""


class Piece(NamedTuple):
    """A fragment, as `Fragments.are` compares them."""

    offset: int
    """In bytes from the start of the datagram's body."""
    length: int
    """Bytes of the body."""
    more: bool
    """Whether more follow."""


class Evidence(NamedTuple):
    """Everything that was observed while a command ran in a lab; judged again from a bundle, it is the same.

    Its questions return a `Finding`.
    """

    values: Values
    wire: Wire
    states: Mapping[str, Mapping[str, State]]
    """By moment, `before` and `after` the command and those that the scene added, and by host."""
    output: bytes
    """What the command wrote to its standard output, at most 1 MiB of it."""
    status: int | None
    """Its exit status, negative for a signal; None where a bound stopped it."""

    # ------------------------------------------------------------------ what the kernels know

    def state(self, host: str, moment: str = "after") -> State:
        """What a host's kernel knew then. Raises FieldError."""
        try:
            return self.states[moment][host]
        except KeyError:
            raise FieldError(
                "Evidence", "state", f"{host} {moment}", "a host and a moment of the exercise"
            ) from None

    def neighbour(self, host: str, address: str, moment: str = "after") -> Neighbour:
        """A host's entry for that address in its neighbour table."""
        entries = [each for each in self.state(host, moment).neighbors if each.address == ip_address(address)]
        return Neighbour(host, address, entries[0] if entries else None)

    def counter(self, host: str, name: str) -> Counter:
        """One of a host's counters, such as `Ip.ReasmOKs`. Raises FieldError for one that its kernel has not."""
        before, after = self.state(host, "before").counters, self.state(host).counters
        if name not in after and not _BY_TYPE.fullmatch(name):
            near = get_close_matches(name, after, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise FieldError("Evidence", "counter", name, f"a counter of {host}{hint}")
        return Counter(host, name, before.get(name, 0), after.get(name, 0))

    def has_socket(self, host: str, state: str, port: int, moment: str = "after") -> Finding:
        """Whether a host has a TCP socket at that local port in that state, such as `ESTABLISHED`.

        Raises FieldError for what is no state of TCP's.
        """
        if state not in TCP_STATES:
            raise FieldError("Evidence", "state", state, f"one of {', '.join(TCP_STATES)}")
        there = [
            each
            for each in self.state(host, moment).sockets
            if each.local.port == port and each.protocol.startswith("tcp")
        ]
        states = ", ".join(each.state for each in there) or "no socket"
        return Finding(
            any(each.state == state for each in there),
            f"{_who(host, 'has', 'have')} port {port} {state}",
            f"{states} at port {port}",
        )

    # ------------------------------------------------------------------ what crossed the wire

    def handshake_completed(self, client: str, server: str, *, port: int | None = None) -> Finding:
        """Whether `client` opened a TCP connection to `server`: SYN, SYN-ACK, and an ACK of just that.

        The names are of nodes; RFC 9293, section 3.5.
        """
        ports = {} if port is None else {"dst_port": port}
        expected = f"SYN, SYN-ACK and ACK between {client} and {server}" + (f", port {port}" if port else "")
        syns = self.wire.tcp(flags="S", **ports).sent_by(client).all()
        best = Finding(False, expected, f"no SYN from {client}")
        for syn in syns:
            first = syn.packet[TCP]
            ends = {"src_port": first.dst_port, "dst_port": first.src_port}
            answers = self.wire.tcp(flags="SA", ack=(first.seq + 1) % 2**32, **ends).sent_by(server).after(syn)
            answer = answers.first()
            if answer is None:
                best = Finding(False, expected, f"a SYN that {server} did not answer with SYN-ACK", (syn.number,))
                continue
            second = answer.packet[TCP]
            acked = (second.seq + 1) % 2**32
            back = {"src_port": first.src_port, "dst_port": first.dst_port}
            from_client = self.wire.tcp(**back).sent_by(client).after(answer)
            last = next((one for one in from_client if "A" in str(one.packet[TCP].flags.name or "")), None)
            for one in from_client:
                segment = one.packet[TCP]
                if segment.ack == acked and segment.seq == (first.seq + 1) % 2**32 and not _is_reset(one):
                    numbers = (syn.number, answer.number, one.number)
                    return Finding(True, expected, "the handshake", numbers)
            wrong = from_client.first() or last
            if wrong is None:
                best = Finding(False, expected, f"a SYN-ACK that {client} did not acknowledge", (answer.number,))
            elif _is_reset(wrong):
                best = Finding(False, expected, f"{client} reset the connection", (wrong.number,))
            else:
                segment = wrong.packet[TCP]
                seen = f"seq {segment.seq} ack {segment.ack} in place of seq {(first.seq + 1) % 2**32} ack {acked}"
                best = Finding(False, expected, seen, (wrong.number,))
        return best

    def fragments_of(self, identification: int, *, sent_by: str | None = None) -> Fragments:
        """The IPv4 fragments with that identification, in the order in which they were sent."""
        wire = self.wire.ip(identification=identification)
        return Fragments(identification, (wire if sent_by is None else wire.sent_by(sent_by)).all())

    # ------------------------------------------------------------------ what the command wrote

    def output_equals(self, text: str) -> Finding:
        """Whether the command wrote that to its standard output; space around it does not count."""
        found = self.output.decode(errors="replace").strip()
        return Finding(found == text.strip(), f"output {text.strip()!r}", f"output {_brief(found)}")

    def output_has(self, text: str) -> Finding:
        """Whether the command wrote that, perhaps among other things, to its standard output."""
        found = self.output.decode(errors="replace")
        return Finding(text in found, f"output with {text!r} in it", f"output {_brief(found.strip())}")


class Neighbour(NamedTuple):
    """An entry of a neighbour table, or that there is none."""

    host: str
    address: str
    entry: NeighborEntry | None

    def is_(self, mac: str) -> Finding:
        """Whether it is that MAC address."""
        expected = self._belief(mac)
        known = None if self.entry is None else self.entry.mac
        return Finding(known == MAC(mac), expected, self._belief(known))

    def is_unknown(self) -> Finding:
        """Whether the host knows no MAC address for it."""
        known = None if self.entry is None else self.entry.mac
        return Finding(known is None, self._belief(None), "no entry" if known is None else self._belief(known))

    def _belief(self, mac: MAC | str | None) -> str:
        if mac is None:
            return f"{_who(self.host, 'knows', 'know')} no MAC address for {self.address}"
        return f"{_who(self.host, 'believes', 'believe')} that {self.address} is at {mac}"


class Counter(NamedTuple):
    """A counter of a kernel, before and after."""

    host: str
    name: str
    before: int
    after: int

    def rose_by(self, count: int) -> Finding:
        """Whether it rose by so much."""
        return self._finding(self.after - self.before == count, f"by {count}")

    def rose(self) -> Finding:
        """Whether it rose at all."""
        return self._finding(self.after > self.before, "at all")

    def stayed(self) -> Finding:
        """Whether it did not change."""
        return self._finding(self.after == self.before, "by 0")

    def _finding(self, passed: bool, by: str) -> Finding:
        expected = f"{self.name} of {self.host} rises {by}"
        return Finding(passed, expected, f"{self.name} of {self.host} rose by {self.after - self.before}")


class Fragments(NamedTuple):
    """The fragments of a datagram."""

    identification: int
    frames: list[Seen]

    def pieces(self) -> list[Piece]:
        """What each covers."""
        found = []
        for one in self.frames:
            header = one.packet[IPv4]
            body = header.total_length - header.ihl * 4
            found.append(Piece(header.fragment_offset * 8, body, header.more_fragments))
        return found

    def are(self, pieces: Sequence[tuple[int, int, bool]]) -> Finding:
        """Whether they are these, in this order: offset and length in bytes, and whether more follow."""
        expected = f"fragments of datagram {self.identification}: {_pieces(pieces)}"
        found = self.pieces()
        numbers = tuple(one.number for one in self.frames)
        if not found:
            return Finding(False, expected, f"no IPv4 packet with identification {self.identification}")
        if found == [Piece(*piece) for piece in pieces]:
            return Finding(True, expected, _pieces(found), numbers)
        wrong = next((at for at, pair in enumerate(zip(found, pieces, strict=False)) if pair[0] != pair[1]), 0)
        return Finding(False, expected, _pieces(found), (numbers[wrong], *numbers[:wrong], *numbers[wrong + 1 :]))


def _who(host: str, does: str, do: str) -> str:
    return f"{host} {do if host == STUDENT else does}"


def _pieces(pieces: Sequence[tuple[int, int, bool]]) -> str:
    return ", ".join(f"{offset}+{length}{' more' if more else ' last'}" for offset, length, more in pieces)


def _is_reset(one: Seen) -> bool:
    return "RST" in (one.packet[TCP].flags.name or "")


def _brief(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}..."
