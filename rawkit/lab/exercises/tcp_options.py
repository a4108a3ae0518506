"""Exercise 20: TCP options: a window scale and an MSS, offered and used (RFC 7323, section 2; RFC 9293, 3.7.1)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any

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
from rawkit.netns import Worker
from rawkit.wire import TCP, MaximumSegmentSize, Packet, WindowScale

__all__ = ["EXERCISE"]

TASK = """
At port `{port}` of `{server}` waits a text of {size} bytes, which comes as soon as you are connected. The way is
long: a frame takes 50 ms. Open the connection by hand, from port `{src_port}`, and offer two options in your
SYN: a maximum segment size of `{mss}`, and a window scale of `{scale}`. Read the whole text, acknowledge what
comes, and print its last sixteen characters.

The server must obey the MSS in every segment. And it must make use of the scaled window: at some time, more
than 65,535 bytes have to be on their way that you have not acknowledged yet. (It begins with few, and sends about
twice as many in each round trip, as far as you acknowledge and your window allows.) Your own kernel must send no
RST.
"""

SOLUTION = """
import os
from ipaddress import ip_address
from rawkit import IPv4, TCP
from rawkit.link import Flow, FlowGuard, PacketSocket, RawIPv4Socket
from rawkit.wire import MaximumSegmentSize, TCPNoOperation, WindowScale

you, server = os.environ["LAB_YOU"], os.environ["LAB_SERVER"]
src_port, port = int(os.environ["LAB_SRC_PORT"]), int(os.environ["LAB_PORT"])
options = (
    MaximumSegmentSize(mss=int(os.environ["LAB_MSS"])),
    TCPNoOperation(),
    WindowScale(shift=int(os.environ["LAB_SCALE"])),
)

def send(flags, seq, ack, **more):
    numbers = {"src_port": src_port, "dst_port": port, "seq": seq, "ack": ack, "window": 65535}
    raw.send(IPv4(src=you, dst=server) / TCP(flags=flags, **numbers, **more))

text = {}
with FlowGuard([Flow(ip_address(you), ip_address(server), src_port, port)]):
    with PacketSocket("eth0", filter=f"tcp and src {server}", buffer_size=1 << 22) as link, RawIPv4Socket() as raw:
        send("S", 1, 0, options=options)
        first = link.receive(2).packet()[TCP].seq + 1
        send("A", 2, first)
        size, there = int(os.environ["LAB_SIZE"]), 0
        while there < size:
            packet = link.receive(2).packet()
            text[packet[TCP].seq] = packet.payload
            while text.get(first + there):
                there += len(text[first + there])
            send("A", 2, first + there)
print(b"".join(text[seq] for seq in sorted(text))[:size][-16:].decode())
"""

SIZE = 400_000
DELAY = 0.05
"""Seconds that a frame takes: how much is on its way does not then hang on how quick the student's program is."""

UNSCALED = 65_535

UNGUARDED = """
with RawIPv4Socket() as raw:
    send("A", 1, first)  # an old number, which the server answers
"""

BY_THE_KERNEL = """
import os, socket

room = 65535 << int(os.environ["LAB_SCALE"])  # for which the kernel offers just that scale
with open("/proc/sys/net/ipv4/tcp_rmem", "w") as sizes:
    sizes.write(f"4096 131072 {room}")
with socket.socket() as connection:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, int(os.environ["LAB_MSS"]))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, room)
    connection.bind(("", int(os.environ["LAB_SRC_PORT"])))
    connection.connect((os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])))
    left, text = int(os.environ["LAB_SIZE"]), b""
    while left and (data := connection.recv(left)):
        left -= len(data)
        text = (text + data)[-16:]
    print(text.decode(), flush=True)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, two ports, what to offer, and how the text ends."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "src_port": seed.port(),
        "mss": seed.number(700, 1300),
        "scale": seed.number(3, 7),
        "size": SIZE,
        "_nonce": seed.secret.nonce(),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a long cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"), impaired={"delay": DELAY})])


def tell(v: Values) -> Callable[[Worker], None]:
    """The server: the text, to whoever connects."""
    text = b"." * (SIZE - len(v._nonce)) + v._nonce.encode()

    def work(worker: Worker) -> None:
        with socket.create_server(("0.0.0.0", v.port)) as server:
            worker.cues.give("ready")
            while True:
                client, _ = server.accept()
                with client, suppress(OSError):
                    client.sendall(text)
                    client.recv(1)

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """The server."""
    stage.act("server", tell(stage.values), ready=True)
    yield


def offered(e: Evidence) -> Finding:
    """Whether the SYN has both options with their values."""
    wire = e.wire.sent_by("you").tcp(src_port=e.values.src_port, dst_port=e.values.port, flags="S")
    for kind, name, wanted in ((MaximumSegmentSize, "mss", e.values.mss), (WindowScale, "shift", e.values.scale)):
        wire = wire.where(f"with {kind.__name__} {name}={wanted}", partial(has, kind, name, wanted))
    return wire.sound().saw()


def has(kind: type, name: str, wanted: int, packet: Packet) -> bool:
    """Whether a segment has an option with that value."""
    return any(isinstance(option, kind) and getattr(option, name) == wanted for option in packet[TCP].options)


def obeyed(e: Evidence) -> Finding:
    """Whether no segment of the server's carries more than the MSS."""
    sent = e.wire.sent_by("server").tcp(src_port=e.values.port)
    longest = max(sent, key=lambda one: len(one.packet.payload), default=None)
    if longest is None:
        return sent.saw()
    size = len(longest.packet.payload)
    return Finding(
        0 < size <= e.values.mss, f"segments of {e.values.mss} bytes at most", f"{size} bytes", (longest.number,)
    )


