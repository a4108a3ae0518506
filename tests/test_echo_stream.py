"""Echo over TCP: the classic loop, the server for any number of clients, and the clients that people have."""

from __future__ import annotations

import errno
import random
import resource
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from echo_ends import client_of, echoed, in_the_background, make_in, server_of, service, serving
from pair import HERE, HERE6, PATIENCE, THERE, THERE6, Pair
from programs import give_up, require

from rawkit.echo import tcp
from rawkit.echo.witness import Witness
from rawkit.errors import FieldError, KernelError, TimedOut
from rawkit.netns import Lab

pytestmark = pytest.mark.root

PIECES = random.Random(7).randbytes(100_000)
LOOPBACK = ("127.0.0.1", 0)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        here, there = lab.hosts("here", "there")
        lab.link(here, there)
        yield Pair(here, there)


class Notes(Witness):
    """What a server told."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    def connected(self, who: Any) -> None:
        self.all.append(("connected", who))

    def received(self, who: Any, data: bytes, truncated: bool, files: Any = ()) -> None:
        self.all.append(("received", who, data))

    def closed(self, who: Any, error: OSError | None) -> None:
        self.all.append(("closed", who, None if error is None else error.errno))


@pytest.mark.parametrize(
    ("listening", "asked", "seen"),
    [(THERE, THERE, HERE), (THERE6, THERE6, HERE6), ("::", THERE, f"::ffff:{HERE}"), ("::", THERE6, HERE6)],
)
def test_the_classic_loop_serves_one_client_over_each_ip_version(
    pair: Pair, listening: str, asked: str, seen: str
) -> None:
    pieces: list[bytes] = []
    with (
        server_of(pair.there, "tcp", (listening, 0)) as server,
        in_the_background(lambda: server.echo_one(20, lambda received: pieces.append(received.data))),
        client_of(pair.here, "tcp", (asked, server.address[1])) as client,
    ):
        assert client.who()[0] == asked
        assert echoed(client, PIECES) == PIECES
        client.finish()
        assert client.receive(1).data == b""
    assert b"".join(pieces) == PIECES
    assert max(map(len, pieces)) == 20
    with (
        server_of(pair.there, "tcp", (listening, server.address[1])) as again,  # TIME-WAIT is no obstacle
        client_of(pair.here, "tcp", (asked, again.address[1])),
    ):
        assert again.accept()[0] == seen


def test_a_port_in_use_and_one_where_nobody_listens_are_explained(pair: Pair) -> None:
    with (
        server_of(pair.here, "tcp", LOOPBACK) as server,
        pytest.raises(KernelError, match=r"port is in use; .* `ss -ltnp` shows") as used,
    ):
        server_of(pair.here, "tcp", server.address)
    with pytest.raises(KernelError, match="nobody listens at that TCP port") as refused:
        client_of(pair.here, "tcp", server.address)
    assert (used.value.errno, refused.value.errno) == (errno.EADDRINUSE, errno.ECONNREFUSED)


def test_a_server_that_says_nothing_times_out_and_addresses_that_are_none_are_refused(pair: Pair) -> None:
    with (
        server_of(pair.here, "tcp", LOOPBACK, timeout=0.01) as server,
        client_of(pair.here, "tcp", server.address, timeout=0.01) as client,
    ):
        with pytest.raises(TimedOut, match=r"receive: nothing within 0.01 s"):
            client.receive(1)
        server.accept()
        with pytest.raises(TimedOut, match="wait for a client at 127"):
            server.accept()
    for host, port in (("", 1), ("no host", 1), ("a..b", 1), ("127.0.0.1", 65_536)):
        with pytest.raises((FieldError, KernelError)):
            client_of(pair.here, "tcp", (host, port))


@pytest.mark.parametrize(
    "client", [["telnet"], ["nc"], ["socat", "-", "TCP:{host}:{port}"]], ids=["telnet", "nc", "socat"]
)
def test_the_clients_that_people_have_get_their_line_back(pair: Pair, client: list[str]) -> None:
    require(client[0])
    with serving(pair.there, "tcp", "::", "--port", "0") as server:
        places = {"host": THERE, "port": server.port}
        command = [word.format(**places) for word in client]
        command += [] if len(client) > 1 else [THERE, str(server.port)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with pair.here.popen(command, bufsize=0, **pipes) as process:
            process.stdin.write(b"Hello, World! from a real client\r\n")
            printed = b""
            while b"a real client" not in printed:
                piece = process.stdout.read(4096)
                assert piece, printed
                printed += piece
            process.kill()
        assert server.event("connected")["peer"].startswith(f"[::ffff:{HERE}]:")
        received = server.event("received")
    assert bytes.fromhex(received["data"]) == b"Hello, World! from a"


def test_a_client_that_ends_its_half_gets_everything_and_then_the_end(pair: Pair) -> None:
    with service(pair.there, "tcp", (THERE, 0), 4096) as (address, _), pair.here.open(socket.socket) as client:
        client.settimeout(PATIENCE)
        client.connect(address)
        with in_the_background(lambda: (client.sendall(PIECES * 20), client.shutdown(socket.SHUT_WR))):
            back = b""
            while piece := client.recv(65_536):
                back += piece
    assert back == PIECES * 20


def test_a_client_that_does_not_read_is_not_read_from_and_loses_nothing(pair: Pair) -> None:
    with (
        service(pair.here, "tcp", LOOPBACK, 1000) as (address, running),
        pair.here.open(socket.socket) as slow,
        client_of(pair.here, "tcp", address) as other,
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        slow.connect(address)
        slow.setblocking(False)
        sent = full = 0
        while full < 50:  # by then there is no room left on the whole way
            try:
                sent += slow.send(PIECES[:1000])
            except BlockingIOError:
                full += any(client.waiting for client in running._clients.values())  # type: ignore[union-attr]
                assert echoed(other, b"served meanwhile") == b"served meanwhile"
            assert sent < 64 << 20
        assert max(len(client.waiting) for client in running._clients.values()) <= 1000  # type: ignore[union-attr]
        slow.settimeout(PATIENCE)
        slow.shutdown(socket.SHUT_WR)
        back = 0
        while piece := slow.recv(65_536):
            back += len(piece)
    assert back == sent


@pytest.mark.parametrize("kind", ["tcp", "unix-stream"])
def test_more_than_all_buffers_on_the_way_hold_comes_back(pair: Pair, kind: str) -> None:
    """To a server that reads no further while its answers are not read (tcp_wmem, tcp_rmem in tcp(7))."""
    data = bytes(range(256)) * (1 << 17)  # 32 MiB
    where: Any = (THERE, 0) if kind == "tcp" else "@rawkit-test-large"
    here = pair.here if kind == "tcp" else pair.there
    with service(pair.there, kind, where, 1 << 16) as (at, _), client_of(here, kind, at) as client:
        assert echoed(client, data) == data


def test_a_reset_ends_that_client_only(pair: Pair) -> None:
    notes = Notes()
    with (
        service(pair.here, "tcp", LOOPBACK, 20, notes) as (address, _),
        client_of(pair.here, "tcp", address) as kept,
    ):
        assert echoed(kept, b"first") == b"first"
        with pair.here.open(socket.create_connection, address) as rude:
            name = rude.getsockname()
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close sends RST
        while ("closed", name, errno.ECONNRESET) not in notes.all:
            assert echoed(kept, b"again") == b"again"


def test_stopped_from_another_thread_it_hangs_up_on_everybody(pair: Pair) -> None:
    with service(pair.here, "tcp", LOOPBACK, 20) as (address, running):
        clients = [client_of(pair.here, "tcp", address) for _ in range(3)]
        assert [echoed(client, b"hi") for client in clients] == [b"hi"] * 3
        running.stop()
        assert [client.receive(1).data for client in clients] == [b""] * 3
        running.stop()
    for client in clients:
        client.close()
    with pytest.raises(KernelError, match="nobody listens"):
        client_of(pair.here, "tcp", address)


def test_when_full_it_waits_until_somebody_leaves(pair: Pair) -> None:
    limited = ("sh", "-c", 'ulimit -n 40; exec "$@"', "sh")
    with serving(pair.here, "tcp", "--port", "0", before=limited) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        clients = [stack.enter_context(client_of(pair.here, "tcp", address)) for _ in range(60)]
        for client in clients:
            client.send(b"x")
        full = server.event("full")["clients"]
        assert 20 < full < 40
        for client in clients[:30]:
            assert client.receive(1).data == b"x"
            client.close()
        assert [client.receive(1).data for client in clients[30:]] == [b"x"] * 30
        assert server.stop()[-1]["clients"] == 60


@pytest.mark.parametrize(("kind", "count"), [("tcp", 10_000), ("unix-stream", 2000), ("unix-seqpacket", 2000)])
def test_thousands_of_clients_at_once_each_get_their_message_back(pair: Pair, kind: str, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        give_up(f"no more than {hard} open files are allowed here (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    where = ["--port", "0"] if kind == "tcp" else ["@many"]
    with serving(pair.here, kind, *where, "--quiet") as server, ExitStack() as stack:
        address: Any = (server.address, server.port) if kind == "tcp" else server.address
        with pair.here:
            made = [stack.enter_context(client_of_kind(kind, address)) for _ in range(count)]
        for number, client in enumerate(made):
            client.sendall(b"%08d" % number)
        for number, client in enumerate(made):
            assert client.recv(8, socket.MSG_WAITALL) == b"%08d" % number


def client_of_kind(kind: str, address: Any) -> socket.socket:
    types = {"tcp": (socket.AF_INET, socket.SOCK_STREAM), "unix-stream": (socket.AF_UNIX, socket.SOCK_STREAM)}
    made = socket.socket(*types.get(kind, (socket.AF_UNIX, socket.SOCK_SEQPACKET)))
    made.settimeout(PATIENCE)
    made.connect(address.replace("@", "\0") if isinstance(address, str) else address)
    return made


def test_sockets_come_from_make_and_no_other_place(pair: Pair) -> None:
    asked: list[tuple[Any, ...]] = []

    def make(*arguments: Any) -> socket.socket:
        asked.append(arguments)
        return make_in(pair.here)(*arguments)

    with tcp.Server(LOOPBACK, make=make) as server, tcp.Client(server.address, make=make):
        pass
    assert asked == [(socket.AF_INET, socket.SOCK_STREAM)] * 2


@pytest.mark.parametrize("once", [True, False])
def test_urgent_bytes_come_back_among_the_others(pair: Pair, once: bool) -> None:
    """Telnet sends its Interrupt Process so (RFC 854); the kernel would keep that byte apart (tcp(7))."""
    with (
        serving(pair.there, "tcp", THERE, *(["--once"] if once else [])) as server,
        pair.here.open(socket.create_connection, (THERE, server.port), PATIENCE) as client,
    ):
        client.sendall(b"one")
        client.send(b"!", socket.MSG_OOB)
        client.sendall(b"two")
        back = b""
        while len(back) < 7:
            back += client.recv(7)
        assert back == b"one!two"
