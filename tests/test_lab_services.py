"""Services of labs, as clients find them that everybody knows: curl, dig, udhcpc, nmap."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import require
from unprivileged import run_as_nobody, script

from rawkit.errors import FieldError
from rawkit.lab import services
from rawkit.lab.dhcp import DHCP
from rawkit.lab.dns import Zone
from rawkit.lab.leases import Leases
from rawkit.netns import Host, Lab, Worker, with_nameserver
from rawkit.wire import UDP

PATIENCE = 5.0

QUERY = bytes.fromhex(
    "1234 0100 0001 0000 0000 0001 03777777 076578616d706c65 00 0001 0001 00 0029 04d0 00000000 0000"
)

NAMES = {
    "www.example": "10.0.0.1",
    "both.example.": ["10.0.0.2", "fd00::2"],
    "SIX.example": "fd00::9",
    "many.example": [f"10.0.1.{number}" for number in range(200)],
}


@contextmanager
def served(*works: Callable[[Worker], None]) -> Iterator[tuple[Host, Host]]:
    """Host a, and b where these services are ready."""
    with Lab() as lab, ExitStack() as stack:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        workers = [stack.enter_context(b.spawn(work)) for work in works]
        for worker in workers:
            assert worker.cues.take(PATIENCE) == "ready"
        yield a, b
        assert all(worker.poll() is None for worker in workers)


def output(host: Host, *command: object) -> str:
    done = host.run([str(word) for word in command], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


WRONG: dict[str, Callable[[], Any]] = {
    "services.http.port: expected a number from 1 to 65535, got 99999": lambda: services.http({}, port=99999),
    "services.http.port: expected a number from 1 to 65535, got '80'": lambda: services.http({}, port="80"),  # type: ignore[arg-type]
    "services.http.path: expected a path": lambda: services.http({"index": b""}),
    "services.http./: expected bytes": lambda: services.http({"/": "text"}),  # type: ignore[dict-item]
    "services.tcp_echo.port": lambda: services.tcp_echo(0),
    "services.udp_echo.address": lambda: services.udp_echo(7, "here"),
    "services.udp_source.address": lambda: services.udp_source("there", 7, [], every=1),
    "services.udp_source.every": lambda: services.udp_source("10.0.0.1", 7, [], every=-1),
    "IPv4.dst": lambda: services.ping_source("10.0.0.1", "there", 1, b"", count=1, every=1),
    "services.dns.port": lambda: services.dns({}, -1),
    "services.dns.delay": lambda: services.dns({}, delay=-0.1),
    "services.dns.www.example: expected an IPv4": lambda: services.dns({"www.example": "10.0.0.256"}),
    "services.dns.name: expected a name": lambda: services.dns({f"{64 * 'w'}.example": "10.0.0.1"}),
    "services.dns.name: expected a name, such": lambda: services.dns({"www..example": "10.0.0.1"}),
    "services.dhcp.own": lambda: services.dhcp("10.0.0.0.1", []),
    "services.dhcp.addresses": lambda: services.dhcp("10.0.0.1/24", ["fd00::1"]),
    "services.dhcp.router": lambda: services.dhcp("10.0.0.1/24", [], router="zz"),
    "services.dhcp.dns": lambda: services.dhcp("10.0.0.1/24", [], dns="zz"),
}


@pytest.mark.parametrize("told", WRONG)
def test_arguments_are_checked_where_they_are_given(told: str) -> None:
    with pytest.raises(FieldError, match=re.escape(told)):
        WRONG[told]()


@pytest.mark.root
def test_http_serves_others_while_a_client_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    require("curl")
    with served(services.http({"/": b"hello", "/?q=2": b"two"})) as (a, b):
        to = str(b.address())
        with a.open(socket.create_connection, (to, 80)), a.open(socket.create_connection, (to, 80)):
            for url in (f"http://{to}", f"http://[{b.address(6)}]", f"http://{to}/?q=1"):
                assert output(a, "curl", "-sS", "-m", PATIENCE, url) == "hello"
            assert output(a, "curl", "-sS", "-m", PATIENCE, f"http://{to}/?q=2") == "two"
            head = output(a, "curl", "-sS", "-m", PATIENCE, "-I", f"http://{to}/").splitlines()
            assert head[0].endswith("200 OK")
            assert "Content-Length: 5" in head
            missing = output(a, "curl", "-sS", "-m", PATIENCE, "-w", "%{http_code}", f"http://{to}/no")
            assert missing == "404"
    assert capfd.readouterr().err == ""


@pytest.mark.root
def test_who_says_nothing_for_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "IDLE", 0.1)
    with served(services.http({}), services.dns({})) as (a, b):
        for port in (80, 53):
            with a.open(socket.create_connection, (str(b.address()), port), timeout=PATIENCE) as silent:
                assert silent.recv(1) == b""


@pytest.mark.root
def test_echo_and_sources_of_datagrams_work_over_both_versions_of_ip() -> None:
    with served(services.tcp_echo(), services.udp_echo()) as (a, b):
        for version in (4, 6):
            at = str(b.address(version))
            with a.open(socket.create_connection, (at, 7), timeout=PATIENCE) as stream:
                stream.sendall(b"hello")
                assert stream.recv(5, socket.MSG_WAITALL) == b"hello"
            family = socket.AF_INET if version == 4 else socket.AF_INET6
            with a.open(socket.socket, family, socket.SOCK_DGRAM) as asker:
                asker.settimeout(PATIENCE)
                asker.sendto(b"hello", (at, 7))
                assert asker.recvfrom(9)[1][0] == at
            with b.open(socket.socket, family, socket.SOCK_DGRAM) as listener:
                listener.settimeout(PATIENCE)
                listener.bind(("", 1025))
                with a.spawn(services.udp_source(at, 1025, [b"hello"], every=0)):
                    assert listener.recv(9) == b"hello"


def dig(host: Host, server: object, *question: str) -> tuple[str, list[str]]:
    """What dig says: the response code, and the records of all sections, shortly; sorted."""
    said = output(host, "dig", f"@{server}", "+tries=1", "+nocookie", *question)
    status = re.search(r"status: (\w+)", said)
    assert status is not None, said
    records = [line.split() for line in said.splitlines() if line and not line.startswith(";")]
    return status[1], sorted(" ".join([words[0], *words[3:]]) for words in records)


SOA = ". SOA . . 1 3600 600 86400 60"

ANSWERS = {
    "www.example A": ("NOERROR", ["www.example. A 10.0.0.1"]),
    "wWw.Example. A": ("NOERROR", ["wWw.Example. A 10.0.0.1"]),
    "www.example AAAA": ("NOERROR", [SOA]),
    "six.example AAAA": ("NOERROR", ["six.example. AAAA fd00::9"]),
    "six.example A": ("NOERROR", [SOA]),
    "both.example ANY": ("NOERROR", ["both.example. A 10.0.0.2", "both.example. AAAA fd00::2"]),
    "both.example MX": ("NOERROR", [SOA]),
    "example A": ("NOERROR", [SOA]),
    "other.example A": ("NXDOMAIN", [SOA]),
    "www.example.lab A": ("NXDOMAIN", [SOA]),
    "www.example CH A": ("REFUSED", []),
    "+edns=1 +noednsnegotiation www.example A": ("BADVERS", []),
    "+opcode=NOTIFY www.example A": ("NOTIMP", []),
    "+header-only": ("FORMERR", []),
}


@pytest.mark.root
def test_dns_answers_dig(capfd: pytest.CaptureFixture[str]) -> None:
    require("dig")
    with served(services.dns(NAMES)) as (a, b):
        for question, answer in ANSWERS.items():
            for way in ("+notcp", "+tcp"):
                for server in (b.address(), b.address(6)):
                    assert dig(a, server, way, *question.split()) == answer, (question, way, server)
    assert capfd.readouterr().err == ""


@pytest.mark.root
@pytest.mark.parametrize("options", ["+noedns", "+bufsize=1000", "+bufsize=4096"])
def test_long_answers_come_over_tcp(options: str) -> None:
    require("dig")
    with served(services.dns(NAMES)) as (a, b):
        cut = output(a, "dig", f"@{b.address()}", "+ignore", options, "many.example")
        assert re.search(r"flags: qr aa tc rd ra; QUERY: 1, ANSWER: 0", cut)
        whole = output(a, "dig", f"@{b.address()}", options, "many.example")
        assert "Truncated, retrying in TCP mode" in whole
        assert re.search(r"flags: qr aa rd ra; QUERY: 1, ANSWER: 200", whole)


@pytest.mark.root
def test_answers_that_take_their_time_do_not_wait_for_each_other() -> None:
    """All are asked before the first is answered, as the wire shows."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        with b.spawn(services.dns(NAMES, delay=0.3)) as worker, lab.record() as recording:
            assert worker.cues.take(PATIENCE) == "ready"
            with a.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as asker:
                asker.settimeout(PATIENCE)
                asker.connect((str(b.address()), 53))
                for _ in range(5):
                    asker.send(QUERY)
                for _ in range(5):
                    asker.recv(512)
            senders = [each.sender for each in recording.finish() if UDP in each.frame.packet()]
    assert senders == ["a"] * 5 + ["b"] * 5


