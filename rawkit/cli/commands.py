"""Which commands there are. Listing them imports none of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import click

__all__ = ["COMMANDS", "LazyGroup"]

COMMANDS: Final[dict[str, str]] = {
    "demo": "Watch packets made by hand and the kernel's answers, in one minute.",
    "craft": "Make a packet from an expression, and show or write it.",
    "send": "Send a packet made from an expression.",
    "ask": "Send a packet, match the answer, and explain why there is none.",
    "ping": "Ask a host again and again, and show how long each answer takes.",
    "trace": "Show the routers on the way to a host.",
    "scan": "Find the hosts, ports and protocols that answer.",
    "arp": "Ask who has an address on the link, announce one, find duplicates.",
    "pmtu": "Find the largest packet that reaches a host whole.",
    "echo": "Serve echo, or have bytes echoed, over every kind of socket.",
    "contrast": "Have the same bytes echoed by every kind of socket, side by side.",
    "http": "Ask a web server by hand, and show every line of it.",
    "lab": "Do exercises in network namespaces, checked by what crossed the wire.",
    "capture": "Show or write what crosses an interface.",
    "decode": "Read a capture file, and show what is in it.",
    "capinfo": "Tell what a capture file holds.",
    "edit": "Choose, change, merge and split packets of capture files.",
    "verify": "Compare rawkit's reading of packets with scapy's.",
    "interfaces": "List the network interfaces.",
    "doctor": "Tell what this machine allows, and the remedy for what it does not.",
    "completion": "Print the completion script for a shell.",
}
"""Name and one-line help; the command itself is `command` in the module `rawkit.cli.NAME`."""


class LazyGroup(click.Group):
    """A group whose commands are modules that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"rawkit.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}{_near(args[0])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _near(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    return f"; did you mean {near[0]}?" if near else ""
