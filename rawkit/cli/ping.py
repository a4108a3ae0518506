"""`rawkit ping`: is it there, and how far away?"""

from __future__ import annotations

import json
import secrets
import time
from ipaddress import IPv4Address, IPv6Address
from math import inf
from typing import Any

import click

from rawkit.cli.arguments import SECONDS
from rawkit.cli.main import NO, OK
from rawkit.cli.output import Lines
from rawkit.cli.probing import (
    FORCE,
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
from rawkit.link import examine, find_route, require_force
from rawkit.probe import FIRST_PORT, PATTERN, Answer, Clock, Method, Miss, Ping, PingSummary, target_of
from rawkit.wire import (
    ARP,
    AddressAndTimestamp,
    Ethernet,
    ICMPv4Echo,
    ICMPv6Echo,
    IPv4,
    IPv4NoOperation,
    IPv4Option,
    IPv4Timestamp,
    IPv4TimestampWithAddresses,
    IPv6,
    Layer,
    Packet,
    RecordRoute,
    Sweep,
)

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
line says otherwise. What answers a SYN is reset by this host's kernel, which
knows nothing of it; so nothing stays half open on the other side."""

ROUTE_SLOTS = 9
"""The addresses for which an IPv4 header has room (RFC 791, section 3.1)."""

AnyAddress = IPv4Address | IPv6Address

LARGEST_ID = 0xFFFF

MANY = 1_000_000
"""What a ping without an end may come to, for those who might be hurt by it."""

FIRST_ENTRY = 5
"""The octet of a timestamp option at which its entries begin, from 1 (RFC 791, section 3.1)."""


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
@click.option(
    "-T", "--timestamps", type=click.Choice(["tsonly", "tsandaddr"]), help="Have them enter their times."
)
@click.option("--syn", metavar="PORT", type=click.IntRange(0, 65_535), help="Ask with a TCP SYN.")
@click.option("--ack", metavar="PORT", type=click.IntRange(0, 65_535), help="Ask with a TCP ACK.")
@click.option("--udp", metavar="PORT", type=click.IntRange(0, 65_535), help="Ask with a UDP datagram.")
@click.option("--arp", is_flag=True, help="Ask for the MAC address, on the link.")
@click.option("-W", "--timeout", type=POSITIVE_SECONDS, default=2.0, help="Seconds to wait for each (default 2).")
@click.option("-w", "--deadline", type=POSITIVE_SECONDS, help="Stop after so many seconds.")
@click.option("-q", "--quiet", is_flag=True, help="Show the summary only.")
@click.option("-n", is_flag=True, help="Never look up names; that is so anyway.")
@INTERFACE_OPTION
@FORCE
@VERSION
@FORMAT
def command(
    host: str, interval: float, flood: bool, timeout: float, interface: str | None, format_: str, **options: Any
) -> int:
    """Ask HOST again and again, and show how long each answer takes."""
    if flood and options["count"] is None:
        raise click.UsageError("a flood needs its end: give -c COUNT")
    target = target_of(host, version_of(options["ipv4"], options["ipv6"]))
    interface = interface or target.interface
    ping = _ping(target.address, 0.0 if flood else interval, timeout, options)
    if ping.method is Method.ARP and interface is None:
        interface = _link_of(ping.destination)
    if not options["force"]:
        rate = 1 / ping.interval if ping.interval else inf
        times = MANY if ping.count is None else ping.count
        require_force(examine(Sweep(ping.packet(1)), interface=interface, times=times, rate=rate))
    report: Report = _JSONReport(ping) if format_ == "json" else _TextReport(ping, quiet=flood or options["quiet"])
    wanted = None if ping.destination.is_multicast else _answers_to(ping)
    with exchange_for(ping.packet(1), interface=interface, filter=wanted) as exchange, Lines() as lines:
        code = OK
        report.begin(lines)
        try:
            with terminable():
                until = inf if options["deadline"] is None else time.monotonic() + options["deadline"]
                for seq, outcome in ping.run(exchange, lambda: time.monotonic() >= until):
                    report.take(lines, seq, outcome)
        except KeyboardInterrupt as stop:
            code = 0 if ping.count is None else ended_by(stop)
            report.summary.sent = max(report.summary.sent, exchange.asked)
        report.end(lines)
    return code or (OK if report.summary.received else NO)


def _link_of(address: AnyAddress) -> str:
    """The interface on whose link the address is."""
    route = find_route(address)
    if route.gateway is not None:
        raise click.UsageError(
            f"{address} is not on a link of this host but behind {route.gateway}; -I asks anyway"
        )
    return route.interface


def _answers_to(ping: Ping) -> str:
    """The filter that lets answers pass, and what nearly is one: from another address, say."""
    protocol = {Method.UDP: "udp", Method.SYN: "tcp", Method.ACK: "tcp"}.get(ping.method)
    return "arp or icmp or icmp6" + (f" or ({protocol} portrange {FIRST_PORT}-65535)" if protocol else "")


def _ping(
    destination: IPv4Address | IPv6Address, interval: float, timeout: float, options: dict[str, Any]
) -> Ping:
    asked = [
        (method, options[method.value]) for method in Method if options.get(method.value) not in (None, False)
    ]
    if len(asked) > 1:
        raise click.UsageError("--syn, --ack, --udp and --arp exclude each other")
    method, port = asked[0] if asked else (Method.ICMP, 0)
    return Ping(
        destination=destination,
        method=method,
        count=options["count"],
        interval=interval,
        timeout=timeout,
        size=options["size"],
        pattern=_pattern(options["pattern"]),
        ttl=options["ttl"],
        dont_fragment=options["pmtudisc"] == "do",
        options=_options(options),
        port=int(port),
        id=secrets.randbelow(LARGEST_ID + 1),
    )


def _pattern(digits: str | None) -> bytes:
    if digits is None:
        return PATTERN
    try:
        pattern = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
    except ValueError:
        pattern = b""
    if not pattern:
        raise click.BadParameter("hexadecimal digits, such as ff00", param_hint="-p")
    return pattern


def _options(options: dict[str, Any]) -> tuple[IPv4Option, ...]:
    """The IPv4 options that are asked for, as ping of iputils lays them out."""
    if options["record_route"] and options["timestamps"]:
        raise click.UsageError("-R and -T exclude each other: a header has room for one of the two")
    if options["record_route"]:
        return (IPv4NoOperation(), RecordRoute(route=(IPv4Address(0),) * ROUTE_SLOTS))
    if options["timestamps"] == "tsonly":
        return (IPv4Timestamp(timestamps=(0,) * ROUTE_SLOTS),)
    if options["timestamps"] == "tsandaddr":
        slots = (AddressAndTimestamp(address="0.0.0.0"),) * (ROUTE_SLOTS // 2)
        return (IPv4TimestampWithAddresses(flag=1, entries=slots),)
    return ()


class Report:
    """What is told of a ping."""

    def __init__(self, ping: Ping) -> None:
        self.ping = ping
        self.summary = PingSummary()
        self.began = time.monotonic()

    def begin(self, lines: Lines) -> None:
        """Say what is asked."""

    def take(self, lines: Lines, seq: int, outcome: Answer | Miss) -> None:
        """Tell an outcome."""
        self.summary.add(outcome)

    def end(self, lines: Lines) -> None:
        """Sum it up."""


class _TextReport(Report):
    """Lines such as those of ping (iputils)."""

    def __init__(self, ping: Ping, quiet: bool) -> None:
        super().__init__(ping)
        self._quiet = quiet

    def begin(self, lines: Lines) -> None:
        what = f"{self.ping.size} bytes of data" if self.ping.method in (Method.ICMP, Method.UDP) else "no data"
        port = f" port {self.ping.port}" if self.ping.method in (Method.SYN, Method.ACK, Method.UDP) else ""
        lines.write(f"PING {self.ping.destination} with {self.ping.method.upper()}{port}, {what}")
        lines.flush()

    def take(self, lines: Lines, seq: int, outcome: Answer | Miss) -> None:
        late = self.summary.is_late(outcome)
        super().take(lines, seq, outcome)
        if not self._quiet:
            lines.write(_line(seq, outcome, " (late)" if late else " (again)" if outcome.repeated else ""))
            lines.flush()

    def end(self, lines: Lines) -> None:
        summary = self.summary
        seconds = time.monotonic() - self.began
        more = f", +{summary.duplicates} duplicates" if summary.duplicates else ""
        more += f", +{summary.errors} errors" if summary.errors else ""
        lines.write(f"\n--- {self.ping.destination} ping statistics ---")
        lines.write(
            f"{summary.sent} packets transmitted, {summary.received} received{more}, "
            f"{100 * summary.loss:.4g}% packet loss, time {seconds * 1000:.0f}ms"
        )
        if summary.round_trips:
            shown = (summary.least_ns, summary.mean_ns, summary.most_ns, summary.deviation_ns)
            figures = "/".join(f"{value / 1_000_000:.3f}" for value in shown)
            lines.write(f"rtt min/avg/max/mdev = {figures} ms")


class _JSONReport(Report):
    """A line an outcome, and one with the summary."""

    def take(self, lines: Lines, seq: int, outcome: Answer | Miss) -> None:
        super().take(lines, seq, outcome)
        answer = outcome.packet if isinstance(outcome, Answer) else None
        told: dict[str, Any] = {
            "seq": seq,
            "rtt_ns": outcome.round_trip_ns if answer is not None else None,
            "clock": outcome.clock,
            "repeated": outcome.repeated,
            "from": _sender(outcome.packet),
            "ttl": _ttl(answer),
            "answer": None if answer is None else _what(answer).describe(),
        }
        if isinstance(outcome, Miss):
            told |= {"reason": outcome.reason, "text": outcome.text}
        lines.write(json.dumps(told))
        lines.flush()

    def end(self, lines: Lines) -> None:
        summary = self.summary
        trips = bool(summary.round_trips)
        lines.write(
            json.dumps(
                {
                    "destination": str(self.ping.destination),
                    "sent": summary.sent,
                    "received": summary.received,
                    "duplicates": summary.duplicates,
                    "errors": summary.errors,
                    "loss": summary.loss,
                    "min_ns": summary.least_ns if trips else None,
                    "avg_ns": summary.mean_ns if trips else None,
                    "max_ns": summary.most_ns if trips else None,
                    "mdev_ns": summary.deviation_ns if trips else None,
                }
            )
        )


def _line(seq: int, outcome: Answer | Miss, remark: str) -> str:
    sender = _sender(outcome.packet)
    if isinstance(outcome, Miss):
        return f"seq={seq}: {outcome.text}"
    trip = f"time={milliseconds(outcome.round_trip_ns or 0)}"
    if outcome.clock is Clock.USER:
        trip += " (by this process's clock)"
    packet = outcome.packet
    told = [layer for layer in packet.layers if isinstance(layer, ARP | IPv4 | IPv6)]
    ttl = _ttl(packet)
    what = _what(packet)
    size = packet.length_from(packet.layers.index(told[0])) - len(bytes(told[0])) if told else 0
    words = f"{size} bytes" if isinstance(what, ICMPv4Echo | ICMPv6Echo) else what.describe()
    route = _route(packet)
    return f"{words} from {sender}: seq={seq}{'' if ttl is None else f' ttl={ttl}'} {trip}{remark}{route}"


def _what(packet: Packet) -> Layer:
    """The header that answers."""
    above = (layer for layer in packet.layers if not isinstance(layer, Ethernet | IPv4 | IPv6))
    return next(above, packet.layers[-1])


def _route(packet: Packet) -> str:
    """What routers entered into the options."""
    told = ""
    for option in packet[IPv4].options if IPv4 in packet else ():
        if isinstance(option, RecordRoute):
            told += "".join(f"\n    by {address}" for address in option.visited())
        elif isinstance(option, IPv4Timestamp):
            told += "".join(f"\n    at {stamp} ms" for stamp in option.timestamps[: _stamped(option, 4)])
        elif isinstance(option, IPv4TimestampWithAddresses):
            told += "".join(
                f"\n    by {entry.address} at {entry.timestamp} ms"
                for entry in option.entries[: _stamped(option, 8)]
            )
    return told


def _stamped(option: IPv4Timestamp | IPv4TimestampWithAddresses, size: int) -> int:
    """How many entries stand before the pointer, which counts octets from 1, the first entry at the fifth."""
    return max(option.pointer - FIRST_ENTRY, 0) // size


def _sender(packet: Packet | None) -> str | None:
    if packet is None:
        return None
    for layer in packet.layers:
        if isinstance(layer, IPv4 | IPv6):
            return str(layer.src)
        if isinstance(layer, ARP):
            return f"{layer.sender_ip} ({layer.sender_mac})"
    return None


def _ttl(packet: Packet | None) -> int | None:
    if packet is not None and IPv4 in packet:
        return packet[IPv4].ttl
    return packet[IPv6].hop_limit if packet is not None and IPv6 in packet else None
