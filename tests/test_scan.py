"""What ports are, as nmap says; in what order and how fast they are asked; and what hosts do that limit it."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import PATIENCE, RAWKIT, frames_in, rawkit, refused, rules, told
from programs import require
from unprivileged import run_as_nobody

from rawkit.link import Direction, PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.wire import TCP

pytestmark = pytest.mark.root

OPEN, DROPPED, RESET, REFUSED, CLOSED = 22, 80, 81, 443, 8080
"""Ports of a host: a service; a filter that drops; one that resets; one that sends an error; nobody."""
PORTS = (OPEN, DROPPED, RESET, REFUSED, CLOSED)

FILTER = (
    f"tcp dport {DROPPED} drop",
    f"udp dport {DROPPED} drop",
    f"tcp dport {RESET} reject with tcp reset",
    f"tcp dport {REFUSED} reject with icmpx admin-prohibited",
    f"udp dport {REFUSED} reject with icmpx admin-prohibited",
)
UNLIMITED = {"ipv4/icmp_ratelimit": 0, "ipv6/icmp/ratelimit": 0, "ipv4/icmp_msgs_burst": 10_000}


class Way(NamedTuple):
    a: Host
    r: Router
    b: Host


@contextmanager
def services(host: Host, *ports: int, kind: int = socket.SOCK_STREAM) -> Iterator[None]:
    """Sockets that are bound to ports of a host, and listen if they can."""
    with ExitStack() as stack:
        for port in ports:
            bound = stack.enter_context(host.open(socket.socket, socket.AF_INET6, kind))
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.bind(("::", port))
            if kind == socket.SOCK_STREAM:
                bound.listen(64)
        yield


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    """a - r - b; b has services and a filter."""
    with Lab() as lab:
        way = Way(lab.host("a"), lab.router("r"), lab.host("b"))
        lab.link(way.a, way.r)
        lab.link(way.r, way.b)
        for node in (way.r, way.b):
            node.set_sysctls(UNLIMITED)
        udp = services(way.b, OPEN, kind=socket.SOCK_DGRAM)
        with services(way.b, OPEN), udp, rules(way.b, "input", *FILTER):
            yield way


ENDS = {4: "10.0.2.2", 6: "fd00:2::2"}


def states(host: Host, *arguments: str, code: int = 0) -> dict[int, str]:
    lines = told(host, "scan", *arguments, code=code)
    assert all(set(line) == {"address", "protocol", "port", "state", "reason"} for line in lines)
    found = {line["port"]: line["state"] for line in lines}
    assert len(found) == len(lines)
    return found


def nmap(host: Host, *arguments: str) -> subprocess.Popen[str]:
    """nmap, that has been started."""
    require("nmap")
    command = ["nmap", "-n", "-Pn", "-T5", "--max-retries", "1", "-oG", "-", *arguments]
    return host.popen(command, stdout=subprocess.PIPE, text=True)


def states_of(nmap: subprocess.Popen[str]) -> dict[int, str]:
    """The states of the ports that nmap shows."""
    shown = nmap.communicate(timeout=PATIENCE)[0]
    assert nmap.returncode == 0
    return {int(port): state for port, state in re.findall(r"(\d+)/([a-z|]+)/(?:tcp|udp|[a-z0-9.-]*)/", shown)}


# ---------------------------------------------------------------------- states


ANSWERS = {
    "-sS": ("open", "filtered", "closed", "filtered", "closed"),
    "-sT": ("open", "filtered", "closed", "filtered", "closed"),
    "-sF": ("open|filtered", "open|filtered", "closed", "filtered", "closed"),
    "-sN": ("open|filtered", "open|filtered", "closed", "filtered", "closed"),
    "-sX": ("open|filtered", "open|filtered", "closed", "filtered", "closed"),
    "-sA": ("unfiltered", "filtered", "unfiltered", "filtered", "unfiltered"),
    "-sW": ("closed", "filtered", "closed", "filtered", "closed"),
    "-sU": ("open|filtered", "open|filtered", "closed", "filtered", "closed"),
}
"""By technique, what a Linux host's ports are, in the order of PORTS (RFC 9293, section 3.10.7; nmap(1))."""


def options_of(technique: str, version: int) -> tuple[str, ...]:
    return (technique, f"-{version}", "-p", ",".join(map(str, PORTS)))


