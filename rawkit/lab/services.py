"""Services for the hosts of a lab: what `Stage.act` and `Host.spawn` run. Each gives the cue `ready`.

stage.act("server", services.tcp_echo(7), ready=True)
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import inf
from socketserver import BaseRequestHandler, StreamRequestHandler, TCPServer, ThreadingMixIn
from threading import Thread
from typing import Final

from rawkit.echo import tcp as echo_over_tcp
from rawkit.echo import udp as echo_over_udp
from rawkit.echo.datagrams import DatagramServer
from rawkit.echo.each import Each
from rawkit.echo.many import Many, allow_many_files
from rawkit.errors import FieldError, KernelError, PacketError, kernel_error
from rawkit.lab.dhcp import DHCP, SERVER_PORT
from rawkit.lab.leases import Leases
from rawkit.link import RawIPv4Socket
from rawkit.netns import Worker
from rawkit.wire import ICMPv4, IPv4

__all__ = ["dhcp", "dns", "http", "ping_source", "tcp_echo", "udp_echo", "udp_source"]

Work = Callable[[Worker], None]

READY: Final = "ready"
ANYWHERE: Final = "::"
"""All addresses of the host, IPv4 included."""
BUFFER: Final = 65_535
IDLE: Final = 30.0
"""Seconds that a client may say nothing."""


def tcp_echo(port: int = 7, address: str = ANYWHERE) -> Work:
    """rawkit's own echo over TCP (RFC 862), for any number of clients."""
    _check_port("tcp_echo", port)
    _address("tcp_echo", "address", address)

    def work(worker: Worker) -> None:
        with echo_over_tcp.Server((address, port)) as server:
            many = Many(server, BUFFER)
            worker.cues.give(READY)
            many.run()

    return work


def udp_echo(port: int = 7, address: str = ANYWHERE) -> Work:
    """rawkit's own echo over UDP (RFC 862)."""
    _check_port("udp_echo", port)
    _address("udp_echo", "address", address)

    def work(worker: Worker) -> None:
        with echo_over_udp.Server((address, port)) as server:
            worker.cues.give(READY)
            Each(server, BUFFER).run()

    return work


def udp_source(address: str, port: int, messages: Iterable[bytes], *, every: float, src_port: int = 0) -> Work:
    """Send datagrams to an address, one after so many seconds; then end."""
    family = socket.AF_INET6 if _address("udp_source", "address", address).version == 6 else socket.AF_INET
    _check_port("udp_source", port)
    _check_port("udp_source", src_port, 0)
    _check_seconds("udp_source", "every", every)

    def work(worker: Worker) -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            with _binding(src_port):
                sender.bind(("", src_port))
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
    requests = [IPv4(src=src, dst=dst) / ICMPv4.echo(id=id, seq=seq) / data for seq in range(1, count + 1)]
    _check_seconds("ping_source", "every", every)

    def work(worker: Worker) -> None:
        with RawIPv4Socket() as sender:
            worker.cues.give(READY)
            for request in requests:
                if _ended(worker, every):
                    return
                with suppress(KernelError):  # nobody answers ARP
                    sender.send(request)

    return work


def http(pages: Mapping[str, bytes], port: int = 80) -> Work:
    """A web server with these pages by their paths, such as {"/": b"hello"}, for any number of clients."""
    _check_port("http", port)
    for path, page in pages.items():
        if not isinstance(path, str) or not path.startswith("/"):
            raise FieldError("services.http", "path", path, "a path, such as '/'")
        if not isinstance(page, bytes):
            raise FieldError("services.http", path, page, "bytes, such as b'hello'")

    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE

        def do_GET(self) -> None:
            self.wfile.write(self.do_HEAD())

        def do_HEAD(self) -> bytes:
            page = pages.get(self.path, pages.get(self.path.partition("?")[0]))
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            return page or b""

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    def work(worker: Worker) -> None:
        with _Threaded(port, Handler) as server:
            worker.cues.give(READY)
            server.serve_forever()

    return work


