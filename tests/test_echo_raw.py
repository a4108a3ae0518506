"""Echo over sockets whose headers are made by hand, against ordinary sockets, the kernel, socat and tshark."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from by_hand import kernel_quiet
from commands import PATIENCE, RAWKIT, fields_of, frames_in, rawkit
from echo_ends import in_the_background
from pair import HERE, HERE6, THERE, THERE6, Pair
from programs import require

from rawkit.echo import KINDS, ether, icmp, raw_ip, raw_udp, udp
from rawkit.echo.addresses import show
from rawkit.echo.endpoint import Server
from rawkit.errors import FieldError, KernelError, NotPermittedError, TimedOut, UnreachableError
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab
from rawkit.views import read_expression, to_expression

pytestmark = pytest.mark.root
PORT = 5005
OVER_BOTH = pytest.mark.parametrize(("here", "there"), [(HERE, THERE), (HERE6, THERE6)], ids=["IPv4", "IPv6"])


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        pair = Pair(*lab.hosts("a", "b"))
        lab.link(*pair, offload=False)
        yield pair


def make_in(host: Host) -> Callable[..., socket.socket]:
    return lambda *arguments: host.open(socket.socket, *arguments)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """A server that answers one question, in another thread."""
    with server:
        thread = threading.Thread(target=server.echo_one, args=(65_536,))
        thread.start()
        yield server
        thread.join(PATIENCE)
        assert not thread.is_alive()


def ends(kind: str, pair: Pair, there: str = THERE) -> tuple[Any, Any]:
    """Where a kind's server listens, and what its client asks."""
    if kind == "ether":
        return ("", "eth0"), (str(pair.there.mac()), "eth0")
    address = (there, PORT if kind == "raw-udp" else 77)
    return address, address


@pytest.mark.parametrize("data", [b"hello", b"", bytes(range(256)) * 5], ids=["short", "empty", "long"])
@pytest.mark.parametrize(
    ("kind", "there"),
    [(kind, there) for kind in ("raw-udp", "icmp", "raw-ip") for there in (THERE, THERE6)] + [("ether", "")],
)
def test_both_ends_by_hand(pair: Pair, kind: str, there: str, data: bytes) -> None:
    module, (at, to) = KINDS[kind].load(), ends(kind, pair, there)
    with kernel_quiet(pair.there):
        server = module.Server(at, make=make_in(pair.there), timeout=PATIENCE)
        with serving(server), module.Client(to, make=make_in(pair.here), timeout=PATIENCE) as client:
            (received,) = client.echo(data, 65_536)
        assert received.data == data
        assert not received.truncated
        assert to_expression(client.sent)
        assert server.sent is not None


@OVER_BOTH
def test_handmade_udp_to_an_ordinary_server(pair: Pair, here: str, there: str, tmp_path: Path) -> None:
    require("tshark")
    check = "udp.check_checksum:TRUE"
    server = udp.Server((there, PORT), make=make_in(pair.there), timeout=PATIENCE)
    with pair.there.open(PacketSocket, "eth0", filter="udp or icmp or icmp6[0] == 1") as tap:
        with serving(server), raw_udp.Client((there, PORT), make=make_in(pair.here), timeout=PATIENCE) as client:
            (received,) = client.echo(b"hello", 100)
        assert received.data == b"hello"
        frames = frames_in(tap)
    fields = (f"{'ipv6' if ':' in here else 'ip'}.src", "udp.dstport", "udp.checksum.status", "udp.payload")
    rows = fields_of(frames, tmp_path, *fields, prefer=check)
    assert rows[0] == [here, str(PORT), "1", b"hello".hex()]
    assert [row[0] for row in rows] == [here, there]  # no ICMP error for a port that only a raw socket knows


