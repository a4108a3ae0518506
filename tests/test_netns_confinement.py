"""Programs that are not trusted: bounded, unable to leave, and gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from remains import MARK, marked

from rawkit.errors import FieldError
from rawkit.lab import Bounds, Outcome, run_confined
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

PATIENCE = 60.0


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        host = lab.host("you", untrusted=True)
        lab.link(host, lab.host("other"))
        yield host


def outcome(host: Host, *command: str, seconds: float = PATIENCE, **bounds: int) -> Outcome:
    mark = f"confined-{os.getpid()}"
    found = run_confined(host, command, {MARK: mark}, Bounds(seconds=seconds, **bounds))
    assert marked(mark) == []
    return found


def test_output_and_status_are_kept(host: Host) -> None:
    done = outcome(host, "sh", "-c", "echo hello; exit 3")
    assert (done.output, done.status, done.stopped) == (b"hello\n", 3, "")


def test_it_runs_in_the_host_s_network(host: Host) -> None:
    inside = outcome(host, "stat", "-L", "-c", "%i", "/proc/self/ns/net").output
    assert int(inside) == os.fstat(host.fileno()).st_ino


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["sleep", "1000"], "it took longer than 0.5 seconds"),
        (["sh", "-c", "sleep 1000 & exec sleep 1000"], "it took longer than 0.5 seconds"),
        (["yes"], "it wrote more than 1 MiB"),
    ],
)
def test_what_never_ends_is_stopped(host: Host, command: list[str], why: str) -> None:
    done = outcome(host, *command, seconds=0.5)
    assert (done.status, done.stopped) == (None, why)


def test_what_forks_without_end_is_stopped(host: Host) -> None:
    program = (
        "import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(1)"
    )
    done = outcome(host, sys.executable, "-c", program, processes=50)
    assert (done.status, done.stopped) == (None, "it had 50 processes")


def test_all_processes_together_have_bounded_memory(host: Host) -> None:
    program = (
        "import os, time; os.fork(); os.fork(); kept = bytearray(os.urandom(1)) * 60_000_000; time.sleep(1000)"
    )
    done = outcome(host, sys.executable, "-c", program, memory=150_000_000)
    assert (done.status, done.stopped) == (None, "it took 143 MiB of memory")


def test_the_machine_keeps_some_memory(host: Host) -> None:
    done = outcome(host, "sleep", "1000", spare=1)
    assert (done.status, done.stopped) == (None, "it left the machine almost no memory")


SHARED = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.shmget(0, 1 << 20, 0o1600) >= 0, libc.shmget(0, 1 << 27, 0o1600) >= 0)
"""


def test_shared_memory_is_bounded_and_ends_with_it(host: Host) -> None:
    before = Path("/proc/sysvipc/shm").read_text()
    assert outcome(host, sys.executable, "-c", SHARED).output == b"True False\n"
    assert Path("/proc/sysvipc/shm").read_text() == before


def test_one_process_has_bounded_memory(host: Host) -> None:
    done = outcome(host, sys.executable, "-c", "bytearray(200_000_000)", memory=150_000_000)
    assert (done.status, done.stopped) == (1, "")


def test_what_closes_its_output_is_waited_for(host: Host) -> None:
    done = outcome(host, "sh", "-c", "exec >&- 2>&-; sleep 1000", seconds=1.5)
    assert done.stopped == "it took longer than 1.5 seconds"


def test_a_disk_is_not_filled(host: Host, tmp_path: Path) -> None:
    file = f"'{tmp_path}'/file"
    one = outcome(host, "sh", "-c", f"exec head -c 10000000 /dev/zero > {file}", file=1_000_000)
    assert one.status != 0
    assert (tmp_path / "file").stat().st_size <= 1_000_000


def test_what_it_leaves_in_the_background_ends_with_it(host: Host) -> None:
    assert outcome(host, "sh", "-c", "(setsid sleep 1000 &) ; echo started").output == b"started\n"


@pytest.mark.parametrize(
    "program", ["nsenter --net=/proc/1/ns/net true", "unshare -m true", "mount -t tmpfs none /mnt"]
)
def test_it_cannot_leave_nor_change_the_machine(host: Host, program: str) -> None:
    assert outcome(host, "sh", "-c", f"{program} 2>/dev/null").status != 0


def test_it_can_do_what_packets_take(host: Host) -> None:
    program = (
        "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); socket.socket(2, 3, 255); print('yes')"
    )
    assert outcome(host, sys.executable, "-c", program).output == b"yes\n"


REACHING = """
import socket, struct
from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError
with IPRoute() as route:
    (there,) = {link.get("link_netnsid") for link in route.get_links()} - {None}
    for what in (
        {"ifname": "v0", "kind": "veth", "peer": {"ifname": "v1", "net_ns_pid": 1}},
        {"ifname": "m0", "kind": "macvlan", "link": 2, "link_netnsid": there},
    ):
        try:
            route.link("add", **what)
            print("added", what)
        except NetlinkError as error:
            print(error.code)
    route.link("add", ifname="own", kind="veth", peer={"ifname": "peer"})
    route.link("del", ifname="own")

def asked(kind, flags, message):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(message), kind, flags | 1, 1, 0) + message)
        answer = netlink.recv(65536)
    kind, = struct.unpack_from("=4xH", answer)
    return -struct.unpack_from("=i", answer, 16)[0] if kind in (2, 3) else f"answered: {kind}"  # ERROR, DONE

target = struct.pack("=HHi", 8, 46, there)  # IFLA_TARGET_NETNSID
print(asked(18, 0, struct.pack("=BxHiII", 0, 0, 2, 0, 0) + target))  # RTM_GETLINK
print(asked(18, 0x300, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + target))  # a dump
print(asked(16, 4, struct.pack("=BxHiII", 0, 0, 2, 0, 1) + target))  # RTM_NEWLINK, to take it down
"""


def test_it_reaches_no_other_network_by_netlink(host: Host) -> None:
    """Neither the one of PID 1, which is the machine's, nor that at the other end of its link."""
    done = outcome(host, sys.executable, "-c", REACHING)
    assert done.status == 0
    assert done.output.split() == [b"1", b"1", b"13", b"13", b"1"]  # EPERM, EACCES


SOCKETS = """
import ctypes, errno, os, socket
for family in range(1, 50):
    try:
        socket.socket(family, socket.SOCK_RAW if family in (16, 17) else socket.SOCK_DGRAM).close()
        print(family)
    except OSError as error:
        assert error.errno in (errno.EAFNOSUPPORT, errno.ESOCKTNOSUPPORT), error
print(*socket.socketpair(), file=open(os.devnull, "w"))
ctypes.CDLL(None, use_errno=True).syscall(425, 8, ctypes.create_string_buffer(120))  # io_uring_setup(2)
assert ctypes.get_errno() == errno.ENOSYS
"""


def test_it_opens_no_sockets_that_know_no_namespaces(host: Host) -> None:
    """AF_VSOCK, among them, which the kernel of a virtual machine has (vsock(7))."""
    done = outcome(host, sys.executable, "-c", SOCKETS)
    assert done.status == 0
    assert {*map(int, done.output.split())} - {44} == {1, 2, 10, 16, 17}


def test_a_command_that_is_not_there(host: Host) -> None:
    with pytest.raises(FieldError, match="a program that can be started"):
        outcome(host, "no-such-program")
