"""Exercise 10: a spoofed ping, and the reverse-path filter (RFC 2827; RFC 3704, section 2)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rawkit.lab import Check, Defence, Exercise, Link, Prediction, Seed, Stage, Topology, Values, Wrong, python

__all__ = ["EXERCISE"]

TASK = """
A router stands between you, `{target}`, and an uninvolved host, `{bystander}`. Send **one** ICMP echo request to
`{target}` that says it comes from `{bystander}`, with identifier `{id}`, so that the answer goes there and not
to you.
"""

SOLUTION = """
import os
from rawkit import ICMPv4, IPv4
from rawkit.link import RawIPv4Socket

echo = ICMPv4.echo(id=int(os.environ["LAB_ID"]), seq=1)
ping = IPv4(src=os.environ["LAB_BYSTANDER"], dst=os.environ["LAB_TARGET"]) / echo
with RawIPv4Socket() as raw:
    raw.send(ping)
"""


def values(seed: Seed) -> dict[str, Any]:
    """Three networks with a host each, and an identifier."""
    networks = {name: seed.network() for name in ("you", "target", "bystander")}
    hosts = {name: seed.address(network) for name, network in networks.items()}
    routers = {f"_router_{name}": str(network[1]) for name, network in networks.items()}
    return {**hosts, **routers, "id": seed.number(256, 65535)}


def topology(v: Values) -> Topology:
    """Three hosts around a router."""
    names = ("you", "target", "bystander")
    links = [Link(name, "router", (f"{v[name]}/24", f"{v[f'_router_{name}']}/24")) for name in names]
    return Topology(links, routers=["router"])


def scene(stage: Stage) -> Generator[None, None, None]:
    """Defended, the router drops what comes in from where its own route to the source does not lead."""
    if stage.defended:
        stage.host("router").set_sysctls({"ipv4/conf/all/rp_filter": 1})
    yield
    stage.wait_until(lambda: bool(stage.wire.received_by("bystander").icmp(type=0).all()), seconds=0.5)


EXERCISE = Exercise(
    name="spoofed-ping",
    number=10,
    level=2,
    title="A spoofed ping, and the reverse-path filter",
    learnt="That a source address is only what the sender says, and where in the network that can be checked.",
    values=values,
    topology=topology,
    scene=scene,
    task=TASK,
    prediction=Prediction(
        "Which host finds an echo reply in its inbox that it never asked for? (you, target, bystander or router)",
        lambda _: "bystander",
        "A reply goes to the source address of the request, whoever wrote that (RFC 792, page 14).",
    ),
    hints=(
        "Routers look at the destination only, unless they are told to look at the source as well.",
        "The field is IPv4's source address. With IP_HDRINCL (raw(7)), or a packet socket, it is yours to write.",
        "The source address is in bytes 26 to 29 of the frame; IP's checksum in 24 and 25 covers it.",
    ),
    checks=[
        Check(
            "spoofed",
            "an echo request from {bystander} to {target} with identifier {id} leaves your host",
            lambda e: (
                e.wire.sent_by("you")
                .icmp(type=8, id=e.values.id)
                .ip(src=e.values.bystander, dst=e.values.target)
                .saw()
            ),
            "RFC 2827, section 3",
        ),
        Check(
            "passed",
            "the router lets it through",
            lambda e: e.wire.sent_by("router").received_by("target").icmp(type=8, id=e.values.id).saw(),
            "RFC 3704, section 2.2",
        ),
        Check(
            "answered",
            "the answer goes to {bystander}",
            lambda e: e.wire.received_by("bystander").icmp(type=0, id=e.values.id).saw(),
            "RFC 792, page 14",
        ),
        Check(
            "alone",
            "it is the only echo request that you send",
            lambda e: e.wire.sent_by("you").icmp(type=8).once(),
        ),
        Check("not-you", "no answer comes to you", lambda e: e.wire.received_by("you").icmp(type=0).never()),
    ],
    defence=Defence("the router's reverse-path filter (rp_filter=1)", "passed"),
    solution=python(SOLUTION),
    wrong=[
        Wrong(python(SOLUTION + "    raw.send(ping.replace(IPv4, ttl=9))\n"), "alone", "2 of them"),
        Wrong(
            python(SOLUTION.replace('os.environ["LAB_BYSTANDER"]', 'os.environ["LAB_YOU"]')), "spoofed", "src is"
        ),
        Wrong(python(SOLUTION.replace('int(os.environ["LAB_ID"])', "1")), "spoofed", "id is 1"),
        Wrong(python(SOLUTION.replace('["LAB_TARGET"])', '["LAB_TARGET"], ttl=1)')), "passed", "sent by router"),
    ],
)
