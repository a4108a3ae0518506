"""Python functions in processes of their own, inside hosts, and that none of them is left."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
import uuid
import warnings
from pathlib import Path

import pytest
from remains import MARK, marked

from rawkit.errors import KernelError, TimedOut
from rawkit.netns import Host, Lab, Namespace, Worker

pytestmark = pytest.mark.root
PATIENCE = 30


@pytest.fixture
def host():
    with Lab() as lab:
        yield lab.host("a")


def network(_: object = None) -> int:
    return os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116 - what /proc says, not a file


def numbers_of(pid: int) -> list[int]:
    """The numbers of a process in its PID namespaces, the innermost last (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next([int(word) for word in line.split()[1:]] for line in lines if line.startswith("NSpid:"))


def test_it_runs_in_the_host_and_tells_what_it_saw(host: Host) -> None:
    def look(worker: Worker) -> None:
        worker.tell((os.getpid(), network()))
        worker.cues.take()

    with host.spawn(look) as worker:
        while not worker.told:
            assert worker.poll() is None
        assert worker.told == [(numbers_of(worker.pid)[-1], os.fstat(host.fileno()).st_ino)]
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
import subprocess, sys, time
from rawkit.netns import Lab
def work(worker):
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    worker.cues.give("ready")
    worker.cues.take()
with Lab() as lab:
    worker = lab.host("a").spawn(work)
    print(worker.cues.take(60), flush=True)
    sys.stdin.readline()
print("closed", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("killed", [False, True])
def test_what_it_started_ends_with_the_lab_also_after_sigkill_of_its_owner(killed: bool) -> None:
    mark = str(uuid.uuid4())
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        env={**os.environ, MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        processes = [os.pidfd_open(pid) for pid in marked(mark) if pid != owner.pid]
        assert len(processes) == 3  # the function, what it started, and the guardian
        if killed:
            owner.kill()
        else:
            owner.stdin.write("\n")
            owner.stdin.flush()
            assert owner.stdout.readline() == "closed\n"
        for process in processes:
            assert select.select([process], [], [], PATIENCE if killed else 0)[0], "still alive"
            os.close(process)
        assert marked(mark) == ([] if killed else [owner.pid])


def test_it_ends_with_the_lab_and_says_so_when_it_is_asked() -> None:
    with Lab() as lab:
        host = lab.host("a")
        worker = host.spawn(lambda worker: worker.cues.take())
        end = os.pidfd_open(worker.pid)
    assert select.select([end], [], [], 0)[0], "still alive"
    os.close(end)
    assert worker.status == -signal.SIGKILL
    for ask in (lambda: worker.told, worker.cues.take, lambda: worker.cues.give("go"), lambda: worker.join(1)):
        with pytest.raises(KernelError, match="it is closed, or the lab that it belongs to"):
            ask()
    with pytest.raises(KernelError, match="act in a lab: it is closed"):
        host.spawn(lambda worker: None)
    worker.close()


def test_it_outlives_the_thread_that_started_it(host: Host) -> None:
    started: list[Worker] = []
    thread = threading.Thread(target=lambda: started.append(host.spawn(lambda worker: worker.cues.take())))
    thread.start()
    thread.join()
    with started[0] as worker:
        worker.cues.give("on")
        worker.join(PATIENCE)
        assert worker.status == 0


def test_python_has_no_warning_of_it(host: Host) -> None:
    """From 3.12 on, it has one of fork in a process of several threads, as one with a lab is."""
    host.run(["true"], check=True)  # by a thread of the lab
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        with host.spawn(lambda worker: worker.tell(str(warnings.filters[0][0]))) as worker:
            worker.join(PATIENCE)
            assert worker.told == ["always"]  # and nothing is kept from the function, either
        Namespace(untrusted=True).close()
    assert given == []


def test_a_lab_whose_first_process_was_killed_says_so() -> None:
    with Lab() as lab:
        host = lab.host("a")
        host.run(["true"], check=True)
        (guardian,) = [pid for pid in children() if numbers_of(pid)[-1] == 1]
        end = os.pidfd_open(guardian)
        os.kill(guardian, signal.SIGKILL)
        assert select.select([end], [], [], PATIENCE)[0]
        os.close(end)
        for start in (lambda: host.run(["true"]), lambda: host.spawn(lambda worker: None)):
            with pytest.raises(KernelError, match="the lab's first process was killed"):
                start()


def children() -> list[int]:
    return [
        int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]
