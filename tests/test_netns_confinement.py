"""Programs that are not trusted: bounded, unable to leave, and gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from remains import MARK, marked

from rawkit.errors import FieldError, KernelError
from rawkit.lab import Bounds, Outcome, run_confined
from rawkit.lab.bounds import FLOODED
from rawkit.netns import Confinement, Host, Lab
from rawkit.netns.programs import kernel_version

pytestmark = pytest.mark.root

PATIENCE = 60.0


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        host = lab.host("you", untrusted=True)
        lab.link(host, lab.host("other"))
        yield host


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, the only one that commands may write."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def outcome(
    host: Host,
    *command: str,
    glance: Callable[[], None] = lambda: None,
    seconds: float = PATIENCE,
    **bounds: float,
) -> Outcome:
    """What comes of a command; `glance` is called whenever it is looked at."""

    def is_flooded() -> bool:
        glance()
        return False

    mark = f"confined-{os.getpid()}"
    within = Bounds(seconds=seconds)._replace(**bounds)
    found = run_confined(host, command, {MARK: mark}, within, is_flooded=is_flooded)
    assert marked(mark) == []
    return found


def python(host: Host, program: str, **options: float) -> Outcome:
    return outcome(host, sys.executable, "-c", program, **options)


def at_each(*actions: Callable[[], object]) -> Callable[[], None]:
    """One thing after the other, each at another glance."""
    left = iter(actions)
    return lambda: next(left, lambda: None)() and None


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
        (["yes"], "it wrote more than 1 MiB to its standard output"),
        (["sh", "-c", "exec yes >&2"], "it wrote more than 1 MiB to its standard error"),
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
    assert (done.status, done.stopped) == (None, "it had 50 processes and threads")


FORKS = """
import os, time
n = 0
try:
    while n < 500:
        if os.fork() == 0:
            time.sleep(1000)
        n += 1
except OSError:
    pass
print(n, flush=True)
"""


def test_the_kernel_gives_no_more_processes_however_late_anybody_looks(host: Host) -> None:
    """Numbers 3 to 349, as 1 is the guardian's and 2 that of the program (kernel/pid.c); from Linux 6.14 on."""
    with Confinement(host, 50) as confinement:
        command = [sys.executable, "-c", FORKS]
        program = confinement.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with program.stdout as out, program.stderr as errors:
            assert int(out.readline() or errors.read()) == (347 if kernel_version() >= (6, 14) else 500)


def test_programs_one_after_the_other_are_no_fork_bomb(host: Host) -> None:
    loop = "i=0; while [ $i -lt 700 ]; do /bin/true || exit 1; i=$((i + 1)); done; echo done"
    done = outcome(host, "sh", "-c", loop, processes=50)
    assert (done.output, done.status, done.stopped) == (b"done\n", 0, "")


def test_all_processes_together_have_bounded_memory(host: Host) -> None:
    program = (
        "import os, time; os.fork(); os.fork(); kept = bytearray(os.urandom(1)) * 60_000_000; time.sleep(1000)"
    )
    done = outcome(host, sys.executable, "-c", program, memory=150_000_000)
    assert (done.status, done.stopped) == (None, "it took 143 MiB of memory")


def test_threads_count_as_processes(host: Host) -> None:
    program = (
        "import threading, time\nfor _ in range(100): threading.Thread(target=time.sleep, args=[1000]).start()"
    )
    assert python(host, program, processes=50).stopped == "it had 50 processes and threads"


NAMELESS = """
import os, time
for _ in range(4):
    os.write(os.memfd_create("x"), bytes(50_000_000))
time.sleep(1000)
"""

UNMAPPED = """
import mmap, time
shared = mmap.mmap(-1, 200_000_000)
for _ in range(200):
    shared.write(bytes(1_000_000))
shared.madvise(mmap.MADV_DONTNEED)
time.sleep(1000)
"""

TOGETHER = """
import mmap, os
shared = mmap.mmap(-1, 80_000_000)
for _ in range(2):
    os.fork()
shared.write(bytes(80_000_000))
os.read(os.open("go", os.O_RDONLY), 1)
"""