@pytest.fixture(scope="module")
def nmaps(way: Way) -> Iterator[dict[tuple[str, int], subprocess.Popen[str]]]:
    """nmap with every technique, all at once, since they mostly wait."""
    kinds = [(technique, version) for technique in ANSWERS for version in (4, 6)]
    started = {kind: nmap(way.a, *options_of(*kind), ENDS[kind[1]]) for kind in kinds}
    yield started
    for each in started.values():
        each.kill()
        each.communicate()


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("technique", ANSWERS)
def test_states_are_those_of_nmap(
    way: Way, nmaps: dict[tuple[str, int], subprocess.Popen[str]], technique: str, version: int
) -> None:
    code = 0 if {"open", "open|filtered", "unfiltered"} & {*ANSWERS[technique]} else 1
    ours = states(way.a, *options_of(technique, version), "--timeout", "0.2", ENDS[version], code=code)
    assert ours == dict(zip(PORTS, ANSWERS[technique], strict=True))
    assert states_of(nmaps[technique, version]) == ours


def test_protocols_are_those_of_nmap(way: Way) -> None:
    numbers = [1, 2, 6, 17, 47, 132, 200]
    options = ("-sO", "-p", ",".join(map(str, numbers)))
    ours = states(way.a, *options, "--timeout", "0.3", "10.0.1.2")
    theirs = states_of(nmap(way.a, *options, "10.0.1.2"))
    assert ours[1] == ours[6] == ours[17] == "open"
    assert sorted(ours) == numbers
    assert theirs == {number: ours[number] for number in theirs}
    assert set(theirs) >= {1, 6, 17}


def test_a_window_tells_open_ports_of_hosts_that_reset_with_one(way: Way) -> None:
    """The window of a reset is made up on its way back, since no kernel here sends one."""
    with rules(way.r, "forward", f"tcp sport {CLOSED} tcp flags rst tcp window set 512"):
        found = states(way.a, "-sW", "-p", f"{OPEN},{CLOSED}", ENDS[4])
    assert found == {OPEN: "closed", CLOSED: "open"}


def test_udp_that_answers_is_open(way: Way) -> None:
    with way.b.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind(("0.0.0.0", 5353))
        service.settimeout(10)
        command = ["scan", "-sU", "-p", "5353", "--format", "json", ENDS[4]]
        with way.a.popen([*RAWKIT, *command], stdout=subprocess.PIPE, text=True) as scan:
            _, asking = service.recvfrom(100)
            service.sendto(b"hello", asking)
            out, _ = scan.communicate(timeout=30)
    assert '"state": "open", "reason": "udp-response"' in out


def test_reasons_tell_what_came_back(way: Way) -> None:
    lines = told(way.a, "scan", "-p", ",".join(map(str, PORTS)), "--timeout", "0.2", ENDS[4])
    assert {line["port"]: line["reason"] for line in lines} == {
        OPEN: "syn-ack",
        DROPPED: "no-response",
        RESET: "reset",
        REFUSED: "admin-prohibited",
        CLOSED: "reset",
    }
    lines = told(way.a, "scan", "-sU", "-p", f"{CLOSED},{OPEN}", "--timeout", "0.2", ENDS[6])
    assert {line["port"]: line["reason"] for line in lines} == {CLOSED: "port-unreach", OPEN: "no-response"}


# ---------------------------------------------------------------------- the table


def test_the_table_is_sorted_and_counts_what_is_alike(way: Way) -> None:
    shown = rawkit(way.a, "scan", "-p", "1-100", "--timeout", "0.2", ENDS[4]).stdout.splitlines()
    assert shown[0] == "10.0.2.2:"
    assert shown[1].split() == ["PORT", "STATE", "SERVICE", "REASON"]
    assert [line.split() for line in shown[2:4]] == [
        ["22/tcp", "open", "ssh", "syn-ack"],
        ["80/tcp", "filtered", "http", "no-response"],
    ]
    assert shown[4] == "not shown: 98 ports closed (reset)"
    assert shown[5].startswith("100 ports in ")


def test_open_ports_only(way: Way) -> None:
    shown = rawkit(way.a, "scan", "--open", "-p", "1-100", "--timeout", "0.2", ENDS[4]).stdout
    assert [line.split()[0] for line in shown.splitlines()] == ["10.0.2.2:", "PORT", "22/tcp", "100"]
    assert states(way.a, "--open", "-p", "1-100", "--timeout", "0.2", ENDS[4]) == {22: "open"}
    assert rawkit(way.a, "scan", "--open", "-p", "1-20", ENDS[4], code=1).stdout.count("\n") == 2


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("ssh", [22]),
        ("20-23,22,ssh,1", [1, 20, 21, 22, 23]),
        ("-3,22", [1, 2, 3, 22]),
        ("22,65533-", [22, 65533, 65534, 65535]),
    ],
)
def test_ports_by_number_range_and_name(way: Way, text: str, ports: list[int]) -> None:
    assert sorted(states(way.a, "-p", text, ENDS[4])) == ports


