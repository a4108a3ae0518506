"""The plugin, as pytest runs it for others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from unprivileged import run_as_nobody, script

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


FAILING = """
import pytest

@pytest.mark.parametrize("name", ["a/b", "a-b", 300 * "n"])
def test_wrong(lab, wire, name):
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    a.run(["ping", "-c", "1", str(b.address())], check=True, capture_output=True)
    assert wire.udp().sent_by("a").saw()
"""


def test_each_failing_test_has_a_capture_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    done = pytester.run(sys.executable, "-m", "pytest")
    done.assert_outcomes(failed=3)
    assert len([*Path(pytester.path, ".pytest_cache").rglob("*.pcapng")]) == 3


@pytest.mark.parametrize("hindrance", ["no cache", "no folder", "no file"])
def test_the_ladder_needs_no_file(pytester: pytest.Pytester, hindrance: str) -> None:
    pytester.makepyfile(FAILING)
    folder = Path(pytester.path, ".pytest_cache", "d")
    if hindrance == "no folder":
        folder.parent.write_text("a file")
    elif hindrance == "no file":
        folder.mkdir(parents=True)
        Path(folder, "rawkit").symlink_to("/proc/self")
    options = ["-p", "no:cacheprovider"] if hindrance == "no cache" else []
    done = pytester.run(sys.executable, "-m", "pytest", "-k", "a/b", *options)
    done.assert_outcomes(failed=1, deselected=2)
    done.stdout.fnmatch_lines(["*What crossed the wire*", "*ICMPv4 echo request*"])


QUESTIONS = """
import pytest
from rawkit.errors import FieldError
from rawkit.lab import LiveWire, RecordedLab

def test_a_wire_is_no_answer(wire: LiveWire):
    assert wire

def test_it_is_there_to_be_looked_at(lab: RecordedLab, wire: LiveWire):
    pings = wire.icmp(type=8)
    with pytest.raises(FieldError):
        wire.frame(1)
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    for count in (1, 2):
        a.run(["ping", "-c", "1", str(b.address())], check=True, capture_output=True)
        assert len(pings) == len(list(pings)) == count  # also of a question that was begun before
    assert wire.frame(pings.first().number).transit.sender == "a"
    with pytest.raises(FieldError, match="one of a, b"):
        wire.sent_by("c")
    with pytest.raises(FieldError, match="one of a-b"):
        wire.on("a-c")
"""


def test_wires_in_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(QUESTIONS)
    done = pytester.run(sys.executable, "-m", "pytest")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*TypeError: a Wire is a question that is not finished*"])


UNPRIVILEGED = """
import sys
import pytest

sys.exit(pytest.main(["-p", "no:cacheprovider", "-rs", "--rootdir", sys.argv[1], *sys.argv[2:]]))
"""

MARKED = """
import pytest

@pytest.mark.namespace
def test_marked(caplog):
    pass

def test_with_a_lab(lab):
    pass
"""


def test_without_privileges_such_tests_are_skipped_and_no_more(tmp_path: Path) -> None:
    runner = script(tmp_path, UNPRIVILEGED)
    test = Path(tmp_path, "test_marked.py")
    test.write_text(MARKED)
    test.chmod(0o644)
    done = run_as_nobody(runner, str(tmp_path), str(test))
    summary = done.stdout.splitlines()[-1].strip("= ").split(" in ")[0]
    assert (done.returncode, summary) == (0, "2 skipped"), done.stdout + done.stderr
    assert "network namespaces are not permitted here" in done.stdout
