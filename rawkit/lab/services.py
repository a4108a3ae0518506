"""Services for the hosts of a lab: what `Stage.act` and `Host.spawn` run. Each gives the cue `ready`.

stage.act("server", services.tcp_echo(7), ready=True)
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address, IPv4Interface
from typing import Final

from rawkit.echo import tcp as echo_over_tcp
from rawkit.echo import udp as echo_over_udp
from rawkit.echo.each import Each
from rawkit.echo.many import Many
from rawkit.errors import FieldError, KernelError, PacketError, kernel_error
from rawkit.lab.dhcp import CLIENT_PORT, DHCP, SERVER_PORT, MessageType, Option
from rawkit.link import RawIPv4Socket
from rawkit.netns import Worker
from rawkit.wire import ICMPv4, IPv4

__all__ = ["dhcp", "dns", "http", "ping_source", "tcp_echo", "udp_echo", "udp_source"]

Work = Callable[[Worker], None]

READY: Final = "ready"
ANYWHERE: Final = "0.0.0.0"
BUFFER: Final = 65_535
LEASE: Final = 3600
"""Seconds."""
TTL: Final = 60
"""Seconds that an answer of DNS may be kept."""


def tcp_echo(port: int = 7, address: str = ANYWHERE) -> Work:
    """rawkit's own echo over TCP (RFC 862), for any number of clients."""

    def work(worker: Worker) -> None:
        with echo_over_tcp.Server((address, port)) as server:
            many = Many(server, BUFFER)
            worker.cues.give(READY)
            many.run()

    return work


def udp_echo(port: int = 7, address: str = ANYWHERE) -> Work:
    """rawkit's own echo over UDP (RFC 862)."""

    def work(worker: Worker) -> None:
        with echo_over_udp.Server((address, port)) as server:
            worker.cues.give(READY)
            Each(server, BUFFER).run()

    return work


def udp_source(address: str, port: int, messages: Iterable[bytes], *, every: float, src_port: int = 0) -> Work:
    """Send datagrams to an address, one after so many seconds; then end."""

    def work(worker: Worker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            with _binding(src_port):
                sender.bind((ANYWHERE, src_port))
            worker.cues.give(READY)
            for message in messages:
                if _ended(worker, every):
                    return
                try:
                    sender.sendto(message, (address, port))
                except OSError:  # what ICMP said of an earlier one, or nobody answers ARP
                    continue

    return work


def ping_source(src: str, dst: str, id: int, data: bytes, *, count: int, every: float) -> Work:
    """Send that many ICMP echo requests with sequence numbers from 1 on, one after so many seconds; then end."""

    def work(worker: Worker) -> None:
        with RawIPv4Socket() as sender:
            worker.cues.give(READY)
            for seq in range(1, count + 1):
                if _ended(worker, every):
                    return
                with suppress(KernelError):  # nobody answers ARP
                    sender.send(IPv4(src=src, dst=dst) / ICMPv4.echo(id=id, seq=seq) / data)

    return work


def http(pages: Mapping[str, bytes], port: int = 80) -> Work:
    """A web server with these pages by their paths, such as {"/": b"hello"}."""

    for path, page in pages.items():
        if not isinstance(page, bytes):
            raise FieldError("services.http", path, page, "bytes, such as b'hello'")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    def work(worker: Worker) -> None:
        with _binding(port):
            server = HTTPServer((ANYWHERE, port), Handler)
        with server:
            worker.cues.give(READY)
            server.serve_forever()

    return work


def dns(names: Mapping[str, str], port: int = 53, *, delay: float = 0.0) -> Work:
    """A name server that knows these IPv4 addresses, and answers after so many seconds (RFC 1035)."""
    from dnslib import QTYPE, RCODE, RR, A, DNSError, DNSRecord

    known = {name.rstrip(".").casefold(): address for name, address in names.items()}

    def work(worker: Worker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            with _binding(port):
                server.bind((ANYWHERE, port))
            worker.cues.give(READY)
            while True:
                question, peer = server.recvfrom(BUFFER)
                try:
                    asked = DNSRecord.parse(question)
                except DNSError:
                    continue
                reply = asked.reply()
                address = known.get(str(asked.q.qname).rstrip(".").casefold())
                if address is None:
                    reply.header.rcode = RCODE.NXDOMAIN
                elif asked.q.qtype == QTYPE.A:
                    reply.add_answer(RR(asked.q.qname, QTYPE.A, rdata=A(address), ttl=TTL))
                if delay and _ended(worker, delay):
                    return
                server.sendto(reply.pack(), peer)

    return work


def dhcp(own: str, addresses: Iterable[str], *, router: str = "", interface: str = "eth0") -> Work:
    """A DHCP server at `own`, an address with prefix length, that leases these addresses (RFC 2131)."""
    at = IPv4Interface(own)
    free = [IPv4Address(address) for address in addresses]

    def work(worker: Worker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            with _binding(SERVER_PORT):
                server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
                server.bind((ANYWHERE, SERVER_PORT))
            worker.cues.give(READY)
            leases: dict[bytes, IPv4Address] = {}
            while True:
                try:
                    asked, _ = DHCP.parse(server.recv(BUFFER))
                except PacketError:
                    continue
                reply = _leased(asked, at, free, leases, router)
                if reply is not None:
                    server.sendto(bytes(reply), ("255.255.255.255", CLIENT_PORT))

    return work


def _leased(
    asked: DHCP, own: IPv4Interface, free: list[IPv4Address], leases: dict[bytes, IPv4Address], router: str
) -> DHCP | None:
    """The offer, acknowledgement or refusal for a client's message; None where there is nothing to say."""
    options = asked.known_options()
    kind = options.get(Option.MESSAGE_TYPE)
    client = bytes(asked.client_mac)
    if asked.operation != 1 or kind not in (bytes([MessageType.DISCOVER]), bytes([MessageType.REQUEST])):
        return None
    if client not in leases and free:
        leases[client] = free.pop(0)
    address = leases.get(client)
    terms = [
        (Option.SERVER, own.ip.packed),
        (Option.LEASE, LEASE.to_bytes(4)),
        (Option.NETMASK, own.netmask.packed),
        *([(Option.ROUTER, IPv4Address(router).packed)] if router else []),
    ]
    answer = partial(asked.answer, server=own.ip)
    if kind == bytes([MessageType.DISCOVER]):
        return answer(MessageType.OFFER, address, terms) if address is not None else None
    if options.get(Option.SERVER, own.ip.packed) != own.ip.packed:
        return None  # another server's
    wanted = options.get(Option.REQUESTED, asked.client_address.packed)
    if address is None or wanted != address.packed:
        return answer(MessageType.NAK, IPv4Address(0), terms[:1])
    return answer(MessageType.ACK, address, terms)


@contextmanager
def _binding(port: int) -> Iterator[None]:
    """Tell what the kernel says against a port of a service."""
    try:
        yield
    except OSError as error:
        raise kernel_error(error, f"serve at port {port}") from error


def _ended(worker: Worker, seconds: float) -> bool:
    """Wait so long; whether the other process has ended by then."""
    return bool(select.select([worker.cues], [], [], seconds)[0])
