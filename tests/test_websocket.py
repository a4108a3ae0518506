"""Echo over WebSocket: a browser, the websockets library's own client and server, and frames made by hand."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from browser import Browser
from commands import RAWKIT, told
from echo_ends import in_the_background
from pair import PATIENCE, THERE
from programs import require
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import serve

from rawkit.echo import websocket
from rawkit.echo.endpoint import Received
from rawkit.echo.messages import SILENCE, Messages
from rawkit.echo.witness import Witness
from rawkit.errors import FieldError, KernelError, ReplyError, TimedOut
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

MOST = 100_000
MUCH = 64 << 20
"""Bytes, far more than what two kernels keep for a connection."""


class Net(NamedTuple):
    here: Host
    there: Host


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with Lab() as lab:
        net = Net(*lab.hosts("here", "there"))
        lab.link(*net)
        yield net


class Heard(Witness):
    def __init__(self) -> None:
        self.happened: list[Any] = []
        self.ended = threading.Semaphore(0)

    def connected(self, who: Any) -> None:
        self.happened.append("connected")

    def received(self, who: Any, data: bytes, truncated: bool, files: Any = ()) -> None:
        self.happened.append(data)

    def closed(self, who: Any, error: OSError | None) -> None:
        self.happened.append(("closed", None if error is None else error.strerror))
        self.ended.release()


@contextmanager
def serving(net: Net, heard: Witness | None = None) -> Iterator[tuple[Messages, int]]:
    """The server for many, and its port."""
    with websocket.Server((THERE, 0), make=made_in(net.there), max_size=MOST) as server:
        service = Messages(server, 20, heard)
        running = threading.Thread(target=service.run)
        running.start()
        try:
            yield service, server.address[1]
        finally:
            service.stop()
            running.join()


@contextmanager
def serving_one(net: Net, heard: Witness | None = None) -> Iterator[tuple[None, int]]:
    """The server for one client, as blocking calls. It ends with that client, whose mistakes it raises."""

    def serve_one() -> None:
        with suppress(ReplyError, KernelError):
            server.answer(server.accept(), 3, lambda _: None)
        server.close()

    with websocket.Server((THERE, 0), make=made_in(net.there), max_size=MOST, timeout=PATIENCE) as server:
        running = threading.Thread(target=serve_one)
        running.start()
        yield None, server.address[1]
        running.join()


def made_in(host: Host) -> Callable[..., socket.socket]:
    return lambda *kind: host.open(socket.socket, *kind)


Serving = Callable[[Net], Any]
BOTH = pytest.mark.parametrize("served", [serving, serving_one])


@contextmanager
def theirs(net: Net, port: int, **options: Any) -> Iterator[ClientConnection]:
    """The library's own client."""
    plain = net.here.open(socket.create_connection, (THERE, port), PATIENCE)
    plain.settimeout(None)
    with connect(f"ws://{THERE}:{port}/", sock=plain, proxy=None, **options) as client:
        yield client


@contextmanager
def ours(net: Net, port: int, **options: Any) -> Iterator[websocket.Client]:
    with websocket.Client((THERE, port), make=made_in(net.here), timeout=PATIENCE, **options) as client:
        yield client


@BOTH
@pytest.mark.parametrize("text", [True, False])
def test_messages_come_back_whole_and_as_what_they_were(net: Net, served: Serving, text: bool) -> None:
    with served(net) as (_, port), ours(net, port, text=text) as client:
        for data in (b"hello", b"", "ü\U0001f40d".encode(), b"x" * MOST, b"x" * 126, b"x" * 65536):
            assert list(client.echo(data, 4096)) == [Received(data, None)]
        assert client.who() == (THERE, port)
        client.finish()
        assert client.receive(1).data == b""


