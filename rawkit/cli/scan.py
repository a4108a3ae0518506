"""`rawkit scan`: which hosts, ports and protocols answer."""

from __future__ import annotations

import errno
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address, ip_network
from math import inf
from typing import Any, Final, NamedTuple, TypeVar

import click

from rawkit.cli.arguments import INTERFACE
from rawkit.cli.main import NO, OK, complain
from rawkit.cli.output import Lines, Progress, count_of
from rawkit.cli.probing import (
    FORCE,
    FORMAT,
    POSITIVE_SECONDS,
    VERSION,
    ended_by,
    milliseconds,
    terminable,
    version_of,
)
from rawkit.errors import FieldError, KernelError
from rawkit.link import drop_privileges, examine, require_force
from rawkit.probe import (
    Discovery,
    Exchange,
    Host,
    KernelPort,
    PortState,
    Scan,
    State,
    Target,
    Technique,
    by_version,
    connect_scan,
    hosts_of,
    parse_ports,
    service_of,
    target_of,
)
from rawkit.wire import Sweep

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit scan 10.0.0.2                        SYN scan of ports 1 to 1024
  rawkit scan -p- --open 10.0.0.2             all 65,535 ports, the open ones shown
  rawkit scan -sU -p 53,67-69,ntp 10.0.0.2
  rawkit scan -sn 10.0.0.0/24                 which hosts are there?
  rawkit scan -sO 10.0.0.2                    which IP protocols?
  rawkit scan -sT -p 22,80 10.0.0.2           by connecting, without privileges

