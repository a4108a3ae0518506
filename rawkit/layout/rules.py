"""Rules: how a field that was left AUTO is filled in, and how one that was read is checked.

A rule gives the compiler a line of code for each direction, so nothing here runs for every packet but `check`,
and that only when someone asks for a packet's problems. In the emitted code these names are known:
`self`, `tail` (packed), `size` (of the whole header), `body` (all that follows, packed), `following` (the next
layer or None), `layers`, `index`, and `total` (the sum of the words that a checksum covers); when reading,
`start`, `stop`, `end`. A field's value is in a local of its name and an underscore, which no other name ends in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from rawkit.errors import BuildError, FieldError
from rawkit.layout.numbers import Numbers
from rawkit.layout.problem import Severity, View

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo, Record

__all__ = [
    "Auto",
    "Count",
    "Expected",
    "FillUp",
    "HeaderLength",
    "Length",
    "LengthOrNext",
    "NextPort",
    "NextProtocol",
    "Presence",
    "Rule",
    "TrailedLength",
    "Unspecified",
    "auto",
    "default",
    "expected",
    "field_ruled_by",
]


class Rule:
    """The base of all rules."""

    recomputed = True
    """Whether `packet.recomputed()` gives the field back to this rule."""

    mended = True
    """Whether the value follows from which headers there are, or can be mended (`patch.py`) when fields change."""

    def compute(self, field: FieldInfo) -> str:
        """An expression for the value, when building."""
        raise NotImplementedError

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:
        """What the emitted expressions refer to."""
        return {}

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        """What is wrong with the field as it was read, in words; empty if nothing is."""
        return ""

    def severity(self, record: Record, field: FieldInfo) -> Severity:
        """How bad it is if `check` finds something."""
        return Severity.ERROR

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        """An expression that is true only where `check` finds nothing; empty if it never finds anything.

        It holds for a whole packet, in which nothing is fragmented or quoted. Besides `self` it may refer to
        `data`, `start`, `stop`, `limit`, `layers` and `index`.
        """
        return "" if type(self).check is Rule.check else "False"


@cache
def field_ruled_by(record: type[Record], kind: type[Rule]) -> FieldInfo | None:
    """The field of a record that has a rule of this kind; the first, if there are several."""
    return next((field for field in record.fields() if isinstance(field.rule, kind)), None)


class HeaderLength(Rule):
    """The length of the header itself, options included: `value = bytes / unit - minus`.

    With `padded` the header goes on, behind the bytes that are counted, up to a multiple of so many.
    """

    def __init__(self, unit: int = 1, minus: int = 0, padded: int = 1) -> None:
        self.unit, self.minus, self.padded = unit, minus, padded

    def compute(self, field: FieldInfo) -> str:
        words = f"-(-size // {self.unit})" if self.unit > 1 else "size"
        return f"{words} - {self.minus}" if self.minus else words

    def bytes_of(self, value: str) -> str:
        """An expression for the header's length in bytes."""
        words = f"({value} + {self.minus})" if self.minus else value
        length = f"{words} * {self.unit}" if self.unit > 1 else words
        return f"-(-({length}) // {self.padded}) * {self.padded}" if self.padded > 1 else length

    def says(self, record: Record, field: FieldInfo) -> int:
        """The length in bytes that the field gives."""
        return self.length(getattr(record, field.name))

    def length(self, value: int) -> int:
        """The length in bytes that a value gives."""
        return -(-int(value + self.minus) * self.unit // self.padded) * self.padded

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        return f"start + {self.bytes_of(f'self.{field.name}')} == stop"

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        says, there = self.says(record, field), view.stop - view.start
        if says < there:
            return f"says {says} bytes, but the header has at least {there}"
        if says > there and not view.quoted and view.start + says > view.room:
            return f"says {says} bytes, but {there} are there"
        return ""


class Count(Rule):
    """How many elements the tail `of` has, less `minus`. A one-bit field counts what is there or not.

    The tail ends behind as many elements; where no HeaderLength says otherwise, the header ends with its last one.
    """

    def __init__(self, of: str, minus: int = 0) -> None:
        self.of, self.minus = of, minus

    def compute(self, field: FieldInfo) -> str:
        return f"len(self.{self.of}) - {self.minus}" if self.minus else f"len(self.{self.of})"

    def number(self, value: str) -> str:
        """An expression for how many elements the field announces."""
        return f"{value} + {self.minus}" if self.minus else value

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        return f"len(self.{self.of}) == {self.number(f'self.{field.name}')}"

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        says, there = getattr(record, field.name) + self.minus, len(getattr(record, self.of))
        return f"says {says} {self.of}, but {there} are there" if view.whole and says != there else ""


class Length(Rule):
    """The length of the body in bytes, with `header=True` that of header and body."""

    knows_zero = False
    """Whether `limit_at_zero` is asked where the field is zero."""

    def __init__(self, header: bool = False, unit: int = 1) -> None:
        self.header, self.unit = header, unit

    def compute(self, field: FieldInfo) -> str:
        return "size + len(body)" if self.header else "len(body)"

    def limit(self, value: str, start: str, stop: str) -> str:
        """An expression for where the body ends, given one for each of the field and the header's two ends."""
        return f"{start if self.header else stop} + {value}{f' * {self.unit}' if self.unit > 1 else ''}"

    def limit_at_zero(self, record: Record, data: bytes, stop: int, end: int) -> int:
        """Where the body from `stop` on, in bytes that reach to `end`, ends if the field is zero."""
        raise NotImplementedError

    def end_of_body(self, start: int, stop: int, says: int) -> int:
        """Where the body of a header at `start` to `stop` ends, whether or not there are so many bytes."""
        return (start if self.header else stop) + says * self.unit

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        return f"{self.limit(f'self.{field.name}', 'start', 'stop')} == limit"

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        says = getattr(record, field.name)
        if self.knows_zero and not says:
            return ""
        limit = self.end_of_body(view.start, view.stop, says)
        if limit < view.stop:
            return f"says {says} bytes, less than the header's own {view.stop - view.start}"
        if limit > view.room and not view.quoted:
            there = view.end - (view.start if self.header else view.stop)
            return f"says {says * self.unit} bytes, but {there} are there"
        return ""


class TrailedLength(Length):
    """The length of the body in units, zero where nothing trails it; `find(data, stop, end)` then tells.

    Its header is declared with `trailed_by`.
    """

    knows_zero = True
    recomputed = False  # it measures a quote, which stays as it came

    def __init__(self, unit: int, find: Callable[[bytes, int, int], int]) -> None:
        super().__init__(unit=unit)
        self.find = find

    def compute(self, field: FieldInfo) -> str:
        return f"-(-len(body) // {self.unit}) if trailer else 0"

    def limit_at_zero(self, record: Record, data: bytes, stop: int, end: int) -> int:
        return self.find(data, stop, end)


class NextProtocol(Rule):
    """The number that announces the next header, from the number space `numbers`.

    Where the field `unless` is not zero (a fragment's offset), what follows is no header; where the field
    `partial` is not zero (more fragments), the body is only the beginning of one. `instead` names a field and the
    number space that is read by where that field is zero.
    """

    def __init__(
        self, numbers: Numbers, unless: str = "", partial: str = "", instead: tuple[str, Numbers] | None = None
    ) -> None:
        self.numbers, self.unless, self.partial, self.instead = numbers, unless, partial, instead

    def reads(self, field: FieldInfo) -> set[str]:
        """The fields that `following` looks at."""
        return {field.name, self.unless, self.instead[0] if self.instead else ""}

    def compute(self, field: FieldInfo) -> str:
        return f"{field.name}_known(following.__class__) or {field.name}_number(following, body)"

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:
        space, header, name = self.numbers, owner.__name__, field.name

        def number(following: Record | None, body: bytes) -> int:
            if following is not None:
                kind = getattr(following, "header", following.__class__)  # a cut header tells what it began to be
                found = space.number_of(kind)
                if found is not None:
                    return found
                if space.otherwise is None:
                    raise BuildError(header, name, f"{kind.__name__} has no {space.name}")
            if space.nothing is not None and not body:
                return space.nothing
            if space.otherwise is not None:
                return space.otherwise
            raise BuildError(header, name, "no header follows" if not body else "what follows is plain bytes")

        return {
            f"{name}_number": number,
            f"{name}_known": space.known_number_of,
            f"{name}_header": space.header_of,
            f"{name}_instead": self.instead[1].header_of if self.instead else None,
        }

    def following(self, field: FieldInfo) -> str:
        """An expression for the class of the next header, when reading."""
        found = f"{field.name}_header({field.local})"
        if self.instead:
            found = f"{found} if {self.instead[0]}_ else {field.name}_instead({field.local})"
        return f"None if {self.unless}_ else {found}" if self.unless else found

    def announces(self, record: Record, field: FieldInfo, header: type[object]) -> bool:
        """Whether the record's number already is one for that header."""
        space = self.numbers
        if self.instead and not getattr(record, self.instead[0]):
            space = self.instead[1]
        found = space.header_of(getattr(record, field.name))
        return found is not None and space.announced_class(header) is space.announced_class(found)

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        fragmented = "".join(f" and not self.{name}" for name in (self.unless, self.partial) if name)
        return f"({field.name}_header(self.{field.name}) is not None or stop >= limit){fragmented}"

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        unread = self.unread(record, field) if view.stop < view.limit else ""
        is_named = getattr(record, field.name) in self.numbers.names
        return f"{unread} is not read here" if unread and is_named else unread

    def severity(self, record: Record, field: FieldInfo) -> Severity:
        return Severity.NOTE

    def unread(self, record: Record, field: FieldInfo) -> str:
        """What the number announces if no header is read for it, in words; else nothing."""
        number = getattr(record, field.name)
        if number in self.numbers or (self.unless and getattr(record, self.unless)):
            return ""
        name, shown = self.numbers.names.get(number), field.show(number)
        return f"{name} ({shown})" if name else f"unknown {self.numbers.name} {shown}"


class LengthOrNext(NextProtocol, Length):
    """The length of the body up to `longest`, and above that the number of the next header (IEEE 802.3, 3.2.6).

    A header that a length announces has all of these lengths as its numbers. Zero is no length.
    """

    def __init__(self, numbers: Numbers, longest: int) -> None:
        NextProtocol.__init__(self, numbers)
        Length.__init__(self)
        self.longest = longest

    def compute(self, field: FieldInfo) -> str:
        return f"{field.name}_or_length(following, body)"

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:
        names = super().names(owner, field)
        number: Any = names[f"{field.name}_number"]
        longest, expected = self.longest, f"a length that fits, 1 to {self.longest}"

        def number_or_length(following: Record | None, body: bytes) -> int:
            found: int = number(following, body)
            if not 0 < found <= longest:
                return found
            if len(body) > longest:
                raise FieldError(owner.__name__, field.name, len(body), expected)
            return len(body)

        return names | {f"{field.name}_or_length": number_or_length}

    def announces(self, record: Record, field: FieldInfo, header: type[object]) -> bool:
        is_number = not 0 < getattr(record, field.name) <= self.longest
        return is_number and super().announces(record, field, header)

    def limit(self, value: str, start: str, stop: str) -> str:
        return f"{stop} + {value} if 0 < {value} <= {self.longest} else end"

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        value, number = f"self.{field.name}", super().sound(owner, field)
        return f"(stop + {value} == limit if 0 < {value} <= {self.longest} else {number})"

    def end_of_body(self, start: int, stop: int, says: int) -> int:
        """Where a length ends the body; before its start where the number is none."""
        return stop + says if 0 < says <= self.longest else -1

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        if 0 < getattr(record, field.name) <= self.longest:
            return Length.check(self, view, record, field)
        return NextProtocol.check(self, view, record, field)

    def severity(self, record: Record, field: FieldInfo) -> Severity:
        is_length = 0 < getattr(record, field.name) <= self.longest
        return Severity.ERROR if is_length else Severity.NOTE


class NextPort(NextProtocol):
    """A port, by which the next header is known, as is the one at the other end, the field `other`.

    The lower of the two is asked first, as Wireshark does. A port that none is known by is no Problem.
    """

    recomputed = False

    def __init__(self, numbers: Numbers, other: str) -> None:
        super().__init__(numbers)
        self.other = other

    def reads(self, field: FieldInfo) -> set[str]:
        return {field.name, self.other}

    def following(self, field: FieldInfo) -> str:
        ask, this, other = f"{field.name}_header", field.local, f"{self.other}_"
        return f"{ask}({this}) or {ask}({other}) if {this} <= {other} else {ask}({other}) or {ask}({this})"

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        return ""

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        return ""

    def unread(self, record: Record, field: FieldInfo) -> str:
        return ""


class Presence(Rule):
    """A flag that tells whether the optional fields of these names are there.

    They stand together: where any of them is given, those left out are computed, or zero if they have no rule.
    """

    def __init__(self, *fields: str) -> None:
        self.fields = fields

    def compute(self, field: FieldInfo) -> str:
        return f"{self.fields[0]}_ is not None"


class FillUp(Rule):
    """Bytes, zeros if AUTO, that fill the record up to a whole number of `unit` bytes.

    They stand behind all that its HeaderLength counts, and may be missing at the end of what is read.
    """

    def __init__(self, unit: int) -> None:
        self.unit = unit

    def compute(self, field: FieldInfo) -> str:
        return f"bytes(-size % {self.unit})"


class Unspecified(Rule):
    """A field that the sending host knows (its own address); `value` where nobody fills it in."""

    recomputed = False

    def __init__(self, value: object) -> None:
        self.value = value

    def compute(self, field: FieldInfo) -> str:
        return f"{field.name}_unspecified"

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:
        return {f"{field.name}_unspecified": field.kind.convert(self.value)}


class Auto:
    """A default that a rule computes."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule


class Expected:
    """A default from which no header read should differ; with `decisive`, one that does is another header."""

    def __init__(self, value: int, decisive: bool) -> None:
        self.value, self.decisive = value, decisive


def auto(rule: Rule) -> Any:
    """The field is AUTO unless given; `rule` fills it when the packet is built."""
    return Auto(rule)


def default(value: object) -> Any:
    """The field's default in another form than its type, such as text; it is made exact like every default."""
    return value


def expected(value: int, decisive: bool = False) -> Any:
    """The field's default; reading another value is a Problem, and with `decisive` a PacketError."""
    return Expected(value, decisive)
