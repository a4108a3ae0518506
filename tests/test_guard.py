"""The guard: the kernel is silent in the flows it was given, speaks in all others, and no rule outlives it."""

from __future__ import annotations

import errno
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pair import HERE, HERE6, PATIENCE, THERE, THERE6, Pair, processed
from programs import require
from unprivileged import run_as_nobody

from rawkit.errors import FieldError, KernelError, TimedOut
from rawkit.link import Flow, FlowGuard, PacketSocket, RawIPv4Socket, _nftables
from rawkit.netns import Host, Lab
from rawkit.wire import TCP, UDP, Ethernet, ICMPv6ParameterProblem, IPv4, IPv6, Packet

pytestmark = pytest.mark.root

SIDES: dict[int, tuple[Any, Any]] = {
    4: (IPv4Address(HERE), IPv4Address(THERE)),
    6: (IPv6Address(HERE6), IPv6Address(THERE6)),
}
OUR_PORTS, THEIR_PORTS = (1025, 1026), (80, 81)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two hosts; there the ports 80 and 81 are served, and here ICMP errors are sent as often as they are due."""
    with Lab() as lab, ExitStack() as stack:
        here, there = lab.hosts("here", "there")
        lab.link(here, there)
        here.set_sysctls({"ipv4/icmp_ratelimit": 0, "ipv6/icmp/ratelimit": 0})
        for family, port in product((socket.AF_INET, socket.AF_INET6), THEIR_PORTS):
            server = there.open(socket.socket, family, socket.SOCK_STREAM)
            stack.enter_context(server)
            if family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            server.bind(("", port))
            server.listen()
        for sender, receiver in ((here, there), (there, here)):
            processed(sender, receiver)
        require("ping")
        here.run(["ping", "-n", "-c", "1", "-W", "10", THERE6], check=True, stdout=-3)  # they know each other now
        yield Pair(here, there)


def ip(version: int, src: Any, dst: Any, protocol: int | None = None) -> Any:
    if version == 4:
        return IPv4(src=src, dst=dst) if protocol is None else IPv4(src=src, dst=dst, protocol=protocol)
    return IPv6(src=src, dst=dst) if protocol is None else IPv6(src=src, dst=dst, next_header=protocol)


def said(pair: Pair, sender: Host, packets: list[Packet], filter: str) -> list[Packet]:
    """What the kernel here says, as it arrives there, when `sender` sent those packets by hand."""
    here, there = pair
    receiver = there if sender is here else here
    with (
        there.open(PacketSocket, "eth0", filter=filter, buffer_size=1 << 22) as ears,
        sender.open(PacketSocket, "eth0", protocol=0) as mouth,
    ):
        frame = Ethernet(dst=receiver.mac(), src=sender.mac())
        mouth.send_many([frame / packet for packet in packets])
        for one, other in ((here, there), (there, here), (here, there)):
            processed(one, other)
        heard = []
        try:
            while True:
                heard.append(ears.receive(0).packet())
        except TimedOut:
            return heard


def resets(pair: Pair, version: int, flows: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """In which of these flows, each begun by a SYN made by hand, the kernel here sends a reset.

    Afterwards the other side is reset by hand, since it would be slow to answer the same SYN again.
    """
    src, dst = SIDES[version]
    questions = [ip(version, src, dst) / TCP(src_port=ours, dst_port=theirs, flags="S") for ours, theirs in flows]
    filter = f"src host {src} and tcp and {'tcp[13] & 4 != 0' if version == 4 else 'ip6[53] & 4 != 0'}"
    heard = said(pair, pair.here, questions, filter)
    over = [question.replace(TCP, flags="R", seq=1) for question in questions]
    said(pair, pair.here, over, filter)
    return {(packet[TCP].src_port, packet[TCP].dst_port) for packet in heard}


def unreachables(pair: Pair, version: int, flows: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """About which of these flows' datagrams, made by hand there, the kernel here sends an error."""
    dst, src = SIDES[version]
    answers = [ip(version, src, dst) / UDP(src_port=theirs, dst_port=ours) for ours, theirs in flows]
    filter = f"src host {dst} and {'icmp[0] == 3' if version == 4 else 'icmp6[0] == 1'}"
    heard = said(pair, pair.there, answers, filter)
    return {(packet[UDP].dst_port, packet[UDP].src_port) for packet in heard}


ALL = list(product(OUR_PORTS, THEIR_PORTS))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("ports", [(1025, 80), (1025, None), (None, 80), (None, None)], ids=str)
def test_silence_in_exactly_these_flows(
    pair: Pair, version: int, protocol: str, ports: tuple[int | None, int | None]
) -> None:
    speaks = resets if protocol == "tcp" else unreachables
    kept = {flow for flow in ALL if all(port in (None, own) for port, own in zip(ports, flow, strict=True))}
    assert speaks(pair, version, ALL) == set(ALL)
    with pair.here.open(FlowGuard, [Flow(*SIDES[version], *ports, protocol)]):
        assert speaks(pair, version, ALL) == set(ALL) - kept
    assert speaks(pair, version, ALL) == set(ALL)


