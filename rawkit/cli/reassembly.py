"""What `rawkit decode` shows of a record: its packet, or with --reassemble the datagram that it completes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from rawkit.pcap import Record
from rawkit.views import as_object, json_line
from rawkit.wire import MAX_LAYERS, Packet, Reassembled, Reassembler
from rawkit.wire.slices import layers_of_fragment

__all__ = ["Shown", "as_captured", "reassembled"]


MOST_NUMBERS: Final = 10
"""How many packets are named in a line."""


class Shown(NamedTuple):
    """A record, its packet as captured, and the datagram that is complete with it, if there is one.

    `reassembling` tells whether anyone looks for such datagrams.
    """

    record: Record
    captured: Packet
    whole: Reassembled | None = None
    reassembling: bool = False

    @property
    def packet(self) -> Packet:
        """The whole, and else the packet as captured."""
        return self.captured if self.whole is None else self.whole.packet

    def deep(self) -> Shown:
        """The same, scapy having taken apart what follows in the packets."""
        whole = None if self.whole is None else self.whole._replace(packet=self.whole.packet.deep())
        return self._replace(captured=self.captured.deep(), whole=whole)

    @property
    def for_fields(self) -> Packet:
        """What tshark takes fields from: the headers of the frame itself, and behind them what is put together.

        When reassembling, what is in a fragment counts once, with the frame that completes it.
        """
        if not self.reassembling:
            return self.captured
        own = self.captured.layers[: layers_of_fragment(self.captured)]
        if self.whole is not None:
            return Packet((*own, *self.whole.packet.layers[self.whole.upper :]), self.whole.packet.payload)
        return Packet(own) if own else self.captured

    @property
    def remark(self) -> str:
        """Where the whole is from, and what is odd about it, in words."""
        if self.whole is None:
            return ""
        words = [f"reassembled from {_listed(self.whole.numbers, len(self.whole.numbers))}"]
        return f" [{'; '.join([*words, *(notice.value for notice in self.whole.notices)])}]"

    def json(self) -> str:
        """The object of the packet as captured, with the whole under `reassembled`; its offsets count in that."""
        if self.whole is None:
            return json_line(self.record, self.captured)
        whole = as_object(self.record, self.whole.packet)
        part = {
            "numbers": list(self.whole.numbers),
            "length": len(bytes(self.whole.packet)),
            "notices": [notice.name for notice in self.whole.notices],
            **{key: whole[key] for key in ("layers", "payload", "problems")},
        }
        return json.dumps(as_object(self.record, self.captured) | {"reassembled": part})


def as_captured(records: Iterable[Record]) -> Iterator[Shown]:
    """Each record with its own packet."""
    return (Shown(record, record.packet()) for record in records)


def reassembled(records: Iterable[Record], tell: Callable[[str], None]) -> Iterator[Shown]:
    """Each record, with the datagram where it completes one; `tell` is told of those that were given up."""
    reassembler = Reassembler()
    for record in records:
        packet = record.packet()
        yield Shown(record, packet, _completed(reassembler, record, packet), True)
        _tell_failures(reassembler, tell)
    reassembler.finish()
    _tell_failures(reassembler, tell)


def _completed(reassembler: Reassembler, record: Record, packet: Packet) -> Reassembled | None:
    """The innermost datagram that is complete with this packet, more than one fragment being there."""
    whole = None
    for _ in range(MAX_LAYERS):  # a packet can be nothing but fragment headers
        done = reassembler.push(packet, record.time_ns, record.number)
        if done is None:
            break
        packet = done.packet
        whole = done if len(done.numbers) > 1 else whole
    return whole


def _tell_failures(reassembler: Reassembler, tell: Callable[[str], None]) -> None:
    for failed in reassembler.take_failures():
        packets = f"{_listed(failed.numbers, failed.fragments)}: " if failed.numbers else ""
        tell(f"not reassembled: {packets}{failed}")


def _listed(numbers: tuple[int, ...], count: int) -> str:
    """The numbers of packets, of which there are `count`, most of them left out where there are many."""
    shown = ", ".join(map(str, numbers[:MOST_NUMBERS]))
    return shown if count <= MOST_NUMBERS else f"{shown}, ... ({count} packets)"
