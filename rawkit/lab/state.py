"""Where the work of all students lies."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["desks"]


def desks() -> Path:
    """The folder with one for each student: $XDG_STATE_HOME/rawkit/lab, by default under ~/.local/state."""
    return Path(os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")) / "rawkit" / "lab"
