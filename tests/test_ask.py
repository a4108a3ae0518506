"""`rawkit ask`: answers, and why there is none, for people and machines; and that nothing is left afterwards."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import PATIENCE, RAWKIT, frames_in, rawkit, refused, rules, told
from programs import require
from unprivileged import run_as_nobody

from rawkit.link import Direction, PacketSocket
from rawkit.netns import Host, Lab, Router
from rawkit.views import read_expression
from rawkit.wire import TCP, UDP, Ethernet, IPv4, TCPFlags

pytestmark = pytest.mark.root

UNLIMITED = {"ipv4/icmp_ratelimit": 0, "ipv6/icmp/ratelimit": 0, "ipv4/icmp_msgs_burst": 10_000}


class Way(NamedTuple):
    a: Host
    r: Router
    b: Host


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    """a - r - b, of which the second link is narrower."""
    with Lab() as lab:
        way = Way(lab.host("a"), lab.router("r"), lab.host("b"))
        lab.link(way.a, way.r)
        lab.link(way.r, way.b, mtu=1300)
        for node in (way.r, way.b):
            node.set_sysctls(UNLIMITED)
        way.r.set_sysctls({"ipv4/neigh/eth1/retrans_time_ms": 50})
        yield way


PING = "IPv4(dst='10.0.2.2') / ICMPv4.echo(id=7, seq=1)"
SYN = "IPv4(dst='10.0.2.2') / TCP(src_port=1025, dst_port=80, flags='S', seq=7)"


# ---------------------------------------------------------------------- answers


def test_an_answer_in_words(way: Way) -> None:
    asked, answer = rawkit(way.a, "ask", PING).stdout.splitlines()
    assert asked == "IPv4 10.0.1.1 > 10.0.2.2 / ICMPv4 echo request id=7 seq=1"
    assert answer.startswith("  <- IPv4 10.0.2.2 > 10.0.1.1 / ICMPv4 echo reply id=7 seq=1   after 0.")
    assert answer.endswith(" ms")


def test_an_answer_as_a_tree(way: Way) -> None:
    shown = rawkit(way.a, "ask", PING, "--format", "tree").stdout
    assert "ICMPv4Echo  [34:42]" in shown


def test_an_answer_in_json(way: Way) -> None:
    (answer,) = told(way.a, "ask", PING)
    assert (answer["number"], answer["answered"], answer["clock"], answer["sends"]) == (1, True, "kernel", 1)
    assert answer["rtt_ns"] > 0
    assert [layer["name"] for layer in answer["packet"]["layers"]] == ["Ethernet", "IPv4", "ICMPv4Echo"]
    assert answer["packet"]["layers"][1]["fields"]["src"] == "10.0.2.2"
    assert read_expression(answer["question"])[IPv4].src == read_expression("IPv4(dst='10.0.1.1')")[IPv4].dst


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("IPv6(dst='fd00:2::2') / ICMPv6.echo(id=7, seq=1)", "ICMPv6 echo reply id=7 seq=1"),
        ("IPv4(dst='127.0.0.1') / ICMPv4.echo(id=7, seq=1)", "ICMPv4 echo reply id=7 seq=1"),
        ("Ethernet(dst='ff:ff:ff:ff:ff:ff') / ARP(target_ip='10.0.1.2')", "10.0.1.2 is at 02:00:00:00:02:00"),
    ],
)
def test_answers_of_all_kinds(way: Way, expression: str, answer: str) -> None:
    options = ["-i", "eth0"] if expression.startswith("Ethernet") else []
    assert answer in rawkit(way.a, "ask", *options, expression).stdout.splitlines()[1]


# ---------------------------------------------------------------------- misses


@pytest.mark.parametrize(
    ("expression", "reason", "words"),
    [
        (
            "IPv4(dst='10.0.1.77') / UDP(dst_port=9)",
            "no neighbor",
            "10.0.1.77, the next hop on eth0, does not answer",
        ),
        ("IPv6(dst='fd00:1::77') / UDP(dst_port=9)", "no neighbor", "does not answer neighbour discovery"),
        ("IPv4(dst='10.0.2.2') / UDP(dst_port=9)", "error", "10.0.2.2 says: ICMPv4 port unreachable"),
        ("IPv4(dst='10.0.2.2', ttl=1) / UDP(dst_port=9)", "error", "10.0.1.2 says: ICMPv4 time exceeded"),
        ("IPv6(dst='fd00:2::2', hop_limit=1) / UDP(dst_port=9)", "error", "fd00:1::2 says: ICMPv6"),
        ("IPv4(dst='10.0.2.2', protocol=253) / b'x'", "error", "10.0.2.2 says: ICMPv4 protocol unreachable"),
        ("IPv4(dst='10.0.2.77') / UDP(dst_port=9)", "error", "10.0.1.2 says: ICMPv4 host unreachable"),
        (f"IPv4(dst='10.0.2.2', dont_fragment=True) / UDP() / ({bytes(1400)!r})", "error", "mtu=1300"),
        (f"IPv4(dst='10.0.2.2') / UDP() / ({bytes(1500)!r})", "refused", "larger than the interface's MTU"),
        ("IPv4(dst='10.0.2.2', src='10.9.9.9') / ICMPv4.echo(id=7)", "silence", "nothing came back"),
    ],
    ids=lambda text: text if " " not in text else "",
)
def test_a_miss_says_why(way: Way, expression: str, reason: str, words: str) -> None:
    options = ("--timeout", "2" if reason == "error" else "0.2")
    if "UDP()" in expression:
        expression = expression.replace("UDP()", "UDP(src_port=9, dst_port=9)")
    (miss,) = told(way.a, "ask", expression, *options, code=1)
    assert (miss["answered"], miss["rtt_ns"], miss["reason"]) == (False, None, reason)
    assert words in miss["text"]
    assert ("packet" in miss) == (reason == "error")


def test_a_miss_in_words(way: Way) -> None:
    shown = rawkit(way.a, "ask", "IPv4(dst='10.0.2.2', ttl=1) / ICMPv4.echo(id=7, seq=1)", code=1).stdout
    assert shown.splitlines()[1] == "  no answer: 10.0.1.2 says: ICMPv4 time exceeded in transit"


def test_no_route_is_a_miss_or_said_at_once() -> None:
    with Lab() as lab:
        assert "no route" in rawkit(lab.host("alone"), "ask", PING, code=3).stderr


def test_a_packet_that_nearly_answers(way: Way) -> None:
    """b answers a datagram from another port than the one that was asked."""
    with way.b.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind(("10.0.2.2", 7000))
        asked.settimeout(PATIENCE)
        expression = "IPv4(dst='10.0.2.2') / UDP(src_port=7001, dst_port=7000) / b'hi'"
        command = [*RAWKIT, "ask", expression, "--timeout", "1", "--format", "json"]
        with way.a.popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as ask:
            _, asking = asked.recvfrom(100)
            with way.b.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.bind(("10.0.2.2", 7777))
                other.sendto(b"hello", asking)
            miss = json.loads(ask.communicate(timeout=PATIENCE)[0])
    assert (miss["reason"], "source port" in miss["text"]) == ("nearly", True)
    assert "7777 > 7001" in miss["text"]


def test_what_this_hosts_kernel_discards_meanwhile_is_told(way: Way) -> None:
    """Instead of the answer, a packet comes whose header has a wrong checksum."""
    expression = "IPv4(dst='10.0.2.2') / UDP(src_port=7005, dst_port=7006)"
    command = [*RAWKIT, "ask", expression, "--timeout", "0.5", "--format", "json"]
    with (
        rules(way.b, "input", "udp dport 7006 drop"),
        way.b.open(PacketSocket, "eth0", filter="udp dst port 7006") as asked,
        way.r.open(PacketSocket, "eth0") as wire,
        way.a.popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as ask,
    ):
        asked.receive(PATIENCE)
        ip = IPv4(src="10.0.2.2", dst="10.0.1.1", checksum=1)
        wire.send(Ethernet(dst=way.a.mac(), src=way.r.mac("eth0")) / ip / UDP(src_port=1, dst_port=2))
        miss = json.loads(ask.communicate(timeout=PATIENCE)[0])
    assert miss["reason"] == "counted"
    assert "InHdrErrors rose by 1" in miss["text"] or "InCsumErrors rose by 1" in miss["text"]


def test_asking_again(way: Way) -> None:
    with rules(way.b, "input", "meta l4proto icmp drop"), way.b.open(PacketSocket, "eth0", filter="icmp") as tap:
        (miss,) = told(way.a, "ask", PING, "--retries", "2", "--timeout", "0.1", code=1)
        assert len(frames_in(tap)) == 3
    assert (miss["sends"], miss["reason"]) == (3, "silence")


# ---------------------------------------------------------------------- sweeps


def test_a_sweep_asks_all_and_counts(way: Way) -> None:
    with way.b.open(socket.create_server, ("10.0.2.2", 83)):
        expression = "IPv4(dst='10.0.2.2') / TCP(dst_port=range(80, 90), flags='S')"
        done = rawkit(way.a, "ask", expression, "--format", "json")
    answers = {each["number"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert sorted(answers) == list(range(1, 11))
    flags = {
        read_expression(each["question"])[TCP].dst_port: each["packet"]["layers"][2]["fields"]["flags"]
        for each in answers.values()
    }
    assert flags == {**dict.fromkeys(range(80, 90), "RA"), 83: "SA"}
    assert done.stderr.splitlines()[-1] == "10 asked, 10 answered, 0 frames dropped by the kernel"


def test_a_sweep_of_hops(way: Way) -> None:
    expression = "IPv4(dst='10.0.2.2', ttl=[1, 2]) / ICMPv4.echo(id=7, seq=1)"
    first, second = told(way.a, "ask", expression, code=1)
    assert [first["answered"], second["answered"]] == [False, True]
    assert "10.0.1.2 says" in first["text"]


def test_nothing_is_asked_inside_a_lab(way: Way) -> None:
    """Fast, many, beyond the link, from a source that is not this host's: --force is not asked for."""
    expression = "IPv4(src='10.9.9.9', dst='10.0.2.2') / UDP(dst_port=range(1000, 3000))"
    done = rawkit(way.a, "ask", expression, "--timeout", "0.1", "--window", "2000", code=1)
    assert done.stderr.splitlines()[-1].startswith("2000 asked, 0 answered")
    assert "--force" not in done.stderr


