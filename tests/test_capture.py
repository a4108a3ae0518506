"""`rawkit capture` as a user runs it: beside tcpdump, to the last packet, whatever ends it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from programs import require
from scapy.utils import RawPcapReader
from unprivileged import run_as_nobody, script

from rawkit import Record, open_capture
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab
from rawkit.pcap import summarize

pytestmark = pytest.mark.root

RAWKIT = [sys.executable, "-m", "rawkit"]
PATIENCE = 60
OURS = "ether proto 0x88b5"
A, B = bytes.fromhex("020000000100"), bytes.fromhex("020000000200")
TYPE = b"\x88\xb5"  # for experiments (IEEE 802)
USER = 12345


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    """Two hosts with two links between them."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        lab.link(a, b)
        yield a, b


def send(host: Host, *frames: bytes, interface: str = "eth0") -> None:
    with host.open(PacketSocket, interface, protocol=0) as link:
        link.send_many(frames)


def numbered(count: int, size: int = 100, first: int = 0) -> list[bytes]:
    return [B + A + TYPE + number.to_bytes(4) + bytes(size) for number in range(first, first + count)]


def records(file: Path) -> list[Record]:
    with open_capture(file) as capture:
        return list(capture)


def data_in(*files: Path) -> list[bytes]:
    return [record.data for file in files for record in records(file)]


