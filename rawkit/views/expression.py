"""A packet as the Python expression that makes it, and back.

`read_expression` never evaluates what it reads: Python's own parser makes a tree of it, and only the nodes
that this module knows have a meaning. They are header and option names with keyword arguments, the headers'
documented constructors (`ICMPv4.echo(id=7)`), flags (`TCPFlags.SYN | TCPFlags.ACK`), literals, tuples, lists,
`AUTO`, and `/` between the parts of a packet.

`read_sweep` also takes several values for a field: a list, `range(1, 1025)` with one to three integers, or for IP
addresses a prefix such as '10.0.0.0/24', which is its hosts; and a list of bytes at the end for the payload. Where
one value of a field is a list already (options, the addresses of a route), a list stays that one value.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum, IntFlag
from typing import Any, Final, NamedTuple, NoReturn

from rawkit.errors import ExpressionError, FieldError, RawkitError
from rawkit.layout import AUTO, Record
from rawkit.views.vocabulary import ENUMS, RECORDS, constructors, near, near_header
from rawkit.wire import CutHeader, Header, Packet, Sweep, Trailer
from rawkit.wire.sweep import axis_values, is_prefix
from rawkit.wire.template import PAYLOAD

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "MAX_PARTS", "read_expression", "read_sweep", "to_expression"]

MAX_CHARACTERS: Final = 1 << 20
"""Longest expression that is read; the largest packet, written with `\\x` escapes, takes a quarter of it."""

MAX_PARTS: Final = 256
"""Most parts that one chain of `/` may have."""

MAX_DEPTH: Final = 32
"""How deep calls, tuples and parentheses may nest."""

PART: Final = "a header, a packet, bytes such as b'hi', X.cut(b'...') or Trailer(...)"


def to_expression(packet: Packet) -> str:
    """The Python expression that makes this very packet: `read_expression` gives an equal one.

    Fields that have their default are left out, so a header made by hand looks as it was written, and a
    dissected one shows each length and checksum that was on the wire.
    """
    return repr(packet)


def read_expression(text: str) -> Packet:
    """The packet that an expression such as `IPv4(dst='10.0.0.2') / ICMPv4.echo(id=7)` stands for.

    Raises ExpressionError, with the position in the text and what to write instead, for everything else, and for
    a sweep, which stands for several.
    """
    return _Reader(text, sweeps=False).read()


def read_sweep(text: str) -> Sweep:
    """The packets that an expression such as `IPv4(dst='10.0.0.2', ttl=[1, 2]) / UDP(dst_port=9)` stands for.

    The order is that of nested loops, the rightmost field changing fastest. Where nothing is swept, it is one
    packet. Raises ExpressionError as `read_expression` does, also for a value anywhere in a sweep that does not
    fit, before there is any packet.
    """
    reader = _Reader(text, sweeps=True)
    packet = reader.read()
    return Sweep(packet, *reader.axes(packet))


class _Swept(NamedTuple):
    """Several values in an expression: where they are written, and what they are for."""

    node: ast.expr
    owner: Header | None
    """The header as it was made with one of them; None for the payload."""
    field: str
    values: Sequence[Any]


class _Choices(NamedTuple):
    """What is given where several values are: a list, a range or a prefix."""

    several: Any


class _Reader:
    """One expression, and the way from its tree to a packet, which has one of the values of each sweep."""

    def __init__(self, text: str, sweeps: bool) -> None:
        self.text = text
        self.sweeps = sweeps
        self.swept: list[_Swept] = []
        self.top: ast.expr | None = None
        self.indent = len(text) - len(text.lstrip())
        self.lines = [match.end() for match in re.finditer(r"\r\n|\r|\n", text[self.indent :])]
        self.depth = 0

    def read(self) -> Packet:
        if len(self.text) > MAX_CHARACTERS:
            raise ExpressionError(self.text, MAX_CHARACTERS, f"longer than {MAX_CHARACTERS} characters")
        node = self.top = self._parse()
        value = self._value(node)
        if isinstance(value, bytes):
            return Packet((), value)
        if isinstance(value, Packet):
            return value
        if isinstance(value, Header | CutHeader):
            return Packet((value,))
        self._fail(node, f"{_kind(value)} is no packet; write a header such as IPv4(dst='10.0.0.2')")

    def axes(self, packet: Packet) -> list[tuple[int, str, Sequence[Any]]]:
        """What was swept in the packet that was read: layer number, field name, values."""
        found = []
        for swept in sorted(self.swept, key=lambda swept: (swept.node.lineno, swept.node.col_offset)):
            places = [at for at, layer in enumerate(packet.layers) if layer is swept.owner]
            if swept.owner is None:
                places = [len(packet.layers)]
            if not places:
                self._fail(swept.node, "a sweep stands in a header of the packet itself, not in one that it holds")
            found.append((places[0], swept.field, swept.values))
        return found

    def _parse(self) -> ast.expr:
        if not self.text.strip():
            raise ExpressionError(self.text, 0, "it is empty; write a header such as IPv4(dst='10.0.0.2')")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # such as an escape sequence that Python does not know
                return ast.parse(self.text[self.indent :].rstrip(), mode="eval").body
        except SyntaxError as error:
            position = self._position(error.lineno or 1, max((error.offset or 1) - 1, 0))
            raise ExpressionError(self.text, position, _plain(error.msg)) from None
        except (ValueError, RecursionError, MemoryError) as error:
            reason = "has a character that no expression can have"
            if not isinstance(error, ValueError):
                reason = f"nests too deep, or has many more than {MAX_PARTS} parts"
            raise ExpressionError(self.text, self.indent, reason) from None

    def _position(self, line: int, column: int) -> int:
        """Characters from the start of the text, for a line from 1 and a column in characters."""
        start = self.lines[line - 2] if 2 <= line <= len(self.lines) + 1 else 0
        return min(self.indent + start + column, len(self.text))

    def _fail(self, node: ast.expr | ast.keyword, reason: str) -> NoReturn:
        line_start = self._position(node.lineno, 0)
        encoded = self.text[line_start:].encode("utf-8", "surrogatepass")[: node.col_offset]
        column = len(encoded.decode("utf-8", "surrogatepass"))
        raise ExpressionError(self.text, line_start + column, reason)

    # ------------------------------------------------------------------ one method a kind of node

    def _value(self, node: ast.expr) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._fail(node, f"nests deeper than {MAX_DEPTH}")
        try:
            match node:
                case ast.Constant(value=bool() | int() | str() | bytes() | float() | None as literal):
                    return literal
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
                    return -number
                case ast.Tuple(elts=elements) | ast.List(elts=elements):
                    return tuple([self._value(element) for element in elements])
                case ast.BinOp(op=ast.Div()):
                    return self._stack(node)
                case ast.BinOp(op=ast.BitOr()):
                    return self._flags(node)
                case ast.Call():
                    return self._call(node)
                case ast.Name():
                    return self._name(node)
                case ast.Attribute(value=ast.Name(id=name)) if name in ENUMS:
                    return self._member(node, ENUMS[name])
            self._fail(node, "not allowed here: only headers, keyword arguments, literals and /")
        finally:
            self.depth -= 1

    def _chain(self, node: ast.BinOp) -> list[ast.expr]:
        """The operands of a chain of the same operator, from the left."""
        operator, parts, left = type(node.op), [], node
        while isinstance(left, ast.BinOp) and isinstance(left.op, operator):
            parts.append(left.right)
            if len(parts) >= MAX_PARTS:
                self._fail(left.right, f"more than {MAX_PARTS} parts")
            left = left.left  # type: ignore[assignment]
        return [left, *reversed(parts)]

    def _stack(self, node: ast.BinOp) -> Packet:
        packet = Packet()
        parts = self._chain(node)
        for at, part in enumerate(parts):
            if node is self.top and part is parts[-1] and isinstance(part, ast.List):
                return self._payloads(packet, part)
            value = self._value(part)
            if not isinstance(value, Header | Packet | CutHeader | bytes | Trailer):
                hint = f"; write b{value!r} for bytes" if isinstance(value, str) else ""
                self._fail(part, f"expected {PART}, got {_kind(value)}{hint}")
            if at == 0 and isinstance(value, Trailer):
                self._fail(part, "a Trailer stands last")
            try:
                packet = packet / value
            except FieldError as error:  # a trailer of a layer that is not there
                self._fail(part, str(error))
        return packet

    def _payloads(self, packet: Packet, node: ast.List) -> Packet:
        """The packet with the first of several payloads."""
        values: Sequence[bytes] = self._choices(node)
        for element, value in zip(node.elts, values, strict=True):
            if not isinstance(value, bytes):
                self._fail(element, f"expected bytes such as b'hi', got {_kind(value)}")
        if not values:
            self._fail(node, "no payload; write at least one, such as [b'hi']")
        self.swept.append(_Swept(node, None, PAYLOAD, [packet.payload + value for value in values]))
        return packet / values[0]

    def _flags(self, node: ast.BinOp) -> int:
        total: Any = None
        for part in self._chain(node):
            value = self._value(part)
            if not isinstance(value, int):
                self._fail(part, f"expected a flag such as TCPFlags.SYN, got {_kind(value)}")
            total = value if total is None else total | value
        return int(total) if total < 0 else total

    def _name(self, node: ast.Name) -> Any:
        if node.id == "AUTO":
            return AUTO
        if node.id in RECORDS:
            self._fail(node, f"{node.id} needs parentheses: {node.id}({_required(RECORDS[node.id])})")
        self._fail(node, f"unknown name {node.id!r}{near(node.id, [*RECORDS, *ENUMS, 'AUTO'])}")

    def _member(self, node: ast.Attribute, enum: type[IntEnum] | type[IntFlag]) -> int:
        if node.attr not in enum.__members__:
            hint = near(node.attr, enum.__members__, all_of=True)
            self._fail(node, f"{enum.__name__} has no {node.attr}{hint}")
        return enum[node.attr]

    # ------------------------------------------------------------------ calls

    def _call(self, node: ast.Call) -> Any:
        match node.func:
            case ast.Name(id="range"):
                self._fail(node, "a range stands for the values of one field, as in TCP(dst_port=range(1, 1025))")
            case ast.Name(id="Trailer"):
                return self._invoke(node, "Trailer", _trailer)
            case ast.Name(id=name) if name in RECORDS:
                return self._record(node, RECORDS[name])
            case ast.Name(id=name):
                self._fail(node.func, f"unknown header {name!r}{near_header(name, [*RECORDS, 'Trailer'])}")
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in RECORDS:
                makers = constructors(RECORDS[name])
                if attribute not in makers:
                    hint = near(attribute, makers, all_of=True)
                    self._fail(node.func, f"{name} has no constructor {attribute!r}{hint}")
                return self._invoke(node, f"{name}.{attribute}", makers[attribute])
            case ast.Attribute(value=ast.Name(id=name)):
                self._fail(node.func, f"unknown header {name!r}{near_header(name, RECORDS)}")
        self._fail(node, "only headers and options can be called")

    def _record(self, node: ast.Call, record: type[Record]) -> Record:
        name, fields = record.__name__, [field.name for field in record.fields()]
        if node.args:
            self._fail(node.args[0], f"{name} takes keyword arguments only: {', '.join(fields)}")
        lists = {field.name for field in record.fields() if field.kind.is_list}
        values = self._keywords(node, name, fields, lists)
        for field in record.fields():
            if field.required and field.name not in values:
                self._fail(node, f"{name} needs {field.name}=..., {field.kind.expected}")
        for key, value in values.items():
            if self.sweeps and is_prefix(record.field(key), value):
                values[key] = _Choices(value)
        return self._made(node, name, record, values)  # type: ignore[no-any-return]

    def _made(
        self,
        node: ast.Call,
        name: str,
        make: Callable[..., Any],
        values: dict[str, Any],
        places: Sequence[str] = (),
    ) -> Any:
        """What is made of the values, with one of each that are swept."""
        choices = {key: value.several for key, value in values.items() if isinstance(value, _Choices)}
        for key, several in choices.items():
            if several == () or several == range(0):
                self._fail(_argument(node, key, places), "no value; write at least one")
            values[key] = several.partition("/")[0] if isinstance(several, str) else several[0]
        try:
            made = make(**values)
            for key, several in choices.items():
                where = _argument(node, key, places)
                owner = made.layers[0] if isinstance(made, Packet) else made
                if not isinstance(owner, Header) or key not in owner.values():
                    self._fail(
                        where,
                        f"several values are for a field of the packet's own headers; {key} of {name} is none",
                    )
                exact = axis_values(name, owner.field(key), several)
                self.swept.append(_Swept(where, owner, key, exact))
                if make(**{**values, key: exact[-1]}) != _replaced(made, key, exact[-1]):
                    self._fail(where, f"{name} makes more than one field of {key}; sweep the fields of the header")
            return made
        except RawkitError as error:
            if isinstance(error, ExpressionError):
                raise
            self._fail(_argument(node, getattr(error, "field", ""), places), str(error))

    def _keywords(self, node: ast.Call, name: str, known: Iterable[str], lists: set[str]) -> dict[str, Any]:
        names, values = list(known), {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self._fail(keyword.value, "** is not allowed")
            if keyword.arg not in names:
                hint = near(keyword.arg, names, all_of=True)
                self._fail(keyword, f"{name} has no field {keyword.arg!r}{hint}")
            if keyword.arg in values:
                self._fail(keyword, f"{keyword.arg} is given twice")
            values[keyword.arg] = self._given(keyword.value, keyword.arg in lists)
        return values

    # ------------------------------------------------------------------ several values

    def _given(self, node: ast.expr, may_be_list: bool) -> Any:
        """What is given for a field, or _Choices of it."""
        several = isinstance(node, ast.List) and not may_be_list
        if several or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
            return _Choices(self._choices(node))
        return self._value(node)

    def _choices(self, node: ast.expr) -> Sequence[Any]:
        """The values in a list, or a range."""
        if not self.sweeps:
            self._fail(node, "several values stand for several packets, and one is wanted here")
        if isinstance(node, ast.List):
            return tuple([self._value(element) for element in node.elts])
        assert isinstance(node, ast.Call)
        numbers = [self._value(argument) for argument in node.args]
        if node.keywords or not 1 <= len(numbers) <= 3:
            self._fail(node, "a range takes one to three integers: range(stop), range(start, stop[, step])")
        for argument, number in zip(node.args, numbers, strict=True):
            if type(number) is not int:
                self._fail(argument, f"a range takes integers, got {_kind(number)}")
        if numbers[2:] == [0]:
            self._fail(node.args[2], "the step of a range is not 0")
        return range(*numbers)

    def _invoke(self, node: ast.Call, name: str, make: Callable[..., Any]) -> Any:
        parameters = inspect.signature(make).parameters
        lists = {key for key, parameter in parameters.items() if _is_list(str(parameter.annotation))}
        values = self._keywords(node, name, parameters, lists)
        places = [key for key, parameter in parameters.items() if parameter.kind is not parameter.KEYWORD_ONLY]
        for at, argument in enumerate(node.args):
            if at >= len(places):
                self._fail(argument, f"{name} takes keyword arguments only: {', '.join(parameters)}")
            if places[at] in values:
                self._fail(argument, f"{places[at]} is given twice")
            values[places[at]] = self._given(argument, places[at] in lists)
        for key, parameter in parameters.items():
            if key in values:
                where = _argument(node, key, places)
                values[key] = self._fitting(where, f"{name}: {key}", str(parameter.annotation), values[key])
            elif parameter.default is parameter.empty:
                self._fail(node, f"{name} needs {key}=...")
        return self._made(node, name, make, values, places)

    def _fitting(self, node: ast.expr, name: str, annotation: str, value: Any) -> Any:
        """The value, if it can be what a constructor's annotation says; its fields look closer."""
        if isinstance(value, Header | CutHeader):
            value = Packet((value,))
        if isinstance(value, _Choices):
            return value
        if self.sweeps and isinstance(value, str) and "/" in value and "IP" in annotation:
            return _Choices(value)
        if "Packet" in annotation:
            fits, wanted = isinstance(value, Packet | None), "a packet"
        elif annotation == "bytes":
            fits, wanted = isinstance(value, bytes), "bytes such as b'hi'"
        else:
            fits, wanted = not isinstance(value, Packet), "a value"
        if not fits:
            self._fail(node, f"{name}: expected {wanted}, got {_kind(value)}")
        return value


