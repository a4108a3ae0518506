"""`make autobahn PYTHON2=...`: the fuzzing client of the Autobahn test suite against the WebSocket echo server.

The suite runs on Python 2.7 only, and so is no dependency: `PYTHON2` is a Python that has it (pip install
autobahntestsuite). Prints how many cases behaved how, and those that failed; both ends are in a host of a lab. The
suite's messages have up to 16 MiB, so that the server takes those, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rawkit.echo.messages import Messages
from rawkit.echo.websocket import Server
from rawkit.netns import Host, Lab, Worker

PORT = 9001
SECONDS = 1500
RUN = "from autobahntestsuite.wstest import run; run()"
LARGEST = 1 << 24


def serve(worker: Worker) -> None:
    """What `rawkit echo serve websocket` runs, in a process of its own."""
    with Server(("127.0.0.1", PORT), max_size=LARGEST) as server:
        worker.cues.give("ready")
        Messages(server, 0).run()


def fuzz(host: Host, python: str, folder: Path, cases: list[str]) -> dict[str, dict[str, str]]:
    """What the suite's own verdict is on each case: its index of reports."""
    specification = folder / "spec.json"
    target = {"agent": "rawkit", "url": f"ws://127.0.0.1:{PORT}", "options": {"version": 18}}
    specification.write_text(
        json.dumps({"outdir": str(folder / "out"), "servers": [target], "cases": cases, "exclude-cases": []})
    )
    with host.spawn(serve) as worker:
        assert worker.cues.take(SECONDS) == "ready"
        command = [python, "-c", RUN, "-m", "fuzzingclient", "-s", str(specification)]
        host.run(command, stdout=subprocess.DEVNULL, timeout=SECONDS, check=True)
    found: dict[str, dict[str, str]] = json.loads((folder / "out" / "index.json").read_text())["rawkit"]
    return found


def main(python: str, *cases: str) -> None:
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        verdicts = fuzz(lab.host("a"), python, Path(folder), [*cases] or ["*"])
    for name in ("behavior", "behaviorClose"):
        counted = Counter(verdict[name] for verdict in verdicts.values())
        print(name, ", ".join(f"{count} {what}" for what, count in counted.most_common()), f"of {len(verdicts)}")
    failed = [
        case for case, verdict in verdicts.items() if "FAILED" in (verdict["behavior"], verdict["behaviorClose"])
    ]
    print("failed", *sorted(failed, key=lambda case: [int(part) for part in case.split(".")]))


if __name__ == "__main__":
    main(*sys.argv[1:])
