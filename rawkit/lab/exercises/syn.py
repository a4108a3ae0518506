"""Exercise 3: a SYN by hand, and what the kernel says to the SYN-ACK (RFC 9293, section 3.10.7.1)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python, services

__all__ = ["EXERCISE"]

TASK = """
A server listens at TCP port `{port}` of `{server}`. Send it **one** SYN that you built yourself, from port
`{src_port}`, with the sequence number `{seq}` and no data; its checksums have to be right.

The server answers. Then somebody else on **your** host answers the server, without asking you, and you must not
keep them from it. Look at the wire, and print which flag that third segment has, `SYN`, `RST` or `FIN`, and
nothing else; if it has ACK besides, leave that out. End when you have seen it.
"""

SOLUTION = """
import os
from rawkit import IPv4, TCP
from rawkit.link import PacketSocket, RawIPv4Socket

server, port = os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])
syn = TCP(src_port=int(os.environ["LAB_SRC_PORT"]), dst_port=port, seq=int(os.environ["LAB_SEQ"]), flags="S")
with PacketSocket("eth0") as link, RawIPv4Socket() as raw:
    raw.send(bytes(IPv4(src=os.environ["LAB_YOU"], dst=server) / syn), server)
    while True:
        packet = link.receive(2).packet()
        if TCP in packet and packet[TCP].dst_port == port and packet[TCP].flags.name != "SYN":
            print(packet[TCP].flags.name)
            break
"""

GUARDED = SOLUTION.replace(
    "import os\n",
    """import os
os.system("nft 'table ip t { chain c { type filter hook output priority 0; tcp flags rst drop; }; }'")
""",
)


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, two ports, and where to begin counting."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "src_port": seed.port(),
        "seq": seed.number(1, 2**32 - 2),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """An ordinary server."""
    stage.act("server", services.tcp_echo(stage.values.port), ready=True)
    yield


EXERCISE = Exercise(
    name="syn",
    number=3,
    level=2,
    title="A SYN by hand, and what the kernel says to the SYN-ACK",
    learnt="That your kernel knows nothing of a connection that you begin over a raw socket, and ends it.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "The SYN-ACK reaches your kernel, which has no such connection. Which flag does its answer have? "
        "(ACK, FIN, RST or none, if it stays silent)",
        lambda _: "RST",
        "A segment for a connection that does not exist is answered with RST (RFC 9293, section 3.10.7.1). "
        "Whoever does TCP by hand has to keep the kernel from saying so.",
    ),
    hints=(
        "A raw socket only adds a packet. The answer goes to your host's TCP too, which looks for its socket.",
        "Watch the flags of the segments that leave your host from port {src_port}: the first is yours.",
        "The flags are byte 47 of the frame: 0x02 SYN, 0x12 SYN-ACK, 0x04 RST.",
    ),
    checks=[
        Check(
            "syn",
            "you send one SYN from port {src_port} with sequence number {seq}",
            lambda e: (
                e.wire.sent_by("you")
                .tcp(dst_port=e.values.port, flags="S")
                .tcp(src_port=e.values.src_port, seq=e.values.seq)
                .once()
            ),
            "RFC 9293, section 3.5",
        ),
        Check(
            "sound",
            "its checksums are right, and it carries no data",
            lambda e: e.wire.sent_by("you").tcp(flags="S").sound().payload(b"").saw(),
            "RFC 9293, section 3.1",
        ),
        Check(
            "answer",
            "the server acknowledges just that number",
            lambda e: e.wire.sent_by("server").tcp(flags="SA", ack=(e.values.seq + 1) % 2**32).saw(),
            "RFC 9293, section 3.5",
        ),
        Check(
            "kernel",
            "your kernel, which knows of no such connection, ends it",
            lambda e: (
                e.wire.sent_by("you")
                .tcp(dst_port=e.values.port, flags="R", seq=(e.values.seq + 1) % 2**32)
                .after(e.wire.sent_by("server").tcp(flags="SA").first())
                .saw()
            ),
            "RFC 9293, section 3.10.7.1",
        ),
        Check(
            "printed",
            "you print which flag its segment has",
            lambda e: e.output_equals("RST"),
            "RFC 9293, section 3.10.7.1",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace('seq=int(os.environ["LAB_SEQ"])', "seq=0")), "syn", "seq is 0"),
        Wrong(python(SOLUTION.replace('flags="S")', 'flags="S", checksum=0)')), "sound", "TCP.checksum"),
        Wrong(python(SOLUTION.replace("].dst_port == port", "].src_port == port")), "printed", "SYN"),
        Wrong(python(GUARDED), "kernel", "flags is SYN"),
    ],
)
