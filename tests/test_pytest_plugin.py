"""The plugin, as pytest runs it for others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rawkit.pcap import open_capture

pytestmark = pytest.mark.root

pytest_plugins = ["pytester"]

TESTS = """
import socket
import pytest
from rawkit.netns import nth

def test_right(lab, wire):
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    a.run(["ping", "-c", "1", str(b.address())], check=True, capture_output=True)
    assert wire.icmp(type=8).sent_by("a").once()
    a.run(["ping", "-c", "1", str(b.address())], check=True, capture_output=True)
    assert wire.icmp(type=8).sent_by("a").times(2)

def test_wrong(lab, wire):
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    a.run(["ping", "-c", "1", str(b.address())], check=True, capture_output=True)
    assert wire.tcp(flags="S").sent_by("a").once()



def interfaces():
    return [name for _, name in socket.if_nameindex()]

@pytest.fixture(scope="module")
def of_all():
    return interfaces()

@pytest.fixture
def own():
    before = interfaces()
    yield before
    assert interfaces() == ["lo"]

@pytest.mark.namespace
def test_inside(of_all, own):
    assert interfaces() == own == ["lo"]
    assert of_all == OUTSIDE
    with socket.create_server(("127.0.0.1", 80)):
        pass

def test_outside(of_all):
    assert interfaces() == of_all == OUTSIDE

OUTSIDE = interfaces()

@pytest.fixture
def breaks(lab):
    a, b = lab.hosts("a", "b")
    lab.link(b, a, drop=nth(1, where="icmp"))
    yield
    a.run(["ping", "-c", "1", "-W", "1", str(b.address())], capture_output=True)
    raise RuntimeError

def test_whose_fixture_breaks(breaks):
    pass
"""


def test_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    done = pytester.run(sys.executable, "-m", "pytest", "--strict-markers")
    done.assert_outcomes(passed=4, failed=1, errors=1)
    done.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_whose_fixture_breaks*",
            "*ICMPv4 echo request*",
            "frame *: dropped, as number 1 of 'icmp'",
            "*does not hold: expected exactly one of: a frame, TCP flags=S, sent by a*",
            "*What crossed the wire*",
            "*frames, in *.pcapng",
            "*ICMPv4 echo request*",
        ]
    )
    (file,) = Path(pytester.path, ".pytest_cache").rglob("*wrong*.pcapng")
    with open_capture(file) as capture:
        assert "a > b" in " ".join(record.comments[0] for record in capture)


def test_pytest_finds_it_by_its_entry_point(pytester: pytest.Pytester) -> None:
    done = pytester.run(sys.executable, "-m", "pytest", "--markers")
    done.stdout.fnmatch_lines(["@pytest.mark.namespace: *"])