\b
Techniques and the words for states and reasons are nmap's. Ports are asked in a
random order, the same for the same --seed. Where a host limits how many errors
a second it sends, it is asked more slowly, and a line says so."""

CONNECT: Final = "connect"
DISCOVER: Final = "discover"
DEFAULT_PORTS: Final = "1-1024"

DISCOVERY_RATE: Final = 1000.0
"""Questions a second for hosts, where no other rate is given."""

MOST_ALIKE: Final = 25
"""Ports of one state, other than open, beyond which they are only counted (as nmap does)."""

FOUND: Final = (State.OPEN, State.OPEN_OR_FILTERED, State.UNFILTERED)
"""States of a port that answer the question of a scan with yes, or with maybe."""

UNREACHABLE: Final = (errno.EHOSTUNREACH, errno.ENETUNREACH)
"""Errors about one host, which say nothing of the others."""

AnyAddress = IPv4Address | IPv6Address
F = TypeVar("F", bound=Callable[..., Any])
Scanner = Callable[[Host], Iterator[PortState]]


def _technique(letters: str, name: str, text: str) -> Callable[[F], F]:
    return click.option(letters, f"--{name}", f"technique_{name}", is_flag=True, help=text)


@click.command("scan", epilog=EXAMPLES)
@click.argument("targets", metavar="HOST|PREFIX...", nargs=-1, required=True)
@_technique("-sS", "syn", "TCP SYN (the default).")
@_technique("-sT", CONNECT, "TCP, by the kernel's connect(2).")
@_technique("-sF", "fin", "TCP FIN.")
@_technique("-sN", "null", "TCP without flags.")
@_technique("-sX", "xmas", "TCP with FIN, PSH and URG.")
@_technique("-sA", "ack", "TCP ACK: what does a filter let through?")
@_technique("-sW", "window", "TCP ACK, judged by the window of the reset.")
@_technique("-sU", "udp", "UDP.")
@_technique("-sO", "protocol", "IP protocols.")
@_technique("-sn", DISCOVER, "Only find out which hosts are there.")
@click.option("-p", "--ports", metavar="PORTS", help="Such as 22,80,1000-2000,https; - is all (default 1-1024).")
@click.option("-Pn", "--no-discovery", is_flag=True, help="Take every host for there.")
@click.option("--open", "only_open", is_flag=True, help="Show the open ports only.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="PPS", help="At most so many a second.")
@click.option("--timeout", type=POSITIVE_SECONDS, default=1.0, help="Seconds to wait for an answer (default 1).")
@click.option("--retries", type=click.IntRange(0, 20), default=1, help="Times to ask again (default 1).")
@click.option("--seed", type=click.IntRange(0, 2**63), help="Chooses the order, and the numbers of the packets.")
@click.option("-e", "--interface", metavar="IFACE", type=INTERFACE, help="Send on this interface.")
@click.option("-n", is_flag=True, help="Never look up names; that is so anyway.")
@FORCE
@VERSION
@FORMAT
def command(targets: tuple[str, ...], ports: str | None, **options: Any) -> int:
    """Ask the ports of each HOST, or of the hosts of PREFIX that are there, and say what they are."""
    techniques = [name.removeprefix("technique_") for name in options if name.startswith("technique_")]
    chosen = [name for name in techniques if options[f"technique_{name}"]]
    if len(chosen) > 1:
        raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} exclude each other; scan once for each")
    plan = _plan(targets, chosen[0] if chosen else Technique.SYN, ports, options)
    report: Report = _JSONReport(plan) if options["format_"] == "json" else _TextReport(plan)
    with Lines() as lines, terminable():
        try:
            return _run(plan, report, lines)
        except KeyboardInterrupt as stop:
            report.end(lines)
            return ended_by(stop)


class Plan(NamedTuple):
    """What is to be scanned, and how."""

    addresses: list[AnyAddress]
    technique: str
    ports: list[int]
    discovery: bool
    only_open: bool
    rate: float | None
    timeout: float
    retries: int
    seed: int
    interface: str | None
    force: bool

    @property
    def protocol(self) -> str:
        """What the numbers are: `tcp`, `udp`, or `ip` for IP protocols."""
        return {"udp": "udp", "protocol": "ip"}.get(self.technique, "tcp")


def _plan(targets: Sequence[str], technique: str, ports: str | None, options: dict[str, Any]) -> Plan:
    version = version_of(options["ipv4"], options["ipv6"])
    found = list(dict.fromkeys(host for target in targets for host in _targets(target, version)))
    addresses = [host.address for host in found]
    zone = next((host.interface for host in found if host.interface is not None), None)
    most = 255 if technique == Technique.PROTOCOL else 65_535
    text = ports if ports is not None else ("0-255" if technique == Technique.PROTOCOL else DEFAULT_PORTS)
    protocol = "udp" if technique == Technique.UDP else "tcp"
    many = len(addresses) > 1 or technique == DISCOVER
    seed = options["seed"]
    return Plan(
        addresses,
        technique,
        [] if technique == DISCOVER else parse_ports(text, protocol, most),
        many and not options["no_discovery"],
        options["only_open"],
        options["rate"],
        options["timeout"],
        options["retries"],
        secrets.randbits(32) if seed is None else seed,
        options["interface"] or zone,
        options["force"],
    )


def _targets(target: str, version: int | None) -> Iterator[Target]:
    """The hosts that are meant, and the interface where the text names one."""
    if "/" not in target:
        yield target_of(target, version)
        return
    try:
        network = ip_network(target, strict=False)
    except ValueError as error:
        raise FieldError("scan", "prefix", target, "a prefix such as 10.0.0.0/24") from error
    if version not in (None, network.version):
        raise FieldError("scan", "prefix", target, f"an IPv{version} prefix")
    yield from (Target(address, None) for address in hosts_of(network))


def _run(plan: Plan, report: Report, lines: Lines) -> int:
    with ExitStack() as stack:
        discovery = _discovery(plan, stack) if plan.discovery else None
        scanner = _scanner(plan, stack)
        drop_privileges()
        hosts: Iterable[Host] = [Host(address, "not asked", None, None) for address in plan.addresses]
        if discovery is not None:
            hosts = discovery.run(timeout=plan.timeout, retries=plan.retries, rate=plan.rate or DISCOVERY_RATE)
        there = 0
        for host in hosts:
            there += 1
            _report_host(plan, host, scanner, report, lines)
    if plan.discovery:
        report.hosts(lines, there)
    return OK if report.found or (scanner is None and there) else NO


def _report_host(plan: Plan, host: Host, scanner: Scanner | None, report: Report, lines: Lines) -> None:
    """Ask the ports of a host, and tell of them. An error that is about this host alone is told and no more."""
    report.begin(lines, host)
    with Progress("port", f"of {len(plan.ports)} known") as progress:
        try:
            for known, state in enumerate(scanner(host) if scanner is not None else (), 1):
                report.take(lines, state)
                progress.show(known)
        except KernelError as error:
            if len(plan.addresses) == 1 or error.errno not in UNREACHABLE:
                raise
            complain(error)  # the other hosts may be there
            return
    report.end(lines)


def _discovery(plan: Plan, stack: ExitStack) -> Discovery:
    """The search for hosts, all that it needs being open. Raises NeedsForceError."""
    discovery = stack.enter_context(Discovery(plan.addresses, plan.interface))
    if not plan.force:
        for sending in discovery.sending(times=1 + plan.retries, rate=plan.rate or DISCOVERY_RATE):
            require_force(sending)
    return discovery


def _scanner(plan: Plan, stack: ExitStack) -> Scanner | None:
    """What gives the states of a host's ports, all that it needs being open; None if only hosts are asked for.

    Raises NeedsForceError.
    """
    if plan.technique == DISCOVER:
        return None
    if plan.technique == CONNECT:
        return lambda host: connect_scan(
            host.address, plan.ports, rate=plan.rate, timeout=plan.timeout, seed=plan.seed
        )
    if not plan.force:
        for group in by_version(plan.addresses):
            first = _scan_of(plan, group[0]).packet()
            sweep = Sweep(first, (0, "dst", group))
            require_force(examine(sweep, interface=plan.interface, times=len(plan.ports), rate=plan.rate or inf))
    alone = len(plan.addresses) == 1
    hosts = f"src host {plan.addresses[0]}" if alone else "tcp or udp"
    wanted = None if plan.technique == Technique.PROTOCOL else f"arp or icmp or icmp6 or {hosts}"
    port = stack.enter_context(KernelPort(plan.interface, filter=wanted, bulk=True, guard=False))
    if alone:
        port.open(_scan_of(plan, plan.addresses[0]).packet())
    port.reach(plan.addresses)
    exchange = Exchange(port)

    def scan(host: Host) -> Iterator[PortState]:
        scan = _scan_of(plan, host.address)
        return scan.run(port, exchange.complete(scan.packet(), timeout=plan.timeout), _tell_limit)

    return scan


def _scan_of(plan: Plan, address: AnyAddress) -> Scan:
    return Scan(
        destination=address,
        ports=plan.ports,
        technique=Technique(plan.technique),
        rate=plan.rate,
        timeout=plan.timeout,
        retries=plan.retries,
        seed=plan.seed,
    )


def _tell_limit() -> None:
    click.echo("the host limits how many errors a second it sends; asking more slowly", err=True)


class Report:
    """What is told of a scan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.found = 0
        """Ports that may be what was looked for."""

    def begin(self, lines: Lines, host: Host) -> None:
        """A host is there, and is asked now."""

    def take(self, lines: Lines, state: PortState) -> None:
        """The state of one of its ports."""
        self.found += state.state in FOUND

    def end(self, lines: Lines) -> None:
        """All of its ports are known."""

    def hosts(self, lines: Lines, count: int) -> None:
        """So many hosts were there."""


