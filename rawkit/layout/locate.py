"""From stacks of headers that are frequent to code that finds where each header stands, without reading it.

Most traffic is a few stacks, such as Ethernet/IPv4/TCP. A locator looks only at the fields that tell where a
header ends and what follows it, so a header that nobody looks at costs nothing but that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from struct import Struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rawkit.layout.compile import Decoder, compile_decoder, compile_source
from rawkit.layout.rules import HeaderLength, Length, NextProtocol
from rawkit.layout.words import Word
from rawkit.layout.writer import Writer

if TYPE_CHECKING:
    from rawkit.layout.record import Record

__all__ = ["compile_locator", "compile_picker"]

Headers = tuple[type["Record"], ...]


NOTHING: Final[Mapping[type[Record], frozenset[str]]] = MappingProxyType({})

Place = tuple[int, int, Decoder]
"""Which layer a header is, from 0, at which byte it starts, and what decodes it; plain tuples unpack fastest."""


def compile_locator(stacks: Iterable[Headers]) -> Callable[[bytes, Any], bool]:
    """A function that knows these stacks, which all begin with the same header.

    `locate(data, packet)` sets what a packet knows of its layers: `_layers` (the classes), `_places` (by class),
    `_stops`, `_limits` and `_stopped` (the header that follows, and was not located). It gives False for bytes
    that are no such stack: with a header that is cut, or longer than its fixed fields but not the last.
    """
    alike: dict[Headers, list[type[Record]]] = {}
    for *lower, last in stacks:
        alike.setdefault(tuple(lower), []).append(last)
    names: dict[str, Any] = {}
    lines = ["def locate(data, packet):", "    end = len(data)"]
    for headers, lasts in alike.items():
        lines += StacksWriter(names, headers).lines(lasts)
    compile_source("\n".join([*lines, "    return False"]), f"<rawkit locator of {alike}>", names)
    return names["locate"]  # type: ignore[no-any-return]


def compile_picker(
    stack: Headers, fields: Sequence[tuple[type[Record], str]]
) -> Callable[[bytes], tuple[Any, ...] | None]:
    """A function that takes some fields out of packets of one stack, and reads nothing else of them.

    `pick(data)` gives their values, of the types that attributes have, for a packet of that stack whose lower
    headers have no options; None for all others. No two headers of a stack may tell their end or what follows by
    fields of the same name.
    """
    *lower, last = stack
    wanted = {header: frozenset(name for each, name in fields if each is header) for header in stack}
    names: dict[str, Any] = {}
    writer = PickWriter(names, tuple(lower), wanted, fields)
    lines = ["def pick(data):", "    end = len(data)", *writer.lines([last]), "    return None"]
    compile_source("\n".join(lines), f"<rawkit picker of {stack}>", names)
    return names["pick"]  # type: ignore[no-any-return]


class StacksWriter:
    """The code for stacks that differ only in their last header. What decides in `lower` is unpacked at once."""

    def __init__(
        self, names: dict[str, Any], lower: Headers, wanted: Mapping[type[Record], frozenset[str]] = NOTHING
    ) -> None:
        self.names = names
        self.lower = lower
        self.wanted = wanted
        self.starts = [0, *accumulate(header._fixed_size for header in lower)]
        self.stops: list[str] = []
        self.ends = ["end"]
        self.indent = "    "

    def lines(self, lasts: list[type[Record]]) -> Iterator[str]:
        """The lines, which return True where one of the stacks is found."""
        writers = [Writer(header) for header in self.lower]
        announced: Any = None
        unless = ""
        yield f"{self.indent}if end >= {self.starts[-1]}:"
        self.indent += "    "
        yield self._unpack(0, writers)
        for depth, writer in enumerate(writers):
            yield from self._assign(writer)
            yield from self._decide(writer, self.starts[depth], on_top=False)
            announced = writer.rule(NextProtocol)
            unless = f" and not {announced.rule.unless}_" if announced.rule.unless else ""
            if depth + 1 < len(writers):
                number = announced.rule.numbers.number_of(self.lower[depth + 1])
                yield f"{self.indent}if {announced.local} == {number}{unless}:"
                self.indent += "    "
        outer = self.indent
        for last in lasts:
            yield f"{outer}if {announced.local} == {announced.rule.numbers.number_of(last)}{unless}:"
            yield f"{outer}    if {self.ends[-1]} >= {self.starts[-1] + last._fixed_size}:"
            self.indent = outer + " " * 8
            yield from self._last(Writer(last))

    def _last(self, writer: Writer) -> Iterator[str]:
        """The header on top, whose length may be any."""
        stops, ends = list(self.stops), list(self.ends)
        start = self.starts[-1]
        yield from self._index(start, writer) or [self._unpack(start, [writer]), *self._assign(writer)]
        yield from self._decide(writer, start, on_top=True)
        headers = [*self.lower, writer.cls]
        where = "_".join(["places", *(header.__name__ for header in headers)])
        self.names |= {header.__name__: header for header in headers}
        places = enumerate(zip(headers, self.starts, strict=True))
        self.names[where] = {header: (index, start, compile_decoder(header)) for index, (header, start) in places}
        announced: Any = writer.rule(NextProtocol)
        if announced is not None:
            self.names |= announced.rule.names(writer.cls, announced)
        yield f"{self.indent}packet._layers = [{', '.join(header.__name__ for header in headers)}]"
        yield f"{self.indent}packet._places = {where}"
        yield f"{self.indent}packet._stops = ({', '.join(self.stops)})"
        yield f"{self.indent}packet._limits = ({', '.join(self.ends[1:])})"
        yield f"{self.indent}packet._stopped = {announced.rule.following(announced) if announced else None}"
        yield f"{self.indent}return True"
        self.stops, self.ends = stops, ends

    def _unpack(self, start: int, writers: list[Writer]) -> str:
        """The line that takes the words with the fields that decide, and no others, from `start` on."""
        code, wanted = "!", []
        for writer in writers:
            for word in writer.words:
                if self._needs(writer, word):
                    code += word.code
                    local = word.fields[0].local
                    free = word.is_plain() and local not in wanted
                    word.name = local if free else f"{word.name}_of_{writer.cls.__name__}"
                    wanted.append(word.name)
                else:
                    code += f"{word.bits // 8}x"
        unpack = f"unpack_{'_'.join(writer.cls.__name__ for writer in writers)}"
        self.names[unpack] = Struct(code).unpack_from
        return f"{self.indent}{', '.join(wanted)}, = {unpack}(data, {start})"

    def _assign(self, writer: Writer) -> Iterator[str]:
        """The lines that take the fields that decide out of the words."""
        used = writer.names_used_when_reading() | self.wanted.get(writer.cls, frozenset())
        for word in writer.words:
            if self._needs(writer, word):
                reads = [(field.local, read) for field, read in word.reads() if field.name in used]
                yield from (f"{self.indent}{local} = {read}" for local, read in reads if local != read)

    def _index(self, start: int, writer: Writer) -> list[str]:
        """The line that takes a field within one byte, faster than by unpacking, where no other decides."""
        deciding = [field for field in writer.fixed if field.name in writer.names_used_when_reading()]
        byte, first = divmod(deciding[0].offset, 8)
        shift = 8 - first - deciding[0].bits
        if len(deciding) > 1 or shift < 0:
            return []
        mask = f" & {(1 << deciding[0].bits) - 1}" if first else ""
        return [f"{self.indent}{deciding[0].local} = data[{start + byte}] >> {shift}{mask}"]

    def _decide(self, writer: Writer, start: int, on_top: bool) -> Iterator[str]:
        """Where the header and its body end, if the bytes allow it."""
        end = self.ends[-1]
        tests = [f"{field.local} == {field.default}" for field in writer.fixed if field.decisive]
        stop = str(start + writer.size)
        header_length: Any = writer.rule(HeaderLength)
        if header_length is not None and on_top:
            yield f"{self.indent}stop = {start} + {header_length.rule.bytes_of(header_length.local)}"
            tests.append(f"{stop} <= stop <= {end}")
            stop = "stop"
        elif header_length is not None:
            tests.append(f"{header_length.rule.bytes_of(header_length.local)} == {writer.size}")
        if tests:
            yield f"{self.indent}if {' and '.join(tests)}:"
            self.indent += "    "
        length: Any = writer.rule(Length)
        if length is not None and length is not writer.rule(NextProtocol):  # whose number is no length here
            limit = f"limit_of_{writer.cls.__name__}"
            yield f"{self.indent}{limit} = {length.rule.limit(length.local, str(start), stop)}"
            yield f"{self.indent}if {limit} > {end} or {limit} < {stop}:"
            yield f"{self.indent}    {limit} = {end}"
            end = limit
        self.stops.append(stop)
        self.ends.append(end)

    def _needs(self, writer: Writer, word: Word) -> bool:
        """Whether the word has a field that is wanted, or tells where something ends, or what follows."""
        used = writer.names_used_when_reading() | self.wanted.get(writer.cls, frozenset())
        return not used.isdisjoint(field.name for field in word.fields)


class PickWriter(StacksWriter):
    """The code that takes fields out of one stack."""

    def __init__(
        self,
        names: dict[str, Any],
        lower: Headers,
        wanted: Mapping[type[Record], frozenset[str]],
        fields: Sequence[tuple[type[Record], str]],
    ) -> None:
        super().__init__(names, lower, wanted)
        self.fields = fields

    def _last(self, writer: Writer) -> Iterator[str]:
        yield self._unpack(self.starts[-1], [writer])
        yield from self._assign(writer)
        for header, name in self.fields:
            self.names |= header.field(name).kind.names()
        yield f"{self.indent}return {', '.join(header.field(name).local for header, name in self.fields)},"
