"""Scapy's reading of some bytes, in a form that can be compared: its layers, and values by our table's names."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from rawkit.layout import LengthOrNext, Rule
from rawkit.wire import LinkType
from rawkit.wire.deep import own_bytes
from rawkit.wire.load_scapy import scapy_with
from rawkit.wire.names import NAMES

__all__ = ["ABSENT", "Item", "Layer", "read"]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent", "__slots__": ()})()
"""Stands for what scapy does not have."""

MODULES = (
    "scapy.layers.inet6",
    "scapy.layers.ppp",
    "scapy.layers.sctp",
    "scapy.layers.vxlan",
    "scapy.contrib.erspan",
    "scapy.contrib.geneve",
    "scapy.contrib.mpls",
)
"""Where scapy has the layers of our table."""

BITS = re.compile(r"(\w+)\[(\d+):(\d+)\]")
BESIDE = re.compile(r"(\w+):(\d+)")


class Layer:
    """One of scapy's layers or options. `items` are the options that it holds, or that follow it as layers."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.following: list[Layer] = []
        self.classes = {base.__name__ for base in type(layer).__mro__}
        self.name = type(layer).__name__

    def value(self, name: str) -> Any:
        """The value of a field by its name in `wire/names.py`; ABSENT where the layer has none."""
        if bits := BITS.fullmatch(name):
            return bits_of(self.value(bits[1]), bits)
        if ":" in name:
            whole = 0
            for part, width in BESIDE.findall(name):
                if (value := self.value(part)) is ABSENT:
                    return ABSENT
                whole = whole * 2 ** int(width) + int(value)
            return whole
        if name not in self._present():
            return ABSENT
        return self.layer.getfieldval(name)

    def _present(self) -> set[str]:
        """The fields that the layer has; in scapy, some depend on the values of others."""
        present = set()
        for field in self.layer.fields_desc:
            if not hasattr(field, "_evalcond") or field._evalcond(self.layer):
                present.add(field.name)
        return present

    def has_length(self, name: str, rule: Rule) -> bool:
        """Whether the field is there and scapy computes it; where it may be a type, only if it is a length."""
        return self.value(name) is not ABSENT and (not isinstance(rule, LengthOrNext) or name == "len")

    def items(self) -> list[Layer | Item]:
        """The options, up to the one that ends the list."""
        options = self.value("options")
        if options is ABSENT:
            return [*self.following]
        items: list[Layer | Item] = []
        for option in options:
            items.append(Item(*option) if isinstance(option, tuple) else Layer(option))
            if items[-1].name in ("EOL", "IPOption_EOL"):
                break
        return items


def bits_of(whole: Any, bits: re.Match[str]) -> Any:
    """A run of bits in a number, from the higher one that is named down to the lower; ABSENT of what is ABSENT."""
    high, low = int(bits[2]), int(bits[3])
    return ABSENT if whole is ABSENT else int(whole) // 2**low % 2 ** (high - low + 1)


class Item:
    """A TCP option, which scapy keeps as a pair: a name (or number, if it knows none) and a value."""

    def __init__(self, name: str | int, value: Any) -> None:
        self.name = str(name)
        self.kind = name if isinstance(name, int) else tcp_option_kinds()[name]
        self.parts = value if isinstance(value, tuple) else (value,)
        self.classes = {self.name}

    def value(self, name: str) -> Any:
        """The value by its name in `wire/names.py`; ABSENT where the option has none."""
        if name == "kind":
            return self.kind
        if name == "[]":
            return self.parts
        if bits := BITS.fullmatch(name):
            return bits_of(self.parts[0], bits)
        if not name.startswith("["):
            return self.parts[0].getfieldval(name)
        return self.parts[int(name.strip("[]"))]

    def items(self) -> list[Layer | Item]:
        """An option holds no options."""
        return []


def read(data: bytes, link_type: LinkType) -> tuple[Any, list[Layer]]:
    """Scapy's packet, and those of its layers that are compared: all up to the first that the table lacks.

    The packet is None for a link type that scapy does not know. Raises whatever scapy raises on the content,
    and MissingError if it is not installed.
    """
    first = link_layers().get(int(link_type))
    if first is None:
        return None, []
    packet = layer = first(data)
    known = {name for names in NAMES.values() for name in names.scapy}
    layers: list[Layer] = []
    start = 0
    while type(layer).__name__ != "NoPayload":
        peer = Layer(layer)
        if not layer.fields_desc and not layer.fields:
            layer = layer.payload
            continue  # no part of the packet, such as ERSPAN's type I
        if peer.name.startswith(("ICMPv6NDOpt", "SCTPChunk")) and layers:
            layers[-1].following.append(peer)
        elif peer.classes & known:
            layers.append(peer)
        else:
            leave_as_bytes(layer, data[start:])
            break
        start += len(own_bytes(layer))
        layer = layer.payload
    return packet, layers


def leave_as_bytes(layer: Any, data: bytes) -> None:
    """Let a layer that is not compared be plain bytes, which scapy builds as they are; `data` begins with it.

    What stands behind the layer's own bytes there is padding, and stays that.
    """
    conf = scapy_with(*MODULES)
    if layer.underlayer is None or isinstance(layer, (conf.raw_layer, conf.padding_layer)):
        return
    around, whole = layer.underlayer, layer.original
    around.remove_payload()
    around.add_payload(conf.raw_layer(whole))
    if len(whole) < len(data):
        around.add_payload(conf.padding_layer(data[len(whole) :]))


@cache
def link_layers() -> dict[int, Any]:
    """Scapy's layers for the first header of a packet, by link type."""
    return dict(scapy_with(*MODULES).l2types.num2layer.items())


@cache
def tcp_option_kinds() -> dict[str, int]:
    """The kinds of the TCP options that scapy knows by name."""
    scapy_with(*MODULES)
    from scapy.layers.inet import TCPOptions

    return dict(TCPOptions[1])
