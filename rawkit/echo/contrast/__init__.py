"""The same echo of the same bytes through every kind of socket, and what each of them really did."""

from rawkit.echo.contrast.filled import Filled, filled, first_with_data
from rawkit.echo.contrast.play import Heard, Run, Scene, play
from rawkit.echo.contrast.recorded import Call
from rawkit.echo.contrast.scenes import ECHO, SCENES
from rawkit.echo.contrast.stage import Crossed
from rawkit.echo.contrast.summary import Contrast, Facts, contrast, found_out, notes, side_by_side

__all__ = [
    "ECHO",
    "SCENES",
    "Call",
    "Contrast",
    "Crossed",
    "Facts",
    "Filled",
    "Heard",
    "Run",
    "Scene",
    "contrast",
    "filled",
    "first_with_data",
    "found_out",
    "notes",
    "play",
    "side_by_side",
]
