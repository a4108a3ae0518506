"""Exercise 3: a SYN by hand, and what the kernel says to the SYN-ACK (RFC 9293, section 3.10.7.1)."""

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
A server listens at TCP port `{port}` of `{server}`. Send it **one** SYN that you built yourself, from port
`{src_port}`, with the sequence number `{seq}` and no data; its checksums have to be right.

The server answers. Then somebody else on **your** host answers the server, without asking you, and you must not
keep them from it. Look at the wire, and print two words on a line, as in `FIN 4660`, and nothing else: which flag
that third segment has, `SYN`, `RST` or `FIN` (if it has ACK besides, leave that out), and the sequence number of
the server's segment. End when you have seen both.
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
        if TCP not in packet:
            continue
        segment = packet[TCP]
        if segment.src_port == port:
            answered = segment.seq
        elif segment.flags.name != "SYN":
            print(segment.flags.name, answered)
            break
"""

UNSEEN = SOLUTION.replace("    while True:\n", "    print('RST')\n    while False:\n")

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


def printed(e: Evidence) -> Finding:
    """Whether the flag was printed, and the number that the server's kernel chose."""
    answers = e.wire.sent_by("server").tcp(flags="SA")
    answer = answers.first()
    return answers.saw() if answer is None else e.output_equals(f"RST {answer.packet[TCP].seq}")


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
            "you print which flag its segment has, and the sequence number of the server's",
            printed,
            "RFC 9293, section 3.10.7.1",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace('seq=int(os.environ["LAB_SEQ"])', "seq=0")), "syn", "seq is 0"),
        Wrong(python(SOLUTION.replace('flags="S")', 'flags="S", checksum=0)')), "sound", "TCP.checksum"),
        Wrong(python(SOLUTION.replace("name, answered)", "name, segment.seq)")), "printed", "output 'RST "),
        Wrong(python(UNSEEN), "printed", "output 'RST'"),
        Wrong(python(GUARDED), "kernel", "flags is SYN"),
    ],
)
