"""The real command, run as people and shells run it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

__all__ = ["RAWKIT", "Finished", "Terminal", "on_a_terminal", "rawkit"]

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


class Terminal:
    """A command on a terminal that is its own, for whoever types and reads."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self._printed = b""
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def send(self, text: str) -> None:
        """Type something."""
        os.write(self._ours, text.encode())

    def expect(self, text: str, seconds: float = 60) -> None:
        """Read until that has been printed, after what was expected before."""
        while text.encode() not in self._printed:
            assert select.select([self._ours], [], [], seconds)[0], self._printed.decode()
            try:
                self._printed += os.read(self._ours, 65536)
            except OSError:  # how Linux says that the other side is closed
                raise AssertionError(f"it ended before {text!r}: {self._printed.decode()}") from None
        self._printed = self._printed.partition(text.encode())[2]

    def end(self, number: signal.Signals) -> None:
        """Have another process send the command a signal."""
        self._process.send_signal(number)

    def close(self, seconds: float = 60) -> int:
        """Close the terminal, of which the command is told (SIGHUP); its exit code."""
        os.close(self._ours)
        self._ours = -1
        return self._process.wait(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._ours >= 0:
            os.close(self._ours)