RESOLVING = """
from rawkit.lab import services
from rawkit.netns import Lab, reexec_in_user_namespace, with_nameserver

reexec_in_user_namespace()
with Lab() as lab:
    a, b = lab.hosts("a", "b")
    lab.link(a, b)
    names = {"www.example": [str(b.address()), str(b.address(6))]}
    with b.spawn(services.dns(names)) as name_server, b.spawn(services.http({"/": b"hello"})) as web_server:
        assert name_server.cues.take(5) == web_server.cues.take(5) == "ready"
        for version in (4, 6):
            asking = with_nameserver(str(b.address(version)))
            command = ["curl", "-sS", "-m", "5", f"-{version}", "http://www.example"]
            print(a.run(command, preexec_fn=asking, capture_output=True, text=True).stdout)
        print(a.run(["cat", "/etc/resolv.conf"], capture_output=True, text=True).stdout, end="")
"""


@pytest.mark.root
@pytest.mark.parametrize("who", ["root", "nobody"])
def test_programs_ask_the_name_server_that_they_are_given(tmp_path: Path, who: str) -> None:
    require("curl")
    file = script(tmp_path, RESOLVING)
    if who == "nobody":
        done = run_as_nobody(file)
    else:
        done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert done.stdout == f"hello\nhello\n{Path('/etc/resolv.conf').read_text()}", done.stderr


