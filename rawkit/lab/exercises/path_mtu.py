"""Exercise 14: path MTU discovery and the black hole (RFC 1191; RFC 2923, section 2.1; RFC 4821)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python
from rawkit.wire import IPv4

__all__ = ["EXERCISE"]

TASK = """
How large can an IPv4 packet be that reaches `{server}` whole? Find out with packets that must not be fragmented
(DF), and print the number of bytes, IP header included, and nothing else. `{server}` answers pings.

There are two narrow links on the way. The router before the first says so when a packet is too large; the one
before the second is a black hole: what is too large for it disappears. Do not trust what you are told; try.
"""

SOLUTION = """
import os
from rawkit import ICMPv4, IPv4
from rawkit.errors import KernelError, TimedOut
from rawkit.link import PacketSocket, RawIPv4Socket
from rawkit.wire import ICMPv4Echo

you, server = os.environ["LAB_YOU"], os.environ["LAB_SERVER"]

def reaches(size):
    probe = IPv4(src=you, dst=server, dont_fragment=True) / ICMPv4.echo(id=size, seq=1) / bytes(size - 28)
    for attempt in range(2):
        try:
            raw.send(probe)
            while True:
                packet = link.receive(0.25).packet()
                if ICMPv4Echo in packet and packet[ICMPv4Echo].id == size:
                    return packet[ICMPv4Echo].type == 0  # else it is an error that quotes the probe
        except TimedOut:
            continue
        except KernelError:
            return False  # the kernel believes the router's error
    return False  # not a word

with PacketSocket("eth0", filter="icmp and dst host " + you) as link, RawIPv4Socket() as raw:
    fits, too_large = 576, 1501 if reaches(1500) else 1500
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        if reaches(middle):
            fits = middle
        else:
            too_large = middle
    print(fits)
"""

HOLE = "table ip n { chain c { type filter hook output priority 0; icmp type destination-unreachable drop; }; }"


def values(seed: Seed) -> dict[str, Any]:
    """The networks along the way, and how narrow two of them are."""
    first, second, third = (seed.network() for _ in range(3))
    return {
        "you": str(first[2]),
        "server": str(third[2]),
        "_ends": [str(network[1]) for network in (first, second, third)],
        "_far": str(second[2]),
        "_told": seed.secret.number(1400, 1480),
        "_answer": seed.secret.number(1201, 1390),
    }


def topology(v: Values) -> Topology:
    """You, two routers, the server."""
    near, middle, last = v._ends
    return Topology(
        [
            Link("you", "r1", (f"{v.you}/24", f"{near}/24")),
            Link("r1", "r2", (f"{middle}/24", f"{v._far}/24"), mtu=v._told, drawn_in_full=False),
            Link("r2", "server", (f"{last}/24", f"{v.server}/24"), mtu=v._answer, drawn_in_full=False),
        ],
        routers=["r1", "r2"],
    )


def scene(stage: Stage) -> Generator[None, None, None]:
    """The second router tells nobody."""
    stage.host("r2").add_rules(HOLE)
    yield


EXERCISE = Exercise(
    name="path-mtu",
    number=14,
    level=3,
    title="Path MTU discovery and the black hole",
    learnt="How a host learns what a path can carry, and what to do where nobody tells it.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "A packet with DF is too large for the first narrow link. What is the code of the ICMP error (type 3)? "
        "(a number)",
        lambda _: "4",
        "Fragmentation needed and DF set (RFC 792, page 4), with the next hop's MTU in it (RFC 1191, section 4).",
    ),
    hints=(
        "Silence is an answer, too. Between a size that is answered and one that is not, halve.",
        "The DF flag in each probe; in the error, next_hop_mtu. An echo reply proves that a size arrives.",
        "DF is 0x40 in byte 20 of the frame, total_length in 16 and 17; next_hop_mtu in 40 and 41 of the error.",
    ),
    checks=[
        Check(
            "df",
            "you probe with packets that must not be fragmented",
            lambda e: e.wire.sent_by("you").ip(dst=e.values.server, dont_fragment=True).at_least(3),
            "RFC 1191, section 3",
        ),
        Check(
            "hole",
            "you send something into the black hole",
            lambda e: (
                e.wire.sent_by("r1")
                .received_by("r2")
                .ip(dst=e.values.server, dont_fragment=True)
                .where("too large for what follows", lambda packet: packet[IPv4].total_length > e.values._answer)
                .saw()
            ),
            "RFC 2923, section 2.1",
        ),
        Check(
            "largest",
            "a probe of just the right size arrives at {server}",
            lambda e: (
                e.wire.received_by("server")
                .ip(dst=e.values.server, total_length=e.values._answer, dont_fragment=True)
                .saw()
            ),
            "RFC 4821, section 7",
        ),
        Check("printed", "you print its size", lambda e: e.output_equals(str(e.values._answer))),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace("dont_fragment=True", "dont_fragment=False")), "df", "dont_fragment is False"
        ),
        Wrong(python(SOLUTION.replace("print(fits)", "print(fits - 28)")), "printed", "output '1"),
        Wrong(python(SOLUTION.replace("return False  # not", "return True  # not")), "largest", "total_length is"),
    ],
)
