"""`rawkit interfaces`: the network interfaces of this host."""

from __future__ import annotations

import json

import click

from rawkit.cli.output import Lines
from rawkit.link import Interface, interfaces

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit interfaces
  rawkit interfaces --format json | jq -r 'select(.state == "up").name'"""


@click.command("interfaces", epilog=EXAMPLES)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    help="A table (the default), or an object an interface.",
)
def command(format_: str) -> None:
    """List the interfaces: state, MTU, MAC, addresses, and the gateways behind them."""
    found = interfaces()
    with Lines() as lines:
        if format_ == "json":
            for interface in found:
                lines.write(json.dumps(_as_object(interface)))
            return
        width = max((len(interface.name) for interface in found), default=0)
        for interface in found:
            mac = str(interface.mac) if interface.mac is not None else "no MAC"
            lines.write(f"{interface.name:{width}}  {interface.state:10}  mtu {interface.mtu:<5}  {mac}")
            for address in interface.addresses:
                lines.write(f"{'':{width}}  {address}")
            for gateway in interface.gateways:
                lines.write(f"{'':{width}}  gateway {gateway}")


def _as_object(interface: Interface) -> dict[str, object]:
    return {
        "name": interface.name,
        "index": interface.index,
        "state": interface.state,
        "mtu": interface.mtu,
        "mac": None if interface.mac is None else str(interface.mac),
        "addresses": [str(address) for address in interface.addresses],
        "gateways": [str(gateway) for gateway in interface.gateways],
    }
