"""Exercise 23: the raw socket that hears everything (raw(7); RFC 1122, section 4.1.3.1)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python, services
from rawkit.wire import UDP

__all__ = ["EXERCISE"]

TASK = """
`{alice}` and `{bob}` send datagrams to your host, to several UDP ports, again and again. One port belongs to a
program that runs on your host already, others to nobody. With a raw socket (`SOCK_RAW`, `IPPROTO_UDP`), which
needs no port, hear them all for two seconds, and print two lines:

1. the text that comes from `{alice}` to port `{port}`;
2. to how many other ports datagrams came.

Bind no ordinary socket to port `{port}`: your kernel then tells alice that nobody is there, which is to be
seen on the wire.
"""

SOLUTION = """
import os, socket, time

alice, port = os.environ["LAB_ALICE"], int(os.environ["LAB_PORT"])
text, others = "", set()
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
    raw.settimeout(0.5)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        packet, (sender, _) = raw.recvfrom(65535)
        udp = packet[(packet[0] & 15) * 4 :]
        dst_port = int.from_bytes(udp[2:4], "big")
        if dst_port != port:
            others.add(dst_port)
        elif sender == alice:
            text = udp[8:].decode()
print(text)
print(len(others))
"""

COUNT, EVERY = 60, 0.1


def values(seed: Seed) -> dict[str, Any]:
    """Three addresses, several ports, and a text."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "alice", "bob")}
    port, secret = seed.port(), seed.secret
    others = [secret.port() for _ in range(secret.number(3, 6))]
    return {**addresses, "port": port, "_others": others, "_nonce": secret.nonce()}


def topology(v: Values) -> Topology:
    """Three hosts on a switch."""
    return Topology(
        [Link(name, "switch", (f"{v[name]}/24", ())) for name in ("you", "alice", "bob")], switches=["switch"]
    )


def scene(stage: Stage) -> Generator[None, None, None]:
    """A program of your host, and two who talk to it, to you, and to nobody."""
    v = stage.values
    stage.host("you").set_sysctls({"ipv4/icmp_ratelimit": 0})
    stage.act("you", services.udp_echo(v._others[0]), ready=True)
    talk = [("alice", v.port, v._nonce), ("bob", v.port, v._nonce[::-1])]
    talk += [(("alice", "bob")[at % 2], port, f"decoy {at}") for at, port in enumerate(v._others)]
    for host, port, text in talk:
        stage.act(host, services.udp_source(v.you, port, [text.encode()] * COUNT, every=EVERY), ready=True)
    yield


EXERCISE = Exercise(
    name="raw-socket",
    number=23,
    level=2,
    title="The raw socket that hears everything",
    learnt="That a raw socket gets a copy of what comes for others, and takes nothing away from anybody.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "Your raw socket receives a datagram for a port that no other "
        "socket is bound to. Does your kernel still say "
        "that the port is unreachable? (yes or no)",
        lambda _: "yes",
        "A raw socket gets copies only; for UDP nobody took the datagram (raw(7); RFC 1122, section 4.1.3.1).",
    ),
    hints=(
        "The kernel hands every UDP datagram to every raw socket for "
        "UDP, whatever its ports: choosing is up to you.",
        "What you receive begins with the IPv4 header. Its length is in ihl; the UDP header comes behind it.",
        "ihl is the low half of byte 0 of what recv gives you, in units "
        "of 4 bytes; destination port: bytes 2 and 3 of UDP.",
    ),
    checks=[
        Check(
            "came",
            "alice's datagrams reach you",
            lambda e: e.wire.received_by("you").ip(src=e.values.alice).udp(dst_port=e.values.port).saw(),
        ),
        Check(
            "nobody",
            "your kernel tells her that nobody has port {port}",
            lambda e: (
                e.wire.sent_by("you")
                .ip(dst=e.values.alice)
                .icmp(type=3, code=3)
                .quoting(UDP, dst_port=e.values.port)
                .saw()
            ),
            "RFC 1122, section 4.1.3.1",
        ),
        Check("text", "you print her text", lambda e: e.output_has(e.values._nonce)),
        Check(
            "count",
            "and to how many other ports datagrams came",
            lambda e: e.output_equals(f"{e.values._nonce}\n{len(e.values._others)}"),
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace("elif sender == alice:", "elif sender != alice:")), "text", "output"),
        Wrong(
            python(SOLUTION.replace("udp[2:4]", "udp[0:2]").replace("elif sender == alice:", "elif True:")),
            "text",
            "output",
        ),
        Wrong(
            python(SOLUTION.replace("if dst_port != port:", "others.add(dst_port)\n        if dst_port != port:")),
            "count",
            "output",
        ),
    ],
)
