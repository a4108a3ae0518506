"""Servers whose headers are made by hand: they answer what an ordinary socket would, and survive what comes."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from by_hand import kernel_quiet, served
from commands import fields_of, frames_in, rawkit
from commands import told as told_by
from echo_ends import client_of, echoed, server_of, serving
from pair import HERE, HERE6, PATIENCE, THERE, THERE6, Pair
from programs import require

from rawkit.echo.ether import ETHER_TYPE
from rawkit.echo.handmade import EchoHeader, Heard
from rawkit.errors import InterfaceError, KernelError
from rawkit.link import PacketSocket
from rawkit.netns import Lab
from rawkit.wire import UDP, Ethernet, ICMPv4, ICMPv6, IPv4, IPv6, LinkType, Packet, dissect

pytestmark = pytest.mark.root

PORT = 5005
KINDS_BY_HAND = ["raw-udp", "icmp", "raw-ip", "ether"]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        pair = Pair(*lab.hosts("a", "b"))
        lab.link(*pair, offload=False)
        with kernel_quiet(pair.there):
            yield pair


def place(pair: Pair, kind: str) -> tuple[Any, Any]:
    """Where a kind's server listens, and what its client asks."""
    if kind == "ether":
        return ("", "eth0"), (str(pair.there.mac()), "eth0")
    address = THERE, PORT if kind == "raw-udp" else 77
    return address, address


def frame(pair: Pair) -> Ethernet:
    return Ethernet(dst=pair.there.mac(), src=pair.here.mac())


def question(pair: Pair, kind: str, data: bytes, src: str = HERE, dst: str = THERE) -> Packet:
    """A question as it should be, made without what is tested."""
    ip = IPv4(src=src, dst=dst)
    echo = EchoHeader(id=77, seq=1, length=len(data))
    if kind == "raw-udp":
        return frame(pair) / ip / UDP(src_port=9999, dst_port=PORT) / data
    if kind == "icmp":
        return frame(pair) / ip / ICMPv4.echo(id=77, seq=1) / data
    if kind == "raw-ip":
        return frame(pair) / ip.replace(protocol=253) / echo / data
    return frame(pair).replace(type=ETHER_TYPE) / echo / data


def wire(pair: Pair) -> PacketSocket:
    """Sends frames from the first host as they are."""
    return pair.here.open(PacketSocket, "eth0", protocol=0)


@pytest.mark.parametrize("kind", KINDS_BY_HAND)
def test_it_serves_until_it_is_stopped_and_tells_what_it_made(pair: Pair, kind: str) -> None:
    at, to = place(pair, kind)
    with served(server_of(pair.there, kind, at)) as heard, client_of(pair.here, kind, to) as client:
        for data in (b"one", b"", b"three"):
            assert echoed(client, data) == data
            assert heard.next(bytes) == data
            came, made = heard.next(tuple)
            assert bytes(came) == bytes(dissect(bytes(came), came.link_type))
            assert bytes(came).rstrip(b"\0").endswith(data)
            assert bytes(made).endswith(data)


@pytest.mark.parametrize("kind", KINDS_BY_HAND)
def test_stopped_before_it_runs(pair: Pair, kind: str) -> None:
    with server_of(pair.there, kind, place(pair, kind)[0]) as server:
        running: Any = server.service(100)
        running.stop()
        running.run()
        running.stop()


@pytest.mark.parametrize("there", [THERE, THERE6])
def test_large_datagrams_of_an_ordinary_client_come_back_in_fragments(
    pair: Pair, there: str, tmp_path: Path
) -> None:
    require("tshark")
    with served(server_of(pair.there, "raw-udp", (there, PORT))), pair.here.open(PacketSocket, "eth0") as tap:
        with client_of(pair.here, "udp", (there, PORT)) as client:
            for data in (bytes(range(256)) * 12, b"twice" * 600, bytes(65_507)):
                assert echoed(client, data) == data
        version, fragments = ("ip", "ip.flags.mf") if there == THERE else ("ipv6", "ipv6.fraghdr.more")
        rows = fields_of(frames_in(tap), tmp_path, f"{version}.src", fragments, "frame.len", "udp.checksum.status")
    back = [row[1:] for row in rows if row[0] == there and row[1]]
    assert max(int(length) for _, length, _ in back) <= 1514
    assert len({more for more, _, _ in back}) == 2


