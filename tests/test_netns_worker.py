"""Python functions in processes of their own, inside hosts, and that none of them is left."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys

import pytest

from rawkit.errors import KernelError, TimedOut
from rawkit.netns import Host, Lab, Worker

pytestmark = pytest.mark.root
PATIENCE = 30


@pytest.fixture
def host():
    with Lab() as lab:
        yield lab.host("a")


def network(_: object = None) -> int:
    return os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116 - what /proc says, not a file


def test_it_runs_in_the_host_and_tells_what_it_saw(host: Host) -> None:
    with host.spawn(lambda worker: worker.tell((os.getpid(), network()))) as worker:
        worker.join(PATIENCE)
        assert worker.told == [(worker.pid, os.fstat(host.fileno()).st_ino)]
    assert network() != os.fstat(host.fileno()).st_ino


def test_cues_go_both_ways(host: Host) -> None:
    def answer(worker: Worker) -> None:
        worker.cues.give(worker.cues.take()[::-1])

    with host.spawn(answer) as worker:
        worker.cues.give("ready")
        assert worker.cues.take(PATIENCE) == "ydaer"
        assert worker.cues.take(PATIENCE) == ""  # it has ended
        with pytest.raises(TimedOut, match="process"), host.spawn(lambda other: other.cues.take()) as other:
            other.join(0.01)


def test_what_was_told_before_a_crash_is_known(host: Host) -> None:
    def crash(worker: Worker) -> None:
        worker.tell("before")
        os.kill(os.getpid(), signal.SIGKILL)

    with host.spawn(crash) as worker:
        worker.join(PATIENCE)
        assert (worker.told, worker.status) == (["before"], -signal.SIGKILL)


def test_its_errors_are_raised_here(host: Host) -> None:
    def fail(worker: Worker) -> None:
        raise KernelError(errno.ENOENT, "look", "not here")

    with host.spawn(fail) as worker, pytest.raises(KernelError, match="look: not here") as caught:
        worker.join(PATIENCE)
    assert caught.value.errno == errno.ENOENT


OWNER = """
import sys, time
from rawkit.netns import Lab
with Lab() as lab:
    worker = lab.host("a").spawn(lambda worker: worker.cues.take())
    print(worker.pid, flush=True)
    time.sleep(60)
"""


def test_it_ends_with_its_owner_also_after_sigkill() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        descriptor = os.pidfd_open(int(owner.stdout.readline()))
        owner.kill()
        assert select.select([descriptor], [], [], PATIENCE)[0], "still alive"
        os.close(descriptor)
