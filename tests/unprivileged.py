"""Runs Python as the user nobody, who may not be able to read this very interpreter."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

from programs import give_up

NOBODY = 65534


def run_as_nobody(
    script: str | Path, *arguments: str, input: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a Python file as uid and gid 65534, in / and without a home, with what this process can import."""
    interpreter = _interpreter()
    if interpreter is None:
        give_up("no Python that nobody can run and that can import rawkit")
    return _run(str(interpreter), str(script), *arguments, input=input)


def script(directory: Path, text: str) -> Path:
    """A file that nobody can read, under a directory that they can enter."""
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(0o755)
    path = directory / "script.py"
    path.write_text(text)
    path.chmod(0o644)
    return path


@functools.cache
def _interpreter() -> str | None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            found = _run(candidate, "-c", "import rawkit.link, rawkit.netns, pyroute2, cypcap")
        except OSError:
            continue
        if found.returncode == 0:
            return candidate
    return None


def _run(*command: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent.parent)])
    return subprocess.run(
        command,
        input=input,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
