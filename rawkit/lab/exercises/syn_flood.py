"""Exercise 16: SYN flood, the backlog, and SYN cookies (RFC 4987)."""

from __future__ import annotations

import socket
from collections.abc import Generator
from typing import Any

from rawkit.lab import (
    Check,
    Defence,
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
from rawkit.wire import TCP

__all__ = ["EXERCISE"]

TASK = """
A server listens at TCP port `{port}` of `{server}`, with a backlog of {backlog}: room for about so many
connections that are not yet established. Fill it with SYNs that say they come from addresses in `{nowhere}`,
where nobody answers, so that an honest client gets no answer any more. {most} SYNs are allowed; fewer will do.
Their checksums have to be right.

When your command has ended, the client tries to connect. The server gives a half-open connection up after some
seven seconds when there are many, so end when you are done.
"""

SOLUTION = """
import os
from ipaddress import ip_network
from rawkit import IPv4, TCP
from rawkit.link import RawIPv4Socket

server, port = os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])
nowhere = ip_network(os.environ["LAB_NOWHERE"])
with RawIPv4Socket() as raw:
    for number in range(1, 41):
        syn = TCP(src_port=1024 + number, dst_port=port, seq=number, flags="S")
        raw.send(IPv4(src=nowhere[number], dst=server) / syn)
"""

BACKLOG, MOST = 8, 200
VOID = "table ip void {{ chain in {{ type filter hook prerouting priority -300; ip daddr {nowhere} drop; }}; }}"


def values(seed: Seed) -> dict[str, Any]:
    """Four stations, a port, and a network of nobody."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "server", "client", "_gateway")}
    return {**addresses, "port": seed.port(), "nowhere": str(seed.network()), "backlog": BACKLOG, "most": MOST}


def topology(v: Values) -> Topology:
    """A switch, and a way out of it."""
    names = {"you": v.you, "server": v.server, "client": v.client, "gateway": v._gateway}
    links = [Link(name, "switch", (f"{address}/24", ())) for name, address in names.items()]
    return Topology(links, switches=["switch"], routers=["gateway"])


def listen(port: int) -> Any:
    """A server with little room, that accepts whoever gets in."""

    def work(worker: Worker) -> None:
        with socket.create_server(("0.0.0.0", port), backlog=BACKLOG) as server:
            worker.cues.give("ready")
            while True:
                server.accept()[0].close()

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """What is sent to nowhere gets lost; afterwards the client tries."""
    v = stage.values
    stage.host("gateway").add_rules(VOID.format(nowhere=v.nowhere))
    stage.host("server").set_sysctls({"ipv4/tcp_syncookies": int(stage.defended)})
    stage.act("server", listen(v.port), ready=True)
    yield
    with stage.host("client").open(socket.socket, socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(0.6)
        try:
            client.connect((v.server, v.port))
        except OSError:  # which is what has to happen
            return


def half_open(e: Evidence) -> Finding:
    """Whether the room is full of connections that are not established."""
    waiting = [
        each for each in e.state("server").sockets if each.local.port == e.values.port and each.state == "SYN_RECV"
    ]
    return Finding(
        len(waiting) >= BACKLOG,
        f"{BACKLOG} half-open connections at the server, or more",
        f"{len(waiting)} of them",
    )


def shut_out(e: Evidence) -> Finding:
    """Whether the server stays silent to the client."""
    asked = e.wire.sent_by("client").tcp(dst_port=e.values.port, flags="S").saw()
    return asked if not asked else e.wire.received_by("client").tcp(src_port=e.values.port, flags="SA").never()


def bounded(e: Evidence) -> Finding:
    """Whether no more was sent than is allowed."""
    count = len(e.wire.sent_by("you").where("a SYN", lambda packet: bool(packet[TCP].flags & 2)))
    return Finding(0 < count <= MOST, f"1 to {MOST} SYNs from you", f"{count}")


EXERCISE = Exercise(
    name="syn-flood",
    number=16,
    level=3,
    title="SYN flood, the backlog, and SYN cookies",
    learnt="What a server has to remember of a stranger, and how it can do without.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "With SYN cookies, what does a server with a full backlog remember of a SYN? (all, a part, or nothing)",
        lambda _: "nothing",
        "What it has to know comes back in the acknowledgement number (RFC 4987, section 3.6).",
    ),
    hints=(
        "For each SYN the server keeps a place until the handshake ends. What if it never ends?",
        "IPv4's src, and TCP's src_port: each pair is another connection. The flags are SYN alone.",
        "Source address: bytes 26 to 29 of the frame; source port: 34 and 35; flags: byte 47 is 0x02.",
    ),
    checks=[
        Check(
            "syns",
            "you send sound SYNs to port {port} of {server} from {nowhere}",
            lambda e: (
                e.wire.sent_by("you")
                .matching(f"src net {e.values.nowhere} and dst host {e.values.server}")
                .tcp(dst_port=e.values.port, flags="S")
                .sound()
                .at_least(BACKLOG)
            ),
            "RFC 4987, section 2",
        ),
        Check("bounded", "you send {most} SYNs at most", bounded),
        Check("full", "the server's room for half-open connections is full", half_open, "RFC 4987, section 2"),
        Check(
            "dropped",
            "the server's kernel counts SYNs that it dropped",
            lambda e: e.counter("server", "TcpExt.ListenDrops").rose(),
            "Documentation/networking/snmp_counter.rst",
        ),
        Check("shut-out", "the client gets no answer", shut_out, "RFC 4987, section 2"),
    ],
    defence=Defence("SYN cookies (tcp_syncookies=1)", "shut-out"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace("range(1, 41)", "range(1, 5)")), "syns", "4 of them"),
        Wrong(
            python(SOLUTION.replace("src=nowhere[number]", 'src=os.environ["LAB_YOU"]')),
            "syns",
            "it does not match",
        ),
        Wrong(python(SOLUTION.replace('flags="S")', 'flags="S", checksum=0)')), "syns", "TCP.checksum"),
        Wrong(python(SOLUTION.replace("range(1, 41)", "range(1, 252)")), "bounded", "251"),
    ],
)