@pytest.mark.parametrize(
    ("there", "server"), [(THERE, THERE), (THERE6, THERE6), (THERE, "0.0.0.0"), (THERE6, "::")]
)
def test_large_pings_come_back(pair: Pair, there: str, server: str) -> None:
    require("ping")
    with served(server_of(pair.there, "icmp", (server, 0))) as heard:
        command = ["ping", "-n", "-c", "2", "-i", "0.01", "-s", "3000", "-W", str(PATIENCE), there]
        done = pair.here.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout
        assert "2 received" in done.stdout
        assert len(heard.next(bytes)) == 3000


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip"])
def test_stations_that_are_not_there_keep_nobody_waiting(pair: Pair, kind: str) -> None:
    at, _ = place(pair, kind)
    with served(server_of(pair.there, kind, at)) as heard, wire(pair) as link:
        error: Any = None
        for number in range(1000):  # the send buffer has room for some hundreds
            link.send(question(pair, kind, bytes(1400), src=f"10.0.1.{100 + number % 100}"))
            if isinstance(error := heard.next((tuple, KernelError)), KernelError):
                break
        assert error.errno == errno.EAGAIN
        assert "do not answer ARP" in str(error)


def test_fragments_fit_the_narrowest_link_on_the_way(tmp_path: Path) -> None:
    with Lab() as lab:
        here, there = lab.hosts("a", "b")
        router = lab.router("r")
        lab.link(here, router, mtu=1280)
        lab.link(router, there)
        for version in (4, 6):
            address = (str(there.address(version)), PORT)
            with (
                served(server_of(there, "raw-udp", address)),
                client_of(here, "udp", address, timeout=0.2, retries=100) as client,  # until the router has told
            ):
                for data in (bytes(range(256)) * 20, bytes(1400)):
                    assert echoed(client, data) == data


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip"])
def test_a_source_that_cannot_be_answered_ends_nobody_s_service(pair: Pair, kind: str) -> None:
    at, to = place(pair, kind)
    with served(server_of(pair.there, kind, at)) as heard, wire(pair) as link:
        link.send(question(pair, kind, b"forged", src="1.2.3.4"))
        assert heard.next(bytes) == b"forged"
        assert heard.next(Exception).errno == errno.ENETUNREACH
        with client_of(pair.here, kind, to) as client:
            assert echoed(client, b"hello") == b"hello"


def test_an_interface_may_go_down_and_come_up_again() -> None:
    with Lab() as lab:
        pair = Pair(*lab.hosts("a", "b"))
        lab.link(*pair)
        at, to = place(pair, "ether")
        with served(server_of(pair.there, "ether", at)) as heard:
            pair.there.run(["ip", "link", "set", "eth0", "down"], check=True)
            assert heard.next(Exception).errno == errno.ENETDOWN
            pair.there.run(["ip", "link", "set", "eth0", "up"], check=True)
            with client_of(pair.here, "ether", to, timeout=0.2) as client:
                while True:  # until the link is there
                    try:
                        assert echoed(client, b"hello") == b"hello"
                        break
                    except (TimeoutError, InterfaceError):
                        continue


def test_an_interface_that_is_gone_ends_the_service() -> None:
    with Lab() as lab:
        pair = Pair(*lab.hosts("a", "b"))
        lab.link(*pair)
        server = server_of(pair.there, "ether", place(pair, "ether")[0])
        with pytest.raises(InterfaceError, match="is down or gone"), served(server):
            pair.there.run(["ip", "link", "del", "eth0"], check=True)


@pytest.mark.parametrize("port", [4789, 53, 6081, 2152])
def test_the_bytes_behind_udp_are_data_whatever_the_port_says(pair: Pair, port: int) -> None:
    data = (
        bytes.fromhex("0800000000000100")
        + bytes(12)
        + b"\x08\x00"
        + bytes(IPv4(dst="10.0.0.1", protocol=99) / b"12345678")
    )
    with served(server_of(pair.there, "raw-udp", (THERE, port))):
        for end in ("udp", "raw-udp"):
            with client_of(pair.here, end, (THERE, port)) as client:
                assert echoed(client, data) == data


