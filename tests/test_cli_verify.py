"""`rawkit verify`: agreement, difference, and scapy missing."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import RAWKIT, on_a_terminal, rawkit

from rawkit import TCP, UDP, Ethernet, IPv4, write_capture
from rawkit.views import read_expression

pytest.importorskip("scapy")

AGREED = "IPv4(dst='10.0.0.2') / UDP(dst_port=53) / b'hi'"
ALONE = "UDP(dst_port=53, checksum=0) / b'x'"
"""Nothing says what such bytes are, so nobody can have a second opinion on them."""


def test_agreement() -> None:
    done = rawkit("verify", AGREED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 packet compared, 0 differences\n", "")


def test_a_difference_is_shown_in_a_table_and_the_answer_is_no() -> None:
    done = rawkit("verify", ALONE)
    assert done.returncode == 1
    title, heading, row, count = done.stdout.splitlines()
    assert title.startswith("packet 1: UDP 49152 > 53")
    assert heading.split()[:4] == ["layer", "field", "rawkit", "scapy"]
    assert row.split() == ["0", "UDP", "made", "nothing", "to", "compare"]
    assert count == "1 packet compared, 1 difference"


def test_json_has_an_object_a_difference_and_the_counts() -> None:
    done = rawkit("verify", ALONE, "--format", "json")
    assert done.returncode == 1
    difference, counts = map(json.loads, done.stdout.splitlines())
    assert (difference["packet"], difference["position"], difference["layer"]) == (1, 0, "UDP")
    assert (difference["rawkit"], difference["scapy"], difference["reason"]) == ("made", "nothing to compare", "")
    assert counts == {"packets": 1, "differences": 1, "known": 0}
    agreed = rawkit("verify", AGREED, "--format", "json")
    assert json.loads(agreed.stdout) == {"packets": 1, "differences": 0, "known": 0}


def test_control_c_tells_how_much_was_compared(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    many = 50_000  # far more than are compared before the signal comes
    write_capture(file, [read_expression(AGREED)] * many)
    ours, theirs = pty.openpty()
    command = [RAWKIT, "verify", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        assert select.select([ours], [], [], 60)[0]
        assert re.match(rb"\r\d+ packets? compared", os.read(ours, 100))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert b"Traceback" not in os.read(ours, 65536)
    os.close(ours)
    counted = re.fullmatch(r"(\d+) packets? compared, 0 differences\n", said)
    assert counted
    assert int(counted[1]) < many
    assert process.returncode == 130


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    host = Ethernet(dst="02:00:00:00:00:02") / IPv4(dst="10.0.0.2")
    write_capture(file, [host / UDP(dst_port=53) / b"hi", host / TCP(dst_port=80)])
    assert rawkit("verify", file).stdout == "2 packets compared, 0 differences\n"


def test_progress_on_a_terminal_is_gone_when_it_is_done() -> None:
    assert on_a_terminal("verify", AGREED).endswith("\r\033[K1 packet compared, 0 differences\r\n")


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("/nowhere.pcap", 2, "open /nowhere.pcap: no such file or folder"),
        ("IPv5()", 2, "expression, character 1: unknown header 'IPv5'; did you mean IPv"),
        ("b'x", 2, "expression, character 1: unterminated string literal"),
    ],
)
def test_mistakes(what: str, code: int, message: str) -> None:
    done = rawkit("verify", what)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


def test_without_scapy_it_tells_what_to_install() -> None:
    code = "import sys; sys.modules['scapy'] = None; from rawkit.cli.main import run; "
    code += f"sys.exit(run(['verify', {AGREED!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr == 'rawkit: scapy is not installed: pip install "rawkit[verify]"\n'
