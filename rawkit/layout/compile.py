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
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rawkit.errors import FieldError, PacketError, TruncatedError
from rawkit.layout.auto import AUTO
from rawkit.layout.rules import Checksum, Count, HeaderLength, Length, NextProtocol, field_ruled_by
from rawkit.layout.tails import Array

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo, Record

__all__ = ["compile_record"]

STRUCT_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


class Word:
    """A run of fields that `struct` reads as one value: one bytes field, or integers packed side by side."""

    def __init__(self, fields: list[FieldInfo], number: int) -> None:
        self.fields = fields
        self.name = f"w{number}"
        self.bits = sum(field.bits for field in fields)
        self.code = fields[0].kind.code or STRUCT_CODES.get(self.bits, f"{self.bits // 8}s")
        self.odd = not fields[0].kind.code and self.bits not in STRUCT_CODES

    def reads(self) -> Iterator[tuple[FieldInfo, str]]:
        """Each field with the expression for its value."""
        if self.fields[0].kind.code:
            yield self.fields[0], self.fields[0].kind.read(self.name)
            return
        whole = f"from_bytes({self.name})" if self.odd else self.name
        shift = self.bits
        for field in self.fields:
            shift -= field.bits
            if field.kind.type is bool:
                yield field, f"({whole} & {1 << shift}) != 0"
                continue
            raw = whole if shift == 0 else f"{whole} >> {shift}"
            if shift + field.bits < self.bits:
                raw = f"{raw} & {(1 << field.bits) - 1}" if shift == 0 else f"({raw}) & {(1 << field.bits) - 1}"
            yield field, field.kind.read(raw)

    def as_number(self, stop: int) -> str:
        """What the word, in the local of its name, adds to a sum of 16-bit words when it ends at byte `stop`.

        The sum is taken modulo 65535, so a longer word counts as the integer that it is.
        """
        number = f"from_bytes({self.name})" if self.code.endswith("s") else self.name
        return f"({number} << 8)" if stop % 2 else number

    def write(self, values: dict[str, str]) -> str:
        """The expression that `struct` packs, given one for each field."""
        if self.fields[0].kind.code:
            return self.fields[0].kind.write(values[self.fields[0].name])
        shift, parts = self.bits, []
        for field in self.fields:
            shift -= field.bits
            value = field.kind.write(values[field.name])
            if field.kind.type is bool:
                parts.append(f"({1 << shift} if {value} else 0)")
            else:
                parts.append(f"({value} << {shift})" if shift else value)
        whole = " | ".join(parts)
        return f"({whole}).to_bytes({self.bits // 8})" if self.odd else whole


def words_of(fields: Iterable[FieldInfo]) -> list[Word]:
    """The fixed fields, gathered into runs that end on a byte and have a struct code if possible."""
    words: list[Word] = []
    run: list[FieldInfo] = []
    for field in fields:
        if field.kind.code:
            if run:
                if sum(member.bits for member in run) % 8:
                    raise TypeError(f"{field.name}: it does not begin at a byte")
                words.append(Word(run, len(words)))
                run = []
            words.append(Word([field], len(words)))
            continue
        run.append(field)
        if sum(member.bits for member in run) in STRUCT_CODES:
            words.append(Word(run, len(words)))
            run = []
    if run:
        words.append(Word(run, len(words)))
    return words


