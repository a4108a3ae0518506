"""Rules for fields that protect a packet: the Internet checksum, and the CRC32c of SCTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import adler32

from rawkit.errors import BuildError
from rawkit.layout.checksum import checksum_of, crc32c, verifies
from rawkit.layout.numbers import Numbers
from rawkit.layout.problem import View
from rawkit.layout.rules import HeaderLength, Rule, field_ruled_by

if TYPE_CHECKING:
    from rawkit.layout.record import FieldInfo, Record

__all__ = ["CRC32c", "Checksum", "enclosing_network"]


class Checksum(Rule):
    """The Internet checksum over header and body, or over the header alone (`body=False`).

    With `pseudo_header`, the enclosing IP header's addresses, the protocol number and the length come before
    it. With `optional`, zero on the wire means none was computed, unless the enclosing header requires one,
    and a computed zero is sent as 0xFFFF (RFC 768).
    """

    def __init__(self, body: bool = True, pseudo_header: Numbers | None = None, optional: bool = False) -> None:
        self.covers_body, self.pseudo_header, self.optional = body, pseudo_header, optional

    def compute(self, field: FieldInfo) -> str:
        remainder = "-total % 65535" + (" or 65535" if self.optional else "")
        return f"{remainder} if total else 65535"

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:

        def distant_pseudo_header(layers: tuple[Record, ...], index: int) -> int:
            network, addresses = enclosing_network(layers, index)
            if network is None:
                raise BuildError(owner.__name__, field.name, "there is no IPv4 or IPv6 header before it")
            return addresses

        return {"distant_pseudo_header": distant_pseudo_header}

    def pseudo_total(self, owner: type[Record], length: str) -> str:
        """An expression for what the pseudo-header adds to the sum of words, `length` being one for the length."""
        assert self.pseudo_header is not None
        protocol = self.pseudo_header.number_of(owner) or 0
        return (
            "(layers[index - 1].pseudo_sum() if index and layers[index - 1]._has_pseudo_header "
            f"else distant_pseudo_header(layers, index)) + {protocol} + {length}"
        )

    def sound(self, owner: type[Record], field: FieldInfo) -> str:
        end = "limit" if self.covers_body else "stop"
        words = f"(from_bytes(data[start:{end}]) << 8 if {end} - start & 1 else from_bytes(data[start:{end}]))"
        if self.pseudo_header is None:
            absent = f"self.{field.name} is None or " if field.tail is not None else ""
            return f"({absent}(total := {words}) % 65535 == 0 and total)"
        network = "layers[index - 1]"
        protocol = self.pseudo_header.number_of(owner) or 0
        sums_up = (
            f"index and {network}._has_pseudo_header and "
            f"({words} + {network}.pseudo_sum() + {protocol} + limit - start) % 65535 == 0"
        )
        if not self.optional:
            return sums_up
        return f"(not {network}.checksum_required if not self.{field.name} else {sums_up})"

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        if not view.whole if self.covers_body else _is_cut(view, record):
            return ""
        total = view.sums.words(view.start, view.limit if self.covers_body else view.stop)
        found = getattr(record, field.name)
        if found is None:
            return ""
        if self.pseudo_header is not None:
            network, addresses = enclosing_network(view.layers, view.position)
            if network is None or view.unfinished:
                return ""
            if self.optional and found == 0:
                return f"zero, which {type(network).__name__} does not allow" if network.checksum_required else ""
            total += addresses + (self.pseudo_header.number_of(type(record)) or 0)
            total += view.limit - view.start
        elif self.optional and found == 0:
            return ""
        if verifies(total):
            return ""
        right = checksum_of(total - found) or (65535 if self.optional else 0)
        return f"bad checksum {field.show(found)}, computed {field.show(right)}"


class CRC32c(Rule):
    """The CRC32c over header and body, the field itself being zero (RFC 9260, section 6.8)."""

    mended = False

    def compute(self, field: FieldInfo) -> str:
        return f"{field.name}_crc(packed)"

    def names(self, owner: type[Record], field: FieldInfo) -> dict[str, object]:
        return {f"{field.name}_crc": crc32c}

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        if not view.whole or view.unfinished:
            return ""
        at = view.start + field.offset // 8
        behind = at + field.bits // 8
        covered = view.data[view.start : at] + bytes(behind - at) + view.data[behind : view.limit]
        found, right = getattr(record, field.name), crc32c(covered)
        if found == right:
            return ""
        older = ", but it is the Adler-32 of RFC 2960" if found == adler32(covered) else ""
        return f"bad CRC32c {field.show(found)}, computed {field.show(right)}{older}"


def _is_cut(view: View, record: Record) -> bool:
    """Whether the header itself is longer than what there is of it."""
    field = field_ruled_by(type(record), HeaderLength)
    return field is not None and view.start + field.rule.says(record, field) > view.stop  # type: ignore[union-attr]


def enclosing_network(layers: tuple[Record, ...], index: int) -> tuple[Any, int]:
    """The nearest layer before `index` that has a pseudo-header, and the sum of its addresses.

    A header between that knows a further destination (RFC 8200, section 8.1) replaces the last one, and one
    that knows another source the first (RFC 6275, section 6.3); of several, the innermost does.
    Gives (None, 0) if there is no such layer.
    """
    final = source = None
    for at in range(index - 1, -1, -1):
        layer: Any = layers[at]
        if layer._has_pseudo_header:
            return layer, layer.pseudo_sum(final, source)
        if layer._has_final_destination:
            final = final or layer.final_destination()
        elif layer._has_original_source:
            source = source or layer.original_source()
    return None, 0
