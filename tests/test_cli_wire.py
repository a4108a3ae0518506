"""The commands that touch the wire, run as a user would, between hosts of a lab."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import require
from terminal import Terminal
from unprivileged import run_as_nobody

from rawkit import ARP, UDP, Ethernet, ICMPv4Echo, IPv4, open_capture
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab
from rawkit.views import read_expression

pytestmark = pytest.mark.root

RAWKIT = [sys.executable, "-m", "rawkit"]
PATIENCE = 60


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        yield a, b


def rawkit(host: Host, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = host.run([*RAWKIT, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, done.stderr
    if code > 1:
        assert done.stderr.startswith("rawkit: ")
        assert done.stderr.count("\n") == 1
    return done


def as_told(name: str, local: str, prefixlen: int, scope: str, family: str, **_: object) -> str:
    """An address of `ip -j addr`; a link-local one is told with its interface."""
    return f"{local}%{name}/{prefixlen}" if (family, scope) == ("inet6", "link") else f"{local}/{prefixlen}"


def await_size(file: Path, size: int) -> None:
    """Wait until the file, which another process writes, has so many bytes."""
    deadline = time.monotonic() + PATIENCE
    while file.stat().st_size < size:
        assert time.monotonic() < deadline, f"{file.stat().st_size} of {size} bytes after {PATIENCE} s"
        time.sleep(0.005)


def test_interfaces_are_those_that_ip_lists(hosts: tuple[Host, ...]) -> None:
    require("ip")
    told = json.loads(hosts[0].run(["ip", "-j", "addr"], capture_output=True, check=True).stdout)
    listed = [json.loads(line) for line in rawkit(hosts[0], "interfaces", "--format", "json").stdout.splitlines()]
    assert [(each["name"], each["mtu"], each["mac"]) for each in listed] == [
        (each["ifname"], each["mtu"], each["address"]) for each in told
    ]
    for ours, theirs in zip(listed, told, strict=True):
        assert sorted(ours["addresses"]) == sorted(
            as_told(theirs["ifname"], **each) for each in theirs["addr_info"]
        )
    table = rawkit(hosts[0], "interfaces").stdout
    assert "02:00:00:00:01:00" in table
    assert "10.0.1.1/24" in table


def test_send_by_the_kernels_routes_fills_the_source(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter="icmp[0] == 8") as tap:
        said = rawkit(a, "send", "--count", "2", "--interval", "0", "IPv4(dst='10.0.1.2')/ICMPv4.echo(id=7)/b'hi'")
        first, second = tap.receive(PATIENCE).packet(), tap.receive(PATIENCE).packet()
    assert "sent 2 times" in said.stdout
    assert not first.problems
    assert str(first[IPv4].src) == "10.0.1.1"
    assert (first[ICMPv4Echo], first.payload) == (second[ICMPv4Echo], b"hi")


def test_send_over_ipv6(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter="udp") as tap:
        rawkit(a, "send", "IPv6(dst='fd00:1::2')/UDP(src_port=5, dst_port=9)/b'x'")
        packet = tap.receive(PATIENCE).packet()
    assert not packet.problems
    assert packet[UDP].src_port == 5


def test_send_a_frame_as_it_is_with_this_hosts_addresses(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter="arp") as tap:
        rawkit(a, "send", "-i", "eth0", "Ethernet(dst='ff:ff:ff:ff:ff:ff')/ARP(target_ip='10.0.1.2')")
        asked, answered = tap.receive(PATIENCE).packet(), tap.receive(PATIENCE).packet()
    assert str(asked[Ethernet].src) == str(asked[ARP].sender_mac) == "02:00:00:00:01:00"
    assert str(asked[ARP].sender_ip) == "10.0.1.1"
    assert answered[ARP].operation == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["send", "IPv4(dst='192.0.2.1')/UDP(dst_port=1)/b''"], 3, "no route"),
        (["send", "-i", "nosuch0", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], 3, "rawkit interfaces"),
        (["send", "-i", "nosuch0", "Ethernet(dst=b'123456', type=9)"], 3, "rawkit interfaces"),
        (["send", "Ethernet(dst='02:00:00:00:00:01', type=9)"], 2, "-i IFACE"),
        (["send", "UDP(dst_port=1)"], 2, "begins with Ethernet, IPv4 or IPv6"),
        (["send", "IPv4(dst='10.0.1.2')/UDP(dst_prt=1)"], 2, "dst_port"),
        (["send", "IPv4(dst='10.0.1.2')/b'x'"], 2, "give protocol="),
        (["send", f"IPv4(dst='10.0.1.2')/UDP(dst_port=1)/({b'x' * 1473!r})"], 3, "MTU"),
        (["send", "--count", "0", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], 2, "count"),
        (["send", "--interval", "nan", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], 2, "interval"),
        (["send", "--interval", "inf", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], 2, "interval"),
        (["send", "-i", "", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], 2, "the name of an interface is empty"),
        (["capture", "-i", ""], 2, "the name of an interface is empty"),
        (["capture", "-i", "eth0", "-w", ""], 2, "the name of a file is empty"),
        (["capture", "-i", "nosuch0"], 3, "rawkit interfaces"),
        (["capture", "-i", "eth0", "-f", "prt 80"], 2, "pcap-filter"),
        (["capture", "-i", "eth0", "-c", "1", "-w", "/nosuch/file"], 2, "/nosuch"),
    ],
)
def test_wrong_arguments_get_one_line_with_the_remedy(
    hosts: tuple[Host, ...], arguments: list[str], code: int, words: str
) -> None:
    assert words in rawkit(hosts[0], *arguments, code=code).stderr


def test_capture_writes_what_crosses_and_counts(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("ping", "capinfos")
    a, b = hosts
    file = tmp_path / "pings.pcapng"
    command = [*RAWKIT, "capture", "-i", "eth0", "-f", "icmp", "-c", "4", "-w", str(file)]
    with b.popen(command, stderr=subprocess.PIPE, text=True) as capture:
        assert "listening on eth0" in capture.stderr.readline()
        a.run(["ping", "-n", "-c", "2", "-i", "0.2", "10.0.1.2"], check=True, stdout=subprocess.DEVNULL)
        assert capture.wait(PATIENCE) == 0
        assert capture.stderr.read() == "4 captured, 4 received, 0 dropped by the kernel\n"
    counted = subprocess.run(["capinfos", "-c", "-M", "-T", "-r", str(file)], capture_output=True, text=True)
    assert counted.stdout.split()[-1] == "4"
    with open_capture(file) as records:
        assert [record.packet()[ICMPv4Echo].type for record in records] == [8, 0, 8, 0]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_capture_ends_cleanly_on_a_signal_and_keeps_what_it_has(
    hosts: tuple[Host, ...], tmp_path: Path, how: signal.Signals
) -> None:
    require("ping")
    a, b = hosts
    file = tmp_path / "x.pcap"
    with (
        b.popen(
            [*RAWKIT, "capture", "-i", "eth0", "-f", "icmp", "-w", str(file)], stderr=subprocess.PIPE, text=True
        ) as capture,
        b.open(PacketSocket, "eth0", filter="icmp") as tap,
    ):
        assert "listening" in capture.stderr.readline()
        a.run(["ping", "-n", "-c", "1", "10.0.1.2"], check=True, stdout=subprocess.DEVNULL)
        assert [tap.receive(PATIENCE).packet()[ICMPv4Echo].type for _ in range(2)] == [8, 0]
        await_size(file, 24 + 2 * (16 + 98))
        capture.send_signal(how)
        assert capture.wait(PATIENCE) == 0
        assert capture.stderr.read().endswith("2 captured, 2 received, 0 dropped by the kernel\n")
    with open_capture(file) as records:
        assert len(list(records)) == 2


def test_capture_keeps_what_it_has_when_its_terminal_is_closed(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    a, b = hosts
    file = tmp_path / "x.pcap"
    with (
        b.open(PacketSocket, "eth0", filter="icmp") as tap,
        b,
        Terminal([*RAWKIT, "capture", "-i", "eth0", "-f", "icmp", "-w", str(file)], os.environ) as terminal,
    ):
        terminal.expect("listening")
        a.run(["ping", "-n", "-c", "50", "-i", "0.01", "10.0.1.2"], check=True, stdout=subprocess.DEVNULL)
        for _ in range(100):
            tap.receive(PATIENCE)
        assert terminal.close() == 0
    with open_capture(file) as records:
        assert len(list(records)) == 100


def test_nohup_lets_it_go_on(hosts: tuple[Host, ...]) -> None:
    require("nohup")
    with hosts[0].popen(["nohup", *RAWKIT, "capture", "-i", "eth0"], stderr=subprocess.PIPE, text=True) as capture:
        assert any("listening" in line for line in capture.stderr)
        capture.send_signal(signal.SIGHUP)
        capture.send_signal(signal.SIGTERM)
        assert capture.wait(PATIENCE) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_very_start_still_gives_the_count(hosts: tuple[Host, ...], how: signal.Signals) -> None:
    for _ in range(5):
        command = [*RAWKIT, "capture", "-i", "eth0", "-f", "icmp"]
        with hosts[0].popen(command, stderr=subprocess.PIPE, text=True) as capture:
            assert "listening" in capture.stderr.readline()
            capture.send_signal(how)
            capture.send_signal(how)
            assert capture.wait(PATIENCE) == 0
            assert capture.stderr.read() == "0 captured, 0 received, 0 dropped by the kernel\n"


FLOOD = """
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sender.sendto(b"hi", ("10.0.1.2", 9))
"""


def test_signals_in_a_flood_of_packets_leave_whole_records_and_their_count(
    hosts: tuple[Host, ...], tmp_path: Path
) -> None:
    a, b = hosts
    flood = a.popen([sys.executable, "-c", FLOOD])
    try:
        for attempt in range(8):
            file = tmp_path / f"{attempt}.pcap"
            command = [*RAWKIT, "capture", "-i", "eth0", "-f", "udp", "-w", str(file)]
            with b.popen(command, stderr=subprocess.PIPE, text=True) as capture:
                assert "listening" in capture.stderr.readline()
                await_size(file, 2000 * (attempt + 1))
                while capture.poll() is None:
                    capture.send_signal(signal.SIGINT)
                    time.sleep(0.0005)
                assert capture.returncode == 0
                told = int(capture.stderr.read().splitlines()[-1].split()[0])
            with open_capture(file) as records:
                assert sum(1 for _ in records) == told
    finally:
        flood.kill()
        flood.wait()


def test_send_ends_on_sigterm_with_what_it_sent(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    command = [*RAWKIT, "send", "--count", "5", "--interval", "1000", "IPv4(dst='10.0.1.2')/UDP(dst_port=9)/b'hi'"]
    with b.open(PacketSocket, "eth0", filter="udp") as tap:
        for how, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            with a.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sender:
                tap.receive(PATIENCE)
                sender.send_signal(how)
                said = sender.communicate(timeout=PATIENCE)
            assert sender.returncode == code
            assert said[0].startswith("sent: IPv4 10.0.1.1 > 10.0.1.2")
            assert said[1] == ""


def test_capture_to_a_file_counts_on_a_terminal(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    require("ping")
    a, b = hosts
    ours, theirs = pty.openpty()
    command = [*RAWKIT, "capture", "-i", "eth0", "-f", "icmp", "-w", str(tmp_path / "x.pcap")]
    with b.popen(command, stderr=theirs) as capture:
        os.close(theirs)
        printed = read_until(ours, b"listening on eth0")
        a.run(["ping", "-n", "-c", "1", "10.0.1.2"], check=True, stdout=subprocess.DEVNULL)
        printed += read_until(ours, b"\r2 packets captured")
        capture.send_signal(signal.SIGINT)
        assert read_until(ours, b"dropped by the kernel").endswith(
            b"\r\033[K2 captured, 2 received, 0 dropped by the kernel"
        )
        assert capture.wait(PATIENCE) == 0
    os.close(ours)


def read_until(descriptor: int, words: bytes) -> bytes:
    """What comes from the terminal up to these words."""
    printed = b""
    while words not in printed:
        assert select.select([descriptor], [], [], PATIENCE)[0], printed
        printed += os.read(descriptor, 65536)
    return printed[: printed.index(words) + len(words)]


def test_capture_to_a_pipe_is_read_live(hosts: tuple[Host, ...]) -> None:
    require("ping")
    a, b = hosts
    with b.popen(
        [*RAWKIT, "capture", "-i", "eth0", "-f", "icmp", "-c", "2", "-w", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as capture:
        assert b"listening" in capture.stderr.readline()
        a.run(["ping", "-n", "-c", "1", "10.0.1.2"], check=True, stdout=subprocess.DEVNULL)
        with open_capture(capture.stdout) as records:
            assert [record.packet()[ICMPv4Echo].type for record in records] == [8, 0]


def test_capture_shows_lines_without_blaming_unfinished_checksums(hosts: tuple[Host, ...]) -> None:
    a = hosts[0]
    with a.popen(
        [*RAWKIT, "capture", "-i", "eth0", "-f", "udp", "-c", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as capture:
        assert "listening" in capture.stderr.readline()
        sender = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hi', ('10.0.1.2', 9))"
        a.run([sys.executable, "-c", sender], check=True)
        line = capture.communicate(timeout=PATIENCE)[0]
    assert "UDP" in line
    assert "!" not in line


def test_doctor_tries_everything() -> None:
    done = subprocess.run([*RAWKIT, "doctor", "--format", "json"], capture_output=True, text=True, check=False)
    checks = {check["name"]: check for check in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == (0 if all(check["ok"] for check in checks.values()) else 1)
    for name in ("raw IPv4 sockets", "packet sockets", "namespaces as this user"):
        assert checks[name]["ok"], checks[name]


def test_demo_is_answered_verified_and_leaves_a_capture(tmp_path: Path) -> None:
    require("tshark")
    done = subprocess.run([*RAWKIT, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 of 12 questions were answered" in done.stdout
    assert "it reads the same in every field" in done.stdout
    read = subprocess.run(
        ["tshark", "-n", "-r", "demo.pcapng", "-T", "fields", "-e", "frame.comment"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    with open_capture(tmp_path / "demo.pcapng") as records:
        captured = list(records)
    comments = read.stdout.splitlines()
    assert [comment for record in captured for comment in record.comments] == list(filter(None, comments))
    handmade = [record for record in captured if record.comments]
    assert len(handmade) == 14  # 12 questions, and the RST that ends each half-open connection
    for record in handmade:
        assert record.data.endswith(bytes(read_expression(record.comments[0])))


@pytest.mark.parametrize("kind", ["missing", "link", "folder"])
def test_demo_tells_at_once_that_its_file_cannot_be_written(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "no" / "x.pcapng" if kind == "missing" else tmp_path / "x.pcapng"
    if kind == "link":
        file.symlink_to(tmp_path / "y.pcapng")
    if kind == "folder":
        file.mkdir()
    before = sorted(tmp_path.iterdir())
    done = subprocess.run([*RAWKIT, "demo", "-w", str(file)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode in (2, 3)
    assert done.stdout == ""
    assert done.stderr.startswith(f"rawkit: write {file}: ")
    assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_demo_to_standard_output_is_a_capture_and_nothing_else() -> None:
    done = subprocess.run([*RAWKIT, "demo", "-w", "-"], capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0
    assert b"12 of 12 questions were answered" in done.stderr
    with open_capture(io.BytesIO(done.stdout)) as records:
        assert len(list(records)) > 20


def test_demo_works_for_nobody(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    script = tmp_path / "demo.py"
    script.write_text(
        f"import sys\nfrom rawkit.cli.main import run\nsys.exit(run(['demo', '-w', '{tmp_path}/d.pcapng']))"
    )
    done = run_as_nobody(script)
    assert done.returncode == 0, done.stdout + done.stderr
    with open_capture(tmp_path / "d.pcapng") as records:
        assert len(list(records)) > 20


def test_without_privileges_send_and_capture_say_so(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    script = tmp_path / "run.py"
    script.write_text("import sys\nfrom rawkit.cli.main import run\nsys.exit(run(sys.argv[1:]))")
    for arguments in (["send", "IPv4(dst='127.0.0.1')/UDP(dst_port=9)"], ["capture", "-i", "lo"]):
        done = run_as_nobody(script, *arguments)
        assert done.returncode == 3
        assert "CAP_NET_RAW: run as root" in done.stderr
        assert done.stderr.count("\n") == 1


def test_send_a_sweep_in_its_order(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    text = "IPv4(dst='10.0.1.2', ttl=[3, 4]) / UDP(dst_port=range(1, 41)) / b'hi'"
    with b.open(PacketSocket, "eth0", filter="udp") as tap:
        said = rawkit(a, "send", "--count", "2", text)
        seen = [tap.receive(PATIENCE).packet() for _ in range(160)]
    assert said.stdout.startswith("sent 160 packets, the first: IPv4 10.0.1.1 > 10.0.1.2")
    assert not any(packet.problems for packet in seen)
    assert [(packet[IPv4].ttl, packet[UDP].dst_port) for packet in seen] == [
        (ttl, port) for _ in range(2) for ttl in (3, 4) for port in range(1, 41)
    ]


def test_send_a_sweep_of_frames_as_they_are(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    text = "Ethernet(dst='ff:ff:ff:ff:ff:ff') / ARP(target_ip='10.0.1.0/26')"
    with b.open(PacketSocket, "eth0", filter="arp[6:2] == 1") as tap:
        rawkit(a, "send", "-i", "eth0", text)
        seen = [tap.receive(PATIENCE).packet() for _ in range(62)]
    assert [str(packet[ARP].target_ip) for packet in seen] == [f"10.0.1.{host}" for host in range(1, 63)]
    assert {str(packet[ARP].sender_ip) for packet in seen} == {"10.0.1.1"}


def test_send_paces_packets_by_rate(hosts: tuple[Host, ...]) -> None:
    """Eleven packets at ten a second take a second, and never less, however slow the machine."""
    a, b = hosts
    with b.open(PacketSocket, "eth0", filter="udp") as tap:
        started = time.monotonic()
        rawkit(a, "send", "--rate", "10", "IPv4(dst='10.0.1.2') / UDP(dst_port=range(1, 12))")
        assert time.monotonic() - started >= 1
        assert [tap.receive(PATIENCE).packet()[UDP].dst_port for _ in range(11)] == [*range(1, 12)]


def test_send_says_how_much_of_a_sweep_was_sent_before_ctrl_c(hosts: tuple[Host, ...]) -> None:
    a, b = hosts
    text = "IPv4(dst='10.0.1.2') / UDP(dst_port=range(1, 1001))"
    with (
        b.open(PacketSocket, "eth0", filter="udp") as tap,
        a.popen([*RAWKIT, "send", "--interval", "1000", text], stdout=subprocess.PIPE, text=True) as sender,
    ):
        tap.receive(PATIENCE)
        sender.send_signal(signal.SIGINT)
        said, _ = sender.communicate(timeout=PATIENCE)
    assert sender.returncode == 130
    assert said.startswith("sent 1 of 1000 packets, the first: IPv4 10.0.1.1 > 10.0.1.2 / UDP 49152 > 1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "5", "--interval", "1", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], "give one of them"),
        (["--rate", "0", "IPv4(dst='10.0.1.2')/UDP(dst_port=1)"], "rate"),
        (["IPv4(dst='10.0.1.2')/UDP(dst_port=range(1, 70000))"], "0 to 65535, got 69999"),
        (["UDP(dst_port=[1, 2])"], "begins with Ethernet, IPv4 or IPv6"),
    ],
)
def test_send_refuses_wrong_sweeps(hosts: tuple[Host, ...], arguments: list[str], words: str) -> None:
    assert words in rawkit(hosts[0], "send", *arguments, code=2).stderr
