"""Number spaces: which number in a header says which header comes next (EtherTypes, IP protocols, ...)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawkit.layout.record import Record

__all__ = ["Numbers"]


class Numbers:
    """A number space: `number_of(header)` for building, `header_of(number)` for reading.

    Headers enter it by their declaration (`numbers={IP_PROTOCOLS: 6}`). Of several numbers for one header, the
    first is used when building; a number stays with the header that took it first. `nothing` is the number
    that says that no header follows, `otherwise` the one before whatever has no number, plain bytes included.
    `names` are what is called by a number but not read here; those of the space `within` are known too.
    What enters the space `within` enters this one too, unless it has a number of its own here.
    """

    def __init__(
        self,
        name: str,
        nothing: int | None = None,
        otherwise: int | None = None,
        within: Numbers | None = None,
        names: Mapping[int, str] | None = None,
    ) -> None:
        self.name, self.nothing, self.otherwise = name, nothing, otherwise
        self.names: dict[int, str] = {**(within.names if within is not None else {}), **(names or {})}
        self._headers: dict[int, type[Record]] = {}
        self._numbers: dict[type[object], int] = {}
        self._narrower: list[Numbers] = []
        self.header_of = self._headers.get
        self.known_number_of = self._numbers.get
        if within is not None:
            within._narrower.append(self)
            self._headers.update(within._headers)
            self._numbers.update(within._numbers)

    def add(self, header: type[Record], *numbers: int) -> None:
        """Let each of `numbers` announce `header`."""
        self._numbers[header] = numbers[0]
        for number in numbers:
            self._headers.setdefault(number, header)
        for space in self._narrower:
            own = space._numbers.get(header)
            space.add(header, *((own,) if own is not None else ()), *numbers)

    def number_of(self, header: type[object]) -> int | None:
        """The number that announces `header` (or the family it belongs to); None if there is none."""
        number = self._numbers.get(header)
        if number is None:
            for base in header.__mro__[1:]:
                if base in self._numbers:
                    number = self._numbers[header] = self._numbers[base]
                    break
        return number

    def announced_class(self, header: type[object]) -> type[object] | None:
        """The nearest of `header` and its bases that a number announces."""
        announced = set(self._headers.values())
        return next((base for base in header.__mro__ if base in announced), None)

    def __contains__(self, number: int) -> bool:
        return number in self._headers or number == self.nothing

    def __repr__(self) -> str:
        return f"<Numbers {self.name}>"