class _TextReport(Report):
    """A table a host; states that most ports share are only counted."""

    def begin(self, lines: Lines, host: Host) -> None:
        self._states: list[PortState] = []
        self._began = time.monotonic()
        shown = "" if host.round_trip_ns is None else f", {milliseconds(host.round_trip_ns)} away"
        mac = "" if host.mac is None else f" at {host.mac}"
        lines.write(f"{host.address}{mac}: {host.reason}{shown}" if self.plan.discovery else f"{host.address}:")
        lines.flush()

    def take(self, lines: Lines, state: PortState) -> None:
        super().take(lines, state)
        self._states.append(state)

    def end(self, lines: Lines) -> None:
        if self.plan.technique == DISCOVER:
            return
        kinds = Counter((state.state, state.reason) for state in self._states)
        hidden = {kind for kind, count in kinds.items() if kind[0] is not State.OPEN and count > MOST_ALIKE}
        shown = [state for state in self._states if (state.state, state.reason) not in hidden]
        shown = [state for state in shown if state.state is State.OPEN or not self.plan.only_open]
        if shown:
            lines.write(f"{'PORT':12}{'STATE':15}{'SERVICE':15}REASON")
        for state in sorted(shown, key=lambda state: state.port):
            lines.write(f"{self._name(state.port):12}{state.state:15}{self._service(state.port):15}{state.reason}")
        for (kind, reason), count in sorted(kinds.items(), key=lambda item: -item[1]):
            if (kind, reason) in hidden and not self.plan.only_open:
                lines.write(f"not shown: {count_of(count, self._noun)} {kind} ({reason})")
        seconds = time.monotonic() - self._began
        lines.write(f"{count_of(len(self._states), self._noun)} in {seconds:.2f} s")
        lines.flush()

    def hosts(self, lines: Lines, count: int) -> None:
        lines.write(f"{count} of {count_of(len(self.plan.addresses), 'host')} there")

    @property
    def _noun(self) -> str:
        return "protocol" if self.plan.protocol == "ip" else "port"

    def _name(self, port: int) -> str:
        return str(port) if self.plan.protocol == "ip" else f"{port}/{self.plan.protocol}"

    def _service(self, port: int) -> str:
        return "" if self.plan.protocol == "ip" else service_of(port, self.plan.protocol)


class _JSONReport(Report):
    """A line a port, or a host where only hosts are asked for."""

    def begin(self, lines: Lines, host: Host) -> None:
        if self.plan.technique == DISCOVER:
            mac = None if host.mac is None else str(host.mac)
            told = {"address": str(host.address), "reason": host.reason, "rtt_ns": host.round_trip_ns, "mac": mac}
            lines.write(json.dumps(told))

    def take(self, lines: Lines, state: PortState) -> None:
        super().take(lines, state)
        if state.state is State.OPEN or not self.plan.only_open:
            told = {"address": str(state.address), "protocol": self.plan.protocol, "port": state.port}
            lines.write(json.dumps({**told, "state": state.state, "reason": state.reason}))
