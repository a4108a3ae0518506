"""A packet as the JSON object that programs read: stable, and the same for every command.

Fields keep the names of the declaration. Numbers are numbers; flags of one bit are true or false; a set of
flags is its letters; addresses are text; bytes are hexadecimal digits; several values are a list; options are
a list of objects with `name` and `fields`; AUTO, in a packet that was not built, is null.
"""

from __future__ import annotations

import json
from typing import Any

from rawkit.layout import AUTO, FlagSet, ItemList, Kind, Record
from rawkit.layout.tails import Array
from rawkit.views.line import Captured
from rawkit.wire import CutHeader, Layer, Packet
from rawkit.wire.packet import name_of
from rawkit.wire.trailing import trailing

__all__ = ["as_object", "json_line"]


def json_line(record: Captured, packet: Packet) -> str:
    """The object of `as_object` as one line of text."""
    return json.dumps(as_object(record, packet))


def as_object(record: Captured, packet: Packet) -> dict[str, Any]:
    """What is known of `packet`, which was read from `record`.

    What trails a body stands behind the layers, where a layer knows what it is (extensions of ICMP errors).
    `start` and `stop` are offsets in bytes, `payload` is what the innermost header carries. Of a header that
    was cut, only the fields that are whole are there. `comments` is there when the record has any.
    """
    known: dict[str, Any] = {
        "number": record.number,
        "time_ns": record.time_ns,
        "length": len(record.data),
        "wire_length": record.wire_length,
        "link_type": record.link_type.name,
        "layers": [
            {"name": name_of(layer), "start": start, "stop": stop, "fields": _fields(layer)}
            for layer, (start, stop) in zip(packet.layers, packet.bounds(), strict=True)
        ]
        + [
            {
                "name": name_of(place.record),
                "start": place.start,
                "stop": place.stop,
                "fields": _fields(place.record),
            }
            for place in trailing(packet)
            if place.record is not None
        ],
        "payload": packet.payload.hex(),
        "problems": [problem._asdict() for problem in packet.problems],
    }
    return known | {"comments": list(record.comments)} if record.comments else known


def _fields(layer: Layer | Record) -> dict[str, Any]:
    record = layer.header if isinstance(layer, CutHeader) else type(layer)
    return {name: _value(record.field(name).kind, value) for name, value in layer.values().items()}


def _value(kind: Kind, value: Any) -> Any:
    if value is AUTO:
        return None
    if isinstance(kind, ItemList):
        return [{"name": type(item).__name__, "fields": _fields(item)} for item in value]
    if isinstance(kind, Array):
        return [_value(kind.kind, element) for element in value]
    if isinstance(kind, FlagSet):
        return kind.show(value)
    if isinstance(value, bool | int):
        return value
    return kind.show(value)
