"""Exercise 22: datagram truncation (RFC 768; recv(2), MSG_TRUNC)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python
from rawkit.netns import Worker

__all__ = ["EXERCISE"]

TASK = """
Send `go` to UDP port `{port}` of `{server}`. It answers with {count} datagrams of different sizes, up to what
UDP can carry. For each, in order, print its size in bytes and its last eight characters, with a space between
them:

    1234 0a1b2c3d
"""

SOLUTION = """
import os, socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
    asker.settimeout(5)
    asker.sendto(b"go", (os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])))
    for _ in range(int(os.environ["LAB_COUNT"])):
        data = asker.recv(65535)
        print(len(data), data[-8:].decode())
"""


SIZES = (100, 900), (1100, 1400), (2100, 9000), (20_000, 60_000)
"""Between which the sizes of the datagrams are."""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, a port, sizes, and how each datagram ends."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "count": len(SIZES),
        "_sizes": [seed.secret.number(*range_) for range_ in SIZES],
        "_ends": [seed.secret.nonce()[:8] for _ in SIZES],
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def answer(v: Values) -> Callable[[Worker], None]:
    """The server: to each `go`, the datagrams."""
    datagrams = [b"." * (size - 8) + end.encode() for size, end in zip(v._sizes, v._ends, strict=True)]

    def work(worker: Worker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
            server.bind(("0.0.0.0", v.port))
            worker.cues.give("ready")
            while True:
                asked, peer = server.recvfrom(64)
                for datagram in datagrams if asked.strip() == b"go" else ():
                    server.sendto(datagram, peer)

    return work


def expected(v: Values) -> str:
    """What has to be printed."""
    return "\n".join(f"{size} {end}" for size, end in zip(v._sizes, v._ends, strict=True))


def scene(stage: Stage) -> Generator[None, None, None]:
    """The server."""
    stage.act("server", answer(stage.values), ready=True)
    yield


EXERCISE = Exercise(
    name="datagram-truncation",
    number=22,
    level=1,
    title="A datagram does not wait for the rest of it",
    learnt="What becomes of the bytes of a datagram that do not fit into the buffer of one recv.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "A datagram of 5 bytes comes, you call recv(3), then recv(3) "
        "again. How many bytes does the second call give "
        "you of that datagram? (a number)",
        lambda _: "0",
        "One recv takes one datagram; what does not fit is discarded, and MSG_TRUNC says so (recv(2)).",
    ),
    hints=(
        "Each recv is one datagram, whole or cut. There is no asking for the rest.",
        "UDP's length field has 16 bits, and IPv4's total_length too: a buffer of that size always does.",
        "Datagrams above 1480 bytes cross the wire as fragments: look "
        "at more_fragments in byte 20 of the frame (0x20).",
    ),
    checks=[
        Check(
            "asked",
            "you send go to port {port}",
            lambda e: (
                e.wire.sent_by("you").ip(dst=e.values.server).udp(dst_port=e.values.port).payload(b"go").saw()
            ),
        ),
        Check("printed", "you print size and end of each", lambda e: e.output_equals(expected(e.values))),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace("recv(65535)", "recv(1024)")), "printed", "1024 ........"),
        Wrong(python(SOLUTION.replace("recv(65535)", "recv(1024) + asker.recv(65535)")), "printed", "output"),
    ],
)
