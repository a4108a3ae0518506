"""`rawkit trace`: the routers on the way to a host."""

from __future__ import annotations

import json
import secrets
import socket
from ipaddress import IPv4Address, IPv6Address
from math import inf
from typing import Any

import click

from rawkit.cli.arguments import INTERFACE
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import (
    FORCE,
    FORMAT,
    POSITIVE_SECONDS,
    VERSION,
    ended_by,
    exchange_for,
    milliseconds,
    terminable,
    version_of,
)
from rawkit.link import examine, require_force
from rawkit.probe import Hop, HopReply, Trace, TraceMethod, target_of
from rawkit.wire import Sweep

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit trace 10.0.0.2
  rawkit trace -T -p 443 10.0.0.2
  rawkit trace -I --flows 8 10.0.0.2          which routers a load balancer chooses among
  rawkit trace --format json 10.0.0.2 | jq -r .address

\b
All hops are asked at once, in packets that a load balancer sends the same way.
Names are looked up with --names only. !N !H !P !X !F: the router says that
network, host or protocol is unreachable, that it is prohibited, or that the
packet is too large."""

DEFAULT_PORTS = {TraceMethod.UDP: 33_434, TraceMethod.TCP: 80, TraceMethod.ICMP: 0}


@click.command("trace", epilog=EXAMPLES)
@click.argument("host")
@click.option("-U", "--udp", "method", flag_value="udp", default="udp", help="UDP datagrams (the default).")
@click.option("-I", "--icmp", "method", flag_value="icmp", help="ICMP echo requests.")
@click.option("-T", "--tcp", "method", flag_value="tcp", help="TCP SYNs.")
@click.option("-p", "--port", type=click.IntRange(1, 65_535), help="The destination's port (33434; TCP: 80).")
@click.option("-f", "--first", type=click.IntRange(1, 255), default=1, help="The first hop (default 1).")
@click.option("-m", "--most", type=click.IntRange(1, 255), default=30, help="The last hop (default 30).")
@click.option("-q", "--probes", type=click.IntRange(1, 16), default=3, help="Packets a hop and flow (default 3).")
@click.option("--flows", type=click.IntRange(1, 64), default=1, help="Flows, to find balanced ways (default 1).")
@click.option("-s", "--size", type=click.IntRange(2, 65_000), default=32, help="Bytes of data (default 32).")
@click.option("-F", "--dont-fragment", is_flag=True, help="Set Don't Fragment, so that MTUs are told (IPv4).")
@click.option("--names", is_flag=True, help="Look up the names of the routers.")
@click.option(
    "-w", "--timeout", type=POSITIVE_SECONDS, default=2.0, help="Seconds to wait for answers (default 2)."
)
@click.option("-n", is_flag=True, help="Never look up names; that is so unless --names is given.")
@FORCE
@click.option("-i", "--interface", metavar="IFACE", type=INTERFACE, help="Send on this interface.")
@VERSION
@FORMAT
def command(host: str, interface: str | None, names: bool, format_: str, **options: Any) -> int:
    """Show the routers on the way to HOST, and how far away each is."""
    target = target_of(host, version_of(options["ipv4"], options["ipv6"]))
    interface = interface or target.interface
    trace = _trace(target.address, options)
    if not options["force"]:
        times = (trace.most - trace.first + 1) * trace.probes * trace.flows
        require_force(examine(Sweep(trace.packet(trace.first, 0, 1)), interface=interface, times=times, rate=inf))
    reached = False
    with (
        exchange_for(
            trace.packet(trace.first, 0, 1),
            interface=interface,
            filter=f"arp or icmp or icmp6 or host {trace.destination}",
        ) as exchange,
        Lines() as lines,
    ):
        if format_ == "text":
            packets = trace.probes * trace.flows
            lines.write(
                f"trace to {trace.destination}, {trace.most} hops at most, {packets} {trace.method.upper()} "
                f"packets a hop"
            )
            lines.flush()
        try:
            with terminable():
                for hop in trace.run(exchange):
                    reached = reached or hop.reached
                    lines.write(_json(hop, names) if format_ == "json" else _text(hop, names))
                    lines.flush()
        except KeyboardInterrupt as stop:
            return ended_by(stop)
    return OK if reached else NO


def _trace(destination: IPv4Address | IPv6Address, options: dict[str, Any]) -> Trace:
    method = TraceMethod(options["method"])
    return Trace(
        destination=destination,
        method=method,
        first=options["first"],
        most=options["most"],
        probes=options["probes"],
        flows=options["flows"],
        port=options["port"] or DEFAULT_PORTS[method],
        size=options["size"],
        dont_fragment=options["dont_fragment"],
        timeout=options["timeout"],
        id=secrets.randbelow(16_384),
    )


def _text(hop: Hop, names: bool) -> str:
    """The hop as traceroute shows it: each address before the times of its packets."""
    words, last = [f"{hop.ttl:2}"], None
    for reply in hop.replies:
        if reply.address is None:
            words.append("*")
            continue
        if reply.address != last:
            words.append(_named(reply, names))
            last = reply.address
        words.append(_details(reply))
    return "  ".join(words)


def _details(reply: HopReply) -> str:
    words = [milliseconds(reply.round_trip_ns or 0)]
    if reply.mark:
        words.append(reply.mark)
    if reply.mtu is not None:
        words.append(f"mtu={reply.mtu}")
    words += [f"MPLS {'/'.join(map(str, stack))}" for stack in reply.labels]
    return " ".join(words)


def _named(reply: HopReply, names: bool) -> str:
    address = str(reply.address)
    name = _name_of(address) if names else None
    return address if name is None else f"{name} ({address})"


def _name_of(address: str) -> str | None:
    try:
        # (gethostbyaddr imports a codec, which may be out of reach once privileges are dropped.)
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError:
        return None


def _json(hop: Hop, names: bool) -> str:
    first = next((reply for reply in hop.replies if reply.address is not None), None)
    told: dict[str, Any] = {
        "ttl": hop.ttl,
        "address": None if first is None else str(first.address),
        "rtt_ns": None if first is None else first.round_trip_ns,
        "reached": hop.reached,
        "replies": [
            {
                "flow": reply.flow,
                "address": None if reply.address is None else str(reply.address),
                "rtt_ns": reply.round_trip_ns,
                "mark": reply.mark,
                "mtu": reply.mtu,
                "labels": reply.labels,
            }
            for reply in hop.replies
        ],
    }
    if names:
        told["names"] = [_name_of(str(address)) for address in hop.addresses]
    return json.dumps(told)
