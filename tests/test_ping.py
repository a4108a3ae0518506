"""`rawkit ping` beside ping of iputils, in network namespaces."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from programs import require
from terminal import RAWKIT, Finished

from rawkit import ICMPv4, IPv4
from rawkit.errors import FieldError
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.probe import Answer, Miss, Ping, PingSummary, Reason
from rawkit.wire import ICMPv4Echo

PATIENCE = 60
HERE, ROUTER, THERE, THERE6 = "10.0.1.1", "10.0.1.2", "10.0.2.2", "fd00:2::2"


class Way(NamedTuple):
    a: Host
    r: Router
    b: Host


@pytest.fixture
def way() -> Iterator[Way]:
    """a - r - b, with TCP port 80 and UDP port 7 (which answers nothing) open at b."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        r = lab.router("r")
        lab.link(a, r, offload=False)
        lab.link(r, b, offload=False)
        with b.open(socket.socket) as listener, b.open(socket.socket, type=socket.SOCK_DGRAM) as silent:
            listener.bind(("", 80))
            listener.listen()
            silent.bind(("", 7))
            yield Way(a, r, b)


def ping(host: Host, *arguments: str) -> Finished:
    done = host.run([RAWKIT, "ping", *arguments], capture_output=True, timeout=PATIENCE)
    return Finished(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def theirs(host: Host, *arguments: str) -> str:
    require("ping")
    return str(host.run(["ping", *arguments], capture_output=True, text=True, timeout=PATIENCE).stdout)


def requests(tap: PacketSocket) -> list[bytes]:
    """The echo requests that have crossed, without their identifiers and checksums, which differ."""
    found = []
    while len(found) < 2:
        packet = tap.receive(PATIENCE).packet()
        if ICMPv4Echo in packet and packet[ICMPv4Echo].type == 8:
            header = packet[IPv4].replace(identification=0, checksum=0)
            found.append(bytes(header / packet[ICMPv4Echo].replace(id=0, checksum=0)))
    return found


SUMMARY = re.compile(
    r"--- (\S+) ping statistics ---\n"
    r"(\d+) packets transmitted, (\d+) received(?:, \+\d+ errors)?, ([\d.]+)% packet loss, time \d+ms\n"
    r"rtt min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms"
)

root = pytest.mark.root


@root
@pytest.mark.parametrize("address", [THERE, THERE6])
def test_the_summary_has_the_form_and_the_counts_of_iputils(way: Way, address: str) -> None:
    ours, peer = ping(way.a, "-c", "3", "-i", "0.01", address), theirs(way.a, "-c", "3", "-i", "0.01", address)
    assert ours.returncode == 0
    mine, other = SUMMARY.search(ours.stdout), SUMMARY.search(peer)
    assert mine is not None
    assert other is not None
    assert mine.groups() == other.groups() == (address, "3", "3", "0")
    assert re.findall(r"\bttl=(\d+)", ours.stdout) == re.findall(r"\bttl=(\d+)", peer) == ["63"] * 3
    assert [line.split(" from")[0] for line in ours.stdout.splitlines()[1:4]] == ["64 bytes"] * 3


@root
@pytest.mark.parametrize(
    "options",
    [
        ["-R"],
        ["-T", "tsonly"],
        ["-T", "tsandaddr"],
        ["-t", "9"],
    ],
    ids=" ".join,
)
def test_what_is_sent_is_what_iputils_sends(way: Way, options: list[str]) -> None:
    with way.a.open(PacketSocket, "eth0", filter="icmp") as tap:
        ping(way.a, "-c", "1", "-s", "0", "-M", "do", *options, THERE)
        theirs(way.a, "-c", "1", "-s", "0", "-M", "do", *options, THERE)
        ours, peer = requests(tap)
    # Who begins to record a route or stamps is the sender's kernel with ping, and nobody with handmade packets.
    fields = [(IPv4.parse(each)[0].replace(total_length=0)) for each in (ours, peer)]
    assert fields[0].ttl == fields[1].ttl
    assert fields[0].dont_fragment is fields[1].dont_fragment is True
    assert [type(option) for option in fields[0].options] == [type(option) for option in fields[1].options]
    assert [len(bytes(option)) for option in fields[0].options] == [
        len(bytes(option)) for option in fields[1].options
    ]


@root
def test_the_route_that_is_recorded_is_the_one_that_iputils_shows_from_the_first_router_on(way: Way) -> None:
    ours = re.findall(r"by (\S+)", ping(way.a, "-c", "1", "-R", THERE).stdout)
    peer = re.findall(r"^(?:RR: )?\s+(\d+\.\S+)$", theirs(way.a, "-c", "1", "-R", THERE), re.MULTILINE)
    assert ours
    assert ours == peer[1 : len(ours) + 1]


@root
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--syn", "80"], "TCP 80 > "),
        (["--syn", "81"], "TCP 81 > "),
        (["--ack", "80"], "TCP 80 > "),
        (["--udp", "81"], "ICMPv4 port unreachable"),
    ],
)
def test_tcp_and_udp_answer_too_open_or_closed(way: Way, arguments: list[str], words: str) -> None:
    done = ping(way.a, "-c", "2", "-i", "0.01", *arguments, THERE)
    assert (done.returncode, "2 packets transmitted, 2 received, 0% packet loss" in done.stdout) == (0, True)
    first = json.loads(ping(way.a, "-c", "1", "--format", "json", *arguments, THERE).stdout.splitlines()[0])
    assert first["answer"].startswith(words)


