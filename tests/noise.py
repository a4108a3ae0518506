"""Sends packets that are nearly right, to whom an exercise names, with its numbers: a student's noise.

Run in a host of a lab, by `test_lab_exercises`.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from ipaddress import IPv4Address

from rawkit.errors import FieldError, KernelError
from rawkit.link import PacketSocket
from rawkit.wire import ARP, TCP, UDP, Ethernet, ICMPv4, ICMPv4Echo, IPv4

FRAMES = 400


def main() -> None:
    """Send them, the same ones every time."""
    draw = random.Random(1)
    values = [value for name, value in os.environ.items() if name.startswith("LAB_")]
    addresses = [value for value in values if is_address(value)] or ["0.0.0.0", "255.255.255.255"]
    numbers = [int(value) for value in values if value.isdecimal() and int(value) < 65_536] or [80]
    texts = [value.encode() for value in values]
    with PacketSocket(os.environ["LAB_INTERFACE"]) as link:
        for _ in range(FRAMES):
            src, dst = draw.choice(addresses), draw.choice(addresses)
            one, other = draw.choice(numbers), draw.choice(numbers)
            upper = draw.choice(
                [
                    UDP(src_port=one, dst_port=other),
                    TCP(
                        src_port=one,
                        dst_port=other,
                        seq=draw.choice(numbers),
                        flags=draw.choice(["S", "SA", "A", "R", "F"]),
                    ),
                    ICMPv4Echo(type=draw.choice([0, 8]), id=one, seq=other),
                    ICMPv4.time_exceeded(quoting=IPv4(src=src, dst=dst) / UDP(src_port=one, dst_port=other)),
                    ARP(
                        operation=draw.choice([1, 2]), sender_mac="02:00:00:00:00:07", sender_ip=src, target_ip=dst
                    ),
                ]
            )
            ip = IPv4(src=src, dst=dst, identification=one, more_fragments=draw.random() < 0.1)
            network = upper if isinstance(upper, ARP) else ip / upper / draw.choice(texts)
            data = bytearray(bytes(Ethernet(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:07") / network))
            for _ in range(draw.choice([0, 0, 1, 4])):
                data[draw.randrange(14, len(data))] = draw.randrange(256)
            with suppress(KernelError, FieldError):
                link.send(bytes(data[: draw.choice([len(data), len(data), draw.randrange(14, len(data))])]))
    print(draw.choice(values))


def is_address(text: str) -> bool:
    """Whether that is an IPv4 address."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
