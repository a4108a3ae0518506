"""What is left of a lab when its owner is killed: nothing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
import uuid
from contextlib import closing
from typing import NamedTuple

import pytest
from programs import require
from remains import MARK, Namespaces, marked

pytestmark = pytest.mark.root

PATIENCE = 30

OWNER = """
import os, sys, threading, time
from rawkit.netns import Lab
lab = Lab()
a, b = lab.hosts("a", "b")
lab.link(a, b)
# A daemon: its parent ended, and it leads a session of its own. It writes when it is there.
a.run("(setsid sh -c 'echo; exec sleep 1000' &)", shell=True, check=True)
# And a program that was started by a thread that is no more.
thread = threading.Thread(target=lambda: b.popen(["sh", "-c", "echo; exec sleep 1000"]))
thread.start()
thread.join()
print(a.fileno(), b.fileno(), flush=True)
time.sleep(1000)
"""


def test_nothing_is_left_after_sigkill() -> None:
    mark = str(uuid.uuid4())
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        lines = [owner.stdout.readline() for _ in range(3)]
        namespaces = Namespaces(owner.pid, [int(word) for line in lines for word in line.split()])
        assert len(namespaces.numbers) == 2
        processes = [os.pidfd_open(pid) for pid in marked(mark) if pid != owner.pid]
        assert len(processes) == 3  # the guardian, the daemon, the program
        assert namespaces.held() == namespaces.numbers
        owner.send_signal(signal.SIGKILL)
        for process in processes:
            assert select.select([process], [], [], PATIENCE)[0], "still alive"
            os.close(process)
    assert marked(mark) == []
    assert namespaces.held() == set()
    namespaces.close()


LAB = """
import os, sys, time
from rawkit.netns import Confinement, Lab
lab = Lab()
a, b, c, s = *lab.hosts("a", "b"), lab.host("c", untrusted=True), lab.switch("s")
lab.link(a, s, delay=0.01, loss=0.1)
lab.link(b, s)
lab.link(c, s)
b.add_rules("table ip nat { chain post { type nat hook postrouting priority 100; masquerade; }; }")
recording = lab.record()
confinement = Confinement(c, 100)
program = confinement.popen(["sh", "-c", "(setsid sleep 1000 &); echo; exec sleep 1000"])
server = b.popen(["sh", "-c", "echo; exec sleep 1000"])
held = (*(node.fileno() for node in (a, b, c, s, *lab._middles)), c.namespace.owner)
print("ready", *held, flush=True)
recording.transits()
time.sleep(1000)
"""


def machine() -> list[str]:
    """What the machine has of links, routes, rules and tables."""
    require("ip", "nft")
    commands = (["ip", "link"], ["ip", "route"], ["ip", "-6", "route"], ["ip", "rule"], ["nft", "list", "ruleset"])
    return [subprocess.run(command, capture_output=True, text=True, check=False).stdout for command in commands]


def started(owner: subprocess.Popen[str]) -> Namespaces:
    """The namespaces of a lab, once all its programs are there, too."""
    assert owner.stdout is not None
    words = " ".join(owner.stdout.readline() for _ in range(3)).split()
    assert words.pop(0) == "ready"
    return Namespaces(owner.pid, map(int, words))


class Killed(NamedTuple):
    """A process that does not outlive a test that fails."""

    process: subprocess.Popen[str]

    def close(self) -> None:
        self.process.kill()


@pytest.mark.parametrize("which", range(8))
def test_a_lab_leaves_nothing_whoever_is_killed(which: int) -> None:
    """SIGKILL to the owner, or to one of the others before the owner ends; the machine is then as it was."""
    mark = str(uuid.uuid4())
    before = machine()
    with (
        subprocess.Popen(
            [sys.executable, "-c", LAB], env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True
        ) as owner,
        closing(Killed(owner)),
    ):
        namespaces = started(owner)
        assert namespaces.held() == namespaces.numbers
        assert len(namespaces.numbers) == 6
        # The owner; a relay and a recorder; two guardians; the server; the program, and its daemon.
        deadline = time.monotonic() + PATIENCE
        while len(processes := sorted(marked(mark), key=lambda pid: pid != owner.pid)) != 8:
            assert time.monotonic() < deadline, (
                processes
            )  # what is just becoming another program has no environment
        ends = [os.pidfd_open(pid) for pid in processes]
        os.kill(processes[which], signal.SIGKILL)
        owner.kill()
        for end in ends:
            assert select.select([end], [], [], PATIENCE)[0], "still alive"
            os.close(end)
    assert marked(mark) == []
    assert namespaces.held() == set()
    namespaces.close()
    assert machine() == before
