"""Echo over UNIX sockets: addresses, socket files, credentials, open files that are passed, and real clients."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from commands import RAWKIT
from echo_ends import client_of, echoed, in_the_background, server_of, service, serving
from pair import PATIENCE
from programs import require

from rawkit.echo.endpoint import Credentials, Received
from rawkit.echo.witness import Witness
from rawkit.errors import FieldError, KernelError
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

KINDS = ["unix-stream", "unix-dgram", "unix-seqpacket"]
TYPES = {
    "unix-stream": socket.SOCK_STREAM,
    "unix-dgram": socket.SOCK_DGRAM,
    "unix-seqpacket": socket.SOCK_SEQPACKET,
}
ME = Credentials(os.getpid(), os.getuid(), os.getgid())


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        yield lab.host("a")


@pytest.fixture(params=["file", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "@echo" if request.param == "abstract" else str(tmp_path / "echo")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def left_behind(path: Path, kind: str) -> None:
    """The socket file of a server that is gone."""
    with socket.socket(socket.AF_UNIX, TYPES[kind]) as made:
        made.bind(str(path))


@pytest.mark.parametrize("kind", KINDS)
def test_the_classic_loop_tells_who_asks_and_leaves_no_file(host: Host, address: str, kind: str) -> None:
    heard: list[Received] = []
    with (
        server_of(host, kind, address) as server,
        in_the_background(lambda: server.echo_one(100, heard.append)),
        client_of(host, kind, address) as client,
    ):
        assert echoed(client, b"hello") == b"hello"
        client.finish()
        if kind != "unix-dgram":
            assert client.who() == ME
    assert heard[0].credentials == (None if kind == "unix-stream" else ME)
    assert not Path(address).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_bytes_come_back_through_the_server_for_many(host: Host, address: str, kind: str) -> None:
    data = bytes(range(256)) * 300
    with service(host, kind, address, 100_000) as (where, _), ExitStack() as stack:
        clients = [stack.enter_context(client_of(host, kind, where)) for _ in range(5)]
        assert [echoed(client, data, 100_000) == data for client in clients] == [True] * 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_of_a_server_that_is_gone_is_replaced(host: Host, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "echo"
    left_behind(path, kind)
    before = path.stat().st_ino, path.stat().st_ctime_ns
    with server_of(host, kind, str(path)):
        assert (path.stat().st_ino, path.stat().st_ctime_ns) != before
    assert not path.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_the_file_of_a_server_that_lives_is_left_alone(host: Host, tmp_path: Path, kind: str, other: str) -> None:
    path = tmp_path / "echo"
    with server_of(host, other, str(path)):
        with pytest.raises(KernelError, match=r"another socket has that name; .* `ss -lxp`") as refused:
            server_of(host, kind, str(path))
        assert refused.value.errno == errno.EADDRINUSE
        assert path.is_socket()


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_of_something_else_is_never_removed(host: Host, tmp_path: Path, kind: str) -> None:
    stale, path = tmp_path / "stale", tmp_path / "echo"
    left_behind(stale, kind)
    file = tmp_path / "file"
    file.write_text("precious")
    for target in (stale, file, tmp_path / "nothing"):
        path.symlink_to(target)
        with pytest.raises(KernelError, match="no socket has that name, and is left alone"):
            server_of(host, kind, str(path))
        assert path.is_symlink()
        path.unlink()
    for other in (file, tmp_path):
        with pytest.raises(KernelError, match="no socket has that name, and is left alone"):
            server_of(host, kind, str(other))
    assert file.read_text() == "precious"
    assert stale.is_socket()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_own_file_is_removed_at_the_end(host: Host, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "echo"
    with server_of(host, kind, str(path)):
        path.rename(tmp_path / "moved")
        path.write_text("another's")
    assert path.read_text() == "another's"
    path.unlink()
    with server_of(host, kind, str(path)):
        path.rename(tmp_path / "moved")
        left_behind(path, kind)
    assert path.is_socket()


@pytest.mark.parametrize("kind", KINDS)
def test_addresses_that_cannot_be_and_servers_that_are_not_there(host: Host, tmp_path: Path, kind: str) -> None:
    for wrong in ("", "@", "x\0y", str(tmp_path / ("x" * 108))):
        with pytest.raises(FieldError, match="1 to 107 bytes"):
            server_of(host, kind, wrong)
    path = tmp_path / "echo"
    with pytest.raises(KernelError) as missing:
        client_of(host, kind, str(path))
    left_behind(path, kind)
    with pytest.raises(KernelError, match="no server has that socket open") as refused:
        client_of(host, kind, str(path))
    assert (missing.value.errno, refused.value.errno) == (errno.ENOENT, errno.ECONNREFUSED)


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_file_goes_there_and_back(host: Host, address: str, tmp_path: Path, kind: str) -> None:
    passed = tmp_path / "passed"
    passed.write_bytes(b"read through the descriptor")
    names: list[str] = []

    def note(received: Received) -> None:
        names.extend(str(Path(f"/proc/self/fd/{each}").readlink()) for each in received.descriptors)

    with passed.open("rb") as file:
        before = open_files()
        with (
            server_of(host, kind, address, files=True) as server,
            in_the_background(lambda: server.echo_one(100, note)),
            client_of(host, kind, address, files=(file.fileno(),)) as client,
        ):
            (back,) = client.echo(b"with a file", 100)
            client.finish()
        assert names == [str(passed)]
        with os.fdopen(*back.descriptors, "rb") as again:
            assert again.read() == b"read through the descriptor"
        assert open_files() == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_file_that_nobody_asked_for_is_not_taken(host: Host, address: str, kind: str) -> None:
    before = open_files()
    with service(host, kind, address, 100) as (where, _):
        for _ in range(3):
            with client_of(host, kind, where, files=(0,)) as client:
                (back,) = client.echo(b"take this", 100)
                assert back.descriptors == ()
    assert open_files() == before


def test_packets_keep_boundaries_and_may_be_empty(host: Host, address: str) -> None:
    sent = [b"one", b"", b"three" * 100, b"", b"five"]
    with (
        service(host, "unix-seqpacket", address, 1000) as (where, _),
        client_of(host, "unix-seqpacket", where) as client,
    ):
        for data in sent:
            client.send(data)
        for data in sent:
            received = client.receive(1000)
            assert (received.data, received.truncated) == (data, False)


class Notes(Witness):
    """What a server told."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def received(self, who: Any, data: bytes, truncated: bool, files: Any = ()) -> None:
        self.all.append((who, data, truncated))

    def unanswered(self, who: Any, error: Exception) -> None:
        self.all.append((who, str(error)))


