"""The golden decoding of a capture: what tshark reads in each field of each packet."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from studio import version

HERE = Path(__file__).parent
FIELDS = (HERE / "fields.txt").read_text().split()
"""The fields that tshark is asked for; it prints nothing for those that a packet does not have."""

_PREFERENCES = {
    # Checksums are to be verified,
    "ip.check_checksum": "TRUE",
    "tcp.check_checksum": "TRUE",
    "udp.check_checksum": "TRUE",
    # and each packet read by itself, not with those before and after it.
    "ip.defragment": "FALSE",
    "ipv6.defragment": "FALSE",
    "tcp.desegment_tcp_streams": "FALSE",
    "tcp.analyze_sequence_numbers": "FALSE",
    "tcp.relative_sequence_numbers": "FALSE",
}
_FLAGS = {"True": "1", "False": "0"}  # as Wireshark up to 4.0 writes them


def write_golden(capture: Path) -> None:
    """Write NAME.tshark.tsv beside NAME.pcapng: a line with the fields' names, then a line for each packet.

    Tabs stand between fields, commas between the values of a field that occurs several times. Fields that no
    packet of the file has are left out.
    """
    rows = _read(capture)
    filled = [column for column in range(len(FIELDS)) if any(row[column] for row in rows)]
    lines = [[FIELDS[column] for column in filled], *([row[column] for column in filled] for row in rows)]
    golden = capture.with_suffix(".tshark.tsv")
    golden.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def tshark_version() -> str:
    """The version of tshark that is installed here."""
    return version("tshark")


def _read(capture: Path) -> list[list[str]]:
    preferences = [word for name, value in _PREFERENCES.items() for word in ("-o", f"{name}:{value}")]
    fields = [word for name in FIELDS for word in ("-e", name)]
    layout = ["-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
    with tempfile.TemporaryDirectory() as nobodys:  # the user's own preferences are to have no say
        done = subprocess.run(
            ["tshark", "-n", "-r", capture, *preferences, "-T", "fields", *layout, *fields],
            env={**os.environ, "WIRESHARK_CONFIG_DIR": nobodys, "TZ": "UTC"},
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [[",".join(_FLAGS.get(text, text) for text in value.split(",")) for value in row] for row in rows]
