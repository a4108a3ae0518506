"""The colours of a terminal, all in one place. Text that is not coloured is returned as it came."""

from __future__ import annotations

__all__ = ["PROBLEM", "QUIET", "TITLE", "layer_style", "paint"]

TITLE = "1"
QUIET = "2"
PROBLEM = "1;31"

LAYERS = (("36", "96"), ("32", "92"), ("33", "93"), ("35", "95"), ("34", "94"))
"""Two shades a layer, which its fields take in turns, so that neighbours can be told apart."""


def layer_style(layer: int, field: int) -> str:
    """The style of field number `field` in layer number `layer`."""
    return LAYERS[layer % len(LAYERS)][field % 2]


def paint(text: str, style: str, colour: bool) -> str:
    """`text` in a style (the parameters of ECMA-48's SGR), if there is to be colour."""
    return f"\033[{style}m{text}\033[0m" if colour and style else text