@contextmanager
def capturing(host: Host, *arguments: object, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A capture that listens by now."""
    command = [*RAWKIT, "capture", *map(str, arguments)]
    with host.popen(command, stderr=subprocess.PIPE, **options) as capture:
        line = capture.stderr.readline()
        assert b"listening" in line, line
        try:
            yield capture
        finally:
            if capture.poll() is None:
                capture.kill()


def end(capture: subprocess.Popen[Any], how: signal.Signals = signal.SIGINT, code: int = 0) -> list[str]:
    """End a capture, and give the lines that it says then."""
    capture.send_signal(how)
    return said_by(capture, code)


def said_by(capture: subprocess.Popen[Any], code: int = 0) -> list[str]:
    said = capture.stderr.read().decode().splitlines()
    assert capture.wait(PATIENCE) == code, said
    return said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["x.pcapng", "x.pcap"])
def test_it_captures_what_tcpdump_does_to_the_last_packet(
    hosts: tuple[Host, ...], tmp_path: Path, how: signal.Signals, name: str
) -> None:
    require("tcpdump")
    a, b = hosts
    sent = [*numbered(2000), *numbered(10, size=1400), B + A + b"\x81\x00\x20\x05" + TYPE + b"tagged"]
    match = f"{OURS} or vlan"
    command = ["tcpdump", "-Z", "root", "-i", "eth0", "--nano", "-U", "-w", "-", "-c", str(len(sent)), match]
    with (
        capturing(b, "-i", "eth0", "-f", match, "-w", tmp_path / name) as capture,
        b.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tcpdump,
    ):
        assert b"listening" in tcpdump.stderr.readline()
        send(a, *sent)
        theirs = list(RawPcapReader(io.BytesIO(tcpdump.communicate(timeout=PATIENCE)[0])))
        # At once: what the kernel still holds in an unfinished block belongs to it as well.
        assert end(capture, how) == [f"{len(sent)} captured, {len(sent)} received, 0 dropped by the kernel"]
    ours = records(tmp_path / name)
    assert [record.data for record in ours] == [data for data, _ in theirs] == sent
    assert [record.time_ns for record in ours] == [at.sec * 10**9 + at.usec for _, at in theirs]


def test_several_interfaces_and_what_each_counted(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("tshark", "capinfos")
    a, b = hosts
    file = tmp_path / "x.pcapng"
    with capturing(b, "-i", "eth1", "-i", "eth0", "-i", "eth1", "-f", OURS, "-w", file) as capture:
        send(a, *numbered(3))
        send(a, *numbered(2, first=3), interface="eth1")
        assert end(capture) == [
            "eth1: 2 captured, 2 received, 0 dropped by the kernel",
            "eth0: 3 captured, 3 received, 0 dropped by the kernel",
            "5 captured, 5 received, 0 dropped by the kernel",
        ]
    seen = [(record.interface.name, record.data) for record in records(file) if record.interface]
    assert sorted(seen) == [
        *(("eth0", frame) for frame in numbered(3)),
        *(("eth1", frame) for frame in numbered(2, first=3)),
    ]
    assert [
        (dict(each.options)["if_name"], each.packets, each.statistics["isb_ifrecv"], each.statistics["isb_ifdrop"])
        for each in summarize(file).interfaces
    ] == [("eth1", 2, 2, 0), ("eth0", 3, 3, 0)]
    fields = ["tshark", "-r", str(file), "-T", "fields", "-e", "frame.interface_name"]
    read = subprocess.run(fields, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(read) == ["eth0"] * 3 + ["eth1"] * 2
    theirs = subprocess.run(["capinfos", str(file)], capture_output=True, text=True, check=True).stdout
    assert "Number of interfaces in file: 2" in theirs


def test_any_is_every_interface_and_loopback_once(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("ping")
    a, b = hosts
    file = tmp_path / "x.pcapng"
    with capturing(b, "-i", "any", "-f", f"{OURS} or icmp", "-c", "5", "-w", file) as capture:
        send(a, *numbered(1))
        send(a, *numbered(2), interface="eth1")
        b.run(["ping", "-n", "-c", "1", "127.0.0.1"], check=True, stdout=subprocess.DEVNULL)
        said = said_by(capture)
    assert said[-1] == "5 captured, 5 received, 0 dropped by the kernel"
    names = [record.interface.name for record in records(file) if record.interface]
    assert sorted(names) == ["eth0", "eth1", "eth1", "lo", "lo"]


def test_snaplen_and_a_count_that_is_less_than_what_came(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    a, b = hosts
    file = tmp_path / "x.pcapng"
    with capturing(b, "-i", "eth0", "-f", OURS, "-s", "20", "-c", "7", "-w", file) as capture:
        send(a, *numbered(100))
        assert said_by(capture)[-1].startswith("7 captured, ")
    ours = records(file)
    assert [record.data for record in ours] == [frame[:20] for frame in numbered(7)]
    assert {(record.wire_length, record.interface.snaplen) for record in ours if record.interface} == {(118, 20)}


def test_duration_ends_it(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    with capturing(hosts[1], "-i", "eth0", "-f", OURS, "--duration", "0.3", "-w", tmp_path / "x.pcap") as capture:
        assert said_by(capture) == ["0 captured, 0 received, 0 dropped by the kernel"]
    assert records(tmp_path / "x.pcap") == []


def test_a_reader_that_stops_loses_packets_and_says_how_many(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    a, b = hosts
    file = tmp_path / "x.pcapng"
    sent = numbered(3000, size=1000)
    with capturing(b, "-i", "eth0", "-f", OURS, "-B", "1024", "-w", file) as capture:
        capture.send_signal(signal.SIGSTOP)
        send(a, *sent)
        capture.send_signal(signal.SIGCONT)
        (said,) = end(capture)
    captured, received, dropped = (int(part.split()[0]) for part in said.split(", "))
    assert received == len(sent)
    assert dropped > 0
    kept = data_in(file)
    assert len(kept) == captured == received - dropped
    # Not always the first ones: on a busy machine the last frames arrive once the capture goes on.
    assert kept == [frame for frame in sent if frame in set(kept)]
    assert summarize(file).drops == dropped


# ---------------------------------------------------------------------- files


def test_rotation_by_size_keeps_the_last_files_each_of_them_whole(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("capinfos")
    a, b = hosts
    file = tmp_path / "x.pcapng"
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    tmp_path.chmod(0o777)
    sent = numbered(1000)
    with capturing(b, "-i", "eth0", "-f", OURS, "-C", "16K", "-W", "3", "-w", file) as capture:
        send(a, *sent)
        assert end(capture) == ["1000 captured, 1000 received, 0 dropped by the kernel"]
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    numbers = [int(path.stem.split("_")[1]) for path in files]
    assert numbers == list(range(numbers[-1] - 2, numbers[-1] + 1))
    kept = data_in(*files)
    assert kept == sent[-len(kept) :]
    assert all(path.stat().st_size <= 16 * 1024 + 100 for path in files)
    assert all(path.stat().st_size > 12 * 1024 for path in files[:-1])
    for path in files:
        assert summarize(path).interfaces[0].drops == 0
        subprocess.run(["capinfos", str(path)], check=True, stdout=subprocess.DEVNULL)


def test_files_belong_to_the_user_who_called_for_root(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    a, b = hosts
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, USER, USER)
    environment = os.environ | {"SUDO_UID": str(USER), "SUDO_GID": str(USER)}
    arguments = ("-i", "eth0", "-f", OURS, "-C", "4K", "-w", folder / "x.pcapng")
    with capturing(b, *arguments, env=environment) as capture:
        status = Path(f"/proc/{capture.pid}/status").read_text().split("\n")
        assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}" in status
        assert "CapEff:\t0000000000000000" in status
        send(a, *numbered(200))
        end(capture)
    files = sorted(folder.iterdir())
    assert len(files) > 3
    assert data_in(*files) == numbered(200)
    assert {path.stat().st_uid for path in files} == {USER}


def test_root_itself_gets_its_file_anywhere_but_no_rotation_where_nobody_may_write(
    hosts: tuple[Host, ...], tmp_path: Path
) -> None:
    a, b = hosts
    tmp_path.chmod(0o700)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO")}
    with capturing(b, "-i", "eth0", "-c", "1", "-f", OURS, "-w", tmp_path / "x.pcap", env=environment) as capture:
        status = Path(f"/proc/{capture.pid}/status").read_text()
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        send(a, *numbered(1))
        said_by(capture)
    assert data_in(tmp_path / "x.pcap") == numbered(1)
    command = [*RAWKIT, "capture", "-i", "eth0", "-C", "1", "-w", str(tmp_path / "y.pcap")]
    done = b.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert done.returncode == 3
    assert "choose a folder that the user nobody may write to, or -Z root" in done.stderr
    assert done.stderr.count("\n") == 1
    options = ("-i", "eth0", "-f", OURS, "-C", "1", "-c", "1", "-Z", "root", "-w", tmp_path / "y.pcap")
    with capturing(b, *options, env=environment) as capture:
        status = Path(f"/proc/{capture.pid}/status").read_text()
        assert "Uid:\t0\t0\t0\t0" in status
        assert "CapEff:\t0000000000000000" in status
        send(a, *numbered(1))
        said_by(capture)
    assert [data_in(path) for path in tmp_path.glob("y_*.pcap")] == [numbered(1)]


def test_nothing_is_written_through_a_link(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    b = hosts[1]
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "x.pcap").symlink_to(victim)
    command = [*RAWKIT, "capture", "-i", "eth0", "-c", "1", "-w", str(tmp_path / "x.pcap")]
    done = b.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 3
    assert "symbolic link" in done.stderr
    assert victim.read_text() == "precious"


def test_a_full_disk_keeps_what_was_captured_and_says_so(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    a, b = hosts
    file = tmp_path / "x.pcap"
    command = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *RAWKIT, "capture", "-i", "eth0", "-f", OURS]
    with b.popen([*command, "-w", str(file)], stderr=subprocess.PIPE) as capture:
        assert b"listening" in capture.stderr.readline()
        captured = 0
        while capture.poll() is None:
            send(a, *numbered(10, first=captured))
            captured += 10
        said = said_by(capture, code=3)
    assert said[-1].startswith(f"rawkit: write {file}: ")
    told = int(said[0].split()[0])
    assert 0 < told < captured
    assert data_in(file) == numbered(told)


def test_a_reader_that_goes_away_ends_it_with_the_count(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with capturing(b, "-i", "eth0", "-f", OURS, "-w", "-", stdout=subprocess.PIPE) as capture:
        capture.stdout.close()
        while capture.poll() is None:
            send(a, *numbered(1))
        said = said_by(capture, code=3)
    assert said[0].endswith("dropped by the kernel")
    assert said[1:] == ["rawkit: write standard output: the program that was reading the pipe has ended"]


def test_tshark_reads_the_pipe_while_it_is_written(hosts: tuple[Host, ...]) -> None:
    require("tshark")
    a, b = hosts
    with capturing(b, "-i", "eth0", "-f", OURS, "-w", "-", stdout=subprocess.PIPE) as capture:
        reader = ["tshark", "-l", "-n", "-i", "-", "-T", "fields", "-e", "eth.src", "-e", "frame.len"]
        with subprocess.Popen(
            reader, stdin=capture.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as tshark:
            for size in (10, 500):
                send(a, *numbered(1, size=size))
                assert tshark.stdout
                assert tshark.stdout.readline() == f"02:00:00:00:01:00\t{size + 18}\n"
            end(capture)
            capture.stdout.close()


# ---------------------------------------------------------------------- what goes wrong


def test_an_interface_that_goes_away_ends_it_with_all_that_came(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("ip")
    a, b = hosts
    file = tmp_path / "x.pcapng"
    with capturing(b, "-i", "eth0", "-f", OURS, "-w", file) as capture:
        send(a, *numbered(5))
        a.run(["ip", "link", "delete", "eth0"], check=True)
        said = said_by(capture, code=3)
    assert said[0] == "5 captured, 5 received, 0 dropped by the kernel"
    assert said[1:] == ["rawkit: receive on eth0: the interface is down or gone; bring it up, then try again"]
    assert data_in(file) == numbered(5)


def test_it_goes_on_with_the_interfaces_that_are_left(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("ip")
    a, b = hosts
    file = tmp_path / "x.pcapng"
    with capturing(b, "-i", "eth0", "-i", "eth1", "-f", OURS, "-w", file) as capture:
        send(a, *numbered(5))
        a.run(["ip", "link", "delete", "eth0"], check=True)
        assert capture.stderr.readline().decode().endswith("try again; going on without it\n")
        send(a, *numbered(2, first=5), interface="eth1")
        said = end(capture)
    assert said[-1] == "7 captured, 7 received, 0 dropped by the kernel"
    assert data_in(file) == numbered(7)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-i", "eth0", "-i", "nosuch0"], 3, "rawkit interfaces"),
        (["-i", "eth0", "-W", "3", "-w", "x.pcap"], 2, "give -C SIZE or -G SECONDS"),
        (["-i", "eth0", "-C", "3"], 2, "-w FILE"),
        (["-i", "eth0", "-C", "3", "-w", "-"], 2, "-w FILE"),
        (["-i", "eth0", "-C", "3T", "-w", "x.pcap"], 2, "is no size"),
        (["-i", "eth0", "-C", "0", "-w", "x.pcap"], 2, "is no size"),
        (["-i", "eth0", "-G", "nan", "-w", "x.pcap"], 2, "no number of seconds"),
        (["-i", "eth0", "--duration", "0"], 2, "duration"),
        (["-i", "eth0", "-i", "eth1", "-f", "foo bar"], 2, "pcap-filter"),
        (["-i", "eth0", "-s", "0"], 2, "snaplen"),
    ],
)
def test_wrong_arguments_get_one_line(
    hosts: tuple[Host, ...], tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    command = [*RAWKIT, "capture", *arguments]
    done = hosts[1].run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("rawkit: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


NOT_PERMITTED = """
import subprocess, sys
done = subprocess.run([sys.executable, "-m", "rawkit", "capture", "-i", "lo"], capture_output=True, text=True)
print(done.returncode, done.stderr, end="")
"""

ROOTLESS = f"""
import subprocess, sys
from rawkit.link import PacketSocket
from rawkit.netns import Lab, reexec_in_user_namespace
reexec_in_user_namespace()
with Lab() as lab:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    command = [sys.executable, "-m", "rawkit", "capture", "-i", "eth0", "-f", {OURS!r}, "-c", "1"]
    command += ["-w", sys.argv[1]]
    with b.popen(command, stderr=subprocess.PIPE, text=True) as capture:
        capture.stderr.readline()
        with a.open(PacketSocket, "eth0", protocol=0) as sender:
            sender.send({B + A + TYPE!r})
        print(capture.stderr.read(), end="")
"""


def test_no_permission_is_one_line(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, NOT_PERMITTED))
    assert done.stdout.startswith("3 rawkit: open lo: needs CAP_NET_RAW: run as root"), done.stderr
    assert done.stdout.count("\n") == 1


def test_rootless_in_a_user_namespace(tmp_path: Path) -> None:
    tmp_path.joinpath("out").mkdir()
    tmp_path.joinpath("out").chmod(0o777)
    file = tmp_path / "out" / "x.pcapng"
    done = run_as_nobody(script(tmp_path, ROOTLESS), str(file))
    assert done.stdout == "1 captured, 1 received, 0 dropped by the kernel\n", done.stderr
    assert data_in(file) == [B + A + TYPE]
    assert file.stat().st_uid == 65534
