"""Echo over UDP: boundaries, what is too large, what is lost, and what comes back from a closed port."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from by_hand import Heard
from commands import RAWKIT, rawkit, rules
from echo_ends import client_of, echoed, in_the_background, server_of, service, serving
from pair import HERE, HERE6, PATIENCE, THERE, THERE6, Pair, processed
from programs import require

from rawkit import UDP, IPv4
from rawkit.echo import loops
from rawkit.errors import KernelError, TimedOut, UnreachableError
from rawkit.link import PacketSocket, RawIPv4Socket
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        here, there = lab.hosts("here", "there")
        lab.link(here, there)
        yield Pair(here, there)


@pytest.mark.parametrize(
    ("listening", "asked", "seen"),
    [(THERE, THERE, HERE), (THERE6, THERE6, HERE6), ("::", THERE, f"::ffff:{HERE}"), ("::", THERE6, HERE6)],
)
def test_the_classic_loop_answers_one_datagram_over_each_ip_version(
    pair: Pair, listening: str, asked: str, seen: str
) -> None:
    peers: list[str] = []
    with (
        server_of(pair.there, "udp", (listening, 0)) as server,
        in_the_background(lambda: server.echo_one(9000, lambda received: peers.append(received.peer[0]))),
        client_of(pair.here, "udp", (asked, server.address[1])) as client,
    ):
        assert echoed(client, b"x" * 8000) == b"x" * 8000
    assert peers == [seen]


def test_boundaries_are_kept_and_a_datagram_may_be_empty(pair: Pair) -> None:
    sent = [b"one", b"", b"three" * 100, b"", b"five"]
    with (
        service(pair.there, "udp", (THERE, 0), 65_536) as (address, _),
        client_of(pair.here, "udp", address) as client,
    ):
        for data in sent:
            client.send(data)
        assert [client.receive(65_536).data for _ in sent] == sent


def test_the_largest_datagram_comes_back_and_a_larger_one_is_refused(pair: Pair) -> None:
    with service(pair.there, "udp", ("::", 0), 65_536) as (address, _):
        for host, most in ((THERE, 65_507), (THERE6, 65_527)):
            with client_of(pair.here, "udp", (host, address[1])) as client:
                assert len(echoed(client, bytes(most))) == most
                with pytest.raises(KernelError, match="too large for one datagram") as refused:
                    client.send(bytes(most + 1))
                assert refused.value.errno == errno.EMSGSIZE


def test_what_does_not_fit_into_the_buffer_is_lost_and_told(pair: Pair) -> None:
    with (
        server_of(pair.there, "udp", (THERE, 0)) as server,
        client_of(pair.here, "udp", server.address) as client,
    ):
        client.send(b"hello")
        cut = server.receive(3)
        assert (cut.data, cut.truncated) == (b"hel", True)
        server.send(b"whole", cut.peer)
        server.send(b"again", cut.peer)
        whole, cut = client.receive(5), client.receive(2)
        assert (whole.data, whole.truncated, cut.data, cut.truncated) == (b"whole", False, b"ag", True)


def test_a_closed_port_is_reported_by_icmp(pair: Pair) -> None:
    with client_of(pair.here, "udp", (THERE, 9)) as client:
        client.send(b"is anybody there?")
        with pytest.raises(KernelError, match="nobody listens at that UDP port") as refused:
            client.receive(100)
        assert refused.value.errno == errno.ECONNREFUSED


def test_what_is_lost_is_sent_again_so_many_times(pair: Pair) -> None:
    with pair.there.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as forgetful:
        forgetful.settimeout(PATIENCE)
        forgetful.bind((THERE, 0))

        def answer_the_third() -> None:
            for _ in range(2):
                forgetful.recv(100)
            data, peer = forgetful.recvfrom(100)
            forgetful.sendto(data, peer)

        address = forgetful.getsockname()
        with (
            in_the_background(answer_the_third),
            client_of(pair.here, "udp", address, timeout=0.5, retries=5) as client,
        ):
            assert echoed(client, b"at last") == b"at last"
            assert client.resent == 2  # type: ignore[attr-defined]
        with (
            client_of(pair.here, "udp", address, timeout=0.01, retries=2) as client,
            pytest.raises(TimedOut, match=r"nothing within 0.01 s"),
        ):
            echoed(client, b"never")
        assert [forgetful.recv(100) for _ in range(3)] == [b"never"] * 3


@contextmanager
def answering(host: Host, answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """A UDP socket that answers by a plan, and where it is."""
    with host.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(PATIENCE)
        server.bind((THERE, 0))
        with in_the_background(lambda: answer(server)):
            yield server.getsockname()


@pytest.mark.parametrize("kind", ["udp", "raw-udp"])
def test_a_late_answer_is_not_taken_for_the_next_question_s(pair: Pair, kind: str) -> None:
    lost = threading.Event()

    def be_late(server: socket.socket) -> None:
        first, peer = server.recvfrom(100)
        lost.wait(PATIENCE)
        server.recv(100)
        server.sendto(first, peer)
        server.sendto(b"two", peer)
        server.sendto(b"two", peer)
        assert server.recv(100) == b"two"
        server.sendto(b"two", peer)

    with answering(pair.there, be_late) as address, client_of(pair.here, kind, address, timeout=0.2) as client:
        with pytest.raises(TimedOut):
            echoed(client, b"one")
        lost.set()
        client.timeout = PATIENCE  # type: ignore[attr-defined]
        client.socket.settimeout(PATIENCE)  # type: ignore[attr-defined]
        assert echoed(client, b"two") == b"two"
        assert (client.stray, client.doubtful) == (1, False)
        while client.stray < 2:
            client.wait(0)
        assert echoed(client, b"two") == b"two"
        assert (client.stray, client.doubtful) == (2, False)


def test_the_command_says_whose_round_trip_is_in_doubt(pair: Pair) -> None:
    def answer_one_late(server: socket.socket) -> None:
        questions = [server.recvfrom(100) for _ in range(2)]
        for data, peer in questions:
            server.sendto(data, peer)

    for options, doubt in (
        (["-c", "2"], ", or longer: it may be the answer to an earlier one"),
        (["--retries", "1"], ", sent again 1 time, or less: which one was answered is not known"),
    ):
        with answering(pair.there, answer_one_late) as (_, port):
            asked = ["echo", "send", "udp", THERE, "--port", str(port), "--data", "x", "--timeout", "0.5"]
            shown = rawkit(pair.here, *asked, *options, code=1 if "-c" in options else 0).stdout
        assert shown.count(f" ms{doubt}\n") == 1
        assert "\n1 round trip of unknown length\n" in shown


@pytest.mark.parametrize("kind", ["udp", "raw-udp", "icmp"])
@pytest.mark.parametrize(
    ("reject", "icmp", "told"),
    [
        ("icmp type host-unreachable", 4, "host unreachable (type 3, code 1)"),
        ("icmp type admin-prohibited", 4, "communication prohibited (type 3, code 13); a filter"),
        ("icmpv6 type admin-prohibited", 6, "prohibited (type 1, code 1); a filter"),
    ],
)
def test_what_icmp_says_is_told_with_who_says_it(pair: Pair, kind: str, reject: str, icmp: int, told: str) -> None:
    there, protocol = (THERE, "icmp") if icmp == 4 else (THERE6, "icmpv6")
    asked = f"{protocol} type echo-request" if kind == "icmp" else "meta l4proto udp"
    rule = f"{asked} reject with {reject}"
    with rules(pair.there, "input", rule), client_of(pair.here, kind, (there, 7)) as client:
        for _ in range(2):
            with pytest.raises(UnreachableError) as refused:
                echoed(client, b"hello")
            assert f": {there} says ICMPv{icmp} {told}" in str(refused.value)
            assert refused.value.said_by == there


def test_a_host_that_does_not_answer_arp_is_told_by_this_one(pair: Pair) -> None:
    asked = ["echo", "send", "udp", "10.0.1.77", "--data", "x", "--timeout", str(PATIENCE)]
    done = rawkit(pair.here, *asked, code=1)
    assert f"{HERE} says ICMPv4 host unreachable (type 3, code 1); that host does not answer ARP" in done.stderr


@pytest.mark.parametrize("there", [THERE, THERE6])
def test_a_protocol_that_nobody_takes_is_told_at_once(pair: Pair, there: str) -> None:
    done = rawkit(pair.here, "echo", "send", "raw-ip", there, "-d", "x", "--timeout", str(PATIENCE), code=1)
    assert f"{there} says ICMPv" in done.stderr
    assert "no program there takes that protocol" in done.stderr


def test_what_icmp_says_to_others_is_none_of_ours(pair: Pair) -> None:
    """A raw socket is told of what all others sent."""
    other = "10.0.1.98"
    pair.there.run(["ip", "address", "add", f"{other}/32", "dev", "lo"], check=True)
    quiet = "meta l4proto 253 ip daddr 10.0.1.2 drop"
    with rules(pair.there, "input", quiet), client_of(pair.here, "raw-ip", (THERE, 7), timeout=0.2) as client:
        with client_of(pair.here, "raw-ip", (other, 7)) as loud, pytest.raises(UnreachableError):
            echoed(loud, b"hello")
        with pytest.raises(TimedOut):
            echoed(client, b"hello")


def test_a_sender_that_cannot_be_answered_does_not_end_the_server(pair: Pair) -> None:
    with service(pair.there, "udp", (THERE, 0), 100) as (address, _):
        with pair.here.open(RawIPv4Socket) as raw:
            raw.send(IPv4(src=HERE, dst=THERE) / UDP(src_port=0, dst_port=address[1]) / b"nobody")
        with client_of(pair.here, "udp", address) as client:
            assert echoed(client, b"still there") == b"still there"


def test_a_port_in_use_is_explained(pair: Pair) -> None:
    with (
        server_of(pair.here, "udp", ("127.0.0.1", 0)) as server,
        pytest.raises(KernelError, match=r"port is in use; .* `ss -lunp` shows"),
    ):
        server_of(pair.here, "udp", server.address)


@pytest.mark.parametrize(
    "client", [["nc", "-u", "{host}", "{port}"], ["socat", "-", "UDP:{host}:{port}"]], ids=["nc", "socat"]
)
def test_the_clients_that_people_have_get_their_line_back(pair: Pair, client: list[str]) -> None:
    require(client[0])
    with serving(pair.there, "udp", "::", "--port", "0") as server:
        command = [word.format(host=THERE, port=server.port) for word in client]
        with pair.here.popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(b"Hello, World!\n")
            assert process.stdout.read(4096) == b"Hello, World!\n"
            process.kill()
        assert server.event("received")["peer"].startswith(f"[::ffff:{HERE}]:")


def test_stopped_from_another_thread_it_ends_at_once(pair: Pair) -> None:
    with service(pair.there, "udp", (THERE, 0), 100) as (_, running):
        running.stop()
        running.stop()


@pytest.mark.parametrize("kind", ["udp", "raw-udp"])
def test_no_echo_goes_on_for_ever(pair: Pair, kind: str) -> None:
    """What claims to come from the server's own port, or from another echo server, is not answered (RFC 862)."""
    command = [*RAWKIT, "echo", "serve", kind, THERE, "--port", "5005", "--format", "json"]
    with pair.there.popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        with (
            pair.here.open(RawIPv4Socket) as raw,
            pair.here.open(PacketSocket, "eth0", filter=f"udp and src host {THERE}") as tap,
        ):
            for port in (5005, 7, 19, 40_000):
                raw.send(IPv4(src=HERE, dst=THERE) / UDP(src_port=port, dst_port=5005) / b"hello")
            answers = [tap.receive(PATIENCE).packet()[UDP].dst_port]
            processed(pair.here, pair.there)
            with pytest.raises(TimedOut):
                tap.receive(0)
        server.terminate()
        told = [json.loads(line) for line in server.stdout]
    assert answers == [40_000]
    if kind == "udp":
        assert [each["event"] for each in told].count("unanswered") == 3


