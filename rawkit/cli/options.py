"""Kinds of option that several commands take."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

__all__ = ["CaptureFile", "InterfaceName", "Seconds"]


class NotEmpty(click.ParamType[str]):
    """Text that says something."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("is empty", param, ctx)
        return value


class CaptureFile(NotEmpty):
    """The name of a capture file, or `-`; what is wrong with the file itself is told by who opens it.

    With `written`, `-` is refused where standard output is a terminal, which shows no bytes.
    """

    name = "file"

    def __init__(self, written: bool = False) -> None:
        self.written = written

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if self.written and value == "-" and sys.stdout.isatty():
            self.fail("standard output is a terminal; write to a file or a pipe", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


class InterfaceName(NotEmpty):
    """The name of a network interface."""

    name = "interface"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = sorted(path.name for path in Path("/sys/class/net").iterdir())
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Seconds(click.ParamType[float]):
    """A time that a program can wait: finite, and not negative."""

    name = "seconds"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= 1e6:
            self.fail(f"{value} is no number of seconds from 0 to 1000000", param, ctx)
        return seconds