class Writer:
    """Lines of code, and the names that they refer to."""

    def __init__(self, cls: type[Record], draft: type) -> None:
        self.cls = cls
        self.fixed = [field for field in cls._fields if field.tail is None]
        self.tails = [field for field in cls._fields if field.tail is not None]
        self.tail = self.tails[-1] if self.tails else None
        self.counts = {field.rule.of: field for field in self.fixed if isinstance(field.rule, Count)}
        self.words = words_of(self.fixed)
        self.struct = struct.Struct("!" + "".join(word.code for word in self.words))
        self.size = self.struct.size
        self.names: dict[str, Any] = {
            "AUTO": AUTO,
            "PacketError": PacketError,
            "cls": cls,
            "_draft": draft,
            "_new": object.__new__,
            "unpack_from": self.struct.unpack_from,
            "pack": self.struct.pack,
            "from_bytes": int.from_bytes,
            "misfit": misfit,
            "too_short": too_short,
            "check_range": check_range,
        }
        for field in cls._fields:
            self.names[f"{field.name}_default"] = field.default
            self.names[f"{field.name}_convert"] = converter(cls, field)
            if field.tail is None:
                self.names.update(field.kind.names())
            else:
                self.names[f"read_{field.name}"] = tail_reader(cls, field)
                self.names[f"take_{field.name}"] = field.tail.take
                self.names[f"write_{field.name}"] = field.tail.pack
                self.names[f"fill_{field.name}"] = field.tail.filled
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
        """`pseudo_sum(self, final, source)`: the sum of the words of the pseudo-header's addresses."""
        if not self.cls._pseudo_header:
            return []
        src, dst = (self.cls.field(name).kind for name in self.cls._pseudo_header)
        if self.tail is not None and hasattr(self.cls, "final_destination"):
            final = f"final or (self.{self.tail.name} and self.final_destination())"
        else:
            final = "final"
        return [
            "def pseudo_sum(self, final=None, source=None):",
            f"    src = source or self.{self.cls._pseudo_header[0]}",
            f"    dst = {final} or self.{self.cls._pseudo_header[1]}",
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
                f"    {', '.join(word.name for word in self.words)}, = unpack_from(data, start)",
            ]
        lines.append("    self = _new(_draft)")
        used = self._names_used_when_reading()
        for word in self.words:
            for field, expression in word.reads():
                local = f"{field.local} = " if field.name in used else ""
                lines.append(f"    self.{field.name} = {local}{expression}")
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

    def _names_used_when_reading(self) -> set[str]:
        used = {field.name for field in self.cls._fields if isinstance(field.rule, HeaderLength | Length | Count)}
        for field in self.cls._fields:
            if isinstance(field.rule, NextProtocol):
                used |= {field.name, field.rule.unless}
            if field.decisive:
                used.add(field.name)
        return used

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
        yield from self._read_tails()

    def _read_tails(self) -> Iterator[str]:
        """One tail after the other: as many elements as are counted, and of one that is not, all up to `stop`."""
        at = f"start + {self.size}"
        for tail in self.tails:
            name, count, number = tail.name, self.counts.get(tail.name), tail.tail.count  # type: ignore[union-attr]
            if count is not None:
                number = count.rule.number(count.local)  # type: ignore[union-attr]
            elif number is None:
                empty = tail.kind.empty  # type: ignore[attr-defined]
                yield f"    self.{name} = read_{name}(data, {at}, stop) if stop > {at} else {empty!r}"
                return
            yield f"    self.{name}, at = take_{name}(data, {at}, stop, {number})"
            yield f"    if strict and len(self.{name}) != {number}:"
            yield f"        raise misfit(cls, {(count or tail).name!r}, start, {number}, len(self.{name}))"
            at = "at"
        if self.tails:
            yield "    stop = at"

    def _read_limit(self) -> Iterator[str]:
        """Where the body ends: as a Length says, if the bytes allow it."""
        length = self.rule(Length)
        if not self.cls._has_body:
            yield "    limit = stop"
        elif length is None:
            yield "    limit = end"
        else:
            yield f"    limit = {length.rule.limit(length.local)}"  # type: ignore[union-attr]
            yield "    if limit > end or limit < stop:"
            yield "        limit = end"
            if length.rule.knows_zero:  # type: ignore[union-attr]
                self.names["limit_at_zero"] = length.rule.limit_at_zero  # type: ignore[union-attr]
                yield f"    if not {length.local}:"
                yield "        limit = limit_at_zero(self, data, stop, end)"

    # ------------------------------------------------------------------ the builder

    def builder(self) -> list[str]:
        """`build(self, body, following, layers, index, fill)` gives the bytes of header and body.

        With `fill` it gives the record instead, nothing left AUTO. Of a header which knows what trails its body,
        the body takes in the last argument, `trailer`, as soon as its length has been taken.
        """
        trailed = self.cls._trailed_by is not None
        lines = [
            f"def build(self, body, following, layers, index, fill{', trailer=b' + repr('') if trailed else ''}):"
        ]
        values = {field.name: f"self.{field.name}" for field in self.fixed}
        lines += self._write_tail()
        checksum = self.rule(Checksum)
        for field in self.fixed:
            if field.rule is None or field is checksum:
                continue
            local = values[field.name] = field.local
            lines += [f"    {local} = self.{field.name}", f"    if {local} is AUTO:"]
            lines.append(f"        {local} = {field.rule.compute(field)}")
            if isinstance(field.rule, HeaderLength | Length | Count):
                limit = (1 << field.bits) - 1
                below = f" or {local} < 0" if getattr(field.rule, "minus", 0) else ""
                lines += [f"        if {local} > {limit}{below}:"]
                lines += [f"            check_range(cls, {field.name!r}, {local}, {limit})"]
        rest = "body" if self.tail is None else "rest"
        if trailed:
            lines.append(f"    {rest} += trailer")
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
            yield f"    size = {self.size}"
            return
        name, unit = self.tail.name, length.rule.unit if length is not None else 1  # type: ignore[union-attr]
        may_be_short = self.size % unit == 0 and len(self.tails) == 1  # an empty tail then needs no padding
        yield f"    if {may_be_short} and not self.{name}:"
        yield f"        tail, size, rest = b'', {self.size}, body"
        yield "    else:"
        for tail in self.tails[:-1]:
            yield f"        packed_{tail.name} = write_{tail.name}(self.{tail.name})"
        before = [f"packed_{tail.name}" for tail in self.tails[:-1]]
        yield f"        tail = {' + '.join([*before, f'write_{name}(self.{name})'])}"
        if length is not None and unit > 1:
            yield f"        if self.{length.name} is AUTO and ({self.size} + len(tail)) % {unit}:"
            yield f"            tail += fill_bytes(-({self.size} + len(tail)) % {unit})"
        yield f"        size = {self.size} + len(tail)"
        yield "        rest = tail + body"

    def _sum_up(self, field: FieldInfo, values: dict[str, str], rest: str) -> Iterator[str]:
        """Take the words into locals; where the checksum is AUTO, make it of their sum."""
        assert isinstance(field.rule, Checksum)
        values[field.name] = field.local
        parts, stop = [], 0
        for word in self.words:
            stop += word.bits // 8
            if word.fields != [field]:
                yield f"    {word.name} = {word.write(values)}"
                parts.append(word.as_number(stop))
        yield f"    {field.local} = self.{field.name}"
        yield f"    if {field.local} is AUTO:"
        covered = rest if field.rule.covers_body else "tail"
        parts.append(f"(from_bytes({covered}) << 8 if len({covered}) & 1 else from_bytes({covered}))")
        if field.rule.pseudo_header is not None:
            parts.append(field.rule.pseudo_total(self.cls, f"{self.size} + len({covered})"))
        yield f"        total = {' + '.join(parts)}"
        yield f"        {field.local} = {field.rule.compute(field)}"

    def _filled(self, values: dict[str, str]) -> str:
        filled = [f"{field.name}={values[field.name]}" for field in self.fixed]
        start = ""
        for tail in self.tails[:-1]:
            filled.append(f"{tail.name}=fill_{tail.name}(self.{tail.name}, packed_{tail.name})")
            start = f"{start}{' + ' if start else ''}len(packed_{tail.name})"
        if self.tail is not None:
            packed = f"tail[{start}:]" if start else "tail"
            filled.append(f"{self.tail.name}=fill_{self.tail.name}(self.{self.tail.name}, {packed})")
        return ", ".join(filled)