@pytest.mark.parametrize("first", ["telling", "quiet"])
def test_two_servers_and_a_forged_datagram_come_to_an_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr(loops, "MANY", 50)
    monkeypatch.setattr(loops, "SLOW", 0)
    heard = Heard()
    with (
        service(pair.here, "udp", (HERE, 0), 100, heard) as (telling, _),
        service(pair.there, "udp", (THERE, 0), 100) as (quiet, _),
    ):
        src, dst = (quiet, telling) if first == "telling" else (telling, quiet)
        sender = pair.there if first == "telling" else pair.here
        with sender.open(RawIPv4Socket) as raw:
            raw.send(IPv4(src=src[0], dst=dst[0]) / UDP(src_port=src[1], dst_port=dst[1]) / b"for ever")
        if first == "telling":
            assert "as between two servers" in str(heard.next(KernelError))
        else:
            assert [heard.next(bytes) for _ in range(49)] == [b"for ever"] * 49
        with client_of(pair.there, "udp", telling) as client:
            for _ in range(20):
                assert echoed(client, b"hello") == b"hello"
        assert heard.data() == [b"hello"] * 20


@pytest.mark.parametrize(
    ("listening", "second"), [("0.0.0.0", "10.9.9.9"), ("::", "10.9.9.9"), ("::", "fd00:9::9")]
)
def test_a_wildcard_server_answers_from_the_address_that_was_asked(
    pair: Pair, listening: str, second: str
) -> None:
    """A connected client takes answers from there alone (udp(7))."""
    require("ip", "socat")
    pair.there.run(
        ["ip", "address", "add", f"{second}/128" if ":" in second else f"{second}/32", "dev", "lo"], check=True
    )
    way = THERE6 if ":" in second else THERE
    pair.here.run(["ip", "route", "add", second, "via", way], check=True)
    command = [*RAWKIT, "echo", "serve", "udp", listening, "--port", "5005", "-q"]
    with pair.there.popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        where = f"UDP6:[{second}]:5005" if ":" in second else f"UDP4:{second}:5005"
        ask = ["socat", "-t", "5", "-", f"{where},readbytes=5"]
        done = pair.here.run(ask, input="hello", capture_output=True, text=True, timeout=PATIENCE)
        server.terminate()
    assert done.stdout == "hello"
