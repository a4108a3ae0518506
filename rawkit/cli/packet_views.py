"""The ways in which commands show packets: a line, a tree, bytes, an object, named fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final

import click

from rawkit.cli.output import colour_wanted
from rawkit.cli.reassembly import Shown
from rawkit.pcap import Record
from rawkit.views import (
    WiresharkFields,
    comment_lines,
    diagram,
    hexdump,
    line,
    to_expression,
    tree,
    wireshark_fields,
)

__all__ = ["FRAME_FIELDS", "View", "fields_view", "name_of_view", "view_of"]

View = Callable[[Shown, int | None], Iterable[str]]
"""What to print for a packet, given the time that is shown as zero (None: date and time are shown)."""

FRAME_FIELDS: Final[dict[str, Callable[[Record], str]]] = {
    "frame.number": lambda record: str(record.number),
    "frame.time_epoch": lambda record: "{}.{:09}".format(*divmod(record.time_ns, 1_000_000_000)),
    "frame.len": lambda record: str(record.wire_length),
    "frame.cap_len": lambda record: str(len(record.data)),
}
"""What Wireshark has as fields, and capture files beside the packet."""


def name_of_view(format_: str | None, as_diagram: bool, as_python: bool) -> str:
    """The one view that is wanted."""
    asked = [name for name, flag in (("diagram", as_diagram), ("python", as_python)) if flag]
    options = [f"--{name}" for name in asked] + ([f"--format {format_}"] if format_ is not None else [])
    if len(options) > 1:
        raise click.UsageError(f"{' and '.join(options)} exclude each other; choose one")
    return format_ or (asked[0] if asked else "line")


def fields_view(format_: str, fields: tuple[str, ...]) -> View:
    """What tshark prints with `-T fields`: tab between fields, comma between the values of one."""
    if format_ != "fields" or not fields:
        raise click.UsageError("--format fields and -e FIELD need each other")
    known = [*FRAME_FIELDS, *wireshark_fields()]
    for field in fields:
        if field not in known:
            near = ", ".join(get_close_matches(field, known)) or "ip.src"
            raise click.UsageError(f"-e {field} is not known here; such as {near} are")

    columns = WiresharkFields([name for name in fields if name not in FRAME_FIELDS])

    def view(shown: Shown, _origin_ns: int | None) -> list[str]:
        record, read = shown.record, iter(columns.read(shown.for_fields))
        values = [FRAME_FIELDS[name](record) if name in FRAME_FIELDS else ",".join(next(read)) for name in fields]
        return ["\t".join(values)]

    return view


def view_of(name: str) -> View:
    """What to print for a record, in the format of that name."""
    colour = colour_wanted()

    def summary(shown: Shown, origin_ns: int | None) -> list[str]:
        return [line(shown.record, shown.packet, origin_ns=origin_ns, colour=colour) + shown.remark]

    def under_summary(body: Callable[..., Iterable[str]]) -> View:
        def view(shown: Shown, origin_ns: int | None) -> Iterator[str]:
            yield from summary(shown, origin_ns)
            yield from comment_lines(shown.record, colour=colour)
            yield from body(shown.packet, colour=colour)
            yield ""

        return view

    views: dict[str, View] = {
        "line": summary,
        "tree": under_summary(tree),
        "hex": under_summary(hexdump),
        "diagram": under_summary(diagram),
        "json": lambda shown, _: [shown.json()],
        "python": lambda shown, _: [to_expression(shown.packet)],
    }
    return views[name]
