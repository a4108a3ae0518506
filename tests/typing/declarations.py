"""What type checkers must infer of rawkit, and what they must reject; `test_typing.py` runs them over this file.

A line that ends in `# -> T` reveals T; a line that ends in `# rejected` is an error; no other line is one.
"""

from ipaddress import IPv4Address
from typing import reveal_type

from rawkit import AUTO, MAC, TCP, UDP, Ethernet, ICMPv4, IPv4, MaximumSegmentSize, TCPFlags, Timestamps, dissect
from rawkit.echo import KINDS
from rawkit.lab import LiveWire, RecordedLab

header = IPv4(src="10.0.0.1", dst=IPv4Address("10.0.0.2"), ttl=3, checksum=AUTO)
segment = TCP(src_port=1025, dst_port=80, flags="SA", options=(MaximumSegmentSize(mss=1460), Timestamps()))
frame = Ethernet(dst="02:00:00:00:00:01", src=b"\2\0\0\0\0\2")
packet = frame / header / segment / b"hello"

reveal_type(header.ttl)  # -> int
reveal_type(header.checksum)  # -> int
reveal_type(header.dont_fragment)  # -> bool
reveal_type(header.src)  # -> IPv4Address
reveal_type(segment.flags)  # -> TCPFlags
reveal_type(frame.dst)  # -> MAC
reveal_type(segment.options)  # -> tuple[TCPOption, ...]
reveal_type(ICMPv4.echo(id=7).id)  # -> int
reveal_type(packet)  # -> Packet
reveal_type(KINDS["tcp"].client(("127.0.0.1", 7)))  # -> Client
reveal_type(KINDS["tcp"].server(("127.0.0.1", 7)))  # -> Server
reveal_type(header / segment)  # -> Packet
reveal_type(packet[TCP])  # -> TCP
reveal_type(packet[TCP].dst_port)  # -> int
reveal_type(packet.replace(TCP, dst_port=81))  # -> Packet
reveal_type(header.replace(ttl=2))  # -> IPv4
reveal_type(IPv4.parse(b""))  # -> tuple[IPv4, bytes]
reveal_type(dissect(b"").problems[0].message)  # -> str


def test_of_others(lab: RecordedLab, wire: LiveWire) -> None:  # with the fixtures of the pytest plugin
    reveal_type(lab.host("a").address())  # -> IPv4Address | IPv6Address
    reveal_type(wire.tcp(flags="S").sent_by("a"))  # -> LiveWire
    reveal_type(wire.tcp().once().frames)  # -> tuple[int, ...]
    wire.tpc()  # rejected


TCP(dst_port=80, flags=TCPFlags.SYN | TCPFlags.ACK)
Ethernet(dst=MAC("02:00:00:00:00:01"))

IPv4(dst="10.0.0.2", tll=3)  # rejected
IPv4(src="10.0.0.1")  # rejected
IPv4(dst=3.5)  # rejected
IPv4(dst="10.0.0.2", ttl="3")  # rejected
TCP(dst_port=80, flags=b"S")  # rejected
TCP(dst_port=80, options=(header,))  # rejected
UDP(53)  # rejected
header.ttl = 4  # rejected
header.src = IPv4Address("10.0.0.3")  # rejected
print(header.tll)  # rejected
packet[int]  # rejected
packet / 3  # rejected