def broken(pair: Pair, kind: str) -> list[Packet]:
    """Questions that no kernel would let pass to an ordinary socket."""
    good = question(pair, kind, b"broken")
    if kind == "raw-udp":
        return [good.replace(UDP, **change) for change in ({"checksum": 1}, {"length": 500}, {"length": 3})]
    if kind == "icmp":
        return [good.replace(ICMPv4, checksum=1)]
    return [good.replace(EchoHeader, length=500), Packet((*good.layers[:-1],), b"\x08")]


@pytest.mark.parametrize("kind", KINDS_BY_HAND)
def test_what_is_broken_is_not_answered(pair: Pair, kind: str) -> None:
    at, to = place(pair, kind)
    with served(server_of(pair.there, kind, at)) as heard, wire(pair) as link:
        for packet in broken(pair, kind):
            link.send(packet)
        with client_of(pair.here, kind, to) as client:
            assert echoed(client, b"whole") == b"whole"
        assert heard.data() == [b"whole"]


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip"])
def test_a_broken_header_of_ip_is_none_even_where_a_kernel_lets_it_pass(pair: Pair, kind: str) -> None:
    good = question(pair, kind, b"x")
    with server_of(pair.there, kind, place(pair, kind)[0]) as server:
        for packet, taken in ((good, True), (good.replace(IPv4, checksum=1), False)):
            data = bytes(packet)[14:]  # without Ethernet
            heard = Heard(data, dissect(data, LinkType.IPV4), (HERE, 0))
            assert (server.read(heard) is not None) == taken  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["raw-udp", "icmp"])
def test_a_broken_answer_is_none(pair: Pair, kind: str) -> None:
    with client_of(pair.here, kind, place(pair, kind)[1], timeout=0.2) as client:
        client.send(b"hello")
        sent: Any = client.sent  # type: ignore[attr-defined]
        ip = IPv4(src=THERE, dst=HERE)
        if kind == "icmp":
            answer = ip / ICMPv4.echo_reply(id=77, seq=1).replace(checksum=1) / b"hello"
        else:
            answer = ip / UDP(src_port=PORT, dst_port=sent[UDP].src_port, checksum=1) / b"hello"
        with pair.there.open(PacketSocket, "eth0", protocol=0) as link:
            link.send(Ethernet(dst=pair.here.mac(), src=pair.there.mac()) / answer)
        with pytest.raises(OSError, match=r"within|unreachable"):  # of the kernel, which has no such port
            client.receive(100)


def test_what_the_kernel_lets_pass_is_answered(pair: Pair) -> None:
    with served(server_of(pair.there, "raw-udp", (THERE, PORT))) as heard, wire(pair) as link:
        good = question(pair, "raw-udp", b"no checksum")
        link.send(good.replace(UDP, checksum=0))
        assert heard.next(bytes) == b"no checksum"
        shorter = question(pair, "raw-udp", b"shorter than its packet").replace(UDP, length=15, checksum=0)
        link.send(shorter)
        assert heard.next(bytes) == b"shorter"


def test_checksums_left_to_the_network_card_are_no_fault() -> None:
    with Lab() as lab:
        pair = Pair(*lab.hosts("a", "b"))
        lab.link(*pair, offload=True)
        with served(server_of(pair.there, "raw-udp", ("::", PORT))):
            with client_of(pair.here, "udp", (THERE6, PORT)) as client:
                assert echoed(client, b"over a link") == b"over a link"
            with client_of(pair.there, "udp", ("::1", PORT)) as client:
                assert echoed(client, b"at home") == b"at home"
        with served(server_of(pair.there, "raw-udp", ("0.0.0.0", PORT))):
            with client_of(pair.here, "udp", (THERE, PORT)) as client:
                assert echoed(client, b"over a link") == b"over a link"
            with client_of(pair.there, "udp", ("127.0.0.1", PORT)) as client:
                assert echoed(client, b"at home") == b"at home"