@pytest.mark.parametrize("kind", ["unix-dgram", "unix-seqpacket"])
def test_a_message_that_does_not_fit_is_cut_and_told(host: Host, address: str, kind: str) -> None:
    notes = Notes()
    with service(host, kind, address, 3, notes) as (where, _), client_of(host, kind, where) as client:
        assert echoed(client, b"hello") == b"hel"
        client.send(b"by")
        cut = client.receive(1)
        assert (cut.data, cut.truncated) == (b"b", True)
    assert notes.all == [(ME, b"hel", True), (ME, b"by", False)]


def dropped(notes: Notes) -> bool:
    return any("does not keep up" in note[1] for note in notes.all if len(note) == 2)


def test_a_datagram_client_that_does_not_read_keeps_nobody_waiting(host: Host, address: str) -> None:
    notes = Notes()
    with (
        service(host, "unix-dgram", address, 100, notes) as (where, _),
        host.open(socket.socket, socket.AF_UNIX, socket.SOCK_DGRAM) as slow,
        client_of(host, "unix-dgram", where) as other,
    ):
        slow.bind("")
        while not dropped(notes):
            slow.sendto(b"x", where.replace("@", "\0"))
        assert echoed(other, b"served meanwhile") == b"served meanwhile"


def test_nor_does_a_connected_one_whose_queue_has_no_end(host: Host, address: str) -> None:
    """What it does not read fills the buffer from which all are answered; only its own answers are dropped."""
    notes = Notes()
    with (
        service(host, "unix-dgram", address, 60_000, notes) as (where, _),
        client_of(host, "unix-dgram", where) as other,
        client_of(host, "unix-dgram", where) as slow,
    ):
        for data in (b"x", b"x" * 50_000):
            slow.send(data)
            while not dropped(notes):
                slow.send(data)
            for _ in range(3):
                assert echoed(other, b"served meanwhile" * 1000) == b"served meanwhile" * 1000
            notes.all.clear()


