"""`make bench`: what rawkit takes beside its peers, measured in one run.

Each comparison runs its contenders in turn, round after round, so that a busy machine is unfair to nobody; the
figures are medians of the rounds. Where the project has set itself a ratio, it stands beside the one measured.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests and benchmarks share

from capturing import compare_capturing
from decoding import compare_decoding
from echoing import compare_echoing
from headers import HEADERS, Comparison
from hostile import report_damage, report_hostile
from labs import compare_labs
from probing import compare_probing

ROUNDS = 15


def seconds_per_call(function: Callable[[], object], at_least: float = 0.02) -> float:
    """One round: as many calls as take `at_least` seconds of this process, whatever else the machine does."""
    timer, calls = timeit.Timer(function, timer=time.process_time), 1
    while (taken := timer.timeit(calls)) < at_least:
        calls = max(calls * 2, int(calls * at_least / taken))
    return taken / calls


def compare(comparison: Comparison) -> None:
    """Print one comparison: medians, ratios, and what was asked of each."""
    figures: dict[str, list[float]] = {name: [] for name in comparison.contenders}
    for _ in range(ROUNDS):
        for name, function in comparison.contenders.items():
            figures[name].append(seconds_per_call(function))
    medians = {name: statistics.median(rounds) for name, rounds in figures.items()}
    report(comparison.title, medians, comparison.wanted)


def report(title: str, medians: dict[str, float], wanted: dict[str, float]) -> None:
    ours = medians["rawkit"]
    print(f"\n{title}")
    for name, median in medians.items():
        line = f"  {name:10} {median * 1e6:12.2f} µs"
        if name != "rawkit":
            line += f"   {median / ours:7.2f} times rawkit's"
            if name in wanted:
                line += f", wanted {wanted[name]:g}: {'reached' if median / ours >= wanted[name] else 'MISSED'}"
        print(line)


def start_up(code: str) -> float:
    """Seconds that a fresh interpreter takes for `code`, less what it takes for nothing."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""})
    return time.perf_counter() - started


def compare_imports() -> None:
    """Print what imports take, and `rawkit --version` as a whole."""
    contenders = {"nothing": "pass", "rawkit": "from rawkit import IPv4", "scapy": "import scapy.all"}
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(7):
        for name, code in contenders.items():
            figures[name].append(start_up(code))
    medians = {name: statistics.median(rounds) for name, rounds in figures.items()}
    nothing = medians.pop("nothing")
    report(
        "import of all headers, interpreter's start left out",
        {n: m - nothing for n, m in medians.items()},
        {"scapy": 5},
    )
    command = [str(Path(sys.executable).parent / "rawkit"), "--version"]
    rounds = []
    for _ in range(7):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rounds.append(time.perf_counter() - started)
    median = statistics.median(rounds)
    print(f"\nrawkit --version\n  {median:.3f} s, wanted below 0.2: {'reached' if median < 0.2 else 'MISSED'}")


def main() -> None:
    packages = ("rawkit", "scapy", "dpkt", "pypacker")
    model = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), "")
    print(f"{platform.platform()}, {os.cpu_count()} cores {model}, Python {platform.python_version()}")
    print(", ".join(f"{package} {version(package)}" for package in packages))
    for comparison in HEADERS:
        compare(comparison)
    compare_imports()
    compare_decoding()
    report_hostile()
    report_damage()
    compare_probing()
    compare_capturing()
    compare_echoing()
    compare_labs()


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


main()