def _is_list(annotation: str) -> bool:
    """Whether a constructor's argument is itself a list, or can be no field."""
    return "Extensions" in annotation or "Packet" in annotation


def _replaced(made: Any, field: str, value: Any) -> Any:
    """The header, or the packet that begins with it, with another value in that field."""
    if isinstance(made, Packet):
        return made.replace(type(made.layers[0]), **{field: value})  # type: ignore[arg-type]
    return made.replace(**{field: value})


def _trailer(data: bytes, layer: int) -> Trailer:
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < MAX_PARTS:
        raise FieldError("Trailer", "layer", layer, "the number of a layer, from 0")
    return Trailer(data, layer)


def _argument(node: ast.Call, name: str, places: Sequence[str] = ()) -> ast.expr:
    """The value that was given for `name`; the call itself if it was not given."""
    given = {keyword.arg: keyword.value for keyword in node.keywords} | dict(zip(places, node.args, strict=False))
    return given.get(name, node)


def _required(record: type[Record]) -> str:
    return ", ".join(f"{field.name}=..." for field in record.fields() if field.required)


def _kind(value: object) -> str:
    if isinstance(value, Record) and not isinstance(value, Header):
        return f"the option {type(value).__name__}"
    return "None" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"


def _plain(message: str) -> str:
    """Python's own words, without the advice that does not apply here."""
    return message.split(". Perhaps")[0].split(":")[0]
