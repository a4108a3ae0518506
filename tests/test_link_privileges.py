"""Privileges are gone once dropped, by the kernel's own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.root

DROP = """
import fcntl, json, os, socket, struct, sys
from pathlib import Path
from rawkit.errors import NotPermittedError
from rawkit.link import PacketSocket, drop_privileges
from rawkit.netns import Namespace
Namespace().__enter__()  # and no lab, which has a thread
with socket.socket() as control:
    fcntl.ioctl(control, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP: netdevice(7)
link = PacketSocket("lo")
told = drop_privileges()
link.send(bytes(60))
assert link.receive(30).data == bytes(60)
try:
    PacketSocket("lo")
except NotPermittedError:
    pass
else:
    sys.exit("a second socket was opened")
try:
    os.setuid(0)
except PermissionError:
    pass
else:
    if told.uid:
        sys.exit("became root again")
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps({"told": told, **{key: value.split() for key, value in status.items()}}))
"""

WITH_A_THREAD = """
import threading
from rawkit.errors import KernelError
from rawkit.link import drop_privileges
done = threading.Event()
thread = threading.Thread(target=done.wait)
thread.start()
try:
    drop_privileges()
except KernelError as error:
    print(error)
finally:
    done.set()
    thread.join()
"""

IN_A_USER_NAMESPACE = "from rawkit.netns.user import enter_user_namespace\nenter_user_namespace()\n" + DROP


def run(script: str, **environment: str) -> str:
    clean = {key: value for key, value in os.environ.items() if key not in ("SUDO_UID", "PKEXEC_UID", "DOAS_USER")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("environment", "uid", "gid", "groups"),
    [
        ({"SUDO_UID": "1", "SUDO_GID": "1"}, "1", "1", ["1"]),
        ({"SUDO_UID": "54321"}, "54321", "54321", []),
        ({}, "65534", "65534", ["65534"]),
    ],
)
def test_everything_is_given_up(environment: dict[str, str], uid: str, gid: str, groups: list[str]) -> None:
    status = json.loads(run(DROP, **environment))
    assert status["Uid"] == [uid] * 4
    assert status["Gid"] == [gid] * 4
    assert status["Groups"] == groups
    assert status["told"] == [int(uid), int(gid), [int(group) for group in groups]]
    assert all(int(status[name][0], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == ["1"]


def test_in_a_user_namespace_the_capabilities_go() -> None:
    status = json.loads(run(IN_A_USER_NAMESPACE, SUDO_UID="1"))
    assert status["told"][0] == 0
    assert all(int(status[name][0], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))


def test_a_thread_that_keeps_privileges_is_an_error() -> None:
    assert "NoNewPrivs; drop them before threads are started" in run(WITH_A_THREAD)
