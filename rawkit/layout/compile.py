"""From a declaration to code: the constructor, the parser and the builder of one record class.

Each is written out as straight-line Python, once, when the class is made: one `struct.Struct` for the fixed
fields, shifts and masks folded in, nothing that loops over fields. `python -c "from rawkit import TCP;
print(TCP.source())"` prints what it wrote.

Records are frozen, yet their slots are stored with plain assignments, which cost a tenth of
`object.__setattr__`: they are made as a *draft*, a class with the same slots and no guard, and change their
`__class__` to the frozen one when they are complete.
"""

from __future__ import annotations

import linecache
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from rawkit.errors import FieldError, PacketError, TruncatedError
from rawkit.layout.auto import AUTO
from rawkit.layout.often import ListWriter
from rawkit.layout.optional import Group, optional_groups
from rawkit.layout.rules import Checksum, CRC32c, FillUp, HeaderLength, Length, NextProtocol, field_ruled_by
from rawkit.layout.tails import Array, ItemList
from rawkit.layout.words import words_of

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo, Record

__all__ = ["Decoder", "Writer", "compile_decoder", "compile_record", "compile_sound", "compile_source"]

Decoder = Callable[[bytes, int, int], "Record"]
"""Gives the record that is known to stand in `data[start:stop]`."""


