"""Labs without root, truly as nobody: another uid, no home, no privileges."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import require
from unprivileged import run_as_nobody, script

pytestmark = pytest.mark.root  # to become nobody

REEXEC = """
import os, sys
from rawkit.netns import Lab, reexec_in_user_namespace
pid = os.getpid()
print("start", sys.argv[1:], flush=True)
reexec_in_user_namespace()
with Lab() as lab:
    a, b = lab.hosts("a", "b")
    r, s = lab.router("r"), lab.switch("s")
    lab.link(a, s)
    lab.link(s, r)
    lab.link(r, b)
    for version in (4, 6):
        a.run(["ping", "-n", "-c", "1", "-W", "10", str(b.address(version))], check=True, stdout=-3)
    with a:
        pass
print("done", flush=True)
"""

REFUSED = """
from rawkit.errors import NotPermittedError
from rawkit.link import PacketSocket, RawIPv4Socket, RawIPv6Socket
from rawkit.netns import Lab
for what in (Lab, RawIPv4Socket, RawIPv6Socket, lambda: PacketSocket("lo")):
    try:
        what()
    except NotPermittedError as error:
        print(error.errno, error)
"""


def test_a_command_starts_itself_again_where_it_may(tmp_path: Path) -> None:
    require("ping")
    done = run_as_nobody(script(tmp_path, REEXEC), "an argument", "--option")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["start ['an argument', '--option']"] * 2 + ["done"]


def test_a_script_that_cannot_be_read_again_says_so() -> None:
    done = run_as_nobody("-", input=REEXEC)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["start []"]
    assert "the script came from standard input; put it into a file" in done.stderr.splitlines()[-1]


def test_without_that_the_error_says_what_to_do(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, REFUSED))
    assert done.returncode == 0, done.stderr
    lab, *sockets = done.stdout.splitlines()
    assert "CAP_SYS_ADMIN" in lab
    assert "reexec_in_user_namespace" in lab
    assert len(sockets) == 3
    assert all("CAP_NET_RAW: run as root" in line for line in sockets)


CHECKS = """
from rawkit.netns import check_machine
for check in check_machine():
    print(check)
"""


def test_the_remedies_of_the_checks_can_be_typed(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, CHECKS))
    assert done.returncode == 0, done.stderr
    failed = [line for line in done.stdout.splitlines() if "ok=False" in line]
    for name in ("raw IPv4 sockets", "raw IPv6 sockets", "packet sockets", "namespaces as this user"):
        (line,) = (line for line in failed if f"name={name!r}" in line)
        assert "detail='not permitted to " in line
        assert "(unshare -rn rawkit doctor)" in line
    assert "reexec" not in done.stdout
