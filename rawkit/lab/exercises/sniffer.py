"""Exercise 9: a sniffer that finds the nonce among decoys, with a filter (packet(7), pcap-filter(7))."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python, services

__all__ = ["EXERCISE"]

TASK = """
You share a hub with three others, who talk over UDP all the time. Every datagram carries sixteen hexadecimal
digits, and all but one kind are decoys: print the digits that `{alice}` sends to port `{port}` of `{bob}`,
and nothing else.

Only listen: your host must not send a single frame.
"""

SOLUTION = """
import os
from rawkit.link import PacketSocket

alice, bob, port = (os.environ[f"LAB_{name}"] for name in ("ALICE", "BOB", "PORT"))
wanted = f"udp and src {alice} and dst {bob} and dst port {port}"
with PacketSocket("eth0", promiscuous=True, filter=wanted) as link:
    print(link.receive(8).packet().payload.decode())
"""

COUNT, EVERY = 60, 0.1


def values(seed: Seed) -> dict[str, Any]:
    """Four addresses, two ports, and what is to be found."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "alice", "bob", "carol")}
    return {**addresses, "port": seed.port(), "_other_port": seed.port(), "_nonce": seed.secret.nonce()}


def topology(v: Values) -> Topology:
    """Four hosts on a hub."""
    names = ("you", "alice", "bob", "carol")
    return Topology([Link(name, "hub", (f"{v[name]}/24", ())) for name in names], hubs=["hub"])


def scene(stage: Stage) -> Generator[None, None, None]:
    """The right datagrams, and three kinds of wrong ones: another port, another sender, another receiver."""
    v = stage.values
    talk = [
        ("alice", v.bob, v.port, v._nonce),
        ("alice", v.bob, v._other_port, v._nonce[::-1]),
        ("carol", v.bob, v.port, v._nonce[8:] + v._nonce[:8]),
        ("alice", v.carol, v.port, v._nonce[4:] + v._nonce[:4]),
    ]
    for host, to, port, digits in talk:
        stage.act(host, services.udp_source(to, port, [digits.encode()] * COUNT, every=EVERY), ready=True)
    yield


EXERCISE = Exercise(
    name="sniffer",
    number=9,
    level=1,
    title="A sniffer: find the nonce among decoys",
    learnt="How a network card is made to hear everything, and a filter to let little of it through.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "The hub sends you frames for other MAC addresses. Does an "
        "ordinary UDP socket of yours get them? (yes or no)",
        lambda _: "no",
        "The kernel drops what is for another MAC address; only packet sockets see it, before that (packet(7)).",
    ),
    hints=(
        "You want frames before the kernel decides that they are not "
        "for you: that is what packet sockets are for.",
        "Compare four things: source address, destination address, protocol, destination port.",
        "Source and destination address are in bytes 26 to 33 of the frame, the destination port in 36 and 37.",
    ),
    checks=[
        Check(
            "there",
            "the datagram came by",
            lambda e: (
                e.wire.received_by("you")
                .ip(src=e.values.alice, dst=e.values.bob)
                .udp(dst_port=e.values.port)
                .saw()
            ),
        ),
        Check("found", "you print its digits, and no others", lambda e: e.output_equals(e.values._nonce)),
        Check("silent", "your host sends nothing", lambda e: e.wire.sent_by("you").never()),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace(" and dst port {port}", " and not dst port {port}")),
            "found",
            "output",
        ),
        Wrong(
            python(SOLUTION.replace("udp and src {alice}", "udp and not src {alice}")),
            "found",
            "output",
        ),
        Wrong(
            python(
                SOLUTION
                + """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
    asker.sendto(b"got it", (os.environ["LAB_BOB"], 9))
"""
            ),
            "silent",
            "of them",
        ),
    ],
)
