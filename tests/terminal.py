"""The real command, run as people and shells run it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

__all__ = ["RAWKIT", "Finished", "on_a_terminal", "rawkit"]

RAWKIT = str(Path(sys.executable).with_name("rawkit"))

Finished = subprocess.CompletedProcess[str]


def rawkit(*arguments: str | Path, stdin: bytes = b"") -> Finished:
    """Run the command to its end, without a terminal."""
    done = subprocess.run([RAWKIT, *map(str, arguments)], input=stdin, capture_output=True, timeout=120)
    return Finished(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def on_a_terminal(*arguments: str | Path, **environment: str) -> str:
    """What the command prints on a terminal."""
    ours, theirs = pty.openpty()
    variables = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}
    process = subprocess.Popen(
        [RAWKIT, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=variables
    )
    os.close(theirs)
    printed = b""
    try:
        while part := os.read(ours, 65536):
            printed += part
    except OSError:  # how Linux says that the other side is closed
        pass
    process.wait()
    os.close(ours)
    return printed.decode()
