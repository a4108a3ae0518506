"""Labs in tests: a `lab` and its `wire` as fixtures, and a marker for tests that need a network of their own.

    def test_it_pings(lab, wire):
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        a.run(["ping", "-c", "1", str(b.address())])
        assert wire.icmp(type=8).sent_by("a").once()

    @pytest.mark.namespace
    def test_it_listens():  # it and its own fixtures; those of modules and sessions are outside
        socket.create_server(("127.0.0.1", 80)).close()

pytest finds it by its entry point; `rawkit.lab` has the types of both, `RecordedLab` and `LiveWire`. What crossed
the wire stands in the report of a test that fails, and in a capture file beside it. Without the permission for
namespaces, such tests are skipped.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rawkit.lab.live import LiveWire, RecordedLab
    from rawkit.netns import Host

__all__ = ["lab", "wire"]

WIDTH = 100

NAME = 120
"""Characters of a test's name that are in its capture's."""

_LAB = pytest.StashKey["RecordedLab"]()
_NAMESPACE = pytest.StashKey["Host"]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "namespace: runs in a network namespace of its own, with nothing but lo")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Have a namespace for a marked test, from before its fixtures are made until they are gone."""
    if item.get_closest_marker("namespace") is None:
        return (yield)
    from rawkit.errors import NotPermittedError
    from rawkit.netns import Lab

    with ExitStack() as stack:
        with suppress(NotPermittedError):
            item.stash[_NAMESPACE] = stack.enter_context(Lab()).host("test")
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a marked test where namespaces are not permitted: no wrapper, since those of others must be begun."""
    if item.get_closest_marker("namespace") is not None and _NAMESPACE not in item.stash:
        pytest.skip("network namespaces are not permitted here; as root, or in a user namespace, they are")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Make a marked test's own fixtures inside its namespace; those that others share, outside."""
    with _inside(request.node if fixturedef.scope == "function" else None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a marked test inside its namespace."""
    with _inside(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """End a marked test's fixtures inside its namespace."""
    with _inside(item):
        return (yield)


def _inside(item: pytest.Item | None) -> AbstractContextManager[object]:
    namespace: Host | None = None if item is None else item.stash.get(_NAMESPACE, None)
    return nullcontext() if namespace is None else namespace


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
        request.node.stash[_LAB] = made
        yield made


@pytest.fixture
def wire(lab: RecordedLab) -> LiveWire:
    """What has crossed the links of the `lab` whenever it is asked: `wire.tcp(flags="S").sent_by("a").once()`."""
    return lab.wire


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Attach what crossed the wire to the report of a test that failed."""
    report = yield
    made = item.stash.get(_LAB, None)
    if report.failed and made is not None:
        from rawkit.lab.live import told

        report.sections.append(("What crossed the wire", "\n".join(told(made, _file_for(item), WIDTH))))
    return report


def _file_for(item: pytest.Item) -> Path | None:
    """Where the capture of a test goes, by a name that is its own and not too long; None without a cache."""
    cache = getattr(item.config, "cache", None)  # missing with -p no:cacheprovider
    if cache is None:
        return None
    words = re.sub(r"[^A-Za-z0-9.-]+", "-", item.nodeid)[-NAME:]
    which = hashlib.sha256(os.fsencode(item.nodeid)).hexdigest()[:8]
    with suppress(OSError):  # a report that fails would hide why the test did
        return Path(cache.mkdir("rawkit"), f"{words}-{which}.pcapng")
    return None