def on_the_way(e: Evidence) -> Finding:
    """Whether more was unacknowledged at a time than a window without scale allows."""
    most, where, begun, acked, sent = 0, 0, None, 0, 0
    for one in e.wire.tcp():
        segment = one.packet[TCP]
        if one.transit.sender == "server" and segment.src_port == e.values.port:
            begun = segment.seq if begun is None else begun
            sent = max(sent, (segment.seq - begun + len(one.packet.payload)) % 2**32)
        elif begun is not None and segment.dst_port == e.values.port:
            acked = max(acked, (segment.ack - begun) % 2**32)
        if sent - acked > most:
            most, where = sent - acked, one.number
    return Finding(
        most > UNSCALED, f"more than {UNSCALED} bytes on their way", f"{most} bytes", (where,) if where else ()
    )


EXERCISE = Exercise(
    name="tcp-options",
    number=20,
    level=4,
    title="TCP options: a window scale and an MSS",
    learnt="What the two options of a SYN promise, and what a sender makes of them.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "The window field is 65535 and the scale {scale}. How many bytes may be on their way to you?",
        lambda v: str(UNSCALED << v.scale),
        "The field counts units of 2 to the power of the scale (RFC "
        "7323, section 2.2); the one in the SYN is not scaled.",
    ),
    hints=(
        "An option counts only if both SYNs have it; look at what the server's SYN-ACK offers.",
        "Kind 2, length 4: MSS. Kind 3, length 3: window scale; a "
        "no-operation (kind 1) before it keeps words even.",
        "Options begin at byte 54 of the frame, and data_offset (the high "
        "half of byte 46) counts them in words of 4 bytes.",
    ),
    checks=[
        Check(
            "offered",
            "your SYN, from port {src_port}, offers an MSS of {mss} and a window scale of {scale}",
            offered,
            "RFC 7323, section 2.2",
        ),
        Check(
            "connected",
            "the handshake is complete",
            lambda e: e.handshake_completed("you", "server", port=e.values.port),
            "RFC 9293, section 3.5",
        ),
        Check(
            "mss", "no segment of the server's carries more than {mss} bytes", obeyed, "RFC 9293, section 3.7.1"
        ),
        Check("window", "more than 65,535 bytes were on their way at a time", on_the_way, "RFC 7323, section 2.3"),
        Check("printed", "you print the last sixteen characters", lambda e: e.output_equals(e.values._nonce)),
        Check(
            "by-hand",
            "your kernel opens no connection by itself",
            lambda e: e.counter("you", "Tcp.ActiveOpens").stayed(),
            "RFC 4022, tcpActiveOpens",
        ),
        Check(
            "silent",
            "your host sends no RST",
            lambda e: e.wire.sent_by("you").matching("tcp[tcpflags] & tcp-rst != 0").never(),
            "RFC 9293, section 3.10.7.1",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(BY_THE_KERNEL), "by-hand", "Tcp.ActiveOpens of you rose by 1"),
        Wrong(python(SOLUTION + UNGUARDED), "silent", "of them"),
        Wrong(
            python(SOLUTION.replace('    WindowScale(shift=int(os.environ["LAB_SCALE"])),\n', "")),
            "offered",
            "WindowScale",
        ),
        Wrong(
            python(
                SOLUTION.replace(
                    'MaximumSegmentSize(mss=int(os.environ["LAB_MSS"]))', "MaximumSegmentSize(mss=1460)"
                )
            ),
            "offered",
            "it is not with MaximumSegmentSize",
        ),
        Wrong(python(SOLUTION.replace('"window": 65535', '"window": 500')), "window", "bytes"),
    ],
)