def test_other_protocols_and_addresses_are_not_meant(pair: Pair) -> None:
    src, dst = SIDES[4]
    flows = [Flow(src, dst, None, None, "udp"), Flow(src, src, None, None), Flow(dst, src, None, None)]
    with pair.here.open(FlowGuard, flows):
        assert resets(pair, 4, ALL) == set(ALL)
        assert resets(pair, 6, ALL) == set(ALL)
        assert unreachables(pair, 6, ALL) == set(ALL)


@pytest.mark.parametrize("version", [4, 6])
def test_a_protocol_that_nobody_here_speaks(pair: Pair, version: int) -> None:
    dst, src = SIDES[version]
    packets = [ip(version, src, dst, protocol) / b"hello" for protocol in (253, 254)]
    filter = f"src host {dst} and {'icmp[0] == 3' if version == 4 else 'icmp6[0] == 4'}"

    def about() -> list[int]:
        heard = said(pair, pair.there, packets, filter)
        assert version == 4 or all(packet[ICMPv6ParameterProblem].code == 1 for packet in heard)
        return [getattr(packet.layers[-1], "protocol" if version == 4 else "next_header") for packet in heard]

    assert about() == [253, 254]
    with pair.here.open(FlowGuard, [Flow(dst, src, None, None, 253)]):
        assert about() == [254]


def test_flows_are_added_as_they_come(pair: Pair) -> None:
    flows = [Flow(*SIDES[4], *ports) for ports in ALL]
    with pair.here.open(FlowGuard) as guard:
        for number, flow in enumerate(flows):
            assert resets(pair, 4, ALL) == set(ALL[number:])
            guard.add(flow)
            guard.add(flow)
        assert resets(pair, 4, ALL) == set()


def test_thousands_of_flows(pair: Pair) -> None:
    require("nft")
    ports = range(10_000, 13_000)
    with pair.here.open(FlowGuard, (Flow(*SIDES[4], port, 80) for port in ports)):
        (table,) = ruleset(pair.here).values()
        found = re.findall(rf"{re.escape(HERE)} \. {re.escape(THERE)} \. (\d+) \. 80\b", table)
        assert sorted(map(int, found)) == list(ports)
        assert table.count("drop") == 1
        assert resets(pair, 4, [(9_999, 80), (10_000, 80), (12_999, 80), (13_000, 80)]) == {
            (9_999, 80),
            (13_000, 80),
        }


def test_a_connection_of_the_kernels_own_goes_on(pair: Pair) -> None:
    here, there = pair
    flows = [Flow(*SIDES[4], None, 7778, protocol) for protocol in ("tcp", "udp")]
    with (
        here.open(FlowGuard, flows),
        there.open(socket.create_server, (THERE, 7778)) as server,
        here.open(socket.create_connection, (THERE, 7778), timeout=PATIENCE) as client,
    ):
        connection, _ = server.accept()
        with connection:
            client.sendall(b"hello")
            assert connection.recv(16) == b"hello"
            client.close()
            assert connection.recv(16) == b""


def test_what_is_sent_by_hand(pair: Pair) -> None:
    src, dst = SIDES[4]
    reset = IPv4(src=src, dst=dst) / TCP(src_port=1025, dst_port=80, flags="R")
    with pair.here.open(FlowGuard, [Flow(src, dst, 1025, 80)]), pair.here.open(RawIPv4Socket) as raw:
        heard = said(pair, pair.here, [reset], f"src host {src} and tcp")
        assert [bytes(packet[TCP]) for packet in heard] == [bytes(reset.built()[TCP])]
        with pytest.raises(KernelError) as caught:
            raw.send(reset)
        assert caught.value.errno == errno.EPERM


OF_THE_USER = """
table ip rawkit-users {
    set tcp_ipv4 { type ipv4_addr; elements = { 192.0.2.1 }; }
    chain quiet { type filter hook output priority raw; policy accept; ip daddr @tcp_ipv4 counter drop; }
}
table inet filter {
    chain output { type filter hook output priority filter; policy accept; }
}
"""


def ruleset(host: Host) -> dict[str, str]:
    """The tables as `nft` lists them, by their first line. (Version 1.0.6 cannot tell of owners in JSON.)"""
    done = host.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    tables = re.split(r"^(?=table )", done.stdout, flags=re.MULTILINE)[1:]
    return {table.partition(" {")[0]: table for table in tables}