def test_the_services_wait_for_clients_as_long_as_it_takes(host: Host, address: str) -> None:
    with server_of(host, "unix-dgram", address, timeout=0.01) as server:
        running = server.service(100)
        assert running is not None
        with in_the_background(running.run):
            try:
                while server.socket.gettimeout() is not None:  # type: ignore[attr-defined]
                    pass
            finally:
                running.stop()


def test_an_open_file_that_lingers_keeps_nobody_waiting(host: Host, address: str) -> None:
    """Closing it would take longer than the client waits: it is a TCP socket whose other end does not read."""
    with (
        service(host, "unix-dgram", address, 100, files=True) as (where, _),
        host.open(socket.create_server, ("127.0.0.1", 0)) as listener,
        host.open(socket.socket, socket.AF_UNIX, socket.SOCK_DGRAM) as nameless,
    ):
        nameless.connect(where.replace("@", "\0"))
        with host.open(socket.create_connection, listener.getsockname()) as full:
            full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2 * PATIENCE))
            full.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    full.send(bytes(65_536))
            socket.send_fds(nameless, [b"keep this, since I have no name"], [full.fileno()])
        with client_of(host, "unix-dgram", where) as client:
            assert echoed(client, b"hello") == b"hello"


def test_a_sender_without_a_name_is_told_and_not_answered(host: Host, address: str) -> None:
    notes = Notes()
    with service(host, "unix-dgram", address, 100, notes) as (where, _):
        with host.open(socket.socket, socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
            nameless.sendto(b"who am I?", where.replace("@", "\0"))
        with client_of(host, "unix-dgram", where) as client:
            assert echoed(client, b"x") == b"x"
    assert notes.all[0] == (ME, b"who am I?", False)
    assert "it has no name, so it cannot be answered" in notes.all[1][1]


CLIENTS = [
    ("unix-stream", ["nc", "-U", "{path}"]),
    ("unix-stream", ["socat", "-", "UNIX-CONNECT:{path}"]),
    ("unix-stream", ["socat", "-", "ABSTRACT-CONNECT:{name}"]),
    ("unix-dgram", ["socat", "-", "UNIX-SENDTO:{path},bind={path}.client"]),
    ("unix-seqpacket", ["socat", "-", "UNIX-CONNECT:{path},type=5"]),
]


@pytest.mark.parametrize(("kind", "client"), CLIENTS)
def test_the_clients_that_people_have_get_their_line_back(
    host: Host, tmp_path: Path, kind: str, client: list[str]
) -> None:
    require(client[0])
    path, name = str(tmp_path / "echo"), "echo"
    with serving(host, kind, f"@{name}" if "{name}" in client[-1] else path) as server:
        command = [word.format(path=path, name=name) for word in client]
        with host.popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(b"Hello, World!\n")
            assert process.stdout.read(4096) == b"Hello, World!\n"
            process.kill()
        peer = server.event("received")["peer"]
        assert (peer["uid"], peer["gid"], peer["pid"] > 0) == (os.getuid(), os.getgid(), True)
        server.stop()
    assert not Path(path).exists()


def test_a_socket_that_is_bound_but_does_not_listen_yet_is_left_alone(host: Host, tmp_path: Path) -> None:
    place = tmp_path / "echo"
    with host.open(socket.socket, socket.AF_UNIX, socket.SOCK_STREAM) as early:
        early.bind(str(place))
        before = place.stat().st_ino
        done = host.run([*RAWKIT, "echo", "serve", "unix-stream", str(place)], capture_output=True, text=True)
        assert done.returncode == 3
        assert "another socket has that name" in done.stderr
        assert place.stat().st_ino == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_the_file_of_a_live_one_is_left_alone_by_whatever_name(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, other: str
) -> None:
    """It was bound by a relative path, does not listen yet, and may belong to another network."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, TYPES[other]) as early:
        early.bind("echo")
        before = Path("echo").stat().st_ino
        with pytest.raises(KernelError, match="another socket has that name"):
            server_of(host, kind, str(tmp_path / "echo"))
        assert Path("echo").stat().st_ino == before


def test_a_server_that_talks_to_another_says_so(host: Host, tmp_path: Path) -> None:
    place = str(tmp_path / "echo")
    with (
        host.open(socket.socket, socket.AF_UNIX, socket.SOCK_DGRAM) as server,
        host.open(socket.socket, socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        server.bind(place)
        other.bind(str(tmp_path / "other"))
        server.connect(str(tmp_path / "other"))
        done = host.run([*RAWKIT, "echo", "send", "unix-dgram", place, "-d", "hi"], capture_output=True, text=True)
    assert done.returncode == 3
    assert "connected to another, and hears nobody else" in done.stderr


def test_no_socket_is_made_through_the_link_of_another_user_in_a_shared_folder(host: Host, tmp_path: Path) -> None:
    """As the kernel refuses it with fs.protected_symlinks (proc(5)), which is not set everywhere."""
    shared, private = tmp_path / "shared", tmp_path / "private"
    shared.mkdir()
    shared.chmod(0o1777)
    private.mkdir(0o700)
    link = shared / "link"
    link.symlink_to(private)
    os.chown(link, 65534, 65534, follow_symlinks=False)
    where = str(link / "echo")
    done = host.run([*RAWKIT, "echo", "serve", "unix-stream", where], capture_output=True, text=True)
    assert done.returncode == 3
    assert "another user's link in a shared folder" in done.stderr
    assert [*private.iterdir()] == []
    os.chown(link, 0, 0, follow_symlinks=False)
    with host.popen([*RAWKIT, "echo", "serve", "unix-stream", where], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("unix-stream: listening on")
        server.terminate()


@pytest.mark.parametrize("once", [False, True])
def test_what_follows_a_message_of_no_bytes_comes_back_though_all_was_sent_before(host: Host, once: bool) -> None:
    command = [*RAWKIT, "echo", "serve", "unix-seqpacket", "@rawkit-half", *(["--once"] if once else [])]
    with host.popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        server.send_signal(signal.SIGSTOP)
        with host.open(socket.socket, socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(PATIENCE)
            client.connect("\0rawkit-half")
            for data in (b"a", b"", b"b", b""):
                client.send(data)
            client.shutdown(socket.SHUT_WR)
            server.send_signal(signal.SIGCONT)
            assert [client.recv(100) for _ in range(5)] == [b"a", b"", b"b", b"", b""]
        server.terminate()


def test_a_message_of_no_bytes_is_no_end_in_the_classic_loop_either(host: Host) -> None:
    command = [*RAWKIT, "echo", "serve", "unix-seqpacket", "@rawkit-empty", "--once"]
    with host.popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        with host.open(socket.socket, socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(PATIENCE)
            client.connect("\0rawkit-empty")
            back = []
            for data in (b"one", b"", b"three"):
                client.send(data)
                back.append(client.recv(100))
        assert server.wait(PATIENCE) == 0
    assert back == [b"one", b"", b"three"]
