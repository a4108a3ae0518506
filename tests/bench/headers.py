"""Building and dissecting, beside dpkt, pypacker and scapy.

Every contender is given the same work: to build, addresses as text and all lengths and checksums computed; to
dissect, every header and the TCP options read, the timestamps as numbers. Each result is checked beforehand.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import dpkt
from pypacker.layer3 import ip as pypacker_ip
from pypacker.layer4 import tcp as pypacker_tcp
from pypacker.layer12 import ethernet as pypacker_ethernet
from scapy.layers.inet import IP as ScapyIP
from scapy.layers.inet import TCP as ScapyTCP
from scapy.layers.l2 import Ether

from rawkit import TCP, Ethernet, IPv4, LinkType, TCPNoOperation, Timestamps, dissect

__all__ = ["HEADERS", "Comparison"]


class Comparison(NamedTuple):
    """Functions that do the same, and how many times longer a peer should take than rawkit."""

    title: str
    contenders: dict[str, Callable[[], Any]]
    wanted: dict[str, float]


def build_rawkit() -> bytes:
    packet = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, flags="S") / b"hello"
    return bytes(packet)


def build_dpkt() -> bytes:
    segment = dpkt.tcp.TCP(sport=1025, dport=80, flags=dpkt.tcp.TH_SYN, win=64240, data=b"hello")
    packet = dpkt.ip.IP(
        src=socket.inet_aton("10.0.0.1"), dst=socket.inet_aton("10.0.0.2"), p=dpkt.ip.IP_PROTO_TCP, data=segment
    )
    packet.len = len(packet)
    return bytes(packet)


def build_pypacker() -> bytes:
    packet = pypacker_ip.IP(src_s="10.0.0.1", dst_s="10.0.0.2", p=pypacker_ip.IP_PROTO_TCP) + pypacker_tcp.TCP(
        sport=1025, dport=80, flags=pypacker_tcp.TH_SYN, win=64240, seq=0, body_bytes=b"hello"
    )
    return bytes(packet.bin())


def build_scapy() -> bytes:
    segment = ScapyTCP(sport=1025, dport=80, flags="S", window=64240) / b"hello"
    return bytes(ScapyIP(src="10.0.0.1", dst="10.0.0.2") / segment)


FRAME = bytes(
    Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
    / IPv4(src="10.0.0.1", dst="10.0.0.2")
    / TCP(
        src_port=1025,
        dst_port=80,
        flags="A",
        options=(TCPNoOperation(), TCPNoOperation(), Timestamps(value=7, echo_reply=9)),
    )
    / b"hello"
)


def dissect_rawkit() -> tuple[int, int]:
    timestamps: Any = dissect(FRAME)[TCP].options[2]
    return timestamps.value, timestamps.echo_reply


def dissect_dpkt() -> tuple[int, int]:
    options = dpkt.tcp.parse_opts(dpkt.ethernet.Ethernet(FRAME).data.data.opts)
    value, echo_reply = struct.unpack("!II", options[2][1])
    return value, echo_reply


def dissect_pypacker() -> tuple[int, int]:
    segment = pypacker_ethernet.Ethernet(FRAME)[pypacker_tcp.TCP]
    value, echo_reply = struct.unpack("!II", segment.opts[2].body_bytes)
    return value, echo_reply


def dissect_scapy() -> tuple[int, int]:
    value, echo_reply = Ether(FRAME)[ScapyTCP].options[2][1]
    return value, echo_reply


BUILDERS = {"rawkit": build_rawkit, "dpkt": build_dpkt, "pypacker": build_pypacker, "scapy": build_scapy}
DISSECTORS = {
    "rawkit": dissect_rawkit,
    "dpkt": dissect_dpkt,
    "pypacker": dissect_pypacker,
    "scapy": dissect_scapy,
}
assert {bytes(dissector()) for dissector in DISSECTORS.values()} == {bytes((7, 9))}

for build in BUILDERS.values():
    segment = dissect(build(), LinkType.RAW)
    assert not segment.problems, (build, segment.problems)
    assert (segment[TCP].dst_port, segment.payload) == (80, b"hello")

HEADERS = [
    Comparison("build IPv4/TCP and 5 bytes, addresses as text", BUILDERS, {"dpkt": 3, "scapy": 70}),
    Comparison("dissect Ethernet/IPv4/TCP with timestamps", DISSECTORS, {"dpkt": 3, "scapy": 60}),
]
