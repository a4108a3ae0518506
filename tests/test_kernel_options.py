"""TCP options as Linux itself sends them, with what they prove recomputed from other sources than rawkit."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Iterator

import pytest

from rawkit import DSS, TCP, FastOpen, IPv4, MD5Signature, MPCapable, Packet, TCPOption
from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

PATIENCE = 60.0
PORT = 8000
KEY = b"a key of BGP"
TCP_MD5SIG, TCP_FASTOPEN = 14, 23
MSG_FASTOPEN = 0x20000000
IPPROTO_MPTCP = 262


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with Lab() as lab:
        hosts = lab.hosts("client", "server")
        lab.link(*hosts, offload=False)
        yield hosts


def option(packet: Packet, kind: type[TCPOption]) -> TCPOption | None:
    return next((one for one in packet[TCP].options if isinstance(one, kind)), None)


def exchange(
    hosts: tuple[Host, ...], client: socket.socket, server: socket.socket, say: bytes, fast: bool = False
) -> list[Packet]:
    """Connect, say something and be answered: every segment up to the answer, as the server sees it."""
    packets: list[Packet] = []
    with hosts[1].open(PacketSocket, "eth0", filter=f"tcp port {PORT}") as link, client:
        if fast:
            client.settimeout(None)  # or the kernel would not wait for the cookie
            client.sendto(say, MSG_FASTOPEN, ("10.0.1.2", PORT))
            client.settimeout(PATIENCE)
        else:
            client.connect(("10.0.1.2", PORT))
            client.sendall(say)
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(100) == say
            accepted.sendall(b"answer")
            assert client.recv(100) == b"answer"
            while not packets or packets[-1].payload != b"answer":
                packets.append(link.receive(PATIENCE).packet())
    assert [packet.problems for packet in packets] == [()] * len(packets)
    return packets


def tcp(host: Host, protocol: int = 0) -> socket.socket:
    opened = host.open(socket.socket, socket.AF_INET, socket.SOCK_STREAM, protocol)
    opened.settimeout(PATIENCE)
    return opened


def listening(host: Host, protocol: int = 0) -> socket.socket:
    server = tcp(host, protocol)
    server.bind(("10.0.1.2", PORT))
    return server


def test_md5_signatures_are_those_of_rfc_2385(hosts: tuple[Host, ...]) -> None:
    with listening(hosts[1]) as server:
        client = tcp(hosts[0])
        for one, peer in ((server, "10.0.1.1"), (client, "10.0.1.2")):
            address = struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(peer)).ljust(128, b"\0")
            key = struct.pack("=BBHi80s", 0, 0, len(KEY), 0, KEY)
            one.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, address + key)
        server.listen()
        packets = exchange(hosts, client, server, b"open")
    assert len(packets) > 4
    for packet in packets:
        signature = option(packet, MD5Signature)
        assert isinstance(signature, MD5Signature)
        ip, header = packet[IPv4], packet[TCP]
        segment = bytes(header)
        pseudo = ip.src.packed + ip.dst.packed + struct.pack("!HH", 6, len(segment) + len(packet.payload))
        plain = segment[:16] + b"\0\0" + segment[18:20]
        assert signature.digest == hashlib.md5(pseudo + plain + packet.payload + KEY).digest()


def test_fast_open_asks_for_a_cookie_and_then_brings_data_with_it(hosts: tuple[Host, ...]) -> None:
    for host in hosts:
        host.set_sysctls({"ipv4/tcp_fastopen": 3})
    with listening(hosts[1]) as server:
        server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
        server.listen()
        syn, syn_ack, *_ = exchange(hosts, tcp(hosts[0]), server, b"first", fast=True)
        again, *_ = exchange(hosts, tcp(hosts[0]), server, b"second", fast=True)
    assert (option(syn, FastOpen), syn.payload) == (FastOpen(length=2), b"")
    given = option(syn_ack, FastOpen)
    assert isinstance(given, FastOpen)
    assert len(given.cookie) == 8
    assert (option(again, FastOpen), again.payload) == (given, b"second")


def test_multipath_handshake_has_the_keys_whose_hashes_number_the_data(hosts: tuple[Host, ...]) -> None:
    with listening(hosts[1], IPPROTO_MPTCP) as server:
        server.listen()
        packets = exchange(hosts, tcp(hosts[0], IPPROTO_MPTCP), server, b"hello")
    capable = [one for packet in packets if isinstance(one := option(packet, MPCapable), MPCapable)]
    syn, syn_ack, third = capable[:3]
    assert (syn.version, syn.hmac_sha256, syn.keys) == (1, True, b"")
    assert len(syn_ack.keys) == 8
    assert third.keys[8:] == syn_ack.keys
    first_number = int.from_bytes(hashlib.sha256(third.keys[:8]).digest()[-8:])
    answer = option(packets[-1], DSS)
    assert isinstance(answer, DSS)
    assert (answer.data_ack_present, answer.long_data_ack, answer.mapping_present) == (True, True, True)
    acknowledged = int.from_bytes(answer.mapping[:8])
    assert acknowledged == (first_number + 1 + len(b"hello")) % 2**64
