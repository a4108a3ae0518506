"""Exercise 5: ARP: who has (RFC 826)."""

from __future__ import annotations

from typing import Any

from rawkit.lab import (
    Check,
    Evidence,
    Exercise,
    Finding,
    Link,
    Prediction,
    Seed,
    Topology,
    Values,
    Wrong,
    python,
    shell,
)

__all__ = ["EXERCISE"]

TASK = """
Somewhere on your link is `{target}`. Ask everybody, by an ARP request that you built byte by byte, which MAC
address it has, and print what it answers, in the form `02:00:00:00:00:01`, and nothing else. Then end.

Your request is a broadcast, tells your own addresses (`{you}`, `{your_mac}`) as the sender's, and leaves open what
you do not know: the target's MAC address is all zeros. A packet socket (`AF_PACKET`, `SOCK_RAW`) takes whole
frames. Your kernel would ask, too, if it had an IP packet to send there: give it none.
"""

SOLUTION = """
import os
from rawkit import ARP, Ethernet
from rawkit.link import PacketSocket

me, target = os.environ["LAB_YOUR_MAC"], os.environ["LAB_TARGET"]
question = ARP.who_has(target, tell=os.environ["LAB_YOU"], mac=me)
with PacketSocket("eth0") as link:
    link.send(Ethernet(dst="ff:ff:ff:ff:ff:ff", src=me) / question)
    while True:
        packet = link.receive(2).packet()
        if ARP in packet and packet[ARP].operation == 2 and str(packet[ARP].sender_ip) == target:
            print(packet[ARP].sender_mac)
            break
"""

BY_THE_KERNEL = """
import os, socket, time
target = os.environ["LAB_TARGET"]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.sendto(b"", (target, 9))
time.sleep(0.2)
print(next(line.split()[3] for line in open("/proc/net/arp") if line.startswith(target + " ")))
"""


BY_THE_KERNEL_WITHOUT_A_TRACE = """
ping -c 1 "$LAB_TARGET" > /dev/null
ip neigh show "$LAB_TARGET" | sed 's/.*lladdr \\([^ ]*\\).*/\\1/'
ip neigh del "$LAB_TARGET" dev eth0
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, and your own MAC address; the other is what is asked for."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "target": seed.address(network),
        "your_mac": seed.mac(),
        "_target_mac": seed.secret.mac(),
        "_bystander": seed.address(network),
    }


def topology(v: Values) -> Topology:
    """You, the target and somebody else on a switch."""
    return Topology(
        [
            Link("you", "switch", (f"{v.you}/24", ()), (v.your_mac, None)),
            Link("target", "switch", (f"{v.target}/24", ()), (v._target_mac, None), drawn_in_full=False),
            Link("bystander", "switch", (f"{v._bystander}/24", ())),
        ],
        switches=["switch"],
    )


def printed(e: Evidence) -> Finding:
    """Whether the MAC address was printed, in small or in capital letters."""
    return e._replace(output=e.output.lower()).output_equals(e.values._target_mac)


def by_hand(e: Evidence) -> Finding:
    """Whether the kernel had no reason to ask: no entry for the target, nor a packet that needed one before."""
    unknown = e.neighbour("you", e.values.target).is_unknown()
    return unknown and e.wire.sent_by("you").ip().never()


EXERCISE = Exercise(
    name="arp",
    number=5,
    level=1,
    title="ARP: who has?",
    learnt="How a host finds out to which MAC address it has to send.",
    values=values,
    topology=topology,
    task=TASK,
    prediction=Prediction(
        "The request goes to everybody. To whom goes the answer? (everybody, the asker or the switch)",
        lambda _: "the asker",
        "The answer is for the sender's MAC address in the request alone (RFC 826, packet reception).",
    ),
    hints=(
        "What you ask has to reach everybody, since you do not know who it is: think of the frame's own address.",
        "Operation 1 is a request. Fill in sender_mac, sender_ip and target_ip; target_mac is what you ask for.",
        "Operation is in bytes 20 and 21 of the frame, sender_mac in 22 to 27, target_ip in 38 to 41.",
    ),
    checks=[
        Check(
            "question",
            "you ask who has {target}",
            lambda e: e.wire.sent_by("you").arp(operation=1, target_ip=e.values.target).saw(),
            "RFC 826, packet generation",
        ),
        Check(
            "broadcast",
            "everybody on the link gets the question",
            lambda e: e.wire.sent_by("you").arp(operation=1).ether(dst="ff:ff:ff:ff:ff:ff").saw(),
            "RFC 826, packet generation",
        ),
        Check(
            "sender",
            "it tells that {you} is at {your_mac}, and leaves the target's MAC address open",
            lambda e: (
                e.wire.sent_by("you")
                .arp(operation=1, target_ip=e.values.target)
                .arp(sender_ip=e.values.you, sender_mac=e.values.your_mac, target_mac="00:00:00:00:00:00")
                .saw()
            ),
            "RFC 826, packet generation",
        ),
        Check(
            "answer",
            "{target} answers you",
            lambda e: (
                e.wire.sent_by("target")
                .arp(operation=2, sender_ip=e.values.target, target_mac=e.values.your_mac)
                .saw()
            ),
            "RFC 826, packet reception",
        ),
        Check(
            "by-hand",
            "your kernel does not ask by itself: it sends no IP packet, and its table does not know {target}",
            by_hand,
            "RFC 826, packet generation",
        ),
        Check("printed", "you print its MAC address, and nothing else", printed, "RFC 826, packet format"),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(BY_THE_KERNEL), "by-hand", "you believe that"),
        Wrong(shell(BY_THE_KERNEL_WITHOUT_A_TRACE), "by-hand", "1 of them"),
        Wrong(python(SOLUTION.replace("print(", "print('it is at', ")), "printed", "output 'it is at"),
        Wrong(
            python(SOLUTION.replace('dst="ff:ff:ff:ff:ff:ff"', 'dst="02:00:00:00:00:99"')), "broadcast", "dst is"
        ),
        Wrong(python(SOLUTION.replace('tell=os.environ["LAB_YOU"]', "tell=target")), "sender", "sender_ip is"),
        Wrong(python(SOLUTION.replace(".sender_mac)", ".target_mac)")), "printed", "output"),
    ],
)
