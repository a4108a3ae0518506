"""`rawkit completion`: the script that makes a shell complete commands, options and file names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  eval "$(rawkit completion bash)"        in ~/.bashrc
  eval "$(rawkit completion zsh)"         in ~/.zshrc, after the line
                                          autoload -Uz compinit && compinit
\b
  mkdir -p ~/.config/fish/completions
  rawkit completion fish > ~/.config/fish/completions/rawkit.fish"""


@click.command("completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL, to be read by that shell when it starts."""
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"click has no completion for {shell}")
    click.echo(complete(ctx.find_root().command, {}, "rawkit", "_RAWKIT_COMPLETE").source())