def dns(names: Mapping[str, str | Iterable[str]], port: int = 53, *, delay: float = 0.0) -> Work:
    """A name server that knows these names, {"www.example": ["10.0.0.1", "fd00::1"]}, over UDP and TCP (RFC 1035).

    Each answer takes so many seconds.
    """
    from rawkit.lab.dns import STREAM, Zone

    _check_port("dns", port)
    _check_seconds("dns", "delay", delay)
    zone = Zone(names)

    class Handler(StreamRequestHandler):
        timeout = IDLE

        def handle(self) -> None:
            while len(size := self.rfile.read(2)) == 2:
                answer = zone.answer(self.rfile.read(int.from_bytes(size)), STREAM)
                if answer is None:
                    return
                time.sleep(delay)
                self.wfile.write(len(answer).to_bytes(2) + answer)

    def work(worker: Worker) -> None:
        with _binding(port):
            datagrams = echo_over_udp.Server((ANYWHERE, port))
        with datagrams, _Threaded(port, Handler) as streams:
            Thread(target=streams.serve_forever, daemon=True).start()
            worker.cues.give(READY)
            _answer(datagrams, zone.answer, delay, worker)

    return work


def dhcp(own: str, addresses: Iterable[str], *, router: str = "", dns: str = "", interface: str = "eth0") -> Work:
    """A DHCP server at `own`, an address with prefix length, that leases these addresses (RFC 2131).

    It tells its clients of a router and a name server, if they are given.
    """
    leases = Leases(own, addresses, router=router, dns=dns)

    def work(worker: Worker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            with _binding(SERVER_PORT):
                server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
                server.bind(("0.0.0.0", SERVER_PORT))
            worker.cues.give(READY)
            while True:
                try:
                    asked, _ = DHCP.parse(server.recv(BUFFER))
                except PacketError:
                    continue
                reply = leases.answer(asked)
                if reply is not None:
                    with suppress(OSError):  # nobody answers ARP
                        server.sendto(bytes(reply), reply.destination())

    return work


class _Threaded(ThreadingMixIn, TCPServer):
    """A server over TCP, IPv6 and IPv4, with a thread for each client. Raises KernelError."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = socket.SOMAXCONN

    def __init__(self, port: int, handler: type[BaseRequestHandler]) -> None:
        allow_many_files()
        with _binding(port):
            super().__init__((ANYWHERE, port), handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client go that went, or said nothing for long; what else there is would be a mistake here."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _answer(server: DatagramServer, answer: Callable[[bytes], bytes | None], delay: float, worker: Worker) -> None:
    """Answer each datagram after so many seconds, however many come meanwhile, until the other process ends."""
    waiting: deque[tuple[float, bytes, object]] = deque()
    while True:
        patience = max(waiting[0][0] - time.monotonic(), 0) if waiting else None
        readable = select.select([server.socket.fileno(), worker.cues.fileno()], [], [], patience)[0]
        if worker.cues.fileno() in readable:
            return
        if readable:
            asked = server.receive(BUFFER)
            if (message := answer(asked.data)) is not None:
                waiting.append((time.monotonic() + delay, message, asked.peer))
        while waiting and waiting[0][0] <= time.monotonic():
            _, message, peer = waiting.popleft()
            with suppress(KernelError):  # nobody answers ARP
                server.send(message, peer)


def _address(service: str, field: str, address: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(address)
    except ValueError as error:
        raise FieldError(f"services.{service}", field, address, "an IPv4 or IPv6 address") from error


def _check_port(service: str, port: int, least: int = 1) -> None:
    if type(port) is not int or not least <= port <= 65_535:
        raise FieldError(f"services.{service}", "port", port, f"a number from {least} to 65535")


def _check_seconds(service: str, field: str, seconds: float) -> None:
    if not isinstance(seconds, int | float) or not 0 <= seconds < inf:
        raise FieldError(f"services.{service}", field, seconds, "a number of seconds")


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
