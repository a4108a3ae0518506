"""All that `rawkit decode` does with the bytes of a file or of a packet, and what must hold of it."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import Any

from rawkit.errors import BuildError, CaptureError, FieldError
from rawkit.pcap import Damage, Record, open_capture, summarize
from rawkit.views import (
    diagram,
    hexdump,
    json_line,
    line,
    read_expression,
    to_expression,
    tree,
    wireshark_fields,
    wireshark_values,
)
from rawkit.wire import LinkType, Packet

__all__ = ["decode_file", "decode_packet"]

CLOSELY = 8
"""How many packets of a file are looked at in every way; the others in a line and as JSON."""

RARELY = 16
"""One packet in so many is also drawn, dumped, and written as an expression and read again."""


def decode_file(data: bytes) -> None:
    """Decode a capture file up to a CaptureError, and again behind all damage; tell what it holds."""
    damages: list[Damage] = []
    for on_damage in (None, damages.append):
        with suppress(CaptureError), open_capture(BytesIO(data), on_damage=on_damage) as capture:
            for count, record in enumerate(capture):
                look(record, closely=count < CLOSELY and not on_damage, rarely=count == 0)
    for damage in damages:
        str(damage)
    with suppress(CaptureError):
        summarize(BytesIO(data), salvage=True)


def decode_packet(data: bytes, link_type: LinkType, number: int) -> None:
    """Decode one packet. From its `number` follows what of the rare things is done."""
    longer = len(data) + (100 if number % 5 == 0 else 0)
    look(Record(number, 0, data, longer, link_type, None, ()), closely=True, rarely=number % RARELY == 0)


def look(record: Record, closely: bool, rarely: bool) -> None:
    packet: Any = record.packet()
    line(record, packet)
    json_line(record, packet)
    if not closely:
        return
    for problem in packet.problems:
        assert 0 <= problem.start <= problem.stop, problem
        str(problem)
    assert bytes(packet) == record.data
    for _ in tree(packet):
        pass
    for field in wireshark_fields():
        wireshark_values(packet, field)
    assert packet.built() == packet
    with suppress(BuildError, FieldError):  # a field that cannot be computed there, or a length that does not fit
        bytes(packet.recomputed())
    if rarely:
        look_rarely(packet)


def look_rarely(packet: Packet) -> None:
    for view in (hexdump, diagram):
        for _ in view(packet):
            pass
    again = read_expression(to_expression(packet))
    assert again == packet
    assert bytes(again) == bytes(packet)