@BOTH
def test_the_library_s_client_gets_text_for_text_and_bytes_for_bytes(net: Net, served: Serving) -> None:
    with served(net) as (_, port), theirs(net, port) as client:
        for message in ("ü", b"\xff\0", "", b"", "x" * MOST):
            client.send(message)
            assert client.recv(PATIENCE) == message
        client.send(["frag", "ment", "", "ed ü"])
        client.send([b"in", b"bytes"])
        assert (client.recv(PATIENCE), client.recv(PATIENCE)) == ("fragmented ü", b"inbytes")
        assert client.ping(b"are you there?").wait(PATIENCE)
        client.send("after")
        assert client.recv(PATIENCE) == "after"
        client.close(1000, "enough")
        assert (client.close_code, client.close_reason) == (1000, "enough")


@BOTH
def test_the_library_s_command(net: Net, served: Serving) -> None:
    with served(net) as (_, port):
        command = [sys.executable, "-m", "websockets", f"ws://{THERE}:{port}/"]
        done = net.here.popen(command, stdin=-1, stdout=-1, stderr=-3, text=True)
        done.stdin.write("hello\n")
        done.stdin.flush()
        printed = ""
        while "< hello" not in printed:
            printed += (read := done.stdout.read(1))
            assert read, printed
        done.communicate(timeout=PATIENCE)


def test_our_client_against_the_library_s_server(net: Net) -> None:
    def handle(connection: Any) -> None:
        connection.ping(b"?")
        for message in connection:
            connection.send([message[:2], message[2:]])

    server = serve(handle, sock=net.there.open(socket.create_server, (THERE, 0)), compression=None)
    running = threading.Thread(target=server.serve_forever)
    running.start()
    try:
        with ours(net, server.socket.getsockname()[1], text=True, path="/any?thing=1") as client:
            for _ in range(3):
                assert [each.data for each in client.echo(b"hello", 1)] == [b"hello"]
    finally:
        server.shutdown()
        running.join()


def test_the_command(net: Net) -> None:
    command = [*RAWKIT, "echo", "serve", "websocket", THERE, "--port", "0", "--format", "json"]
    server = net.there.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    port = json.loads(server.stdout.readline())["port"]
    assert curl(net, f"http://{THERE}:{port}/").startswith("HTTP/1.1 200 OK")
    (trip, summary) = told(net.here, "echo", "send", "websocket", THERE, "-p", str(port), "-d", "hellö", "--text")
    assert (trip["pieces"], bytes.fromhex(trip["data"]).decode(), summary["same"]) == ([6], "hellö", 1)
    with theirs(net, port) as client:
        server.send_signal(signal.SIGINT)
        with pytest.raises(ConnectionClosed, match="1001"):
            client.recv(PATIENCE)
    printed, complaints = server.communicate(timeout=PATIENCE)
    assert (server.returncode, complaints) == (0, "")
    events = [json.loads(line) for line in printed.splitlines()]
    assert [each["event"] for each in events] == [
        "connected",
        "received",
        "closed",
        "connected",
        "closed",
        "stopped",
    ]
    assert bytes.fromhex(events[1]["data"]).decode() == "hellö"
    assert [each["reason"] for each in events if each["event"] == "closed"] == [None, None]


@pytest.mark.parametrize(("sent", "why"), [(b"", ""), (b"\x83\x80", "invalid opcode")], ids=["right", "no frame"])
def test_the_command_for_one_client(net: Net, sent: bytes, why: str) -> None:
    command = [*RAWKIT, "echo", "serve", "websocket", THERE, "--port", "0", "--once"]
    server = net.there.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    port = int(server.stdout.readline().split(",")[0].rpartition(":")[2])
    with theirs(net, port) as client:
        client.send("hi")
        assert client.recv(PATIENCE) == "hi"
        client.socket.sendall(sent)
    printed, complaints = server.communicate(timeout=PATIENCE)
    assert (server.returncode, complaints) == (0, "")
    assert "received data: b'hi' (2 bytes from 10.0.1.1:" in printed
    assert why in printed.rpartition("connection closed: ")[2]