class Writer:
    """Lines of code, and the names that they refer to."""

    def __init__(self, cls: type[Record]) -> None:
        self.cls = cls
        self.fixed = [field for field in cls._fields if field.tail is None]
        tails = [field for field in cls._fields if field.tail is not None]
        self.groups: list[Group] = optional_groups(cls)
        self.tail = None if self.groups else next(iter(tails), None)
        self.padding = self.rule(FillUp)
        self.words = words_of(self.fixed)
        self.struct = struct.Struct("!" + "".join(word.code for word in self.words))
        self.size = self.struct.size
        self.names: dict[str, Any] = {
            "AUTO": AUTO,
            "PacketError": PacketError,
            "cls": cls,
            "_draft": cls._draft,
            "_new": object.__new__,
            "unpack_from": self.struct.unpack_from,
            "pack": self.struct.pack,
            "from_bytes": int.from_bytes,
            "misfit": misfit,
            "too_short": too_short,
            "TruncatedError": TruncatedError,
            "check_range": check_range,
        }
        for field in cls._fields:
            self.names[f"{field.name}_default"] = field.default
            self.names[f"{field.name}_convert"] = converter(cls, field)
            if field.tail is None:
                self.names.update(field.kind.names())
            elif field is self.tail:
                self.names.update(read_tail=tail_reader(cls, field), write_tail=field.tail.pack)
                self.names["fill_tail"] = field.tail.filled
                self.names["fill_bytes"] = field.tail.fill_bytes
            if field.rule is not None:
                self.names.update(field.rule.names(cls, field))

    def rule(self, kind: type) -> FieldInfo | None:
        """The field with a rule of this kind, if there is one."""
        return field_ruled_by(self.cls, kind)

    # ------------------------------------------------------------------ the constructor

    def constructor(self) -> list[str]:
        """Check each argument that is not the default itself, then fill a draft."""
        arguments = [
            field.name if field.required else f"{field.name}={field.name}_default" for field in self.cls._fields
        ]
        lines = [f"def construct(cls, *, {', '.join(arguments)}):" if arguments else "def construct(cls):"]
        for field in self.cls._fields:
            name = field.name
            given = [] if field.required else [f"{name} is not {name}_default"]
            test = " and ".join([*given, f"not ({field.kind.quick_test(name)})"])
            lines += [f"    if {test}:", f"        {name} = {field.kind.remembered(name)}{name}_convert({name})"]
        lines.append("    self = _new(_draft)")
        lines += [f"    self.{field.name} = {field.name}" for field in self.cls._fields]
        return [*lines, "    self.__class__ = cls", "    return self"]

    def pseudo_sum(self) -> list[str]:
        """`pseudo_sum(self, final)`: the sum of the words of the pseudo-header's addresses, `final` the last."""
        if not self.cls._pseudo_header:
            return []
        src, dst = (self.cls.field(name).kind for name in self.cls._pseudo_header)
        if self.tail is not None and hasattr(self.cls, "final_destination"):
            final = f"final or (self.{self.tail.name} and self.final_destination())"
        else:
            final = "final"
        return [
            "def pseudo_sum(self, final=None):",
            f"    src, dst = self.{self.cls._pseudo_header[0]}, {final} or self.{self.cls._pseudo_header[1]}",
            f"    return (0 if src is AUTO else {src.number('src')}) + {dst.number('dst')}",
        ]

    # ------------------------------------------------------------------ the parser

    def parser(self) -> list[str]:
        """`parse(data, start, end, strict)` gives (record, stop, limit of its body, class of what follows)."""
        lines = ["def parse(data, start, end, strict):"]
        if self.size:
            lines += [
                f"    if end - start < {self.size}:",
                "        raise too_short(cls, start, end)",
            ]
        lines.append("    self = _new(_draft)")
        lines += self._read_words(self.names_used_when_reading())
        lines += self._decisive_tests()
        lines += self._read_tail()
        lines += self._read_limit()
        follows = self.rule(NextProtocol)
        if self.cls._followed_by is not None:
            following = "followed_by"
            self.names["followed_by"] = self.cls._followed_by
        else:
            following = follows.rule.following(follows) if follows else "None"  # type: ignore[union-attr]
        return [*lines, "    self.__class__ = cls", f"    return self, stop, limit, {following}"]

    def decoder(self) -> Iterator[str]:
        """`decode(data, start, stop)` gives the record, `stop` being where it is known to end."""
        yield "def decode(data, start, stop):"
        yield "    self = _new(_draft)"
        yield from self._read_words(set())
        yield from self._read_tail_value()
        yield "    self.__class__ = cls"
        yield "    return self"

    def _read_words(self, used: set[str]) -> Iterator[str]:
        """Take the fixed fields from `start` into `self`, and those that are `used` into locals too."""
        if not self.words:
            return
        into = []
        for word in self.words:
            field = word.fields[0]
            into.append(f"self.{field.name}" if word.is_plain() and field.name not in used else word.name)
        yield f"    {', '.join(into)}, = unpack_from(data, start)"
        for word in self.words:
            for field, expression in word.reads():
                if f"self.{field.name}" not in into:
                    local = f"{field.local} = " if field.name in used else ""
                    yield f"    self.{field.name} = {local}{expression}"

    def _read_tail_value(self) -> Iterator[str]:
        """Read the tail, if there is one, of a record that ends at `stop`."""
        if self.tail is None:
            return
        value, empty = f"self.{self.tail.name}", self.tail.kind.empty  # type: ignore[attr-defined]
        yield f"    at = start + {self.size}"
        yield "    if at == stop:"
        yield f"        {value} = {empty!r}"
        for number, members in enumerate(getattr(self.tail.kind, "often", ())):
            list_writer = ListWriter(self.names, number, members)
            yield f"    elif {list_writer.test('at', 'stop')}:"
            yield from (f"        {line}" for line in list_writer.lines)
            yield f"        {value} = {list_writer.value}"
        yield "    else:"
        yield f"        {value} = read_tail(data, at, stop)"

    def names_used_when_reading(self) -> set[str]:
        used = {field.name for field in self.cls._fields if isinstance(field.rule, HeaderLength | Length)}
        for field in self.cls._fields:
            if isinstance(field.rule, NextProtocol):
                used |= field.rule.reads(field)
            if field.decisive:
                used.add(field.name)
        return used | {group.flag.name for group in self.groups}

    def _decisive_tests(self) -> Iterator[str]:
        for field in self.fixed:
            if field.decisive:
                yield f"    if {field.local} != {field.default}:"
                yield f"        raise misfit(cls, {field.name!r}, start, {field.default}, {field.local})"

    def _read_tail(self) -> Iterator[str]:
        """Where the header ends, and what stands between its fixed fields and there."""
        length = self.rule(HeaderLength)
        if self.tail is None and length is None:
            yield f"    stop = start + {self.size}"
            for group in self.groups:
                yield from group.read()
            return
        if length is None:
            yield "    stop = end"
        else:
            yield f"    stop = start + {length.rule.bytes_of(length.local)}"  # type: ignore[union-attr]
            at_most = "end" if self.tail is not None else f"start + {self.size}"
            yield f"    if stop < start + {self.size} or stop > {at_most}:"
            yield "        if strict:"
            yield f"            raise misfit(cls, {length.name!r}, start, stop - start, end - start)"
            yield f"        stop = {at_most} if stop > {at_most} else start + {self.size}"
        yield from self._read_tail_value()
        if self.padding is not None:
            yield f"    behind = min(end, stop + (start - stop) % {self.padding.rule.unit})"  # type: ignore[union-attr]
            yield f"    self.{self.padding.name} = data[stop:behind]"
            yield "    stop = behind"

    def _read_limit(self) -> Iterator[str]:
        """Where the body ends: as a Length says, if the bytes allow it."""
        length = self.rule(Length)
        if not self.cls._has_body:
            yield "    limit = stop"
        elif length is None:
            yield "    limit = end"
        else:
            yield f"    limit = {length.rule.limit(length.local, 'start', 'stop')}"  # type: ignore[union-attr]
            yield "    if limit > end or limit < stop:"
            yield "        limit = end"

    def soundness(self) -> str:
        """An expression for whether all that can be wrong with the header is right."""
        if self.cls._quotes:
            return "False"
        tests = [f"self.{field.name} == {field.expected}" for field in self.fixed if field.expected is not None]
        tests += [field.rule.sound(self.cls, field) for field in self.cls._fields if field.rule is not None]
        if self.tail is not None and isinstance(self.tail.kind, ItemList):  # what is malformed ends a list
            tests.append(f"not (self.{self.tail.name} and self.{self.tail.name}[-1].malformed)")
        return " and ".join(filter(None, tests)) or "True"

    # ------------------------------------------------------------------ the builder

    def builder(self) -> list[str]:
        """`build(self, body, following, layers, index, fill)` gives the bytes of header and body.

        With `fill` it gives the record instead, nothing left AUTO.
        """
        lines = ["def build(self, body, following, layers, index, fill):"]
        values = {field.name: f"self.{field.name}" for field in self.fixed}
        for group in self.groups:
            lines += group.take()
        lines += self._write_tail()
        checksum = self.rule(Checksum) or self.rule(CRC32c)
        for field in self.fixed:
            if field.rule is None or field is checksum:
                continue
            local = values[field.name] = field.local
            lines += [f"    {local} = self.{field.name}", f"    if {local} is AUTO:"]
            lines.append(f"        {local} = {field.rule.compute(field)}")
            if isinstance(field.rule, HeaderLength | Length):
                limit = (1 << field.bits) - 1
                below = f" or {local} < 0" if getattr(field.rule, "minus", 0) else ""
                lines += [f"        if {local} > {limit}{below}:"]
                lines += [f"            check_range(cls, {field.name!r}, {local}, {limit})"]
        rest = "body" if self.tail is None and not self.groups else "rest"
        if checksum is not None:
            lines += self._sum_up(checksum, values, rest)
        lines.append("    if fill:")
        changes = any(field.rule for field in self.cls._fields) or self.tail is not None
        lines.append(f"        return cls({self._filled(values)})" if changes else "        return self")
        if checksum is None:
            words = [word.write(values) for word in self.words]
        else:
            words = [checksum.local if word.fields == [checksum] else word.name for word in self.words]
        packed = f"pack({', '.join(words)}) + " if self.words else ""
        return [*lines, f"    return {packed}{rest}"]

    def _write_tail(self) -> Iterator[str]:
        length = self.rule(HeaderLength)
        if self.tail is None:
            packed = "".join(f" + {group.write()}" for group in self.groups)
            if packed:
                yield f"    tail = {packed[3:]}"
            yield f"    size = {self.size}{' + len(tail)' if packed else ''}"
            if packed:
                yield "    rest = tail + body"
            return
        name, unit = self.tail.name, length.rule.unit if length is not None else 1  # type: ignore[union-attr]
        may_be_short = self.size % unit == 0  # an empty tail then needs no padding
        yield f"    if {may_be_short} and not self.{name}:"
        yield f"        tail, size, rest = b'', {self.size}, body"
        yield "    else:"
        yield f"        tail = write_tail(self.{name})"
        if length is not None and unit > 1:
            yield f"        if self.{length.name} is AUTO and ({self.size} + len(tail)) % {unit}:"
            yield f"            tail += fill_bytes(-({self.size} + len(tail)) % {unit})"
        yield f"        size = {self.size} + len(tail)"
        yield "        rest = tail + body"
        if self.padding is not None:
            yield f"    {self.padding.local} = self.{self.padding.name}"
            yield f"    if {self.padding.local} is AUTO:"
            yield f"        {self.padding.local} = {self.padding.rule.compute(self.padding)}"  # type: ignore[union-attr]
            yield f"    rest = tail + {self.padding.local} + body"

    def _sum_up(self, field: FieldInfo, values: dict[str, str], rest: str) -> Iterator[str]:
        """Take the words into locals; where the checksum is AUTO, make it of their sum, or of the bytes."""
        values[field.name] = field.local
        parts, stop = [], 0
        for word in self.words:
            stop += word.bits // 8
            if word.fields != [field]:
                yield f"    {word.name} = {word.write(values)}"
                parts.append(word.as_number(stop))
        if field.tail is None:
            yield f"    {field.local} = self.{field.name}"
        yield f"    if {field.local} is AUTO:"
        if not isinstance(field.rule, Checksum):
            words = ", ".join(["0" if word.fields == [field] else word.name for word in self.words])
            yield f"        packed = pack({words}) + {rest}"
            yield f"        {field.local} = {field.rule.compute(field)}"  # type: ignore[union-attr]
            return
        covered = rest if field.rule.covers_body else "tail"
        whole = f"from_bytes({covered})"
        parts.append(f"({covered} and ({whole} << 8 if len({covered}) & 1 else {whole}) or 0)")
        if field.rule.pseudo_header is not None:
            parts.append(field.rule.pseudo_total(self.cls, f"{self.size} + len({covered})"))
        yield f"        total = {' + '.join(parts)}"
        yield f"        {field.local} = {field.rule.compute(field)}"
        if field.tail is not None:
            yield f"        rest = {' + '.join(group.write() for group in self.groups)} + body"

    def _filled(self, values: dict[str, str]) -> str:
        filled = [f"{field.name}={values[field.name]}" for field in self.fixed]
        filled += [f"{field.name}={field.local}" for group in self.groups for field in group.fields]
        if self.tail is not None:
            filled.append(f"{self.tail.name}=fill_tail(self.{self.tail.name}, tail)")
        if self.padding is not None:
            filled.append(f"{self.padding.name}={self.padding.local}")
        return ", ".join(filled)


