"""A web page over a plain stream socket, its request written by hand (HTTP/1.0, RFC 1945, and HTTP/1.1, RFC 9112).

`get` connects, sends the lines, and reads one reply by the rules of RFC 9112. A server may say whatever it likes:
the answer is a `Reply`, or one clear error, in bounded time and memory.
"""

from __future__ import annotations

import errno
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from rawkit.echo._incoming import Incoming
from rawkit.echo.addresses import SocketAddress, resolved, show
from rawkit.echo.endpoint import MakeSocket, explained
from rawkit.errors import FieldError, KernelError, TimedOut

__all__ = ["MAX_SIZE", "METHODS", "TIMEOUT", "VERSIONS", "Reply", "Tell", "get"]

METHODS: Final = ("GET", "HEAD", "POST")
VERSIONS: Final = ("1.0", "1.1")
TIMEOUT: Final = 10.0
MAX_SIZE: Final = 8 << 20
"""Bytes of a reply, all counted: head, body and what frames it."""

MOST_LINE: Final = 16 << 10
MOST_HEAD: Final = 64 << 10
MOST_HEADERS: Final = 200
MOST_HEADS: Final = 20
"""Interim replies, and the one that ends them."""

BLANK: Final = " \t"

Headers = tuple[tuple[str, str], ...]
Tell = Callable[[str, bytes], None]
"""Hears of bytes as they cross the socket: `>` and what was sent, `<` and what came."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""
_STATUS_LINE: Final = re.compile(r"(HTTP/1\.[0-9]) ([1-9][0-9]{2})(?: ([^\r\0]*))?")
"""RFC 9112, section 4. The space before a missing reason is left out by some servers."""
_CHUNK_SIZE: Final = re.compile(r"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
"""RFC 9112, section 7.1, with extensions, which section 7.1.1 has a recipient ignore."""
_LENGTH: Final = re.compile(r"[0-9]{1,18}")

_NOBODY: Final = {errno.ECONNREFUSED: "nobody listens on that port; start the server, or give another port"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    version: str
    """As it says itself, such as `HTTP/1.1`."""
    status: int
    reason: str
    headers: Headers
    """Name and value in the order in which they came, read as ISO 8859-1; lines that were folded are one."""
    body: bytes
    """Without the framing of chunks."""
    trailers: Headers
    """The headers behind the last chunk (RFC 9112, section 7.1.2)."""
    sent: bytes
    """The request."""
    server: tuple[str, int]
    """Address and port of the connection."""

    def header(self, name: str) -> str | None:
        """The value of the first header of this name, in any case of letters."""
        return next(iter(_values(self.headers, name)), None)


def get(
    url: str,
    *,
    method: str = "GET",
    version: str = "1.0",
    headers: Iterable[tuple[str, str]] = (),
    data: bytes | None = None,
    timeout: float = TIMEOUT,
    max_size: int = MAX_SIZE,
    ip_version: int | None = None,
    make: MakeSocket = socket.socket,
    tell: Tell = lambda direction, data: None,
) -> Reply:
    """Ask for `url` on a connection of its own, and return the reply.

    `timeout` is in seconds for all of it, and `max_size` in bytes for the whole reply.
    Raises FieldError for what cannot be asked, ReplyError for a reply that breaks HTTP, TimedOut and KernelError.
    """
    host, port, target = _parts(url)
    sent = _request(method, _authority(host, port), target, version, tuple(headers), data)
    deadline = time.monotonic() + timeout
    addresses = resolved("URL", host, port, socket.SOCK_STREAM, ip_version, timeout)
    connection = _connected(addresses, deadline, timeout, make)
    with connection:
        with explained(f"ask who {host} is", remedies=_NOBODY):
            server = connection.getpeername()[:2]
        incoming = Incoming(connection, show(server), deadline, timeout, max_size, tell)
        _send(connection, sent, incoming)
        tell(">", sent)
        status_line, fields = _final_head(incoming)
        body, trailers = _body(incoming, method, status_line, fields)
    return Reply(*status_line, fields, body, trailers, sent, server)


# The request


def _parts(url: str) -> tuple[str, int, str]:
    """Host, port and what the request line asks for (RFC 9110, section 4.2.1; RFC 9112, section 3.2.1)."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise FieldError("URL", "text", url, "printable ASCII without spaces; write others as %20 and the like")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FieldError("URL", "host", url, f"http://HOST[:PORT]/PATH ({error})") from error
    if parts.scheme == "https":
        raise FieldError("URL", "scheme", url, "http://; https hides in TLS the very bytes that are shown here")
    if parts.scheme != "http" or not host:
        raise FieldError("URL", "scheme", url, "http://HOST[:PORT]/PATH")
    if parts.username is not None:
        raise FieldError("URL", "host", url, "no user name before it (RFC 9110, section 4.2.4)")
    if port == 0:
        raise FieldError("URL", "port", port, "a port from 1 to 65535")
    query = f"?{parts.query}" if parts.query else ""
    return host.replace("%25", "%"), port or 80, (parts.path or "/") + query


