"""Frames that differ in a few fields: code that puts values into a built packet, and mends its checksums.

A checksum is a remainder of the sum of what it covers, so that each field adds its value times a power of two to
it (the incremental update of RFC 1624, made once for all values). What else is computed when a packet is built,
lengths and the numbers of next headers, depends on which headers there are and not on fields of fixed width.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rawkit.layout.auto import AUTO
from rawkit.layout.checksum import as_words
from rawkit.layout.compile import compile_source
from rawkit.layout.sums import Checksum, enclosing_network
from rawkit.layout.writer import converter

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo, Record

__all__ = ["Skeleton", "compile_patcher"]

CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Skeleton(NamedTuple):
    """A packet without trailers: its layers as they were given, as they were built, and its bytes.

    The fields that are to be varied are given, and zero.
    """

    layers: tuple[Record, ...]
    built: tuple[Record, ...]
    frame: bytes

    def starts(self) -> list[int]:
        """The byte offset of each layer, and the one behind the last."""
        offsets = [0]
        for layer in self.built:
            offsets.append(offsets[-1] + len(bytes(layer)))
        return offsets


class Slot(NamedTuple):
    """A number in the frame that is not always the same: its name in the code, and where it stands, in bits."""

    name: str
    start: int
    stop: int


def compile_patcher(skeleton: Skeleton, varied: Sequence[tuple[int, str]]) -> Callable[..., bytes] | None:
    """`patch(value, ...)` gives the frame with these values in the `varied` fields (layer number and name).

    It equals what the packet with those values is built into, and refuses what the fields refuse (FieldError).
    None where that takes more than numbers put in their places: a field of variable width, a CRC, or a header
    of which a field tells where the packet finally goes.
    """
    writer = PatchWriter(skeleton, varied)
    if not writer.is_possible():
        return None
    source = "\n".join(writer.lines())
    compile_source(source, f"<rawkit patcher of {source!r:.60}>", writer.names)
    return writer.names["patch"]  # type: ignore[no-any-return]


class PatchWriter:
    """The code for one skeleton, and the names that it refers to."""

    def __init__(self, skeleton: Skeleton, varied: Sequence[tuple[int, str]]) -> None:
        self.skeleton, self.varied = skeleton, varied
        self.fields = [(at, skeleton.layers[at].field(name)) for at, name in varied]
        self.names: dict[str, Any] = {"from_bytes": int.from_bytes}
        self.starts = skeleton.starts()

    def is_possible(self) -> bool:
        """Whether everything that depends on the values is a checksum."""
        for at, field in self.fields:
            layer: Any = self.skeleton.layers[at]
            if field.tail is not None or layer._has_final_destination or layer._has_original_source:
                return False
        return all(field.rule.mended for _, field in self._computed())  # type: ignore[union-attr]

    def lines(self) -> Iterator[str]:
        """The function: take the values in, sum up from the innermost checksum out, and pack."""
        yield f"def patch({', '.join(f'value_{at}' for at in range(len(self.fields)))}):"
        slots = []
        for number, (at, field) in enumerate(self.fields):
            yield from self._take(f"value_{number}", at, field)
            slots.append(self._slot(f"value_{number}", at, field.name))
        checksums = [(at, field) for at, field in self._computed() if isinstance(field.rule, Checksum)]
        blank = self._blank([self._slot("", at, field.name) for at, field in checksums])
        for number, (at, field) in enumerate(checksums):
            slot = self._slot(f"checksum_{number}", at, field.name)
            terms = [*self._covered(at, field, slots), *self._pseudo_terms(at, field)]
            if not terms:
                blank = self._with_own(blank, slot)
                continue
            yield from self._sum_up(slot, at, field, blank, terms)
            slots.append(slot)
        yield self._pack(blank, slots)

    def _computed(self) -> list[tuple[int, FieldInfo]]:
        """The fields that are filled in when the packet is built, from the innermost header out."""
        found = []
        for at in range(len(self.skeleton.layers) - 1, -1, -1):
            given, built = self.skeleton.layers[at], self.skeleton.built[at]
            for field in given.fields():
                value = getattr(given, field.name)
                left_out = value is AUTO or (value is None and getattr(built, field.name) is not None)
                if field.rule is not None and left_out:
                    found.append((at, field))
        return found

    def _slot(self, name: str, at: int, field: str) -> Slot:
        span = next(span for span in self.skeleton.built[at].spans() if span.name == field)
        start = 8 * self.starts[at] + span.offset
        return Slot(name, start, start + span.bits)

    def _take(self, name: str, at: int, field: FieldInfo) -> Iterator[str]:
        """Make the argument exact, and then the number that stands in the frame."""
        self.names |= field.kind.names()
        self.names[f"convert_{name}"] = converter(type(self.skeleton.layers[at]), field._replace(rule=None))
        yield f"    if not ({field.kind.quick_test(name)}):"
        yield f"        {name} = convert_{name}({name})"
        number = field.kind.write(name)
        if field.kind.code:
            number = f"from_bytes({number})"
        if number != name:
            yield f"    {name} = {number}"

    # ------------------------------------------------------------------ checksums

    def _region(self, at: int, field: FieldInfo) -> tuple[int, int]:
        """The bytes that a checksum covers."""
        stop = len(self.skeleton.frame) if field.rule.covers_body else self.starts[at + 1]  # type: ignore[union-attr]
        return self.starts[at], stop

    def _covered(self, at: int, field: FieldInfo, slots: list[Slot]) -> Iterator[str]:
        """What each number in the region adds to the sum."""
        start, stop = self._region(at, field)
        for slot in slots:
            if 8 * start <= slot.start and slot.stop <= 8 * stop:
                shift = -(slot.stop - 8 * start) % 16
                yield f"({slot.name} << {shift})" if shift else slot.name

    def _pseudo_terms(self, at: int, field: FieldInfo) -> Iterator[str]:
        """The addresses that the pseudo-header adds to the sum: of several networks, only one's."""
        if field.rule.pseudo_header is None:  # type: ignore[union-attr]
            return
        layers: Any = self.skeleton.layers
        _, without = enclosing_network(layers, at)
        for number, (network, address) in enumerate(self.fields):
            if address.name in layers[network]._pseudo_header:
                one = address.kind.unpacked((1).to_bytes(address.bits // 8))
                other = layers[network].replace(**{address.name: one})
                if enclosing_network((*layers[:network], other, *layers[network + 1 :]), at)[1] != without:
                    yield f"value_{number}"

    def _sum_up(self, slot: Slot, at: int, field: FieldInfo, blank: bytes, terms: list[str]) -> Iterator[str]:
        rule: Any = field.rule
        start, stop = self._region(at, field)
        total = as_words(blank[start:stop])
        if rule.pseudo_header is not None:
            protocol = rule.pseudo_header.number_of(type(self.skeleton.layers[at])) or 0
            total += enclosing_network(self.skeleton.layers, at)[1] + protocol + stop - start
        constant = (total - 1) % 65535 + 1 if total else 0  # zero is the sum of nothing but zeros
        yield f"    total = {' + '.join([str(constant), *terms])}"
        yield f"    {slot.name} = {rule.compute(field)}"

    # ------------------------------------------------------------------ bytes

    def _blank(self, slots: list[Slot]) -> bytes:
        """The frame with zeros in those places."""
        number, bits = int.from_bytes(self.skeleton.frame), 8 * len(self.skeleton.frame)
        for slot in slots:
            number &= ~(((1 << slot.stop - slot.start) - 1) << bits - slot.stop)
        return number.to_bytes(len(self.skeleton.frame))

    def _with_own(self, blank: bytes, slot: Slot) -> bytes:
        """The blank frame with what the built one has in that place, which depends on none of the values."""
        first, behind = slot.start // 8, slot.stop // 8
        return blank[:first] + self.skeleton.frame[first:behind] + blank[behind:]

    def _pack(self, blank: bytes, slots: list[Slot]) -> str:
        """The line that puts numbers and what stands between them together."""
        code, arguments, done = "!", [], 0
        for start, stop, members in _groups(slots):
            if start > done:
                code += f"{start - done}s"
                arguments.append(repr(blank[done:start]))
            shifts = [(slot.name, 8 * stop - slot.stop) for slot in members]
            constant = int.from_bytes(blank[start:stop])
            numbers = [str(constant)] if constant else []
            number = " | ".join(numbers + [f"{name} << {shift}" if shift else name for name, shift in shifts])
            size = stop - start
            code += CODES.get(size, f"{size}s")
            arguments.append(number if size in CODES else f"({number}).to_bytes({size})")
            done = stop
        self.names["pack"] = struct.Struct(f"{code}{len(blank) - done}s").pack
        return f"    return pack({', '.join([*arguments, repr(blank[done:])])})"


def _groups(slots: list[Slot]) -> list[tuple[int, int, list[Slot]]]:
    """The slots by the bytes in which they stand: first byte, the one behind the last, and who shares them."""
    groups: list[tuple[int, int, list[Slot]]] = []
    for slot in sorted(slots, key=lambda slot: slot.start):
        first, behind = slot.start // 8, -(-slot.stop // 8)
        if groups and first < groups[-1][1]:
            start, stop, members = groups[-1]
            groups[-1] = (start, max(stop, behind), [*members, slot])
        else:
            groups.append((first, behind, [slot]))
    return groups