def test_the_first_thousand_ports_are_the_default(way: Way) -> None:
    assert sorted(states(way.a, "--timeout", "0.2", ENDS[4])) == list(range(1, 1025))


# ---------------------------------------------------------------------- on the wire


def asked(way: Way, *options: str) -> list[Any]:
    """The frames that a scan of ports sent, in order."""
    with way.a.open(PacketSocket, "eth0", filter="tcp[tcpflags] == tcp-syn", buffer_size=1 << 26) as tap:
        rawkit(way.a, "scan", *options, ENDS[4], code=1)
        return [frame for frame in frames_in(tap) if frame.direction is Direction.OUTGOING]


def test_the_same_seed_asks_in_the_same_order_with_the_same_numbers(way: Way) -> None:
    first, again, other = (asked(way, "-p", "1000-1400", "--seed", seed) for seed in ("7", "7", "8"))
    assert [frame.data for frame in first] == [frame.data for frame in again]
    ports = [[frame.packet()[TCP].dst_port for frame in frames] for frames in (first, other)]
    assert sorted(ports[0]) == sorted(ports[1]) == list(range(1000, 1401))
    assert ports[0] != ports[1]
    assert ports[0] != sorted(ports[0])


def test_a_rate_is_kept(way: Way) -> None:
    frames = asked(way, "-p", "1000-1199", "--rate", "400")
    assert len(frames) == 200
    times = [frame.time_ns for frame in frames]
    # 200 packets at 400 a second take half a second; the last of them leaves a tick early at the most.
    assert times[-1] - times[0] >= 0.45e9
    for start, stop in zip(times, times[100:], strict=False):
        assert stop - start >= 0.2e9


def test_silent_ports_are_asked_as_often_as_said(way: Way) -> None:
    for retries in (0, 2):
        with way.a.open(PacketSocket, "eth0", filter=f"tcp dst port {DROPPED}") as tap:
            rawkit(
                way.a, "scan", "-p", str(DROPPED), "--retries", str(retries), "--timeout", "0.1", ENDS[4], code=1
            )
            assert len(frames_in(tap)) == 1 + retries


# ---------------------------------------------------------------------- all ports, and limits


def test_all_ports_of_a_neighbour_are_found_exactly() -> None:
    ports = [1, 22, 80, 1024, 31337, 32768, 40000, 50505, 65535]
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        with services(b, *ports):
            shown = rawkit(a, "scan", "-p-", "10.0.1.2").stdout.splitlines()
    rows = [line.split() for line in shown if "/tcp" in line]
    assert [row[0] for row in rows if row[1] == "open"] == [f"{port}/tcp" for port in ports]
    assert len(rows) == len(ports)
    assert f"not shown: {65_535 - len(ports)} ports closed (reset)" in shown