def compile_record(cls: type[Record]) -> str:
    """Give `cls` its `__new__`, `_parse` and `_build`; return the source that was compiled."""
    writer = Writer(cls)
    parts = (writer.constructor(), writer.parser(), writer.builder(), writer.pseudo_sum())
    source = "\n".join(line for part in parts for line in [*part, ""])
    filename = f"<rawkit {cls.__module__}.{cls.__qualname__}>"
    names = writer.names
    compile_source(source, filename, names)
    constructor = names["construct"]
    constructor.__qualname__ = f"{cls.__qualname__}.__new__"
    cls.__new__ = constructor  # type: ignore[method-assign]
    cls._parse = staticmethod(names["parse"])
    cls._build = names["build"]
    cls._fixed_size = writer.size
    if cls._pseudo_header:
        cls.pseudo_sum = names["pseudo_sum"]  # type: ignore[attr-defined]
    return source


def compile_sound(cls: type[Record]) -> Callable[..., object]:
    """`sound(self, data, start, stop, limit, layers, index)`, which is false where a header may have a problem.

    It is true only in a whole packet in which nothing is fragmented or quoted; see `Rule.check` for what is wrong.
    """
    writer = Writer(cls)
    source = f"def sound(self, data, start, stop, limit, layers, index):\n    return {writer.soundness()}\n"
    compile_source(source, f"<rawkit soundness of {cls.__module__}.{cls.__qualname__}>", writer.names)
    return writer.names["sound"]  # type: ignore[no-any-return]


