"""What a test does about a program that is not installed."""

from __future__ import annotations

import os
import shutil

import pytest


def require(*names: str) -> None:
    """Skip the test, naming the missing programs; fail it where everything must be installed (CI)."""
    if missing := [name for name in names if shutil.which(name) is None]:
        give_up(f"not installed: {', '.join(missing)}")


def give_up(reason: str) -> None:
    """Skip the test, or fail it with RAWKIT_REQUIRE_ALL=1."""
    if os.environ.get("RAWKIT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