@root
def test_an_open_udp_port_that_says_nothing_is_loss(way: Way) -> None:
    done = ping(way.a, "-c", "1", "--timeout", "0.2", "--udp", "7", THERE)
    assert (done.returncode, "1 packets transmitted, 0 received, 100% packet loss" in done.stdout) == (1, True)


@root
def test_arp_tells_the_address_on_the_link(way: Way) -> None:
    done = ping(way.a, "-c", "1", "--arp", ROUTER)
    assert f"ARP {ROUTER} is at {way.r.mac()}" in done.stdout


@root
def test_json_has_a_line_a_probe_and_the_summary(way: Way) -> None:
    way.b.set_sysctls({"ipv4/icmp_echo_ignore_all": 0})
    lines = [
        json.loads(line)
        for line in ping(way.a, "-c", "2", "-i", "0", "--format", "json", THERE).stdout.splitlines()
    ]
    assert [line["seq"] for line in lines[:-1]] == [1, 2]
    assert all(line["rtt_ns"] > 0 and line["clock"] == "kernel" for line in lines[:-1])
    assert {key: lines[-1][key] for key in ("sent", "received", "loss")} == {"sent": 2, "received": 2, "loss": 0.0}
    assert lines[-1]["min_ns"] <= lines[-1]["avg_ns"] <= lines[-1]["max_ns"]
    way.b.set_sysctls({"ipv4/icmp_echo_ignore_all": 1})
    done = ping(way.a, "-c", "1", "--timeout", "0.2", "--format", "json", THERE)
    lost = json.loads(done.stdout.splitlines()[0])
    assert (done.returncode, lost["seq"], lost["rtt_ns"], lost["reason"]) == (1, 1, None, "silence")


@root
def test_a_flood_has_an_end_and_loses_nothing(way: Way) -> None:
    assert ping(way.a, "-f", THERE).returncode == 2
    done = ping(way.a, "-f", "-c", "500", THERE)
    assert "500 packets transmitted, 500 received, 0% packet loss" in done.stdout


@root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_by_a_signal_it_sums_up(way: Way, number: signal.Signals) -> None:
    with way.a.popen([RAWKIT, "ping", "-i", "0.01", THERE], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        while "seq=2" not in program.stdout.readline():
            pass
        program.send_signal(number)
        out, _ = program.communicate(timeout=PATIENCE)
    assert program.returncode == 0
    assert SUMMARY.search(out) is not None


@root
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-c", "1", "--timeout", "0.1", "10.0.1.99"], 1, "does not answer ARP"),
        (["-c", "1", "-s", "9000", THERE], 1, "larger than the interface's MTU"),
        (["-c", "1", "192.0.2.1"], 1, "net unreachable"),
        (["-4", "-6", THERE], 2, "exclude each other"),
        (["-6", THERE], 2, "expected an IPv6 address"),
        (["-p", "xyz", THERE], 2, "hexadecimal digits"),
        (["--syn", "1", "--udp", "1", THERE], 2, "exclude each other"),
        (["-c", "1", "-I", "nosuch", THERE], 3, "no such interface"),
        (["-c", "1", "fe80::1"], 3, "name the interface"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(way: Way, arguments: list[str], code: int, words: str) -> None:
    done = ping(way.a, *arguments)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True)
    assert len(done.stderr.splitlines()) <= 1


def outcome(number: int, trip: int | None) -> Answer | Miss:
    packet = (IPv4(dst="10.0.0.1") / ICMPv4.echo()).built()
    if trip is None:
        return Miss(number=number, question=packet, reason=Reason.SILENCE, text="")
    return Answer(number=number, question=packet, packet=packet, sent_ns=1000, received_ns=1000 + trip)


def test_the_figures_are_those_of_iputils() -> None:
    # iputils 20221126, ping_common.c: mdev is the root of the mean square less the square of the mean, truncated.
    summary = PingSummary()
    for number, trip in enumerate((40_000, None, 10_000, 70_000)):
        summary.add(outcome(number, trip))
    assert (summary.sent, summary.received, summary.loss) == (4, 3, 0.25)
    assert (summary.least_ns, summary.mean_ns, summary.most_ns) == (10_000, 40_000, 70_000)
    assert summary.deviation_ns == 24_494  # the root of (40^2 + 10^2 + 70^2) / 3 - 40^2 = 600, in microseconds


@pytest.mark.parametrize("wrong", [{"size": -1}, {"size": 65_508}, {"interval": -1}, {"pattern": b""}])
def test_a_ping_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(FieldError):
        Ping(destination=IPv4(dst="10.0.0.1").dst, **wrong)  # type: ignore[arg-type]