@pytest.mark.parametrize("program", [NAMELESS, UNMAPPED])
def test_memory_that_is_not_mapped_is_bounded(host: Host, program: str) -> None:
    assert python(host, program, memory=150_000_000).stopped == "it took 143 MiB of memory"


def test_memory_that_processes_share_counts_once(host: Host, folder: Path) -> None:
    os.mkfifo(folder / "go")
    held: list[int] = []

    def go() -> None:
        held.append(os.open("go", os.O_RDWR))
        os.write(held[0], b"goes")

    taken = bytearray()
    done = outcome(
        host,
        sys.executable,
        "-c",
        TOGETHER,
        glance=at_each(lambda: taken.extend(bytes(10**8)), *[list] * 20, go),
        memory=150_000_000,
    )
    os.close(held[0])
    assert (done.status, done.stopped) == (0, "")


@pytest.mark.parametrize(("share", "why"), [(0.001, "it left the machine almost no memory"), (0.5, "")])
def test_the_machine_keeps_some_memory(host: Host, share: float, why: str) -> None:
    """Unless others have it."""
    program = "import time; kept = bytearray(b'x') * 60_000_000; time.sleep(2)"
    assert python(host, program, spare=1, share=share).stopped == why


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


def test_a_file_has_bounded_size(host: Host, folder: Path) -> None:
    done = outcome(host, "sh", "-c", "exec head -c 10000000 /dev/zero > file", file=1_000_000)
    assert done.status != 0
    assert (folder / "file").stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("head -c 12M /dev/zero > a; head -c 12M /dev/zero > b", "it filled 16 MiB of disk"),
        ("exec 3> a; rm a; head -c 24M /dev/zero >&3", "it filled 16 MiB of disk"),
        ("mkdir a; cd a; seq 1000 | xargs touch", "it made 1,000 files"),
    ],
)
def test_a_disk_is_not_filled(host: Host, command: str, why: str) -> None:
    done = outcome(host, "sh", "-c", f"{command}; sleep 1000", disk=16 << 20, files=1000)
    assert done.stopped == why


def test_what_others_write_is_no_fault_of_its(host: Host, folder: Path) -> None:
    os.mkfifo(folder / "go")
    others = folder.parent / "others"
    done = outcome(
        host,
        "sh",
        "-c",
        "read word < go",
        glance=at_each(
            lambda: others.write_bytes(bytes(32 << 20)), list, lambda: (folder / "go").write_text("go\n")
        ),
        disk=16 << 20,
    )
    others.unlink()
    assert (done.status, done.stopped) == (0, "")


