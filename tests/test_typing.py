"""mypy and pyright infer the declared types and reject what does not fit, each on its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "typing" / "declarations.py"


def mypy() -> list[tuple[int, str, str]]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--output", "json", str(CASES)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return [(row["line"], row["severity"], row["message"]) for row in found]


def pyright() -> list[tuple[int, str, str]]:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(CASES)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = json.loads(run.stdout)["generalDiagnostics"]
    return [(row["range"]["start"]["line"] + 1, row["severity"], row["message"]) for row in rows]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_checkers_infer_and_reject(checker) -> None:
    found = checker()
    errors = {line for line, severity, _ in found if severity == "error"}
    revealed = {line: message for line, severity, message in found if severity in ("note", "information")}
    rejected = set()
    for number, line in enumerate(CASES.read_text().splitlines(), 1):
        if line.endswith("# rejected"):
            rejected.add(number)
        elif match := re.search(r"^ *reveal_type.*# -> (.+)$", line):
            shown = re.search(r'(?:Revealed type is|is) "(.+)"$', revealed[number])
            assert shown is not None, revealed[number]
            assert re.sub(r"(?:builtins|ipaddress|rawkit\.[\w.]+)\.", "", shown[1]) == match[1]
    assert errors == rejected