# Frames by hand (RFC 6455, section 5.2), as clients must mask them: with a mask of zeros, which changes nothing


def frame(first: int, data: bytes = b"", masked: bool = True) -> bytes:
    length = bytes([len(data)]) if len(data) < 126 else b"\x7f" + len(data).to_bytes(8, "big")
    if 126 <= len(data) < 65536:
        length = b"\x7e" + len(data).to_bytes(2, "big")
    if not masked:
        return bytes([first]) + length + data
    return bytes([first, length[0] | 0x80]) + length[1:] + bytes(4) + data


REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
"""With the key of RFC 6455, section 1.3, whose answer stands there, too."""
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class ByHand(NamedTuple):
    socket: socket.socket
    file: Any

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, count: int = -1) -> bytes:
        """So many bytes, or all until the end."""
        data: bytes = self.file.read(count)
        return data


@contextmanager
def by_hand(net: Net, port: int) -> Iterator[ByHand]:
    """A plain socket, behind the opening handshake."""
    with closing(net.here.open(socket.create_connection, (THERE, port), PATIENCE)) as plain:
        plain.sendall(REQUEST)
        with plain.makefile("rb") as file:
            head = b"".join(iter(file.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 101 ")
            assert ACCEPT in head
            yield ByHand(plain, file)


@BOTH
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(0x81, b"\xff"), 1007),
        (frame(0x81, b"\xc3"), 1007),  # the half of a letter
        (frame(0x01, b"\xc3") + frame(0x80, b"\x28"), 1007),
        (frame(0x81, b"\xed\xa0\x80"), 1007),  # a surrogate
        (frame(0x82, bytes(MOST + 1)), 1009),
        (frame(0x02, bytes(MOST)) + frame(0x80, b"x"), 1009),
        (b"\x82\xff" + b"\x7f" + b"\xff" * 7 + bytes(4), 1009),
        (frame(0x82, b"x", masked=False), 1002),
        (frame(0x83), 1002),
        (frame(0xC1), 1002),
        (frame(0x80, b"continued from nothing"), 1002),
        (frame(0x01, b"a") + frame(0x81, b"b"), 1002),
        (frame(0x09, b"a ping in fragments"), 1002),
        (frame(0x89, bytes(126)), 1002),
        (frame(0x88, b"\x03"), 1002),
        (frame(0x88, b"\x03\xed"), 1002),  # 1005 may not be sent
        (frame(0x88, b"\x03\xe8\xff"), 1007),
        (frame(0x88, b"\x03\xe8"), 1000),
        (frame(0x88, b"\x0f\xa0bye"), 4000),
    ],
)
def test_what_breaks_the_protocol_is_answered_with_its_code(
    net: Net, served: Serving, sent: bytes, code: int
) -> None:
    with served(net) as (_, port), by_hand(net, port) as client:
        client.write(frame(0x81, b"before"))
        assert client.read(8) == frame(0x81, b"before", masked=False)
        with suppress(ConnectionResetError, BrokenPipeError):
            client.write(sent)
        got = client.read()
        assert got[0] == 0x88
        assert int.from_bytes(got[2:4], "big") == code


@BOTH
def test_pings_between_fragments_are_answered_first(net: Net, served: Serving) -> None:
    with served(net) as (_, port), by_hand(net, port) as client:
        client.write(frame(0x01, b"one \xc3") + frame(0x89, b"ping") + frame(0x00, b"") + frame(0x80, b"\xbc"))
        expected = frame(0x8A, b"ping", masked=False) + frame(0x81, "one ü".encode(), masked=False)
        assert b"".join(iter(lambda: client.read(1), b"\xbc")) + b"\xbc" == expected
        client.write(frame(0x88))
        assert client.read() == frame(0x88, masked=False)


