"""`rawkit doctor`: what this machine allows, and the remedy for what it does not."""

from __future__ import annotations

import json

import click

from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.netns import check_machine

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit doctor
  sudo rawkit doctor                      the same as root

\b
Everything is tried, nothing is sent, nothing is left behind. The exit code is
1 if anything failed."""


@click.command("doctor", epilog=EXAMPLES)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Lines for people (the default), or an object a check.",
)
def command(format_: str) -> int:
    """Try what rawkit needs (sockets, namespaces, programs), and tell the remedy for what does not work."""
    healthy = True
    with Lines() as lines:
        for check in check_machine():
            healthy = healthy and check.ok
            if format_ == "json":
                lines.write(json.dumps(check._asdict()))
                continue
            lines.write(f"{'ok' if check.ok else 'NO':3} {check.name:24} {check.detail}")
            if not check.ok and check.remedy and check.remedy not in check.detail:
                lines.write(f"{'':28} remedy: {check.remedy}")
    return OK if healthy else NO