# ---------------------------------------------------------------------- the guard, and the end


def ruleset(host: Host) -> str:
    require("nft")
    done = host.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    return str(done.stdout)


def test_a_conversation_stays_the_callers_own(way: Way) -> None:
    """The SYN-ACK to a handmade SYN is not reset by this host's kernel, unless --no-guard says so."""
    with way.b.open(socket.create_server, ("10.0.2.2", 80)):
        for options, resets in (([], 0), (["--no-guard"], 1)):
            with way.a.open(PacketSocket, "eth0", filter="tcp dst port 80") as tap:
                done = rawkit(way.a, "ask", SYN, *options)
                sent = [frame.packet()[TCP] for frame in frames_in(tap) if frame.direction is Direction.OUTGOING]
            assert "[SA]" in done.stdout
            assert sum(bool(segment.flags & TCPFlags.RST) for segment in sent) == resets
            said = "keeping this host's resets out of TCP 10.0.1.1:1025 > 10.0.2.2:80, until this command ends\n"
            assert done.stderr == ("" if options else said)
    assert ruleset(way.a) == ""


@contextmanager
def waiting(way: Way, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`rawkit ask` that waits for an answer which does not come, its guard in force."""
    with rules(way.b, "input", "tcp dport 80 drop"):
        command = [*RAWKIT, "ask", SYN, "--timeout", "600", *options]
        with (
            way.b.open(PacketSocket, "eth0", filter="tcp dst port 80") as tap,
            way.a.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ask,
        ):
            assert ask.stderr is not None
            assert "keeping this host's resets out of" in ask.stderr.readline()
            tap.receive(PATIENCE)
            try:
                yield ask
            finally:
                ask.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(way: Way, number: signal.Signals) -> None:
    with waiting(way) as ask:
        assert "table inet rawkit-" in ruleset(way.a)
        ask.send_signal(number)
        out, err = ask.communicate(timeout=PATIENCE)
        assert ask.returncode == (-number if number == signal.SIGKILL else 128 + number)
        name = "" if number == signal.SIGKILL else "Ctrl-C" if number == signal.SIGINT else number.name
        assert (out, err) == ("", f"ended by {name} before all was known\n" if name else "")
        assert ruleset(way.a) == ""


def test_ctrl_c_in_a_sweep_says_how_far_it_came(way: Way) -> None:
    with rules(way.b, "input", "udp dport 5000-6000 drop"):
        expression = "IPv4(dst='10.0.2.2') / UDP(src_port=9, dst_port=[9, 5000, 5001])"
        command = [*RAWKIT, "ask", expression, "--timeout", "600", "--window", "1"]
        with (
            way.b.open(PacketSocket, "eth0", filter="udp dst port 5000") as tap,
            way.a.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ask,
        ):
            tap.receive(PATIENCE)
            ask.send_signal(signal.SIGINT)
            out, err = ask.communicate(timeout=PATIENCE)
    assert ask.returncode == 130
    assert "port unreachable" in out
    assert err.splitlines()[-1] == "2 asked, 0 answered, 0 frames dropped by the kernel"
    assert ruleset(way.a) == ""


def test_an_interface_that_goes_away_ends_it_with_one_line() -> None:
    require("ip")
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        b.set_sysctls({"ipv4/icmp_echo_ignore_all": 1})
        expression = "IPv4(dst='10.0.1.2') / ICMPv4.echo(id=7, seq=1)"
        with (
            b.open(PacketSocket, "eth0", filter="icmp") as tap,
            a.popen([*RAWKIT, "ask", expression, "--timeout", "600"], stderr=subprocess.PIPE, text=True) as ask,
        ):
            tap.receive(PATIENCE)
            a.run(["ip", "link", "delete", "eth0"], check=True)
            err = ask.communicate(timeout=PATIENCE)[1]
    assert ask.returncode == 3
    assert err.startswith("rawkit: ")
    assert "eth0" in err
    assert err.count("\n") == 1


def test_without_privileges_one_line_says_what_is_missing(way: Way, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    script = tmp_path / "ask.py"
    script.write_text("import sys\nfrom rawkit.cli.main import run\nsys.exit(run(sys.argv[1:]))\n")
    with way.a:
        for expression in (PING, SYN):
            done = run_as_nobody(script, "ask", expression)
            assert done.returncode == 3
            assert done.stderr.count("\n") == 1
            assert "CAP_NET_" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["UDP(dst_port=1)"], "begins with Ethernet, IPv4 or IPv6"),
        (["Ethernet(dst='ff:ff:ff:ff:ff:ff') / ARP(target_ip='10.0.1.2')"], "-i IFACE"),
        (["IPv4(dst='10.0.2.2') / UDP(dst_prt=1)"], "dst_port"),
        (["IPv4(dst='10.0.2.2') / UDP(dst_port=70000)"], "dst_port"),
        (["IPv4("], "expression"),
        ([PING, "--timeout", "0"], "timeout"),
        ([PING, "--timeout", "nan"], "timeout"),
        ([PING, "--rate", "0"], "rate"),
        ([PING, "--retries", "-1"], "retries"),
        ([PING, "-i", ""], "the name of an interface is empty"),
        ([], "EXPR"),
    ],
)
def test_wrong_arguments_get_one_line(way: Way, arguments: list[str], words: str) -> None:
    assert words in refused(way.a, "ask", *arguments)


def test_an_interface_that_is_not_there(way: Way) -> None:
    assert "`rawkit interfaces`" in rawkit(way.a, "ask", "-i", "nosuch0", PING, code=3).stderr
