"""What the commands that ask have in common: their options, an exchange without privileges, and its end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from rawkit.cli.arguments import INTERFACE, Seconds
from rawkit.cli.output import count_of
from rawkit.cli.signals import STOPPING, forget_closed_terminal
from rawkit.link import Flow, drop_privileges
from rawkit.wire import Packet

if TYPE_CHECKING:
    from rawkit.probe import Exchange

__all__ = [
    "FORCE",
    "FORMAT",
    "INTERFACE_OPTION",
    "POSITIVE_SECONDS",
    "TIMEOUT",
    "VERSION",
    "Terminated",
    "ended_by",
    "exchange_for",
    "milliseconds",
    "terminable",
    "version_of",
]

Command = TypeVar("Command", bound=Callable[..., Any])

POSITIVE_SECONDS: Final = Seconds(0, 86_400, min_open=True)

FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Lines for people (the default), or JSON lines.",
)
TIMEOUT = click.option(
    "--timeout", type=POSITIVE_SECONDS, default=2.0, help="Seconds to wait for an answer (default 2)."
)
FORCE = click.option("--force", is_flag=True, help="Send also what asks for this.")
INTERFACE_OPTION = click.option(
    "-I", "--interface", metavar="IFACE", type=INTERFACE, help="Send on this interface, whatever the routes say."
)


def VERSION(command: Command) -> Command:
    """The options -4 and -6."""
    six = click.option("-6", "ipv6", is_flag=True, help="IPv6 only.")
    return click.option("-4", "ipv4", is_flag=True, help="IPv4 only.")(six(command))


def version_of(ipv4: bool, ipv6: bool) -> int | None:
    """The IP version that -4 and -6 ask for."""
    if ipv4 and ipv6:
        raise click.UsageError("-4 and -6 exclude each other")
    return 4 if ipv4 else 6 if ipv6 else None


@contextmanager
def exchange_for(
    *packets: Packet,
    interface: str | None = None,
    filter: str | None = None,
    bulk: bool = False,
    guard: bool = False,
) -> Iterator[Exchange]:
    """An exchange that can send such packets, after which this process has given up its privileges.

    What keeps this host's kernel quiet is told on standard error.
    """
    from rawkit.probe import Exchange, KernelPort  # which takes 0.05 s, and not all commands ask

    flows: list[Flow] = []
    with KernelPort(interface, filter=filter, bulk=bulk, guard=guard, on_guard=flows.append) as port:
        for packet in packets:
            port.open(packet)
        _announce(flows)
        drop_privileges()
        yield Exchange(port)


def _announce(flows: Sequence[Flow]) -> None:
    if flows:
        what = "resets" if flows[0].protocol == "tcp" else "port unreachable messages"
        more = f" and {count_of(len(flows) - 1, 'other flow')}" if len(flows) > 1 else ""
        click.echo(f"keeping this host's {what} out of {flows[0]}{more}, until this command ends", err=True)


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, raised as Ctrl-C is, so that all end a command in the same way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise `Terminated` where Ctrl-C raises KeyboardInterrupt; not what is ignored."""

    def terminate(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            forget_closed_terminal()
        raise Terminated(number)

    numbers = [number for number in STOPPING[1:] if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, terminate)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def ended_by(stop: KeyboardInterrupt) -> int:
    """Tell that a command was ended before it was done; returns its exit code (128 and the signal's number)."""
    number = stop.number if isinstance(stop, Terminated) else signal.SIGINT
    click.echo(f"ended by {'Ctrl-C' if number == signal.SIGINT else number.name} before all was known", err=True)
    return 128 + number


def milliseconds(nanoseconds: int) -> str:
    """Such as `0.048 ms`, with as many digits as ping shows."""
    value = nanoseconds / 1_000_000
    return f"{value:.3f} ms" if value < 100 else f"{value:.0f} ms"
