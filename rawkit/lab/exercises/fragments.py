"""Exercise 12: fragmentation: three pieces of 32 bytes (RFC 791, section 3.2)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python, services

__all__ = ["EXERCISE"]

TASK = """
An echo service listens at UDP port `{port}` of `{server}`. Send it the {size} bytes of text in `LAB_TEXT` as
**one** UDP datagram, from port `{src_port}`, whose IP packet you cut yourself: into exactly three fragments, in
order, each of which carries 32 bytes, with identification `{id}`. (The UDP header and the text are 96 bytes
together.)

The server's kernel puts them together again, and the service sends the text back.
"""

SOLUTION = """
import os
from rawkit import IPv4, UDP
from rawkit.link import RawIPv4Socket

you, server = os.environ["LAB_YOU"], os.environ["LAB_SERVER"]
udp = UDP(src_port=int(os.environ["LAB_SRC_PORT"]), dst_port=int(os.environ["LAB_PORT"]))
body = bytes(IPv4(src=you, dst=server) / udp / os.environ["LAB_TEXT"].encode())[20:]
with RawIPv4Socket() as raw:
    for start in (0, 32, 64):
        header = IPv4(
            src=you,
            dst=server,
            protocol=17,
            identification=int(os.environ["LAB_ID"]),
            fragment_offset=start // 8,
            more_fragments=start < 64,
        )
        raw.send(header / body[start : start + 32])
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, two ports, an identification and the text."""
    network = seed.network()
    text = "".join(seed.nonce() for _ in range(6))[:88]
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "src_port": seed.port(),
        "id": seed.number(256, 65535),
        "text": text,
        "size": len(text),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """An ordinary echo server."""
    stage.act("server", services.udp_echo(stage.values.port), ready=True)
    yield
    stage.wait_until(lambda: bool(stage.wire.sent_by("server").udp().all()), seconds=1.0)


EXERCISE = Exercise(
    name="fragments",
    number=12,
    level=2,
    title="Fragmentation: three pieces of 32 bytes",
    learnt="What each fragment of a packet says about its place, and in which unit.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "What number stands in the fragment offset field of the second piece?",
        lambda _: "4",
        "Offsets count units of 8 bytes (RFC 791, section 3.1), so 32 bytes are 4.",
    ),
    hints=(
        "UDP knows nothing of it: its one header is in the first piece, with length and checksum of the whole.",
        "All have the same identification, all but the last more_fragments; fragment_offset counts 8 bytes.",
        "Flags and offset share bytes 20 and 21 of the frame: 0x2000, 0x2004 and 0x0008.",
    ),
    checks=[
        Check(
            "pieces",
            "you send three fragments of 32 bytes with identification {id}, in order",
            lambda e: e.fragments_of(e.values.id, sent_by="you").are(
                [(0, 32, True), (32, 32, True), (64, 32, False)]
            ),
            "RFC 791, section 3.2",
        ),
        Check(
            "whole",
            "the server's kernel puts one packet together",
            lambda e: e.counter("server", "Ip.ReasmOKs").rose_by(1),
            "RFC 1213, ipReasmOKs",
        ),
        Check(
            "echo",
            "the service sends the text back",
            lambda e: (
                e.wire.sent_by("server")
                .udp(src_port=e.values.port, dst_port=e.values.src_port)
                .payload(e.values.text)
                .saw()
            ),
            "RFC 862",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace("fragment_offset=start // 8", "fragment_offset=start")),
            "pieces",
            "256+32 more",
        ),
        Wrong(
            python(SOLUTION.replace("more_fragments=start < 64", "more_fragments=True")), "pieces", "64+32 more"
        ),
        Wrong(python(SOLUTION.replace("/ udp /", "/ udp.replace(length=32) /")), "echo", "carrying"),
    ],
)
