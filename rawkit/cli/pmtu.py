"""`rawkit pmtu`: the largest packet that reaches a host whole."""

from __future__ import annotations

import json
import secrets
from typing import Any

import click

from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import (
    FORMAT,
    INTERFACE_OPTION,
    POSITIVE_SECONDS,
    VERSION,
    ended_by,
    exchange_for,
    milliseconds,
    terminable,
    version_of,
)
from rawkit.link import find_route, interfaces
from rawkit.probe import PathMTU, PathMTUResult, Step, StepResult, target_of

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit pmtu 10.0.0.2
  rawkit pmtu -p 33434 10.0.0.2               with UDP, for hosts that do not answer pings
  rawkit pmtu --format json 10.0.0.2 | jq 'select(.mtu)'

\b
Sizes are those of whole IP packets. A black hole is a router that discards
packets which are too large without saying so; the line says behind which
router they vanish."""


@click.command("pmtu", epilog=EXAMPLES)
@click.argument("host")
@click.option("-p", "--port", type=click.IntRange(1, 65_535), help="Ask a closed UDP port rather than ping.")
@click.option(
    "-l", "--largest", type=click.IntRange(68, 65_535), help="Begin with so many bytes (the link's MTU)."
)
@click.option("-q", "--tries", type=click.IntRange(1, 10), default=3, help="Packets of a size (default 3).")
@click.option("--timeout", type=POSITIVE_SECONDS, default=1.0, help="Seconds to wait for each (default 1).")
@click.option("-n", is_flag=True, help="Never look up names; that is so anyway.")
@INTERFACE_OPTION
@VERSION
@FORMAT
def command(host: str, interface: str | None, format_: str, **options: Any) -> int:
    """Find the path MTU to HOST, and who or what limits it."""
    destination, zone = target_of(host, version_of(options["ipv4"], options["ipv6"]))
    interface = interface or zone
    name = interface or find_route(destination, interface=interface).interface
    mtu = next((each.mtu for each in interfaces() if each.name == name), 65_535)
    search = PathMTU(
        destination=destination,
        largest=min(options["largest"] or mtu, mtu, 65_535),
        port=options["port"],
        timeout=options["timeout"],
        tries=options["tries"],
        id=secrets.randbelow(16_384),
    )
    hosts = f"arp or icmp or icmp6 or host {destination}"
    code = NO
    with (
        exchange_for(search.packet(search.largest), interface=interface, filter=hosts) as exchange,
        Lines() as lines,
    ):
        try:
            with terminable():
                for told in search.run(exchange):
                    lines.write(_json(told, search) if format_ == "json" else _text(told, search))
                    lines.flush()
                    code = OK if isinstance(told, PathMTUResult) and told.mtu is not None else NO
        except KeyboardInterrupt as stop:
            return ended_by(stop)
    return code


def _text(told: Step | PathMTUResult, search: PathMTU) -> str:
    if isinstance(told, Step):
        if told.result is StepResult.LOST:
            return f"{told.size:6} bytes  nothing came back" + (
                f", but {told.address} refuses" if told.address else ""
            )
        if told.result is StepResult.TOO_LARGE:
            return f"{told.size:6} bytes  too large, says {told.address}: mtu {told.mtu}"
        return f"{told.size:6} bytes  passed  {milliseconds(told.round_trip_ns or 0)}"
    if told.mtu is None:
        return f"{search.destination} does not answer, not even to the smallest packets; try -p PORT"
    words = f"path MTU to {search.destination}: {told.mtu} bytes"
    if told.black_hole:
        behind = f" behind {told.vanish_behind}" if told.vanish_behind is not None else ""
        return f"{words}; black hole: larger packets vanish{behind}, without an error"
    return (
        f"{words}; {told.limited_by} says so" if told.limited_by is not None else f"{words}, that of the own link"
    )


def _json(told: Step | PathMTUResult, search: PathMTU) -> str:
    shown = {
        name: value if isinstance(value, int | None) else str(value) for name, value in told._asdict().items()
    }
    return json.dumps({"destination": str(search.destination), **shown})
