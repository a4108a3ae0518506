"""What tshark prints for a capture: the same fields as rawkit, each packet read by itself."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["SEPARATOR", "Refused", "tshark_rows", "tshark_version"]

SEPARATOR = "\x1f"
"""What stands between the values of a field: a character that no value of rawkit's holds."""

PREFERENCES = {
    # Each packet is read by itself, not with those before and after it.
    "ip.defragment": "FALSE",
    "ipv6.defragment": "FALSE",
    "tcp.desegment_tcp_streams": "FALSE",
    "tcp.analyze_sequence_numbers": "FALSE",
    "tcp.relative_sequence_numbers": "FALSE",
    # Whether a checksum is right has no say in what is read.
    "ip.check_checksum": "FALSE",
    "tcp.check_checksum": "FALSE",
    "udp.check_checksum": "FALSE",
}


class Refused(Exception):
    """tshark reads nothing of the file; the text is what it says."""


def tshark_version() -> str:
    """The first line of `tshark --version`."""
    done = subprocess.run(["tshark", "--version"], capture_output=True, encoding="utf-8", check=True)
    return done.stdout.splitlines()[0]


def tshark_rows(path: Path, fields: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """For each packet, the protocols that tshark found and the text for each field, empty where it has none.

    What it lists beside packets (other blocks of a pcapng file, which have no link layer) is left out.
    Raises Refused.
    """
    preferences = [word for name, value in PREFERENCES.items() for word in ("-o", f"{name}:{value}")]
    wanted = [word for name in ("frame.encap_type", "frame.protocols", *fields) for word in ("-e", name)]
    layout = ["-E", "separator=/t", "-E", "occurrence=a", "-E", f"aggregator={SEPARATOR}"]
    with tempfile.TemporaryDirectory() as nobodys:  # the user's own preferences are to have no say
        done = subprocess.run(
            ["tshark", "-n", "-r", path, *preferences, "-T", "fields", *layout, *wanted],
            env={**os.environ, "WIRESHARK_CONFIG_DIR": nobodys, "TZ": "UTC"},
            capture_output=True,
            encoding="utf-8",
        )
    if done.returncode and not done.stdout:
        raise Refused(done.stderr.strip().splitlines()[-1])
    for line in done.stdout.split("\n")[:-1]:
        link_layer, protocols, *row = line.split("\t")
        if link_layer:
            yield protocols, row
