"""Two hosts on a link, and how to know that one has processed what the other sent."""

from __future__ import annotations

import socket
from typing import NamedTuple

from rawkit.netns import Host

PATIENCE = 30
MARK = 7777
"""The port of the datagrams that say so."""

HERE, THERE, HERE6, THERE6 = "10.0.1.1", "10.0.1.2", "fd00:1::1", "fd00:1::2"
"""The addresses of the first and the second host of a lab with one link."""


class Pair(NamedTuple):
    here: Host
    there: Host


def processed(sender: Host, receiver: Host) -> None:
    """Wait until the receiver has processed what the sender put on the link before, and has answered it."""
    with (
        receiver.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as waiting,
        sender.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sending,
    ):
        waiting.settimeout(PATIENCE)
        waiting.bind(("", MARK))
        sending.sendto(b"mark", (str(receiver.address()), MARK))
        waiting.recv(16)
