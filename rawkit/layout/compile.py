"""From a declaration to code: the constructor, the parser and the builder of one record class.

Each is written out as straight-line Python (`writer.py`), once, when the class is first used.
`python -c "from rawkit import TCP; print(TCP.source())"` prints what was written.

Records are frozen, yet their slots are stored with plain assignments, which cost a tenth of
`object.__setattr__`: they are made as a *draft*, a class with the same slots and no guard, and change their
`__class__` to the frozen one when they are complete.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from rawkit.layout.optional import optional_groups
from rawkit.layout.words import words_of
from rawkit.layout.writer import Writer

if TYPE_CHECKING:
    from rawkit.layout.record import Record

__all__ = ["Decoder", "compile_at_first_use", "compile_decoder", "compile_sound", "compile_source"]

Decoder = Callable[[bytes, int, int], "Record"]
"""Gives the record that is known to stand in `data[start:stop]`."""


def compile_at_first_use(cls: type[Record]) -> None:
    """Give `cls` a `__new__`, `_parse` and `_build` that are compiled when one of them is first called.

    Most programs use few of all the headers, and compiling them all took most of the time to import them.
    """
    cls._fixed_size = sum(field.bits for field in cls._fields) // 8
    words_of(field for field in cls._fields if field.tail is None)  # which, like the next, refuses what cannot be
    optional_groups(cls)

    def construct(own: type[Record], /, *positional: Any, **given: Any) -> Any:
        compile_now()
        return cls.__new__(own, *positional, **given)

    def parse(data: bytes, start: int, end: int, strict: bool) -> Any:
        if not compiled:
            compile_now()
        return compiled[0](data, start, end, strict)  # also for those who took hold of this function before

    def build(self: Record, *arguments: Any) -> Any:
        compile_now()
        return cls._build(self, *arguments)

    def pseudo_sum(self: Record, *arguments: Any) -> Any:
        compile_now()
        return cls.pseudo_sum(self, *arguments)  # type: ignore[attr-defined]

    def compile_now() -> None:
        compiled.append(compile_record(cls))
        if cls._parse is parse:  # and not what chooses among the members of the family that it founded
            cls._parse = staticmethod(compiled[0])
        if cls._family is not None:
            members = cls._family._members
            members.update({code: compiled[0] for code, reader in members.items() if reader is parse})

    compiled: list[Any] = []
    cls.__new__ = construct  # type: ignore[assignment]
    cls._parse, cls._build, cls._compile = staticmethod(parse), build, staticmethod(compile_now)
    cls._source = ""
    if cls._pseudo_header:
        cls.pseudo_sum = pseudo_sum  # type: ignore[attr-defined]


def compile_record(cls: type[Record]) -> Any:
    """Give `cls` its compiled `__new__` and `_build`, and the source; return its `parse`."""
    writer = Writer(cls)
    parts = (writer.constructor(), writer.parser(), writer.builder(), writer.pseudo_sum())
    source = "\n".join(line for part in parts for line in [*part, ""])
    filename = f"<rawkit {cls.__module__}.{cls.__qualname__}>"
    names = writer.names
    compile_source(source, filename, names)
    constructor = names["construct"]
    constructor.__qualname__ = f"{cls.__qualname__}.__new__"
    cls.__new__ = constructor  # type: ignore[method-assign]
    cls._build, cls._source = names["build"], source
    if cls._pseudo_header:
        cls.pseudo_sum = names["pseudo_sum"]  # type: ignore[attr-defined]
    return names["parse"]


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
