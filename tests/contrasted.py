"""One run of `rawkit contrast` through all kinds and scenes, which several tests look at."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import RAWKIT
from other_readers import output

from rawkit.echo import KINDS

PATIENCE = 300
USABLE = [name for name, kind in KINDS.items() if kind.module is not None]
WITHIN = ["unix-stream", "unix-dgram", "unix-seqpacket"]
OVER_A_WIRE = [name for name in USABLE if name not in WITHIN]


class Seen(NamedTuple):
    """What one run of the command gave."""

    kinds: dict[str, dict[str, Any]]
    capture: Path
    page: Path

    def of(self, kind: str, scene: str = "echo") -> dict[str, Any]:
        told = self.kinds[kind]
        return told if scene == "echo" else next(each for each in told["scenes"] if each["scene"] == scene)

    def wire(self, kind: str, scene: str, *fields: str) -> list[list[str]]:
        """What tshark reads of the frames of one scene, with checksums checked."""
        name = kind if scene == "echo" else f"{kind} {scene}"
        arguments = [argument for field in fields for argument in ("-e", field)]
        checks = [f"-o{each}.check_checksum:TRUE" for each in ("ip", "tcp", "udp")]
        text = output(
            *(
                "tshark",
                "-r",
                self.capture,
                *checks,
                "-oip.defragment:FALSE",
                "-Y",
                f'frame.interface_name=="{name}"',
            ),
            *("-T", "fields", *arguments),
        )
        return [line.split("\t") for line in text]


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What one run of every kind and scene gave; made once, as it takes a while."""
    folder = tmp_path_factory.mktemp("contrast")
    capture, page = folder / "all.pcapng", folder / "all.html"
    command = [
        "contrast",
        "--scene",
        "all",
        "-c",
        "20",
        "--format",
        "json",
        "-w",
        str(capture),
        "--html",
        str(page),
    ]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return Seen({told["kind"]: told for told in map(json.loads, done.stdout.splitlines())}, capture, page)


def heard(told: dict[str, Any], end: str) -> list[bytes]:
    """What the program of that end got."""
    return [bytes.fromhex(each["data"]) for each in told["heard"] if each["end"] == end and not each["error"]]