def test_it_writes_its_working_folder_and_nothing_else(
    host: Host, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence, modules = folder / "state/rawkit/lab", folder / "modules"
    modules.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.syspath_prepend(modules)
    (tmp_path / "beside").write_text("as it was")
    closed = (evidence, modules, Path(sys.prefix), Path(__file__).parent, Path("/etc"), Path("/dev"), Path("/sys"))
    tries = "; ".join(f"echo x > '{each}'/planted-by-a-test" for each in closed)
    tries += "; mv state moved; mv state/rawkit moved; rm -r modules"
    done = outcome(host, "sh", "-c", f"cat ../beside; echo x > ../beside; {tries}; echo x > here; cat ../beside")
    assert done.output == b"as it wasx\n"  # it can change a copy, in memory
    assert (folder / "here").read_text() == "x\n"
    assert (tmp_path / "beside").read_text() == "as it was"
    assert all(each.exists() for each in closed)
    assert not any((each / "planted-by-a-test").exists() for each in closed)


def test_a_folder_of_evidence_is_not_for_writing(
    host: Host, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    evidence = folder / "rawkit/lab/alice"
    evidence.mkdir(parents=True)
    monkeypatch.chdir(evidence)
    outcome(host, "sh", "-c", "echo x > mine")
    assert not (evidence / "mine").exists()


@pytest.mark.parametrize("where", ["/tmp", "/var/tmp", "/dev/shm", "/run"])
def test_files_in_memory_are_bounded_and_end_with_it(host: Host, where: str) -> None:
    file = f"{where}/rawkit-test-{os.getpid()}"
    done = outcome(host, "sh", "-c", f"head -c 100M /dev/zero > {file}; stat -c %s {file}", file=1 << 30)
    assert int(done.output) == 64 << 20
    assert not Path(file).exists()


def test_it_has_few_devices_and_no_terminals(host: Host) -> None:
    listed = outcome(host, "sh", "-c", "ls /dev /dev/pts; echo x > /dev/null && head -c 3 /dev/zero").output
    names, _, zeros = listed.rpartition(b"\n")
    assert zeros == bytes(3)
    devices = "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero"
    assert names.decode().split() == ["/dev:", *devices.split(), "/dev/pts:", "ptmx"]


def test_a_working_folder_that_is_removed_is_no_error(host: Host, folder: Path) -> None:
    done = outcome(host, "sleep", "1", glance=at_each(folder.rmdir))
    assert (done.status, done.stopped) == (0, "")
    with pytest.raises(FieldError, match="a working folder that is there"):
        outcome(host, "true")


def test_it_is_told_when_somebody_else_ends_its_namespace(host: Host) -> None:
    def kill() -> None:
        children = [file.read_text().split() for file in Path("/proc/self/task").glob("*/children")]
        (guardian,) = [
            int(child) for child in chain(*children) if b"_guardian" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        os.kill(guardian, signal.SIGKILL)

    with pytest.raises(KernelError, match="a process of the lab was killed"):
        outcome(host, "sleep", "1000", glance=at_each(kill))


def test_it_cannot_end_its_namespace_itself(host: Host) -> None:
    done = outcome(host, "sh", "-c", "kill -INT 1; kill -KILL 1; sleep 1000", seconds=1.5)
    assert done.stopped == "it took longer than 1.5 seconds"


FLOOD = """
import socket, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
for _ in range(21_000):
    link.send(bytes(60))
time.sleep(1000)
"""


def test_a_flood_is_seen_in_the_host_s_counters(host: Host) -> None:
    assert python(host, FLOOD).stopped == FLOODED


def test_what_it_leaves_in_the_background_ends_with_it(host: Host) -> None:
    assert outcome(host, "sh", "-c", "(setsid sleep 1000 &) ; echo started").output == b"started\n"


@pytest.mark.parametrize(
    "program",
    [
        "nsenter --net=/proc/1/ns/net true",
        "unshare -m true",
        "unshare -U true",
        "unshare -Urp --fork true",
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /",
        "umount /tmp",
    ],
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
for kind in range(1, 6):
    try:
        socket.socketpair(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK)
        print("pair", kind)
    except OSError as error:
        assert error.errno == errno.EAFNOSUPPORT, error
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(425, 8, ctypes.create_string_buffer(120))  # io_uring_setup(2)
assert ctypes.get_errno() == errno.ENOSYS
ctypes.set_errno(0)
libc.syscall({"x86_64": 250}.get(os.uname().machine, 219), 0, -3, 0)  # keyctl(2)
assert ctypes.get_errno() == errno.ENOSYS
"""


def test_it_opens_no_sockets_that_know_no_namespaces(host: Host) -> None:
    """AF_VSOCK, among them, which the kernel of a virtual machine has (vsock(7)), and AF_UNIX."""
    done = outcome(host, sys.executable, "-c", SOCKETS)
    assert done.status == 0
    families, pairs = done.output.split(b"pair", 1)
    assert {*map(int, families.split())} - {44} == {2, 10, 16, 17}
    assert pairs.split() == [b"1", b"pair", b"5"]  # SOCK_STREAM and SOCK_SEQPACKET


def test_a_command_that_is_not_there(host: Host) -> None:
    with pytest.raises(FieldError, match="a program that can be started"):
        outcome(host, "no-such-program")
