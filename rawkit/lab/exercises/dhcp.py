"""Exercise 19: DHCP: a lease by hand (RFC 2131, section 3.1)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.errors import PacketError
from rawkit.lab import (
    Check,
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
from rawkit.lab.dhcp import DHCP, MessageType, Option
from rawkit.wire import Packet

__all__ = ["EXERCISE"]

TASK = """
Your host has no address. A DHCP server is on its link: get a lease by hand, and print the address, and
nothing else.

You discover, the server offers, you request just what it offered, the server acknowledges. All four messages
have the transaction number `{transaction}` ({transaction_hex}); your MAC address is `{your_mac}`.

(`rawkit.lab.dhcp.DHCP` has the message's fixed fields; its options are plain bytes.)
"""

SOLUTION = """
import os
from rawkit import Ethernet, IPv4, UDP
from rawkit.lab.dhcp import DHCP
from rawkit.link import PacketSocket

me, transaction = os.environ["LAB_YOUR_MAC"], int(os.environ["LAB_TRANSACTION"])

def ask(options):
    message = DHCP(transaction=transaction, client_mac=me, flags=0x8000, options=options + b"\\xff")
    frame = Ethernet(dst="ff:ff:ff:ff:ff:ff", src=me) / IPv4(src="0.0.0.0", dst="255.255.255.255")
    link.send(frame / UDP(src_port=68, dst_port=67) / bytes(message))
    while True:
        packet = link.receive(3).packet()
        if UDP in packet and packet[UDP].dst_port == 68:
            return DHCP.parse(packet.payload)[0]

with PacketSocket("eth0") as link:
    offer = ask(b"\\x35\\x01\\x01")
    requested = b"\\x32\\x04" + offer.your_address.packed
    server = b"\\x36\\x04" + offer.known_options()[54]
    lease = ask(b"\\x35\\x01\\x03" + requested + server)
    print(lease.your_address)
"""


def values(seed: Seed) -> dict[str, Any]:
    """The server's address, the one to lease, a MAC address, and a number."""
    network = seed.network()
    number = seed.number(1, 2**32 - 1)
    return {
        "_server": seed.address(network),
        "_lease": seed.secret.address(network),
        "your_mac": seed.mac(),
        "transaction": number,
        "transaction_hex": f"{number:#010x}",
    }


def topology(v: Values) -> Topology:
    """Two hosts on a cable; yours has no address."""
    return Topology([Link("you", "server", ((), f"{v._server}/24"), (v.your_mac, None))])


def scene(stage: Stage) -> Generator[None, None, None]:
    """A DHCP server with one address to give."""
    v = stage.values
    stage.act("server", services.dhcp(f"{v._server}/24", [v._lease]), ready=True)
    yield


def message(packet: Packet) -> DHCP:
    """The DHCP message of a packet; an empty one where there is none."""
    try:
        return DHCP.parse(packet.payload)[0]
    except PacketError:
        return DHCP()


def said(e: Evidence, host: str, kind: MessageType) -> Finding:
    """Whether a host sent such a message, with the right transaction and MAC address."""
    ports = {"src_port": 68, "dst_port": 67} if host == "you" else {"src_port": 67, "dst_port": 68}
    return (
        e.wire.sent_by(host)
        .udp(**ports)
        .sound()
        .where(
            f"DHCP {kind.name}",
            lambda packet: message(packet).known_options().get(Option.MESSAGE_TYPE) == bytes([kind]),
        )
        .where(
            f"with transaction {e.values.transaction_hex}",
            lambda packet: message(packet).transaction == e.values.transaction,
        )
        .where(f"for {e.values.your_mac}", lambda packet: str(message(packet).client_mac) == e.values.your_mac)
        .saw()
    )


EXERCISE = Exercise(
    name="dhcp",
    number=19,
    level=3,
    title="DHCP: a lease by hand",
    learnt="How a host without an address asks for one, and why it takes four messages.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "Which IPv4 source address does your first message have?",
        lambda _: "0.0.0.0",
        "This host on this network: the only address that one has who has none (RFC 2131, section 4.1).",
    ),
    hints=(
        "You do not know where the server is, and it cannot reach you yet: both of you speak to everybody.",
        "Option 53 says which message it is (1 discover, 3 request); the "
        "request repeats 50 (the address) and 54 (the server).",
        "The message begins at byte 42 of the frame: transaction in 46 "
        "to 49, your MAC from 70 on, options from 282 on.",
    ),
    checks=[
        Check("discover", "you discover", lambda e: said(e, "you", MessageType.DISCOVER), "RFC 2131, section 3.1"),
        Check(
            "offer", "the server offers", lambda e: said(e, "server", MessageType.OFFER), "RFC 2131, section 3.1"
        ),
        Check("request", "you request", lambda e: said(e, "you", MessageType.REQUEST), "RFC 2131, section 3.1"),
        Check(
            "ack", "the server acknowledges", lambda e: said(e, "server", MessageType.ACK), "RFC 2131, section 3.1"
        ),
        Check("printed", "you print the address", lambda e: e.output_equals(e.values._lease)),
    ],
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(SOLUTION.replace("DHCP(transaction=transaction,", "DHCP(transaction=1,")),
            "discover",
            "with transaction",
        ),
        Wrong(python(SOLUTION.replace("+ offer.your_address.packed", "+ bytes(4)")), "ack", "DHCP ACK"),
        Wrong(python(SOLUTION.replace("lease = ask(", "lease = offer or (")), "request", "DHCP REQUEST"),
    ],
)
