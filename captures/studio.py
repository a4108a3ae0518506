"""Where a fixture is recorded: a lab, the programs that run in it, and a tap on one of its cables."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rawkit.errors import TimedOut
from rawkit.link import Frame, PacketSocket
from rawkit.netns import Host, Lab, Node, Router
from rawkit.pcap import Interface, Record
from rawkit.wire import LinkType

PROGRAMS_COMMENT = "programs: "
"""What the comment of the first packet that names the programs begins with."""
UNFINISHED_COMMENT = "the kernel left the checksum to the network card"
"""The comment of each frame that the kernel marked so (TP_STATUS_CSUMNOTREADY)."""

_VERSION_OPTIONS = {"dig": "-v", "dnsmasq": "-v", "nft": "-v", "nmap": "--version", "tshark": "-v"}


class Studio:
    """One fixture in the making. Offload is off unless asked for, so checksums on the cable are finished."""

    def __init__(self, shows: str) -> None:
        self.shows = shows
        self.frames: list[Frame] = []
        self.tapped = ""
        self._commands: list[str] = []
        self._programs: dict[str, str] = {}
        self._stack = ExitStack()
        self.lab = self._stack.enter_context(Lab())

    def pair(self, *, offload: bool = False) -> tuple[Host, ...]:
        """Two hosts on a cable: `a` is 10.0.1.1 and fd00:1::1, `b` is .2 and ::2."""
        a, b = self.lab.hosts("a", "b")
        self.lab.link(a, b, offload=offload)
        return a, b

    def path(self, *, mtu: int = 1500) -> tuple[Host, Router, Router, Host]:
        """Two hosts with two routers between them: a - r1 - r2 - b. `mtu` is that of the cable in the middle."""
        a, b = self.lab.hosts("a", "b")
        r1, r2 = self.lab.router("r1"), self.lab.router("r2")
        self.lab.link(a, r1, offload=False)
        self.lab.link(r1, r2, offload=False, mtu=mtu)
        self.lab.link(r2, b, offload=False)
        return a, r1, r2, b

    def folder(self) -> Path:
        """An empty directory, which goes with the fixture's lab."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def run(self, node: Node, command: str, *, codes: Sequence[int] = (0,)) -> None:
        """Run a program to its end. Raises RuntimeError unless it ends with one of the exit `codes`."""
        done = node.run(
            self._note(node, command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
        )
        if done.returncode not in codes:
            raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}")

    def serve(self, node: Node, command: str, *, ready: str, directory: str | Path = "/") -> None:
        """Start a server, and return when it has printed `ready`. It ends with the fixture."""
        server = node.popen(
            self._note(node, command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=directory,
            text=True,
        )
        self._stack.callback(server.stdout.close)
        said = []
        for line in server.stdout:
            said.append(line)
            if ready in line:
                return
        raise RuntimeError(f"{command}: ended at once\n{''.join(said)}")

    @contextmanager
    def tap(self, node: Node, filter: str | None = None, *, quiet: float = 0.5) -> Iterator[None]:
        """Keep what crosses the first interface of `node`, until nothing came for `quiet` seconds."""
        with node.open(PacketSocket, "eth0", filter=filter) as tap:
            yield
            while True:
                try:
                    self.frames.append(tap.receive(quiet))
                except TimedOut:
                    break
            if drops := tap.statistics().drops:
                raise RuntimeError(f"{drops} frames were lost; record again")
        self.tapped = node.name

    def records(self) -> Iterator[Record]:
        """What was heard; the comments of the first record say what it shows and how it was made."""
        interface = Interface(0, LinkType.ETHERNET, name="eth0", description=f"of {self.tapped}")
        programs = PROGRAMS_COMMENT + ", ".join(
            f"{name} {self._programs[name]}" for name in sorted(self._programs)
        )
        about = (self.shows, programs, *self._commands)
        for number, frame in enumerate(self.frames, 1):
            comments = about if number == 1 else ()
            if frame.checksum_unfinished:
                comments += (UNFINISHED_COMMENT,)
            yield Record(
                number, frame.time_ns, frame.data, frame.wire_length, LinkType.ETHERNET, interface, comments
            )

    def _note(self, node: Node, command: str) -> list[str]:
        """The command's words, with it and its program's version noted."""
        words = shlex.split(command)
        if words[0] == "python3":
            words[0] = sys.executable
        name = command.split()[0]
        if name not in self._programs:
            self._programs[name] = version(words[0], name)
        self._commands.append(f"{node.name}: {command}")
        return words

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def version(program: str, name: str = "") -> str:
    """The number that a program gives for its version. Raises FileNotFoundError if it is not installed."""
    if shutil.which(program) is None:
        raise FileNotFoundError(f"{name or program} is not installed; captures/README.md names the packages")
    option = _VERSION_OPTIONS.get(name or program, "-V")
    done = subprocess.run(
        [program, option],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=10,
    )
    found = re.search(r"\d+(\.\d+)*", done.stdout)
    return found[0] if found else "of unknown version"