def compile_record(cls: type[Record], draft: type) -> str:
    """Give `cls` its `__new__`, `_parse` and `_build`; return the source that was compiled."""
    writer = Writer(cls, draft)
    parts = (writer.constructor(), writer.parser(), writer.builder(), writer.pseudo_sum())
    source = "\n".join(line for part in parts for line in [*part, ""])
    filename = f"<rawkit {cls.__module__}.{cls.__qualname__}>"
    names = writer.names
    exec(compile(source, filename, "exec"), names)  # noqa: S102 - the source is made above from the declaration
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    constructor = names["construct"]
    constructor.__qualname__ = f"{cls.__qualname__}.__new__"
    cls.__new__ = constructor  # type: ignore[method-assign]
    cls._parse = staticmethod(names["parse"])
    cls._build = names["build"]
    cls._fixed_size = writer.size
    if cls._pseudo_header:
        cls.pseudo_sum = names["pseudo_sum"]  # type: ignore[attr-defined]
    return source


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
    if isinstance(info.rule, Count) or info.tail is not None:
        message = f"{needed} {getattr(info.rule, 'of', field)} should be there, but {got} are"
        return PacketError(cls.__name__, field, start, needed, got, message)
    if needed < cls._fixed_size:
        message = f"says {needed} bytes, less than the {cls._fixed_size} that its fixed fields take"
        return PacketError(cls.__name__, field, start, cls._fixed_size, needed, message)
    return PacketError(cls.__name__, field, start, needed, got)