def test_the_users_rules_stay_as_they_are() -> None:
    require("nft")
    with Lab() as lab:
        host = lab.host("host")
        host.run(["nft", "-f", "-"], input=OF_THE_USER.encode(), check=True)
        before = ruleset(host)
        assert set(before) == {"table ip rawkit-users", "table inet filter"}
        flows = [Flow(*SIDES[version], 1025, None, protocol) for version in (4, 6) for protocol in ("tcp", "udp")]
        with host.open(FlowGuard, flows), host.open(FlowGuard):
            during = ruleset(host)
            ours = set(during) - set(before)
            assert len(ours) == 2
            assert all("flags owner" in during[table] for table in ours)
            assert {table: during[table] for table in before} == before
            host.run(["nft", "flush", "ruleset"], check=True)
            assert set(ruleset(host)) == ours
            host.run(["nft", "-f", "-"], input=OF_THE_USER.encode(), check=True)
        assert ruleset(host) == before


def test_who_reads_the_rules_can_understand_them(pair: Pair) -> None:
    require("nft")
    with pair.here.open(FlowGuard, [Flow(*SIDES[6], 1025, None)]):
        shown = pair.here.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
        assert "ip6 saddr . ip6 daddr . tcp sport @tcp_ipv6_src_port drop" in shown
        assert f"elements = {{ {HERE6} . {THERE6} . 1025 }}" in shown
        assert 'comment "the kernel is silent in what process' in shown
    assert not ruleset(pair.here)


KEEP = f"""
import sys
from ipaddress import ip_address
from rawkit.link import Flow, FlowGuard
guard = FlowGuard([Flow(ip_address("{HERE}"), ip_address("{THERE}"), None, None)])
print("ready", flush=True)
sys.stdin.read()
"""


def test_nothing_is_left_after_sigkill(pair: Pair) -> None:
    require("nft")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with pair.here.popen([sys.executable, "-c", KEEP], **pipes) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        assert len(ruleset(pair.here)) == 1
        assert resets(pair, 4, ALL) == set()
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert not ruleset(pair.here)
    assert resets(pair, 4, ALL) == set(ALL)


AS_NOBODY = f"""
import subprocess, sys
from rawkit.netns import Lab, reexec_in_user_namespace
reexec_in_user_namespace()
from ipaddress import ip_address
from rawkit.link import Flow, FlowGuard
with Lab() as lab:
    host = lab.host("host")
    rules = lambda: host.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    with host.open(FlowGuard, [Flow(ip_address("{HERE}"), ip_address("{THERE}"), 1025, 80)]):
        print("@tcp_ipv4_src_port_dst_port drop" in rules(), flush=True)
    print(repr(rules()))
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with host.popen([sys.executable, "-c", {KEEP!r}], **pipes) as process:
        process.stdout.readline()
        print("@tcp_ipv4 drop" in rules())
        process.kill()
    print(repr(rules()))
"""

NOT_PERMITTED = """
from rawkit.errors import NotPermittedError
from rawkit.link import FlowGuard
try:
    FlowGuard()
except NotPermittedError as error:
    print(error)
"""


def script(directory: Path, text: str) -> Path:
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(0o755)
    path = directory / "script.py"
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_as_nobody_in_a_user_namespace(tmp_path: Path) -> None:
    require("nft")
    done = run_as_nobody(script(tmp_path, AS_NOBODY))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True", "''"] * 2


def test_not_permitted(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, NOT_PERMITTED))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("keep the kernel out of a conversation: needs CAP_NET_ADMIN: run as root")


def test_an_error_of_one_batch_is_not_taken_for_the_nexts(pair: Pair) -> None:
    require("nft")
    wrong = [_nftables.new_elements("nosuch", "nosuch", [bytes(4)])] * 3
    with pair.here.open(_nftables.open_nftables) as netlink:
        for _ in range(2):
            with pytest.raises(OSError, match="No such file") as caught:
                _nftables.send(netlink, wrong)
            assert caught.value.errno == errno.ENOENT
        _nftables.send(netlink, [_nftables.new_owned_table("right", "a comment")])
        assert list(ruleset(pair.here)) == ["table inet right"]


@pytest.mark.parametrize(
    ("flow", "field"),
    [
        (Flow(ip_address(HERE), ip_address(THERE6), 1, 2), "dst"),
        (Flow(ip_address(HERE), ip_address(THERE), 65_536, 2), "src_port"),
        (Flow(ip_address(HERE), ip_address(THERE), 1, -2), "dst_port"),
        (Flow(ip_address(HERE), ip_address(THERE), 1, 2, "sctp"), "protocol"),
        (Flow(ip_address(HERE), ip_address(THERE), 1, 2, 132), "protocol"),
        (Flow(ip_address(HERE), ip_address(THERE), None, None, 256), "protocol"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_flow_that_cannot_be(pair: Pair, flow: Flow, field: str) -> None:
    with pytest.raises(FieldError) as caught, pair.here:
        FlowGuard([flow])
    assert caught.value.field == field


def test_a_flow_in_words() -> None:
    assert str(Flow(*SIDES[6], 1025, None)) == f"TCP [{HERE6}]:1025 > [{THERE6}]:*"
    assert str(Flow(*SIDES[4], None, None, 253)) == f"253 {HERE}:* > {THERE}:*"
