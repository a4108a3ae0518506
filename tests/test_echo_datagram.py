"""Echo over UDP: boundaries, what is too large, what is lost, and what comes back from a closed port."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
from collections.abc import Iterator

import pytest
from commands import RAWKIT
from echo_ends import client_of, echoed, in_the_background, server_of, service, serving
from pair import HERE, HERE6, PATIENCE, THERE, THERE6, Pair, processed
from programs import require

from rawkit import UDP, IPv4
from rawkit.errors import KernelError, TimedOut
from rawkit.link import PacketSocket, RawIPv4Socket
from rawkit.netns import Lab

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
        with pytest.raises(KernelError, match="ICMP says that it is unreachable") as refused:
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