@OVER_BOTH
def test_an_ordinary_client_cannot_tell_a_handmade_server(pair: Pair, here: str, there: str) -> None:
    server = raw_udp.Server((there, PORT), make=make_in(pair.there), timeout=PATIENCE)
    with serving(server), udp.Client((there, PORT), make=make_in(pair.here), timeout=PATIENCE) as client:
        (received,) = client.echo(b"hello", 100)
    assert received.data == b"hello"
    require("socat")
    server = raw_udp.Server((there, 0), make=make_in(pair.there), timeout=PATIENCE)
    with serving(server):
        command = ["socat", "-t", "5", "-", f"UDP:{show((there, server.address[1]))},readbytes=5"]
        done = pair.here.run(command, input="hello", capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "hello"


def test_the_kernel_answers_a_request_made_by_hand(pair: Pair, tmp_path: Path) -> None:
    require("tshark")
    with pair.here.open(PacketSocket, "eth0", filter="icmp") as tap:
        with icmp.Client((THERE, 7), make=make_in(pair.here), timeout=PATIENCE) as client:
            answers = [next(client.echo(bytes([number]) * 30, 100)) for number in range(3)]
        frames = frames_in(tap)
    assert [answer.data for answer in answers] == [bytes([number]) * 30 for number in range(3)]
    rows = fields_of(frames, tmp_path, "icmp.type", "icmp.ident", "icmp.seq", "icmp.checksum.status")
    assert rows == [[kind, "7", str(seq), "1"] for seq in (1, 2, 3) for kind in ("8", "0")]


def test_the_kernel_answers_a_request_of_icmpv6(pair: Pair, tmp_path: Path) -> None:
    require("tshark")
    with pair.here.open(PacketSocket, "eth0", filter="icmp6[0] == 128 or icmp6[0] == 129") as tap:
        with icmp.Client((THERE6, 7), make=make_in(pair.here), timeout=PATIENCE) as client:
            answers = [next(client.echo(bytes([number]) * 30, 100)) for number in range(3)]
        frames = frames_in(tap)
    assert [answer.data for answer in answers] == [bytes([number]) * 30 for number in range(3)]
    fields = ("icmpv6.type", "icmpv6.echo.identifier", "icmpv6.echo.sequence_number", "icmpv6.checksum.status")
    rows = fields_of(frames, tmp_path, *fields)
    assert [[kind, int(id, 0), int(seq), status] for kind, id, seq, status in rows] == [
        [kind, 7, seq, "1"] for seq in (1, 2, 3) for kind in ("128", "129")
    ]


def test_a_responder_by_hand_answers_besides_the_kernel(pair: Pair) -> None:
    with pair.here.open(PacketSocket, "eth0", filter="icmp[0] == 0") as tap:
        server = icmp.Server((THERE, 77), make=make_in(pair.there), timeout=PATIENCE)
        with serving(server), icmp.Client((THERE, 77), make=make_in(pair.here), timeout=PATIENCE) as client:
            client.send(b"hello")
        assert {tap.receive(PATIENCE).packet().payload for _ in range(2)} == {b"hello"}


def test_socat_hears_the_protocol_of_its_own(pair: Pair) -> None:
    require("socat")
    command = ["socat", "-u", "IP4-RECV:253", "-"]
    with (
        pair.there.popen(command, stdout=subprocess.PIPE) as socat,
        raw_ip.Client((THERE, 7), make=make_in(pair.here), timeout=PATIENCE) as client,
    ):
        assert socat.stdout is not None
        while ":00FD " not in pair.there.run(["cat", "/proc/net/raw"], capture_output=True, text=True).stdout:
            assert socat.poll() is None
        client.send(b"hello")
        heard = socat.stdout.read(13)  # without the IPv4 header
        socat.kill()
    assert heard == bytes.fromhex("0800000700010005") + b"hello"


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip", "ether"])
def test_what_is_not_for_this_conversation_is_skipped_in_time(pair: Pair, kind: str) -> None:
    module, (_, to) = KINDS[kind].load(), ends(kind, pair)
    stop = threading.Event()

    def noise() -> None:
        with pair.there.open(PacketSocket, "eth0", protocol=0) as link:
            mac = bytes(pair.here.mac()) + bytes(pair.there.mac())
            while not stop.is_set():
                for body in (b"\x08\x00\x45", b"\x88\xb5\x00", b"\x88\xb5" + bytes(60), b"\x08\x00" + bytes(40)):
                    link.send(mac + body)

    thread = threading.Thread(target=noise)
    thread.start()
    try:
        with kernel_quiet(pair.there), module.Client(to, make=make_in(pair.here), timeout=0.2) as client:
            client.send(b"hello")
            with pytest.raises((TimedOut, KernelError)):
                client.receive(100)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("there", [THERE, THERE6])
def test_a_closed_port_is_told_by_the_kernel_at_once(pair: Pair, there: str) -> None:
    """Its message comes to the ordinary socket that holds the port; so nobody waits until the time is over."""

    def ask() -> None:
        with raw_udp.Client((there, 9), make=make_in(pair.here), timeout=10 * PATIENCE) as client:
            client.send(b"hello")
            with pytest.raises(UnreachableError, match=f"{there} says .* port unreachable") as caught:
                client.receive(100)
        assert caught.value.errno == errno.ECONNREFUSED

    with in_the_background(ask):
        pass


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip", "ether"])
def test_what_is_too_large_is_refused(pair: Pair, kind: str) -> None:
    module, (_, to) = KINDS[kind].load(), ends(kind, pair)
    with module.Client(to, make=make_in(pair.here)) as client, pytest.raises(KernelError) as caught:
        client.send(bytes(3000))
    assert caught.value.errno == errno.EMSGSIZE
    assert "send less" in str(caught.value)


def test_a_small_buffer_gets_the_beginning(pair: Pair) -> None:
    with icmp.Client((THERE, 7), make=make_in(pair.here), timeout=PATIENCE) as client:
        (received,) = client.echo(b"hello", 3)
    assert (received.data, received.truncated) == (b"hel", True)


def test_addresses_that_fit_no_header(pair: Pair) -> None:
    for module in (raw_udp, icmp, raw_ip):
        for end in (module.Client, module.Server):
            with pytest.raises(FieldError, match="an address or a name"):
                end(("no host", 7), make=make_in(pair.here))
    for end in (raw_udp.Client, raw_udp.Server):
        with pytest.raises(FieldError, match=r"UDP\.dst_port"):
            end((THERE, 65_536), make=make_in(pair.here))
    with pytest.raises(FieldError, match="a MAC address"):
        ether.Client(("10.0.1.2", "eth0"), make=make_in(pair.here))
    with pytest.raises(KernelError, match="rawkit interfaces"):
        ether.Server(("", "nosuch0"), make=make_in(pair.here))


def test_an_interface_without_addresses_is_refused(pair: Pair) -> None:
    if not Path("/dev/net/tun").exists():
        pytest.skip("no /dev/net/tun")
    pair.here.run(["ip", "tuntap", "add", "tun0", "mode", "tun"], check=True)
    with pytest.raises(FieldError, match="one that has a MAC address"):
        ether.Server(("", "tun0"), make=make_in(pair.here))
    with pytest.raises(FieldError, match="one that has a MAC address"):
        ether.Client(("02:00:00:00:00:01", "tun0"), make=make_in(pair.here))


def test_without_privileges_one_error_says_what_is_missing(pair: Pair) -> None:
    def refuse(*arguments: Any) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    for module in (raw_udp, icmp, raw_ip):
        with pytest.raises(NotPermittedError, match="CAP_NET_RAW"):
            module.Client((THERE, 7), make=refuse)


FIRST_ROUND_TRIP = """
import sys
from rawkit.echo import KINDS

module, happened = KINDS[sys.argv[1]].load(), []
place = ("00:00:00:00:00:00", "lo") if sys.argv[1] == "ether" else (sys.argv[2], 77)
server, client = module.Server(place, timeout=30), module.Client(place, timeout=30)
sys.addaudithook(lambda event, _: happened.append(event) if event in ("compile", "import", "open") else None)
client.send(b"hello")
server.echo_one(100)
assert client.receive(100).data == b"hello"
print(happened)
"""


@pytest.mark.parametrize("at", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip", "ether"])
def test_the_first_round_trip_is_all_the_wire_s(pair: Pair, kind: str, at: str) -> None:
    command = [sys.executable, "-c", FIRST_ROUND_TRIP, kind, at]
    done = pair.here.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip", "ether"])
def test_the_commands(pair: Pair, kind: str) -> None:
    at = "eth0" if kind == "ether" else THERE
    to = f"{pair.there.mac()}%eth0" if kind == "ether" else THERE
    command = [*RAWKIT, "echo", "serve", kind, at, "--once"]
    with kernel_quiet(pair.there), pair.there.popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline()
        done = rawkit(pair.here, "echo", "send", kind, to, "--data", "hello")
        assert "b'hello'" in done.stdout
        asked = expression_after("question made by hand: ", done.stdout)
        answered = expression_after("answer made by hand: ", server.stdout.read())
    assert server.returncode == 0
    for made in (asked, answered):
        assert made.endswith(" / b'hello'")
        if kind in ("raw-udp", "icmp"):  # the others have a header that nobody else has
            assert bytes(read_expression(made)).endswith(b"hello")
    assert "packet that came: " in done.stdout


def expression_after(words: str, text: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith(words))
    return line.removeprefix(words)


def test_who_else_answers_is_told_at_the_start(pair: Pair) -> None:
    def first_lines(*arguments: str) -> list[str]:
        with pair.there.popen([*RAWKIT, "echo", "serve", *arguments], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            lines = [server.stdout.readline()]
            server.terminate()
            return [*lines, *server.stdout.read().splitlines()]

    for host, sysctl in ((THERE, "net.ipv4.icmp_echo_ignore_all"), (THERE6, "net.ipv6.icmp.echo_ignore_all")):
        assert f"it is silent after sysctl -w {sysctl}=1" in first_lines("icmp", host)[1]
        with kernel_quiet(pair.there):
            assert "stopped" in first_lines("icmp", host)[1]
    assert "another server has to take 0.0.0.0" in first_lines("raw-udp", "::")[1]


@pytest.mark.parametrize("kind", ["icmp", "raw-ip", "ether"])
def test_identifiers_are_nobody_else_s(pair: Pair, kind: str) -> None:
    """Were they this process's number, those of two containers would be the same. Nor is others' data ours."""
    module, (_, to) = KINDS[kind].load(), ends(kind, pair)
    to = (to[0], 0) if kind != "ether" else to
    with ExitStack() as stack:
        clients = [stack.enter_context(module.Client(to, make=make_in(pair.here), timeout=0.05)) for _ in range(4)]
        assert len({(client.id, client.seq) for client in clients}) == 4
        first, second = clients[:2]
        second.id, second.seq = first.id, first.seq
        server = stack.enter_context(module.Server(ends(kind, pair)[0], make=make_in(pair.there)))
        server.id = 0
        stack.enter_context(kernel_quiet(pair.there))
        first.send(b"first")
        second.send(b"second")
        for _ in range(2):
            server.echo_one(100)
        assert [first.receive(100).data, second.receive(100).data] == [b"first", b"second"]


def test_duplicates_are_told(pair: Pair) -> None:
    """The kernel answers, and the responder by hand besides."""
    with (
        icmp.Server((THERE, 77), make=make_in(pair.there), timeout=PATIENCE) as server,
        icmp.Client((THERE, 77), make=make_in(pair.here), timeout=PATIENCE) as client,
    ):
        client.send(b"hello")
        assert client.receive(100).data == b"hello"
        server.echo_one(100)
        while not client.stray:
            client.wait(0)


def test_a_loss_is_not_the_end_where_there_is_no_connection(pair: Pair) -> None:
    asked = ["ether", "02:00:00:00:00:99%eth0", "--data", "x", "-c", "3", "--timeout", "0.01"]
    assert rawkit(pair.here, "echo", "send", *asked, code=1).stdout.count("lost: nothing came back") == 3
