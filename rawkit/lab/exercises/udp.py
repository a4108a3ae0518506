"""Exercise 2: UDP by hand, with the pseudo-header (RFC 768)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python, services
from rawkit.wire import UDP

__all__ = ["EXERCISE"]

TASK = """
At `{server}` an echo service listens at UDP port `{port}`. Send it **one** datagram that you built byte by byte:

- from port `{src_port}` to port `{port}`,
- with the text `{nonce}` as its data, and nothing else,
- with a right length and a right checksum. A checksum of 0, which means that there is none, does not count.

The service sends it back to port `{src_port}`; you may end without waiting for that. A raw socket (`SOCK_RAW`,
`IPPROTO_UDP`) will do: the kernel then writes the IP header, and you write the UDP header.
"""

SOLUTION = """
import os, socket, struct

def checksum(data):
    data += b"\\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF

server, data = os.environ["LAB_SERVER"], os.environ["LAB_NONCE"].encode()
length = 8 + len(data)
pseudo = socket.inet_aton(os.environ["LAB_YOU"]) + socket.inet_aton(server) + struct.pack("!BBH", 0, 17, length)
ports = int(os.environ["LAB_SRC_PORT"]), int(os.environ["LAB_PORT"])
right = checksum(pseudo + struct.pack("!HHHH", *ports, length, 0) + data)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
    raw.settimeout(2)
    raw.sendto(struct.pack("!HHHH", *ports, length, right) + data, (server, 0))
    raw.recv(2048)
"""

BY_THE_KERNEL = """
import os, socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("", int(os.environ["LAB_SRC_PORT"])))
    udp.sendto(os.environ["LAB_NONCE"].encode(), (os.environ["LAB_SERVER"], int(os.environ["LAB_PORT"])))
"""


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, two ports, and the data."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "server": seed.address(network),
        "port": seed.port(),
        "src_port": seed.port(),
        "nonce": seed.nonce(),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "server", (f"{v.you}/24", f"{v.server}/24"))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """An ordinary echo server, which may answer after the command has ended."""
    v = stage.values
    stage.act("server", services.udp_echo(v.port), ready=True)
    yield
    stage.wait_until(lambda: stage.wire.sent_by("server").udp(src_port=v.port).saw().passed, seconds=1)


EXERCISE = Exercise(
    name="udp",
    number=2,
    level=1,
    title="UDP by hand, with the pseudo-header",
    learnt="What a UDP header is made of, and why its checksum covers addresses that are not in it.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "If the checksum leaves the pseudo-header out, what does the server's kernel do with the datagram? "
        "(deliver, drop, or answer with ICMP)",
        lambda _: "drop",
        "It counts the datagram in Udp.InCsumErrors, and says nothing (RFC 1122, section 4.1.3.4).",
    ),
    hints=(
        "The checksum proves that a datagram reached the right host, so it covers what says which host that is.",
        "Before the sum: source address, destination address, a zero byte, the protocol (17) and the UDP length.",
        "Bytes 38 and 39 of the frame are the length, which counts the header's 8 bytes; 40 and 41 the checksum.",
    ),
    checks=[
        Check(
            "ports",
            "you send a datagram from port {src_port} to port {port} of {server}",
            lambda e: (
                e.wire.sent_by("you")
                .ip(dst=e.values.server)
                .udp(src_port=e.values.src_port, dst_port=e.values.port)
                .saw()
            ),
            "RFC 768, Fields",
        ),
        Check(
            "length",
            "its length is that of the header and the data",
            lambda e: e.wire.sent_by("you").udp(dst_port=e.values.port).udp(length=8 + len(e.values.nonce)).saw(),
            "RFC 768, Fields",
        ),
        Check(
            "checksum",
            "it has a checksum, and that is right",
            lambda e: (
                e.wire.sent_by("you")
                .udp(dst_port=e.values.port)
                .where("protected by a checksum", lambda packet: packet[UDP].checksum != 0)
                .sound()
                .saw()
            ),
            "RFC 768, Fields",
        ),
        Check(
            "alone",
            "it is the only datagram that you send",
            lambda e: e.wire.sent_by("you").udp().once(),
        ),
        Check(
            "by-hand",
            "your kernel sends no datagram by itself",
            lambda e: e.counter("you", "Udp.OutDatagrams").stayed(),
            "RFC 4113, udpOutDatagrams",
        ),
        Check(
            "echo",
            "the service sends {nonce} back, once",
            lambda e: (
                e.wire.sent_by("server")
                .udp(src_port=e.values.port, dst_port=e.values.src_port)
                .payload(e.values.nonce)
                .once()
            ),
            "RFC 862",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace("    raw.recv", "    raw.sendto(bytes(8), (server, 0))\n    raw.recv")),
            "alone",
            "2 of",
        ),
        Wrong(python(BY_THE_KERNEL), "by-hand", "Udp.OutDatagrams of you rose by 1"),
        Wrong(python(SOLUTION.replace("checksum(pseudo + ", "checksum(")), "checksum", "bad checksum"),
        Wrong(python(SOLUTION.replace("length = 8 + len(data)", "length = len(data)")), "length", "length is 16"),
        Wrong(
            python(SOLUTION.replace("*ports, length, right)", "*ports, length, 0)")),
            "checksum",
            "is not protected",
        ),
        Wrong(python(SOLUTION.replace('int(os.environ["LAB_PORT"])', "7")), "ports", "dst_port is 7"),
    ],
)
