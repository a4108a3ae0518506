"""Exercise 4: the whole three-way handshake by hand, then one line of data (RFC 9293, section 3.5)."""

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
    Stage,
    Topology,
    Values,
    Wrong,
    python,
    services,
)
from rawkit.wire import TCP

__all__ = ["EXERCISE"]

TASK = """
An echo service listens at TCP port `{port}` of `{server}`. Open a connection to it **by hand**, from port
`{src_port}`, send the line `{nonce}` (with a line feed at its end) in one segment, and acknowledge the echo.

Your own kernel must not reset the connection: there must be no RST from your host. How you keep it from that is up
to you: a firewall rule (`nft`), `rawkit.link.FlowGuard`, or an address that your host does not have, for which you
answer ARP yourself. End when you have acknowledged the echo; the connection may stay open, or you close it with
FIN.
"""

SOLUTION = """
import os
from ipaddress import ip_address
from rawkit import IPv4, TCP
from rawkit.link import Flow, FlowGuard, PacketSocket, RawIPv4Socket

you, server = os.environ["LAB_YOU"], os.environ["LAB_SERVER"]
src_port, port = int(os.environ["LAB_SRC_PORT"]), int(os.environ["LAB_PORT"])
line = os.environ["LAB_NONCE"].encode() + b"\\n"

def send(flags, seq, ack, data=b""):
    segment = TCP(src_port=src_port, dst_port=port, seq=seq, ack=ack, flags=flags)
    raw.send(bytes(IPv4(src=you, dst=server) / segment / data), server)

def receive(wanted):
    while True:
        packet = link.receive(2).packet()
        if TCP in packet and packet[TCP].dst_port == src_port and wanted(packet):
            return packet

with FlowGuard([Flow(ip_address(you), ip_address(server), src_port, port)]):
    with PacketSocket("eth0") as link, RawIPv4Socket() as raw:
        send("S", 1000, 0)
        answer = receive(lambda packet: packet[TCP].ack == 1001)[TCP]
        send("A", 1001, answer.seq + 1)
        send("PA", 1001, answer.seq + 1, line)
        echo = receive(lambda packet: packet.payload == line)
        send("A", 1001 + len(line), echo[TCP].seq + len(line))
"""

BY_THE_KERNEL = """
import os, socket
with socket.socket() as connection:
    connection.bind(("", int(os.environ["LAB_SRC_PORT"])))
    connection.connect((os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])))
    connection.sendall(os.environ["LAB_NONCE"].encode() + b"\\n")
    connection.recv(100)
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, two ports, and a line."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "src_port": seed.port(),
        "nonce": seed.nonce(),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """An ordinary echo server."""
    stage.act("server", services.tcp_echo(stage.values.port), ready=True)
    yield


def echo_acknowledged(e: Evidence) -> Finding:
    """Whether the student acknowledged the byte behind the echo."""
    echo = e.wire.sent_by("server").tcp(src_port=e.values.port).payload(f"{e.values.nonce}\n")
    first = echo.first()
    if first is None:
        return echo.saw()
    behind = (first.packet[TCP].seq + len(first.packet.payload)) % 2**32
    sent = e.wire.sent_by("you").tcp(src_port=e.values.src_port).after(first)
    return sent.tcp(ack=(behind + 1) % 2**32).saw() or sent.tcp(ack=behind).saw()  # or the server's FIN with it


def left_open_or_closed(e: Evidence) -> Finding:
    """Whether the server has the connection still, or has closed it in answer to the student's FIN."""
    closed = e.wire.sent_by("you").tcp(src_port=e.values.src_port).matching("tcp[tcpflags] & tcp-fin != 0").saw()
    return closed or e.has_socket("server", "ESTABLISHED", e.values.port)


EXERCISE = Exercise(
    name="handshake",
    number=4,
    level=3,
    title="The three-way handshake, then one line",
    learnt="Which numbers the three segments of a handshake carry, and who else wants to have a say.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "Your SYN has sequence number 1000. Which one does the first byte of your data have?",
        lambda _: "1001",
        "The SYN takes a number, as if it were a byte (RFC 9293, section 3.4).",
    ),
    hints=(
        "Each end counts its own bytes from a number of its own, and acknowledges the next one that it expects.",
        "The third segment has your seq plus 1, and as ack the server's seq plus 1; so has the line behind it.",
        "In the frame, seq is in bytes 38 to 41, ack in 42 to 45, the flags in byte 47.",
    ),
    checks=[
        Check(
            "silent",
            "your host sends no RST",
            lambda e: e.wire.sent_by("you").matching("tcp[tcpflags] & tcp-rst != 0").never(),
            "RFC 9293, section 3.10.7.1",
        ),
        Check(
            "handshake",
            "SYN, SYN-ACK and ACK between you and the server",
            lambda e: e.handshake_completed("you", "server", port=e.values.port),
            "RFC 9293, section 3.5",
        ),
        Check(
            "line",
            "you send {nonce} and a line feed in one sound segment from port {src_port}",
            lambda e: (
                e.wire.sent_by("you").tcp(src_port=e.values.src_port).payload(f"{e.values.nonce}\n").sound().saw()
            ),
            "RFC 9293, section 3.8",
        ),
        Check(
            "echo",
            "the server sends it back",
            lambda e: e.wire.sent_by("server").tcp(src_port=e.values.port).payload(f"{e.values.nonce}\n").saw(),
            "RFC 862",
        ),
        Check("acknowledged", "you acknowledge the echo", echo_acknowledged, "RFC 9293, section 3.8"),
        Check(
            "by-hand",
            "your kernel opens no connection by itself",
            lambda e: e.counter("you", "Tcp.ActiveOpens").stayed(),
            "RFC 4022, tcpActiveOpens",
        ),
        Check(
            "open",
            "the server has the connection in the end, or you have closed it with FIN",
            left_open_or_closed,
            "RFC 9293, section 3.3.2",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(BY_THE_KERNEL), "by-hand", "Tcp.ActiveOpens of you rose by 1"),
        Wrong(python(SOLUTION.replace("answer.seq + 1", "answer.seq")), "handshake", "in place of seq"),
        Wrong(python(SOLUTION.replace("src_port, port)]", "port, src_port)]")), "silent", "of them"),
        Wrong(python(SOLUTION.replace("echo[TCP].seq + len(line)", "echo[TCP].seq")), "acknowledged", "ack is"),
    ],
)