def test_name_servers_are_addresses() -> None:
    with pytest.raises(FieldError, match="expected an IPv4 or IPv6 address"):
        with_nameserver("www.example")


def test_answers_are_not_answered() -> None:
    zone = Zone(NAMES)
    answer = zone.answer(QUERY)
    assert answer is not None
    assert zone.answer(answer) is None


@given(
    st.lists(st.tuples(st.integers(0, len(QUERY) - 1), st.binary(min_size=1, max_size=3)), max_size=4), st.data()
)
def test_whatever_comes_is_answered_once_or_not_at_all(
    damage: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    message = bytearray(QUERY)
    for at, others in damage:
        message[at : at + len(others)] = others
    sent = bytes(message[: data.draw(st.integers(0, len(message)))]) or data.draw(st.binary(max_size=40))
    answer = Zone(NAMES).answer(sent)
    if len(sent) < 12 or sent[2] & 0x80:
        assert answer is None
    else:
        assert answer is not None
        assert (answer[:2], answer[2] & 0x80) == (sent[:2], 0x80)


@contextmanager
def udhcpc(host: Host, folder: Path, *options: str) -> Iterator[list[str]]:
    """Lease an address until the end: it, netmask, router, name server, seconds, server; nothing where none is."""
    require("udhcpc")
    script = folder / "script"
    script.write_text('#!/bin/sh\necho "$1 $ip $subnet $router $dns $lease $serverid"\n')
    script.chmod(0o700)
    command = ["udhcpc", "-i", "eth0", "-f", "-n", "-t", "3", "-T", "1", "-s", script, *options]
    with host.popen(command, stdout=PIPE, stderr=DEVNULL, text=True) as client:
        told = (line.split() for line in client.stdout)
        yield next((words[1:] for words in told if words[0] == "bound"), [])
        client.terminate()


@contextmanager
def leasing(addresses: list[str], *hosts: str) -> Iterator[list[Host]]:
    """A DHCP server at a switch, and hosts there without addresses."""
    with Lab() as lab:
        switch, server = lab.switch("switch"), lab.host("server")
        lab.link(server, switch, addresses=("10.0.0.1/24", []))
        clients = lab.hosts(*hosts)
        for client in clients:
            lab.link(client, switch, addresses=([], []))
        work = services.dhcp("10.0.0.1/24", addresses, router="10.0.0.254", dns="10.0.0.53")
        with server.spawn(work) as worker:
            assert worker.cues.take(PATIENCE) == "ready"
            yield [*clients]
            assert worker.poll() is None


@pytest.mark.root
def test_dhcp_leases_to_udhcpc_and_takes_back(tmp_path: Path) -> None:
    with leasing(["10.0.0.100"], "a", "b") as (a, b):
        with udhcpc(a, tmp_path) as lease:
            assert lease == ["10.0.0.100", "255.255.255.0", "10.0.0.254", "10.0.0.53", "3600", "10.0.0.1"]
        a.run(["ip", "address", "add", "10.0.0.100/24", "dev", "eth0"], check=True)
        with udhcpc(a, tmp_path, "-R") as lease:  # which gives it back at its end
            assert lease[0] == "10.0.0.100"  # the one that it had
            with udhcpc(b, tmp_path) as other:
                assert other == []
        with udhcpc(b, tmp_path) as other:
            assert other[0] == "10.0.0.100"


@pytest.mark.root
def test_an_address_that_is_declined_is_given_to_nobody(tmp_path: Path) -> None:
    with leasing(["10.0.0.100", "10.0.0.101"], "a", "squatter") as (a, squatter):
        squatter.run(["ip", "address", "add", "10.0.0.100/24", "dev", "eth0"], check=True)
        with udhcpc(a, tmp_path, "-a", "-A", "1") as lease:
            assert lease[0] == "10.0.0.101"


@pytest.mark.root
def test_dhcp_informs_nmap() -> None:
    require("nmap")
    with leasing([], "a") as (a,):
        a.run(["ip", "address", "add", "10.0.0.9/24", "dev", "eth0"], check=True)
        said = output(a, "nmap", "-n", "-Pn", "-sU", "-p", 67, "--script", "dhcp-discover", "10.0.0.1")
    assert "DHCP Message Type: DHCPACK" in said
    assert "Router: 10.0.0.254" in said
    assert "Domain Name Server: 10.0.0.53" in said
    assert "Lease Time" not in said


FIRST, SECOND = "02:00:00:00:00:01", "02:00:00:00:00:02"
ONE, OTHER = b"\x36\4\n\0\0\1", b"\x36\4\n\0\0\2"
"""The server's own address, and another's."""
A, B = b"\x32\4\n\0\0\x64", b"\x32\4\n\0\0\x65"
"""Both addresses that there are, as options."""


def said(kind: int, options: bytes = b"", mac: str = FIRST, **fields: Any) -> DHCP:
    """A client's message of that type."""
    return DHCP(client_mac=mac, options=bytes([53, 1, kind]) + options + b"\xff", **fields)


def after(*messages: DHCP) -> tuple[int, str] | None:
    """The type of the server's last answer, and the address that it gives."""
    leases = Leases("10.0.0.1/24", ["10.0.0.100", "10.0.0.101"])
    answers = [leases.answer(message) for message in messages]
    return None if answers[-1] is None else (answers[-1].known_options()[53][0], str(answers[-1].your_address))


DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = range(1, 8)


def test_addresses_are_leased_as_rfc_2131_says() -> None:
    first, second = said(DISCOVER), said(DISCOVER, mac=SECOND)
    assert after(first, said(REQUEST, ONE + A)) == (ACK, "10.0.0.100")
    assert after(first, second) == (OFFER, "10.0.0.101")
    assert after(first, second, said(DISCOVER, mac="02:00:00:00:00:03")) is None
    assert after(said(DISCOVER, B)) == (OFFER, "10.0.0.101")
    assert after(first, said(REQUEST, ONE + B)) == (NAK, "0.0.0.0")
    assert after(said(REQUEST, ONE + A)) == (NAK, "0.0.0.0")
    assert after(first, said(REQUEST, client_address="10.0.0.100")) == (ACK, "10.0.0.100")  # it renews
    assert after(first, said(REQUEST, B)) == (NAK, "0.0.0.0")  # it has moved
    assert after(said(REQUEST, A)) is None  # another server may know it
    one_identifier = b"\x3d\3\0mm"
    assert after(said(DISCOVER, one_identifier), said(DISCOVER, one_identifier, SECOND)) == (OFFER, "10.0.0.100")


def test_addresses_come_back() -> None:
    first, second = said(DISCOVER), said(DISCOVER, A, SECOND)
    free, taken = (OFFER, "10.0.0.100"), (OFFER, "10.0.0.101")
    assert after(first, second) == taken
    assert after(first, said(REQUEST, OTHER), second) == free
    assert after(first, said(RELEASE, ONE, client_address="10.0.0.100"), second) == free
    assert after(first, said(RELEASE, ONE, client_address="10.0.0.101"), second) == taken
    assert after(first, said(RELEASE, OTHER, client_address="10.0.0.100"), second) == taken
    assert after(first, said(DECLINE, ONE + A), second) == taken
    assert after(first, said(DECLINE, ONE + A), first) == taken
    assert after(first, said(DECLINE, ONE + B), first) == free


@pytest.mark.parametrize(
    "broken", [said(DISCOVER, cookie=0x63825364), said(DISCOVER, operation=2), said(99), DHCP(client_mac=FIRST)]
)
def test_what_is_no_message_of_a_client_is_not_answered(broken: DHCP) -> None:
    assert after(broken) is None