@BOTH
def test_a_client_that_is_gone(net: Net, served: Serving) -> None:
    heard = Heard()
    with served(net, heard) as (service, port):
        with by_hand(net, port) as client:
            client.write(frame(0x01, b"begun"))
        if service is not None:
            assert heard.ended.acquire(timeout=PATIENCE)
            assert heard.happened[0] == "connected"
            assert heard.happened[1] == ("closed", "'no close frame received or sent'")


@BOTH
@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\x01\xff\xff\n\r\n", b"x" * 9000]
)
def test_what_is_no_handshake_hurts_nobody(net: Net, served: Serving, sent: bytes) -> None:
    with served(net) as (_, port):
        with closing(net.here.open(socket.create_connection, (THERE, port), PATIENCE)) as stranger:
            stranger.sendall(sent)
            stranger.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                assert b"101" not in stranger.recv(65536)
        with ours(net, port) as client:
            assert [each.data for each in client.echo(b"hi", 20)] == [b"hi"]


# The page


def curl(net: Net, *arguments: str) -> str:
    require("curl")
    return net.here.run(["curl", "-s", "-i", *arguments], capture_output=True, text=True, check=True).stdout


@BOTH
def test_the_page_is_at_the_same_port(net: Net, served: Serving) -> None:
    with served(net) as (_, port):
        url = f"http://{THERE}:{port}"
        head, page = curl(net, f"{url}/").replace("\r", "").split("\n\n", 1)
        assert head.startswith("HTTP/1.1 200 OK\n")
        assert page.encode() == Path(websocket.__file__).with_name("page.html").read_bytes()
        assert "\nContent-Security-Policy: default-src 'none'; script-src 'sha256-" in head
        assert f"\nContent-Length: {len(page.encode())}\n" in head
        assert not re.findall(r"(?:src|href)=[\"'](?!data:)", page)
        assert f"Content-Length: {len(page.encode())}" in curl(net, "-I", f"{url}/?x")
        assert curl(net, f"{url}/none").startswith("HTTP/1.1 404 ")
        assert curl(net, "-X", "POST", f"{url}/").startswith("HTTP/1.1 405 ")
        assert curl(net, "-H", "Upgrade: h2c", "-H", "Connection: Upgrade", f"{url}/").startswith("HTTP/1.1 426 ")
        with ours(net, port) as client:
            assert [each.data for each in client.echo(b"hi", 20)] == [b"hi"]


