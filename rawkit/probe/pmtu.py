"""Path MTU: the largest packet that reaches a destination whole (RFC 1191, RFC 8201, RFC 8899).

Packets that may not be fragmented are sent, first as large as the own link carries. A router to which one is too
large says so and tells its MTU. Where large packets vanish without a word (a black hole, RFC 2923), the size is
found by halving, and the router behind which they vanish by their time to live.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from rawkit.errors import FieldError, KernelError
from rawkit.probe.exchange import Exchange
from rawkit.probe.matching import is_port_unreachable
from rawkit.probe.outcome import Answer, Miss, Reason
from rawkit.probe.trace import LOCAL, Trace, TraceMethod, mtu_in
from rawkit.wire import UDP, ICMPv4, ICMPv6, IPv4, IPv6, Packet

__all__ = ["PathMTU", "PathMTUResult", "Step", "StepResult"]

LEAST: Final = {4: 68, 6: 1280}
"""What every link carries whole (RFC 791, section 3.2; RFC 8200, section 5), in bytes."""

PLATEAUS: Final = (32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)
"""What is tried next where an old router tells no MTU (RFC 1191, section 7.1)."""

HEADERS: Final = {4: 28, 6: 48}
"""Bytes of the IP header and of the eight bytes of ICMP echo or UDP behind it."""


class StepResult(StrEnum):
    """What became of a packet of a size."""

    PASSED = "passed"
    TOO_LARGE = "too large"
    """A router said so."""
    LOST = "lost"
    """Nothing came back, however often it was sent."""


class Step(NamedTuple):
    """One size that was tried."""

    size: int
    """Of the whole IP packet, in bytes."""
    result: StepResult
    address: IPv4Address | IPv6Address | None
    """Who answered."""
    mtu: int | None
    """What a router told of its next link."""
    round_trip_ns: int | None


class PathMTUResult(NamedTuple):
    """What was found out. `mtu` is None where not even the smallest packet came back."""

    mtu: int | None
    limited_by: IPv4Address | IPv6Address | None
    """The router that told the size; None where no router limits it, or none says so."""
    black_hole: bool
    """Whether larger packets vanish without an error."""
    vanish_behind: IPv4Address | IPv6Address | None
    """The last router that a packet reached which vanished; None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMTU:
    """The search for the path MTU to `destination`, from packets of `largest` bytes down.

    Asks with ICMP echo requests, or with UDP datagrams to a closed `port` if one is given. A packet counts as lost
    after `tries` of `timeout` seconds each. Raises FieldError.
    """

    destination: IPv4Address | IPv6Address
    largest: int
    port: int | None = None
    timeout: float = 1.0
    tries: int = 3
    id: int = 0

    def __post_init__(self) -> None:
        if not LEAST[self.destination.version] <= self.largest <= 65_535:
            raise FieldError("pmtu", "largest", self.largest, f"{LEAST[self.destination.version]} to 65535 bytes")

    def packet(self, size: int, number: int = 1) -> Packet:
        """A packet of `size` bytes that may not be fragmented."""
        data = bytes(size - HEADERS[self.destination.version])
        ip: IPv4 | IPv6
        if isinstance(self.destination, IPv4Address):
            ip = IPv4(dst=self.destination, dont_fragment=True, identification=number)
        else:
            ip = IPv6(dst=self.destination)
        if self.port is not None:
            return ip / UDP(src_port=32_768 + (self.id + number) % 16_384, dst_port=self.port) / data
        kind = ICMPv4 if ip.version == 4 else ICMPv6
        return ip / kind.echo(id=self.id, seq=number) / data

    def run(self, exchange: Exchange) -> Iterator[Step | PathMTUResult]:
        """Search: each step, and last the result. Raises what the exchange does, KernelError without a way."""
        least = LEAST[self.destination.version]
        passes, fails, lost = least - 1, self.largest + 1, 0
        size, told, limited_by, number = self.largest, 0, None, 0
        while fails - passes > 1:
            number += 1
            step = self._step(exchange, size, number)
            yield step
            if step.result is StepResult.PASSED:
                passes = size
                if size == told:  # the router that told it knows the next byte to be too many
                    break
            else:
                fails = size
                if step.result is StepResult.LOST:
                    lost = size
                else:
                    limited_by, told = step.address, step.mtu or 0
            size = self._next_size(step, passes, fails)
        if passes < least:
            yield PathMTUResult(None, limited_by, False, None)
            return
        behind = self._vanishing(exchange, lost) if lost else None
        yield PathMTUResult(passes, limited_by, bool(lost), behind)

    def _next_size(self, step: Step, passes: int, fails: int) -> int:
        """What to try between a size that passes and one that does not: what a router says, or halfway."""
        least = LEAST[self.destination.version]
        if step.mtu is not None and passes < step.mtu < fails:
            return step.mtu
        if step.mtu == 0 and (plateau := next((p for p in PLATEAUS if passes < p < fails), 0)):
            return plateau
        if step.result is StepResult.LOST and passes < least:
            return least
        return (passes + fails) // 2

    def _step(self, exchange: Exchange, size: int, number: int) -> Step:
        outcome = exchange.ask(self.packet(size, number), timeout=self.timeout, retries=self.tries - 1)
        if isinstance(outcome, Answer):
            return Step(size, StepResult.PASSED, self._sender(outcome), None, outcome.round_trip_ns)
        if outcome.reason in LOCAL and outcome.reason is not Reason.REFUSED:
            raise KernelError(errno.EHOSTUNREACH, f"find the path MTU to {self.destination}", outcome.text)
        packet = outcome.packet
        if outcome.reason is not Reason.ERROR or packet is None:
            return Step(size, StepResult.LOST, None, None, None)
        sender = self._sender(outcome)
        if sender == self.destination and is_port_unreachable(packet):
            return Step(size, StepResult.PASSED, sender, None, outcome.round_trip_ns)
        told = mtu_in(packet)
        result = StepResult.LOST if told is None else StepResult.TOO_LARGE
        return Step(size, result, sender, told, outcome.round_trip_ns)

    def _sender(self, outcome: Answer | Miss) -> IPv4Address | IPv6Address:
        assert outcome.packet is not None
        return outcome.packet[IPv4].src if self.destination.version == 4 else outcome.packet[IPv6].src

    def _vanishing(self, exchange: Exchange, size: int) -> IPv4Address | IPv6Address | None:
        """The last router that a packet of that size reaches."""
        method, port = (TraceMethod.ICMP, 0) if self.port is None else (TraceMethod.UDP, self.port)
        way = Trace(
            destination=self.destination,
            method=method,
            probes=1,
            port=port,
            size=size - HEADERS[self.destination.version],
            dont_fragment=True,
            timeout=self.timeout,
            id=self.id,
        )
        seen = None
        for hop in way.run(exchange):
            if not hop.addresses:
                break
            seen = hop.addresses[-1]
        return seen
