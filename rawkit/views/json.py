"""A packet as the JSON object that programs read: stable, and the same for every command.

Fields keep the names of the declaration. Numbers are numbers; flags of one bit are true or false; a set of
flags is its letters; addresses are text; bytes are hexadecimal digits; several values are a list; options are
a list of objects with `name` and `fields`; AUTO, in a packet that was not built, is null, and so is a field
that is not there. In layers that scapy read (`packet.deep()`), every value is the text that scapy shows, and
records within are a list like options.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from rawkit.layout import AUTO, ItemList, Kind, Optional, Problem, Record, UInt
from rawkit.layout.tails import Array
from rawkit.views.line import Captured
from rawkit.wire import CutHeader, ForeignLayer, Layer, Packet
from rawkit.wire.packet import name_of
from rawkit.wire.trailing import trailing

__all__ = ["as_object", "json_line"]


def as_object(record: Captured, packet: Packet) -> dict[str, Any]:
    """What is known of `packet`, which was read from `record`.

    What trails a body stands behind the layers, where a layer knows what it is (extensions of ICMP errors).
    `start` and `stop` are offsets in bytes, `payload` is what the innermost header carries. Of a header that
    was cut, only the fields that are whole are there. `comments` is there when the record has any.
    """
    return json.loads(json_line(record, packet))  # type: ignore[no-any-return]


def json_line(record: Captured, packet: Packet) -> str:
    """The object of `as_object` as one line of text."""
    layers, start = [], 0
    for layer, (start, stop) in zip(packet.layers, packet.bounds(), strict=True):
        layers.append(_layer(layer, start, stop))
    if packet.trailers:
        layers += [_layer(place.record, place.start, place.stop) for place in trailing(packet) if place.record]
    problems = packet.problems
    comments = f', "comments": {json.dumps(record.comments)}' if record.comments else ""
    return (
        f'{{"number": {record.number}, "time_ns": {record.time_ns}, "length": {len(record.data)}, '
        f'"wire_length": {record.wire_length}, "link_type": "{record.link_type._name_}", '
        f'"layers": [{", ".join(layers)}], "payload": "{packet.payload.hex()}", '
        f'"problems": {json.dumps([_problem(problem) for problem in problems]) if problems else "[]"}{comments}}}'
    )


def _problem(problem: Problem) -> dict[str, Any]:
    """A problem as an object; its severity is a word."""
    return problem._asdict() | {"severity": str(problem.severity)}


def _layer(layer: Layer, start: int, stop: int) -> str:
    write = writer_of.get(layer.__class__)
    if write is not None:
        name, fields = layer.__class__.__name__, write(layer)
    else:
        name, fields = name_of(layer), _fields(layer)
    return f'{{"name": "{name}", "start": {start}, "stop": {stop}, "fields": {fields}}}'


def _fields(layer: Layer | Record) -> str:
    """The object of the fields of anything that stands in a packet."""
    if isinstance(layer, ForeignLayer):
        return json.dumps(_foreign(layer))
    if isinstance(layer, CutHeader):
        return _object(layer.header, layer.values())
    write = writer_of[type(layer)] = _writer(type(layer))
    return write(layer)


def _foreign(layer: ForeignLayer) -> dict[str, Any]:
    """The fields of a layer that scapy read: texts, and lists of the records within."""
    return {
        field.name: [{"name": within.name, "fields": _foreign(within)} for within in field.layers] or field.value
        for field in layer.fields
    }


def _object(record: type[Record], values: dict[str, Any]) -> str:
    """The object of fields of which some may be AUTO, or not there."""
    parts = []
    for name, value in values.items():
        placeholder, text = _text_of(record.field(name).kind)
        parts.append(f'"{name}": ' + ("null" if value is AUTO else placeholder % (text(value) if text else value)))
    return f"{{{', '.join(parts)}}}"


writer_of: dict[type[Layer | Record], Callable[[Any], str]] = {}
"""What writes the fields of a record, by its class; made when the first one is met."""


def _writer(record: type[Record]) -> Callable[[Any], str]:
    """What writes the fields of such a record: a template, and what makes text of the values that are no numbers.

    One call fetches all values and one more fills them in, so that a number costs next to nothing.
    """
    fields = record.fields()
    shown = [_text_of(field.kind) for field in fields]
    template = ", ".join(f'"{field.name}": {shown[at][0]}' for at, field in enumerate(fields)).join(("{", "}"))
    texts = [(at, text) for at, (_, text) in enumerate(shown) if text is not None]
    rules = [at for at, field in enumerate(fields) if field.rule is not None]
    values_of: Any = attrgetter(*(field.name for field in fields)) if fields else tuple
    alone = len(fields) == 1

    def write(layer: Any) -> str:
        values = [values_of(layer)] if alone else [*values_of(layer)]
        for at in rules:
            if values[at] is AUTO:
                return _object(record, layer.values())
        for at, text in texts:
            values[at] = text(values[at])
        return template % (*values,)

    return write


def _text_of(kind: Kind) -> tuple[str, Callable[[Any], Any] | None]:
    """How a value of this kind is filled in, and what makes the text that is (None: the value itself)."""
    if isinstance(kind, UInt):
        return "%d", None
    if isinstance(kind, ItemList):
        return "[%s]", _items
    if isinstance(kind, Array):
        placeholder, text = _text_of(kind.kind)
        return "[%s]", lambda values: ", ".join([placeholder % (text(one) if text else one) for one in values])
    if isinstance(kind, Optional):
        return "%s", lambda value: "null" if value is None else value
    if kind.bits == 1:
        return "%s", ("false", "true").__getitem__
    return '"%s"', kind.show


def _items(items: tuple[Record, ...]) -> str:
    texts = []
    for item in items:
        write = writer_of.get(item.__class__) or _fields
        texts.append(f'{{"name": "{item.__class__.__name__}", "fields": {write(item)}}}')
    return ", ".join(texts)
