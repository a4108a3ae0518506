"""Exercise 1: ping by hand (RFC 792, page 14)."""

from __future__ import annotations

from typing import Any

from rawkit.lab import Check, Exercise, Link, Prediction, Seed, Topology, Values, Wrong, python

__all__ = ["EXERCISE"]

TASK = """
Send **one** ICMP echo request that you built byte by byte, from your host to `{target}`. It has

- identifier `{id}` and sequence number `{seq}`,
- the text `{nonce}` as its data, and nothing else,
- a right checksum.

The kernel of `{target}` answers if your message is sound. A raw socket (`SOCK_RAW`, `IPPROTO_ICMP`) will do: the
kernel then writes the IP header, and you write the ICMP message.
"""

SOLUTION = """
import os, socket, struct

def checksum(data):
    data += b"\\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

data = os.environ["LAB_NONCE"].encode()
fields = [8, 0, 0, int(os.environ["LAB_ID"]), int(os.environ["LAB_SEQ"])]
fields[2] = checksum(struct.pack("!BBHHH", *fields) + data)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
    raw.settimeout(2)
    raw.sendto(struct.pack("!BBHHH", *fields) + data, (os.environ["LAB_TARGET"], 0))
    raw.recv(2048)
"""

SEND_AGAIN = 'raw.sendto(struct.pack("!BBHHH", *fields) + data, (os.environ["LAB_TARGET"], 0))'


def values(seed: Seed) -> dict[str, Any]:
    """Two addresses, the fields to set, and the data."""
    network = seed.network()
    return {
        "you": seed.address(network),
        "target": seed.address(network),
        "id": seed.number(256, 65535),
        "seq": seed.number(2, 255),
        "nonce": seed.nonce(),
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable."""
    return Topology([Link("you", "target", (f"{v.you}/24", f"{v.target}/24"))])


EXERCISE = Exercise(
    name="ping",
    number=1,
    level=1,
    title="Ping by hand",
    learnt="What an ICMP echo is made of, and how the Internet checksum is computed.",
    values=values,
    topology=topology,
    task=TASK,
    prediction=Prediction(
        "If the checksum is wrong by one, what does the target answer? (an ICMP error, an echo reply, nothing)",
        lambda _: "nothing",
        "A message with a wrong checksum is silently discarded (RFC "
        "1122, section 3.2.2): its sender may be wrong too.",
    ),
    hints=(
        "The answer comes from the kernel of the target. It answers only what it can trust to be whole.",
        "The field to compute last is the checksum: it covers the "
        "ICMP header, with the checksum as 0, and the data.",
        "The checksum stands in bytes 2 and 3 of the ICMP message, which are bytes 36 and 37 of the frame.",
    ),
    checks=[
        Check(
            "request",
            "you send an echo request to {target} with identifier {id} and sequence number {seq}",
            lambda e: (
                e.wire.sent_by("you")
                .ip(dst=e.values.target)
                .icmp(type=8, code=0, id=e.values.id, seq=e.values.seq)
                .saw()
            ),
            "RFC 792, page 14",
        ),
        Check(
            "data",
            "its data is {nonce}",
            lambda e: e.wire.sent_by("you").icmp(type=8).payload(e.values.nonce).saw(),
            "RFC 792, page 14",
        ),
        Check(
            "checksum",
            "its checksum is right",
            lambda e: e.wire.sent_by("you").icmp(type=8).sound().saw(),
            "RFC 1071, section 1",
        ),
        Check(
            "alone",
            "it is the only echo request that you send",
            lambda e: e.wire.sent_by("you").icmp(type=8).once(),
        ),
        Check(
            "reply",
            "the kernel of {target} answers it, once",
            lambda e: (
                e.wire.sent_by("target")
                .icmp(type=0, id=e.values.id, seq=e.values.seq)
                .payload(e.values.nonce)
                .once()
            ),
            "RFC 1122, section 3.2.2.6",
        ),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION.replace("raw.recv(2048)", SEND_AGAIN)), "alone", "2 of them"),
        Wrong(python(SOLUTION.replace("~total & 0xFFFF", "total")), "checksum", "ICMPv4Echo.checksum"),
        Wrong(python(SOLUTION.replace('int(os.environ["LAB_ID"])', "7")), "request", "id is 7"),
        Wrong(
            python(SOLUTION.replace('os.environ["LAB_NONCE"]', '"0123456789abcdef"')), "data", "0123456789abcdef"
        ),
    ],
)
