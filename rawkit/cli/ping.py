"""`rawkit ping`: is it there, and how far away?"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import click

from rawkit.cli.arguments import SECONDS
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import (
    FORMAT,
    INTERFACE_OPTION,
    TIMEOUT,
    VERSION,
    exchange_for,
    milliseconds,
    terminable,
    version_of,
)
from rawkit.link import find_route
from rawkit.probe import Answer, Method, Miss, Ping, PingSummary, address_of
from rawkit.wire import ARP, IPv4, IPv4Timestamp, IPv4TimestampWithAddresses, IPv6, Packet, RecordRoute

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit ping -c 3 10.0.0.2
  rawkit ping --syn 443 -i 0.2 10.0.0.2
  rawkit ping -f -c 1000 -s 1472 -M do 10.0.0.2
  rawkit ping --arp -c 1 10.0.0.2
  rawkit ping -c 3 --format json 10.0.0.2 | jq .rtt_ns

\b
Times are the kernel's, taken where the packets pass the interface, unless a
line says otherwise. Every other question of a SYN ping is reset by this host's
kernel, so that nothing stays half open on the other side."""

ROUTE_SLOTS = 9
"""The addresses for which an IPv4 header has room (RFC 791, section 3.1)."""

OPTIONS = {
    "tsonly": lambda: IPv4Timestamp(timestamps=[0] * ROUTE_SLOTS),
    "tsandaddr": lambda: IPv4TimestampWithAddresses(entries=[], data=b""),
}


@click.command("ping", epilog=EXAMPLES)
@click.argument("host")
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after so many questions.")
@click.option("-i", "--interval", type=SECONDS, default=1.0, help="Seconds between two questions (default 1).")
@click.option("-f", "--flood", is_flag=True, help="Ask again as soon as there is an answer; needs -c.")
@click.option("-s", "--size", type=click.IntRange(0, 65_507), default=56, help="Bytes of data (default 56).")
@click.option("-p", "--pattern", metavar="HEX", help="What the data is filled with.")
@click.option("-t", "--ttl", type=click.IntRange(1, 255), default=64, help="Time to live, hop limit (default 64).")
@click.option("-M", "pmtudisc", type=click.Choice(["do", "dont"]), help="do: set Don't Fragment.")
@click.option("-R", "--record-route", is_flag=True, help="Have routers enter their addresses (IPv4).")
@click.option("-T", "--timestamps", type=click.Choice(["tsonly", "tsandaddr"]), help="Have them enter their times.")
@click.option("--syn", metavar="PORT", type=click.IntRange(0, 65_535), help="Ask with a TCP SYN.")
@click.option("--ack", metavar="PORT", type=click.IntRange(0, 65_535), help="Ask with a TCP ACK.")
@click.option("--udp", metavar="PORT", type=click.IntRange(0, 65_535), help="Ask with a UDP datagram.")
@click.option("--arp", is_flag=True, help="Ask for the MAC address, on the link.")
@TIMEOUT
@INTERFACE_OPTION
@VERSION
@FORMAT
def command(host: str, timeout: float, interface: str | None, format_: str, **options: Any) -> int:
    """Ask HOST again and again, and show how long each answer takes."""
    return 0