def test_frames_for_others_are_not_answered(pair: Pair) -> None:
    at, to = place(pair, "ether")
    good = question(pair, "ether", b"not for you")
    with served(server_of(pair.there, "ether", at)) as heard, wire(pair) as link:
        for station in ("02:00:00:00:99:99", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"):
            link.send(good.replace(Ethernet, dst=station))
        link.send(good.replace(Ethernet, src="ff:ff:ff:ff:ff:ff"))
        with client_of(pair.here, "ether", to) as client:
            assert echoed(client, b"for you") == b"for you"
        assert heard.data() == [b"for you"]


@pytest.mark.parametrize("kind", ["raw-udp", "icmp", "raw-ip"])
def test_what_is_for_all_hosts_is_not_answered(pair: Pair, kind: str) -> None:
    _, (_, number) = place(pair, kind)
    with served(server_of(pair.there, kind, ("0.0.0.0", number))) as heard, wire(pair) as link:
        for destination in ("10.0.1.255", "255.255.255.255", "224.0.0.1"):
            everybody = question(pair, kind, b"for all", dst=destination)
            link.send(everybody.replace(Ethernet, dst="ff:ff:ff:ff:ff:ff"))
        with client_of(pair.here, kind, (THERE, number)) as client:
            assert echoed(client, b"for you") == b"for you"
        assert heard.data() == [b"for you"]


@pytest.mark.parametrize("kind", ["raw-udp", "icmp"])
def test_what_is_for_all_hosts_of_ipv6_is_not_answered(pair: Pair, kind: str) -> None:
    ip = IPv6(src=HERE6, dst="ff02::1", hop_limit=255)
    echo = UDP(src_port=9, dst_port=PORT) if kind == "raw-udp" else ICMPv6.echo(id=77)
    _, (_, number) = place(pair, kind)
    with served(server_of(pair.there, kind, ("::", number))) as heard, wire(pair) as link:
        link.send(frame(pair).replace(dst="33:33:00:00:00:01") / ip / echo / b"for all")
        with client_of(pair.here, kind, (THERE6, number)) as client:
            assert echoed(client, b"for you") == b"for you"
        assert heard.data() == [b"for you"]


def test_the_header_of_ipv6_is_told_as_it_came(pair: Pair) -> None:
    fields = {"traffic_class": 0xB8, "flow_label": 0x12345, "hop_limit": 77}
    with served(server_of(pair.there, "raw-ip", (THERE6, 77))) as heard, wire(pair) as link:
        ip = IPv6(src=HERE6, dst=THERE6, next_header=253, **fields)  # type: ignore[arg-type]
        link.send(frame(pair) / ip / EchoHeader(id=77, length=5) / b"hello")
        came, _ = heard.next(tuple)
    assert {name: getattr(came[IPv6], name) for name in fields} == fields


def test_link_local_addresses_have_an_interface(pair: Pair) -> None:
    listed = pair.there.run(["ip", "-j", "addr", "show", "eth0"], capture_output=True, text=True, check=True)
    local = next(
        each["local"] for each in json.loads(listed.stdout)[0]["addr_info"] if each["local"].startswith("fe80")
    )
    for kind in ("raw-udp", "icmp", "raw-ip"):
        with serving(pair.there, kind, f"{local}%eth0"):
            done = rawkit(pair.here, "echo", "send", kind, f"{local}%eth0", "--data", "hello")
            assert "b'hello'" in done.stdout


def test_the_command_serves_on(pair: Pair) -> None:
    with serving(pair.there, "raw-udp", THERE) as server, wire(pair) as link:
        link.send(question(pair, "raw-udp", b"forged", src="1.2.3.4"))
        assert "no route" in server.event("unanswered")["reason"]
        assert told_by(pair.here, "echo", "send", "udp", THERE, "--data", "x" * 3000)[-1]["same"] == 1
        events = server.stop()
    assert [each["event"] for each in events] == ["received", "made", "stopped"]
    assert events[0]["length"] == 3000


def test_a_server_over_ipv6_leaves_the_port_of_ipv4_alone(pair: Pair) -> None:
    with served(server_of(pair.there, "raw-udp", ("::", PORT))):
        with client_of(pair.here, "udp", (THERE, PORT)) as client, pytest.raises(KernelError, match="unreachable"):
            echoed(client, b"hello")
        with served(server_of(pair.there, "raw-udp", ("0.0.0.0", PORT))):
            for there in (THERE, THERE6):
                with client_of(pair.here, "udp", (there, PORT)) as client:
                    assert echoed(client, b"hello") == b"hello"


def test_loopback_hears_itself_and_is_not_confused(pair: Pair) -> None:
    for kind in ("raw-udp", "icmp", "raw-ip"):
        for host in ("127.0.0.1", "::1"):
            with served(server_of(pair.there, kind, (host, 77))) as heard:
                with client_of(pair.there, kind, (host, 77)) as client:
                    assert echoed(client, b"hello") == b"hello"
                assert heard.data() == [b"hello"]
