"""A web request by hand: against httpbin and nginx, beside curl; and against servers that mean no good."""

from __future__ import annotations

import errno
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import fields_of, frames_in, rawkit, refused, told
from hypothesis import given, settings
from hypothesis import strategies as st
from pair import HERE, HERE6, PATIENCE, THERE, THERE6
from programs import require

from rawkit.echo import http
from rawkit.errors import KernelError, ReplyError, TimedOut
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

HTTPBIN = """
import logging, sys
logging.disable()
from httpbin import app
from werkzeug.serving import WSGIRequestHandler, make_server
WSGIRequestHandler.protocol_version = "HTTP/1.1"
server = make_server("0.0.0.0", 80, app, threaded=True)
print(flush=True)
server.serve_forever()
"""

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/body; default_type text/plain;
    proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 8080; listen [::]:8080; root {folder};
        location /included {{ ssi on; ssi_types *; }}
        location /moved {{ return 301 http://$host/; }}
    }}
}}
"""


class Net(NamedTuple):
    here: Host
    there: Host


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with Lab() as lab:
        net = Net(*lab.hosts("here", "there"))
        lab.link(*net)
        yield net


@pytest.fixture(scope="module")
def httpbin(net: Net) -> str:
    """Its URL, once it listens."""
    server = net.there.popen([sys.executable, "-c", HTTPBIN], stdout=-1, stderr=-3)
    assert server.stdout.readline() == b"\n"
    server.stdout.close()
    return f"http://{THERE}"


@pytest.fixture(scope="module")
def nginx(net: Net, tmp_path_factory: pytest.TempPathFactory) -> str:
    require("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "bytes").write_bytes(bytes(range(256)) * 300)
    (folder / "included").write_text("before <!--#include virtual='/small' --> after\n")
    (folder / "small").write_text("small")
    (folder / "empty").write_bytes(b"")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    net.there.popen(["nginx", "-e", "stderr", "-c", folder / "nginx.conf"], stderr=-3)
    listening = ["ss", "-Hltn", "sport = 8080"]
    while net.there.run(listening, capture_output=True, text=True, timeout=PATIENCE).stdout.count("\n") < 2:
        pass
    return "8080"


def get(host: Host, url: str, **options: Any) -> http.Reply:
    options.setdefault("timeout", PATIENCE)
    return http.get(url, make=lambda *kind: host.open(socket.socket, *kind), **options)


def curl(host: Host, *arguments: str) -> bytes:
    require("curl")
    done = host.run(["curl", "-s", "--noproxy", "*", *arguments], capture_output=True, check=True)
    out: bytes = done.stdout
    return out


def heads(text: str) -> list[str]:
    """A head in lines, without the one that another second changes."""
    return [line for line in text.splitlines() if not line.startswith("Date:")]


def test_what_is_sent_and_what_comes(net: Net, httpbin: str) -> None:
    lines = rawkit(net.here, "http", f"{httpbin}/ip").stdout.splitlines()
    assert lines[:2] == ["> GET /ip HTTP/1.0", ">"]
    assert {line[:1] for line in lines[2:]} == {"<"}
    body = lines.index("<")
    theirs = curl(net.here, "-i", "--http1.0", f"{httpbin}/ip").decode()
    assert heads("\n".join(line[2:] for line in lines[2:])) == heads(theirs)
    assert json.loads("".join(line[2:] for line in lines[body:])) == {"origin": HERE}


@pytest.mark.parametrize("version", http.VERSIONS)
@pytest.mark.parametrize("path", ["/ip", "/bytes/3000?seed=7", "/encoding/utf8", "/image/png", "/status/418"])
def test_bodies_are_what_curl_gets(net: Net, httpbin: str, version: str, path: str) -> None:
    code = 1 if "418" in path else 0
    options = ["http", "--body", "--http", version, f"{httpbin}{path}"]
    ours = net.here.run([sys.executable, "-m", "rawkit", *options], capture_output=True, timeout=PATIENCE)
    assert (ours.returncode, ours.stderr) == (code, b"")
    assert ours.stdout == curl(net.here, f"--http{version}", f"{httpbin}{path}")


def test_chunks_are_shown_as_they_are_and_read_as_one_body(net: Net, httpbin: str) -> None:
    url = f"{httpbin}/stream/3"
    (reply,) = told(net.here, "http", "--http", "1.1", url)
    assert ["Transfer-Encoding", "chunked"] in reply["headers"]
    assert bytes.fromhex(reply["body"]).count(b"\n") == 3
    lines = rawkit(net.here, "http", "--http", "1.1", url).stdout.splitlines()
    assert f"> Host: {THERE}" in lines
    theirs = curl(net.here, "--raw", "-H", "User-Agent:", "-H", "Accept:", "-H", "Connection: close", url).decode()
    shown = [line[2:] for line in lines[lines.index("<") + 1 :]]
    sizes, raw = ([each for each in one if each and "{" not in each] for one in (shown, theirs.split("\r\n")))
    assert sizes == raw
    assert (len(raw), raw[-1]) == (4, "0")


def test_what_is_posted_arrives_with_its_headers(net: Net, httpbin: str) -> None:
    options = ("--data", "a=1&b=ü", "-H", "Content-Type: application/x-www-form-urlencoded", "-H", "X-Own:  yes ")
    (reply,) = told(net.here, "http", *options, f"{httpbin}/post")
    seen = json.loads(bytes.fromhex(reply["body"]))
    assert seen["form"] == {"a": "1", "b": "ü"}
    assert (seen["headers"]["X-Own"], seen["headers"]["Content-Length"]) == ("yes", "8")
    theirs = curl(net.here, "--http1.0", "-d", "a=1&b=ü", "-H", "X-Own: yes", f"{httpbin}/post")
    assert json.loads(theirs)["form"] == seen["form"]


def test_head_and_empty_bodies(net: Net, httpbin: str, nginx: str) -> None:
    reply = get(net.here, f"{httpbin}/ip", method="HEAD", version="1.1")
    assert (reply.status, reply.body, reply.header("content-length")) == (200, b"", "27")
    reply = get(net.here, f"http://{THERE}:{nginx}/empty", version="1.1")
    assert (reply.status, reply.body, reply.header("Content-Length")) == (200, b"", "0")


@pytest.mark.parametrize("version", http.VERSIONS)
@pytest.mark.parametrize("address", [THERE, f"[{THERE6}]"])
@pytest.mark.parametrize("path", ["bytes", "included", "none", "moved"])
def test_nginx_says_the_same_to_curl(net: Net, nginx: str, address: str, version: str, path: str) -> None:
    url = f"http://{address}:{nginx}/{path}"
    reply = get(net.here, url, version=version)
    unlike = ("-H", "Host:") if version == "1.0" else ("-H", "Connection: close")
    theirs = curl(net.here, "-i", f"--http{version}", "-H", "User-Agent:", *unlike, url)
    head, _, body = theirs.partition(b"\r\n\r\n")
    ours = [f"{reply.version} {reply.status} {reply.reason}", *map(": ".join, reply.headers)]
    assert heads("\n".join(ours)) == heads(head.decode())
    assert reply.body == body
    assert (reply.header("Transfer-Encoding") == "chunked") == ((path, version) == ("included", "1.1"))


def test_names_and_their_addresses(net: Net, nginx: str) -> None:
    for version, name, address in (("-4", "localhost", "127.0.0.1"), ("-6", "[::1]", "::1")):
        (reply,) = told(net.there, "http", version, "--http", "1.1", f"http://{name}:{nginx}/small")
        assert (reply["address"], reply["port"]) == (address, 8080)
        assert f"\r\nHost: {name}:8080\r\n".encode() in bytes.fromhex(reply["sent"])
    assert "expected an IPv6 address" in refused(net.here, "http", "-6", f"http://{THERE}/")
    (reply,) = told(net.here, "http", f"http://[fe80::ff:fe00:200%25eth0]:{nginx}/small")
    assert bytes.fromhex(reply["body"]) == b"small"


def test_a_name_whose_first_address_refuses(net: Net, nginx: str) -> None:
    addresses = [(socket.AF_INET6, (THERE6, 9)), (socket.AF_INET, (THERE, int(nginx)))]
    made: list[socket.socket] = []

    def make(*kind: int) -> socket.socket:
        made.append(net.here.open(socket.socket, *kind))
        return made[-1]

    with http._connected(addresses, time.monotonic() + PATIENCE, PATIENCE, make) as connection:
        assert connection.getpeername() == (THERE, 8080)
    assert [each.fileno() for each in made] == [-1, -1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["https://10.0.1.2/"], "https hides in TLS"),
        (["ftp://10.0.1.2/"], "expected http://HOST"),
        (["10.0.1.2"], "expected http://HOST"),
        (["http:///ip"], "expected http://HOST"),
        (["http://a:b@10.0.1.2/"], "no user name"),
        (["http://10.0.1.2:0/"], "a port from 1"),
        (["http://10.0.1.2:99999/"], "out of range"),
        (["http://[10.0.1.2/"], "Invalid IPv6 URL"),
        (["http://10.0.1.2/a b"], "without spaces"),
        (["http://10.0.1.2/a\r\nX: y"], "without spaces"),
        (["http://10.0.1.2/ü"], "printable ASCII"),
        (["http://10.0.1.2/", "-H", "no colon"], "has no colon"),
        (["http://10.0.1.2/", "-H", "a b: c"], "a name of letters"),
        (["http://10.0.1.2/", "-H", "a: b\r\nc: d"], "a value on one line"),
        (["http://10.0.1.2/", "--body", "--format", "json"], "exclude each other"),
        (["http://10.0.1.2/", "-4", "-6"], "exclude each other"),
        (["http://there.invalid/"], "an address or a name that has one"),
    ],
)
def test_what_cannot_be_asked_is_refused(net: Net, arguments: list[str], why: str) -> None:
    assert why in refused(net.here, "http", *arguments)


def test_the_kernel_s_refusals(net: Net) -> None:
    assert "nobody listens on that port" in rawkit(net.here, "http", f"http://{THERE}:9/", code=1).stderr
    with pytest.raises(KernelError) as refusal:
        get(net.here, f"http://[{THERE6}]:9/")
    assert refusal.value.errno == errno.ECONNREFUSED
    with pytest.raises(KernelError) as refusal:
        get(net.here, "http://192.0.2.1/")
    assert refusal.value.errno == errno.ENETUNREACH


# Servers that mean no good

Step = bytes | Callable[[socket.socket], None]


def answer(server: socket.socket, *steps: Step) -> None:
    """Take one client, read its request, and answer with bytes, or with what else is to be done."""
    connection, _ = server.accept()
    with connection, suppress(ConnectionResetError, BrokenPipeError):
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(65536)
        for step in steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                step(connection)


def asked(net: Net, *steps: Step, **options: Any) -> http.Reply:
    """The reply of a server that answers so."""
    with net.there.open(socket.create_server, (THERE, 0)) as server:
        answering = threading.Thread(target=answer, args=(server, *steps))
        answering.start()
        try:
            return get(net.here, f"http://{THERE}:{server.getsockname()[1]}/", **options)
        finally:
            answering.join()


OKAY = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OKAY + b"Transfer-Encoding: chunked\r\n\r\n"

BROKEN = {
    "nothing": (b"", "status line", "after 0 bytes"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", "status line", "SSH-2.0"),
    "HTTP/0.9": (b"<html>hello</html>\n", "status line", "<html>"),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\n\r\n", "status line", "HTTP/2.0"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "status line", "2000"),
    "a status of letters": (b"HTTP/1.1 abc OK\r\n\r\n", "status line", "abc"),
    "two spaces": (b"HTTP/1.1  200 OK\r\n\r\n", "status line", "  200"),
    "what a terminal obeys": (b"\x1b[2J\x07\r\n\r\n", "status line", "\\x1b[2J\\x07"),
    "another protocol than asked": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "status line", "101"),
    "a status line that is cut": (b"HTTP/1.1 20", "status line", "after 11 bytes"),
    "headers that are cut": (OKAY + b"A: b\r\n", "headers", "after 23 bytes"),
    "a header without colon": (OKAY + b"hello\r\n\r\n", "headers", "'hello'"),
    "a space before the colon": (OKAY + b"Content-Length : 1\r\n\r\n1", "headers", "Length :"),
    "a header before the first": (OKAY + b" folded\r\n\r\n", "headers", "folded"),
    "NUL": (OKAY + b"A: \0\r\n\r\n", "headers", "\\x00"),
    "CR alone": (OKAY + b"A: b\rContent-Length: 1\r\n\r\n", "headers", "\\r"),
    "a short body": (OKAY + b"Content-Length: 5\r\n\r\n1234", "body", "after 4"),
    "two lengths": (OKAY + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", "headers", "['5', '6']"),
    "two lengths in one": (OKAY + b"Content-Length: 5, 6\r\n\r\n12345", "Content-Length", "'5, 6'"),
    "a negative length": (OKAY + b"Content-Length: -5\r\n\r\n", "Content-Length", "'-5'"),
    "a length with a sign": (OKAY + b"Content-Length: +5\r\n\r\n12345", "Content-Length", "'+5'"),
    "a length in other digits": (OKAY + b"Content-Length: \xd9\xa5\r\n\r\n", "Content-Length", "Ù¥"),
    "a length that fits no memory": (OKAY + b"Content-Length: 99999999999999\r\n\r\n", "body", "announced"),
    "a length without end": (OKAY + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", "Content-Length", "99"),
    "a length and chunks": (CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n", "headers", "beside it"),
    "chunks in HTTP/1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", "headers", "HTTP/1.0"),
    "another coding": (CHUNKED.replace(b"chunked", b"gzip, chunked"), "Transfer-Encoding", "gzip"),
    "chunked twice": (CHUNKED.replace(b"chunked", b"chunked, chunked"), "Transfer-Encoding", "chunked, chunked"),
    "a chunk size that is none": (CHUNKED + b"xyz\r\n", "chunk size", "xyz"),
    "no chunk size": (CHUNKED + b"\r\n", "chunk size", "''"),
    "a negative chunk": (CHUNKED + b"-1\r\n", "chunk size", "-1"),
    "a chunk with 0x": (CHUNKED + b"0x1\r\n1\r\n", "chunk size", "0x1"),
    "a chunk too large": (CHUNKED + b"fffffffffffffff0\r\n", "chunk", "announced"),
    "a chunk of too many digits": (CHUNKED + b"0" * 17 + b"\r\n", "chunk size", "000"),
    "a chunk longer than it says": (CHUNKED + b"1\r\n12\r\n0\r\n\r\n", "chunk", "'2'"),
    "a chunk cut": (CHUNKED + b"5\r\n123", "chunk", "after 3"),
    "no last chunk": (CHUNKED + b"1\r\n1\r\n", "chunk size", "the end of the connection"),
    "a trailer that is none": (CHUNKED + b"0\r\nhello\r\n\r\n", "trailers", "hello"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_replies(net: Net, name: str) -> None:
    sent, part, found = BROKEN[name]
    with pytest.raises(ReplyError) as error:
        asked(net, sent)
    assert error.value.part == part
    assert found in error.value.found
    assert str(error.value).isprintable()


GOOD = {
    "a line ended by LF alone": (b"HTTP/1.1 200 OK\nA: b\n\nbody", "OK", [("A", "b")], b"body"),
    "no reason": (b"HTTP/1.1 200\r\n\r\n", "", [], b""),
    "a folded header": (OKAY + b"A: b\r\n \t c\r\n\r\n", "OK", [("A", "b c")], b""),
    "interim replies": (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 3 + OKAY + b"\r\nx", "OK", [], b"x"),
    "more than the length": (OKAY + b"Content-Length: 1\r\n\r\n12", "OK", [("Content-Length", "1")], b"1"),
    "no content": (b"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", "None", [("Content-Length", "5")], b""),
}


@pytest.mark.parametrize("name", GOOD)
def test_odd_replies_that_rfc_9112_allows(net: Net, name: str) -> None:
    sent, reason, headers, body = GOOD[name]
    reply = asked(net, sent)
    assert (reply.reason, list(reply.headers), reply.body) == (reason, headers, body)


def test_chunks_with_all_that_they_may_have(net: Net) -> None:
    sent = CHUNKED + b'4;name="value"\r\nWiki\r\n00A \r\n0123456789\r\n0\r\nExpires: never\r\n\r\n'
    reply = asked(net, *(bytes([byte]) for byte in sent))
    assert (reply.body, reply.trailers) == (b"Wiki0123456789", (("Expires", "never"),))


def endless(data: bytes) -> Step:
    def send(connection: socket.socket) -> None:
        while True:
            connection.sendall(data)

    return send


@pytest.mark.parametrize(
    ("before", "again", "part"),
    [
        (b"", b"x" * 1000, "status line"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, "status line"),
        (OKAY, b"A: b\r\n" * 100, "headers"),
        (OKAY, b"A" * 10_000 + b": b\r\n", "headers"),
        (OKAY + b"A: ", b"x" * 1000, "headers"),
        (OKAY + b"A: b\r\n", b" folded\r\n" * 100, "headers"),
        (OKAY + b"\r\n", b"x" * 10_000, "body"),
        (CHUNKED, b"1\r\nx\r\n" * 1000, "chunk"),
        (CHUNKED, b"1" * 1000, "chunk size"),
        (CHUNKED, b"1;" + b"x" * 10_000 + b"\r\nx\r\n", "chunk"),
        (CHUNKED + b"0\r\n", b"A: b\r\n" * 100, "trailers"),
    ],
)
def test_replies_without_an_end(net: Net, before: bytes, again: bytes, part: str) -> None:
    with pytest.raises(ReplyError) as error:
        asked(net, before, endless(again), max_size=200_000)
    assert error.value.part.startswith(part)


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 2", OKAY, OKAY + b"Content-Length: 5\r\n\r\n123", CHUNKED + b"5"]
)
def test_a_server_that_stalls(net: Net, sent: bytes) -> None:
    gone = threading.Event()
    with net.there.open(socket.create_server, (THERE, 0)) as server:
        answering = threading.Thread(target=answer, args=(server, sent, lambda _: gone.wait()))
        answering.start()
        url = f"http://{THERE}:{server.getsockname()[1]}/"
        with pytest.raises(TimedOut, match=f"{len(sent)} bytes came"):
            get(net.here, url, timeout=0.3)
        gone.set()
        answering.join()


def test_a_server_that_drips_meets_the_deadline_however_often_it_sends(net: Net) -> None:
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not gone.wait(0.02):
            connection.sendall(b"x")

    with net.there.open(socket.create_server, (THERE, 0)) as server:
        answering = threading.Thread(target=answer, args=(server, OKAY + b"\r\n", drip))
        answering.start()
        url = f"http://{THERE}:{server.getsockname()[1]}/"
        done = rawkit(net.here, "http", "--timeout", "0.5", url, code=1)
        gone.set()
        answering.join()
    assert done.stderr.startswith(f"rawkit: wait for the whole body from {THERE}:")
    assert done.stdout.splitlines()[2:4] == ["< HTTP/1.1 200 OK", "<"]
    assert done.stdout.splitlines()[4].startswith("< xx")


def test_a_server_that_does_not_accept(net: Net) -> None:
    with (
        net.there.open(socket.create_server, (THERE, 0), backlog=0) as server,
        net.here.open(socket.create_connection, server.getsockname()),
        pytest.raises(TimedOut, match="connect to"),
    ):
        get(net.here, f"http://{THERE}:{server.getsockname()[1]}/", timeout=0.3)


def test_a_reset_within_the_body(net: Net) -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with pytest.raises(KernelError) as error:
        asked(net, OKAY + b"Content-Length: 9\r\n\r\n123", reset)
    assert error.value.errno == errno.ECONNRESET


def test_a_terminal_is_safe(net: Net) -> None:
    with net.there.open(socket.create_server, (THERE, 0)) as server:
        sent = OKAY + b"A: \x1b]0;title\x07\r\n\r\n\x1b[31mred\x9b0m\xff \xc2\x9b1m\ttab\r\nend"
        answering = threading.Thread(target=answer, args=(server, sent))
        answering.start()
        done = rawkit(net.here, "http", f"http://{THERE}:{server.getsockname()[1]}/")
        answering.join()
    assert done.stdout.split("<\n")[0].splitlines()[3] == "< A: \\x1b]0;title\\x07"
    assert done.stdout.split("<\n")[1] == "< \\x1b[31mred\\x9b0m\\xff \\x9b1m\ttab\n< end\n"


def test_what_came_before_the_mistake_is_shown(net: Net) -> None:
    with net.there.open(socket.create_server, (THERE, 0)) as server:
        answering = threading.Thread(target=answer, args=(server, OKAY + b"Content-Length: 9\r\n\r\n123"))
        answering.start()
        port = server.getsockname()[1]
        done = rawkit(net.here, "http", f"http://{THERE}:{port}/", code=2)
        answering.join()
    assert done.stdout.splitlines()[-3:] == ["< Content-Length: 9", "<", "< 123"]
    assert (
        done.stderr == f"rawkit: {THERE}:{port}: body: expected 9 bytes, found the end of the connection after 3\n"
    )


PIECES = st.sampled_from(
    (
        *(b"HTTP/1.1 ", b"HTTP/1.0 ", b"200", b" OK", b"100 Continue\r\n\r\n", b"\r\n", b"\n", b"\r\n\r\n"),
        *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"A: b\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n"),
        *(b"3", b"0", b" ", b";"),
    )
)


@given(
    replies=st.lists(st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join), min_size=5, max_size=20)
)
@settings(max_examples=40)
def test_any_bytes_are_a_reply_or_the_one_error(net: Net, replies: list[bytes]) -> None:
    with net.there.open(socket.create_server, (THERE, 0)) as server:
        url = f"http://{THERE}:{server.getsockname()[1]}/"

        def answer_all() -> None:
            for reply in replies:
                answer(server, reply)

        answering = threading.Thread(target=answer_all)
        answering.start()
        for reply in replies:
            with suppress(ReplyError):
                got = get(net.here, url)
                assert got.body in reply or got.header("Transfer-Encoding")
        answering.join()


def test_the_wire_has_what_is_said_to_be_sent(net: Net, nginx: str, tmp_path: Path) -> None:
    require("tshark")
    with net.there.open(PacketSocket, "eth0", filter="tcp dst port 8080") as tap:
        reply = get(net.here, f"http://[{THERE6}]:{nginx}/small", version="1.1", headers=[("X-A", "1")])
        rows = fields_of(frames_in(tap), tmp_path, "ipv6.src", "tcp.payload")
    assert {row[0] for row in rows} == {HERE6}
    assert bytes.fromhex("".join(row[1] for row in rows)) == reply.sent
