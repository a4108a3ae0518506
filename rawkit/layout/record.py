"""Records: immutable values that stand in a packet byte by byte, each declared by one annotated class.

The annotation of a field gives its width on the wire and its Python type, the right-hand side its default: none
means required, `auto(rule)` means that the rule fills it when the packet is built. `compile.py` turns the
declaration into code when the class is made. `families.py` tells of records that share a beginning.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Self, dataclass_transform

from rawkit.errors import FieldError
from rawkit.layout.auto import AUTO
from rawkit.layout.compile import compile_at_first_use, compile_sound
from rawkit.layout.families import join_families
from rawkit.layout.kinds import Kind
from rawkit.layout.numbers import Numbers
from rawkit.layout.problem import Problem, View
from rawkit.layout.rules import Auto, Count, Expected, FillUp, HeaderLength, Rule
from rawkit.layout.tails import ItemList, Often, Optional, Tail

if TYPE_CHECKING:
    import inspect

__all__ = ["FieldInfo", "Record", "Span"]

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "required", "__slots__": ()})()


class FieldInfo(NamedTuple):
    """What a declaration says about one field. `offset` and `bits` are in bits; a tail has `bits` 0."""

    name: str
    kind: Kind
    offset: int
    bits: int
    default: Any
    rule: Rule | None
    expected: int | None
    decisive: bool

    @property
    def tail(self) -> Tail | None:
        """The kind, if it is one of variable width."""
        return self.kind if isinstance(self.kind, Tail) else None

    @property
    def local(self) -> str:
        """The name of the local that holds its value in compiled code."""
        return f"{self.name}_"

    @property
    def required(self) -> bool:
        """Whether a constructor must be given it."""
        return self.default is MISSING

    def show(self, value: Any) -> str:
        """The value as text, in the field's own notation."""
        if value is AUTO:
            return "AUTO"
        return self.kind.show(value)

    def unpack(self, record: bytes) -> Any:
        """The value of a fixed field in the bytes of a record."""
        start, stop = self.offset // 8, (self.offset + self.bits + 7) // 8
        if self.kind.code:
            return self.kind.unpacked(record[start:stop])
        shift = 8 * stop - self.offset - self.bits
        return self.kind.convert(int.from_bytes(record[start:stop]) >> shift & ((1 << self.bits) - 1))

    def express(self, value: Any) -> str:
        """The value as a Python literal (or constructor) that the field takes."""
        return "AUTO" if value is AUTO else self.kind.express(value)

    def problem(self, view: View, message: str) -> Problem:
        """A Problem of this field, in the bytes in which it stands."""
        start = view.start + self.offset // 8
        stop = view.stop if self.tail is not None else view.start + (self.offset + self.bits + 7) // 8
        if isinstance(self.kind, Optional):
            spans = view.layers[view.position].spans()
            start = view.start + next(span.offset for span in spans if span.name == self.name) // 8
            stop = start + self.kind.size
        return Problem(type(view.layers[view.position]).__name__, self.name, start, stop, message)


class Span(NamedTuple):
    """Where a field of one record stands: in bits from the start of the record."""

    name: str
    offset: int
    bits: int


def _annotations(namespace: Mapping[str, Any], module: str) -> dict[str, Any]:
    """The declared fields with their annotations resolved, whichever way this Python stores them."""
    if sys.version_info >= (3, 14) and "__annotations__" not in namespace:
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        raw = annotate(annotationlib.Format.VALUE) if annotate else {}
    else:
        raw = namespace.get("__annotations__", {})
    holder = type("Declaration", (), {"__annotations__": dict(raw), "__module__": module})
    hints = typing.get_type_hints(holder, include_extras=True)
    return {
        name: hint
        for name, hint in hints.items()
        if typing.get_origin(hint) is not ClassVar and hint is not ClassVar
    }


def _sound_at_first(record: Any, *where: Any) -> Any:
    """What `_sound` is until it is called, since many classes are never asked."""
    type(record)._sound = compile_sound(type(record))
    return record._sound(*where)


