"""Packets of 64 KiB that were made to be slow, of every list and every nesting there is; and files all damage."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

from captures_by_hand import ALMOST_RECORDS, FRAME, interface, pcap_header, pcap_record, section

from rawkit import LinkType, dissect
from rawkit.errors import CaptureError
from rawkit.pcap import open_capture
from rawkit.wire.dissect import DissectedPacket

__all__ = ["HOSTILE", "report_damage", "report_hostile"]

WANTED = 5e-3
"""Seconds that dissecting one of them may take, and that finding what is wrong with it may."""

ROUNDS = 7
FULL = 65535
NOISE = Random(0).randbytes(FULL)


def ipv4(protocol: int, body: bytes, options: bytes = b"") -> bytes:
    """An IPv4 header whose checksum is wrong, and its body."""
    size = 20 + len(options)
    start = bytes([0x40 + size // 4, 0]) + min(size + len(body), FULL).to_bytes(2)
    return start + b"\0\0\0\0\x40" + bytes([protocol]) + b"\0\0\x0a\0\0\x01\x0a\0\0\x02" + options + body


def ipv6(next_header: int, body: bytes) -> bytes:
    address = b"\xfd" + bytes(15)
    return b"\x60\0\0\0" + min(len(body), FULL).to_bytes(2) + bytes([next_header, 64]) + 2 * address + body


def nested(around: Callable[[bytes], bytes], size: int, inner: bytes) -> bytes:
    """As many headers around `inner` as 64 KiB allow, and no more than are read."""
    packet = inner + NOISE[: FULL - len(inner) - 40 * size]
    for _ in range(40):
        packet = around(packet)
    return packet[:FULL]


def extensions(option: bytes) -> bytes:
    """A chain of destination options headers, each full of one option."""
    options = (option * 2046)[:2046]
    return ipv6(60, b"".join([b"\x3c\xff" + options] * 31))


def neighbour(options: bytes) -> bytes:
    return ipv6(58, b"\x87\0\0\0" + bytes(20) + options)


def udp_tunnel(port: int, header: bytes) -> Callable[[bytes], bytes]:
    """A tunnel over UDP and IPv4 whose checksums are wrong."""

    def around(inner: bytes) -> bytes:
        body = header + bytes(12) + b"\x08\0" + inner
        udp = b"\xc0\0" + port.to_bytes(2) + min(8 + len(body), FULL).to_bytes(2) + b"\x12\x34"
        return ipv4(17, udp + body)

    return around


UDP = b"\xc0\0\0\x09\0\0\x12\x34"
SEGMENTS = bytes([43, 254, 4, 0, 0, 0, 0, 0]) + bytes(16)
ROUTING = bytes([43, 254, 0, 1, 0, 0, 0, 0])
GRE_WITH_CHECKSUM = b"\x80\0\x08\0\x12\x34\0\0"
HOSTILE: dict[str, tuple[LinkType, bytes]] = {
    "IPv6 options: Pad1": (LinkType.RAW, extensions(b"\0")),
    "IPv6 options: empty PadN": (LinkType.RAW, extensions(b"\1\0")),
    "IPv6 options: unknown": (LinkType.RAW, extensions(b"\x1e\0")),
    "IPv6 options: wrong lengths": (LinkType.RAW, extensions(b"\5\0")),
    "IPv6 routing headers": (LinkType.RAW, ipv6(43, b"".join([ROUTING + NOISE[:2032]] * 31))),
    "IPv6 segment routing headers, odd TLVs": (LinkType.RAW, ipv6(43, b"".join([SEGMENTS + b"\5\0" * 1008] * 31))),
    "IPv6 segment routing headers, TLVs": (LinkType.RAW, ipv6(43, b"".join([SEGMENTS + b"\7\2ab" * 504] * 31))),
    "IPv6 fragment headers": (LinkType.RAW, ipv6(44, b"\x2c\0\0\0\0\0\0\0" * 8000)),
    "neighbour discovery: unknown options": (LinkType.RAW, neighbour(b"\x63\x01abcdef" * 8180)),
    "neighbour discovery: addresses": (LinkType.RAW, neighbour(b"\x01\x01abcdef" * 8180)),
    "neighbour discovery: wrong lengths": (LinkType.RAW, neighbour(b"\x01\x02abcdefghijklmn" * 4090)),
    "neighbour discovery: server lists": (LinkType.RAW, neighbour(b"\x19\x03abcdefghijklmnopqrstuv" * 2720)),
    "router discovery": (LinkType.RAW, ipv6(58, b"\x86\0\0\0" + bytes(12) + b"\x03\x04" * 32000)),
    "MLDv2 records": (LinkType.RAW, ipv6(58, b"\x8f\0\0\0\0\0\xff\xff" + bytes(65400))),
    "MLDv2 sources": (LinkType.RAW, ipv6(58, b"\x8f\0\0\0\0\0\0\1\1\0\x0f\xf0" + bytes(16) + NOISE[:65280])),
    "IGMPv3 records": (LinkType.RAW, ipv4(2, b"\x22\0\0\0\0\0\xff\xff" + bytes(65400))),
    "IGMPv3 sources": (LinkType.RAW, ipv4(2, b"\x11\0\0\0\0\0\0\0\0\0\x3f\xf0" + NOISE[:65472])),
    "router advertisement of IPv4": (LinkType.RAW, ipv4(1, b"\x09\0\0\0\xff\x02\0\0" + NOISE[:65400])),
    "IPv4 in IPv4, no operation": (LinkType.RAW, nested(lambda body: ipv4(4, body, b"\1" * 40), 60, b"")),
    "IPv4 in IPv4, unknown options": (LinkType.RAW, nested(lambda body: ipv4(4, body, b"\x1e\2" * 20), 60, b"")),
    "IPv4 in IPv4, timestamps": (LinkType.RAW, nested(lambda body: ipv4(4, body, b"\x44\4\0\1" * 10), 60, b"")),
    "IPv6 in IPv6": (LinkType.RAW, nested(lambda body: ipv6(41, body), 40, b"")),
    "ICMP quotes in quotes": (LinkType.RAW, nested(lambda body: ipv4(1, b"\3\0\x12\x34\0\0\0\0" + body), 28, b"")),
    "ICMPv6 quotes in quotes": (
        LinkType.RAW,
        nested(lambda body: ipv6(58, b"\1\0\x12\x34\0\0\0\0" + body), 48, b""),
    ),
    "GRE tunnels with checksums": (LinkType.RAW, nested(lambda body: ipv4(47, GRE_WITH_CHECKSUM + body), 28, b"")),
    "VXLAN in VXLAN": (LinkType.RAW, nested(udp_tunnel(4789, b"\x08\0\0\0\0\0\1\0"), 50, b"")),
    "Geneve in Geneve": (LinkType.RAW, nested(udp_tunnel(6081, b"\0\0\x65\x58\0\0\1\0"), 50, b"")),
    "Geneve options": (
        LinkType.RAW,
        ipv4(17, b"\xc0\0\x17\xc1\0\0\0\0\x3f\0\x08\0\0\0\1\0" + b"\1\2\3\0" * 16000),
    ),
    "MPLS labels": (LinkType.ETHERNET, bytes(12) + b"\x88\x47" + b"\0\1\0\x40" * 16000),
    "VLAN tags": (LinkType.ETHERNET, bytes(12) + b"\x81\0\0\1" * 16000),
    "PPPoE tags": (LinkType.ETHERNET, bytes(12) + b"\x88\x63\x11\x09\0\0\xff\xf0" + b"\1\1\0\0" * 16000),
    "TCP options and a wrong checksum": (
        LinkType.RAW,
        ipv4(6, UDP[:4] + bytes(8) + b"\xf0\0" + bytes(6) + b"\x1e\2" * 20 + NOISE[:65400]),
    ),
    "UDP with a wrong checksum": (LinkType.RAW, ipv4(17, UDP + NOISE[:65500])),
    "SCTP chunks": (LinkType.RAW, ipv4(132, bytes(12) + b"\x03\0\0\4" * 16000)),
    "SCTP chunk of all bytes": (LinkType.RAW, ipv4(132, bytes(12) + b"\0\3\xff\xc0" + NOISE[:65468])),
}


def seconds(function: Callable[[], object]) -> float:
    """The processor time that a call takes, the best of several."""
    figures = []
    for _ in range(ROUNDS):
        started = time.process_time()
        function()
        figures.append(time.process_time() - started)
    return min(figures)


def problems_of(packet: DissectedPacket) -> float:
    started = time.process_time()
    assert packet.problems, "none of these packets is right"
    return time.process_time() - started


def report_hostile() -> None:
    """Print what each takes to be dissected, every header decoded, and how much more its problems take."""
    print("\npackets of 64 KiB that were made to be slow, in ms: dissect and .layers, and .problems besides")
    for name, (link_type, data) in HOSTILE.items():

        def layers(data: bytes = data, link_type: LinkType = link_type) -> DissectedPacket:
            packet = dissect(data, link_type)
            assert packet.layers
            return packet

        dissecting = seconds(layers)
        problems = min(problems_of(layers()) for _ in range(ROUNDS))
        verdict = "reached" if max(dissecting, problems) < WANTED else "MISSED"
        print(f"  {name:40} {dissecting * 1e3:8.2f} {problems * 1e3:8.2f}   both wanted below 5: {verdict}")


def report_damage() -> None:
    """Print how what salvaging takes grows with the damage, behind a sound start of a file and before any."""
    print("\nsalvaging 400 kB of damage that is almost records, beside 100 kB of it")
    starts = {"pcap": pcap_header() + pcap_record(data=FRAME), "pcapng": section() + interface(), "no start": b"?"}
    for name, start in starts.items():
        for junk in ALMOST_RECORDS:

            def salvage(size: int, start: bytes = start, junk: bytes = junk) -> None:
                data = start + junk * (size // len(junk))
                with suppress(CaptureError), open_capture(io.BytesIO(data), on_damage=lambda _: None) as capture:
                    for _ in capture:
                        pass

            small, large = seconds(lambda: salvage(100_000)), seconds(lambda: salvage(400_000))
            verdict = "reached" if large < 8 * small else "MISSED"
            print(f"  {name:8} {large * 1e3:8.1f} ms, {large / small:.1f} times, wanted about 4: {verdict}")
