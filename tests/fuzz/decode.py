"""All that `rawkit decode` does with the bytes of a file or of a packet, and what must hold of it."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import Any

from rawkit.errors import BuildError, CaptureError, FieldError
from rawkit.pcap import Record, open_capture
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


def decode_file(data: bytes) -> int:
    """Decode a capture file, and give how many packets it has; a damaged one may end with a CaptureError."""
    count = 0
    try:
        with open_capture(BytesIO(data)) as capture:
            for record in capture:
                look(record, closely=count < CLOSELY, rarely=count == 0)
                count += 1
    except CaptureError as error:
        str(error)
    return count


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