@cache
def compile_decoder(cls: type[Record]) -> Decoder:
    """What reads a record that is known to be whole."""
    writer = Writer(cls)
    source = "\n".join(writer.decoder())
    compile_source(source, f"<rawkit decoder of {cls.__module__}.{cls.__qualname__}>", writer.names)
    return writer.names["decode"]  # type: ignore[no-any-return]


def compile_source(source: str, filename: str, names: dict[str, Any]) -> None:
    """Define what the source defines in `names`, which it may refer to; tracebacks show its lines."""
    exec(compile(source, filename, "exec"), names)  # noqa: S102 - the source is made here, from declarations
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)


# ---------------------------------------------------------------------- what the emitted code calls when it fails


def converter(cls: type[Record], field: FieldInfo) -> Any:
    """What makes a constructor's argument exact, or raises FieldError."""
    convert, expected = field.kind.convert, field.kind.expected
    may_be_auto = field.rule is not None

    def make_exact(value: Any) -> Any:
        if value is AUTO and may_be_auto:
            return value
        try:
            return convert(value)
        except (ValueError, TypeError):
            wanted = f"{expected}, or AUTO" if may_be_auto else expected
            raise FieldError(cls.__name__, field.name, value, wanted) from None

    return make_exact


def tail_reader(cls: type[Record], field: FieldInfo) -> Any:
    """What reads the field; an error of an array, which does not know where it stands, names the field."""
    unpack = field.tail.unpack  # type: ignore[union-attr]
    if not isinstance(field.kind, Array):
        return unpack

    def read(data: bytes, start: int, stop: int) -> Any:
        try:
            return unpack(data, start, stop)
        except PacketError as error:
            raise PacketError(cls.__name__, field.name, start, error.needed, error.got) from None

    return read


def check_range(cls: type[Record], field: str, value: int, limit: int) -> None:
    """Raise FieldError for a computed length that its field cannot hold."""
    raise FieldError(cls.__name__, field, value, f"a length that fits, 0 to {limit}")


def too_short(cls: type[Record], start: int, end: int) -> TruncatedError:
    """The error for bytes that end within the fixed fields; it names the first field that is not whole."""
    there = (end - start) * 8
    cut = next(field for field in cls._fields if field.tail is None and field.offset + field.bits > there)
    return TruncatedError(cls, cut.name, start, cls._fixed_size, end - start)


def misfit(cls: type[Record], field: str, start: int, needed: int, got: int) -> PacketError:
    """The error for a field whose value contradicts the bytes, or is not this header's."""
    info = cls.field(field)
    if info.decisive:
        return PacketError(cls.__name__, field, start, needed, got, f"{got} is not read here, only {needed}")
    if needed < cls._fixed_size:
        message = f"says {needed} bytes, less than the {cls._fixed_size} that its fixed fields take"
        return PacketError(cls.__name__, field, start, cls._fixed_size, needed, message)
    return PacketError(cls.__name__, field, start, needed, got)
