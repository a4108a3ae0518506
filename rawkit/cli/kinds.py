"""Kinds of sockets at the command line: their names, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from rawkit.echo import KINDS, Kind

__all__ = ["KIND", "TABLE", "USABLE"]

USABLE: Final = [name for name, kind in KINDS.items() if kind.module is not None]

TABLE: Final = "\b\nKinds:\n" + "\n".join(
    f"  {kind.name:<15} {kind.socket:<24} {kind.summary}" for kind in KINDS.values()
)
"""All of them, for `--help`."""


if TYPE_CHECKING:
    AnyType = click.ParamType[Any]
else:
    AnyType = click.ParamType  # which older versions of click do not take in brackets


class KindName(AnyType):
    """The name of a kind that is there, in small letters or capitals."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Kind:
        known = KINDS.get(value.lower())
        if known is None:
            self.fail(f"no kind {value!r}; there are {', '.join(USABLE)}", param, ctx)
        if known.module is None:
            self.fail(f"{known.name} is yet to come; there are {', '.join(USABLE)}", param, ctx)
        return known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in USABLE if name.startswith(incomplete.lower())]


KIND: Final = KindName()
