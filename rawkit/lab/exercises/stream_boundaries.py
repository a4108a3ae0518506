"""Exercise 21: a stream has no boundaries (RFC 9293, section 3.8; recv(2))."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from rawkit.errors import TimedOut
from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python
from rawkit.netns import Worker
from rawkit.wire import TCP

__all__ = ["EXERCISE"]

TASK = """
Connect to TCP port `{port}` of `{server}`. It sends you {count} messages and closes. Each message is its
length, as two bytes in network byte order, and then that many bytes of text. Print each message on a line of
its own, in order.

What the server writes at once need not come at once, and what it writes in pieces need not come in pieces.
"""

SOLUTION = """
import os, socket

def exactly(count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise SystemExit("the server closed in the midst of a message")
        data += piece
    return data

with socket.create_connection((os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])), 5) as connection:
    for _ in range(int(os.environ["LAB_COUNT"])):
        print(exactly(int.from_bytes(exactly(2), "big")).decode())
"""


COUNT = 6


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, a port, and the messages."""
    network, secret = seed.network(), seed.secret
    messages = ["".join(secret.nonce() for _ in range(9))[: secret.number(5, 140)] for _ in range(COUNT)]
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "count": COUNT,
        "_messages": "\n".join(messages),
        "_cuts": [secret.number(1, 60) for _ in range(8)],
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def pieces(v: Values) -> list[bytes]:
    """What the server writes at once: cut where no message ends, the rest in one."""
    messages = [message.encode() for message in v._messages.split("\n")]
    stream = b"".join(len(message).to_bytes(2) + message for message in messages)
    found = []
    for cut in v._cuts:
        found.append(stream[:cut])
        stream = stream[cut:]
    return [piece for piece in [*found, stream] if piece]


def send(v: Values) -> Callable[[Worker], None]:
    """The server: for each client the pieces, a moment after one another."""

    def work(worker: Worker) -> None:
        with socket.create_server(("0.0.0.0", v.port)) as server:
            worker.cues.give("ready")
            while True:
                client, _ = server.accept()
                with client, suppress(OSError):
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for piece in pieces(v):
                        client.sendall(piece)
                        with suppress(TimedOut):
                            worker.cues.take(0.03)

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """The server."""
    stage.act("server", send(stage.values), ready=True)
    yield


EXERCISE = Exercise(
    name="stream-boundaries",
    number=21,
    level=1,
    title="A stream has no boundaries",
    learnt="Why one recv is not one message, and what to do about it.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "The server writes 100 bytes at once. How many calls of recv(100) may it take until you have them all? "
        "(one, two, or up to 100)",
        lambda _: "up to 100",
        "A stream is a sequence of bytes; recv gives what is there, one byte at least (recv(2)).",
    ),
    hints=(
        "Read until you have what you need, and no further: first two bytes, then as many as they say.",
        "The length counts the text alone. It, too, can come in two halves.",
        "Look at the segments with `--ladder`: they begin at byte 66 "
        "of the frame, and end in the midst of messages.",
    ),
    checks=[
        Check(
            "connected",
            "you connect to port {port}",
            lambda e: e.handshake_completed("you", "server", port=e.values.port),
            "RFC 9293, section 3.5",
        ),
        Check("printed", "you print the {count} messages", lambda e: e.output_equals(e.values._messages)),
        Check(
            "all",
            "you read to the end: the server's FIN is not answered by RST",
            lambda e: e.wire.sent_by("you").where("RST", lambda packet: bool(packet[TCP].flags & 4)).never(),
            "RFC 1122, section 4.2.2.13",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(
                SOLUTION.replace(
                    'print(exactly(int.from_bytes(exactly(2), "big")).decode())',
                    "print(connection.recv(4096)[2:].decode(errors='replace'))",
                )
            ),
            "printed",
            "output",
        ),
        Wrong(
            python(
                SOLUTION.replace("    while len(data) < count:\n", "    if True:\n")
                .replace('raise SystemExit("the server closed in the midst of a message")', "pass")
                .replace(".decode())", ".decode(errors='replace'))")
            ),
            "printed",
            "output",
        ),
    ],
)
