"""`rawkit echo serve` and `rawkit echo send`, as people use them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import rawkit, refused, told
from echo_ends import in_the_background, serving
from pair import PATIENCE
from programs import require
from terminal import RAWKIT

from rawkit.cli.main import cli
from rawkit.echo import KINDS
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

TEXT = "Hello, World! in more than twenty bytes"
PLACES = {"tcp": [], "udp": [], "unix-stream": ["@echo"], "unix-dgram": ["@echo"], "unix-seqpacket": ["@echo"]}


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        yield lab.host("a")


@contextmanager
def text_server(host: Host, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A server that prints for people; yields it after the line that says where it listens."""
    with host.popen([RAWKIT, "echo", "serve", *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert "listening on" in process.stdout.readline()
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def connected(host: Host, port: int) -> socket.socket:
    return host.open(socket.create_connection, ("127.0.0.1", port), PATIENCE)


@pytest.mark.parametrize("kind", PLACES)
def test_what_is_sent_comes_back_and_both_ends_tell_it(host: Host, kind: str) -> None:
    with serving(host, kind, *PLACES[kind]) as server:
        place = [*PLACES[kind], *([] if server.port is None else ["--port", str(server.port)])]
        shown = rawkit(host, "echo", "send", kind, *place, "--data", TEXT).stdout
        first, second, last = told(host, "echo", "send", kind, *place, "--data", TEXT, "--count", "2")
        events = server.stop()
    pieces = 2 if kind in ("tcp", "unix-stream") else 1
    assert "came back in" in shown.splitlines()[-1]
    assert shown.splitlines()[0].startswith("connected to ")
    for number, line in enumerate((first, second), 1):
        assert (line["kind"], line["seq"], line["sent"], line["same"]) == (kind, number, len(TEXT), True)
        assert bytes.fromhex(line["data"]).decode() == TEXT
        assert sum(line["pieces"]) == len(TEXT)
        assert line["rtt_ns"] > 0
    assert (last["answered"], last["same"]) == (2, 2)
    assert last["median_ns"] == round((first["rtt_ns"] + second["rtt_ns"]) / 2)
    received = [event for event in events if event["event"] == "received"]
    assert [event["length"] for event in received] == ([20, len(TEXT) - 20] if pieces == 2 else [len(TEXT)]) * 3
    assert events[-1]["event"] == "stopped"
    assert events[-1]["bytes"] == 3 * len(TEXT)


def test_the_server_tells_it_in_the_words_of_the_textbook(host: Host) -> None:
    with text_server(host, "tcp") as server, connected(host, 5005) as client:
        me = f"127.0.0.1:{client.getsockname()[1]}"
        assert server.stdout.readline() == f"connection address: {me}\n"
        client.sendall(b"\x1b[2Jhi\r\n")
        assert server.stdout.readline() == f"received data: b'\\x1b[2Jhi\\r\\n' (8 bytes from {me})\n"
        assert client.recv(100) == b"\x1b[2Jhi\r\n"
        client.close()
        assert server.stdout.readline() == f"connection closed: {me}\n"
        server.send_signal(signal.SIGINT)
        assert server.stdout.read() == "stopped: 1 client, 1 piece, 8 bytes\n"
        assert server.wait(PATIENCE) == 0


def test_a_hundred_clients_at_once_are_told_apart(host: Host) -> None:
    with serving(host, "tcp") as server:
        clients = [connected(host, 5005) for _ in range(100)]
        for number, client in enumerate(clients):
            client.sendall(b"%03d" % number)
        for number, client in enumerate(clients):
            assert client.recv(3, socket.MSG_WAITALL) == b"%03d" % number
        names = {f"127.0.0.1:{client.getsockname()[1]}": b"%03d" % n for n, client in enumerate(clients)}
        for client in clients:
            client.close()
        events = server.stop()
    heard = {event["peer"]: bytes.fromhex(event["data"]) for event in events if event["event"] == "received"}
    assert heard == names


@pytest.mark.parametrize("kind", PLACES)
def test_once_is_the_classic_loop_for_one_client(host: Host, kind: str) -> None:
    with text_server(host, kind, *PLACES[kind], "--once", "--buffer", "10") as server:
        code = 0 if kind in ("tcp", "unix-stream") else 1  # the rest of a message is lost
        rawkit(host, "echo", "send", kind, *PLACES[kind], "--data", "eleven char", code=code)
        lines = server.stdout.read().splitlines()
        assert server.wait(PATIENCE) == 0
    assert sum("received data: b'eleven cha' (10 bytes from " in line for line in lines) == 1
    assert any("cut" in line for line in lines) == (code == 1)


def test_once_survives_no_signal_but_ends_by_it(host: Host) -> None:
    with text_server(host, "udp", "--once") as server:
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 128 + signal.SIGTERM


def test_quiet_says_only_where_it_listens(host: Host) -> None:
    with text_server(host, "tcp", "--quiet") as server:
        assert rawkit(host, "echo", "send", "tcp", "--data", "x", "--quiet").stdout.startswith("1 round trip, 1 ")
        server.terminate()
        assert server.stdout.read() == ""


def test_port_0_is_told_and_a_port_in_use_explained(host: Host) -> None:
    with serving(host, "tcp", "--port", "0") as server:
        assert server.port not in (0, 5005, None)
        done = rawkit(host, "echo", "serve", "tcp", "--port", str(server.port), code=3)
        assert "that port is in use; choose another (0 for any that is free)" in done.stderr


NAMES = "::1 both\n127.0.0.1 both\n"


def named(folder: Path) -> list[str]:
    """What a command is begun with that finds these names (hosts(5)), and a DNS server that says nothing."""
    require("unshare")
    (folder / "hosts").write_text(NAMES)
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    mounts = " && ".join(f"mount --bind {folder}/{name} /etc/{name}" for name in ("hosts", "resolv.conf"))
    return ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh"]


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_of_a_name_with_two_addresses_a_server_takes_the_first(host: Host, tmp_path: Path, kind: str) -> None:
    """And a second server does not take the other without a word."""
    before = tuple(named(tmp_path))
    with serving(host, kind, "both", before=before) as server:
        assert server.address == "::1"
        again = host.run([*before, RAWKIT, "echo", "serve", kind, "both"], capture_output=True, text=True)
        assert (again.returncode, "that port is in use" in again.stderr) == (3, True)
        with serving(host, kind, "both", "-4", before=before) as other:
            assert other.address == "127.0.0.1"


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_client_asks_the_other_address_of_a_name_where_the_first_refuses(
    host: Host, tmp_path: Path, kind: str
) -> None:
    ask = [*named(tmp_path), RAWKIT, "echo", "send", kind, "both", "-d", "x", "-c", "2", "--format", "json"]
    with serving(host, kind, "127.0.0.1"):
        done = host.run(ask, capture_output=True, text=True, timeout=PATIENCE)
        assert [json.loads(line)["same"] for line in done.stdout.splitlines()] == [True, True, 2]
        done = host.run([*ask, "-6"], capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, "nobody listens" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "command",
    [["echo", "send", "tcp", "nobody.example", "-d", "x"], ["http", "http://nobody.example/"]],
    ids=["echo", "http"],
)
def test_a_resolver_that_says_nothing_has_but_the_time_out(host: Host, tmp_path: Path, command: list[str]) -> None:
    with host.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        ask = [*named(tmp_path), RAWKIT, *command, "--timeout", "0.2"]
        done = host.run(ask, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (1, "rawkit: look up nobody.example: nothing within 0.2 s\n")


def test_a_resolver_that_says_nothing_does_not_hold_ctrl_c_up(host: Host, tmp_path: Path) -> None:
    with host.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        silent.settimeout(PATIENCE)
        ask = [*named(tmp_path), RAWKIT, "echo", "send", "tcp", "nobody.example", "-d", "x", "--timeout", "86400"]
        with host.popen(ask, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
            silent.recv(1000)
            client.send_signal(signal.SIGINT)
            assert client.stderr is not None
            assert client.stderr.readline() == "ended by Ctrl-C before all was known\n"
            silent.setblocking(False)
            assert client.wait(PATIENCE) == 130


def test_standard_input_is_sent_as_it_is(host: Host) -> None:
    data = bytes(range(256)) * 2000
    with serving(host, "tcp", "--quiet", "--buffer", "65536"):
        command = [RAWKIT, "echo", "send", "tcp", "--format", "json"]
        done = host.run(command, input=data, capture_output=True, timeout=PATIENCE)
        first = json.loads(done.stdout.splitlines()[0])
        assert (done.returncode, first["same"], bytes.fromhex(first["data"]) == data) == (0, True, True)


def test_no_answer_is_an_answer_to_the_exit_code(host: Host) -> None:
    done = rawkit(host, "echo", "send", "tcp", "--data", "x", code=1)
    assert "nobody listens at that TCP port" in done.stderr
    done = rawkit(host, "echo", "send", "udp", "--data", "x", code=1)
    assert "nobody listens at that UDP port" in done.stderr
    with host.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 5005))
        asked = ["echo", "send", "udp", "--data", "x", "--timeout", "0.01", "--retries", "2", "--count", "2"]
        assert rawkit(host, *asked, code=1).stdout.count("lost: nothing came back within 0.01 s\n") == 2
        assert [line["rtt_ns"] for line in told(host, *asked, code=1)[:2]] == [None, None]
        silent.settimeout(PATIENCE)
        assert [silent.recv(10) for _ in range(12)] == [b"x"] * 12
    done = rawkit(host, "echo", "send", "udp", "--data", "x" * 65_508, code=3)
    assert "too large for one datagram" in done.stderr


def test_a_file_is_passed_there_and_back(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "passed"
    file.write_text("x")
    with serving(host, "unix-dgram", "@echo", "--files") as server:
        shown = rawkit(host, "echo", "send", "unix-dgram", "@echo", "--data", "x", "--pass", str(file)).stdout
        assert shown.splitlines()[-1] == "the open file came back: the same one"
        assert server.event("received")["files"] == [str(file)]


MISTAKES: list[tuple[list[str], str]] = [
    (["serve", "tpc"], "no kind 'tpc'; there are tcp"),
    (["serve", "Raw-TCP"], "raw-tcp is yet to come"),
    (["serve", "raw-tcp"], "raw-tcp is yet to come"),
    (["serve", "unix-stream"], "unix-stream needs an ADDRESS: a path, or @name"),
    (["serve", "unix-stream", "@x", "--port", "1"], "unix-stream has no ports; leave --port out"),
    (["serve", "unix-stream", "@x", "--files"], "--files over a connection needs --once"),
    (["serve", "tcp", "--files"], "tcp has no --files"),
    (["serve", "tcp", "--buffer", "0"], "'--buffer'"),
    (["serve", "websocket", "--buffer", "20"], "websocket has no --buffer: its messages come whole"),
    (["serve", "tcp", "no host"], "echo.host: expected an address or a name that has one"),
    (["serve", "unix-dgram", "x" * 108], "a path or @name of 1 to 107 bytes"),
    (["serve", "unix-stream", "@x", "-4"], "unix-stream has no -4 and -6"),
    (["serve", "tcp", "127.0.0.1", "-6"], "expected an IPv6 address or a name that has one"),
    (["serve", "tcp", "-4", "-6"], "-4 and -6 exclude each other"),
    (["serve", "tcp", "--max-size", "20"], "tcp has no --max-size"),
    (["send", "tcp", "--retries", "1", "--data", "x"], "tcp has no --retries"),
    (["send", "udp", "--pass", "/dev/null", "--data", "x"], "udp has no --pass"),
    (["send", "unix-dgram", "@x", "--pass", "/nowhere/x", "--data", "x"], "open /nowhere/x: no such file"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_told_in_one_line(host: Host, arguments: list[str], message: str) -> None:
    assert message in refused(host, "echo", *arguments)


def test_a_socket_in_no_folder(host: Host) -> None:
    done = host.run([RAWKIT, "echo", "serve", "unix-stream", "/nowhere/x"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "rawkit: bind to /nowhere/x: no such folder; check the name\n")


@pytest.mark.parametrize("name", ["serve", "send"])
def test_each_has_examples_in_its_help(name: str) -> None:
    done: Any = CliRunner().invoke(cli, ["echo", name, "--help"])
    assert done.exit_code == 0
    assert "Examples:\n" in done.output


def test_a_server_that_hangs_up_is_no_success(host: Host) -> None:
    require("socat")
    with host.popen(["socat", "-u", "TCP-LISTEN:5005,reuseaddr,readbytes=2", "/dev/null"]) as server:
        while ":138D" not in host.run(["cat", "/proc/net/tcp"], capture_output=True, text=True).stdout:
            assert server.poll() is None
        done = host.run([RAWKIT, "echo", "send", "tcp", "-d", "hi", "-c", "3"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "0 bytes came back in 0 pieces" in done.stdout
    assert done.stderr == ""


def test_a_server_that_takes_nothing_more_is_told(host: Host) -> None:
    """Click ends a command without a word for EPIPE, which it takes for standard output's."""
    with host.open(socket.socket, socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind("\0bye")
        listener.listen()

        def answer_once() -> None:
            with listener.accept()[0] as connection:
                data = connection.recv(100)
                connection.shutdown(socket.SHUT_RD)
                connection.send(data)
                connection.recv(100)

        with in_the_background(answer_once):
            done = rawkit(host, "echo", "send", "unix-stream", "@bye", "-c", "2", "--data", "hi", code=1)
    assert "received data: b'hi'" in done.stdout
    assert done.stderr == "rawkit: send 2 bytes: the other end has closed the connection\n"


def test_a_report_that_nobody_reads_stops_no_server(host: Host) -> None:
    """A pipe holds 64 KiB (pipe(7)); the server has more than that to tell, and goes on."""
    reader, writer = os.pipe()
    data = "x" * 20_000
    with host.popen([RAWKIT, "echo", "serve", "udp", "--port", "5005"], stdout=writer) as server:
        os.close(writer)
        os.read(reader, 1000)  # it listens
        done = host.run(
            [RAWKIT, "echo", "send", "udp", "-d", data, "-c", "50", "-q"], capture_output=True, text=True
        )
        assert done.stdout.startswith("50 round trips, 50 with everything as it was sent")
        server.terminate()
        assert server.wait(PATIENCE) == 0
    os.close(reader)


def test_open_files_that_stay_away_and_fifos_that_nobody_writes(host: Host, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with host.popen([RAWKIT, "echo", "serve", "unix-dgram", "@rawkit-test"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        done = host.run(
            [RAWKIT, "echo", "send", "unix-dgram", "@rawkit-test", "-d", "hi", "--pass", str(fifo)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        server.terminate()
    assert done.returncode == 1
    assert "the open file did not come back; the server takes files with --files" in done.stdout


@pytest.mark.parametrize("kind", ["tcp", "udp", "unix-stream"])
def test_privileges_are_given_up_or_nothing_is_served(host: Host, kind: str) -> None:
    """Without CAP_SETUID, root cannot become another user: that is told, and root does not serve on."""
    require("setpriv")
    where = ["@rawkit-privileges"] if kind == "unix-stream" else []
    with host.popen([RAWKIT, "echo", "serve", kind, *where], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        status = Path(f"/proc/{server.pid}/status").read_text()
        server.terminate()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    if kind != "unix-stream":
        without = ["setpriv", "--bounding-set", "-setuid", "--inh-caps", "-setuid"]
        done = host.run(
            [*without, RAWKIT, "echo", "serve", kind], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 3
        assert "CAP_SETUID" in done.stderr


def test_kinds_that_are_there_and_one_that_is_to_come(host: Host) -> None:
    done = host.run([RAWKIT, "echo", "--help"], capture_output=True, text=True)
    for kind in KINDS.values():
        assert f"{kind.name:<15} {kind.socket}" in done.stdout
    assert refused(host, "echo") == "rawkit: Missing command; see rawkit echo --help\n"
    assert "port 0" in refused(host, "echo", "send", "udp", "--port", "0")
    assert "expected an address" in refused(host, "echo", "serve", "tcp", "")
