"""A lab of a hundred hosts on a switch beside Mininet's with LinuxBridge, and one of a thousand."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from typing import Final

from rawkit.netns import Host, Lab, Switch

__all__ = ["compare_labs"]

HOSTS: Final = 100
MANY: Final = 1000
A_SWITCH: Final = 250
"""Hosts of the thousand that share a switch, and a subnet."""
ROUNDS: Final = 3
START_SHARE, STOP_SHARE = 1 / 3, 1 / 10
PYTHON: Final = "/usr/bin/python3"
"""Mininet is a Debian package, for Debian's own Python."""

APART: Final = ("unshare", "--net")
"""Mininet's switches are bridges where it runs, and are to be in no network of the machine's."""

PEER: Final = """
import json, sys, time
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo
began = time.perf_counter()
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
started = time.perf_counter()
lost = net.ping([net.hosts[0], net.hosts[-1]], timeout="5")
pinged = time.perf_counter()
net.stop()
print(json.dumps([started - began, time.perf_counter() - pinged, lost]))
"""


def compare_labs() -> None:
    """Print how long labs take to start and to stop."""
    print(f"\nA switch with {HOSTS} hosts, from nothing to usable, and back; seconds, medians of {ROUNDS}")
    if not shutil.which("mn") or not shutil.which("brctl"):
        print("  Mininet is not there: sudo apt install --no-install-recommends mininet bridge-utils")
        return
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_rawkit(HOSTS))
        theirs.append(_mininet(HOSTS))
    for name, column, wanted in (("start", 0, START_SHARE), ("stop", 1, STOP_SHARE)):
        mine, peer = (statistics.median(each[column] for each in rounds) for rounds in (ours, theirs))
        verdict = "reached" if mine <= peer * wanted else "MISSED"
        share = f"{mine / peer:.3f} of Mininet's, wanted {wanted:.3f}: {verdict}"
        print(f"  {name:6} rawkit {mine:7.3f}   Mininet {peer:7.3f}   {share}")
    start, stop, ping = _rawkit(MANY)
    print(f"{MANY} hosts on {MANY // A_SWITCH} switches around a router: start {start:.2f} s, "
          f"ping from the first to the last {ping * 1000:.1f} ms, stop {stop:.2f} s")  # fmt: skip


def _rawkit(count: int) -> tuple[float, float, float]:
    began = time.perf_counter()
    lab = Lab()
    hosts: list[Host] = []
    router = lab.router("router") if count > A_SWITCH else None
    switch: Switch | None = None
    for number in range(count):
        if switch is None or number % A_SWITCH == 0:
            switch = lab.switch(f"switch{number // A_SWITCH}")
            if router is not None:
                lab.link(router, switch)
        hosts.append(lab.host(f"h{number}"))
        lab.link(hosts[-1], switch)
    started = time.perf_counter()
    hosts[0].run(["ping", "-c", "1", "-W", "5", str(hosts[-1].address())], check=True, stdout=subprocess.DEVNULL)
    pinged = time.perf_counter()
    lab.close()
    return started - began, time.perf_counter() - pinged, pinged - started


def _mininet(count: int) -> tuple[float, float, float]:
    done = subprocess.run([*APART, PYTHON, "-c", PEER, str(count)], capture_output=True, text=True, check=True)
    start, stop, lost = json.loads(done.stdout.splitlines()[-1])
    assert lost == 0, "Mininet's hosts do not reach each other"
    return start, stop, lost
