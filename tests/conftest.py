"""What holds for every test: those marked `root` run as root only; what is drawn is the same in each run.

`pytest --hypothesis-profile search` draws anew.
"""

from __future__ import annotations

import os

import pytest
from contrasted import seen  # noqa: F401 - a fixture
from hypothesis import HealthCheck, settings
from programs import give_up

settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("search", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that root only can run before its fixtures are made; fail it with RAWKIT_REQUIRE_ALL=1."""
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        give_up("needs root: raw sockets, namespaces or another user's identity")
