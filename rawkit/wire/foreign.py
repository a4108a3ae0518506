"""Layers that another library took apart: names, values as text, and the bytes that they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["ForeignField", "ForeignLayer"]


@dataclass(frozen=True, slots=True)
class ForeignField:
    """A field of such a layer: its name there, its value in that library's words, and what is within it.

    `start` and `stop` are bytes of the packet; None where the library does not tell. `layers` are the records
    that the field holds (the questions of a DNS message), whose own places are not known.
    """

    name: str
    value: str
    start: int | None = None
    stop: int | None = None
    layers: tuple[ForeignLayer, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignLayer:
    """A layer that rawkit has no declaration for: `data` stands at bytes `start` to `stop` of the packet.

    In a stack it builds to the bytes that it was read from. One within a field has no bytes of its own.
    """

    name: str
    data: bytes
    start: int
    stop: int
    fields: tuple[ForeignField, ...]
    words: str = ""

    _has_pseudo_header: ClassVar[bool] = False
    _has_final_destination: ClassVar[bool] = False

    def describe(self) -> str:
        """The layer in a few words, for a line that lists packets."""
        return self.words or self.name

    def _build(self, body: bytes, following: object, layers: object, index: int, fill: bool) -> Any:
        return self if fill else self.data + body

    def __bytes__(self) -> bytes:
        return self.data
