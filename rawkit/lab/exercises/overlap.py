"""Exercise 13: overlapping fragments: predict which bytes win (RFC 791, section 3.2; RFC 5722, section 4)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import (
    Check,
    Evidence,
    Exercise,
    Finding,
    Link,
    Prediction,
    Seed,
    Seen,
    Stage,
    Topology,
    Values,
    Wrong,
    python,
    services,
)
from rawkit.wire import IPv4

__all__ = ["EXERCISE"]

TASK = """
The server's Linux has its own mind about fragments that overlap. Show both halves of it, with two UDP datagrams
from port `{src_port}` to the echo service at port `{port}` of `{server}`, each of which you send in overlapping
fragments:

1. With identification `{spoiled}`, a datagram that never arrives, since a fragment overlaps earlier ones **in
   part**: some of its bytes have places that are covered already, others have not.
2. With identification `{kept}`, a datagram with the text `{text}` that arrives, although a fragment comes that
   lies **within** what earlier ones cover, and has other bytes than they.

The pieces of each cover the datagram without a gap, and its last piece comes last. Only the text comes back.
"""

SOLUTION = """
import os
from rawkit import IPv4, UDP
from rawkit.link import RawIPv4Socket

you, server = os.environ["LAB_YOU"], os.environ["LAB_SERVER"]
udp = UDP(src_port=int(os.environ["LAB_SRC_PORT"]), dst_port=int(os.environ["LAB_PORT"]))
whole = bytes(IPv4(src=you, dst=server) / udp / os.environ["LAB_TEXT"].encode())[20:]

def send(identification, *pieces):
    for start, data in pieces:
        more = start + len(data) < len(whole)
        place = dict(identification=int(identification), fragment_offset=start // 8, more_fragments=more)
        raw.send(IPv4(src=you, dst=server, protocol=17, **place) / data)

with RawIPv4Socket() as raw:
    send(os.environ["LAB_SPOILED"], (0, whole[:24]), (16, whole[16:32]), (24, whole[24:]))
    send(os.environ["LAB_KEPT"], (0, whole[:24]), (8, b"x" * 16), (24, whole[24:]))
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, two ports, two identifications and a text."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "src_port": seed.port(),
        "spoiled": seed.number(256, 32767),
        "kept": seed.number(32768, 65535),
        "text": seed.nonce() + seed.nonce(),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """An ordinary echo server."""
    stage.act("server", services.udp_echo(stage.values.port), ready=True)
    yield
    stage.wait_until(lambda: bool(stage.wire.sent_by("server").udp().all()), seconds=1.0)


def overlaps(e: Evidence, identification: int, *, within: bool) -> Finding:
    """Whether a fragment overlaps earlier ones in part, or lies within them and differs; and there is no gap."""
    found = e.fragments_of(identification, sent_by="you")
    pieces, numbers = found.pieces(), tuple(one.number for one in found.frames)
    kind = "lies within earlier ones and differs" if within else "overlaps earlier ones in part"
    expected = f"a fragment of {identification} that {kind}"
    seen = f"pieces {', '.join(f'{at}+{size}' for at, size, _ in pieces) or 'none'}"
    covered: dict[int, int] = {}
    overlapping: list[int] = []
    for one, (offset, _, _) in zip(found.frames, pieces, strict=True):
        data = dict(enumerate(body_of(one), offset))
        if data.keys() & covered and (data.keys() <= covered.keys()) == within:
            if within and all(covered[place] == byte for place, byte in data.items()):
                seen = f"the fragment at {offset} has the same bytes as those before"
            else:
                overlapping = [one.number]
        covered = data | covered
    if not overlapping:
        return Finding(False, expected, seen, numbers)
    if pieces[-1].more or len(covered) != max(covered) + 1:
        return Finding(False, "pieces without a gap, the last one last", seen, numbers)
    return Finding(True, expected, "there it is", (*overlapping, *numbers))


def body_of(fragment: Seen) -> bytes:
    """What a fragment carries behind its IPv4 header."""
    start, stop = fragment.packet.bounds()[1]  # behind Ethernet
    return fragment.transit.frame.data[stop : start + fragment.packet[IPv4].total_length]


EXERCISE = Exercise(
    name="overlap",
    number=13,
    level=4,
    title="Overlapping fragments: which bytes win?",
    learnt="Why a firewall that puts fragments together otherwise than the host behind it can be deceived.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "A fragment lies within bytes that Linux has already, and differs from them. Which bytes does it keep? "
        "(the first, the last, or none)",
        lambda _: "the first",
        "What lies within a run of received bytes counts as a duplicate and is dropped; what overlaps in part "
        "has the whole datagram dropped (net/ipv4/inet_fragment.c; RFC 5722 asks for that in IPv6).",
    ),
    hints=(
        "RFC 791 lets the last bytes win. That was abused; kernels now throw away what overlaps, but not all.",
        "Choose fragment_offset and length of a piece so that it reaches beyond what is there, or does not.",
        "Offsets count 8 bytes, in the low 13 bits of bytes 20 and 21 of the frame; total_length is in 16 and 17.",
    ),
    checks=[
        Check(
            "in-part",
            "of {spoiled}, a fragment overlaps another in part",
            lambda e: overlaps(e, e.values.spoiled, within=False),
            "RFC 5722, section 4",
        ),
        Check(
            "within",
            "of {kept}, a fragment lies within what is there",
            lambda e: overlaps(e, e.values.kept, within=True),
            "RFC 791, section 3.2",
        ),
        Check(
            "echo",
            "the service sends {text} back, and nothing else",
            lambda e: e.wire.sent_by("server").udp(src_port=e.values.port).payload(e.values.text).once(),
            "RFC 862",
        ),
        Check(
            "one",
            "the server's kernel puts one packet together",
            lambda e: e.counter("server", "Ip.ReasmOKs").rose_by(1),
            "RFC 1213, ipReasmOKs",
        ),
        Check(
            "other",
            "and drops the other",
            lambda e: e.counter("server", "Ip.ReasmFails").rose(),
            "RFC 1213, ipReasmFails",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace("(16, whole[16:32])", "(8, whole[8:24])")), "in-part", "pieces 0+24, 8+16"),
        Wrong(python(SOLUTION.replace('b"x" * 16', "whole[8:24]")), "within", "the same bytes"),
        Wrong(
            python(SOLUTION.replace('(0, whole[:24]), (8, b"x" * 16)', '(8, b"x" * 16), (0, whole[:24])')),
            "within",
            "pieces 8+16, 0+24",
        ),
    ],
)