class RecordType(type):
    """The metaclass: reads the declaration, sets the slots, has the class compiled, enters it in its family."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        numbers: Mapping[Numbers, int | tuple[int, ...]] | None = None,
        **options: Any,
    ) -> RecordType:
        _refuse_unknown(name, options)
        annotations = _annotations(namespace, namespace["__module__"]) if bases else {}
        defaults = {field: namespace.pop(field, MISSING) for field in annotations}
        inherited = bases[0]._fields if bases and "bare" not in options else ()  # type: ignore[attr-defined]
        known = {field.name for field in inherited}
        slots = tuple(field for field in annotations if field not in known)
        namespace["__slots__"] = slots
        cls: Any = super().__new__(mcs, name, bases, namespace)
        unguarded = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
        draft = super().__new__(mcs, f"{name}Draft", bases, {"__slots__": slots, **unguarded})
        cls._draft, cls._sound = draft, _sound_at_first
        cls._fields = _declared(name, bases[0] if bases else object, annotations, defaults, inherited)
        cls._by_name = {field.name: field for field in cls._fields}
        _take_options(cls, options)
        for space, number in (numbers or {}).items():
            space.add(cls, *(number if isinstance(number, tuple) else (number,)))
        if sum(field.bits for field in cls._fields) % 8 == 0:
            compile_at_first_use(cls)
        elif "by" not in options:
            raise TypeError(
                f"{name}: its fields take {sum(field.bits for field in cls._fields)} bits, not whole bytes"
            )
        join_families(cls, options)
        return cls  # type: ignore[no-any-return]

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> None:
        super().__init__(name, bases, namespace)

    @property
    def __signature__(cls) -> inspect.Signature:
        """What the constructor takes, for `help` and for those who complete names; compiled by now or not."""
        if "_compile" not in cls.__dict__:
            raise AttributeError("__signature__")
        if not cls._source:  # type: ignore[attr-defined]
            cls._compile()  # type: ignore[attr-defined]
        import inspect  # which only those who ask need

        signature = inspect.signature(cls.__new__)
        return signature.replace(parameters=[*signature.parameters.values()][1:])


OPTIONS = (
    *("abstract", "bare", "body", "by", "carries", "fallback", "fallbacks", "followed_by", "pseudo_header"),
    *("trailed_by", "values"),
)
"""What can stand behind the base of a record's declaration, besides `numbers`."""


def _refuse_unknown(owner: str, options: Mapping[str, Any]) -> None:
    """Raise TypeError for an option that has no meaning, which would else be lost without a word."""
    for option in options:
        if option not in OPTIONS:
            raise TypeError(f"{owner}: a record has no option {option!r}, only numbers, {', '.join(OPTIONS)}")


def _take_options(cls: Any, options: Mapping[str, Any]) -> None:
    """Set what the declaration says of what stands behind and around the record; most of it is inherited."""
    cls._followed_by = options.get("carries", options.get("followed_by", getattr(cls, "_followed_by", None)))
    cls._quotes = "followed_by" in options or ("carries" not in options and getattr(cls, "_quotes", False))
    cls._has_body = options.get("body", getattr(cls, "_has_body", True))
    cls._trailed_by = options.get("trailed_by", getattr(cls, "_trailed_by", None))
    cls._pseudo_header = options.get("pseudo_header", ())
    cls._has_pseudo_header = bool(cls._pseudo_header)


def _declared(
    owner: str, base: type, annotations: dict[str, Any], defaults: dict[str, Any], inherited: tuple[FieldInfo, ...]
) -> tuple[FieldInfo, ...]:
    """All fields in wire order: the inherited ones (with new defaults, if declared again), then the new ones."""
    by_name = {field.name: field for field in inherited}
    for name in annotations:
        if name not in by_name and (hasattr(base, name) or name in ("self", "cls") or name.startswith("_")):
            raise TypeError(f"{owner}.{name}: the name has a meaning in every record; choose another")
    by_name.update((name, _field(owner, name, hint, defaults[name])) for name, hint in annotations.items())
    counted = {field.rule.of for field in by_name.values() if isinstance(field.rule, Count)}
    counted |= {field.name for field in by_name.values() if field.tail and field.tail.count is not None}
    fields: list[FieldInfo] = []
    offset = 0
    for field in by_name.values():
        if fields and not _can_follow(field, fields[-1], counted):
            raise TypeError(
                f"{owner}.{field.name}: nothing can follow {fields[-1].name}, which takes all bytes left"
            )
        fields.append(field._replace(offset=offset))
        offset += field.bits
    if fields and fields[-1].name in counted and any(isinstance(field.rule, HeaderLength) for field in fields):
        raise TypeError(
            f"{owner}.{fields[-1].name}: the last tail takes what the header's length leaves, uncounted"
        )
    return tuple(fields)


def _can_follow(field: FieldInfo, before: FieldInfo, counted: set[str]) -> bool:
    """Whether the field can stand behind that one, which may be a tail in `counted`: its own end is known."""
    if before.tail is None:
        return True
    if isinstance(before.kind, Optional) or isinstance(field.kind, Optional):
        return type(before.kind) is type(field.kind)
    if isinstance(field.rule, FillUp):
        return not isinstance(before.rule, FillUp)
    return field.tail is not None and before.name in counted


def _field(owner: str, name: str, hint: Any, default: Any) -> FieldInfo:
    kind = _kind_of(owner, name, hint)
    rule = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Rule)), None)
    wanted, decisive = None, False
    if isinstance(default, Auto):
        rule, default = default.rule, AUTO
    elif isinstance(default, Expected):
        wanted, decisive, default = default.value, default.decisive, default.value
    if default is not MISSING and default is not AUTO:
        try:
            default = kind.convert(default)
        except (ValueError, TypeError):
            raise TypeError(f"{owner}.{name}: its default {default!r} is not {kind.expected}") from None
    return FieldInfo(name, kind, 0, kind.bits, default, rule, wanted, decisive)


