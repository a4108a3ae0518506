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
from functools import cache
from operator import attrgetter
from typing import Any

from rawkit.layout import AUTO, ItemList, Kind, Optional, Record, UInt
from rawkit.layout.tails import Array
from rawkit.views.line import Captured
from rawkit.wire import CutHeader, ForeignLayer, Layer, Packet
from rawkit.wire.packet import name_of

__all__ = ["as_object", "json_line"]


def as_object(record: Captured, packet: Packet) -> dict[str, Any]:
    """What is known of `packet`, which was read from `record`.

    `start` and `stop` are offsets in bytes, `payload` is what the innermost header carries. Of a header that
    was cut, only the fields that are whole are there. `comments` is there when the record has any.
    """
    return json.loads(json_line(record, packet))  # type: ignore[no-any-return]


def json_line(record: Captured, packet: Packet) -> str:
    """The object of `as_object` as one line of text."""
    layers = ", ".join(
        [
            f'{{"name": "{name_of(layer)}", "start": {start}, "stop": {stop}, "fields": {_fields(layer)}}}'
            for layer, (start, stop) in zip(packet.layers, packet.bounds(), strict=True)
        ]
    )
    problems = packet.problems
    comments = f', "comments": {json.dumps(record.comments)}' if record.comments else ""
    return (
        f'{{"number": {record.number}, "time_ns": {record.time_ns}, "length": {len(record.data)}, '
        f'"wire_length": {record.wire_length}, "link_type": "{record.link_type._name_}", "layers": [{layers}], '
        f'"payload": "{packet.payload.hex()}", '
        f'"problems": {json.dumps([problem._asdict() for problem in problems]) if problems else "[]"}{comments}}}'
    )


def _fields(layer: Layer | Record) -> str:
    """The object of a header's or an item's fields."""
    if isinstance(layer, ForeignLayer):
        return json.dumps(_foreign(layer))
    if isinstance(layer, CutHeader):
        values = layer.values()
        parts = [f'"{name}": {_text_of(layer.header.field(name).kind)(value)}' for name, value in values.items()]
        return f"{{{', '.join(parts)}}}"
    return _writer(type(layer))(layer)


def _foreign(layer: ForeignLayer) -> dict[str, Any]:
    """The fields of a layer that scapy read: texts, and lists of the records within."""
    return {
        field.name: [{"name": within.name, "fields": _foreign(within)} for within in field.layers] or field.value
        for field in layer.fields
    }


@cache
def _writer(record: type[Record]) -> Callable[[Any], str]:
    """What writes the fields of such a record: a template, and what makes text of the values that are no numbers.

    One call fetches all values and one more fills them in, so that a number costs next to nothing.
    """
    fields = record.fields()
    template = ", ".join(f'"{field.name}": %s' for field in fields).join(("{", "}"))
    texts = [(index, _text_of(field.kind)) for index, field in enumerate(fields) if type(field.kind) is not UInt]
    may_be_auto = [index for index, field in enumerate(fields) if field.rule is not None]
    values_of = attrgetter(*(field.name for field in fields)) if fields else tuple
    alone = len(fields) == 1

    def write(layer: Any) -> str:
        values: list[Any] = [values_of(layer)] if alone else [*values_of(layer)]
        unknown = [index for index in may_be_auto if values[index] is AUTO]
        for index, text in texts:
            values[index] = text(values[index])
        for index in unknown:
            values[index] = "null"
        return template % tuple(values)

    return write


def _text_of(kind: Kind) -> Callable[[Any], Any]:
    """What makes JSON of a value of this kind."""
    if isinstance(kind, UInt):
        return str
    if isinstance(kind, ItemList):
        return _items
    if isinstance(kind, Array):
        of_one = _text_of(kind.kind)
        return lambda values: f"[{', '.join(map(of_one, values))}]"
    if isinstance(kind, Optional):
        return lambda value: "null" if value is None else value if value is AUTO else str(value)
    if kind.bits == 1:
        return ("false", "true").__getitem__
    show = kind.show
    return lambda value: value if value is AUTO else f'"{show(value)}"'


def _items(items: tuple[Record, ...]) -> str:
    return f"[{', '.join([_item(item) for item in items])}]"


def _item(item: Record) -> str:
    return f'{{"name": "{type(item).__name__}", "fields": {_fields(item)}}}'
