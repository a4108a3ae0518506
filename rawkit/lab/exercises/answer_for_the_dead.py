"""Exercise 11: sniff, then answer for a host that is dead (RFC 826; RFC 792, page 14)."""

from __future__ import annotations

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
    services,
    shell,
)
from rawkit.wire import ICMPv4Echo

__all__ = ["EXERCISE"]

TASK = """
On your link, `{client}` pings `{dead}` again and again (identifier `{id}`). Nobody has that address. Bring it
to life: answer ARP for it, with your own MAC address `{your_mac}`, and then answer the echo requests by hand,
each with its own sequence number and data. Your kernel must not help: do not give your host that address.

Your command ends after it has answered three or more echo requests.
"""

SOLUTION = """
import os
from rawkit import ARP, Ethernet, ICMPv4, IPv4
from rawkit.link import PacketSocket
from rawkit.wire import ICMPv4Echo

me, dead = os.environ["LAB_YOUR_MAC"], os.environ["LAB_DEAD"]
answered = 0
with PacketSocket("eth0", promiscuous=True) as link:
    while answered < 3:
        packet = link.receive(8).packet()
        if ARP in packet and packet[ARP].operation == 1 and str(packet[ARP].target_ip) == dead:
            asker = packet[ARP]
            reply = ARP.is_at(dead, me, to=asker.sender_ip, to_mac=asker.sender_mac)
            link.send(Ethernet(dst=asker.sender_mac, src=me) / reply)
        elif ICMPv4Echo in packet and packet[ICMPv4Echo].type == 8 and str(packet[IPv4].dst) == dead:
            asked = packet[ICMPv4Echo]
            back = Ethernet(dst=packet[Ethernet].src, src=me) / IPv4(src=dead, dst=packet[IPv4].src)
            link.send(back / ICMPv4.echo_reply(id=asked.id, seq=asked.seq) / packet.payload)
            answered += 1
"""

BY_THE_KERNEL = """
ip address add "$LAB_DEAD/24" dev eth0
sleep 1.5
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two hosts, an address of nobody, and what the pings carry."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "client", "dead")}
    return {
        **addresses,
        "your_mac": seed.mac(),
        "id": seed.number(256, 65535),
        "_data": seed.secret.nonce(),
        "_dead_mac": seed.mac(),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "client", (f"{v.you}/24", f"{v.client}/24"), (v.your_mac, None))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """The client pings, with other data each time that the exercise is played by another student."""
    v = stage.values
    if stage.defended:
        stage.host("client").set_neighbor(v.dead, v._dead_mac)
    pings = services.ping_source(v.client, v.dead, v.id, v._data.encode(), count=80, every=0.1)
    stage.act("client", pings, ready=True)
    yield


def answered(e: Evidence) -> Finding:
    """Whether three requests or more got a reply with their own sequence number and data, all of them sound."""
    replies = e.wire.sent_by("you").icmp(type=0, id=e.values.id).ip(src=e.values.dead, dst=e.values.client)
    good = replies.payload(e.values._data).sound().at_least(3)
    if not good:
        return good
    asked = {one.packet[ICMPv4Echo].seq for one in e.wire.received_by("you").icmp(type=8)}
    answered = {one.packet[ICMPv4Echo].seq for one in replies}
    if len(answered) < 3 or not answered <= asked:
        numbers = ", ".join(map(str, sorted(answered)))
        return Finding(
            False,
            "replies to three requests, each with its sequence number",
            f"sequence numbers {numbers}",
            good.frames,
        )
    return good


EXERCISE = Exercise(
    name="answer-for-the-dead",
    number=11,
    level=3,
    title="Answer for a host that is dead",
    learnt="That being a host is no more than answering as one would.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "Until somebody answers, what do you see on the wire of the "
        "client's pings? (echo requests, ARP requests or both)",
        lambda _: "ARP requests",
        "Without a MAC address to send them to, the echo requests wait "
        "in the client's kernel (RFC 1122, section 2.3.2.2).",
    ),
    hints=(
        "Two questions have to be answered, by two protocols, and the "
        "second is not asked before the first is answered.",
        "The reply to a ping repeats identifier, sequence number and "
        "data; the type is 0, and the addresses are swapped.",
        "Type is byte 34 of the frame, identifier 38 and 39, sequence number 40 and 41, data from 42 on.",
    ),
    checks=[
        Check(
            "arp",
            "you tell {client} that {dead} is at {your_mac}",
            lambda e: (
                e.wire.sent_by("you").arp(operation=2, sender_ip=e.values.dead, sender_mac=e.values.your_mac).saw()
            ),
            "RFC 826, packet reception",
        ),
        Check(
            "believed",
            "{client} believes it",
            lambda e: e.neighbour("client", e.values.dead).is_(e.values.your_mac),
            "RFC 826, packet reception",
        ),
        Check(
            "answered",
            "you answer three echo requests, each with its own number and data",
            answered,
            "RFC 792, page 14",
        ),
        Check(
            "by-hand",
            "your kernel takes no echo request for its own: it does not have the address {dead}",
            lambda e: e.counter("you", "Icmp.InEchos").stayed(),
            "RFC 2011, icmpInEchos",
        ),
    ],
    defence=Defence("a permanent entry for the dead host in the client's table", "believed"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(shell(BY_THE_KERNEL), "by-hand", "Icmp.InEchos of you rose by"),
        Wrong(
            python(
                SOLUTION.replace("ARP.is_at(dead, me,", 'ARP.is_at(dead, "02:00:00:00:00:99",').replace(
                    "receive(8)", "receive(2)"
                )
            ),
            "arp",
            "sender_mac is",
        ),
        Wrong(python(SOLUTION.replace("seq=asked.seq)", "seq=1)")), "answered", "sequence numbers 1"),
        Wrong(python(SOLUTION.replace(" / packet.payload)", ")")), "answered", "it carries b''"),
        Wrong(
            python(SOLUTION.replace("ICMPv4.echo_reply(id=asked.id,", "ICMPv4.echo_reply(id=asked.id ^ 1,")),
            "answered",
            "id is",
        ),
    ],
)
