"""How the tools end when they are interrupted, or when what they send on goes away: one line, nothing left."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from commands import PATIENCE, RAWKIT
from programs import require

from rawkit.link import PacketSocket
from rawkit.netns import Host, Lab

pytestmark = pytest.mark.root

TOOLS = {
    "ask": ["ask", "IPv4(dst='10.0.1.2') / TCP(src_port=1, dst_port=80, flags='S')", "--timeout", "600"],
    "ping": ["ping", "10.0.1.2"],
    "trace": ["trace", "10.0.1.2", "--timeout", "600"],
    "scan": ["scan", "10.0.1.2", "--timeout", "600"],
    "udp scan": ["scan", "-sU", "10.0.1.2", "--timeout", "600"],
    "connect scan": ["scan", "-sT", "10.0.1.2", "--timeout", "600"],
    "discovery": ["scan", "-sn", "10.0.1.0/24", "--timeout", "600"],
    "arp": ["arp", "10.0.1.2", "--timeout", "600"],
    "sweep": ["arp", "10.0.1.0/24", "--timeout", "600"],
    "pmtu": ["pmtu", "10.0.1.2", "--timeout", "600"],
}


@contextmanager
def running(tool: str) -> Iterator[tuple[subprocess.Popen[str], Host]]:
    """A tool that has sent its first packet and waits for an answer that does not come."""
    with Lab() as lab, ExitStack() as stack:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        a.run(["ip", "neigh", "add", "10.0.1.2", "lladdr", str(b.mac()), "dev", "eth0"], check=True)
        b.run(["ip", "addr", "flush", "dev", "eth0"], check=True)  # it knows of no 10.0.1.2, and says nothing
        tap = stack.enter_context(b.open(PacketSocket, "eth0", filter="arp or (ip and not igmp)"))
        tool_ = a.popen([*RAWKIT, *TOOLS[tool]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with tool_:
            tap.receive(PATIENCE)
            try:
                yield tool_, a
            finally:
                tool_.kill()


@pytest.mark.parametrize("tool", TOOLS)
def test_ctrl_c_and_sigterm(tool: str) -> None:
    require("ip", "nft")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with running(tool) as (process, host):
            process.send_signal(number)
            _, err = process.communicate(timeout=PATIENCE)
            # ping ends like that anyway, its summary said; nothing was answered.
            assert process.returncode == (1 if tool == "ping" else 128 + number), err
            assert "Traceback" not in err
            assert host.run(["nft", "list", "ruleset"], capture_output=True, check=True).stdout == b""


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "connect scan"])
def test_an_interface_that_goes_away(tool: str) -> None:
    require("ip", "nft")
    with running(tool) as (process, host):
        host.run(["ip", "link", "delete", "eth0"], check=True)
        _, err = process.communicate(timeout=PATIENCE)
        last = err.splitlines()[-1]
        assert process.returncode == 3, err
        assert last.startswith("rawkit: ")
        assert "eth0" in last
        assert "Traceback" not in err
        assert host.run(["nft", "list", "ruleset"], capture_output=True, check=True).stdout == b""