def _kind_of(owner: str, name: str, hint: Any) -> Kind:
    extras = getattr(hint, "__metadata__", ())
    for extra in extras:
        if isinstance(extra, type) and issubclass(extra, ItemList):
            often = [lists for lists in extras if isinstance(lists, Often)]
            extra = extra(typing.get_args(hint.__origin__)[0], often)
        if isinstance(extra, Kind):
            return extra
    raise TypeError(f"{owner}.{name}: {hint!r} says nothing of the wire; use a type from rawkit.layout")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record(metaclass=RecordType):
    """The base of everything that stands in a packet: headers, options, and the parts of either.

    Immutable, compared and hashed by class and value. Constructors take keywords only and are forgiving (an
    address may be text); attributes read back as one exact type.
    """

    _fields: ClassVar[tuple[FieldInfo, ...]] = ()
    _by_name: ClassVar[dict[str, FieldInfo]] = {}
    _fixed_size: ClassVar[int] = 0
    _draft: ClassVar[type]
    _sound: ClassVar[Any]
    _source: ClassVar[str] = ""
    _compile: ClassVar[Any] = None
    _followed_by: ClassVar[type[Record] | None] = None
    _quotes: ClassVar[bool] = False
    _trailed_by: ClassVar[type[Record] | None] = None
    _has_body: ClassVar[bool] = True
    _pseudo_header: ClassVar[tuple[str, ...]] = ()
    _has_pseudo_header: ClassVar[bool] = False
    _has_final_destination: ClassVar[bool] = False
    _has_original_source: ClassVar[bool] = False
    malformed: ClassVar[bool] = False
    _family: ClassVar[type[Record] | None] = None
    _by: ClassVar[str] = ""
    _members: ClassVar[dict[int, Any]] = {}
    _constants: ClassVar[dict[int, Record]] = {}
    _fallbacks: ClassVar[list[type[Record]]] = []
    _parse: ClassVar[Any] = None
    _build: ClassVar[Any] = None

    @classmethod
    def fields(cls) -> tuple[FieldInfo, ...]:
        """The declared fields in the order in which they stand on the wire."""
        return cls._fields

    @classmethod
    def field(cls, name: str) -> FieldInfo:
        """One declared field. Raises FieldError if the record has none of that name."""
        try:
            return cls._by_name[name]
        except KeyError:
            wanted = f"a field of {cls.__name__}: {', '.join(cls._by_name)}"
            raise FieldError(cls.__name__, name, name, wanted) from None

    @classmethod
    def source(cls) -> str:
        """The Python code that the declaration was compiled to."""
        if not cls._source:
            cls._compile()
        return cls._source

    @classmethod
    def parse(cls, data: bytes) -> tuple[Self, bytes]:
        """Read one record from the start of `data`: the record and the bytes after it.

        Raises PacketError for bytes that end too soon or whose lengths contradict each other.
        """
        data = bytes(memoryview(data))
        record, stop, _, _ = cls._parse(data, 0, len(data), True)
        return record, data[stop:]

    @classmethod
    def fill_bytes(cls, count: int) -> bytes:
        """For a family of items: what fills `count` bytes at the end of a list."""
        return bytes(count)

    def spans(self) -> tuple[Span, ...]:
        """Where each field stands in `bytes(self)`, in bits; a tail that is empty has no span.

        What pads a tail when the record is built is not in the tail yet: ask `packet.built()` for that.
        """
        spans = [Span(field.name, field.offset, field.bits) for field in self._fields if field.tail is None]
        at = 8 * self._fixed_size
        for field in self._fields:
            if field.tail is not None and (width := field.tail.width(getattr(self, field.name))):
                spans.append(Span(field.name, at, width))
                at += width
        return tuple(spans)

    def replace(self, **changes: Any) -> Self:
        """Another record with these fields changed. Raises FieldError for a field that does not exist."""
        for name in changes:
            self.field(name)
        return type(self)(**{**self.values(), **changes})

    def values(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in self._fields}

    def __bytes__(self) -> bytes:
        return self._build(b"", None, (self,), 0, False)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        given = [
            f"{field.name}={field.express(value)}"
            for field in self._fields
            if (value := getattr(self, field.name)) is not field.default and value != field.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._by_name)

    def __hash__(self) -> int:
        return hash((self.__class__, *[getattr(self, name) for name in self._by_name]))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: use replace({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: use replace({name}=...)")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (type(self), self.values())


def _remake(cls: type[Record], values: dict[str, Any]) -> Record:
    return cls(**values)
