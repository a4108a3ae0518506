"""What the README shows is true: its commands print what stands under them, its Python runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import RAWKIT

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where commands keep what later ones find."""
    return tmp_path_factory.mktemp("state")


def transcripts() -> list[tuple[str, str]]:
    """Every command of the README, with the output that it claims."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.rstrip()))
    return found


@pytest.mark.parametrize(("command", "claimed"), transcripts(), ids=lambda text: text[:40])
def test_transcripts_are_true(command: str, claimed: str, state: Path) -> None:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(state),
    }
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.stdout.rstrip() == claimed


def test_there_are_transcripts() -> None:
    assert len(transcripts()) >= 5


@pytest.mark.root
@pytest.mark.parametrize("block", BLOCKS)
def test_python_runs(block: str) -> None:
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def block_with(words: str, file: Path) -> Path:
    """The Python of the README that has these words, as a file."""
    (block,) = [block for block in BLOCKS if words in block]
    file.write_text(block)
    return file


@pytest.mark.root
def test_the_exercise_passes_its_rehearsal(tmp_path: Path) -> None:
    file = block_with("EXERCISE = ", tmp_path / "exercise.py")
    done = subprocess.run([*RAWKIT, "lab", "rehearse", file], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4), done.stdout + done.stderr


@pytest.mark.root
def test_the_exercise_can_be_had_over_ipv6(tmp_path: Path) -> None:
    file = block_with("EXERCISE = ", tmp_path / "exercise.py")
    text = file.read_text()
    for old, new in (
        ("seed.network()", "seed.network(version=6)"),
        ("{v.you}/24", "{v.you}/64"),
        ("{v.server}/24", "{v.server}/64"),
        ("AF_INET", "AF_INET6"),
        (".icmp(type=3, code=3)", ".icmp6(type=1, code=4)"),  # RFC 4443, section 3.1
    ):
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    done = subprocess.run([*RAWKIT, "lab", "rehearse", file], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4), done.stdout + done.stderr


MISTAKES = {
    "values": ("seed.port()", "seed.prt()", "line 15 of exercise.py: AttributeError"),
    "topology": ("{v.server}", "{v.servr}", "line 19 of exercise.py: AttributeError"),
    "name": ('"server", (f', '"the server", (f', "a node's name"),
    "text": ("from port `{port}`", "from port `{prt}`", "only values that are told in braces"),
    "check": ("dst_port=9)", "port=9)", "a field of UDP"),
    "check that breaks": (
        "e.values.nonce)",
        "e.values.nce)",
        "the check itself broke: line 23 of exercise.py: AttributeError",
    ),
    "no verb": (
        ".payload(e.values.nonce).once()",
        ".payload(e.values.nonce)",
        "it returned a Wire, not what a verb",
    ),
    "no return": ("    return e.wire.sent_by", "    e.wire.sent_by", "it returned a NoneType"),
    "node": (
        'sent_by("server")',
        'sent_by("srver")',
        "line 27 of exercise.py: Wire.node: expected one of server, you",
    ),
    "value": ("type=3, code=3", "type='three', code=3", "line 27 of exercise.py: ICMPv4.type: expected"),
    "solution": ("solution=python(SOLUTION)", "solution=SOLUTION", "expected python(...) or shell(...)"),
    "level": ("level=1", "level=6", "a level from 1 to 5"),
    "link": ('/24"))', '/24"), impaired={"lag": 1})', "got an unexpected keyword argument 'lag'"),
    "scene": ("    task=", "    scene=lambda stage: iter(()),\n    task=", "a generator that yields once"),
    "wrong": ('"sent", "src_port is"', '"snt", "src_port is"', "the name of a check, one of sent, refused"),
    "syntax": ("EXERCISE = Exercise(", "EXERCISE = Exercise((", "SyntaxError"),
    "end": ("EXERCISE = ", "raise SystemExit(0)\nEXERCISE = ", "SystemExit"),
}


@pytest.mark.root
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_teacher_s_mistakes_are_told(tmp_path: Path, mistake: str) -> None:
    right, wrong, told = MISTAKES[mistake]
    file = block_with("EXERCISE = ", tmp_path / "exercise.py")
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
    done = subprocess.run([*RAWKIT, "lab", "rehearse", file], capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.root
def test_the_test_passes(tmp_path: Path) -> None:
    file = block_with("def test_", tmp_path / "test_ping.py")
    command = [sys.executable, "-m", "pytest", "--rootdir", tmp_path, file]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout
