"""Labs in tests: a `lab` and its `wire` as fixtures, and a marker for tests that need a network of their own.

    def test_it_pings(lab, wire):
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        a.run(["ping", "-c", "1", str(b.address())])
        assert wire.icmp(type=8).sent_by("a").once()

pytest finds it by its entry point. What crossed the wire stands in the report of a test that fails, and in a
capture file beside it. Without the permission for namespaces, such tests are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rawkit.lab.live import RecordedLab

__all__ = ["lab", "wire"]

WIDTH = 100

_LABS = pytest.StashKey["RecordedLab"]()
_INSIDE = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "namespace: runs in a network namespace of its own, with nothing but lo")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a marked test inside a namespace of its own; skip it where that is not permitted."""
    if item.get_closest_marker("namespace") is None:
        return (yield)
    from rawkit.errors import NotPermittedError
    from rawkit.netns import Lab

    with ExitStack() as stack:
        try:
            stack.enter_context(stack.enter_context(Lab()).host("test"))
        except NotPermittedError as error:
            pytest.skip(str(error))
        return (yield)


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[RecordedLab]:
    """An empty lab, each link of which is recorded from the moment when it is there."""
    from rawkit.errors import NotPermittedError
    from rawkit.lab.live import RecordedLab

    try:
        made = RecordedLab()
    except NotPermittedError as error:
        pytest.skip(str(error))
    with made:
        request.node.stash[_LABS] = made
        yield made


@pytest.fixture
def wire(lab: RecordedLab) -> Any:
    """What has crossed the links of the `lab` whenever it is asked: `wire.tcp(flags="S").sent_by("a").once()`."""
    from rawkit.lab.live import LiveWire

    return LiveWire(lab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Attach what crossed the wire to the report of a test that failed."""
    report = yield
    made = item.stash.get(_LABS, None)
    if report.when == "call" and report.failed and made is not None:
        from rawkit.lab.live import told

        folder = item.config.cache.mkdir("rawkit") if item.config.cache is not None else None
        file = None if folder is None else Path(folder, re.sub(r"[^A-Za-z0-9.-]+", "-", item.nodeid) + ".pcapng")
        report.sections.append(("What crossed the wire", "\n".join(told(made, file, WIDTH))))
    return report