def _authority(host: str, port: int) -> str:
    """As it stands in a URL and in Host (RFC 9110, section 7.2): without the port that everybody expects."""
    name = f"[{host.partition('%')[0]}]" if ":" in host else host
    return name if port == 80 else f"{name}:{port}"


def _request(
    method: str, authority: str, target: str, version: str, headers: Headers, data: bytes | None
) -> bytes:
    """The bytes of a request (RFC 9112, sections 3 and 5). What is given replaces what would be added."""
    if method not in METHODS:
        raise FieldError("request", "method", method, f"one of {', '.join(METHODS)}")
    if version not in VERSIONS:
        raise FieldError("request", "version", version, f"one of {', '.join(VERSIONS)}")
    given = {name.lower() for name, _ in headers}
    added = {"Host": authority, "Connection": "close"} if version == "1.1" else {}
    if data is not None or method == "POST":
        added["Content-Length"] = str(len(data or b""))  # RFC 9110, section 8.6
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in added.items() if name.lower() not in given]
    lines += [_header_line(name, value) for name, value in headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("utf-8", "surrogateescape") + (data or b"")


def _header_line(name: str, value: str) -> str:
    if _TOKEN.fullmatch(name) is None:
        raise FieldError("request", "header", name, "a name of letters, digits and - (RFC 9110, section 5.1)")
    if any(letter in value for letter in "\r\n\0"):
        raise FieldError("request", "header", value, "a value on one line (RFC 9110, section 5.5)")
    return f"{name}: {value.strip()}"


# The connection


def _connected(addresses: list[SocketAddress], deadline: float, timeout: float, make: MakeSocket) -> socket.socket:
    """A connection to the first address that takes one; what is left of the time is shared among those left."""
    refusal: KernelError | TimedOut | None = None
    for number, (family, address) in enumerate(addresses):
        with explained("open a TCP socket"):
            connection = make(family, socket.SOCK_STREAM)
        try:
            with explained(f"connect to {show(address)}", timeout, remedies=_NOBODY):
                left = max(deadline - time.monotonic(), 0.001)
                connection.settimeout(left / (len(addresses) - number))
                connection.connect(address)
            return connection
        except (KernelError, TimedOut) as error:
            connection.close()
            refusal = error
        except BaseException:
            connection.close()
            raise
    assert refusal is not None, "the resolver gave no address and no error"
    raise refusal


def _send(connection: socket.socket, data: bytes, incoming: Incoming) -> None:
    """Send it all, unless the server has had enough: then it has answered already (RFC 9112, section 9.5)."""
    doing = f"have {incoming.server} take the request"
    connection.settimeout(incoming.seconds_left(doing))
    with explained(doing, incoming.timeout), suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


# The reply


def _final_head(incoming: Incoming) -> tuple[tuple[str, int, str], Headers]:
    """The first head that is no interim one (RFC 9110, section 15.2)."""
    for _ in range(MOST_HEADS):
        line = incoming.line("status line", MOST_LINE)
        matched = _STATUS_LINE.fullmatch(line)
        if matched is None:
            raise incoming.refused("status line", "HTTP/1.1, a status of three digits and a reason", repr(line))
        status_line = matched[1], int(matched[2]), matched[3] or ""
        fields = _fields(incoming, "headers")
        if status_line[1] == 101:
            raise incoming.refused("status line", "an answer", "101, another protocol, which nobody asked for")
        if status_line[1] >= 200:
            return status_line, fields
    raise incoming.refused("status line", "an answer", f"{MOST_HEADS} that promise one (status 1xx)")


def _fields(incoming: Incoming, part: str) -> Headers:
    """Header lines up to the empty one (RFC 9112, section 5)."""
    fields: list[tuple[str, str]] = []
    budget = MOST_HEAD
    while line := incoming.line(part, MOST_LINE):
        budget -= len(line)
        if budget < 0 or len(fields) >= MOST_HEADERS:
            most = f"at most {MOST_HEADERS} headers in {MOST_HEAD} bytes"
            raise incoming.refused(part, most, "more, and no end of them")
        if line[0] in BLANK and fields:  # section 5.2: an old way to go on in the next line
            name, value = fields[-1]
            fields[-1] = name, f"{value} {line.strip(BLANK)}".strip()
            continue
        name, colon, value = line.partition(":")
        if not colon or _TOKEN.fullmatch(name) is None or "\0" in value or "\r" in value:
            raise incoming.refused(part, "a name, a colon and a value", repr(line))
        fields.append((name, value.strip(BLANK)))
    return tuple(fields)


def _body(
    incoming: Incoming, method: str, status_line: tuple[str, int, str], fields: Headers
) -> tuple[bytes, Headers]:
    """The body and the trailers, by the rules of RFC 9112, section 6.3, in their order."""
    version, status, _ = status_line
    if method == "HEAD" or status in (204, 304):
        return b"", ()
    codings = [each.strip().lower() for value in _values(fields, "Transfer-Encoding") for each in value.split(",")]
    lengths = _values(fields, "Content-Length")
    if codings:
        if lengths or version == "HTTP/1.0":  # section 6.1: whoever sends this lies about where it ends
            other = "Content-Length beside it" if lengths else "it in a reply of HTTP/1.0"
            raise incoming.refused("headers", "Transfer-Encoding alone", other)
        if codings != ["chunked"]:
            raise incoming.refused(
                "Transfer-Encoding", "chunked, the one that HTTP/1.1 has", repr(", ".join(codings))
            )
        body = b"".join(_chunks(incoming))
        return body, _fields(incoming, "trailers")
    if not lengths:
        return incoming.rest("body"), ()
    if len(lengths) > 1:
        raise incoming.refused("headers", "one Content-Length", repr(lengths))
    if _LENGTH.fullmatch(lengths[0]) is None:
        raise incoming.refused("Content-Length", "a number of bytes", repr(lengths[0]))
    return incoming.exactly(int(lengths[0]), "body"), ()


def _chunks(incoming: Incoming) -> Iterator[bytes]:
    """The data of each chunk (RFC 9112, section 7.1)."""
    while True:
        line = incoming.line("chunk size", MOST_LINE)
        matched = _CHUNK_SIZE.fullmatch(line)
        if matched is None:
            raise incoming.refused("chunk size", "a hexadecimal number", repr(line))
        if (size := int(matched[1], 16)) == 0:
            return
        yield incoming.exactly(size, "chunk")
        if line := incoming.line("chunk", MOST_LINE):
            raise incoming.refused("chunk", f"its end after {size} bytes", repr(line))


def _values(fields: Headers, name: str) -> list[str]:
    return [value for each, value in fields if each.lower() == name.lower()]
