"""What is left of a lab when its owner is killed: nothing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import uuid

import pytest
from remains import MARK, held_namespaces, marked

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
print(os.stat(a.fileno()).st_ino, os.stat(b.fileno()).st_ino, flush=True)
time.sleep(1000)
"""


def test_nothing_is_left_after_sigkill() -> None:
    mark = str(uuid.uuid4())
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        lines = [owner.stdout.readline() for _ in range(3)]
        inodes = {int(word) for line in lines for word in line.split()}
        assert len(inodes) == 2
        processes = [os.pidfd_open(pid) for pid in marked(mark) if pid != owner.pid]
        assert len(processes) == 3  # the guardian, the daemon, the program
        assert inodes <= held_namespaces()
        owner.send_signal(signal.SIGKILL)
        for process in processes:
            assert select.select([process], [], [], PATIENCE)[0], "still alive"
            os.close(process)
    assert marked(mark) == []
    assert not inodes & held_namespaces()
