"""Exercise 8: traceroute by TTL (RFC 791, section 3.2; RFC 792, page 6)."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from rawkit.errors import KernelError
from rawkit.lab import (
    Check,
    Evidence,
    Exercise,
    Finding,
    Link,
    Prediction,
    Seed,
    Stage,
    Topology,
    Values,
    Wrong,
    python,
)
from rawkit.link import Direction, PacketSocket, RawIPv4Socket
from rawkit.netns import Worker
from rawkit.wire import UDP, ICMPv4, ICMPv4TimeExceeded, IPv4

__all__ = ["EXERCISE"]

TASK = """
Find the routers on the way to `{target}` by probes with rising TTL, and print one line for each hop: its
number and its address, the target's being the last:

    1 10.1.2.3
    2 *

The network is as networks are: one router says everything twice; one says nothing, so its line has a `*`; and your
host gets ICMP errors about packets that are not yours. Allow each router half a second.
"""

SOLUTION = """
import os, time
from rawkit import ICMPv4, IPv4
from rawkit.errors import TimedOut
from rawkit.link import PacketSocket, RawIPv4Socket
from rawkit.wire import ICMPv4Echo, ICMPv4TimeExceeded

you, target, ident = os.environ["LAB_YOU"], os.environ["LAB_TARGET"], 4711

def answer_to(link, seq):
    deadline = time.monotonic() + 0.6
    while (left := deadline - time.monotonic()) > 0:
        try:
            packet = link.receive(left).packet()
        except TimedOut:
            return None
        if ICMPv4Echo not in packet or str(packet[IPv4].dst) != you:
            continue
        about = packet[ICMPv4Echo]
        if (about.id, about.seq) != (ident, seq):
            continue  # about somebody else's packet, or an earlier one
        if ICMPv4TimeExceeded in packet or about.type == 0:
            return packet
    return None

with PacketSocket("eth0", filter="icmp") as link, RawIPv4Socket() as raw:
    for ttl in range(1, 12):
        raw.send(IPv4(src=you, dst=target, ttl=ttl) / ICMPv4.echo(id=ident, seq=ttl), target)
        packet = answer_to(link, ttl)
        print(ttl, "*" if packet is None else packet[IPv4].src)
        if packet is not None and ICMPv4TimeExceeded not in packet:
            break
"""

ROUTERS = ("r1", "r2", "r3", "r4")
TWICE, SILENT = "r2", "r3"
MUTE = "table ip mute { chain out { type filter hook output priority 0; icmp type time-exceeded drop; }; }"


def values(seed: Seed) -> dict[str, Any]:
    """The networks along the way."""
    networks = [seed.network() for _ in range(len(ROUTERS) + 1)]
    found: dict[str, Any] = {"you": str(networks[0][1]), "target": str(networks[-1][2])}
    for at, name in enumerate(ROUTERS):
        found |= {f"_{name}_near": seed.secret.address(networks[at]), f"_{name}_far": str(networks[at + 1][1])}
    return found | {"_stranger": seed.address(seed.network())}


def topology(v: Values) -> Topology:
    """A chain: you, four routers, the target."""
    ends = [("you", v.you), *[(name, v[f"_{name}_far"]) for name in ROUTERS]]
    nexts = [*[(name, v[f"_{name}_near"]) for name in ROUTERS], ("target", v.target)]
    links = [
        Link(a, b, (f"{left}/24", f"{right}/24"), drawn_in_full=False)
        for (a, left), (b, right) in zip(ends, nexts, strict=True)
    ]
    return Topology(links, routers=ROUTERS)


def say_twice(worker: Worker) -> None:
    """Repeat each time exceeded that this router sends towards the student."""
    with PacketSocket("eth0", filter="icmp") as link:
        worker.cues.give("ready")
        while True:
            frame = link.receive()
            if frame.direction is Direction.OUTGOING and ICMPv4TimeExceeded in frame.packet():
                link.send(frame.data)


def noise(v: Values) -> Any:
    """Send the student errors about packets that are not the student's, for as long as it may take."""

    def work(worker: Worker) -> None:
        lost = IPv4(src=v.you, dst=v._stranger, ttl=1) / UDP(src_port=9, dst_port=9) / b"noise"
        with RawIPv4Socket() as raw:
            worker.cues.give("ready")
            for _ in range(200):
                try:
                    raw.send(IPv4(src=v._stranger, dst=v.you) / ICMPv4.time_exceeded(quoting=lost), v.you)
                    worker.cues.take(0.05)
                    return  # the other process has ended
                except (KernelError, TimeoutError):
                    continue

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """One router says everything twice, one nothing, and a stranger complains."""
    stage.host(SILENT).add_rules(MUTE)
    stage.act(TWICE, say_twice, ready=True)
    stage.act("r1", noise(stage.values), ready=True)
    yield


def route(v: Values) -> list[str]:
    """What has to be printed."""
    hops = ["*" if name == SILENT else v[f"_{name}_near"] for name in ROUTERS]
    return [f"{number} {hop}" for number, hop in enumerate([*hops, v.target], 1)]


def probed(ttl: int, e: Evidence) -> Finding:
    """Whether a probe with that TTL was sent."""
    return e.wire.sent_by("you").ip(dst=e.values.target, ttl=ttl).saw()


def printed(e: Evidence) -> Finding:
    """Whether the lines of the output are the hops; how they are spaced does not matter."""
    lines = [" ".join(line.split()) for line in e.output.decode(errors="replace").splitlines() if line.strip()]
    wanted = route(e.values)
    for line, right in zip([*lines, *["nothing"] * len(wanted)], wanted, strict=False):
        if line != right:
            return Finding(False, f"the line {right!r}", f"{line!r}")
    return Finding(len(lines) == len(wanted), f"{len(wanted)} lines", f"{len(lines)} lines")


EXERCISE = Exercise(
    name="traceroute",
    number=8,
    level=2,
    title="Traceroute by TTL",
    learnt="How a field that protects networks from loops shows the "
    "way through them, and which answers to believe.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "A probe with TTL 1 reaches a router. What does the router do with it? (forward, discard or return)",
        lambda _: "discard",
        "It takes one off, finds 0, discards the packet and tells the sender (RFC 1812, section 5.3.1).",
    ),
    hints=(
        "Each router takes one off the TTL. Where it becomes 0, that router has to say so, with its own address.",
        "An ICMP error quotes the packet that it is about: compare "
        "what you put into the probe, such as id and seq.",
        "TTL is byte 22 of your frame. In the error, the quoted IP "
        "header begins at byte 42, and its payload at byte 62.",
    ),
    checks=[
        *[
            Check(
                f"ttl-{ttl}",
                f"you send a probe to {{target}} with TTL {ttl}",
                partial(probed, ttl),
                "RFC 792, page 6",
            )
            for ttl in (1, len(ROUTERS) + 1)
        ],
        Check(
            "reached",
            "the target answers",
            lambda e: e.wire.sent_by("target").ip(src=e.values.target, dst=e.values.you).saw(),
        ),
        Check("printed", "you print the hops, in order", printed),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace("(about.id, about.seq) != (ident, seq)", "(about.id) != ident")),
            "printed",
            "the line '3 *'",
        ),
        Wrong(
            python(
                SOLUTION.replace(
                    "if ICMPv4Echo not in packet or",
                    "if ICMPv4TimeExceeded in packet:\n            return "
                    "packet\n        if ICMPv4Echo not in packet or",
                )
            ),
            "printed",
            "the line",
        ),
        Wrong(python(SOLUTION.replace("range(1, 12)", "range(1, 4)")), "ttl-5", "ttl is 3"),
    ],
)
