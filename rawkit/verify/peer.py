"""Scapy's reading of some bytes, in a form that can be compared: its layers, and values by our table's names.

Scapy is imported here and nowhere else, and only when asked for. It reads the system's routes when it is
imported; here it is kept from that, since nothing is sent.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
from functools import cache
from typing import Any

from rawkit.errors import MissingError
from rawkit.layout import LengthOrNext, Rule
from rawkit.wire import LinkType
from rawkit.wire.names import NAMES

__all__ = ["ABSENT", "Item", "Layer", "read"]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent", "__slots__": ()})()
"""Stands for what scapy does not have."""

MODULES = (
    "scapy.layers.inet6",
    "scapy.layers.ppp",
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
            whole, high, low = self.value(bits[1]), int(bits[2]), int(bits[3])
            return ABSENT if whole is ABSENT else int(whole) // 2**low % 2 ** (high - low + 1)
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
    while type(layer).__name__ != "NoPayload":
        peer = Layer(layer)
        if not layer.fields_desc and not layer.fields:
            layer = layer.payload
            continue  # no part of the packet, such as ERSPAN's type I
        if peer.name.startswith("ICMPv6NDOpt") and layers:
            layers[-1].following.append(peer)
        elif peer.classes & known:
            layers.append(peer)
        else:
            break
        layer = layer.payload
    return packet, layers


@cache
def link_layers() -> dict[int, Any]:
    """Scapy's layers for the first header of a packet, by link type."""
    return dict(_scapy().conf.l2types.num2layer.items())


@cache
def tcp_option_kinds() -> dict[str, int]:
    """The kinds of the TCP options that scapy knows by name."""
    _scapy()
    from scapy.layers.inet import TCPOptions

    return dict(TCPOptions[1])


@cache
def _scapy() -> Any:
    """Scapy's configuration module, its IP layers being loaded. Raises MissingError."""
    try:
        import scapy.config as config
    except ImportError:
        raise MissingError("scapy", 'pip install "rawkit[verify]"') from None
    if any(name not in sys.modules for name in MODULES):
        logging.getLogger("scapy").setLevel(logging.ERROR)
        before = config.conf.route_autoload, config.conf.route6_autoload
        config.conf.route_autoload = config.conf.route6_autoload = False
        try:
            for name in MODULES:
                importlib.import_module(name)
        finally:
            config.conf.route_autoload, config.conf.route6_autoload = before
    return config
