"""What holds for every test: those marked `root` run as root only."""

from __future__ import annotations

import os

import pytest
from programs import give_up


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that root only can run before its fixtures are made; fail it with RAWKIT_REQUIRE_ALL=1."""
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        give_up("needs root: raw sockets, namespaces or another user's identity")
