"""`rawkit http`: a web request over a plain stream socket, line by line."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - names are looked up by it, when it may no longer be readable
import json
import os
import sys
from typing import Any, Final

import click

from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import FORMAT, POSITIVE_SECONDS, VERSION, version_of
from rawkit.echo import http
from rawkit.link import drop_privileges

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit http http://10.0.0.2/ip                  what was sent (>) and what came (<)
  rawkit http --http 1.1 http://10.0.0.2/         with Host; chunks are shown as they are
  rawkit http --body http://10.0.0.2/ > page      the body alone, byte for byte
  rawkit http --data 'a=1' -H 'Content-Type: application/x-www-form-urlencoded' http://10.0.0.2/post

\b
Exit codes: 0 an answer; 1 one of 400 or above, or none in time; 2 one that breaks HTTP."""

REFUSED: Final = 400
"""From here on a status says that the answer is no (RFC 9110, sections 15.5 and 15.6)."""


@click.command("http", epilog=EXAMPLES)
@click.argument("url", metavar="URL")
@click.option("--http", "version", type=click.Choice(http.VERSIONS), default="1.0", help="Version (default 1.0).")
@click.option("--method", type=click.Choice(http.METHODS), help="Default GET; POST with --data.")
@click.option("-H", "--header", "headers", metavar="NAME: VALUE", multiple=True, help="Send this header too.")
@click.option("--data", metavar="TEXT", help="Send this as the body.")
@click.option("--body", is_flag=True, help="Print the body of the reply only, as it is.")
@click.option("--timeout", type=POSITIVE_SECONDS, default=http.TIMEOUT, help="Seconds for all of it (default 10).")
@click.option(
    "--max-size", type=click.IntRange(1), default=http.MAX_SIZE, help="Bytes of the reply at most (default 8 MiB)."
)
@VERSION
@FORMAT
def command(url: str, body: bool, format_: str, ipv4: bool, ipv6: bool, **options: Any) -> int:
    """Ask for URL, which is http://HOST[:PORT]/PATH, on a connection of its own.

    The reply is read as RFC 9112 has it. Characters that a terminal would obey are shown as their escapes.
    """
    if body and format_ == "json":
        raise click.UsageError("--body and --format json exclude each other")
    drop_privileges()  # an ordinary connection needs none
    with Lines() as lines, Transcript(lines) as transcript:
        shown = format_ == "text" and not body
        data = options.pop("data")
        options["headers"] = [_header(each) for each in options["headers"]]
        options["method"] = options["method"] or ("GET" if data is None else "POST")
        reply = http.get(
            url,
            ip_version=version_of(ipv4, ipv6),
            data=None if data is None else os.fsencode(data),
            tell=transcript.tell if shown else lambda _direction, _data: None,
            **options,
        )
        if format_ == "json":
            lines.write(json.dumps(_facts(url, reply)))
    if body:
        sys.stdout.buffer.write(reply.body)
        sys.stdout.buffer.flush()
    return NO if reply.status >= REFUSED else OK


class Transcript:
    """Both directions in lines, marked `>` and `<`: as soon as a line is whole, and at the end what is left."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._direction = ">"
        self._begun: list[bytes] = []

    def tell(self, direction: str, data: bytes) -> None:
        """Take bytes that crossed the socket."""
        if direction != self._direction:
            self._end_line()
            self._direction = direction
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._begun.append(line)
            self._write()
        if rest:
            self._begun.append(rest)

    def _end_line(self) -> None:
        if self._begun:
            self._write()

    def _write(self) -> None:
        line = b"".join(self._begun).removesuffix(b"\r")
        self._begun.clear()
        self._lines.write(f"{self._direction} {_shown(line)}".rstrip())

    def __enter__(self) -> Transcript:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, BrokenPipeError):
            self._end_line()


def _shown(line: bytes) -> str:
    """The line with everything that a terminal would obey as its escape."""
    text = line.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() or letter == "\t" else ascii(letter)[1:-1] for letter in text)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.UsageError(f"--header {text!r} has no colon; give it as 'Name: value'")
    return name, value


def _facts(url: str, reply: http.Reply) -> dict[str, Any]:
    return {
        "url": url,
        "address": reply.server[0],
        "port": reply.server[1],
        "version": reply.version,
        "status": reply.status,
        "reason": reply.reason,
        "headers": reply.headers,
        "trailers": reply.trailers,
        "sent": reply.sent.hex(),
        "body": reply.body.hex(),
    }
