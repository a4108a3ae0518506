"""Kinds of arguments that several commands take: what is refused at once, and what a shell completes.

What the operating system alone can judge, such as whether a file may be read, is left to whoever opens it: its
error is the same in every command then.
"""

from __future__ import annotations

import errno
import math
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from rawkit.errors import file_error
from rawkit.wire.link_type import LinkType

__all__ = ["INPUT_FILE", "INTERFACE", "OUTPUT_FILE", "SECONDS", "STANDARD_OUTPUT", "link_type_option"]

MOST_SECONDS: Final = 86_400.0
"""A day: longer pauses are mistakes, and much longer ones are more than time.sleep takes."""

STANDARD_OUTPUT: Final = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


if TYPE_CHECKING:
    TextType = click.ParamType[str]
    AnyType = click.ParamType[Any]
else:
    TextType = AnyType = click.ParamType  # which older versions of click do not take in brackets


class Text(TextType):
    """Text that is not empty."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not text:
            self.fail(f"the name of {'an' if self.name[0] in 'aeiou' else 'a'} {self.name} is empty", param, ctx)
        return text


class File(Text):
    """The name of a file, or `-`; the shell completes it."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


class OutputFile(File):
    """Where a capture goes. A terminal is refused: bytes would only garble it; and so is what is closed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = super().convert(value, param, ctx)
        if name in STANDARD_OUTPUT and sys.__stdout__ is None:  # whatever stands in for it by now
            raise file_error(OSError(errno.EBADF, ""), "write standard output")
        if name in STANDARD_OUTPUT and sys.stdout is not None and sys.stdout.isatty():
            self.fail("a capture is no text for a terminal; redirect it to a file or a program", param, ctx)
        return name


class InterfaceName(Text):
    """The name of a network interface; the shell completes it."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from rawkit.link import interfaces

        return [
            CompletionItem(interface.name, help=interface.state)
            for interface in interfaces()
            if interface.name.startswith(incomplete)
        ]


class LinkTypeName(AnyType):
    """A link type by libpcap's name or number."""

    name = "link type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> LinkType:
        named = LinkType.__members__.get(str(value).upper())
        if named is not None:
            return named
        try:
            return LinkType(int(value))
        except ValueError:
            near = get_close_matches(str(value).upper(), LinkType.__members__, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.fail(f"{value!r} is no link type; such as ETHERNET, RAW or 113 are{hint}", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in LinkType.__members__ if name.startswith(incomplete.upper())]


class Seconds(click.FloatRange):
    """A number of seconds up to a day; `nan`, which is neither less nor more than anything, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is no number of seconds", param, ctx)
        return number


INPUT_FILE: Final = File("file")
OUTPUT_FILE: Final = OutputFile("file")
INTERFACE: Final = InterfaceName("interface")
SECONDS: Final = Seconds(0, MOST_SECONDS)


class WithSalvage(click.Option):
    """An option that means something beside --salvage only."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        if self.name in opts and "salvage" not in opts:
            raise click.UsageError(f"{self.opts[0]} is for --salvage; add that")
        return super().handle_parse_result(ctx, opts, args)


link_type_option: Final = click.option(
    "--link-type",
    cls=WithSalvage,
    metavar="NAME",
    type=LinkTypeName(),
    help="What --salvage takes packets for where damage took the header of a pcap file: ETHERNET, RAW, ...",
)