def test_a_browser_echoes_through_the_page(net: Net, tmp_path: Path) -> None:
    heard = Heard()
    with Browser.started(net.here, tmp_path) as browser:
        with serving(net, heard) as (_, port):
            browser.open(f"http://{THERE}:{port}/")
            assert state(browser, "connected to") == f"connected to {THERE}:{port}"
            text = "<b>ü</b> \U0001f40d"
            browser.type(text)
            browser.press("Enter")
            assert lines(browser, 2)[0].startswith(f"< {text} after ")
            assert lines(browser, 2)[1] == f"> {text}"
            browser.evaluate("document.getElementById('binary').click()")
            size = len(text.encode())
            assert lines(browser, 4)[0].startswith(f"< {size} bytes: {text.encode().hex(' ')} after ")
            browser.evaluate("document.getElementById('switch').click()")
            assert state(browser, "closed with") == "not connected: closed with 1000"
            assert heard.ended.acquire(timeout=PATIENCE)
            assert heard.happened == ["connected", text.encode(), text.encode(), ("closed", None)]
            browser.evaluate("document.getElementById('switch').click()")
            assert state(browser, "connected to")
            for width in (1280, 400):
                browser.resize(width, 700)
                assert browser.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
        assert state(browser, "closed with").startswith("not connected: closed with 1001")
        asked = [each["params"] for each in browser.events if each["method"] == "Network.requestWillBeSent"]
        assert {each["request"]["url"] for each in asked} - {"data:,"} == {f"http://{THERE}:{port}/"}
        complaints = [
            each for each in browser.events if each["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
        ]
        assert complaints == []


def state(browser: Browser, part: str) -> str:
    shown: str = browser.wait_for(
        f"(t => t.includes({part!r}) && t)(document.getElementById('state').textContent)"
    )
    return shown


def lines(browser: Browser, count: int) -> list[str]:
    shown: list[str] = browser.wait_for(
        f"(all => all.length == {count} && all.map(each => each.textContent))"
        "([...document.querySelectorAll('#log li')])"
    )
    return shown


# Many clients, and those that mean no good


def test_many_at_once(net: Net) -> None:
    with serving(net) as (service, port):
        clients = [websocket.Client((THERE, port), make=made_in(net.here), timeout=PATIENCE) for _ in range(200)]
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        assert [client.receive(64).data for client in clients] == [b"%d" % number for number in range(200)]
        assert service.clients == 200
        for client in clients:
            client.close()


def test_clients_are_told_when_the_server_stops(net: Net) -> None:
    with serving(net) as (service, port), theirs(net, port) as client:
        client.send("hi")
        assert client.recv(PATIENCE) == "hi"
        service.stop()
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(PATIENCE)
        assert closed.value.rcvd.code == 1001


def test_who_does_not_even_read_the_goodbye_is_not_waited_for(net: Net) -> None:
    with net.there.popen(
        [*RAWKIT, "echo", "serve", "websocket", THERE, "--port", "0", "--quiet"], stdout=subprocess.PIPE, text=True
    ) as server:
        port = int(server.stdout.readline().split(",")[0].rpartition(":")[2])
        with by_hand(net, port) as client:
            client.socket.settimeout(1)
            with suppress(TimeoutError):
                while True:
                    client.write(frame(0x82, bytes(60_000)))
            server.terminate()
            assert server.wait(SILENCE / 2) == 0  # else it is the library's ping that ends the wait


def test_stopped_before_it_runs(net: Net) -> None:
    with websocket.Server((THERE, 0), make=made_in(net.there)) as server:
        service = Messages(server, 20)
        service.stop()
        service.run()


@pytest.mark.parametrize("first", [0x89, 0x82], ids=["pings", "messages"])
def test_who_does_not_read_is_not_read_from(net: Net, first: int) -> None:
    with serving(net) as (_, port), by_hand(net, port) as client:
        client.socket.settimeout(1)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        block, sent = frame(first, bytes(125)) * 4096, 0
        with suppress(TimeoutError):
            while sent < MUCH:
                client.write(block)
                sent += len(block)
        assert sent < MUCH


def test_a_slow_reader_gets_everything(net: Net) -> None:
    with serving(net) as (_, port), by_hand(net, port) as client:
        block = frame(0x82, bytes(60_000))
        sending = threading.Thread(target=lambda: [client.write(block) for _ in range(100)])
        sending.start()
        left = 100 * (60_000 + 4)
        while left:
            left -= len(client.read(min(left, 5000)))
        sending.join()


# Servers that mean no good


def replying(net: Net, *steps: bytes | Callable[[bytes], bytes], gone: threading.Event | None = None) -> Any:
    """A client of a server that answers its handshake so."""
    server = net.there.open(socket.create_server, (THERE, 0))

    def answer() -> None:
        with closing(server), closing(server.accept()[0]) as connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            for step in steps:
                connection.sendall(step if isinstance(step, bytes) else step(request))
            if gone is not None:
                gone.wait()
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    threading.Thread(target=answer).start()
    return lambda **options: websocket.Client(
        server.getsockname(), make=made_in(net.here), **{"timeout": PATIENCE, "max_size": MOST, **options}
    )


@contextmanager
def shaking_hands(net: Net, then: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server whose port this is, and what it does with its one client after the handshake; then it is gone."""
    with closing(net.there.open(socket.create_server, (THERE, 0))) as server:

        def answer() -> None:
            with closing(server.accept()[0]) as connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536)
                connection.sendall(accepted(request))
                then(connection)

        with in_the_background(answer):
            yield server.getsockname()[1]


def accepted(request: bytes) -> bytes:
    from websockets.utils import accept_key

    (key,) = re.findall(rb"Sec-WebSocket-Key: (.*)\r\n", request)
    answer = accept_key(key.decode())
    head = "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade"
    return f"{head}\r\nSec-WebSocket-Accept: {answer}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "did not receive a valid HTTP response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\x1b[2J\r\n", "did not receive a valid HTTP response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP 200"),
        (b"HTTP/1.1 101 Yes\r\n\r\n", "Connection"),
        (lambda request: accepted(request).replace(b"Accept: ", b"Accept: x"), "Sec-WebSocket-Accept"),
        (b"HTTP/1.1 101 Yes\r\n" + b"A: b\r\n" * 10_000, "did not receive a valid HTTP response"),
        (b"HTTP/1.1 101 Yes\r\nA: " + b"x" * 100_000, "did not receive a valid HTTP response"),
    ],
)
def test_servers_that_do_not_shake_hands(net: Net, sent: Any, why: str) -> None:
    connecting = replying(net, sent)
    with pytest.raises(ReplyError, match=why) as error:
        connecting()
    assert error.value.part == "handshake"
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "the end without one"),
        (b"\x81", "the end without one"),
        (frame(0x88, b"\x03\xf1\x1b[2J", masked=False), "1009"),
        (frame(0x82, bytes(MOST + 1), masked=False), "over size limit|exceeds limit"),
        (frame(0x81, b"\xff", masked=False), "can't decode byte 0xff"),
        (frame(0x82, b"x"), "incorrect masking"),
        (b"\xff" * 100, "reserved bits|invalid opcode"),
    ],
)
def test_servers_that_break_the_protocol(net: Net, sent: bytes, why: str) -> None:
    with replying(net, accepted, sent)() as client:
        with pytest.raises(ReplyError, match=why) as error:
            list(client.echo(b"hello", 4096))
        assert str(error.value).isprintable()
        with pytest.raises(ReplyError):
            client.receive(4096)


def test_servers_that_stall(net: Net) -> None:
    gone = threading.Event()
    with pytest.raises(TimedOut):
        replying(net, b"HTTP/1.1 101 Yes\r\n", gone=gone)(timeout=0.3)
    with replying(net, accepted, gone=gone)(timeout=0.3) as client, pytest.raises(TimedOut):
        list(client.echo(b"hello", 4096))
    gone.set()


@contextmanager
def dripping(connection: socket.socket, data: bytes) -> Iterator[None]:
    """Send these bytes again and again, each time well before whoever waits for a byte loses patience."""
    enough = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            while not enough.wait(0.02):
                connection.sendall(data)

    running = threading.Thread(target=drip)
    running.start()
    try:
        yield
    finally:
        enough.set()
        running.join()


@pytest.mark.parametrize(
    "dripped",
    [
        frame(0x89, b"ping", masked=False),
        frame(0x00, masked=False),
        frame(0x8A, masked=False),
        b"HTTP/1.1 101 Y",
        b"x",
    ],
    ids=["pings", "empty fragments", "pongs", "lines", "letters"],
)
def test_a_server_that_keeps_sending_does_not_keep_a_call_waiting(net: Net, dripped: bytes) -> None:
    shakes_hands = dripped[0] > 127 or not dripped[0]
    clients = []

    def ask(address: Any) -> None:
        clients.append(websocket.Client(address, make=made_in(net.here), timeout=0.3))
        clients[0].receive(4096)

    with closing(net.there.open(socket.create_server, (THERE, 0))) as server, ExitStack() as stack:

        def answer() -> None:
            connection = stack.enter_context(closing(server.accept()[0]))
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            if shakes_hands:
                connection.sendall(accepted(request) + frame(0x01, b"begun", masked=False))
            stack.enter_context(dripping(connection, dripped))

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(TimedOut) as late:
            ask(server.getsockname())
        assert len(clients) == shakes_hands
        assert late.value.seconds == 0.3
        answering.join()
        stack.close()
        for client in clients:
            client.close()


def test_who_drips_a_handshake_does_not_shut_out_the_next(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "HANDSHAKE", 0.3)
    with serving_one(net) as (_, port), net.here.open(socket.socket) as stranger:
        stranger.connect((THERE, port))
        stranger.sendall(b"GET / HTTP/1.1\r\nX: ")
        with dripping(stranger, b"x"), ours(net, port) as client:
            assert [each.data for each in client.echo(b"hi", 20)] == [b"hi"]


def test_a_server_that_closes_in_peace(net: Net) -> None:
    with replying(
        net, accepted, frame(0x81, b"hello", masked=False), frame(0x88, b"\x03\xe9", masked=False)
    )() as client:
        assert [client.receive(4096).data, client.receive(4096).data] == [b"hello", b""]
        with pytest.raises(ReplyError, match="closed with"):
            client.send(b"more")


def test_a_server_that_was_gone_before_the_question_has_said_why(net: Net) -> None:

    def hang_up(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(frame(0x88, b"\x0f\xa0enough", masked=False))

    def send_on(client: websocket.Client) -> None:
        while True:
            client.send(b"hello")

    with (
        shaking_hands(net, hang_up) as port,
        ours(net, port) as client,
        pytest.raises(ReplyError, match=r"4000 .*enough"),
    ):
        send_on(client)


def test_pings_are_answered_between_two_questions(net: Net) -> None:
    ponged = threading.Event()

    def ping(connection: socket.socket) -> None:
        connection.sendall(frame(0x89, b"there?", masked=False))
        pong = connection.recv(100)
        assert (pong[0], len(pong)) == (0x8A, 12)
        ponged.set()

    with shaking_hands(net, ping) as port, ours(net, port) as client:
        while not ponged.is_set():
            client.wait(0.01)


def test_a_message_that_is_too_large_is_told_with_the_remedy(net: Net) -> None:
    data = "x" * 2_000_000
    asked = ["echo", "send", "websocket", THERE]
    with serving_command(net, "--max-size", "1000") as port:
        command = [*RAWKIT, *asked, "--port", port, "--max-size", "9000000"]
        done = net.here.run(command, input=data, capture_output=True, text=True)
        assert done.returncode == 1
        assert "exceeds limit of 1000 bytes" in done.stderr
        assert "`rawkit echo serve websocket --max-size`" in done.stderr
    with serving_command(net, "--max-size", "9000000") as port:
        command = [*RAWKIT, *asked, "--port", port, "--max-size", "9000000", "-q"]
        done = net.here.run(command, input=data, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "1 round trip, 1 with everything as it was sent\n")


@contextmanager
def serving_command(net: Net, *options: str) -> Iterator[str]:
    command = [*RAWKIT, "echo", "serve", "websocket", THERE, "--port", "0", "--format", "json", *options]
    with net.there.popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield str(json.loads(server.stdout.readline())["port"])
        server.terminate()


def test_text_that_is_none_is_not_sent(net: Net) -> None:
    with serving(net) as (_, port), ours(net, port, text=True) as client:
        with pytest.raises(FieldError, match=r"UTF-8 .* invalid start byte at 1"):
            client.send(b"x\xff")
        assert [each.data for each in client.echo(b"x", 100)] == [b"x"]


def test_the_library_hears_what_it_did_wrong(net: Net) -> None:
    with serving(net) as (_, port), theirs(net, port) as client:
        client.send(bytes(MOST + 1))
        with pytest.raises(ConnectionClosedError) as closed:
            client.recv(PATIENCE)
        assert closed.value.rcvd.code == 1009