def test_a_host_that_limits_its_errors_is_asked_more_slowly() -> None:
    """As many errors as a host sends at once are known at once; the rest as fast as it sends them."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        b.set_sysctls({"ipv4/icmp_ratelimit": 50})
        with services(b, 1007, kind=socket.SOCK_DGRAM):
            done = rawkit(a, "scan", "-sU", "-p", "1000-1029", "--timeout", "0.3", "10.0.1.2")
    assert done.stderr == "the host limits how many errors a second it sends; asking more slowly\n"
    rows = [line.split() for line in done.stdout.splitlines() if "/udp" in line]
    assert [row[0] for row in rows if row[1] == "open|filtered"] == ["1007/udp"]
    assert "not shown: 29 ports closed (port-unreach)" in done.stdout


# ---------------------------------------------------------------------- hosts


def test_hosts_on_the_link_show_by_arp_and_neighbour_discovery(way: Way) -> None:
    hosts = told(way.a, "scan", "-sn", "--timeout", "0.2", "10.0.1.0/29")
    assert [(host["address"], host["reason"], host["mac"]) for host in hosts] == [
        ("10.0.1.1", "this host", None),
        ("10.0.1.2", "arp-response", "02:00:00:00:02:00"),
    ]
    hosts = told(way.a, "scan", "-sn", "--timeout", "0.2", "fd00:1::/126")
    assert [(host["address"], host["mac"]) for host in hosts] == [
        ("fd00:1::1", None),
        ("fd00:1::2", "02:00:00:00:02:00"),
    ]


def test_hosts_beyond_show_by_icmp_and_tcp(way: Way) -> None:
    def there() -> dict[str, str]:
        hosts = told(way.a, "scan", "-sn", "--timeout", "0.2", "--retries", "0", "10.0.2.0/29")
        return {host["address"]: host["reason"] for host in hosts}

    assert there() == {"10.0.2.1": "echo-reply", "10.0.2.2": "echo-reply"}
    with rules(way.b, "prerouting", "icmp type echo-request drop", "tcp dport 443 accept"):
        assert there()["10.0.2.2"] == "timestamp-reply"
    with rules(way.b, "prerouting", "meta l4proto icmp drop"):
        assert there()["10.0.2.2"] in ("tcp-response", "unreachable")
    with rules(way.b, "prerouting", "ip daddr 10.0.2.2 drop"):
        assert "10.0.2.2" not in there()


def test_ports_of_the_hosts_of_a_prefix_that_are_there(way: Way) -> None:
    lines = told(way.a, "scan", "-p", "22,8080", "--timeout", "0.2", "10.0.2.0/30")
    assert sorted((line["address"], line["port"], line["state"]) for line in lines) == [
        ("10.0.2.1", 22, "closed"),
        ("10.0.2.1", 8080, "closed"),
        ("10.0.2.2", 22, "open"),
        ("10.0.2.2", 8080, "closed"),
    ]


def test_a_host_that_is_not_there_does_not_end_the_scan_of_others(way: Way) -> None:
    done = rawkit(way.a, "scan", "-Pn", "-p", "22", "--timeout", "0.1", "10.0.1.77", "10.0.2.2")
    assert "22/tcp      open" in done.stdout
    assert done.stderr.startswith("rawkit: send: 10.0.1.77, the next hop on eth0, does not answer ARP")
    assert (
        "does not answer ARP" in rawkit(way.a, "scan", "-p", "22", "--timeout", "0.1", "10.0.1.77", code=1).stderr
    )


def test_no_host_there_is_no(way: Way) -> None:
    done = rawkit(way.a, "scan", "-sn", "--timeout", "0.1", "10.0.1.64/30", code=1)
    assert done.stdout == "0 of 2 hosts there\n"


# ---------------------------------------------------------------------- who may, and what is refused


def test_connecting_needs_no_privileges(way: Way, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    script = tmp_path / "scan.py"
    script.write_text(
        "import socket\n"
        "from rawkit.cli.main import run\n"
        "with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "    port = server.getsockname()[1]\n"
        "    code = run(['scan', '-sT', '-p', str(port), '127.0.0.1'])\n"
        "    print(code, port)\n"
        "print(run(['scan', '-sS', '-p', '1', '127.0.0.1']))\n"
    )
    with way.a:
        done = run_as_nobody(script)
    assert re.search(r"^(\d+)/tcp +open .*\n1 port in .*\n0 \1\n3$", done.stdout, re.MULTILINE), done
    assert done.stderr.count("\n") == 1
    assert "CAP_NET_RAW" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "80-70", "10.0.2.2"], "a range whose first number is not the larger one"),
        (["-p", "70000", "10.0.2.2"], "0 to 65535"),
        (["-p", "1-70000", "10.0.2.2"], "numbers up to 65535"),
        (["-p", "nosuchservice", "10.0.2.2"], "the name of a tcp service"),
        (["-p", ",", "10.0.2.2"], "a number from 0 to 65535"),
        (["-sO", "-p", "256", "10.0.2.2"], "0 to 255"),
        (["-p", "80", "10.0.2.0/99"], "a prefix such as"),
        (["-sn", "10.0.0.0/8"], "at most 65536 addresses"),
        (["-4", "-6", "10.0.2.2"], "exclude each other"),
        (["-4", "fd00::/126"], "an IPv4"),
        (["-p", "80", "nosuch.invalid"], "nosuch.invalid"),
        (["--rate", "0", "10.0.2.2"], "rate"),
        (["--timeout", "0", "10.0.2.2"], "timeout"),
        ([], "HOST|PREFIX"),
    ],
)
def test_wrong_arguments_get_one_line(way: Way, arguments: list[str], words: str) -> None:
    assert words in refused(way.a, "scan", *arguments)


def test_no_way_there(way: Way) -> None:
    assert "`rawkit interfaces`" in rawkit(way.a, "scan", "-p", "80", "-e", "nosuch0", ENDS[4], code=3).stderr
    with Lab() as lab:
        assert "no route" in rawkit(lab.host("alone"), "scan", "-p", "80", "192.0.2.1", code=3).stderr
