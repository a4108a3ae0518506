"""Runs rawkit as a user would, in a host of a lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from other_readers import tshark_fields
from programs import require

from rawkit.cli.main import run
from rawkit.errors import TimedOut
from rawkit.link import Frame, Receiver
from rawkit.netns import Host
from rawkit.pcap import Record, write_capture
from rawkit.wire import LinkType

RAWKIT = [sys.executable, "-m", "rawkit"]
PATIENCE = 60


def rawkit(host: Host, *arguments: str, code: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which is that exit code; above 1 with one clear line on standard error."""
    done = host.run([*RAWKIT, *arguments], capture_output=True, text=True, timeout=PATIENCE, **options)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    if code > 1:
        assert done.stderr.startswith("rawkit: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
    return done


def told(host: Host, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The JSON lines of a command."""
    done = rawkit(host, *arguments, "--format", "json", code=code)
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(host: Host, *arguments: str) -> str:
    """The one line with which arguments are refused as wrong usage.

    A fork of this process runs the command, since that is quicker than another Python.
    """
    reader, writer = os.pipe()
    with host:
        child = os.fork()
        if not child:  # which must not leave the host again
            os.dup2(writer, 2)
            with open(2, "w", closefd=False) as sys.stderr:
                code = run(arguments)
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as told_:
        error = told_.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2, error
    assert error.startswith("rawkit: ")
    assert error.count("\n") == 1
    return error


def frames_in(tap: Receiver) -> list[Frame]:
    """What a socket has received by now."""
    frames = []
    try:
        while True:
            frames.append(tap.receive(0))
    except TimedOut:
        return frames


def fields_of(
    frames: Iterable[Frame], folder: Path, *fields: str, prefer: str = "udp.check_checksum:FALSE"
) -> list[list[str]]:
    """What tshark reads in frames: a row a frame, a column a field."""
    file = folder / "frames.pcap"
    link_type = LinkType.ETHERNET
    write_capture(
        file, [Record(n, each.time_ns, each.data, len(each.data), link_type) for n, each in enumerate(frames, 1)]
    )
    return [row.split("\t") for row in tshark_fields(file, *fields, prefer=prefer)]


@contextmanager
def rules(host: Host, hook: str, *tests: str) -> Iterator[None]:
    """nftables rules of a host, in force inside the block."""
    require("nft")
    chain = "\n".join((f"type filter hook {hook} priority 0;", *tests))
    table = f"rules_{hook}"
    host.run(["nft", "-f", "-"], input=f"table inet {table} {{ chain c {{ {chain}\n}}\n}}\n".encode(), check=True)
    try:
        yield
    finally:
        host.run(["nft", "delete", "table", "inet", table], check=True)
