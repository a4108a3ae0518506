"""From the arguments to an exit code: the one place that turns errors into a line and a number."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import click

from rawkit._version import __version__
from rawkit.cli import leave
from rawkit.cli.commands import COMMANDS, LazyGroup
from rawkit.errors import (
    FileError,
    KernelError,
    MissingError,
    RawkitError,
    RefusedError,
    TimedOut,
    UnreachableError,
    file_error,
)

__all__ = ["NO", "NOT_POSSIBLE", "OK", "USAGE", "cli", "complain", "run"]

OK = 0
NO = 1
"""The answer is no: no reply, a check that failed, a difference."""
USAGE = 2
"""Wrong usage, or wrong input."""
NOT_POSSIBLE = 3
"""Not permitted, or not possible here."""
INTERRUPTED = 130
"""Ctrl-C, as shells report it (128 + SIGINT)."""

SAID_BY_OTHERS = (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.EHOSTUNREACH)
"""What the kernel reports of others: nobody listens, they drop or close the connection, they do not answer ARP."""

EXAMPLES = """\b
Examples:
  rawkit craft "IPv4(dst='10.0.0.2') / UDP(dst_port=53) / b'hi'"
  rawkit decode capture.pcapng -f "tcp port 80"
  eval "$(rawkit completion bash)"        completion; or zsh, fish

\b
Exit codes: 0 it worked, 1 the answer is no, 2 wrong usage or input,
3 not permitted or not possible here, 130 ended by Ctrl-C (143 by SIGTERM, 129 by SIGHUP);
capture ends that way with 0."""


class Stop(Exception):
    """Ends a command; carries its exit code past click, which would choose another."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Rawkit(LazyGroup):
    """The group of all commands."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        found = super().resolve_command(ctx, args)
        # All is imported; from here on Ctrl-C is for the command (see `rawkit/cli/__init__.py`).
        if signal.getsignal(signal.SIGINT) is leave:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            raise Stop(INTERRUPTED) from None
        except OSError as error:
            if isinstance(error, KernelError) and not isinstance(error, FileError):
                raise Stop(complain(error)) from None  # click would take EPIPE of a socket for standard output's
            if error.errno != errno.EPIPE:
                raise
            _forget_output()
            raise Stop(OK) from None


@click.group(cls=Rawkit, invoke_without_command=True, epilog=EXAMPLES)
@click.version_option(__version__, message="rawkit %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Build packets by hand, put them on the wire, and explain what comes back."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (without the program's name), and return its exit code."""
    if sys.stdout is None:  # closed by whoever started us; what is written there fails, and is told
        sys.stdout = _null(os.O_RDONLY)
    if sys.stderr is None:  # print(file=None) would print to standard output
        sys.stderr = _null(os.O_WRONLY)
    try:
        result = cli.main(arguments, prog_name="rawkit", standalone_mode=False)
        return result if isinstance(result, int) else OK
    except Stop as stop:
        return stop.code
    except click.Abort:
        return INTERRUPTED
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else _path_of(arguments)
        return _complain(f"{error.format_message().rstrip('.')}; see {path} --help", USAGE)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except RawkitError as error:
        return complain(error)
    except OSError as error:  # files and sockets tell theirs as a RawkitError, so this is standard output
        _forget_output()
        return _complain(str(file_error(error, "write standard output")), NOT_POSSIBLE)


def _path_of(arguments: Sequence[str] | None) -> str:
    """The command that was meant, where click does not say: an option without its value."""
    name = (sys.argv[1:] if arguments is None else arguments)[:1]
    return " ".join(["rawkit", *(each for each in name if each in COMMANDS)])


def complain(error: RawkitError) -> int:
    """One line about an error, for commands that go on after it; returns the exit code that it asks for."""
    return _complain(str(error), _code_of(error))


def _code_of(error: RawkitError) -> int:
    if isinstance(error, FileError) and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return USAGE
    if isinstance(error, FileError):
        return NOT_POSSIBLE
    if isinstance(error, UnreachableError) or (isinstance(error, KernelError) and error.errno in SAID_BY_OTHERS):
        return NO
    if isinstance(error, KernelError | MissingError):
        return NOT_POSSIBLE
    return NO if isinstance(error, TimedOut | RefusedError) else USAGE


def _complain(message: str, code: int) -> int:
    """One line on standard error, after what is still waiting for standard output."""
    try:
        sys.stdout.flush()
        print(f"rawkit: {' '.join(message.split())}", file=sys.stderr)
    except BrokenPipeError:
        _forget_output()
    return code


def _null(flags: int) -> TextIO:
    return os.fdopen(os.open(os.devnull, flags), "w")


def _forget_output() -> None:
    """Let what is still buffered go nowhere, so that Python does not fail on it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
