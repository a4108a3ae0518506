"""`rawkit arp`: who has an address on the link."""

from __future__ import annotations

import errno
import json
import time
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import click

from rawkit.cli.arguments import INTERFACE, SECONDS
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines, count_of
from rawkit.cli.probing import FORCE, FORMAT, POSITIVE_SECONDS, ended_by, exchange_for, milliseconds, terminable
from rawkit.errors import FieldError, kernel_error
from rawkit.layout import MAC
from rawkit.link import Interface, PacketSocket, drop_privileges, examine, find_route, interfaces, require_force
from rawkit.probe import (
    Exchange,
    Owner,
    address_of,
    announcement,
    detect_duplicate,
    hosts_of,
    question,
    target_of,
    who_has,
)
from rawkit.wire import Sweep

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit arp 10.0.0.2                        who has this address?
  rawkit arp 10.0.0.0/24                     who is there?
  rawkit arp --detect 10.0.0.7               is the address free? (exit code 0: it is)
  rawkit arp --announce -i eth0 10.0.0.1     tell everybody who has it: this host
  rawkit arp fe80::1%eth0                    IPv6: neighbour discovery

\b
The interface is the one that the routes say, unless -i names another."""

AnyAddress = IPv4Address | IPv6Address


@click.command("arp", epilog=EXAMPLES)
@click.argument("target", metavar="HOST|PREFIX")
@click.option("-i", "-I", "--interface", metavar="IFACE", type=INTERFACE, help="Ask on this interface.")
@click.option("-D", "--detect", is_flag=True, help="Find out whether an address is in use, without having one.")
@click.option("-U", "--announce", is_flag=True, help="Announce that this host has the address.")
@click.option("-c", "--count", type=click.IntRange(1, 1000), default=2, help="Times to ask or tell (default 2).")
@click.option("--timeout", type=POSITIVE_SECONDS, default=1.0, help="Seconds to wait each time (default 1).")
@click.option("--rate", type=click.FloatRange(1, 1e6), default=1000, help="Questions a second (default 1000).")
@click.option("--linger", type=SECONDS, default=0.0, help="Seconds to wait for a second owner of an address.")
@click.option("-S", "--source", metavar="IP", help="Ask from this address.")
@FORCE
@FORMAT
def command(target: str, interface: str | None, detect: bool, announce: bool, **options: Any) -> int:
    """Ask who has HOST, or each address of PREFIX, on the link."""
    if detect and announce:
        raise click.UsageError("--detect and --announce exclude each other")
    addresses, zone = _addresses(target)
    if (detect or announce) and len(addresses) != 1:
        raise click.UsageError("--detect and --announce take one address")
    name = interface or zone or _interface_of(addresses, announce)
    own = next((each for each in interfaces() if each.name == name), None)
    if own is None:
        raise kernel_error(OSError(errno.ENODEV, ""), f"ask on {name}")
    if own.mac is None:
        raise click.UsageError(f"{own.name} has no MAC address, so nobody on it has one")
    source = options["source"]
    asking = address_of(source) if source is not None else _own_address(own, addresses[0])
    first = question(addresses[0], asking, own.mac)
    if not options["force"]:
        times = len(addresses) * options["count"]
        require_force(examine(Sweep(first), interface=own.name, times=times, rate=options["rate"]))
    if announce:
        return _announce(addresses[0], own.name, own.mac, options["count"], options["format_"])
    with exchange_for(first, interface=own.name, filter="arp or icmp6") as exchange, Lines() as lines:
        try:
            with terminable():
                if detect:
                    owner = detect_duplicate(exchange, addresses[0], own.mac)
                    return _tell_owner(lines, addresses[0], owner, options["format_"])
                return _ask(exchange, addresses, asking, own.mac, lines, options)
        except KeyboardInterrupt as stop:
            return ended_by(stop)


def _ask(
    exchange: Exchange,
    addresses: list[AnyAddress],
    source: AnyAddress | None,
    mac: MAC,
    lines: Lines,
    options: dict[str, Any],
) -> int:
    """Ask for each address, and tell its owner."""
    found, as_json = 0, options["format_"] == "json"
    owners = who_has(
        exchange,
        iter(addresses),
        source,
        mac,
        timeout=options["timeout"],
        retries=options["count"] - 1,
        rate=options["rate"],
        linger=options["linger"],
    )
    for owner in owners:
        found += owner.mac is not None and not owner.repeated
        if owner.mac is not None or len(addresses) == 1 or as_json:
            lines.write(_json(owner) if as_json else _text(owner))
            lines.flush()
    if len(addresses) > 1 and not as_json:
        lines.write(f"{found} of {len(addresses)} addresses asked for are there")
    return OK if found else NO


def _addresses(target: str) -> tuple[list[AnyAddress], str | None]:
    """The addresses that are meant, and the interface where the text names one."""
    if "/" not in target:
        address, zone = target_of(target)
        return [address], zone
    try:
        network = ip_network(target, strict=False)
    except ValueError as error:
        raise FieldError("arp", "prefix", target, "a prefix such as 10.0.0.0/24") from error
    return list(hosts_of(network)), None


def _interface_of(addresses: list[AnyAddress], announce: bool) -> str:
    """The interface on whose link the addresses are, or to announce one, that has it."""
    for address in addresses[:2]:
        route = find_route(address)
        if route.gateway is not None:
            raise click.UsageError(
                f"{address} is not on a link of this host but behind {route.gateway}; -i asks anyway"
            )
        if route.kind != "local":
            return route.interface
    if announce:
        for each in interfaces():
            if any(own.ip == addresses[0] for own in each.addresses):
                return each.name
    raise click.UsageError(f"{addresses[0]} is this host's own address; -i asks for it anyway")


def _own_address(own: Interface, towards: AnyAddress) -> AnyAddress | None:
    """The address of this host on the link from which to ask; None where it has none."""
    with suppress(OSError):
        if (source := find_route(towards, interface=own.name).source) is not None:
            return source
    return next((each.ip for each in own.addresses if each.version == towards.version), None)


def _announce(address: AnyAddress, name: str, mac: MAC, count: int, format_: str) -> int:
    with PacketSocket(name, protocol=0) as socket:
        drop_privileges()
        for number in range(count):
            if number:
                time.sleep(1)  # RFC 5227, section 1.1: ANNOUNCE_INTERVAL
            socket.send(announcement(address, mac))
    if format_ == "json":
        click.echo(json.dumps({"address": str(address), "mac": str(mac), "interface": name, "count": count}))
        return OK
    click.echo(f"told everybody on {name}, {count_of(count, 'time')}: {address} is at {mac}")
    return OK


def _tell_owner(lines: Lines, address: AnyAddress, mac: MAC | None, format_: str) -> int:
    if format_ == "json":
        lines.write(json.dumps({"address": str(address), "mac": None if mac is None else str(mac)}))
    elif mac is None:
        lines.write(f"{address} is free: nobody says that it is theirs")
    else:
        lines.write(f"{address} is in use, by {mac}")
    return OK if mac is None else NO


def _text(owner: Owner) -> str:
    if owner.mac is None:
        return f"{owner.address} is not there: nobody answers"
    also = "  also! the address is in use twice" if owner.repeated else ""
    return f"{owner.address!s:15} is at {owner.mac}  {milliseconds(owner.round_trip_ns or 0)}{also}"


def _json(owner: Owner) -> str:
    return json.dumps(
        {
            "address": str(owner.address),
            "mac": None if owner.mac is None else str(owner.mac),
            "rtt_ns": owner.round_trip_ns,
            "repeated": owner.repeated,
        }
    )
